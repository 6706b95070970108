#include "math/classifier.h"

#include <math.h>
#include <string.h>

#include "math/exponential.h"

/* 64 rows of 2,048 logits are half a second-level cache; measured best of 32 to 256. */
enum { CHUNK_ROWS = 64 };

/* A product's shape is compiled once: few shapes, so counts of rows are rounded up to this. */
enum { ROW_STEP = 16 };

size_t classifier_scratch_size(size_t width, size_t vocabulary) {
    return 2 * CHUNK_ROWS * vocabulary + 2 * CHUNK_ROWS * width;
}

/* Rows that have a target, a chunk of them side by side: most rows of a question have none. */
struct chunk {
    size_t rows[CHUNK_ROWS], count;
    size_t padded; /* count, rounded up; what is between is zero */
    void *x;       /* [padded,D] operands */
};

/* The next chunk from row *at on; *at <- where to go on. */
static void gather(struct chunk *chunk, size_t *at, const void *x, const int32_t *targets,
                   size_t rows, size_t width, enum precision precision) {
    size_t bytes = width * operand_bytes(precision);
    chunk->count = 0;
    for (; *at < rows && chunk->count < CHUNK_ROWS; ++*at)
        if (targets[*at] >= 0) {
            memcpy(operand_at(chunk->x, chunk->count * width, precision),
                   operand_at(x, *at * width, precision), bytes);
            chunk->rows[chunk->count++] = *at;
        }
    chunk->padded = (chunk->count + ROW_STEP - 1) / ROW_STEP * ROW_STEP;
    memset(operand_at(chunk->x, chunk->count * width, precision), 0,
           (chunk->padded - chunk->count) * bytes);
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

/* Loss of one row; the row of logits becomes scale * (softmax - one_hot). */
static real row_loss(real *row, int32_t target, real scale, size_t vocabulary) {
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
    struct chunk chunk = {.x = scratch + 2 * CHUNK_ROWS * vocabulary};
    memset(losses, 0, rows * sizeof *losses);
    for (size_t at = 0; at < rows;) {
        gather(&chunk, &at, x, targets, rows, width, matmul_precision(matmul));
        if (chunk.count == 0)
            break;
        matmul_linear(matmul, scratch, 0, chunk.x, weight, (int)chunk.padded, (int)width,
                      (int)vocabulary);
        for (size_t i = 0; i < chunk.count; i++)
            losses[chunk.rows[i]] =
                row_loss(scratch + i * vocabulary, targets[chunk.rows[i]], 0, vocabulary);
    }
}

void classifier_forward_backward(struct matmul *matmul, real *losses, real *dx, real *dweight,
                                 const void *x, const void *weight, const int32_t *targets,
                                 real scale, const real *scales, size_t rows, size_t width,
                                 size_t vocabulary, real *scratch) {
    enum precision precision = matmul_precision(matmul);
    real *gradient = scratch + CHUNK_ROWS * vocabulary;
    struct chunk chunk = {.x = scratch + 2 * CHUNK_ROWS * vocabulary};
    real *dchunk = scratch + 2 * CHUNK_ROWS * vocabulary + CHUNK_ROWS * width;
    memset(losses, 0, rows * sizeof *losses);
    memset(dx, 0, rows * width * sizeof *dx);
    for (size_t at = 0; at < rows;) {
        gather(&chunk, &at, x, targets, rows, width, precision);
        if (chunk.count == 0)
            break;
        int count = (int)chunk.padded;
        matmul_linear(matmul, scratch, 0, chunk.x, weight, count, (int)width, (int)vocabulary);
        for (size_t i = 0; i < chunk.padded; i++) {
            real *row = scratch + i * vocabulary, own = i < chunk.count ? scale : 0;
            if (i < chunk.count && scales != NULL)
                own *= scales[chunk.rows[i]];
            if (i < chunk.count)
                losses[chunk.rows[i]] = row_loss(row, targets[chunk.rows[i]], own, vocabulary);
            if (own == 0)
                scale_row(row, 0, vocabulary);
            operand_store(operand_at(gradient, i * vocabulary, precision), row, vocabulary,
                          precision);
        }
        matmul_linear_input_gradient(matmul, dchunk, 0, gradient, weight, count, (int)width,
                                     (int)vocabulary);
        for (size_t i = 0; i < chunk.count; i++)
            memcpy(dx + chunk.rows[i] * width, dchunk + i * width, width * sizeof *dx);
        if (dweight != NULL)
            matmul_linear_weight_gradient(matmul, dweight, gradient, chunk.x, count, (int)width,
                                          (int)vocabulary);
    }
}

size_t classifier_distill_scratch_size(size_t width, size_t vocabulary) {
    return CHUNK_ROWS * (2 * vocabulary + (width > vocabulary ? width : vocabulary));
}

struct pair_sums {
    real student, teacher, difference;
};

/* Both rows <- their exponentials, less the maxima; their sums, and that of the teacher's
 * exponentials times how much higher its logits are. */
VECTOR_CLONES static struct pair_sums
pair_exponentials(real *student, real *teacher, real student_top, real teacher_top, size_t n) {
    real student_sum = 0, teacher_sum = 0, difference = 0;
#pragma omp simd reduction(+ : student_sum, teacher_sum, difference)
    for (size_t i = 0; i < n; i++) {
        real s = student[i] - student_top, t = teacher[i] - teacher_top;
        student[i] = exponential(s);
        teacher[i] = exponential(t);
        student_sum += student[i];
        teacher_sum += teacher[i];
        difference += teacher[i] * (t - s);
    }
    return (struct pair_sums){student_sum, teacher_sum, difference};
}

VECTOR_CLONES static void pair_gradient(real *student, const real *teacher, real student_factor,
                                        real teacher_factor, size_t n) {
    for (size_t i = 0; i < n; i++)
        student[i] = student_factor * student[i] - teacher_factor * teacher[i];
}

/* KL of one pair of rows of logits; the student's becomes its gradient. */
static real pair_loss(real *student, real *teacher, real scale, size_t vocabulary) {
    struct pair_sums sums = pair_exponentials(student, teacher, largest(student, vocabulary),
                                              largest(teacher, vocabulary), vocabulary);
    if (scale != 0)
        pair_gradient(student, teacher, scale / sums.student, scale / sums.teacher, vocabulary);
    return (real)((double)sums.difference / (double)sums.teacher + log((double)sums.student) -
                  log((double)sums.teacher));
}

/* Scratch: the student's logits, the teacher's, and what begins as the teacher's rows put side by
 * side and ends as the gradient by the student's logits, as operands. */
static void distill_chunk(struct matmul *matmul, real *losses, const void *x, const void *teacher,
                          const int32_t *pairs, const void *weight, real scale, size_t count,
                          size_t width, size_t vocabulary, real *scratch) {
    enum precision precision = matmul_precision(matmul);
    real *taught = scratch + CHUNK_ROWS * vocabulary, *side = taught + CHUNK_ROWS * vocabulary;
    size_t bytes = width * operand_bytes(precision);
    for (size_t r = 0; r < count; r++) {
        void *row = operand_at(side, r * width, precision);
        if (pairs[r] >= 0)
            memcpy(row, operand_at(teacher, (size_t)pairs[r] * width, precision), bytes);
        else
            memset(row, 0, bytes);
    }
    matmul_linear(matmul, taught, 0, side, weight, (int)count, (int)width, (int)vocabulary);
    matmul_linear(matmul, scratch, 0, x, weight, (int)count, (int)width, (int)vocabulary);
    for (size_t r = 0; r < count; r++) {
        real *row = scratch + r * vocabulary;
        losses[r] = pairs[r] < 0 ? 0 : pair_loss(row, taught + r * vocabulary, scale, vocabulary);
        if (pairs[r] < 0)
            scale_row(row, 0, vocabulary);
        if (scale != 0)
            operand_store(operand_at(side, r * vocabulary, precision), row, vocabulary, precision);
    }
}

void classifier_distill_forward(struct matmul *matmul, real *losses, const void *x,
                                const void *teacher, const int32_t *pairs, const void *weight,
                                size_t rows, size_t width, size_t vocabulary, real *scratch) {
    for (size_t start = 0; start < rows; start += CHUNK_ROWS) {
        size_t count = rows - start < CHUNK_ROWS ? rows - start : CHUNK_ROWS;
        distill_chunk(matmul, losses + start,
                      operand_at(x, start * width, matmul_precision(matmul)), teacher,
                      pairs + start, weight, 0, count, width, vocabulary, scratch);
    }
}

void classifier_distill_forward_backward(struct matmul *matmul, real *losses, real *dx,
                                         const void *x, const void *teacher, const int32_t *pairs,
                                         const void *weight, real scale, size_t rows, size_t width,
                                         size_t vocabulary, real *scratch) {
    for (size_t start = 0; start < rows; start += CHUNK_ROWS) {
        size_t count = rows - start < CHUNK_ROWS ? rows - start : CHUNK_ROWS;
        distill_chunk(matmul, losses + start,
                      operand_at(x, start * width, matmul_precision(matmul)), teacher,
                      pairs + start, weight, scale, count, width, vocabulary, scratch);
        matmul_linear_input_gradient(matmul, dx + start * width, 0,
                                     scratch + 2 * CHUNK_ROWS * vocabulary, weight, (int)count,
                                     (int)width, (int)vocabulary);
    }
}
