#include "text/tokenizer_train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "text/pair_index.h"
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
    if (t->table == NULL || piece_cutter_create(&t->cutter, PIECES_GPT2, error)) {
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

static uint64_t hash_piece(const char *text, size_t length) {
    uint64_t hash = length;
    for (size_t at = 0; at < length; at += 8) {
        uint64_t word = 0;
        memcpy(&word, text + at, length - at < 8 ? length - at : 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return hash;
}

static uint32_t *find_slot(const struct tokenizer_trainer *t, const char *text, size_t length) {
    for (size_t i = hash_piece(text, length) % TABLE_SIZE;; i = (i + 1) % TABLE_SIZE) {
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

struct learner {
    const struct tokenizer_trainer *trainer;
    uint32_t *ids;    /* all pieces' tokens, one after the other */
    size_t *starts;   /* [piece_count] */
    uint32_t *counts; /* [piece_count] tokens left in each */
    struct pair_index *pairs;
    uint32_t *merges;
    size_t merge_count;
};

static int learner_start(struct learner *l, size_t vocabulary, struct error *error) {
    const struct tokenizer_trainer *t = l->trainer;
    l->ids = memory_allocate(t->bytes_used, sizeof *l->ids, error);
    l->starts = memory_allocate(t->piece_count, sizeof *l->starts, error);
    l->counts = memory_allocate(t->piece_count, sizeof *l->counts, error);
    l->merges = memory_allocate(2 * vocabulary, sizeof *l->merges, error);
    if (l->ids == NULL || l->starts == NULL || l->counts == NULL || l->merges == NULL ||
        pair_index_create(&l->pairs, error))
        return -1;
    size_t at = 0;
    for (size_t p = 0; p < t->piece_count; p++) {
        const struct known_piece *piece = &t->pieces[p];
        l->starts[p] = at;
        l->counts[p] = piece->length;
        for (uint32_t i = 0; i < piece->length; i++, at++) {
            l->ids[at] = TOKEN_SPECIAL_COUNT + (unsigned char)t->bytes[piece->text + i];
            if (i > 0 && pair_index_add(l->pairs, l->ids[at - 1], l->ids[at], piece->count,
                                        (uint32_t)p, error))
                return -1;
        }
    }
    return 0;
}

/* Merges the pair wherever the piece holds it. Its new pairs are added before its old ones are
 * taken back, so that no count passes through nothing. */
static int merge_in_piece(struct learner *l, uint32_t p, uint32_t left, uint32_t right,
                          uint32_t result, struct error *error) {
    uint32_t *ids = l->ids + l->starts[p], old[LONGEST_LEARNT], kept = 0;
    uint32_t old_count = l->counts[p];
    uint64_t times = l->trainer->pieces[p].count;
    memcpy(old, ids, old_count * sizeof *old);
    for (uint32_t i = 0; i < old_count; i++) {
        int is_pair = i + 1 < old_count && old[i] == left && old[i + 1] == right;
        ids[kept++] = is_pair ? result : old[i];
        i += is_pair ? 1 : 0;
    }
    l->counts[p] = kept;
    for (uint32_t i = 0; kept < old_count && i + 1 < kept; i++) {
        int is_new = ids[i] == result || ids[i + 1] == result;
        if (pair_index_add(l->pairs, ids[i], ids[i + 1], times, is_new ? p : NO_PIECE, error))
            return -1;
    }
    for (uint32_t i = 0; kept < old_count && i + 1 < old_count; i++)
        pair_index_subtract(l->pairs, old[i], old[i + 1], times);
    return 0;
}

static int apply_merge(struct learner *l, uint32_t left, uint32_t right, uint32_t result,
                       struct error *error) {
    uint32_t piece;
    while ((piece = pair_index_take(l->pairs, left, right)) != NO_PIECE)
        if (merge_in_piece(l, piece, left, right, result, error))
            return -1;
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
        uint32_t pair[2];
        int found = pair_index_best(l->pairs, pair, error);
        if (found <= 0)
            return found;
        uint32_t left = pair[0], right = pair[1];
        char joined[2 * LONGEST_LEARNT];
        size_t length = s->tokens[left].length + s->tokens[right].length;
        memcpy(joined, s->tokens[left].data, s->tokens[left].length);
        memcpy(joined + s->tokens[left].length, s->tokens[right].data, s->tokens[right].length);
        if (length > LONGEST_LEARNT || !spells_new_token(s->tokens, s->count, joined, length))
            continue;
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
    pair_index_destroy(l.pairs);
    memory_free(l.merges);
    memory_free(s.tokens);
    memory_free(s.bytes);
    memory_free(s.is_special);
    return result;
}
