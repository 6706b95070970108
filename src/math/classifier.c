#include "math/classifier.h"

#include <math.h>

#include "math/exponential.h"

/* 64 rows of 2,048 logits are half a second-level cache; measured best of 32 to 256. */
enum { CHUNK_ROWS = 64 };

size_t classifier_scratch_size(size_t vocabulary) {
    return 2 * CHUNK_ROWS * vocabulary;
}

VECTOR_CLONES static real largest(const real *row, size_t n) {
    real maximum = -INFINITY;
#pragma omp simd reduction(max : maximum)
    for (size_t i = 0; i < n; i++)
        maximum = row[i] > maximum ? row[i] : maximum;
    return maximum;
}

/* row <- exp(row - maximum); gives the sum. */
VECTOR_CLONES static real exponentials(real *row, real maximum, size_t n) {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        row[i] = exponential(row[i] - maximum);
        sum += row[i];
    }
    return sum;
}

VECTOR_CLONES static void scale_row(real *row, real factor, size_t n) {
    for (size_t i = 0; i < n; i++)
        row[i] *= factor;
}

/* Loss of one row; the row of logits becomes scale * (softmax - one_hot), or zero without a
 * target. */
static real row_loss(real *row, int32_t target, real scale, size_t vocabulary) {
    if (target < 0) {
        scale_row(row, 0, vocabulary);
        return 0;
    }
    real maximum = largest(row, vocabulary), chosen = row[target];
    real sum = exponentials(row, maximum, vocabulary);
    if (scale != 0) {
        scale_row(row, scale / sum, vocabulary);
        row[target] -= scale;
    }
    return maximum - chosen + (real)log((double)sum);
}

void classifier_forward(struct matmul *matmul, real *losses, const void *x, const void *weight,
                        const int32_t *targets, size_t rows, size_t width, size_t vocabulary,
                        real *scratch) {
    enum precision precision = matmul_precision(matmul);
    for (size_t start = 0; start < rows; start += CHUNK_ROWS) {
        size_t count = rows - start < CHUNK_ROWS ? rows - start : CHUNK_ROWS;
        matmul_linear(matmul, scratch, 0, operand_at(x, start * width, precision), weight,
                      (int)count, (int)width, (int)vocabulary);
        for (size_t r = 0; r < count; r++)
            losses[start + r] =
                row_loss(scratch + r * vocabulary, targets[start + r], 0, vocabulary);
    }
}

void classifier_forward_backward(struct matmul *matmul, real *losses, real *dx, real *dweight,
                                 const void *x, const void *weight, const int32_t *targets,
                                 real scale, size_t rows, size_t width, size_t vocabulary,
                                 real *scratch) {
    enum precision precision = matmul_precision(matmul);
    real *gradient = scratch + CHUNK_ROWS * vocabulary;
    for (size_t start = 0; start < rows; start += CHUNK_ROWS) {
        size_t count = rows - start < CHUNK_ROWS ? rows - start : CHUNK_ROWS;
        const void *part = operand_at(x, start * width, precision);
        matmul_linear(matmul, scratch, 0, part, weight, (int)count, (int)width, (int)vocabulary);
        for (size_t r = 0; r < count; r++) {
            real *row = scratch + r * vocabulary;
            losses[start + r] = row_loss(row, targets[start + r], scale, vocabulary);
            operand_store(operand_at(gradient, r * vocabulary, precision), row, vocabulary,
                          precision);
        }
        matmul_linear_input_gradient(matmul, dx + start * width, 0, gradient, weight, (int)count,
                                     (int)width, (int)vocabulary);
        if (dweight != NULL)
            matmul_linear_weight_gradient(matmul, dweight, gradient, part, (int)count, (int)width,
                                          (int)vocabulary);
    }
}
