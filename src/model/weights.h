/* Where the numbers of a network are: a view that passes and decoders share. */
#ifndef TRINE_MODEL_WEIGHTS_H
#define TRINE_MODEL_WEIGHTS_H

#include "math/matmul.h"
#include "math/quant_product.h"
#include "math/rope.h"
#include "model/overlay.h"

struct batcher;
struct checkpoint;

/* A network's matrices as operands, adapters and overlay included: many short passes over weights
 * that stay as they are need not unpack them again each time. Two bytes a number in bf16. */
struct unpacked {
    void *matrices[MAXIMUM_BLOCKS][ADAPTER_TARGETS];
};

/* Read-only view of a model's numbers. `operands` equals `values` when the precision is real. */
struct weights {
    const struct config *config;
    const struct layout *layout;
    enum precision precision;
    const real *values;              /* [layout->count] */
    const void *operands;            /* [layout->count] */
    const real *ngrams;              /* [orders,rows,Z] */
    struct checkpoint *base;         /* of an adapted model; else NULL */
    const struct overlay *overlay;   /* of a later layer that is on; else NULL */
    const struct unpacked *unpacked; /* of these weights; or NULL */
    struct batcher *batcher;         /* which decodes several texts together; or NULL */
};

struct adapter {
    size_t rank;
    const real *a; /* [rank,in] */
    const real *b; /* [out,rank] */
    real scale;
};

/* One matrix product of a block: the rows of its parts, one below the other, and what adapters add
 * to them: the model's own, then the overlay's. */
struct product {
    struct matrix parts[3];
    size_t part_count;
    size_t in, out;
    struct adapter adapters[2];
    size_t adapter_count;
};

struct block_view {
    const real *attention_norm, *feed_norm; /* [D] */
    const real *qkv_bias;                   /* [(H+2K)E], or NULL */
    struct product products[ADAPTER_TARGETS];
};

/* All blocks' matrices of these weights, by all threads. */
int weights_unpack(struct unpacked **out, const struct weights *weights, struct error *error);
/* Once more, from block `first` on: after a change of the adapters there. */
int unpacked_refresh(struct unpacked *unpacked, const struct weights *weights, size_t first,
                     struct error *error);
void unpacked_destroy(struct unpacked *unpacked);

void weights_block(const struct weights *weights, size_t l, struct block_view *view);

/* The embedding and the output layer [V,D], and the gain of the last norm [D]. */
struct matrix weights_embedding(const struct weights *weights);
struct matrix weights_output(const struct weights *weights);
const real *weights_final_norm(const struct weights *weights);

/* Tensors of the model's own, at their offset in the flat array. */
struct matrix weights_own(const struct weights *weights, size_t offset, size_t rows,
                          size_t columns);

/* How heads turn; fills cosine and sine [time,E/2]. */
enum rope_pairs weights_rope(const struct weights *weights, real *cosine, real *sine, size_t time);

/* Rows first .. first+count-1 of a product as operands [count,in], adapters included. Points into
 * the weights where it can, else fills `room` [count,in]; `scratch` is real [count,in]. */
const void *product_operands(const struct product *product, size_t first, size_t count,
                             enum precision precision, void *room, real *scratch);

#endif
