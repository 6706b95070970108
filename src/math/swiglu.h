/* The gated unit of the feed-forward part (Shazeer 2020): a = silu(gate) * up. */
#ifndef TRINE_MATH_SWIGLU_H
#define TRINE_MATH_SWIGLU_H

#include "math/real.h"

/* out[R,F] <- gate_up[R,2F], gate first; both operands. `row` is scratch[3F]. */
void swiglu_forward(void *out, const void *gate_up, size_t rows, size_t inner,
                    enum precision precision, real *row);

/* dgate_up[R,2F] (operands) <- dout[R,F] (real), gate_up[R,2F] (operands). `row` is
 * scratch[4F]. */
void swiglu_backward(void *dgate_up, const real *dout, const void *gate_up, size_t rows,
                     size_t inner, enum precision precision, real *row);

#endif
