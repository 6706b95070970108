/* Arrays of IEEE halves, in which a key-value cache is kept: ten bits of fraction where bf16 has
 * seven, and one instruction from a float on processors with F16C. */
#ifndef TRINE_MATH_HALF_H
#define TRINE_MATH_HALF_H

#include "math/real.h"

void half_store(uint16_t *out, const real *in, size_t n);
void half_load(real *out, const uint16_t *in, size_t n);

/* Rows of n halves that lie `stride` apart: out[r] <- a . row r, and out[n] <- the sum of
 * weights[r] row r. */
void half_dots(real *out, const real *a, const uint16_t *rows, size_t stride, size_t count,
               size_t n);
void half_mix(real *out, const real *weights, const uint16_t *rows, size_t stride, size_t count,
              size_t n);

#endif
