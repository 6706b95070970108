#include "math/half.h"

#include "math/quant.h"

static void plain_store(uint16_t *out, const real *in, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = float_to_half((float)in[i]);
}

static void plain_load(real *out, const uint16_t *in, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = (real)half_to_float(in[i]);
}

static real plain_dot(const real *a, const uint16_t *b, size_t n) {
    real sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * (real)half_to_float(b[i]);
    return sum;
}

static void plain_add(real *out, real weight, const uint16_t *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] += weight * (real)half_to_float(b[i]);
}

#if defined(__x86_64__) && !defined(TRINE_F64)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512vl,f16c,fma")))
#define HAS_FAST (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
enum { LANES = 16 };

TARGET static void fast_store(uint16_t *out, const real *in, size_t n) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        _mm256_storeu_si256((__m256i_u *)(out + i),
                            _mm512_cvtps_ph(_mm512_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT));
    plain_store(out + i, in + i, n - i);
}

TARGET static inline __m512 sixteen(const uint16_t *at) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i_u *)at));
}

TARGET static void fast_load(real *out, const uint16_t *in, size_t n) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        _mm512_storeu_ps(out + i, sixteen(in + i));
    plain_load(out + i, in + i, n - i);
}

TARGET static real fast_dot(const real *a, const uint16_t *b, size_t n) {
    __m512 even = _mm512_setzero_ps(), odd = even;
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        even = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), sixteen(b + i), even);
        odd = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + LANES), sixteen(b + i + LANES), odd);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(even, odd)) + plain_dot(a + i, b + i, n - i);
}

TARGET static void fast_add(real *out, real weight, const uint16_t *b, size_t n) {
    __m512 factor = _mm512_set1_ps(weight);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        _mm512_storeu_ps(out + i,
                         _mm512_fmadd_ps(factor, sixteen(b + i), _mm512_loadu_ps(out + i)));
    plain_add(out + i, weight, b + i, n - i);
}
#else
#define HAS_FAST 0
#define fast_store plain_store
#define fast_load plain_load
#define fast_dot plain_dot
#define fast_add plain_add
#endif

void half_store(uint16_t *out, const real *in, size_t n) {
    if (HAS_FAST)
        fast_store(out, in, n);
    else
        plain_store(out, in, n);
}

void half_load(real *out, const uint16_t *in, size_t n) {
    if (HAS_FAST)
        fast_load(out, in, n);
    else
        plain_load(out, in, n);
}

real half_dot(const real *a, const uint16_t *b, size_t n) {
    return HAS_FAST ? fast_dot(a, b, n) : plain_dot(a, b, n);
}

void half_add(real *out, real weight, const uint16_t *b, size_t n) {
    if (HAS_FAST)
        fast_add(out, weight, b, n);
    else
        plain_add(out, weight, b, n);
}
