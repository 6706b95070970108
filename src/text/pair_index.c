#include "text/pair_index.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

#define NONE UINT32_MAX
enum { FIRST_TABLE_SIZE = 1 << 16 };

struct entry {
    uint64_t pair; /* left << 32 | right */
    uint64_t count;
    uint32_t first; /* of its occurrences, or NONE */
    uint32_t is_used;
};

/* A list of the pieces that hold a pair, or once did. */
struct occurrence {
    uint32_t piece, next;
};

/* A pair with the count that it had when it was queued: its true count is that or less. */
struct queued {
    uint64_t count, pair;
};

struct pair_index {
    struct entry *entries; /* open addressing */
    size_t mask, used;
    struct occurrence *occurrences;
    size_t occurrence_count, occurrence_capacity;
    uint32_t free;        /* a list of them */
    struct queued *queue; /* a binary heap, the best first */
    size_t queue_count, queue_capacity;
    uint64_t *fresh; /* pairs since the last look for the best: not queued yet */
    size_t fresh_count, fresh_capacity;
};

int pair_index_create(struct pair_index **out, struct error *error) {
    *out = NULL;
    struct pair_index *x = memory_allocate(1, sizeof *x, error);
    if (x == NULL)
        return -1;
    x->free = NONE;
    x->mask = FIRST_TABLE_SIZE - 1;
    x->entries = memory_allocate(FIRST_TABLE_SIZE, sizeof *x->entries, error);
    if (x->entries == NULL) {
        pair_index_destroy(x);
        return -1;
    }
    *out = x;
    return 0;
}

void pair_index_destroy(struct pair_index *x) {
    if (x == NULL)
        return;
    memory_free(x->entries);
    free(x->occurrences);
    free(x->queue);
    free(x->fresh);
    memory_free(x);
}

/* The pair's entry, or the free one where it belongs. */
static struct entry *find(const struct pair_index *x, uint64_t pair) {
    size_t i = random_mix(pair) & x->mask;
    while (x->entries[i].is_used && x->entries[i].pair != pair)
        i = (i + 1) & x->mask;
    return &x->entries[i];
}

static uint32_t pop_occurrence(struct pair_index *x, struct entry *entry) {
    uint32_t at = entry->first, piece = x->occurrences[at].piece;
    entry->first = x->occurrences[at].next;
    x->occurrences[at].next = x->free;
    x->free = at;
    return piece;
}

/* A larger table, without the pairs that occur no more. */
static int grow(struct pair_index *x, struct error *error) {
    struct entry *old = x->entries;
    size_t old_size = x->mask + 1;
    struct entry *entries = memory_allocate(2 * old_size, sizeof *entries, error);
    if (entries == NULL)
        return -1;
    x->entries = entries;
    x->mask = 2 * old_size - 1;
    x->used = 0;
    for (size_t i = 0; i < old_size; i++) {
        while (old[i].is_used && old[i].count == 0 && old[i].first != NONE)
            pop_occurrence(x, &old[i]);
        if (!old[i].is_used || old[i].count == 0)
            continue;
        *find(x, old[i].pair) = old[i];
        x->used++;
    }
    memory_free(old);
    return 0;
}

static int add_occurrence(struct pair_index *x, struct entry *entry, uint32_t piece,
                          struct error *error) {
    if (entry->first != NONE && x->occurrences[entry->first].piece == piece)
        return 0;
    uint32_t at = x->free;
    if (at != NONE) {
        x->free = x->occurrences[at].next;
    } else {
        if (x->occurrence_count >= NONE)
            return error_set(error, "too many pairs of tokens to learn from");
        if (memory_grow(&x->occurrences, &x->occurrence_capacity, x->occurrence_count + 1,
                        sizeof *x->occurrences, error))
            return -1;
        at = (uint32_t)x->occurrence_count++;
    }
    x->occurrences[at] = (struct occurrence){piece, entry->first};
    entry->first = at;
    return 0;
}

int pair_index_add(struct pair_index *x, uint32_t left, uint32_t right, uint64_t count,
                   uint32_t piece, struct error *error) {
    uint64_t pair = (uint64_t)left << 32 | right;
    if (x->used * 2 > x->mask && grow(x, error))
        return -1;
    struct entry *entry = find(x, pair);
    if (!entry->is_used) {
        if (memory_grow(&x->fresh, &x->fresh_capacity, x->fresh_count + 1, sizeof *x->fresh, error))
            return -1;
        x->fresh[x->fresh_count++] = pair;
        *entry = (struct entry){.pair = pair, .first = NONE, .is_used = 1};
        x->used++;
    }
    entry->count += count;
    return piece == NO_PIECE ? 0 : add_occurrence(x, entry, piece, error);
}

void pair_index_subtract(struct pair_index *x, uint32_t left, uint32_t right, uint64_t count) {
    find(x, (uint64_t)left << 32 | right)->count -= count;
}

static int is_before(const struct queued *a, const struct queued *b) {
    return a->count != b->count ? a->count > b->count : a->pair < b->pair;
}

static int push(struct pair_index *x, struct queued item, struct error *error) {
    if (memory_grow(&x->queue, &x->queue_capacity, x->queue_count + 1, sizeof *x->queue, error))
        return -1;
    size_t at = x->queue_count++;
    for (; at > 0 && is_before(&item, &x->queue[(at - 1) / 2]); at = (at - 1) / 2)
        x->queue[at] = x->queue[(at - 1) / 2];
    x->queue[at] = item;
    return 0;
}

static struct queued pop(struct pair_index *x) {
    struct queued best = x->queue[0], last = x->queue[--x->queue_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < x->queue_count && is_before(&x->queue[child + 1], &x->queue[child]))
            child++;
        if (child >= x->queue_count || !is_before(&x->queue[child], &last))
            break;
        x->queue[at] = x->queue[child];
        at = child;
    }
    if (x->queue_count > 0)
        x->queue[at] = last;
    return best;
}

int pair_index_best(struct pair_index *x, uint32_t pair[2], struct error *error) {
    for (size_t i = 0; i < x->fresh_count; i++) {
        const struct entry *entry = find(x, x->fresh[i]);
        if (entry->is_used && entry->count >= 2 &&
            push(x, (struct queued){entry->count, entry->pair}, error))
            return -1;
    }
    x->fresh_count = 0;
    while (x->queue_count > 0) {
        struct queued top = pop(x);
        const struct entry *entry = find(x, top.pair);
        if (!entry->is_used || entry->count < 2)
            continue;
        if (entry->count < top.count) {
            if (push(x, (struct queued){entry->count, top.pair}, error))
                return -1;
            continue;
        }
        pair[0] = (uint32_t)(top.pair >> 32);
        pair[1] = (uint32_t)top.pair;
        return 1;
    }
    return 0;
}

uint32_t pair_index_take(struct pair_index *x, uint32_t left, uint32_t right) {
    struct entry *entry = find(x, (uint64_t)left << 32 | right);
    return entry->is_used && entry->first != NONE ? pop_occurrence(x, entry) : NO_PIECE;
}
