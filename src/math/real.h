/* The number type of the network and the letters of its sizes.
 *
 * `real` is float, and double in the F64 build, which exists so that every gradient can be
 * checked against finite differences. An *operand* is what a matrix product reads: bf16 or real,
 * chosen when a model is opened; products accumulate in f32 (or f64).
 *
 * B batch, T time, D width, H heads, K key/value heads, E head width, F inner width, L layers,
 * V vocabulary, Z width of all slots together; R = B * T rows. */
#ifndef TRINE_MATH_REAL_H
#define TRINE_MATH_REAL_H

#include <stddef.h>
#include <stdint.h>

#ifdef TRINE_F64
typedef double real;
#else
typedef float real;
#endif

enum precision { PRECISION_REAL, PRECISION_BF16 };

/* Plain loops compiled for several instruction sets, the best chosen when the program starts.
 * Not under sanitizers: the chooser runs before their runtime is up. */
#ifdef TRINE_NO_CLONES
#define VECTOR_CLONES
#else
#define VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif

/* Bytes of one operand element. */
size_t operand_bytes(enum precision precision);

/* out[n] (operands) <- in[n], rounding to nearest even. */
void operand_store(void *out, const real *in, size_t n, enum precision precision);

/* out[n] <- in[n] (operands). */
void operand_load(real *out, const void *in, size_t n, enum precision precision);

/* The operand array that starts at element `index`. */
static inline void *operand_at(const void *base, size_t index, enum precision precision) {
    return (char *)(uintptr_t)base + index * (precision == PRECISION_BF16 ? 2 : sizeof(real));
}

#endif
