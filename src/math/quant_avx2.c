/* Kernels for AVX2: one block of 32 weights a register. */
#include "math/quant_kernels.h"

#if defined(__x86_64__) && !defined(TRINE_F64)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define INLINE static inline __attribute__((always_inline)) TARGET

enum block_kind { KIND_Q4_0, KIND_Q4_1, KIND_Q8_0 };

INLINE float load_scale(const uint8_t *at) {
    uint16_t half;
    memcpy(&half, at, sizeof half);
    return _cvtsh_ss(half);
}

/* 32 signed quants. */
INLINE __m256i load_quants(const uint8_t *block, enum block_kind kind) {
    if (kind == KIND_Q8_0)
        return _mm256_loadu_si256((const __m256i_u *)(block + 2));
    __m128i low = _mm_loadu_si128((const __m128i_u *)(block + (kind == KIND_Q4_1 ? 4 : 2)));
    __m256i both = _mm256_set_m128i(_mm_srli_epi16(low, 4), low);
    __m256i nibbles = _mm256_and_si256(both, _mm256_set1_epi8(15));
    return kind == KIND_Q4_1 ? nibbles : _mm256_sub_epi8(nibbles, _mm256_set1_epi8(8));
}

/* Sums of 4 products each, as floats: |w| times x with the sign of w. */
INLINE __m256 dot_quants(__m256i w, __m256i x) {
    __m256i pairs = _mm256_maddubs_epi16(_mm256_sign_epi8(w, w), _mm256_sign_epi8(x, w));
    return _mm256_cvtepi32_ps(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

INLINE float sum_of(__m256 v) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

INLINE void rows_of_kind(real *out, size_t stride, int accumulate, const uint8_t *weights,
                         size_t row_bytes, size_t rows, const struct activations *x,
                         enum block_kind kind, size_t bytes) {
    size_t blocks = x->columns / ACTIVATION_BLOCK;
    for (size_t r = 0; r < rows; r++) {
        __m256 sums[PRODUCT_ROWS];
        float minima[PRODUCT_ROWS];
        for (size_t m = 0; m < x->count; m++) {
            sums[m] = _mm256_setzero_ps();
            minima[m] = 0;
        }
        for (size_t b = 0; b < blocks; b++) {
            const uint8_t *block = weights + r * row_bytes + b * bytes;
            quant_prefetch(block);
            __m256i w = load_quants(block, kind);
            float scale = load_scale(block);
            float minimum = kind == KIND_Q4_1 ? load_scale(block + 2) : 0;
            for (size_t m = 0; m < x->count; m++) {
                size_t at = m * blocks + b;
                __m256i y =
                    _mm256_loadu_si256((const __m256i_u *)(x->quants + at * ACTIVATION_BLOCK));
                sums[m] = _mm256_fmadd_ps(_mm256_set1_ps(scale * x->scales[at]), dot_quants(w, y),
                                          sums[m]);
                if (kind == KIND_Q4_1)
                    minima[m] += minimum * x->sums[at];
            }
        }
        for (size_t m = 0; m < x->count; m++)
            quant_store(&out[m * stride + r], sum_of(sums[m]) + minima[m], accumulate);
    }
}

TARGET static void avx2_q4_0(real *out, size_t stride, int accumulate, const uint8_t *weights,
                             size_t row_bytes, size_t rows, const struct activations *x) {
    rows_of_kind(out, stride, accumulate, weights, row_bytes, rows, x, KIND_Q4_0, 18);
}

TARGET static void avx2_q4_1(real *out, size_t stride, int accumulate, const uint8_t *weights,
                             size_t row_bytes, size_t rows, const struct activations *x) {
    rows_of_kind(out, stride, accumulate, weights, row_bytes, rows, x, KIND_Q4_1, 20);
}

TARGET static void avx2_q8_0(real *out, size_t stride, int accumulate, const uint8_t *weights,
                             size_t row_bytes, size_t rows, const struct activations *x) {
    rows_of_kind(out, stride, accumulate, weights, row_bytes, rows, x, KIND_Q8_0, 34);
}

const struct quant_kernels *quant_kernels_avx2(void) {
    static const struct quant_kernels kernels = {"avx2", avx2_q4_0, avx2_q4_1, avx2_q8_0};
    /* Every processor with AVX2 converts halves (F16C), which clang 14 cannot ask for. */
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kernels : NULL;
}
#else
const struct quant_kernels *quant_kernels_avx2(void) {
    return NULL;
}
#endif
