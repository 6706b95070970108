#include "math/attention.h"

#include <math.h>
#include <string.h>

#include "math/exponential.h"

/* Two blocks skip a quarter of a 256-token square; smaller ones lose more in calls than they
 * save in products. */
enum { QUERY_BLOCK = 128 };

static size_t minimum(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t attention_scratch_size(const struct attention_shape *shape) {
    size_t block = minimum(QUERY_BLOCK, shape->time);
    return 4 * block * shape->time + 4 * shape->head_width + 2 * shape->time;
}

/* Row i of the block may look at keys 0 .. last: probabilities in place, zero beyond. */
VECTOR_CLONES static real softmax_row(real *row, size_t last, size_t count, real scale) {
    real maximum = -INFINITY, sum = 0;
#pragma omp simd reduction(max : maximum)
    for (size_t j = 0; j <= last; j++)
        maximum = row[j] > maximum ? row[j] : maximum;
    maximum *= scale;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j <= last; j++) {
        row[j] = exponential(row[j] * scale - maximum);
        sum += row[j];
    }
    real inverse = 1 / sum;
    for (size_t j = 0; j <= last; j++)
        row[j] *= inverse;
    for (size_t j = last + 1; j < count; j++)
        row[j] = 0;
    return maximum + (real)log((double)sum);
}

VECTOR_CLONES static void probability_row(real *row, size_t last, size_t count, real scale,
                                          real log_sum) {
    for (size_t j = 0; j <= last; j++)
        row[j] = exponential(row[j] * scale - log_sum);
    for (size_t j = last + 1; j < count; j++)
        row[j] = 0;
}

/* dS = P (dP - delta) scale. */
VECTOR_CLONES static void score_gradient_row(real *restrict dscore, const real *restrict p,
                                             real delta, real scale, size_t count) {
    for (size_t j = 0; j < count; j++)
        dscore[j] = p[j] * (dscore[j] - delta) * scale;
}

