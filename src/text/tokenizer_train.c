#include "text/tokenizer_train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "text/pieces.h"

/* A million pieces of English are some 60 MB. Longer pieces than LONGEST_LEARNT (they are cut
 * there) teach nothing that is seen again. */
enum { PIECES_LIMIT = 1 << 20, LONGEST_LEARNT = 48 };

struct known_piece {
    size_t text; /* offset into the trainer's bytes */
    uint32_t length;
    uint64_t count;
};

struct tokenizer_trainer {
    struct piece_cutter *cutter;
    char *bytes;
    size_t bytes_used, bytes_capacity;
    struct known_piece *pieces;
    size_t piece_count, piece_capacity;
    uint32_t *table; /* index + 1 into pieces; 0: free */
    uint64_t forgotten_below;
};

enum { TABLE_SIZE = 4 * PIECES_LIMIT };

int tokenizer_trainer_create(struct tokenizer_trainer **out, struct error *error) {
    *out = NULL;
    struct tokenizer_trainer *t = memory_allocate(1, sizeof *t, error);
    if (t == NULL)
        return -1;
    t->table = memory_allocate(TABLE_SIZE, sizeof *t->table, error);
    if (t->table == NULL || piece_cutter_create(&t->cutter, error)) {
        tokenizer_trainer_destroy(t);
        return -1;
    }
    *out = t;
    return 0;
}

void tokenizer_trainer_destroy(struct tokenizer_trainer *t) {
    if (t == NULL)
        return;
    piece_cutter_destroy(t->cutter);
    free(t->bytes);
    free(t->pieces);
    memory_free(t->table);
    memory_free(t);
}

static uint32_t *find_slot(const struct tokenizer_trainer *t, const char *text, size_t length) {
    uint64_t hash = length;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    for (size_t i = random_mix(hash) % TABLE_SIZE;; i = (i + 1) % TABLE_SIZE) {
        uint32_t entry = t->table[i];
        if (entry == 0)
            return &t->table[i];
        const struct known_piece *piece = &t->pieces[entry - 1];
        if (piece->length == length && memcmp(t->bytes + piece->text, text, length) == 0)
            return &t->table[i];
    }
}

/* Drops ever more frequent pieces until half of the room is free. */
static void forget_rare(struct tokenizer_trainer *t) {
    while (t->piece_count > PIECES_LIMIT / 2) {
        t->forgotten_below++;
        size_t kept = 0, used = 0;
        for (size_t i = 0; i < t->piece_count; i++) {
            struct known_piece piece = t->pieces[i];
            if (piece.count <= t->forgotten_below)
                continue;
            memmove(t->bytes + used, t->bytes + piece.text, piece.length);
            piece.text = used;
            used += piece.length;
            t->pieces[kept++] = piece;
        }
        t->piece_count = kept;
        t->bytes_used = used;
    }
    memset(t->table, 0, TABLE_SIZE * sizeof *t->table);
    for (size_t i = 0; i < t->piece_count; i++)
        *find_slot(t, t->bytes + t->pieces[i].text, t->pieces[i].length) = (uint32_t)i + 1;
}

static int count_piece(struct tokenizer_trainer *t, const char *text, size_t length,
                       struct error *error) {
    uint32_t *slot = find_slot(t, text, length);
    if (*slot != 0) {
        t->pieces[*slot - 1].count++;
        return 0;
    }
    if (memory_grow(&t->bytes, &t->bytes_capacity, t->bytes_used + length, 1, error) ||
        memory_grow(&t->pieces, &t->piece_capacity, t->piece_count + 1, sizeof *t->pieces, error))
        return -1;
    memcpy(t->bytes + t->bytes_used, text, length);
    t->pieces[t->piece_count++] = (struct known_piece){t->bytes_used, (uint32_t)length, 1};
    t->bytes_used += length;
    *slot = (uint32_t)t->piece_count;
    if (t->piece_count >= PIECES_LIMIT)
        forget_rare(t);
    return 0;
}

int tokenizer_trainer_add(struct tokenizer_trainer *t, const char *text, size_t bytes,
                          struct error *error) {
    for (size_t at = 0; at < bytes;) {
        size_t length = piece_length(t->cutter, text, bytes, at);
        size_t learnt = length < LONGEST_LEARNT ? length : LONGEST_LEARNT;
        if (count_piece(t, text + at, learnt, error))
            return -1;
        at += length;
    }
    return 0;
}

