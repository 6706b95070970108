/* Reads many documents with a model, in pieces of its context, and keeps what an evaluation
 * needs: losses of the next token, and the running handle at a few lengths. */
#ifndef TRINE_DREAM_READING_H
#define TRINE_DREAM_READING_H

#include "latent/model.h"
#include "train/dataset.h"

enum { CHECKPOINT_COUNT = 4 };
extern const size_t CHECKPOINT_TOKENS[CHECKPOINT_COUNT]; /* 32, 64, 128, 256 */

/* How the writer is conditioned while losses are measured. */
enum condition { CONDITION_UNTOLD, CONDITION_TOLD, CONDITION_WRONG, CONDITION_COUNT };

struct piece_reading {
    size_t document, start, count;       /* count: inputs read */
    double loss[CONDITION_COUNT];        /* sums over the piece, nats; NAN when not measured */
    real *mean, *precision;              /* [CHECKPOINT_COUNT,Z]: after each checkpoint reached */
    real *information, *added_precision; /* [Z]: what the whole piece adds to a handle */
};

struct reading {
    struct piece_reading *pieces;
    size_t piece_count, latent_width;
    real *storage;
};

/* Cuts every document into consecutive pieces of `time` tokens and reads each from the prior. A
 * document's pieces follow one another. Losses are measured for conditions 0 .. conditions-1; a
 * wrong handle is the label of another document. */
int reading_create(struct reading *out, const struct model *model, const struct dataset *dataset,
                   size_t time, size_t threads, int conditions, struct error *error);
void reading_free(struct reading *reading);

/* information[Z], precision[Z] <- the prior and everything that pieces from..to-1 add. */
void reading_combine(const struct reading *reading, size_t from, size_t to, real *information,
                     real *precision);

#endif
