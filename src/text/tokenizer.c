#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "text/pieces.h"

enum {
    MAXIMUM_VOCABULARY = 1 << 20,
    CACHE_ENTRIES = 1 << 15,
    CACHED_BYTES = 24,
    CACHED_TOKENS = 8
};

/* A pair of ids and what they merge to; an open-addressing table. */
struct merge_entry {
    uint64_t pair; /* left << 32 | right; UINT64_MAX: free */
    uint32_t rank, result;
};

struct tokenizer {
    size_t token_count, merge_count;
    char *bytes;
    struct token_bytes *tokens;
    uint8_t *is_special;
    uint32_t *merges; /* [merge_count,2] */
    struct merge_entry *table;
    size_t table_mask;
    uint32_t of_byte[256];
    uint32_t end_of_text;
};

/* Pieces seen before and their tokens. */
struct cached_piece {
    uint8_t length, count;
    char bytes[CACHED_BYTES];
    uint32_t tokens[CACHED_TOKENS];
};

struct tokenizer_cache {
    const struct tokenizer *owner; /* whose tokens the entries hold */
    struct piece_cutter *cutter;
    struct cached_piece *entries;
};

/* Looked up for every pair of every new piece, and the tables are a few thousand entries: one
 * multiplication mixes well enough. */
static uint64_t mix(uint64_t value) {
    value *= 0x9e3779b97f4a7c15u;
    return value ^ value >> 32;
}

