/* Matrix products of one thread, through oneDNN, each shape's primitive made once.
 *
 * A `struct matmul` belongs to the thread that made it, and its products run on that thread alone,
 * inside or outside a parallel region.
 * In the F64 build, and for shapes that oneDNN refuses, the plain loops below run instead. */
#ifndef TRINE_MATH_MATMUL_H
#define TRINE_MATH_MATMUL_H

#include "base/error.h"
#include "math/real.h"

struct matmul;

/* C[m,n] (+)= op(A)[m,k] op(B)[k,n]; row-major, strides in elements. A transposed A is stored
 * [k,m], a transposed B [n,k]. A and B are operands of `precision`; C is real, or an operand
 * when c_is_operand (then accumulate must be 0). */
struct matmul_shape {
    int m, n, k;
    int a_stride, b_stride, c_stride;
    int a_transposed, b_transposed;
    int c_is_operand;
    int accumulate;
};

int matmul_create(struct matmul **out, enum precision precision, struct error *error);
void matmul_destroy(struct matmul *matmul);
enum precision matmul_precision(const struct matmul *matmul);

void matmul_run(struct matmul *matmul, const struct matmul_shape *shape, void *c, const void *a,
                const void *b);

/* The same by plain loops, accumulating in double: the tests' reference. */
void matmul_reference(const struct matmul_shape *shape, enum precision precision, void *c,
                      const void *a, const void *b);

/* Whether this processor multiplies bf16 in hardware. */
int matmul_has_bf16(void);

/* What it multiplies many rows in fastest: the same on every run of one machine. */
enum precision matmul_fast_precision(void);

/* y = x W^T: y[rows,out] (real), x[rows,in], W[out,in]. */
void matmul_linear(struct matmul *matmul, void *y, int y_is_operand, const void *x,
                   const void *weight, int rows, int in, int out);

/* dx (+)= dy W: dx[rows,in] (real), dy[rows,out], W[out,in]. */
void matmul_linear_input_gradient(struct matmul *matmul, real *dx, int accumulate, const void *dy,
                                  const void *weight, int rows, int in, int out);

/* dW += dy^T x: dW[out,in] (real), dy[rows,out], x[rows,in]. */
void matmul_linear_weight_gradient(struct matmul *matmul, real *dweight, const void *dy,
                                   const void *x, int rows, int in, int out);

#endif
