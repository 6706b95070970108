/* Rotary positions (Su et al. 2021). Element i of the first half of a head turns with element i
 * of the second half by the angle t * base^(-2i/E). */
#ifndef TRINE_MATH_ROPE_H
#define TRINE_MATH_ROPE_H

#include "math/real.h"

/* cosine[T,E/2], sine[T,E/2]. */
void rope_table(real *cosine, real *sine, size_t time, size_t head_width, double base);

/* Turns `heads` heads of one row in place; direction +1 forward, -1 for gradients. */
void rope_rotate(real *row, const real *cosine, const real *sine, size_t heads, size_t head_width,
                 int direction);

#endif
