#include "file/tokenizer_gguf.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Of .token_type. */
enum {
    TYPE_NORMAL = 1,
    TYPE_UNKNOWN = 2,
    TYPE_CONTROL = 3,
    TYPE_USER_DEFINED = 4,
    TYPE_UNUSED = 5,
    TYPE_BYTE = 6
};

static const int32_t TYPE_OF_KIND[] = {[TOKEN_TEXT] = TYPE_NORMAL,
                                       [TOKEN_SPECIAL] = TYPE_CONTROL,
                                       [TOKEN_ADDED] = TYPE_USER_DEFINED,
                                       [TOKEN_UNUSED] = TYPE_UNUSED};

static enum token_kind kind_of_type(int32_t type) {
    switch (type) {
    case TYPE_NORMAL:
    case TYPE_BYTE:
        return TOKEN_TEXT;
    case TYPE_USER_DEFINED:
        return TOKEN_ADDED;
    case TYPE_UNUSED:
        return TOKEN_UNUSED;
    default:
        return TOKEN_SPECIAL;
    }
}

/* Saving */

/* Writes a token as the file spells it, at most 2 bytes for each and a NUL. */
static size_t spell(char *out, const struct tokenizer *tokenizer, uint32_t id) {
    struct token_bytes token = tokenizer_token(tokenizer, id);
    if (!tokenizer_is_special(tokenizer, id))
        return tokenizer_printable(out, token.data, token.length);
    memcpy(out, token.data, token.length);
    return token.length;
}

static int save_tokens(struct gguf_writer *writer, const struct tokenizer *tokenizer,
                       struct error *error) {
    size_t count = tokenizer_vocabulary_size(tokenizer), room = 1;
    for (uint32_t id = 0; id < count; id++)
        room += 2 * tokenizer_token(tokenizer, id).length;
    char *bytes = memory_allocate(room, 1, error);
    struct gguf_string *strings = memory_allocate(count, sizeof *strings, error);
    int32_t *types = memory_allocate(count, sizeof *types, error);
    int result = -1;
    if (bytes == NULL || strings == NULL || types == NULL)
        goto done;
    char *at = bytes;
    for (uint32_t id = 0; id < count; id++) {
        strings[id] = (struct gguf_string){at, spell(at, tokenizer, id)};
        at += strings[id].length;
        types[id] = TYPE_OF_KIND[tokenizer_kind(tokenizer, id)];
    }
    result = gguf_writer_add_string_array(writer, "tokenizer.ggml.tokens", strings, count, error);
    if (result == 0)
        result =
            gguf_writer_add_i32_array(writer, "tokenizer.ggml.token_type", types, count, error);
done:
    memory_free(types);
    memory_free(strings);
    memory_free(bytes);
    return result;
}

static int save_merges(struct gguf_writer *writer, const struct tokenizer *tokenizer,
                       struct error *error) {
    size_t count = tokenizer_merge_count(tokenizer), room = 1;
    for (size_t rank = 0; rank < count; rank++) {
        const uint32_t *pair = tokenizer_merge(tokenizer, rank);
        room += 2 * tokenizer_token(tokenizer, pair[0]).length + 1 +
                2 * tokenizer_token(tokenizer, pair[1]).length;
    }
    char *bytes = memory_allocate(room, 1, error);
    struct gguf_string *strings = memory_allocate(count, sizeof *strings, error);
    int result = -1;
    if (bytes == NULL || strings == NULL)
        goto done;
    char *at = bytes;
    for (size_t rank = 0; rank < count; rank++) {
        const uint32_t *pair = tokenizer_merge(tokenizer, rank);
        char *start = at;
        at += spell(at, tokenizer, pair[0]);
        *at++ = ' ';
        at += spell(at, tokenizer, pair[1]);
        strings[rank] = (struct gguf_string){start, (size_t)(at - start)};
    }
    result = gguf_writer_add_string_array(writer, "tokenizer.ggml.merges", strings, count, error);
done:
    memory_free(strings);
    memory_free(bytes);
    return result;
}

int tokenizer_gguf_save(struct gguf_writer *writer, const struct tokenizer *tokenizer,
                        struct error *error) {
    uint32_t begin = tokenizer_end_of_text(tokenizer), end = tokenizer_end(tokenizer);
    if (gguf_writer_add_string(writer, "tokenizer.ggml.model", "gpt2", error) != 0 ||
        gguf_writer_add_string(writer, "tokenizer.ggml.pre",
                               piece_pattern_name(tokenizer_pattern(tokenizer)), error) != 0 ||
        save_tokens(writer, tokenizer, error) != 0 || save_merges(writer, tokenizer, error) != 0)
        return -1;
    if (begin != UINT32_MAX &&
        gguf_writer_add_u32(writer, "tokenizer.ggml.bos_token_id", begin, error) != 0)
        return -1;
    if (end != UINT32_MAX &&
        gguf_writer_add_u32(writer, "tokenizer.ggml.eos_token_id", end, error) != 0)
        return -1;
    return gguf_writer_add_bool(writer, "tokenizer.ggml.add_bos_token", false, error);
}

