/* Text to tokens: pieces, merges, and a cache of pieces seen before. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "text/pieces.h"
#include "text/tokenizer_private.h"

enum {
    CACHE_ENTRIES = 1 << 15,
    CACHED_BYTES = 24,
    CACHED_TOKENS = 8,
    SHORT_PIECE = 64 /* longer ones are merged by a heap */
};

/* Pieces seen before and their tokens. */
struct cached_piece {
    uint8_t length, count;
    char bytes[CACHED_BYTES];
    uint32_t tokens[CACHED_TOKENS];
};

struct tokenizer_cache {
    const struct tokenizer *owner; /* whose tokens the entries hold */
    enum piece_pattern pattern;    /* of the cutter */
    struct piece_cutter *cutter;
    struct cached_piece *entries;
    struct long_piece *long_piece;
};

static int append(struct token_list *list, const uint32_t *ids, size_t count, struct error *error) {
    if (memory_grow(&list->ids, &list->capacity, list->count + count, sizeof *ids, error))
        return -1;
    for (size_t i = 0; i < count; i++)
        if (ids[i] != NO_TOKEN)
            list->ids[list->count++] = ids[i];
    return 0;
}

/* Merging a long piece: its tokens in a linked list, the possible merges in a heap by rank and then
 * place, so that the cost is n log n. Entries that other merges overtook are dropped when met. */
struct candidate {
    uint32_t rank, at, left, right; /* of token `at` and the one after it, as they were */
};

struct long_piece {
    uint32_t *ids, *next, *previous;
    size_t id_capacity, next_capacity, previous_capacity;
    struct candidate *heap;
    size_t heap_count, heap_capacity;
};

static int long_piece_create(struct long_piece **out, struct error *error) {
    *out = memory_allocate(1, sizeof **out, error);
    return *out != NULL ? 0 : -1;
}

static void long_piece_destroy(struct long_piece *p) {
    if (p == NULL)
        return;
    free(p->ids);
    free(p->next);
    free(p->previous);
    free(p->heap);
    memory_free(p);
}

