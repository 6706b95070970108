/* AdamW (Loshchilov and Hutter 2019) over the flat parameters, fused in one pass, and row-wise
 * Adagrad (Duchi et al. 2011, one accumulator a row) over the n-gram tables, of which a step
 * touches few rows. */
#ifndef TRINE_TRAIN_OPTIMIZER_H
#define TRINE_TRAIN_OPTIMIZER_H

#include "latent/model.h"

struct adamw {
    double learning_rate, beta1, beta2, epsilon, decay;
};

/* values[from..to) -= the AdamW step for gradients gradient * scale at 1-based step `step`;
 * operands follow. decays[i] is not 0 where weight decay applies. */
void adamw_update(struct model *model, real *first, real *second, const real *gradient,
                  const uint8_t *decays, size_t from, size_t to, double scale, size_t step,
                  const struct adamw *options);

/* Adds up the gradients of table rows of one step, then applies them. */
struct ngram_optimizer {
    size_t rows, width;
    real *gradient;    /* [rows,Z]; zero between steps */
    real *accumulator; /* [rows] sum of mean squares seen so far */
    uint32_t *touched; /* rows with gradients */
    uint8_t *is_touched;
    size_t touched_count, touched_capacity;
};

int ngram_optimizer_create(struct ngram_optimizer *optimizer, const struct config *config,
                           struct error *error);
void ngram_optimizer_free(struct ngram_optimizer *optimizer);

/* gradient of `row` += scale * values[width]. */
int ngram_optimizer_add(struct ngram_optimizer *optimizer, uint32_t row, const real *values,
                        real scale, struct error *error);

/* table row -= rate * g / sqrt(damping + accumulator); rows also shrink by `decay`. */
void ngram_optimizer_apply(struct ngram_optimizer *optimizer, real *tables, double rate,
                           double damping, double decay);

#endif
