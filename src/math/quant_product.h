/* Products of a few rows with a matrix as it lies in a file: what decoding is made of.
 *
 * Every weight is read once for all rows, so that a product of one row is bound by memory. Weights
 * in blocks meet activations in blocks of 32 bytes with a common scale; the 32 products are added
 * as integers, exactly, and each block's sum is scaled in f32. The kernels for AVX-512 (with
 * VNNI), for AVX2 and for any processor are chosen when the program runs; they add blocks in
 * different orders and agree up to that rounding. */
#ifndef TRINE_MATH_QUANT_PRODUCT_H
#define TRINE_MATH_QUANT_PRODUCT_H

#include "base/error.h"
#include "math/quant.h"

enum { PRODUCT_ROWS = 8, /* rows of activations at most */ ACTIVATION_BLOCK = 32 };

/* A matrix [rows,columns], row-major. `is_real` overrides the type: an array of real. */
struct matrix {
    const void *data;
    enum tensor_type type;
    int is_real;
    size_t rows, columns;
};

/* Bytes of one row. */
size_t matrix_row_bytes(const struct matrix *matrix);
const void *matrix_row(const struct matrix *matrix, size_t row);

/* out[columns] <- row; out operands [count,columns] <- rows from `first` on. */
void matrix_load_row(real *out, const struct matrix *matrix, size_t row);
void matrix_load_operands(void *out, const struct matrix *matrix, size_t first, size_t count,
                          enum precision precision);

/* Rows of activations, and the same in blocks: value = scale * quant. */
struct activations {
    size_t count, columns, capacity;
    real *values;     /* [count,columns] */
    int8_t *quants;   /* [count,columns] */
    float *scales;    /* [count,columns / 32] */
    float *sums;      /* [count,columns / 32] scale * sum of the quants */
    int32_t *offsets; /* [count,columns / 32] sum of the quants */
    /* The same for kernels whose registers hold two blocks in 16 lanes, [count,pairs,16]: the
     * scales in all lanes of their block; sums and negative offsets in its first, else zero. */
    float *lane_scales, *lane_sums;
    int32_t *lane_offsets;
};

/* Room for PRODUCT_ROWS rows of at most `columns`. */
int activations_create(struct activations *activations, size_t columns, struct error *error);
void activations_free(struct activations *activations);

/* Sets values[count,columns] from x and quantises them: scale = largest size / 127, to nearest,
 * half to even. Columns that are no multiple of 32 leave the blocks unset. */
void activations_set(struct activations *activations, const real *x, size_t count, size_t columns);

/* out[m * stride + r - first] (+)= matrix[r] . x[m] for rows first <= r < last and every m. */
void quant_product(real *out, size_t stride, int accumulate, const struct matrix *matrix,
                   size_t first, size_t last, const struct activations *x);

/* What runs: "avx512-vnni", "avx2" or "plain"; and a test's wish for another (NULL: the best).
 * Returns -1 when this processor cannot. Not safe while products run. */
const char *quant_product_kernels(void);
int quant_product_choose(const char *kernels);

#endif
