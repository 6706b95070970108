#include "text/known_texts.h"

#include <string.h>

#include "base/memory.h"

enum { FIRST_SIZE = 1 << 10 };

static const uint64_t SEEN_MASK = SEEN_IN_TRAINING | SEEN_HELD_OUT;

static uint64_t *find_entry(const struct known_texts *texts, const uint64_t hash[2]) {
    for (size_t i = hash[0] % texts->size;; i = (i + 1) % texts->size) {
        uint64_t *entry = texts->entries[i];
        int is_free = (entry[1] & SEEN_MASK) == 0;
        if (is_free || (entry[0] == hash[0] && ((entry[1] ^ hash[1]) & ~SEEN_MASK) == 0))
            return entry;
    }
}

unsigned known_texts_find(const struct known_texts *texts, const uint64_t hash[2]) {
    return texts->size == 0 ? 0 : (unsigned)(find_entry(texts, hash)[1] & SEEN_MASK);
}

static int grow(struct known_texts *texts, struct error *error) {
    struct known_texts bigger = {.size = texts->size > 0 ? 2 * texts->size : FIRST_SIZE,
                                 .count = texts->count};
    bigger.entries = memory_allocate(bigger.size, sizeof *bigger.entries, error);
    if (bigger.entries == NULL)
        return -1;
    for (size_t i = 0; i < texts->size; i++)
        if ((texts->entries[i][1] & SEEN_MASK) != 0)
            memcpy(find_entry(&bigger, texts->entries[i]), texts->entries[i],
                   sizeof *bigger.entries);
    known_texts_free(texts);
    *texts = bigger;
    return 0;
}

int known_texts_add(struct known_texts *texts, const uint64_t hash[2], unsigned seen,
                    struct error *error) {
    if (4 * (texts->count + 1) > 3 * texts->size && grow(texts, error))
        return -1;
    uint64_t *entry = find_entry(texts, hash);
    if ((entry[1] & SEEN_MASK) == 0) {
        entry[0] = hash[0];
        entry[1] = hash[1] & ~SEEN_MASK;
        texts->count++;
    }
    entry[1] |= seen & SEEN_MASK;
    return 0;
}

void known_texts_free(struct known_texts *texts) {
    memory_free(texts->entries);
    *texts = (struct known_texts){0};
}
