/* What the kernels of quant_product.c share; included by those only. */
#ifndef TRINE_MATH_QUANT_KERNELS_H
#define TRINE_MATH_QUANT_KERNELS_H

#include "math/quant_product.h"

/* out[m * stride + r] (+)= row r . x[m], for `rows` rows that lie row_bytes apart. */
typedef void quant_kernel(real *out, size_t stride, int accumulate, const uint8_t *weights,
                          size_t row_bytes, size_t rows, const struct activations *x);

struct quant_kernels {
    const char *name;
    quant_kernel *q4_0, *q4_1, *q8_0;
};

/* NULL where the processor lacks the instructions. */
const struct quant_kernels *quant_kernels_avx512(void);
const struct quant_kernels *quant_kernels_avx2(void);

/* Weights are asked for so many bytes before they are used: what the processor fetches by itself
 * ends with each page, and decoding took half of its time waiting for the next (doc/speed.md).
 * Asking for what lies behind the weights does no harm. */
enum { PREFETCH_AHEAD = 4096 };

static inline void quant_prefetch(const uint8_t *at) {
    __builtin_prefetch((const void *)((uintptr_t)at + PREFETCH_AHEAD));
}

static inline void quant_store(real *out, float value, int accumulate) {
    *out = accumulate ? *out + (real)value : (real)value;
}

#endif
