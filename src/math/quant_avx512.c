/* Kernels for AVX-512 with VNNI, the product of unsigned with signed bytes.
 *
 * A register holds two blocks of 32 weights, which are multiplied as unsigned bytes with the
 * signed bytes of the activations. What unsigned weights add too much (8 or 128 times the sum of
 * the activations) is where the sums start. */
#include "math/quant_kernels.h"

#if defined(__x86_64__) && !defined(TRINE_F64)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,f16c,fma")))
#define INLINE static inline __attribute__((always_inline)) TARGET

enum block_kind { KIND_Q4_0, KIND_Q4_1, KIND_Q8_0 };

/* Where things are: two blocks of `bytes` each, the quants from `quants` on. */
struct shape {
    int bytes, quants;
};
static const struct shape SHAPES[] = {{18, 2}, {20, 4}, {34, 2}};

/* 64 unsigned quants, the scales and the minima of two blocks, or of one and zeros. */
struct pair {
    __m512i quants;
    __m512 scales, minima;
};

/* Two halves as floats, each 8 times. */
INLINE __m512 load_halves(const uint8_t *first, const uint8_t *second, int is_pair) {
    uint16_t a, b = 0;
    memcpy(&a, first, sizeof a);
    if (is_pair)
        memcpy(&b, second, sizeof b);
    return _mm512_cvtph_ps(_mm256_set_m128i(_mm_set1_epi16((short)b), _mm_set1_epi16((short)a)));
}

INLINE __m256i load_nibbles(const uint8_t *at) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i_u *)at));
}

INLINE struct pair load_pair(const uint8_t *at, enum block_kind kind, int is_pair) {
    const struct shape shape = SHAPES[kind];
    const uint8_t *next = at + shape.bytes;
    struct pair pair;
    __m256i first, second = _mm256_setzero_si256();
    if (kind == KIND_Q8_0) {
        first = _mm256_loadu_si256((const __m256i_u *)(at + shape.quants));
        if (is_pair)
            second = _mm256_loadu_si256((const __m256i_u *)(next + shape.quants));
    } else {
        first = load_nibbles(at + shape.quants);
        if (is_pair)
            second = load_nibbles(next + shape.quants);
    }
    pair.quants = _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
    if (kind == KIND_Q8_0) { /* + 128; where there is no block, the activations are zeros */
        pair.quants = _mm512_xor_si512(pair.quants, _mm512_set1_epi8(-128));
    } else {
        __m512i shifts = _mm512_set_epi64(4, 4, 0, 0, 4, 4, 0, 0);
        pair.quants =
            _mm512_and_si512(_mm512_srlv_epi64(pair.quants, shifts), _mm512_set1_epi8(15));
    }
    pair.scales = load_halves(at, next, is_pair);
    pair.minima = kind == KIND_Q4_1 ? load_halves(at + 2, next + 2, is_pair) : pair.scales;
    return pair;
}

/* Adds what blocks b and b + 1 contribute to each row of activations: five instructions for 64
 * products, whose inputs lie ready in lanes. */
INLINE void add_pair(__m512 *sums, const struct pair *w, const struct activations *x, size_t b,
                     size_t count, enum block_kind kind, int is_pair) {
    size_t blocks = x->columns / ACTIVATION_BLOCK, pairs = (blocks + 1) / 2;
#pragma GCC unroll 8
    for (size_t m = 0; m < count; m++) {
        size_t lanes = (m * pairs + b / 2) * 16;
        const int8_t *quants = x->quants + (m * blocks + b) * ACTIVATION_BLOCK;
        __m512i y = is_pair ? _mm512_loadu_si512(quants)
                            : _mm512_zextsi256_si512(
                                  _mm256_loadu_si256((const __m256i_u *)(const void *)quants));
        __m512i start = _mm512_setzero_si512();
        if (kind != KIND_Q4_1)
            start = _mm512_slli_epi32(_mm512_load_si512(x->lane_offsets + lanes),
                                      kind == KIND_Q8_0 ? 7 : 3);
        __m512 dots = _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(start, w->quants, y));
        __m512 scales = _mm512_mul_ps(w->scales, _mm512_load_ps(x->lane_scales + lanes));
        sums[m] = _mm512_fmadd_ps(scales, dots, sums[m]);
        if (kind == KIND_Q4_1)
            sums[m] = _mm512_fmadd_ps(w->minima, _mm512_load_ps(x->lane_sums + lanes), sums[m]);
    }
}

