/* The set of texts seen in a corpus, by their hashes, and on which side of the split: some 40 bytes
 * for each text, and half of that again while it grows. */
#ifndef TRINE_TEXT_KNOWN_TEXTS_H
#define TRINE_TEXT_KNOWN_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { SEEN_IN_TRAINING = 1, SEEN_HELD_OUT = 2 };

struct known_texts {
    uint64_t (*entries)[2]; /* the low two bits of the second word say where it was seen */
    size_t count, size;
};

/* Where the text was seen: 0 for never. */
unsigned known_texts_find(const struct known_texts *texts, const uint64_t hash[2]);
int known_texts_add(struct known_texts *texts, const uint64_t hash[2], unsigned seen,
                    struct error *error);
void known_texts_free(struct known_texts *texts);

#endif
