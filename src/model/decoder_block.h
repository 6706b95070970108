/* What decoder.c and decoder_block.c share; included by those only. */
#ifndef TRINE_MODEL_DECODER_BLOCK_H
#define TRINE_MODEL_DECODER_BLOCK_H

#include "base/barrier.h"
#include "math/cached_attention.h"
#include "model/decoder.h"

enum {
    WEIGHT_ROWS = 192, /* rows of weights that are operands at a time: 576 columns fill 216 KB */
    LEAST_WIDE = 24    /* tokens from which oneDNN is faster than our kernels, measured */
};

/* The tokens of one chunk. */
struct decoder_buffers {
    size_t rows;
    real *stream;   /* [rows,D] */
    real *packed;   /* [rows,(H+2K)E] */
    real *attended; /* [rows,HE] */
    real *inner;    /* [rows,2F] */
    real *latent;   /* [rows,Z] what the writer is given */
};

/* What belongs to one thread. */
struct decoder_lane {
    struct activations x;
    struct matmul *matmul;
    real *scratch;
    size_t scratch_size;
    void *operands; /* [WEIGHT_ROWS, widest] operands */
    real *reals;    /* the same, reals */
};

struct decoder {
    struct weights weights;
    int is_lean; /* as the option */
    size_t context, threads;
    struct barrier barrier; /* of the team that runs a chunk */
    size_t position;        /* tokens in the cache */
    uint32_t *history;      /* [context] */
    void *keys, *values;    /* [L,context,KE] halves or reals */
    int cache_is_real;
    enum rope_pairs rope_pairs;
    real *cosine, *sine; /* [context,E/2] */
    real *logits;        /* [PRODUCT_ROWS,V] */
    struct decoder_buffers few, wide;
    void *wide_operands;    /* [WIDE_CHUNK, widest] what products of a long chunk read */
    real *told, *told_mask; /* [Z] */
    real *precision, *information, *mean;
    real *marked; /* [3,Z]: these three as they were at the mark */
    size_t marked_position;
    struct decoder_lane *lanes; /* [threads] */
    void *blocks[16];
    size_t block_count;
};

/* One thread of the team that runs a chunk. */
struct decoder_team {
    size_t id, threads;
    struct decoder_lane *lane;
};

/* Runs b->stream[count,D] through all blocks; every thread of the team calls it. The tokens are in
 * d->history from d->position on. */
void decoder_blocks(struct decoder *d, const struct decoder_team *team, struct decoder_buffers *b,
                    size_t count, int with_evidence);

#endif