/* How often each pair of neighbouring tokens occurs; open addressing, never shrinks. */
struct pair_count {
    uint64_t pair; /* left << 32 | right */
    int64_t count;
    int is_used;
};

struct learner {
    const struct tokenizer_trainer *trainer;
    uint32_t *ids;    /* all pieces' tokens, one after the other */
    size_t *starts;   /* [piece_count] */
    uint32_t *counts; /* [piece_count] tokens left in each */
    struct pair_count *pairs;
    size_t pair_mask, pair_used;
    uint32_t *merges;
    size_t merge_count;
};

static int add_pair(struct learner *l, uint32_t left, uint32_t right, int64_t count,
                    struct error *error);

static int grow_pairs(struct learner *l, struct error *error) {
    struct pair_count *old = l->pairs;
    size_t old_size = old == NULL ? 0 : l->pair_mask + 1,
           size = old_size == 0 ? 1 << 16 : 2 * old_size;
    l->pairs = memory_allocate(size, sizeof *l->pairs, error);
    if (l->pairs == NULL) {
        l->pairs = old;
        return -1;
    }
    l->pair_mask = size - 1;
    l->pair_used = 0;
    for (size_t i = 0; i < old_size; i++)
        if (old[i].is_used && old[i].count > 0)
            add_pair(l, (uint32_t)(old[i].pair >> 32), (uint32_t)old[i].pair, old[i].count, error);
    memory_free(old);
    return 0;
}

static int add_pair(struct learner *l, uint32_t left, uint32_t right, int64_t count,
                    struct error *error) {
    if ((l->pairs == NULL || l->pair_used * 2 > l->pair_mask) && grow_pairs(l, error))
        return -1;
    uint64_t pair = (uint64_t)left << 32 | right;
    for (size_t i = random_mix(pair) & l->pair_mask;; i = (i + 1) & l->pair_mask) {
        struct pair_count *entry = &l->pairs[i];
        if (entry->is_used && entry->pair != pair)
            continue;
        if (!entry->is_used) {
            *entry = (struct pair_count){pair, 0, 1};
            l->pair_used++;
        }
        entry->count += count;
        return 0;
    }
}

/* Adds sign * count for every pair of the piece. */
static int count_pairs(struct learner *l, size_t piece, int sign, struct error *error) {
    const uint32_t *ids = l->ids + l->starts[piece];
    int64_t count = sign * (int64_t)l->trainer->pieces[piece].count;
    for (uint32_t i = 0; i + 1 < l->counts[piece]; i++)
        if (add_pair(l, ids[i], ids[i + 1], count, error))
            return -1;
    return 0;
}

static int learner_start(struct learner *l, size_t vocabulary, struct error *error) {
    const struct tokenizer_trainer *t = l->trainer;
    l->ids = memory_allocate(t->bytes_used, sizeof *l->ids, error);
    l->starts = memory_allocate(t->piece_count, sizeof *l->starts, error);
    l->counts = memory_allocate(t->piece_count, sizeof *l->counts, error);
    l->merges = memory_allocate(2 * vocabulary, sizeof *l->merges, error);
    if (l->ids == NULL || l->starts == NULL || l->counts == NULL || l->merges == NULL)
        return -1;
    size_t at = 0;
    for (size_t p = 0; p < t->piece_count; p++) {
        const struct known_piece *piece = &t->pieces[p];
        l->starts[p] = at;
        l->counts[p] = piece->length;
        for (uint32_t i = 0; i < piece->length; i++)
            l->ids[at++] = TOKEN_SPECIAL_COUNT + (unsigned char)t->bytes[piece->text + i];
        if (count_pairs(l, p, 1, error))
            return -1;
    }
    return 0;
}

/* The most frequent pair, or NULL when none occurs twice. */
static const struct pair_count *best_pair(const struct learner *l) {
    const struct pair_count *best = NULL;
    for (size_t i = 0; l->pairs != NULL && i <= l->pair_mask; i++) {
        const struct pair_count *entry = &l->pairs[i];
        if (entry->count >= 2 && (best == NULL || entry->count > best->count ||
                                  (entry->count == best->count && entry->pair < best->pair)))
            best = entry;
    }
    return best;
}

static int holds_pair(const uint32_t *ids, uint32_t count, uint32_t left, uint32_t right) {
    for (uint32_t i = 0; i + 1 < count; i++)
        if (ids[i] == left && ids[i + 1] == right)
            return 1;
    return 0;
}

