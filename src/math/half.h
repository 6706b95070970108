/* Arrays of IEEE halves, in which a key-value cache is kept: ten bits of fraction where bf16 has
 * seven, and one instruction from a float on processors with F16C. */
#ifndef TRINE_MATH_HALF_H
#define TRINE_MATH_HALF_H

#include "math/real.h"

void half_store(uint16_t *out, const real *in, size_t n);
void half_load(real *out, const uint16_t *in, size_t n);

/* sum of a[i] b[i]. */
real half_dot(const real *a, const uint16_t *b, size_t n);

/* out[i] += weight * b[i]. */
void half_add(real *out, real weight, const uint16_t *b, size_t n);

#endif
