#include "text/tokenizer_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    MAXIMUM_VOCABULARY = 1 << 20,
    TOKEN_BYTES_LIMIT = 1024 /* of a token that merges make */
};

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
