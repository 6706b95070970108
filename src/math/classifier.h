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
 * scale * sum(scales[r] * losses[r]); scales NULL: all 1. */
void classifier_forward_backward(struct matmul *matmul, real *losses, real *dx, real *dweight,
                                 const void *x, const void *weight, const int32_t *targets,
                                 real scale, const real *scales, size_t rows, size_t width,
                                 size_t vocabulary, real *scratch);

/* Distillation: what one row says about the next token, taught by another row under the same
 * weight. losses[R] (nats; 0 where pairs is -1) <- KL(softmax(weight teacher[pairs[r]]) ||
 * softmax(weight x[r])); x[R,D] and teacher[.,D] are operands. */
size_t classifier_distill_scratch_size(size_t width, size_t vocabulary);
void classifier_distill_forward(struct matmul *matmul, real *losses, const void *x,
                                const void *teacher, const int32_t *pairs, const void *weight,
                                size_t rows, size_t width, size_t vocabulary, real *scratch);

/* The same, and dx[R,D] (real, overwritten) of scale * sum(losses) with the teacher held fixed:
 * scale * (softmax of the student - softmax of the teacher) weight. */
void classifier_distill_forward_backward(struct matmul *matmul, real *losses, real *dx,
                                         const void *x, const void *teacher, const int32_t *pairs,
                                         const void *weight, real scale, size_t rows, size_t width,
                                         size_t vocabulary, real *scratch);

#endif
