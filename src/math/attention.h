/* Causal attention with grouped key/value heads, by blocks of queries. The T x T scores never
 * leave a block's scratch; backward makes them again from the saved log-sum-exp (Dao 2022). */
#ifndef TRINE_MATH_ATTENTION_H
#define TRINE_MATH_ATTENTION_H

#include "math/matmul.h"

struct attention_shape {
    size_t sequences;       /* B */
    size_t time;            /* T */
    size_t heads;           /* H */
    size_t key_value_heads; /* K; H is a multiple of it */
    size_t head_width;      /* E */
};

/* Elements (real) of scratch that both directions need. */
size_t attention_scratch_size(const struct attention_shape *shape);

/* out[B*T,H*E] (operands), log_sum[B,H,T] <- qkv[B*T,(H+2K)*E] (operands, already rotated):
 * the H query heads, then K key heads, then K value heads. */
void attention_forward(struct matmul *matmul, void *out, real *log_sum, const void *qkv,
                       const struct attention_shape *shape, real *scratch);

/* dqkv[B*T,(H+2K)*E] (real, overwritten) <- dout[B*T,H*E], out, qkv (operands), log_sum. */
void attention_backward(struct matmul *matmul, real *dqkv, const void *dout, const void *out,
                        const real *log_sum, const void *qkv, const struct attention_shape *shape,
                        real *scratch);

#endif