static int apply_merge(struct learner *l, uint32_t left, uint32_t right, uint32_t result,
                       struct error *error) {
    for (size_t p = 0; p < l->trainer->piece_count; p++) {
        uint32_t *ids = l->ids + l->starts[p], kept = 0;
        if (!holds_pair(ids, l->counts[p], left, right))
            continue;
        if (count_pairs(l, p, -1, error))
            return -1;
        for (uint32_t i = 0; i < l->counts[p]; i++) {
            int is_pair = i + 1 < l->counts[p] && ids[i] == left && ids[i + 1] == right;
            ids[kept++] = is_pair ? result : ids[i];
            i += is_pair ? 1 : 0;
        }
        l->counts[p] = kept;
        if (count_pairs(l, p, 1, error))
            return -1;
    }
    return 0;
}

/* Two merges can spell the same bytes ("a"+"bc", "ab"+"c"); a token must be unique. */
static int spells_new_token(const struct token_bytes *tokens, size_t count, const char *data,
                            size_t length) {
    for (size_t i = TOKEN_SPECIAL_COUNT; i < count; i++)
        if (tokens[i].length == length && memcmp(tokens[i].data, data, length) == 0)
            return 0;
    return 1;
}

/* Tokens and the storage of their bytes while they are learnt. */
struct spelling {
    struct token_bytes *tokens;
    char *bytes; /* LONGEST_LEARNT for each token */
    uint8_t *is_special;
    size_t count;
};

static void spell(struct spelling *s, const char *data, size_t length) {
    char *at = s->bytes + s->count * LONGEST_LEARNT;
    memcpy(at, data, length);
    s->tokens[s->count++] = (struct token_bytes){at, length};
}

static int learn(struct learner *l, struct spelling *s, size_t vocabulary, struct error *error) {
    while (s->count < vocabulary) {
        const struct pair_count *best = best_pair(l);
        if (best == NULL)
            break;
        uint32_t left = (uint32_t)(best->pair >> 32), right = (uint32_t)best->pair;
        char joined[2 * LONGEST_LEARNT];
        size_t length = s->tokens[left].length + s->tokens[right].length;
        memcpy(joined, s->tokens[left].data, s->tokens[left].length);
        memcpy(joined + s->tokens[left].length, s->tokens[right].data, s->tokens[right].length);
        if (length > LONGEST_LEARNT || !spells_new_token(s->tokens, s->count, joined, length)) {
            if (add_pair(l, left, right, -best->count, error))
                return -1;
            continue;
        }
        uint32_t result = (uint32_t)s->count;
        spell(s, joined, length);
        l->merges[2 * l->merge_count] = left;
        l->merges[2 * l->merge_count++ + 1] = right;
        if (apply_merge(l, left, right, result, error))
            return -1;
    }
    return 0;
}

int tokenizer_trainer_finish(struct tokenizer_trainer *trainer, size_t vocabulary,
                             struct tokenizer **out, struct error *error) {
    *out = NULL;
    if (vocabulary < TOKEN_FIRST_MERGE || vocabulary > 1 << 18)
        return error_set(error, "a vocabulary has %d to %d tokens, not %zu", TOKEN_FIRST_MERGE,
                         1 << 18, vocabulary);
    struct learner l = {.trainer = trainer};
    struct spelling s = {
        .tokens = memory_allocate(vocabulary, sizeof *s.tokens, error),
        .bytes = memory_allocate(vocabulary, LONGEST_LEARNT, error),
        .is_special = memory_allocate(vocabulary, 1, error),
    };
    int result = -1;
    if (s.tokens != NULL && s.bytes != NULL && s.is_special != NULL &&
        learner_start(&l, vocabulary, error) == 0) {
        spell(&s, "<|endoftext|>", 13);
        spell(&s, "<|by|>", 6);
        s.is_special[TOKEN_END_OF_TEXT] = s.is_special[TOKEN_BY] = 1;
        for (int byte = 0; byte < 256; byte++)
            spell(&s, &(char){(char)byte}, 1);
        result = learn(&l, &s, vocabulary, error);
    }
    if (result == 0)
        result =
            tokenizer_create(out, s.tokens, s.is_special, s.count, l.merges, l.merge_count, error);
    memory_free(l.ids);
    memory_free(l.starts);
    memory_free(l.counts);
    memory_free(l.pairs);
    memory_free(l.merges);
    memory_free(s.tokens);
    memory_free(s.bytes);
    memory_free(s.is_special);
    return result;
}
