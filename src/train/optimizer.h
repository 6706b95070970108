/* AdamW (Loshchilov and Hutter 2019) over the flat parameters, fused in one pass, and row-wise
 * Adagrad (Duchi et al. 2011, one accumulator a row) over the n-gram tables, of which a step
 * touches few rows. */
#ifndef TRINE_TRAIN_OPTIMIZER_H
#define TRINE_TRAIN_OPTIMIZER_H

#include "latent/model.h"

struct adamw {
    double learning_rate, beta1, beta2, epsilon, decay;
};

/* What is trained, and its moments; arrays of one length. */
struct adamw_state {
    real *values;
    void *operands; /* follow the values; may be the values */
    enum precision precision;
    real *first, *second;
    const uint8_t *decays; /* not 0 where weight decay applies */
};

/* values[from..to) -= the AdamW step for gradients gradient * scale at 1-based step `step`. */
void adamw_update(const struct adamw_state *state, const real *gradient, size_t from, size_t to,
                  double scale, size_t step, const struct adamw *options);

/* Row-wise Adagrad over the n-gram tables. Rows are dealt out to `parts` (threads), each of which
 * updates its own: results do not depend on their number. */
struct ngram_optimizer {
    size_t rows, width, parts;
    real *gradient;    /* [rows,Z]; zero between steps */
    real *accumulator; /* [rows] sum of mean squares seen so far */
    uint8_t *is_touched;
    struct touched_rows {
        uint32_t *rows; /* that have a gradient in this step */
        size_t count, capacity;
    } * touched; /* [parts] */
};

int ngram_optimizer_create(struct ngram_optimizer *optimizer, const struct config *config,
                           size_t parts, struct error *error);
void ngram_optimizer_free(struct ngram_optimizer *optimizer);

struct ngram_step {
    const uint32_t *rows;     /* [tokens,orders] table rows looked up, or NO_NGRAM */
    const real *dinformation; /* [tokens,Z] the gradient of all rows of a token */
    size_t tokens, orders;
    real scale; /* of the gradient */
    double rate, damping, decay;
};

/* The rows of one part: gradient g = scale * the sum over tokens; accumulator += mean(g^2);
 * row -= rate * (g + decay * row) / sqrt(damping + accumulator). Parts may run at once. */
int ngram_optimizer_update(struct ngram_optimizer *optimizer, size_t part, real *tables,
                           const struct ngram_step *step, struct error *error);

#endif
