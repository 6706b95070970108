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

static void plain_dots(real *out, const real *a, const uint16_t *rows, size_t stride, size_t count,
                       size_t n) {
    for (size_t r = 0; r < count; r++) {
        real sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += a[i] * (real)half_to_float(rows[r * stride + i]);
        out[r] = sum;
    }
}

static void plain_mix(real *out, const real *weights, const uint16_t *rows, size_t stride,
                      size_t count, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = 0;
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < n; i++)
            out[i] += weights[r] * (real)half_to_float(rows[r * stride + i]);
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

/* `n` is a multiple of 16 in both. */
TARGET static void fast_dots(real *out, const real *a, const uint16_t *rows, size_t stride,
                             size_t count, size_t n) {
    for (size_t r = 0; r < count; r++) {
        const uint16_t *row = rows + r * stride;
        __m512 sum = _mm512_mul_ps(_mm512_loadu_ps(a), sixteen(row));
        for (size_t i = LANES; i < n; i += LANES)
            sum = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), sixteen(row + i), sum);
        out[r] = _mm512_reduce_add_ps(sum);
    }
}

/* Four registers of results at a time, so that each row costs no store. */
TARGET static void fast_mix(real *out, const real *weights, const uint16_t *rows, size_t stride,
                            size_t count, size_t n) {
    for (size_t start = 0; start < n; start += 4 * LANES) {
        size_t parts = (n - start) / LANES < 4 ? (n - start) / LANES : 4;
        __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                          _mm512_setzero_ps()};
        for (size_t r = 0; r < count; r++) {
            const uint16_t *row = rows + r * stride + start;
            __m512 weight = _mm512_set1_ps(weights[r]);
            if (parts == 4) {
                for (size_t k = 0; k < 4; k++)
                    sums[k] = _mm512_fmadd_ps(weight, sixteen(row + k * LANES), sums[k]);
            } else {
                for (size_t k = 0; k < parts; k++)
                    sums[k] = _mm512_fmadd_ps(weight, sixteen(row + k * LANES), sums[k]);
            }
        }
        for (size_t k = 0; k < parts; k++)
            _mm512_storeu_ps(out + start + k * LANES, sums[k]);
    }
}
#else
#define HAS_FAST 0
#define fast_store plain_store
#define fast_load plain_load
#define fast_dots plain_dots
#define fast_mix plain_mix
enum { LANES = 16 };
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

void half_dots(real *out, const real *a, const uint16_t *rows, size_t stride, size_t count,
               size_t n) {
    if (HAS_FAST && n % LANES == 0 && n > 0)
        fast_dots(out, a, rows, stride, count, n);
    else
        plain_dots(out, a, rows, stride, count, n);
}

void half_mix(real *out, const real *weights, const uint16_t *rows, size_t stride, size_t count,
              size_t n) {
    if (HAS_FAST && n % LANES == 0)
        fast_mix(out, weights, rows, stride, count, n);
    else
        plain_mix(out, weights, rows, stride, count, n);
}