/* The sums of the lanes of eight registers, each in its own order of additions. */
INLINE __m256 reduce_eight(const __m512 *sums) {
    __m256 half[8], pairs[4];
#pragma GCC unroll 8
    for (int m = 0; m < 8; m++)
        half[m] =
            _mm256_add_ps(_mm512_castps512_ps256(sums[m]), _mm512_extractf32x8_ps(sums[m], 1));
#pragma GCC unroll 4
    for (int m = 0; m < 4; m++)
        pairs[m] = _mm256_hadd_ps(half[2 * m], half[2 * m + 1]);
    __m256 low = _mm256_hadd_ps(pairs[0], pairs[1]), high = _mm256_hadd_ps(pairs[2], pairs[3]);
    __m128 first = _mm_add_ps(_mm256_castps256_ps128(low), _mm256_extractf128_ps(low, 1));
    __m128 last = _mm_add_ps(_mm256_castps256_ps128(high), _mm256_extractf128_ps(high, 1));
    return _mm256_set_m128(last, first);
}

/* out[m * stride] (+)= the sum of sums[m]; the same additions for any number of rows. */
INLINE void store_sums(real *out, size_t stride, int accumulate, const __m512 *sums, size_t count) {
    float totals[PRODUCT_ROWS];
    _mm256_storeu_ps(totals, reduce_eight(sums));
#pragma GCC unroll 8
    for (size_t m = 0; m < count; m++)
        quant_store(&out[m * stride], totals[m], accumulate);
}

INLINE void rows_of_kind(real *out, size_t stride, int accumulate, const uint8_t *weights,
                         size_t row_bytes, size_t rows, const struct activations *x, size_t count,
                         enum block_kind kind) {
    size_t blocks = x->columns / ACTIVATION_BLOCK, bytes = (size_t)SHAPES[kind].bytes;
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *row = weights + r * row_bytes;
        __m512 sums[PRODUCT_ROWS] = {0};
        size_t b = 0;
        for (; b + 1 < blocks; b += 2) {
            quant_prefetch(row + b * bytes);
            struct pair pair = load_pair(row + b * bytes, kind, 1);
            add_pair(sums, &pair, x, b, count, kind, 1);
        }
        if (b < blocks) {
            struct pair pair = load_pair(row + b * bytes, kind, 0);
            add_pair(sums, &pair, x, b, count, kind, 0);
        }
        store_sums(out + r, stride, accumulate, sums, count);
    }
}

/* A copy of the loop for each usual count of rows, so that the sums stay in registers. */
#define KERNEL(name, kind)                                                                         \
    TARGET static void name(real *out, size_t stride, int accumulate, const uint8_t *weights,      \
                            size_t row_bytes, size_t rows, const struct activations *x) {          \
        switch (x->count) {                                                                        \
        case 1:                                                                                    \
            rows_of_kind(out, stride, accumulate, weights, row_bytes, rows, x, 1, kind);           \
            break;                                                                                 \
        case 2:                                                                                    \
            rows_of_kind(out, stride, accumulate, weights, row_bytes, rows, x, 2, kind);           \
            break;                                                                                 \
        case 4:                                                                                    \
            rows_of_kind(out, stride, accumulate, weights, row_bytes, rows, x, 4, kind);           \
            break;                                                                                 \
        case 8:                                                                                    \
            rows_of_kind(out, stride, accumulate, weights, row_bytes, rows, x, 8, kind);           \
            break;                                                                                 \
        default:                                                                                   \
            rows_of_kind(out, stride, accumulate, weights, row_bytes, rows, x, x->count, kind);    \
        }                                                                                          \
    }
KERNEL(avx512_q4_0, KIND_Q4_0)
KERNEL(avx512_q4_1, KIND_Q4_1)
KERNEL(avx512_q8_0, KIND_Q8_0)

const struct quant_kernels *quant_kernels_avx512(void) {
    static const struct quant_kernels kernels = {"avx512-vnni", avx512_q4_0, avx512_q4_1,
                                                 avx512_q8_0};
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq")
               ? &kernels
               : NULL;
}
#else
const struct quant_kernels *quant_kernels_avx512(void) {
    return NULL;
}
#endif
