#include "math/cached_attention.h"

#include <math.h>
#include <string.h>

#include "math/exponential.h"
#include "math/half.h"

enum { TILE = 64, LANES = 16, FEW = 4 };

typedef real lanes __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real))));

static size_t padded(size_t width) {
    return (width + LANES - 1) / LANES * LANES;
}

size_t cached_attention_scratch_size(size_t head_width, size_t context) {
    size_t tiles = padded(head_width) * TILE * 3 + TILE * TILE + 2 * TILE;
    return tiles > context + head_width ? tiles : context + head_width;
}

static void load_row(real *out, const void *cache, size_t offset, const struct cached_head *h) {
    if (h->cache_is_real)
        memcpy(out, (const real *)cache + offset, h->head_width * sizeof *out);
    else
        half_load(out, (const uint16_t *)cache + offset, h->head_width);
}

VECTOR_CLONES static real dot_real(const real *a, const real *b, size_t n) {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

VECTOR_CLONES static void add_real(real *restrict out, real weight, const real *restrict b,
                                   size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] += weight * b[i];
}

/* Turns scores[n] into exp(score - largest); returns their sum. */
VECTOR_CLONES static real exponentials(real *scores, size_t n) {
    real maximum = -INFINITY, sum = 0;
#pragma omp simd reduction(max : maximum)
    for (size_t i = 0; i < n; i++)
        maximum = scores[i] > maximum ? scores[i] : maximum;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        scores[i] = exponential(scores[i] - maximum);
        sum += scores[i];
    }
    return sum;
}

static void real_dots(real *out, const real *a, const real *rows, size_t stride, size_t count,
                      size_t n) {
    for (size_t r = 0; r < count; r++)
        out[r] = dot_real(a, rows + r * stride, n);
}

static void real_mix(real *out, const real *weights, const real *rows, size_t stride, size_t count,
                     size_t n) {
    memset(out, 0, n * sizeof *out);
    for (size_t r = 0; r < count; r++)
        add_real(out, weights[r], rows + r * stride, n);
}

/* One token: rows of the cache as they lie. */
static void attend_one(const struct cached_head *h, size_t t, real *scores) {
    const real *query = h->queries + t * h->query_stride;
    real *out = h->out + t * h->out_stride, scale = (real)(1 / sqrt((double)h->head_width));
    size_t count = h->first + t + 1, stride = h->cache_stride, width = h->head_width;
    if (h->cache_is_real)
        real_dots(scores, query, h->keys, stride, count, width);
    else
        half_dots(scores, query, h->keys, stride, count, width);
    for (size_t p = 0; p < count; p++)
        scores[p] *= scale;
    real inverse = 1 / exponentials(scores, count);
    for (size_t p = 0; p < count; p++)
        scores[p] *= inverse;
    if (h->cache_is_real)
        real_mix(out, scores, h->values, stride, count, width);
    else
        half_mix(out, scores, h->values, stride, count, width);
}

/* out[64] += query[E] . keys[E,64], for two queries at once. */
VECTOR_CLONES static void score_rows(real *restrict out, const real *first, const real *second,
                                     const real *restrict keys, size_t width) {
    lanes a[4] = {0}, b[4] = {0};
    for (size_t e = 0; e < width; e++) {
        const lanes *row = (const lanes *)(const void *)(keys + e * TILE);
        for (int i = 0; i < 4; i++) {
            a[i] += first[e] * row[i];
            b[i] += second[e] * row[i];
        }
    }
    memcpy(out, a, sizeof a);
    memcpy(out + TILE, b, sizeof b);
}

/* sums[2,padded] += weights[2,64] values[64,padded]. */
VECTOR_CLONES static void add_values(real *restrict sums, const real *restrict weights,
                                     const real *restrict values, size_t count, size_t width) {
    for (size_t e = 0; e < width; e += LANES) {
        lanes a, b;
        memcpy(&a, sums + e, sizeof a);
        memcpy(&b, sums + width + e, sizeof b);
        for (size_t j = 0; j < count; j++) {
            const lanes *row = (const lanes *)(const void *)(values + j * width + e);
            a += weights[j] * *row;
            b += weights[TILE + j] * *row;
        }
        memcpy(sums + e, &a, sizeof a);
        memcpy(sums + width + e, &b, sizeof b);
    }
}

