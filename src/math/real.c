#include "math/real.h"

#include <string.h>

size_t operand_bytes(enum precision precision) {
    return precision == PRECISION_BF16 ? 2 : sizeof(real);
}

VECTOR_CLONES static void bf16_store(uint16_t *restrict out, const real *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float value = (float)in[i];
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
        uint32_t quiet = bits >> 16 | 0x40; /* rounding must not turn NaN into infinity */
        out[i] = (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
    }
}

VECTOR_CLONES static void bf16_load(real *restrict out, const uint16_t *restrict in, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)in[i] << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        out[i] = (real)value;
    }
}

void operand_store(void *out, const real *in, size_t n, enum precision precision) {
    if (precision == PRECISION_BF16)
        bf16_store(out, in, n);
    else
        memcpy(out, in, n * sizeof *in);
}

void operand_load(real *out, const void *in, size_t n, enum precision precision) {
    if (precision == PRECISION_BF16)
        bf16_load(out, in, n);
    else
        memcpy(out, in, n * sizeof *out);
}
