/* One Llama block: x += attention(norm(x)); x += feed_forward(norm(x)). */
#ifndef TRINE_MODEL_BLOCK_H
#define TRINE_MODEL_BLOCK_H

#include "math/attention.h"
#include "math/norm.h"
#include "math/rope.h"
#include "math/swiglu.h"
#include "model/network.h"
#include "model/weights.h"

/* What backward needs of one block's forward pass. */
struct block_activations {
    real *input;             /* [R,D] the stream before the block */
    real *attention_inverse; /* [R] */
    void *attention_normed;  /* [R,D] operands */
    void *qkv;               /* [R,(H+2K)E] operands, rotated */
    real *log_sum;           /* [B,H,T] */
    void *attention;         /* [R,HE] operands */
    real *middle;            /* [R,D] the stream after attention */
    real *feed_inverse;      /* [R] */
    void *feed_normed;       /* [R,D] operands */
    void *gate_up;           /* [R,2F] operands */
    void *inner;             /* [R,F] operands */
};

/* A block's parameters as the products of a pass want them. */
struct block_operands {
    struct block_view view;
    const void *weights[ADAPTER_TARGETS]; /* [out,in] operands, adapters included */
};

/* Shared by all blocks of a pass. */
struct block_scratch {
    struct attention_shape attention_shape;
    real *wide;             /* [R, max((H+2K)E, 2F, D)] */
    void *wide_operand;     /* the same, operands */
    real *narrow;           /* [R,D] */
    void *narrow_operand;   /* [R, max(D, HE)] */
    void *residual_operand; /* [R,D]: the stream's gradient, set before block_backward */
    real *row;              /* a few rows */
    real *attention;        /* attention_scratch_size() */
    real *cosine, *sine;    /* [T,E/2] */
    enum rope_pairs rope_pairs;
    /* Of adapted models and under overlays only: */
    void *weights[ADAPTER_TARGETS]; /* [out,in] room for a block's operands */
    real *weight_rows;              /* [BLOCK_WEIGHT_ROWS, widest] */
    real *low;                      /* [R,r] what an adapter passes on, */
    void *low_operand;              /* as operands, */
    real *unused_gain;              /* [D] gradient of a gain that is not trained */
};

enum { BLOCK_WEIGHT_ROWS = 128 };

/* Finds or makes the operands of block l; they last until the next call. */
void block_load(struct block_operands *operands, const struct weights *weights, size_t l,
                struct block_scratch *scratch);

/* stream[R,D] is read and replaced by the block's output. */
void block_forward(struct matmul *matmul, const struct weights *weights,
                   const struct block_operands *operands, real *stream, struct block_activations *a,
                   struct block_scratch *s);

/* dstream[R,D] is read and replaced; gradient (flat) is added to. s->residual_operand must hold
 * dstream as operands. */
void block_backward(struct matmul *matmul, const struct weights *weights,
                    const struct block_operands *operands, size_t l, real *dstream, real *gradient,
                    const struct block_activations *a, struct block_scratch *s);

#endif