static uint64_t hash_bytes(const char *data, size_t length) {
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

static const struct merge_entry *find_merge(const struct tokenizer *t, uint32_t left,
                                            uint32_t right) {
    uint64_t pair = (uint64_t)left << 32 | right;
    for (size_t i = mix(pair) & t->table_mask;; i = (i + 1) & t->table_mask) {
        if (t->table[i].pair == pair)
            return &t->table[i];
        if (t->table[i].pair == UINT64_MAX)
            return NULL;
    }
}

/* Bytes to id, only while the tokenizer is being made. */
struct name_table {
    const struct tokenizer *tokenizer;
    uint32_t *slots; /* id + 1; 0: free */
    size_t mask;
};

static uint32_t *name_slot(const struct name_table *names, const char *data, size_t length) {
    for (size_t i = hash_bytes(data, length) & names->mask;; i = (i + 1) & names->mask) {
        if (names->slots[i] == 0)
            return &names->slots[i];
        struct token_bytes token = names->tokenizer->tokens[names->slots[i] - 1];
        if (token.length == length && memcmp(token.data, data, length) == 0)
            return &names->slots[i];
    }
}

static int copy_tokens(struct tokenizer *t, const struct token_bytes *tokens,
                       const uint8_t *is_special, struct error *error) {
    size_t total = 0;
    for (size_t i = 0; i < t->token_count; i++)
        total += tokens[i].length;
    t->bytes = memory_allocate(total, 1, error);
    t->tokens = memory_allocate(t->token_count, sizeof *t->tokens, error);
    t->is_special = memory_allocate(t->token_count, 1, error);
    if (t->bytes == NULL || t->tokens == NULL || t->is_special == NULL)
        return -1;
    memcpy(t->is_special, is_special, t->token_count);
    char *at = t->bytes;
    for (size_t i = 0; i < t->token_count; i++) {
        memcpy(at, tokens[i].data, tokens[i].length);
        t->tokens[i] = (struct token_bytes){at, tokens[i].length};
        at += tokens[i].length;
    }
    return 0;
}

static int index_names(struct tokenizer *t, struct name_table *names, struct error *error) {
    for (size_t i = 0; i < t->token_count; i++) {
        struct token_bytes token = t->tokens[i];
        if (t->is_special[i]) {
            if (token.length == 13 && memcmp(token.data, "<|endoftext|>", 13) == 0)
                t->end_of_text = (uint32_t)i;
            continue;
        }
        uint32_t *slot = name_slot(names, token.data, token.length);
        if (*slot != 0 || token.length == 0)
            return error_set(error, "token %zu of the vocabulary is %s", i,
                             token.length == 0 ? "empty" : "there twice");
        *slot = (uint32_t)i + 1;
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        char data = (char)byte;
        uint32_t id = *name_slot(names, &data, 1);
        if (id == 0)
            return error_set(error, "the vocabulary has no token for byte 0x%02x", byte);
        t->of_byte[byte] = id - 1;
    }
    return 0;
}

static int index_merges(struct tokenizer *t, const struct name_table *names, struct error *error) {
    for (size_t rank = 0; rank < t->merge_count; rank++) {
        uint32_t left = t->merges[2 * rank], right = t->merges[2 * rank + 1];
        char joined[2 * PIECE_LIMIT];
        if (left >= t->token_count || right >= t->token_count ||
            t->tokens[left].length + t->tokens[right].length > sizeof joined)
            return error_set(error, "merge %zu of the vocabulary names no tokens", rank);
        size_t length = t->tokens[left].length + t->tokens[right].length;
        memcpy(joined, t->tokens[left].data, t->tokens[left].length);
        memcpy(joined + t->tokens[left].length, t->tokens[right].data, t->tokens[right].length);
        uint32_t result = *name_slot(names, joined, length);
        if (result == 0 || find_merge(t, left, right) != NULL)
            return error_set(error, "merge %zu of the vocabulary %s", rank,
                             result == 0 ? "gives no token of it" : "is there twice");
        uint64_t pair = (uint64_t)left << 32 | right;
        size_t i = mix(pair) & t->table_mask;
        while (t->table[i].pair != UINT64_MAX)
            i = (i + 1) & t->table_mask;
        t->table[i] = (struct merge_entry){pair, (uint32_t)rank, result - 1};
    }
    return 0;
}

static size_t table_size(size_t count) {
    size_t size = 64;
    while (size < 2 * count + 2)
        size *= 2;
    return size;
}

int tokenizer_create(struct tokenizer **out, const struct token_bytes *tokens,
                     const uint8_t *is_special, size_t token_count, const uint32_t *merges,
                     size_t merge_count, struct error *error) {
    *out = NULL;
    if (token_count < 256 || token_count > MAXIMUM_VOCABULARY || merge_count > token_count)
        return error_set(error, "a vocabulary of %zu tokens and %zu merges makes no tokenizer",
                         token_count, merge_count);
    struct tokenizer *t = memory_allocate(1, sizeof *t, error);
    struct name_table names = {.tokenizer = t, .mask = table_size(token_count) - 1};
    if (t == NULL)
        return -1;
    t->token_count = token_count;
    t->merge_count = merge_count;
    t->end_of_text = UINT32_MAX;
    t->table_mask = table_size(merge_count) - 1;
    t->merges = memory_allocate(2 * merge_count, sizeof *t->merges, error);
    t->table = memory_allocate(t->table_mask + 1, sizeof *t->table, error);
    names.slots = memory_allocate(names.mask + 1, sizeof *names.slots, error);
    int result = t->merges == NULL || t->table == NULL || names.slots == NULL ||
                 copy_tokens(t, tokens, is_special, error) || index_names(t, &names, error);
    if (result == 0) {
        if (merge_count > 0)
            memcpy(t->merges, merges, 2 * merge_count * sizeof *merges);
        for (size_t i = 0; i <= t->table_mask; i++)
            t->table[i].pair = UINT64_MAX;
        result = index_merges(t, &names, error);
    }
    memory_free(names.slots);
    if (result != 0) {
        tokenizer_destroy(t);
        return -1;
    }
    *out = t;
    return 0;
}

void tokenizer_destroy(struct tokenizer *t) {
    if (t == NULL)
        return;
    memory_free(t->bytes);
    memory_free(t->tokens);
    memory_free(t->is_special);
    memory_free(t->merges);
    memory_free(t->table);
    memory_free(t);
}

size_t tokenizer_vocabulary_size(const struct tokenizer *t) {
    return t->token_count;
}

struct token_bytes tokenizer_token(const struct tokenizer *t, uint32_t id) {
    return id < t->token_count ? t->tokens[id] : (struct token_bytes){"", 0};
}

int tokenizer_is_special(const struct tokenizer *t, uint32_t id) {
    return id < t->token_count && t->is_special[id];
}

size_t tokenizer_merge_count(const struct tokenizer *t) {
    return t->merge_count;
}

const uint32_t *tokenizer_merge(const struct tokenizer *t, size_t rank) {
    return t->merges + 2 * rank;
}

uint32_t tokenizer_end_of_text(const struct tokenizer *t) {
    return t->end_of_text;
}

int tokenizer_cache_create(struct tokenizer_cache **out, struct error *error) {
    *out = NULL;
    struct tokenizer_cache *cache = memory_allocate(1, sizeof *cache, error);
    if (cache == NULL)
        return -1;
    cache->entries = memory_allocate(CACHE_ENTRIES, sizeof *cache->entries, error);
    if (cache->entries == NULL || piece_cutter_create(&cache->cutter, error)) {
        tokenizer_cache_destroy(cache);
        return -1;
    }
    *out = cache;
    return 0;
}

void tokenizer_cache_destroy(struct tokenizer_cache *cache) {
    if (cache == NULL)
        return;
    piece_cutter_destroy(cache->cutter);
    memory_free(cache->entries);
    memory_free(cache);
}

/* Merges piece[length] in place; returns how many ids[length] are left. A merge changes what its
 * two neighbours can merge to and nothing else. */
static size_t merge_piece(const struct tokenizer *t, const char *piece, size_t length,
                          uint32_t *ids) {
    const struct merge_entry *merges[PIECE_LIMIT]; /* of ids[i] and ids[i + 1] */
    size_t count = length;
    for (size_t i = 0; i < length; i++)
        ids[i] = t->of_byte[(unsigned char)piece[i]];
    for (size_t i = 0; i + 1 < length; i++)
        merges[i] = find_merge(t, ids[i], ids[i + 1]);
    while (count > 1) {
        const struct merge_entry *best = NULL;
        size_t at = 0;
        for (size_t i = 0; i + 1 < count; i++)
            if (merges[i] != NULL && (best == NULL || merges[i]->rank < best->rank)) {
                best = merges[i];
                at = i;
            }
        if (best == NULL)
            break;
        ids[at] = best->result;
        count--;
        memmove(ids + at + 1, ids + at + 2, (count - at - 1) * sizeof *ids);
        if (at + 1 < count) {
            memmove(merges + at, merges + at + 1, (count - at - 1) * sizeof *merges);
            merges[at] = find_merge(t, ids[at], ids[at + 1]);
        }
        if (at > 0)
            merges[at - 1] = find_merge(t, ids[at - 1], ids[at]);
    }
    return count;
}

static int append(struct token_list *list, const uint32_t *ids, size_t count, struct error *error) {
    if (memory_grow(&list->ids, &list->capacity, list->count + count, sizeof *ids, error))
        return -1;
    memcpy(list->ids + list->count, ids, count * sizeof *ids);
    list->count += count;
    return 0;
}

int tokenizer_encode(const struct tokenizer *t, struct tokenizer_cache *cache, const char *text,
                     size_t bytes, struct token_list *list, struct error *error) {
    if (cache->owner != t) {
        memset(cache->entries, 0, CACHE_ENTRIES * sizeof *cache->entries);
        cache->owner = t;
    }
    for (size_t at = 0; at < bytes;) {
        size_t length = piece_length(cache->cutter, text, bytes, at);
        const char *piece = text + at;
        at += length;
        struct cached_piece *entry =
            length <= CACHED_BYTES ? &cache->entries[hash_bytes(piece, length) % CACHE_ENTRIES]
                                   : NULL;
        if (entry != NULL && entry->length == length && memcmp(entry->bytes, piece, length) == 0) {
            if (append(list, entry->tokens, entry->count, error))
                return -1;
            continue;
        }
        uint32_t ids[PIECE_LIMIT];
        size_t count = merge_piece(t, piece, length, ids);
        if (entry != NULL && count <= CACHED_TOKENS) {
            entry->length = (uint8_t)length;
            entry->count = (uint8_t)count;
            memcpy(entry->bytes, piece, length);
            memcpy(entry->tokens, ids, count * sizeof *ids);
        }
        if (append(list, ids, count, error))
            return -1;
    }
    return 0;
}

/* Bytes that GPT-2 prints as themselves; the others are numbered upwards from 256. */
static int is_printed_as_itself(unsigned byte) {
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

size_t tokenizer_printable(char *out, const char *data, size_t length) {
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned byte = (unsigned char)data[i], code = byte;
        if (!is_printed_as_itself(byte)) {
            code = 256;
            for (unsigned other = 0; other < byte; other++)
                code += !is_printed_as_itself(other);
        }
        if (code < 128) {
            out[written++] = (char)code;
        } else {
            out[written++] = (char)(0xc0 | code >> 6);
            out[written++] = (char)(0x80 | (code & 63));
        }
    }
    out[written] = '\0';
    return written;
}

long tokenizer_from_printable(char *out, const char *text, size_t length) {
    long written = 0;
    for (size_t i = 0; i < length;) {
        unsigned code = (unsigned char)text[i++];
        if (code >= 128) {
            if ((code & 0xe0) != 0xc0 || i == length || ((unsigned char)text[i] & 0xc0) != 0x80)
                return -1;
            code = (code & 31) << 6 | ((unsigned char)text[i++] & 63);
        }
        unsigned byte = 0;
        if (code < 256) {
            if (!is_printed_as_itself(code))
                return -1;
            byte = code;
        } else {
            unsigned left = code - 256;
            for (byte = 0; byte < 256; byte++)
                if (!is_printed_as_itself(byte) && left-- == 0)
                    break;
            if (byte == 256)
                return -1;
        }
        out[written++] = (char)byte;
    }
    return written;
}
