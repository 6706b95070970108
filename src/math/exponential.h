/* exp() that compilers can vectorise: argument reduction by ln 2 in two parts, then a polynomial
 * of degree six (Cephes' expf coefficients); relative error below 2e-7. */
#ifndef TRINE_MATH_EXPONENTIAL_H
#define TRINE_MATH_EXPONENTIAL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "math/real.h"

static inline real exponential(real x) {
#ifdef TRINE_F64
    return exp(x);
#else
    float given = x;
    x = x > -87.0f ? x : -87.0f; /* also what is no number: it must not become an integer */
    x = x < 88.0f ? x : 88.0f;
    /* Adding and subtracting 1.5 * 2^23 rounds to the nearest integer. */
    float n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
    float r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    uint32_t bits = (uint32_t)((int32_t)n + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return given == given ? p * scale : given;
#endif
}

static inline real sigmoid(real x) {
    return 1 / (1 + exponential(-x));
}

#endif
