#include "math/quant_product.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "math/quant_kernels.h"

enum { PAIR_LANES = 16 };

size_t matrix_row_bytes(const struct matrix *matrix) {
    if (matrix->is_real)
        return matrix->columns * sizeof(real);
    return matrix->columns / tensor_type_block(matrix->type) * tensor_type_bytes(matrix->type);
}

const void *matrix_row(const struct matrix *matrix, size_t row) {
    return (const char *)matrix->data + row * matrix_row_bytes(matrix);
}

void matrix_load_row(real *out, const struct matrix *matrix, size_t row) {
    matrix_load_operands(out, matrix, row, 1, PRECISION_REAL);
}

void matrix_load_operands(void *out, const struct matrix *matrix, size_t first, size_t count,
                          enum precision precision) {
    if (matrix->is_real)
        operand_store(out, matrix_row(matrix, first), count * matrix->columns, precision);
    else
        dequantise_operands(out, matrix_row(matrix, first), matrix->type, count * matrix->columns,
                            precision);
}

int activations_create(struct activations *x, size_t columns, struct error *error) {
    size_t blocks = columns / ACTIVATION_BLOCK + 1, lanes = (blocks + 1) / 2 * PAIR_LANES;
    *x = (struct activations){.capacity = columns};
    x->values = memory_allocate(PRODUCT_ROWS * columns, sizeof *x->values, error);
    x->quants = memory_allocate(PRODUCT_ROWS * columns + 64, sizeof *x->quants, error);
    x->scales = memory_allocate(PRODUCT_ROWS * blocks, sizeof *x->scales, error);
    x->sums = memory_allocate(PRODUCT_ROWS * blocks, sizeof *x->sums, error);
    x->offsets = memory_allocate(PRODUCT_ROWS * blocks, sizeof *x->offsets, error);
    x->lane_scales = memory_allocate(PRODUCT_ROWS * lanes, sizeof *x->lane_scales, error);
    x->lane_sums = memory_allocate(PRODUCT_ROWS * lanes, sizeof *x->lane_sums, error);
    x->lane_offsets = memory_allocate(PRODUCT_ROWS * lanes, sizeof *x->lane_offsets, error);
    if (!x->values || !x->quants || !x->scales || !x->sums || !x->offsets || !x->lane_scales ||
        !x->lane_sums || !x->lane_offsets) {
        activations_free(x);
        return -1;
    }
    return 0;
}

void activations_free(struct activations *x) {
    memory_free(x->values);
    memory_free(x->quants);
    memory_free(x->scales);
    memory_free(x->sums);
    memory_free(x->offsets);
    memory_free(x->lane_scales);
    memory_free(x->lane_sums);
    memory_free(x->lane_offsets);
    *x = (struct activations){0};
}

VECTOR_CLONES static void quantise_blocks(struct activations *x, const real *values,
                                          size_t blocks) {
    for (size_t b = 0; b < blocks; b++) {
        const real *in = values + b * ACTIVATION_BLOCK;
        int8_t *out = x->quants + b * ACTIVATION_BLOCK;
        float largest = 0, poison = 0; /* NaN when a value is not finite: the scale must say so */
        int32_t sum = 0;
#pragma omp simd reduction(max : largest) reduction(+ : poison)
        for (size_t i = 0; i < ACTIVATION_BLOCK; i++) {
            float size = (float)(in[i] < 0 ? -in[i] : in[i]);
            largest = size > largest ? size : largest;
            poison += size * 0;
        }
        float inverse = largest > 0 ? 127 / largest : 0;
#pragma omp simd reduction(+ : sum)
        for (size_t i = 0; i < ACTIVATION_BLOCK; i++) {
            /* Adding and subtracting 1.5 * 2^23 rounds to nearest, half to even. */
            float rounded = ((float)in[i] * inverse + 12582912.0f) - 12582912.0f;
            rounded = rounded >= -127 ? rounded : -127; /* also what is no number */
            rounded = rounded <= 127 ? rounded : 127;
            out[i] = (int8_t)rounded;
            sum += (int32_t)rounded;
        }
        x->scales[b] = largest / 127 + poison;
        x->sums[b] = x->scales[b] * (float)sum;
        x->offsets[b] = sum;
    }
}

