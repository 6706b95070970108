/* One Llama block: x += attention(norm(x)); x += feed_forward(norm(x)). */
#ifndef TRINE_MODEL_BLOCK_H
#define TRINE_MODEL_BLOCK_H

#include "math/attention.h"
#include "math/norm.h"
#include "math/rope.h"
#include "math/swiglu.h"
#include "model/network.h"

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
};

/* stream[R,D] is read and replaced by the block's output. */
void block_forward(struct matmul *matmul, const struct weights *weights, size_t l, real *stream,
                   struct block_activations *a, struct block_scratch *s);

/* dstream[R,D] is read and replaced; gradient (flat) is added to. s->residual_operand must hold
 * dstream as operands. */
void block_backward(struct matmul *matmul, const struct weights *weights, size_t l, real *dstream,
                    real *gradient, const struct block_activations *a, struct block_scratch *s);

#endif