VECTOR_CLONES static real dot(const real *a, const real *b, size_t n) {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Where one (sequence, head) lies in the packed rows, and the strides of the products. */
struct place {
    size_t query, key, value; /* element offsets of time 0 in qkv */
    size_t out;               /* element offset of time 0 in out */
    int qkv_stride, out_stride;
};

static struct place place_of(const struct attention_shape *s, size_t sequence, size_t head) {
    size_t stride = (s->heads + 2 * s->key_value_heads) * s->head_width;
    size_t shared = head / (s->heads / s->key_value_heads);
    size_t start = sequence * s->time * stride;
    return (struct place){
        .query = start + head * s->head_width,
        .key = start + (s->heads + shared) * s->head_width,
        .value = start + (s->heads + s->key_value_heads + shared) * s->head_width,
        .out = (sequence * s->time * s->heads + head) * s->head_width,
        .qkv_stride = (int)stride,
        .out_stride = (int)(s->heads * s->head_width),
    };
}

/* scores[rows,keys] <- Q K^T. */
static void block_scores(struct matmul *matmul, real *scores, const void *qkv,
                         const struct place *at, size_t start, size_t rows, size_t keys,
                         size_t head_width) {
    enum precision precision = matmul_precision(matmul);
    struct matmul_shape shape = {.m = (int)rows,
                                 .n = (int)keys,
                                 .k = (int)head_width,
                                 .a_stride = at->qkv_stride,
                                 .b_stride = at->qkv_stride,
                                 .c_stride = (int)keys,
                                 .b_transposed = 1};
    matmul_run(matmul, &shape, scores,
               operand_at(qkv, at->query + start * (size_t)at->qkv_stride, precision),
               operand_at(qkv, at->key, precision));
}

void attention_forward(struct matmul *matmul, void *out, real *log_sum, const void *qkv,
                       const struct attention_shape *s, real *scratch) {
    enum precision precision = matmul_precision(matmul);
    size_t width = s->head_width, block = minimum(QUERY_BLOCK, s->time);
    real scale = (real)(1 / sqrt((double)width));
    real *scores = scratch, *weights = scratch + block * s->time;
    for (size_t index = 0; index < s->sequences * s->heads; index++) {
        struct place at = place_of(s, index / s->heads, index % s->heads);
        for (size_t start = 0; start < s->time; start += block) {
            size_t rows = minimum(block, s->time - start), keys = start + rows;
            block_scores(matmul, scores, qkv, &at, start, rows, keys, width);
            for (size_t i = 0; i < rows; i++)
                log_sum[index * s->time + start + i] =
                    softmax_row(scores + i * keys, start + i, keys, scale);
            operand_store(weights, scores, rows * keys, precision);
            struct matmul_shape shape = {.m = (int)rows,
                                         .n = (int)width,
                                         .k = (int)keys,
                                         .a_stride = (int)keys,
                                         .b_stride = at.qkv_stride,
                                         .c_stride = at.out_stride,
                                         .c_is_operand = 1};
            matmul_run(matmul, &shape,
                       operand_at(out, at.out + start * (size_t)at.out_stride, precision), weights,
                       operand_at(qkv, at.value, precision));
        }
    }
}

/* What one block of queries needs in backward. */
struct backward {
    struct matmul *matmul;
    real *dqkv;
    const void *dout, *out, *qkv;
    const real *log_sum; /* of this sequence and head */
    real *p, *dscore;    /* [rows,keys] */
    void *operand_p, *operand_dscore;
    real *row; /* scratch[2E] */
};

/* P and dS of the block, as operands. */
static void block_gradients(const struct backward *b, const struct attention_shape *s,
                            const struct place *at, size_t start, size_t rows, size_t keys) {
    enum precision precision = matmul_precision(b->matmul);
    size_t width = s->head_width, out_stride = (size_t)at->out_stride;
    real scale = (real)(1 / sqrt((double)width));
    block_scores(b->matmul, b->p, b->qkv, at, start, rows, keys, width);
    struct matmul_shape shape = {.m = (int)rows,
                                 .n = (int)keys,
                                 .k = (int)width,
                                 .a_stride = at->out_stride,
                                 .b_stride = at->qkv_stride,
                                 .c_stride = (int)keys,
                                 .b_transposed = 1};
    matmul_run(b->matmul, &shape, b->dscore,
               operand_at(b->dout, at->out + start * out_stride, precision),
               operand_at(b->qkv, at->value, precision));
    for (size_t i = 0; i < rows; i++) {
        size_t position = at->out + (start + i) * out_stride;
        operand_load(b->row, operand_at(b->dout, position, precision), width, precision);
        operand_load(b->row + width, operand_at(b->out, position, precision), width, precision);
        probability_row(b->p + i * keys, start + i, keys, scale, b->log_sum[start + i]);
        score_gradient_row(b->dscore + i * keys, b->p + i * keys,
                           dot(b->row, b->row + width, width), scale, keys);
    }
    operand_store(b->operand_p, b->p, rows * keys, precision);
    operand_store(b->operand_dscore, b->dscore, rows * keys, precision);
}

static void block_backward(const struct backward *b, const struct attention_shape *s,
                           const struct place *at, size_t start, size_t rows, size_t keys) {
    enum precision precision = matmul_precision(b->matmul);
    size_t stride = (size_t)at->qkv_stride;
    block_gradients(b, s, at, start, rows, keys);
    struct matmul_shape dquery = {.m = (int)rows,
                                  .n = (int)s->head_width,
                                  .k = (int)keys,
                                  .a_stride = (int)keys,
                                  .b_stride = at->qkv_stride,
                                  .c_stride = at->qkv_stride};
    matmul_run(b->matmul, &dquery, b->dqkv + at->query + start * stride, b->operand_dscore,
               operand_at(b->qkv, at->key, precision));
    struct matmul_shape dkey = {.m = (int)keys,
                                .n = (int)s->head_width,
                                .k = (int)rows,
                                .a_stride = (int)keys,
                                .a_transposed = 1,
                                .b_stride = at->qkv_stride,
                                .c_stride = at->qkv_stride,
                                .accumulate = 1};
    matmul_run(b->matmul, &dkey, b->dqkv + at->key, b->operand_dscore,
               operand_at(b->qkv, at->query + start * stride, precision));
    struct matmul_shape dvalue = dkey;
    dvalue.b_stride = at->out_stride;
    matmul_run(b->matmul, &dvalue, b->dqkv + at->value, b->operand_p,
               operand_at(b->dout, at->out + start * (size_t)at->out_stride, precision));
}

void attention_backward(struct matmul *matmul, real *dqkv, const void *dout, const void *out,
                        const real *log_sum, const void *qkv, const struct attention_shape *s,
                        real *scratch) {
    size_t block = minimum(QUERY_BLOCK, s->time), square = block * s->time;
    size_t row_width = (s->heads + 2 * s->key_value_heads) * s->head_width;
    memset(dqkv, 0, s->sequences * s->time * row_width * sizeof *dqkv);
    for (size_t index = 0; index < s->sequences * s->heads; index++) {
        struct place at = place_of(s, index / s->heads, index % s->heads);
        struct backward b = {.matmul = matmul,
                             .dqkv = dqkv,
                             .dout = dout,
                             .out = out,
                             .qkv = qkv,
                             .log_sum = log_sum + index * s->time,
                             .p = scratch,
                             .dscore = scratch + square,
                             .operand_p = scratch + 2 * square,
                             .operand_dscore = scratch + 3 * square,
                             .row = scratch + 4 * square};
        for (size_t start = 0; start < s->time; start += block) {
            size_t rows = minimum(block, s->time - start);
            block_backward(&b, s, &at, start, rows, start + rows);
        }
    }
}