/* One row's blocks, each in its half of the lanes. An odd last block's other half stays zero. */
VECTOR_CLONES static void spread_lanes(struct activations *x, size_t row, size_t blocks) {
    enum { HALF = PAIR_LANES / 2 };
    size_t pairs = (blocks + 1) / 2;
    float *scales = x->lane_scales + row * pairs * PAIR_LANES;
    float *sums = x->lane_sums + row * pairs * PAIR_LANES;
    int32_t *offsets = x->lane_offsets + row * pairs * PAIR_LANES;
    for (size_t b = 0; b < 2 * pairs; b++) {
        int is_there = b < blocks;
        size_t at = row * blocks + b;
        float scale = is_there ? x->scales[at] : 0;
        for (size_t i = 0; i < HALF; i++) {
            scales[b * HALF + i] = scale;
            sums[b * HALF + i] = 0;
            offsets[b * HALF + i] = 0;
        }
        sums[b * HALF] = is_there ? x->sums[at] : 0;
        offsets[b * HALF] = is_there ? -x->offsets[at] : 0;
    }
}

void activations_set(struct activations *x, const real *values, size_t count, size_t columns) {
    x->count = count;
    x->columns = columns;
    memcpy(x->values, values, count * columns * sizeof *values);
    if (columns % ACTIVATION_BLOCK != 0)
        return;
    quantise_blocks(x, values, count * columns / ACTIVATION_BLOCK);
    for (size_t row = 0; row < count; row++)
        spread_lanes(x, row, columns / ACTIVATION_BLOCK);
}

/* Plain kernels, in which every type can be multiplied. */

static int32_t dot_bytes(const int8_t *a, const int8_t *b) {
    int32_t sum = 0;
    for (int i = 0; i < ACTIVATION_BLOCK; i++)
        sum += a[i] * b[i];
    return sum;
}

/* One block of 32: weight = scale * quant + minimum. */
struct unpacked {
    float scale, minimum;
    int8_t quants[ACTIVATION_BLOCK];
};

static void unpack_nibbles(int8_t *out, const uint8_t *in, int offset) {
    for (int i = 0; i < 16; i++) {
        out[i] = (int8_t)((in[i] & 15) - offset);
        out[i + 16] = (int8_t)((in[i] >> 4) - offset);
    }
}

static float half_at(const uint8_t *at) {
    uint16_t half;
    memcpy(&half, at, sizeof half);
    return half_to_float(half);
}

static void unpack_q4_0(struct unpacked *out, const uint8_t *in) {
    out->scale = half_at(in);
    out->minimum = 0;
    unpack_nibbles(out->quants, in + 2, 8);
}

static void unpack_q4_1(struct unpacked *out, const uint8_t *in) {
    out->scale = half_at(in);
    out->minimum = half_at(in + 2);
    unpack_nibbles(out->quants, in + 4, 0);
}

static void unpack_q8_0(struct unpacked *out, const uint8_t *in) {
    out->scale = half_at(in);
    out->minimum = 0;
    memcpy(out->quants, in + 2, ACTIVATION_BLOCK);
}

static void plain_blocks(real *out, size_t stride, int accumulate, const uint8_t *weights,
                         size_t row_bytes, size_t rows, const struct activations *x,
                         void (*unpack)(struct unpacked *, const uint8_t *), size_t block_bytes) {
    size_t blocks = x->columns / ACTIVATION_BLOCK;
    for (size_t r = 0; r < rows; r++) {
        float sums[PRODUCT_ROWS] = {0};
        for (size_t b = 0; b < blocks; b++) {
            struct unpacked block;
            unpack(&block, weights + r * row_bytes + b * block_bytes);
            for (size_t m = 0; m < x->count; m++) {
                size_t at = m * blocks + b;
                int32_t dot = dot_bytes(block.quants, x->quants + at * ACTIVATION_BLOCK);
                sums[m] += block.scale * x->scales[at] * (float)dot + block.minimum * x->sums[at];
            }
        }
        for (size_t m = 0; m < x->count; m++)
            quant_store(&out[m * stride + r], sums[m], accumulate);
    }
}

static void plain_q4_0(real *out, size_t stride, int accumulate, const uint8_t *weights,
                       size_t row_bytes, size_t rows, const struct activations *x) {
    plain_blocks(out, stride, accumulate, weights, row_bytes, rows, x, unpack_q4_0, 18);
}

static void plain_q4_1(real *out, size_t stride, int accumulate, const uint8_t *weights,
                       size_t row_bytes, size_t rows, const struct activations *x) {
    plain_blocks(out, stride, accumulate, weights, row_bytes, rows, x, unpack_q4_1, 20);
}

static void plain_q8_0(real *out, size_t stride, int accumulate, const uint8_t *weights,
                       size_t row_bytes, size_t rows, const struct activations *x) {
    plain_blocks(out, stride, accumulate, weights, row_bytes, rows, x, unpack_q8_0, 34);
}