static int is_before(const struct candidate *a, const struct candidate *b) {
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static int push_candidate(struct long_piece *p, const struct tokenizer *t, uint32_t at,
                          struct error *error) {
    if (at == UINT32_MAX || p->next[at] == UINT32_MAX)
        return 0;
    uint32_t left = p->ids[at], right = p->ids[p->next[at]];
    const struct merge *merge = find_merge(t, left, right);
    if (merge == NULL)
        return 0;
    if (memory_grow(&p->heap, &p->heap_capacity, p->heap_count + 1, sizeof *p->heap, error))
        return -1;
    struct candidate candidate = {(uint32_t)(merge - t->merges), at, left, right};
    size_t i = p->heap_count++;
    for (; i > 0 && is_before(&candidate, &p->heap[(i - 1) / 2]); i = (i - 1) / 2)
        p->heap[i] = p->heap[(i - 1) / 2];
    p->heap[i] = candidate;
    return 0;
}

static struct candidate pop_candidate(struct long_piece *p) {
    struct candidate first = p->heap[0], last = p->heap[--p->heap_count];
    size_t i = 0;
    for (size_t child = 1; child < p->heap_count; child = 2 * i + 1) {
        child += child + 1 < p->heap_count && is_before(&p->heap[child + 1], &p->heap[child]);
        if (!is_before(&p->heap[child], &last))
            break;
        p->heap[i] = p->heap[child];
        i = child;
    }
    p->heap[i] = last;
    return first;
}

static int long_piece_start(struct long_piece *p, const struct tokenizer *t, const char *piece,
                            size_t length, struct error *error) {
    if (length >= UINT32_MAX)
        return error_set(error, "a run of %zu bytes without a break is too long", length);
    if (memory_grow(&p->ids, &p->id_capacity, length, sizeof *p->ids, error) ||
        memory_grow(&p->next, &p->next_capacity, length, sizeof *p->next, error) ||
        memory_grow(&p->previous, &p->previous_capacity, length, sizeof *p->previous, error))
        return -1;
    for (uint32_t i = 0; i < length; i++) {
        p->ids[i] = t->of_byte[(unsigned char)piece[i]];
        p->next[i] = i + 1 < length ? i + 1 : UINT32_MAX;
        p->previous[i] = i > 0 ? i - 1 : UINT32_MAX;
    }
    p->heap_count = 0;
    for (uint32_t i = 0; i < length; i++)
        if (push_candidate(p, t, i, error))
            return -1;
    return 0;
}

static int merge_long_piece(const struct tokenizer *t, struct long_piece *p, const char *piece,
                            size_t length, struct token_list *list, struct error *error) {
    if (long_piece_start(p, t, piece, length, error))
        return -1;
    while (p->heap_count > 0) {
        struct candidate merge = pop_candidate(p);
        uint32_t at = merge.at, gone = p->next[at];
        /* A token that was merged into its left neighbour has id UINT32_MAX. */
        if (gone == UINT32_MAX || p->ids[at] != merge.left || p->ids[gone] != merge.right)
            continue;
        p->ids[at] = find_merge(t, merge.left, merge.right)->result;
        p->next[at] = p->next[gone];
        if (p->next[at] != UINT32_MAX)
            p->previous[p->next[at]] = at;
        p->ids[gone] = UINT32_MAX;
        if (push_candidate(p, t, at, error) || push_candidate(p, t, p->previous[at], error))
            return -1;
    }
    for (uint32_t at = 0; at != UINT32_MAX; at = p->next[at])
        if (append(list, &p->ids[at], 1, error))
            return -1;
    return 0;
}

int tokenizer_cache_create(struct tokenizer_cache **out, struct error *error) {
    *out = NULL;
    struct tokenizer_cache *cache = memory_allocate(1, sizeof *cache, error);
    if (cache == NULL)
        return -1;
    cache->entries = memory_allocate(CACHE_ENTRIES, sizeof *cache->entries, error);
    if (cache->entries == NULL || long_piece_create(&cache->long_piece, error)) {
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
    long_piece_destroy(cache->long_piece);
    memory_free(cache->entries);
    memory_free(cache);
}

/* Makes the cache serve a tokenizer. */
static int cache_adopt(struct tokenizer_cache *cache, const struct tokenizer *t,
                       struct error *error) {
    if (cache->owner == t && cache->cutter != NULL && cache->pattern == t->pattern)
        return 0;
    if (cache->owner != NULL) /* fresh ones are empty, and take memory only as they are used */
        memset(cache->entries, 0, CACHE_ENTRIES * sizeof *cache->entries);
    piece_cutter_destroy(cache->cutter);
    cache->owner = NULL;
    if (piece_cutter_create(&cache->cutter, t->pattern, error))
        return -1;
    cache->owner = t;
    cache->pattern = t->pattern;
    return 0;
}

/* Merges piece[length] in place; returns how many ids[length] are left. A merge changes what its
 * two neighbours can merge to and nothing else. */
static size_t merge_piece(const struct tokenizer *t, const char *piece, size_t length,
                          uint32_t *ids) {
    const struct merge *merges[SHORT_PIECE]; /* of ids[i] and ids[i + 1] */
    size_t count = length;
    for (size_t i = 0; i < length; i++)
        ids[i] = t->of_byte[(unsigned char)piece[i]];
    for (size_t i = 0; i + 1 < length; i++)
        merges[i] = find_merge(t, ids[i], ids[i + 1]);
    while (count > 1) {
        const struct merge *best = NULL;
        size_t at = 0;
        for (size_t i = 0; i + 1 < count; i++)
            if (merges[i] != NULL && (best == NULL || merges[i] < best)) {
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

static int encode_piece(const struct tokenizer *t, struct tokenizer_cache *cache, const char *piece,
                        size_t length, struct token_list *list, struct error *error) {
    uint32_t whole = t->takes_whole_pieces ? *name_slot(t, piece, length) : 0;
    if (whole != 0)
        return append(list, &(uint32_t){whole - 1}, 1, error);
    if (length > SHORT_PIECE)
        return merge_long_piece(t, cache->long_piece, piece, length, list, error);
    uint32_t ids[SHORT_PIECE];
    return append(list, ids, merge_piece(t, piece, length, ids), error);
}

/* Text without marks. */
static int encode_plain(const struct tokenizer *t, struct tokenizer_cache *cache, const char *text,
                        size_t bytes, struct token_list *list, struct error *error) {
    for (size_t at = 0; at < bytes;) {
        size_t length = piece_length(cache->cutter, text, bytes, at), first = list->count;
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
        if (encode_piece(t, cache, piece, length, list, error))
            return -1;
        size_t count = list->count - first;
        if (entry != NULL && count <= CACHED_TOKENS) {
            entry->length = (uint8_t)length;
            entry->count = (uint8_t)count;
            memcpy(entry->bytes, piece, length);
            memcpy(entry->tokens, list->ids + first, count * sizeof *list->ids);
        }
    }
    return 0;
}

/* The longest mark of at least kind `least` at the start of text; UINT32_MAX when none is there. */
static uint32_t mark_at(const struct tokenizer *t, const char *text, size_t bytes,
                        enum token_kind least) {
    for (size_t i = 0; i < t->mark_count; i++) {
        struct token_bytes mark = token_of(t, t->marks[i]);
        if (t->kinds[t->marks[i]] >= least && mark.length <= bytes &&
            memcmp(mark.data, text, mark.length) == 0)
            return t->marks[i];
    }
    return UINT32_MAX;
}

static int encode(const struct tokenizer *t, struct tokenizer_cache *cache, const char *text,
                  size_t bytes, enum token_kind least, struct token_list *list,
                  struct error *error) {
    if (cache_adopt(cache, t, error))
        return -1;
    size_t start = 0;
    for (size_t at = 0; at < bytes; at++) {
        if (t->begins_mark[(unsigned char)text[at]] < least)
            continue;
        uint32_t mark = mark_at(t, text + at, bytes - at, least);
        if (mark == UINT32_MAX)
            continue;
        if (encode_plain(t, cache, text + start, at - start, list, error) ||
            append(list, &mark, 1, error))
            return -1;
        start = at + token_of(t, mark).length;
        at = start - 1;
    }
    return encode_plain(t, cache, text + start, bytes - start, list, error);
}

int tokenizer_encode(const struct tokenizer *t, struct tokenizer_cache *cache, const char *text,
                     size_t bytes, struct token_list *list, struct error *error) {
    return encode(t, cache, text, bytes, TOKEN_ADDED, list, error);
}

int tokenizer_encode_marked(const struct tokenizer *t, struct tokenizer_cache *cache,
                            const char *text, size_t bytes, struct token_list *list,
                            struct error *error) {
    return encode(t, cache, text, bytes, TOKEN_SPECIAL, list, error);
}
