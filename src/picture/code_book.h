/* The patches that a vocabulary has, learnt from pictures, and which of them is nearest to a patch.
 *
 * Learning is k-means over the distinct patches, weighted by how often each occurred (Lloyd 1982;
 * started by k-means++, Arthur and Vassilvitskii 2007), in whole numbers: the same pictures in the
 * same order give the same book on any machine with any number of threads. */
#ifndef TRINE_PICTURE_CODE_BOOK_H
#define TRINE_PICTURE_CODE_BOOK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { CODE_BOOK_LEAST = 2, CODE_BOOK_MOST = 4096 };

/* Read-only once made; may be shared by threads. */
struct code_book {
    uint64_t *patches; /* [count] */
    size_t count;
    int16_t *levels; /* [PATCH_PIXELS,count]: one pixel of all patches after the other */
};

/* Copies patches[count], 1 to CODE_BOOK_MOST. */
int code_book_create(struct code_book *out, const uint64_t *patches, size_t count,
                     struct error *error);
void code_book_free(struct code_book *book);

/* Which patch differs least, by the sum of squares; the first of those that differ alike. */
size_t code_book_nearest(const struct code_book *book, uint64_t patch);

/* Patches seen and how often. A million distinct ones are kept; when there are more, the rarest are
 * forgotten, as text/tokenizer_train.h forgets rare pieces. Starts as zeros. */
struct patch_counts {
    uint64_t (*entries)[2]; /* patch, count; a count of 0: free; an open-addressing table */
    size_t size, count;
    uint64_t forgotten; /* patches seen no more often were forgotten */
};

int patch_counts_add(struct patch_counts *counts, uint64_t patch, struct error *error);
void patch_counts_free(struct patch_counts *counts);

/* A book of at most `count` patches, in ascending order, no two alike; white is one of them. When
 * no more than that were seen they are the book. */
int code_book_learn(struct code_book *out, const struct patch_counts *counts, size_t count,
                    struct error *error);

#endif
