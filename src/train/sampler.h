/* Which piece of which document each step sees, as a function of (seed, step) alone, so that a
 * resumed run and a plain baseline read the same tokens in the same order (but where few documents
 * have labels, of which a plain model knows nothing: train/piece_mixture.h).
 *
 * Every epoch cuts each document at a new random offset into pieces of T tokens (the rest of a
 * document may be shorter) and shuffles all pieces. */
#ifndef TRINE_TRAIN_SAMPLER_H
#define TRINE_TRAIN_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sampler_document {
    const uint32_t *tokens; /* borrowed */
    size_t count;
};

struct piece {
    size_t document, start, count; /* `count` inputs, of which each has a next token */
};

struct sampler {
    const struct sampler_document *documents; /* borrowed */
    size_t document_count, time, batch;
    uint64_t seed;
    uint64_t epoch;
    size_t epoch_first_step, epoch_steps; /* which steps the present epoch serves */
    struct piece *pieces;
    size_t piece_count, piece_capacity;
};

int sampler_create(struct sampler *sampler, const struct sampler_document *documents,
                   size_t document_count, size_t time, size_t batch, uint64_t seed,
                   struct error *error);
void sampler_free(struct sampler *sampler);

/* The `batch` pieces of a step; steps must not go backwards. */
int sampler_pieces(struct sampler *sampler, size_t step, const struct piece **pieces,
                   struct error *error);

#endif