VECTOR_CLONES static real dot_real(const real *a, const real *b, size_t n) {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

VECTOR_CLONES static real dot_bf16(const real *a, const uint8_t *b, size_t n) {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        uint16_t bits;
        __builtin_memcpy(&bits, b + 2 * i, sizeof bits);
        sum += a[i] * (real)bfloat_to_float(bits);
    }
    return sum;
}

static void plain_bf16(real *out, size_t stride, int accumulate, const uint8_t *weights,
                       size_t row_bytes, size_t rows, const struct activations *x) {
    for (size_t r = 0; r < rows; r++)
        for (size_t m = 0; m < x->count; m++) {
            real sum = dot_bf16(x->values + m * x->columns, weights + r * row_bytes, x->columns);
            out[m * stride + r] = accumulate ? out[m * stride + r] + sum : sum;
        }
}

static const struct quant_kernels PLAIN = {"plain", plain_q4_0, plain_q4_1, plain_q8_0};
static const struct quant_kernels *chosen;

static const struct quant_kernels *find_kernels(const char *name) {
    const struct quant_kernels *candidates[] = {quant_kernels_avx512(), quant_kernels_avx2(),
                                                &PLAIN};
    for (size_t i = 0; i < 3; i++)
        if (candidates[i] != NULL && (name == NULL || strcmp(candidates[i]->name, name) == 0))
            return candidates[i];
    return NULL;
}

static const struct quant_kernels *kernels(void) {
    const struct quant_kernels *now = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
    if (now == NULL) {
        now = find_kernels(NULL);
        __atomic_store_n(&chosen, now, __ATOMIC_RELAXED);
    }
    return now;
}

const char *quant_product_kernels(void) {
    return kernels()->name;
}

int quant_product_choose(const char *name) {
    const struct quant_kernels *found = find_kernels(name);
    if (found == NULL)
        return -1;
    __atomic_store_n(&chosen, found, __ATOMIC_RELAXED);
    return 0;
}

/* Rows of any other type become reals first, a block at a time. */
static void product_by_blocks(real *out, size_t stride, int accumulate, const struct matrix *matrix,
                              size_t first, size_t last, const struct activations *x) {
    size_t block = tensor_type_block(matrix->type), bytes = tensor_type_bytes(matrix->type);
    size_t step = block < QUANT_BLOCK_LIMIT ? QUANT_BLOCK_LIMIT / block * block : block;
    float weights[QUANT_BLOCK_LIMIT];
    real values[QUANT_BLOCK_LIMIT];
    for (size_t r = first; r < last; r++) {
        const char *row = matrix_row(matrix, r);
        real sums[PRODUCT_ROWS] = {0};
        for (size_t at = 0; at < x->columns; at += step) {
            size_t n = x->columns - at < step ? x->columns - at : step;
            dequantise(weights, row + at / block * bytes, matrix->type, n);
            for (size_t i = 0; i < n; i++)
                values[i] = (real)weights[i];
            for (size_t m = 0; m < x->count; m++)
                sums[m] += dot_real(x->values + m * x->columns + at, values, n);
        }
        for (size_t m = 0; m < x->count; m++) {
            real *to = &out[m * stride + r - first];
            *to = accumulate ? *to + sums[m] : sums[m];
        }
    }
}

static void product_real(real *out, size_t stride, int accumulate, const struct matrix *matrix,
                         size_t first, size_t last, const struct activations *x) {
    for (size_t r = first; r < last; r++)
        for (size_t m = 0; m < x->count; m++) {
            real *to = &out[m * stride + r - first];
            real sum = dot_real(x->values + m * x->columns, matrix_row(matrix, r), x->columns);
            *to = accumulate ? *to + sum : sum;
        }
}

void quant_product(real *out, size_t stride, int accumulate, const struct matrix *matrix,
                   size_t first, size_t last, const struct activations *x) {
    quant_kernel *kernel = NULL;
    if (matrix->is_real) {
        product_real(out, stride, accumulate, matrix, first, last, x);
        return;
    }
    if (matrix->type == TENSOR_BF16)
        kernel = plain_bf16; /* the compiler's loop is bound by memory */
    else if (matrix->type == TENSOR_Q4_0)
        kernel = kernels()->q4_0;
    else if (matrix->type == TENSOR_Q4_1)
        kernel = kernels()->q4_1;
    else if (matrix->type == TENSOR_Q8_0)
        kernel = kernels()->q8_0;
    if (kernel != NULL)
        kernel(out, stride, accumulate, matrix_row(matrix, first), matrix_row_bytes(matrix),
               last - first, x);
    else
        product_by_blocks(out, stride, accumulate, matrix, first, last, x);
}
