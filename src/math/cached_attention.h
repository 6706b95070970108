/* Attention of new tokens over a key-value cache: of one token when decoding, of hundreds when a
 * prompt is read. The scores of a head never leave a tile of 64 x 64 (Dao 2022). */
#ifndef TRINE_MATH_CACHED_ATTENTION_H
#define TRINE_MATH_CACHED_ATTENTION_H

#include "math/real.h"

/* One head: `time` new tokens at positions first .. first+time-1, whose keys and values are in the
 * cache already. Query t starts at queries + t * query_stride, its result at out + t * out_stride.
 * Position p's key starts at element p * cache_stride of `keys`; the cache holds halves, or reals
 * when cache_is_real. */
struct cached_head {
    const real *queries;
    real *out;
    const void *keys, *values;
    size_t query_stride, out_stride, cache_stride;
    size_t head_width; /* E, at most 1024 */
    size_t first, time;
    int cache_is_real;
    int is_tiled; /* by tiles, however few tokens: the same bits as among many */
};

/* Elements (real) of scratch. */
size_t cached_attention_scratch_size(size_t head_width, size_t context);

void cached_attention(const struct cached_head *head, real *scratch);

#endif