/* Loading */

/* What the keys say, and what is made of it. */
struct parts {
    const struct gguf *file;
    struct gguf_string *spellings, *merge_spellings;
    int32_t *types;
    size_t count, merge_count;
    const struct gguf_string **sorted; /* the spellings of what is not special */
    size_t sorted_count;
    char *bytes;
    struct token_bytes *tokens;
    uint8_t *kinds; /* enum token_kind */
    uint32_t *merges;
    enum piece_pattern pattern;
};

static int refuse_string(const struct gguf *file, const char *key, struct gguf_string value,
                         const char *supported, struct error *error) {
    char shown[2 * 32 + 1]; /* in the printable alphabet: the file may hold anything */
    tokenizer_printable(shown, value.data, value.length < 32 ? value.length : 32);
    return error_set(error, "%s: %s is \"%s\"; only %s is supported", gguf_name(file), key, shown,
                     supported);
}

static int read_kind(struct parts *parts, struct error *error) {
    struct gguf_string model, pre;
    if (gguf_get_string(parts->file, "tokenizer.ggml.model", &model, error) != 0 ||
        gguf_get_string(parts->file, "tokenizer.ggml.pre", &pre, error) != 0)
        return -1;
    if (!gguf_string_is(model, "gpt2"))
        return refuse_string(parts->file, "tokenizer.ggml.model", model, "\"gpt2\"", error);
    int pattern = piece_pattern_find(pre.data, pre.length);
    if (pattern < 0)
        return refuse_string(parts->file, "tokenizer.ggml.pre", pre,
                             "\"gpt-2\", \"smollm\", \"llama-bpe\" or \"qwen2\"", error);
    parts->pattern = (enum piece_pattern)pattern;
    return 0;
}

static int read_keys(struct parts *parts, struct error *error) {
    const struct gguf *file = parts->file;
    size_t type_count;
    if (read_kind(parts, error) != 0 ||
        gguf_get_string_array(file, "tokenizer.ggml.tokens", &parts->spellings, &parts->count,
                              error) != 0 ||
        gguf_get_string_array(file, "tokenizer.ggml.merges", &parts->merge_spellings,
                              &parts->merge_count, error) != 0 ||
        gguf_get_i32_array(file, "tokenizer.ggml.token_type", &parts->types, &type_count, error) !=
            0)
        return -1;
    if (type_count != parts->count)
        return error_set(error, "%s: tokenizer.ggml.token_type has %zu entries for %zu tokens",
                         gguf_name(file), type_count, parts->count);
    if (parts->count > UINT32_MAX - 1)
        return error_set(error, "%s: tokenizer.ggml.tokens has %zu entries", gguf_name(file),
                         parts->count);
    return 0;
}

static int read_tokens(struct parts *parts, struct error *error) {
    size_t room = 1;
    for (size_t i = 0; i < parts->count; i++)
        room += parts->spellings[i].length; /* all inside one file: no overflow */
    parts->bytes = memory_allocate(room, 1, error);
    parts->tokens = memory_allocate(parts->count, sizeof *parts->tokens, error);
    parts->kinds = memory_allocate(parts->count, 1, error);
    if (parts->bytes == NULL || parts->tokens == NULL || parts->kinds == NULL)
        return -1;
    char *at = parts->bytes;
    for (size_t i = 0; i < parts->count; i++) {
        struct gguf_string spelling = parts->spellings[i];
        long length = (long)spelling.length;
        parts->kinds[i] = (uint8_t)kind_of_type(parts->types[i]);
        if (parts->kinds[i] != TOKEN_TEXT)
            memcpy(at, spelling.data, spelling.length);
        else
            length = tokenizer_from_printable(at, spelling.data, spelling.length);
        if (length < 0)
            return error_set(error, "%s: token %zu is not in GPT-2's printable alphabet",
                             gguf_name(parts->file), i);
        parts->tokens[i] = (struct token_bytes){at, (size_t)length};
        at += length;
    }
    return 0;
}

