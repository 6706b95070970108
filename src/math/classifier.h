/* The output layer and its cross-entropy in one pass: logits of a few rows at a time, turned in
 * place into their gradient, so that nothing of size rows x vocabulary is ever held. Rows without a
 * target cost nothing. */
#ifndef TRINE_MATH_CLASSIFIER_H
#define TRINE_MATH_CLASSIFIER_H

#include "math/matmul.h"

/* Elements (real) of scratch. */
size_t classifier_scratch_size(size_t width, size_t vocabulary);

/* losses[R] (nats; 0 where target is -1) <- x[R,D] (operands), weight[V,D] (operands),
 * targets[R]. */
void classifier_forward(struct matmul *matmul, real *losses, const void *x, const void *weight,
                        const int32_t *targets, size_t rows, size_t width, size_t vocabulary,
                        real *scratch);

/* The same, and dx[R,D] (real, overwritten), dweight[V,D] += (NULL: not wanted) of
 * scale * sum(losses). */
void classifier_forward_backward(struct matmul *matmul, real *losses, real *dx, real *dweight,
                                 const void *x, const void *weight, const int32_t *targets,
                                 real scale, size_t rows, size_t width, size_t vocabulary,
                                 real *scratch);

#endif
