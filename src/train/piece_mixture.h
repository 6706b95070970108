/* The pieces of each step where few documents have labels: pieces of all documents, as the sampler
 * deals them, and beside them enough of the labelled ones that these make up a share of the batch.
 * A label that is seen once in thirty pieces teaches the reader little in a run of ordinary length;
 * text without labels is plenty.
 *
 * Where labels are as many anyway the sampler alone deals, and nothing is otherwise than without
 * this. */
#ifndef TRINE_TRAIN_PIECE_MIXTURE_H
#define TRINE_TRAIN_PIECE_MIXTURE_H

#include "train/dataset.h"

struct piece_mixture {
    struct sampler all, labelled;
    size_t batch, extra;            /* pieces a step; of them dealt by `labelled` */
    struct sampler_document *texts; /* of the labelled documents */
    size_t *documents;              /* their numbers in the dataset */
    struct piece *pieces;           /* [batch] of the present step */
};

/* A document is labelled when any slot is given. Borrows the dataset. `share` from 0 to 1; one
 * piece of a step at least is the sampler's. */
int piece_mixture_create(struct piece_mixture *mixture, const struct dataset *dataset, size_t time,
                         size_t batch, double share, uint64_t seed, struct error *error);
void piece_mixture_free(struct piece_mixture *mixture);

/* As sampler_pieces. */
int piece_mixture_pieces(struct piece_mixture *mixture, size_t step, const struct piece **pieces,
                         struct error *error);

#endif
