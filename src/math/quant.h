/* Number formats of tensors in files, and the way between them and floats.
 *
 * Block formats hold 32 or 256 weights with common scales; layouts and names are ggml's. Bytes are
 * little-endian and may lie anywhere in memory. */
#ifndef TRINE_MATH_QUANT_H
#define TRINE_MATH_QUANT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "math/real.h"

/* With their numbers in GGUF files. Only those are listed that Trine reads. */
enum tensor_type {
    TENSOR_F32 = 0,
    TENSOR_F16 = 1,
    TENSOR_Q4_0 = 2,
    TENSOR_Q4_1 = 3,
    TENSOR_Q5_0 = 6,
    TENSOR_Q5_1 = 7,
    TENSOR_Q8_0 = 8,
    TENSOR_Q4_K = 12,
    TENSOR_Q5_K = 13,
    TENSOR_Q6_K = 14,
    TENSOR_BF16 = 30,
};

enum { QUANT_BLOCK_LIMIT = 256 /* weights in the largest block */ };

/* "F32", "Q8_0", ...; "unknown" for a number that is none of ggml's types. */
const char *tensor_type_name(enum tensor_type type);

/* Weights and bytes of a block, also of types that cannot be read; 0 for unknown numbers. */
size_t tensor_type_block(enum tensor_type type);
size_t tensor_type_bytes(enum tensor_type type);

/* Whether dequantise() takes it; whether quantise() does. */
int tensor_type_is_readable(enum tensor_type type);
int tensor_type_is_writable(enum tensor_type type);

/* The type of a name, in any case ("q8_0"); -1 when there is none that is readable. */
int tensor_type_find(const char *name);

/* out[count] <- blocks of `type`; count is a multiple of the block. */
void dequantise(float *out, const void *blocks, enum tensor_type type, size_t count);

/* The same as operands of matrix products. */
void dequantise_operands(void *out, const void *blocks, enum tensor_type type, size_t count,
                         enum precision precision);

/* Blocks of a writable type <- in[count], each weight to the nearest step: F32, F16, BF16, Q8_0,
 * Q4_0, Q4_1, Q4_K. */
void quantise(void *blocks, const float *in, enum tensor_type type, size_t count);

/* IEEE half: sign, five bits of exponent (bias 15 against 127), ten of fraction (against 23). */
static inline float half_to_float(uint16_t half) {
    uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
    uint32_t sign = (uint32_t)half >> 15 << 31;
    if (exponent == 0) { /* zero and subnormals */
        float size = (float)fraction * 0x1p-24f;
        return sign != 0 ? -size : size;
    }
    exponent = exponent == 31 ? 255 : exponent + 112; /* infinities and NaNs stay so */
    uint32_t bits = sign | exponent << 23 | fraction << 13;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Both round to nearest even; a NaN stays one, made quiet. */
uint16_t float_to_half(float value);
uint16_t float_to_bfloat(float value);

static inline float bfloat_to_float(uint16_t bfloat) {
    uint32_t bits = (uint32_t)bfloat << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