/* A block of at most TILE queries, and what has been summed up for each over earlier tiles. */
struct block {
    real *keys;    /* [E,64] the tile's keys, transposed */
    real *values;  /* [64,padded] */
    real *scores;  /* [64,64] */
    real *sums;    /* [64,padded] */
    real *largest; /* [64] */
    real *total;   /* [64] */
};

static void load_tile(const struct cached_head *h, struct block *b, size_t start, size_t count) {
    size_t width = padded(h->head_width);
    for (size_t j = 0; j < TILE; j++) {
        real *row = b->values + j * width;
        if (j < count)
            load_row(row, h->keys, (start + j) * h->cache_stride, h);
        for (size_t e = 0; e < h->head_width; e++)
            b->keys[e * TILE + j] = j < count ? row[e] : 0;
    }
    for (size_t j = 0; j < count; j++) {
        real *row = b->values + j * width;
        load_row(row, h->values, (start + j) * h->cache_stride, h);
        memset(row + h->head_width, 0, (width - h->head_width) * sizeof *row);
    }
}

/* Scores of row i over the first `count` keys of a tile become weights; earlier sums shrink to the
 * new largest score. */
VECTOR_CLONES static void weigh_row(struct block *b, size_t i, size_t count, real scale,
                                    size_t width) {
    real *scores = b->scores + i * TILE, *sums = b->sums + i * width;
    real maximum = b->largest[i], total = 0;
    for (size_t j = 0; j < count; j++)
        maximum = scale * scores[j] > maximum ? scale * scores[j] : maximum;
    real shrink = b->total[i] > 0 ? exponential(b->largest[i] - maximum) : 0;
    for (size_t j = 0; j < count; j++) {
        scores[j] = exponential(scale * scores[j] - maximum);
        total += scores[j];
    }
    for (size_t j = count; j < TILE; j++)
        scores[j] = 0;
    for (size_t e = 0; e < width; e++)
        sums[e] *= shrink;
    b->largest[i] = maximum;
    b->total[i] = b->total[i] * shrink + total;
}

static void attend_tile(const struct cached_head *h, struct block *b, size_t from, size_t rows,
                        size_t start) {
    size_t width = padded(h->head_width), last = h->first + from + rows; /* keys seen by the last */
    size_t count = last - start < TILE ? last - start : TILE;
    real scale = (real)(1 / sqrt((double)h->head_width));
    load_tile(h, b, start, count);
    for (size_t i = 0; i < rows; i += 2) {
        size_t next = i + 1 < rows ? i + 1 : i;
        score_rows(b->scores + i * TILE, h->queries + (from + i) * h->query_stride,
                   h->queries + (from + next) * h->query_stride, b->keys, h->head_width);
        for (size_t k = i; k < i + 2; k++) {
            size_t position = h->first + from + k,
                   seen = position + 1 > start ? position + 1 - start : 0;
            weigh_row(b, k, seen < count ? seen : count, scale, width);
        }
        add_values(b->sums + i * width, b->scores + i * TILE, b->values, count, width);
    }
}

static void attend_block(const struct cached_head *h, struct block *b, size_t from, size_t rows) {
    size_t width = padded(h->head_width);
    memset(b->sums, 0, TILE * width * sizeof *b->sums);
    for (size_t i = 0; i < TILE; i++) {
        b->largest[i] = -INFINITY;
        b->total[i] = 0;
    }
    for (size_t start = 0; start < h->first + from + rows; start += TILE)
        attend_tile(h, b, from, rows, start);
    for (size_t i = 0; i < rows; i++) {
        real *out = h->out + (from + i) * h->out_stride, inverse = 1 / b->total[i];
        for (size_t e = 0; e < h->head_width; e++)
            out[e] = b->sums[i * width + e] * inverse;
    }
}

void cached_attention(const struct cached_head *h, real *scratch) {
    if (h->time < FEW && !h->is_tiled) {
        for (size_t t = 0; t < h->time; t++)
            attend_one(h, t, scratch);
        return;
    }
    size_t width = padded(h->head_width);
    struct block b = {.keys = scratch,
                      .values = scratch + width * TILE,
                      .sums = scratch + 2 * width * TILE,
                      .scores = scratch + 3 * width * TILE,
                      .largest = scratch + 3 * width * TILE + TILE * TILE,
                      .total = scratch + 3 * width * TILE + TILE * TILE + TILE};
    for (size_t from = 0; from < h->time; from += TILE)
        attend_block(h, &b, from, h->time - from < TILE ? h->time - from : TILE);
}