static int compare_spellings(const void *a, const void *b) {
    const struct gguf_string *x = *(const struct gguf_string *const *)a;
    const struct gguf_string *y = *(const struct gguf_string *const *)b;
    size_t shorter = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->data, y->data, shorter);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static int sort_spellings(struct parts *parts, struct error *error) {
    parts->sorted = memory_allocate(parts->count, sizeof *parts->sorted, error);
    if (parts->sorted == NULL)
        return -1;
    for (size_t i = 0; i < parts->count; i++)
        if (parts->kinds[i] == TOKEN_TEXT)
            parts->sorted[parts->sorted_count++] = &parts->spellings[i];
    qsort(parts->sorted, parts->sorted_count, sizeof *parts->sorted, compare_spellings);
    return 0;
}

/* UINT32_MAX when no token is spelled so. */
static uint32_t find_token(const struct parts *parts, const char *data, size_t length) {
    struct gguf_string wanted = {data, length};
    const struct gguf_string *key = &wanted;
    const struct gguf_string **found =
        bsearch(&key, parts->sorted, parts->sorted_count, sizeof *parts->sorted, compare_spellings);
    return found != NULL ? (uint32_t)(*found - parts->spellings) : UINT32_MAX;
}

/* "a b": a space is no letter of the alphabet, so the first one parts the two. */
static int read_merges(struct parts *parts, struct error *error) {
    size_t count = parts->merge_count;
    parts->merges = memory_allocate(count, 2 * sizeof *parts->merges, error);
    if (parts->merges == NULL)
        return -1;
    for (size_t rank = 0; rank < count; rank++) {
        struct gguf_string merge = parts->merge_spellings[rank];
        const char *space = memchr(merge.data, ' ', merge.length);
        uint32_t *pair = parts->merges + 2 * rank;
        pair[0] = pair[1] = UINT32_MAX;
        if (space != NULL) {
            size_t left = (size_t)(space - merge.data);
            pair[0] = find_token(parts, merge.data, left);
            pair[1] = find_token(parts, space + 1, merge.length - left - 1);
        }
        if (pair[0] == UINT32_MAX || pair[1] == UINT32_MAX)
            return error_set(error, "%s: merge %zu is not a pair of tokens", gguf_name(parts->file),
                             rank);
    }
    return 0;
}

/* Reads the ids of the tokens that begin and end a text, where the file has them. */
static int read_ends(struct tokenizer *tokenizer, const struct gguf *file, struct error *error) {
    uint32_t text = tokenizer_find_special(tokenizer, "<|endoftext|>", 13), begin = text;
    uint32_t end = text, count = (uint32_t)tokenizer_vocabulary_size(tokenizer);
    if (text == UINT32_MAX && gguf_has(file, "tokenizer.ggml.bos_token_id") &&
        gguf_get_u32(file, "tokenizer.ggml.bos_token_id", &begin, error) != 0)
        return -1;
    if (gguf_has(file, "tokenizer.ggml.eos_token_id") &&
        gguf_get_u32(file, "tokenizer.ggml.eos_token_id", &end, error) != 0)
        return -1;
    if ((begin != UINT32_MAX && begin >= count) || (end != UINT32_MAX && end >= count))
        return error_set(error,
                         "%s: the tokens that begin (%u) or end (%u) a text are not of its %u",
                         gguf_name(file), begin, end, count);
    tokenizer_set_ends(tokenizer, begin, end);
    return 0;
}

static int make_tokenizer(struct tokenizer **tokenizer, const struct parts *parts,
                          struct error *error) {
    struct error inner;
    if (tokenizer_create(tokenizer, parts->tokens, parts->kinds, parts->count, parts->merges,
                         parts->merge_count, &inner) == 0) {
        tokenizer_set_pieces(*tokenizer, parts->pattern, parts->pattern == PIECES_LLAMA3);
        if (read_ends(*tokenizer, parts->file, error) == 0)
            return 0;
        tokenizer_destroy(*tokenizer);
        *tokenizer = NULL;
        return -1;
    }
    return error_set(error, "%s: %.400s", gguf_name(parts->file), inner.message);
}

static void free_parts(struct parts *parts) {
    memory_free(parts->merges);
    memory_free(parts->kinds);
    memory_free(parts->tokens);
    memory_free(parts->bytes);
    memory_free(parts->sorted);
    memory_free(parts->types);
    memory_free(parts->merge_spellings);
    memory_free(parts->spellings);
}

int tokenizer_gguf_load(struct tokenizer **tokenizer, const struct gguf *file,
                        struct error *error) {
    struct parts parts = {.file = file};
    *tokenizer = NULL;
    int result = read_keys(&parts, error);
    if (result == 0)
        result = read_tokens(&parts, error);
    if (result == 0)
        result = sort_spellings(&parts, error);
    if (result == 0)
        result = read_merges(&parts, error);
    if (result == 0)
        result = make_tokenizer(tokenizer, &parts, error);
    free_parts(&parts);
    return result;
}
