/* Root-mean-square normalisation (Zhang and Sennrich 2019): y = g x / sqrt(mean(x^2) + eps). */
#ifndef TRINE_MATH_NORM_H
#define TRINE_MATH_NORM_H

#include "math/real.h"

/* out[R,D] (operands), inverse_rms[R] <- x[R,D], gain[D]. `row` is scratch[D]. */
void rmsnorm_forward(void *out, real *inverse_rms, const real *x, const real *gain, size_t rows,
                     size_t width, real epsilon, enum precision precision, real *row);

/* dx[R,D] += , dgain[D] += from dout[R,D] and what forward saw. */
void rmsnorm_backward(real *dx, real *dgain, const real *dout, const real *x, const real *gain,
                      const real *inverse_rms, size_t rows, size_t width);

#endif
