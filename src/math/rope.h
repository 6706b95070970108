/* Rotary positions (Su et al. 2021). Pair i of a head turns by the angle t * base^(-2i/E) / d_i;
 * the divisors d_i stretch a model to longer texts than it was made for. */
#ifndef TRINE_MATH_ROPE_H
#define TRINE_MATH_ROPE_H

#include "math/real.h"

/* Which elements of a head turn together: i and i + E/2, or neighbours (as GGUF files of
 * architecture llama have their rows). */
enum rope_pairs { ROPE_HALVES, ROPE_NEIGHBOURS };

/* cosine[T,E/2], sine[T,E/2]; divisors[E/2] or NULL. Both are multiplied by `magnitude`. */
void rope_table(real *cosine, real *sine, size_t time, size_t head_width, double base,
                const double *divisors, double magnitude);

/* Turns `heads` heads of one row in place; direction +1 forward, -1 for gradients. */
void rope_rotate(real *row, const real *cosine, const real *sine, size_t heads, size_t head_width,
                 enum rope_pairs pairs, int direction);

/* Divisors of the usual stretches, by `factor`. */

/* Llama 3: wavelengths above original / low are stretched, below original / high kept, and in
 * between interpolated. */
void rope_divisors_llama3(double *divisors, size_t head_width, double base, double factor,
                          double original_context, double low, double high);

/* YaRN (Peng et al. 2023): pairs that turn more than `fast` times over the original context are
 * kept, fewer than `slow` times stretched, in between interpolated. */
void rope_divisors_yarn(double *divisors, size_t head_width, double base, double factor,
                        double original_context, double fast, double slow);

#endif
