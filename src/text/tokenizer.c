#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "text/pieces.h"

enum {
    MAXIMUM_VOCABULARY = 1 << 20,
    CACHE_ENTRIES = 1 << 15,
    CACHED_BYTES = 24,
    CACHED_TOKENS = 8,
    TOKEN_BYTES_LIMIT = 1024, /* of a token that merges make */
    SHORT_PIECE = 64          /* longer ones are merged by a heap */
};

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

static struct token_bytes token_of(const struct tokenizer *t, size_t id) {
    return (struct token_bytes){t->bytes + t->starts[id], t->starts[id + 1] - t->starts[id]};
}

/* Where the rank of the pair stands or would stand. */
static uint32_t *merge_slot(const struct tokenizer *t, uint32_t left, uint32_t right) {
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
static const struct merge *find_merge(const struct tokenizer *t, uint32_t left, uint32_t right) {
    uint32_t rank = *merge_slot(t, left, right);
    return rank != 0 ? &t->merges[rank - 1] : NULL;
}

static uint32_t *name_slot(const struct tokenizer *t, const char *data, size_t length) {
    for (size_t i = hash_bytes(data, length) & t->name_mask;; i = (i + 1) & t->name_mask) {
        if (t->names[i] == 0)
            return &t->names[i];
        struct token_bytes token = token_of(t, t->names[i] - 1);
        if (token.length == length && memcmp(token.data, data, length) == 0)
            return &t->names[i];
    }
}

static int copy_tokens(struct tokenizer *t, const struct token_bytes *tokens, const uint8_t *kinds,
                       struct error *error) {
    size_t total = 0;
    for (size_t i = 0; i < t->token_count; i++)
        total += tokens[i].length;
    if (total > UINT32_MAX)
        return error_set(error, "a vocabulary of %zu bytes is too large", total);
    t->bytes = memory_allocate(total, 1, error);
    t->starts = memory_allocate(t->token_count + 1, sizeof *t->starts, error);
    t->kinds = memory_allocate(t->token_count, 1, error);
    if (t->bytes == NULL || t->starts == NULL || t->kinds == NULL)
        return -1;
    memcpy(t->kinds, kinds, t->token_count);
    char *at = t->bytes;
    for (size_t i = 0; i < t->token_count; i++) {
        memcpy(at, tokens[i].data, tokens[i].length);
        at += tokens[i].length;
        t->starts[i + 1] = (uint32_t)(at - t->bytes);
    }
    return 0;
}

static int index_names(struct tokenizer *t, struct error *error) {
    for (size_t i = 0; i < t->token_count; i++) {
        struct token_bytes token = token_of(t, i);
        if (t->kinds[i] != TOKEN_TEXT) {
            if (token.length == 13 && memcmp(token.data, "<|endoftext|>", 13) == 0)
                t->begin = t->end = (uint32_t)i;
            continue;
        }
        uint32_t *slot = name_slot(t, token.data, token.length);
        if (*slot != 0 || token.length == 0)
            return error_set(error, "token %zu of the vocabulary is %s", i,
                             token.length == 0 ? "empty" : "there twice");
        *slot = (uint32_t)i + 1;
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        char data = (char)byte;
        uint32_t id = *name_slot(t, &data, 1);
        if (id == 0 && (byte == '\n' || (byte >= ' ' && byte <= '~')))
            return error_set(error, "the vocabulary has no token for byte 0x%02x", byte);
        t->of_byte[byte] = id != 0 ? id - 1 : NO_TOKEN;
    }
    return 0;
}

static int is_mark(const struct tokenizer *t, size_t id) {
    return t->kinds[id] != TOKEN_TEXT && t->kinds[id] != TOKEN_UNUSED && token_of(t, id).length > 0;
}

static int compare_marks(const void *a, const void *b, void *context) {
    const struct tokenizer *t = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    size_t p = token_of(t, x).length, q = token_of(t, y).length;
    return p != q ? (p < q) - (p > q) : (x > y) - (x < y);
}

static int index_marks(struct tokenizer *t, struct error *error) {
    for (size_t i = 0; i < t->token_count; i++)
        t->mark_count += is_mark(t, i) ? 1 : 0;
    t->marks = memory_allocate(t->mark_count, sizeof *t->marks, error);
    if (t->marks == NULL)
        return -1;
    size_t count = 0;
    for (size_t i = 0; i < t->token_count; i++) {
        if (!is_mark(t, i))
            continue;
        uint8_t *begins = &t->begins_mark[(unsigned char)token_of(t, i).data[0]];
        *begins = t->kinds[i] > *begins ? t->kinds[i] : *begins;
        t->marks[count++] = (uint32_t)i;
    }
    qsort_r(t->marks, count, sizeof *t->marks, compare_marks, t);
    return 0;
}

static int index_merges(struct tokenizer *t, const uint32_t *merges, struct error *error) {
    for (size_t rank = 0; rank < t->merge_count; rank++) {
        uint32_t left = merges[2 * rank], right = merges[2 * rank + 1];
        char joined[TOKEN_BYTES_LIMIT];
        if (left >= t->token_count || right >= t->token_count ||
            token_of(t, left).length + token_of(t, right).length > sizeof joined)
            return error_set(error, "merge %zu of the vocabulary names no tokens", rank);
        struct token_bytes a = token_of(t, left), b = token_of(t, right);
        memcpy(joined, a.data, a.length);
        memcpy(joined + a.length, b.data, b.length);
        uint32_t result = *name_slot(t, joined, a.length + b.length);
        uint32_t *slot = merge_slot(t, left, right);
        if (result == 0 || *slot != 0)
            return error_set(error, "merge %zu of the vocabulary %s", rank,
                             result == 0 ? "gives no token of it" : "is there twice");
        t->merges[rank] = (struct merge){{left, right}, result - 1};
        *slot = (uint32_t)rank + 1;
    }
    return 0;
}

static size_t table_size(size_t count) {
    size_t size = 64;
    while (size < 2 * count + 2)
        size *= 2;
    return size;
}

int tokenizer_create(struct tokenizer **out, const struct token_bytes *tokens, const uint8_t *kinds,
                     size_t token_count, const uint32_t *merges, size_t merge_count,
                     struct error *error) {
    *out = NULL;
    /* Llama 3 lists several ways to each token. */
    if (token_count < 256 || token_count > MAXIMUM_VOCABULARY || merge_count > 8 * token_count)
        return error_set(error, "a vocabulary of %zu tokens and %zu merges makes no tokenizer",
                         token_count, merge_count);
    struct tokenizer *t = memory_allocate(1, sizeof *t, error);
    if (t == NULL)
        return -1;
    t->token_count = token_count;
    t->merge_count = merge_count;
    t->begin = t->end = UINT32_MAX;
    t->name_mask = table_size(token_count) - 1;
    t->table_mask = table_size(merge_count) - 1;
    t->merges = memory_allocate(merge_count, sizeof *t->merges, error);
    t->table = memory_allocate(t->table_mask + 1, sizeof *t->table, error);
    t->names = memory_allocate(t->name_mask + 1, sizeof *t->names, error);
    int result = t->merges == NULL || t->table == NULL || t->names == NULL ||
                 copy_tokens(t, tokens, kinds, error) || index_names(t, error) ||
                 index_marks(t, error) || index_merges(t, merges, error);
    if (result != 0) {
        tokenizer_destroy(t);
        return -1;
    }
    *out = t;
    return 0;
}

static void *duplicate(const void *block, size_t count, size_t size, struct error *error) {
    void *copy = memory_allocate(count, size, error);
    return copy != NULL ? memcpy(copy, block, count * size) : NULL;
}

int tokenizer_copy(struct tokenizer **out, const struct tokenizer *t, struct error *error) {
    *out = NULL;
    struct tokenizer *copy = duplicate(t, 1, sizeof *t, error);
    if (copy == NULL)
        return -1;
    copy->bytes = duplicate(t->bytes, t->starts[t->token_count], 1, error);
    copy->starts = duplicate(t->starts, t->token_count + 1, sizeof *t->starts, error);
    copy->kinds = duplicate(t->kinds, t->token_count, 1, error);
    copy->merges = duplicate(t->merges, t->merge_count, sizeof *t->merges, error);
    copy->table = duplicate(t->table, t->table_mask + 1, sizeof *t->table, error);
    copy->names = duplicate(t->names, t->name_mask + 1, sizeof *t->names, error);
    copy->marks = duplicate(t->marks, t->mark_count, sizeof *t->marks, error);
    if (!copy->bytes || !copy->starts || !copy->kinds || !copy->merges || !copy->table ||
        !copy->names || !copy->marks) {
        tokenizer_destroy(copy);
        return -1;
    }
    *out = copy;
    return 0;
}

void tokenizer_destroy(struct tokenizer *t) {
    if (t == NULL)
        return;
    memory_free(t->bytes);
    memory_free(t->starts);
    memory_free(t->kinds);
    memory_free(t->names);
    memory_free(t->marks);
    memory_free(t->merges);
    memory_free(t->table);
    memory_free(t);
}

size_t tokenizer_vocabulary_size(const struct tokenizer *t) {
    return t->token_count;
}

struct token_bytes tokenizer_token(const struct tokenizer *t, uint32_t id) {
    return id < t->token_count ? token_of(t, id) : (struct token_bytes){"", 0};
}

int tokenizer_is_special(const struct tokenizer *t, uint32_t id) {
    return id < t->token_count && t->kinds[id] != TOKEN_TEXT;
}

enum token_kind tokenizer_kind(const struct tokenizer *t, uint32_t id) {
    return id < t->token_count ? (enum token_kind)t->kinds[id] : TOKEN_SPECIAL;
}

void tokenizer_set_pieces(struct tokenizer *t, enum piece_pattern pattern, int takes_whole_pieces) {
    t->pattern = pattern;
    t->takes_whole_pieces = takes_whole_pieces;
}

enum piece_pattern tokenizer_pattern(const struct tokenizer *t) {
    return t->pattern;
}

int tokenizer_takes_whole_pieces(const struct tokenizer *t) {
    return t->takes_whole_pieces;
}

void tokenizer_set_ends(struct tokenizer *t, uint32_t begin, uint32_t end) {
    t->begin = begin;
    t->end = end;
}

size_t tokenizer_merge_count(const struct tokenizer *t) {
    return t->merge_count;
}

const uint32_t *tokenizer_merge(const struct tokenizer *t, size_t rank) {
    return t->merges[rank].pair;
}

uint32_t tokenizer_end_of_text(const struct tokenizer *t) {
    return t->begin;
}

uint32_t tokenizer_end(const struct tokenizer *t) {
    return t->end;
}

int tokenizer_is_end(const struct tokenizer *t, uint32_t id) {
    return id == t->begin || id == t->end;
}

uint32_t tokenizer_find_special(const struct tokenizer *t, const char *text, size_t length) {
    for (size_t i = 0; i < t->mark_count; i++)
        if (token_of(t, t->marks[i]).length == length &&
            memcmp(token_of(t, t->marks[i]).data, text, length) == 0)
            return t->marks[i];
    return UINT32_MAX;
}

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
