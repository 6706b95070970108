/* What a tokenizer holds; shared by its making and its encoding. */
#ifndef TRINE_TEXT_TOKENIZER_PRIVATE_H
#define TRINE_TEXT_TOKENIZER_PRIVATE_H

#include <string.h>

#include "text/tokenizer.h"

/* Stands for a byte that the vocabulary lacks, which merges with nothing. Not the largest number:
 * that marks what a merge took away. */
#define NO_TOKEN (UINT32_MAX - 1)

/* A pair of ids and what they merge to; its rank is its place among all of them. */
struct merge {
    uint32_t pair[2], result;
};

struct tokenizer {
    size_t token_count, merge_count;
    char *bytes;
    uint32_t *starts;     /* [token_count + 1] of the tokens among the bytes */
    uint8_t *kinds;       /* enum token_kind */
    struct merge *merges; /* [merge_count] */
    uint32_t *table;      /* pair to rank + 1; 0: free; an open-addressing table */
    size_t table_mask;
    uint32_t *names; /* bytes to id + 1; 0: free; another, of text tokens */
    size_t name_mask;
    uint32_t of_byte[256];
    uint32_t *marks; /* [mark_count] ids of special and added tokens, longest first */
    size_t mark_count;
    uint8_t begins_mark[256]; /* the largest kind of mark that begins with the byte; 0: none */
    uint32_t begin, end;
    enum piece_pattern pattern;
    int takes_whole_pieces;
};

/* Looked up for every pair of every new piece, and the tables are a few thousand entries: one
 * multiplication mixes well enough. */
static inline uint64_t mix(uint64_t value) {
    value *= 0x9e3779b97f4a7c15u;
    return value ^ value >> 32;
}

static inline uint64_t hash_bytes(const char *data, size_t length) {
    uint64_t hash = length;
    for (; length >= 8; data += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        hash = mix(hash + word + 0x9e3779b97f4a7c15u);
    }
    uint64_t word = 0;
    memcpy(&word, data, length);
    return mix(hash + word + 0x9e3779b97f4a7c15u);
}

static inline struct token_bytes token_of(const struct tokenizer *t, size_t id) {
    return (struct token_bytes){t->bytes + t->starts[id], t->starts[id + 1] - t->starts[id]};
}

/* Where the rank of the pair stands or would stand. */
static inline uint32_t *merge_slot(const struct tokenizer *t, uint32_t left, uint32_t right) {
    uint64_t pair = (uint64_t)left << 32 | right;
    for (size_t i = mix(pair) & t->table_mask;; i = (i + 1) & t->table_mask) {
        if (t->table[i] == 0)
            return &t->table[i];
        const uint32_t *other = t->merges[t->table[i] - 1].pair;
        if (other[0] == left && other[1] == right)
            return &t->table[i];
    }
}

/* NULL when the two do not merge. */
static inline const struct merge *find_merge(const struct tokenizer *t, uint32_t left,
                                             uint32_t right) {
    uint32_t rank = *merge_slot(t, left, right);
    return rank != 0 ? &t->merges[rank - 1] : NULL;
}

static inline uint32_t *name_slot(const struct tokenizer *t, const char *data, size_t length) {
    for (size_t i = hash_bytes(data, length) & t->name_mask;; i = (i + 1) & t->name_mask) {
        if (t->names[i] == 0)
            return &t->names[i];
        struct token_bytes token = token_of(t, t->names[i] - 1);
        if (token.length == length && memcmp(token.data, data, length) == 0)
            return &t->names[i];
    }
}

#endif
