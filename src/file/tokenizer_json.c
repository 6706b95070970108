#include "file/tokenizer_json.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

enum { FILE_LIMIT = 1 << 28, VOCABULARY_LIMIT = 1 << 20 };

/* The expressions of Split pre-tokenizers, as the published files spell them. */
#define HEAD "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define TAIL "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
static const char *const SPLITS[PIECES_COUNT] = {
    [PIECES_LLAMA3] = HEAD "\\p{N}{1,3}" TAIL, [PIECES_QWEN2] = HEAD "\\p{N}" TAIL};

struct parts {
    const char *name; /* of the file */
    json_t *json;
    size_t count;
    char *bytes;
    size_t bytes_used;
    struct token_bytes *tokens;
    uint8_t *kinds;
    uint32_t *merges;
    size_t merge_count;
    enum piece_pattern pattern;
    struct error *error;
};

static const char *type_of(const json_t *json) {
    const char *type = json_string_value(json_object_get(json, "type"));
    return type != NULL ? type : "";
}

static int refuse(const struct parts *p, const char *what, const char *value) {
    return error_set(p->error, "%s: %s is \"%.60s\", which is not supported", p->name, what, value);
}

/* One step of a pre-tokenizer; the pattern that the steps make up so far is in `found`, -1 for
 * none. */
static int read_step(const struct parts *p, const json_t *step, int *found) {
    const char *type = type_of(step);
    const json_t *uses_regex = json_object_get(step, "use_regex");
    if (strcmp(type, "ByteLevel") == 0) {
        if (json_is_true(json_object_get(step, "add_prefix_space")))
            return refuse(p, "pre_tokenizer", "ByteLevel with a space in front");
        if (*found < 0 && !json_is_false(uses_regex))
            *found = PIECES_GPT2;
        return 0;
    }
    if (strcmp(type, "Digits") == 0 && json_is_true(json_object_get(step, "individual_digits"))) {
        *found = PIECES_SMOLLM;
        return 0;
    }
    if (strcmp(type, "Split") != 0)
        return refuse(p, "pre_tokenizer", type);
    const char *expression =
        json_string_value(json_object_get(json_object_get(step, "pattern"), "Regex"));
    for (int i = 0; i < PIECES_COUNT && expression != NULL; i++)
        if (SPLITS[i] != NULL && strcmp(SPLITS[i], expression) == 0) {
            *found = i;
            return 0;
        }
    return refuse(p, "the pre_tokenizer's pattern", expression != NULL ? expression : "");
}

static int read_pattern(struct parts *p) {
    const json_t *json = json_object_get(p->json, "pre_tokenizer");
    const json_t *normalizer = json_object_get(p->json, "normalizer");
    int found = -1;
    /* NFC is left to whoever makes the text, as llama.cpp leaves it. */
    if (json_is_object(normalizer) && strcmp(type_of(normalizer), "NFC") != 0)
        return refuse(p, "normalizer", type_of(normalizer));
    if (strcmp(type_of(json), "Sequence") == 0) {
        const json_t *steps = json_object_get(json, "pretokenizers");
        for (size_t i = 0; i < json_array_size(steps); i++)
            if (read_step(p, json_array_get(steps, i), &found))
                return -1;
    } else if (read_step(p, json, &found)) {
        return -1;
    }
    if (found < 0)
        return refuse(p, "pre_tokenizer", type_of(json));
    p->pattern = (enum piece_pattern)found;
    return 0;
}

static int read_id(const struct parts *p, const json_t *id, uint32_t *out) {
    if (!json_is_integer(id) || json_integer_value(id) < 0 ||
        (uint64_t)json_integer_value(id) >= p->count)
        return error_set(p->error, "%s: a token's id is not below %zu", p->name, p->count);
    *out = (uint32_t)json_integer_value(id);
    return 0;
}

static int read_vocabulary(struct parts *p, const json_t *vocabulary) {
    const char *spelling;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)vocabulary, spelling, value) {
        uint32_t id = 0;
        if (read_id(p, value, &id))
            return -1;
        if (p->kinds[id] != TOKEN_UNUSED)
            return error_set(p->error, "%s: two tokens have the id %u", p->name, id);
        char *to = p->bytes + p->bytes_used;
        long length = tokenizer_from_printable(to, spelling, strlen(spelling));
        if (length < 0) { /* a mark that is in the vocabulary too; added_tokens will say */
            length = (long)strlen(spelling);
            memcpy(to, spelling, (size_t)length);
        }
        p->tokens[id] = (struct token_bytes){to, (size_t)length};
        p->kinds[id] = TOKEN_TEXT;
        p->bytes_used += (size_t)length;
    }
    return 0;
}

static int read_added(struct parts *p) {
    const json_t *added = json_object_get(p->json, "added_tokens");
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *entry = json_array_get(added, i);
        const char *content = json_string_value(json_object_get(entry, "content"));
        uint32_t id = 0;
        if (content == NULL || *content == '\0')
            return error_set(p->error, "%s: an added token has no content", p->name);
        if (read_id(p, json_object_get(entry, "id"), &id))
            return -1;
        size_t length = strlen(content);
        memcpy(p->bytes + p->bytes_used, content, length);
        p->tokens[id] = (struct token_bytes){p->bytes + p->bytes_used, length};
        p->kinds[id] =
            json_is_true(json_object_get(entry, "special")) ? TOKEN_SPECIAL : TOKEN_ADDED;
        p->bytes_used += length;
    }
    return 0;
}

/* "a b", or since 2024 ["a", "b"]. */
static int read_merge(struct parts *p, const json_t *merge, const json_t *vocabulary,
                      uint32_t *pair) {
    const char *text = json_string_value(merge), *second;
    char first[1024];
    if (text != NULL) {
        second = strchr(text, ' ');
        if (second == NULL || (size_t)(second - text) >= sizeof first)
            return error_set(p->error, "%s: the merge \"%.60s\" is no pair", p->name, text);
        snprintf(first, sizeof first, "%.*s", (int)(second - text), text);
        second++;
    } else {
        const char *left = json_string_value(json_array_get(merge, 0));
        second = json_string_value(json_array_get(merge, 1));
        if (json_array_size(merge) != 2 || left == NULL || second == NULL ||
            strlen(left) >= sizeof first)
            return error_set(p->error, "%s: a merge is no pair", p->name);
        snprintf(first, sizeof first, "%s", left);
    }
    return read_id(p, json_object_get(vocabulary, first), &pair[0]) ||
           read_id(p, json_object_get(vocabulary, second), &pair[1]);
}

static int read_merges(struct parts *p, const json_t *merges, const json_t *vocabulary) {
    p->merge_count = json_array_size(merges);
    p->merges = memory_allocate(p->merge_count, 2 * sizeof *p->merges, p->error);
    for (size_t i = 0; p->merges != NULL && i < p->merge_count; i++)
        if (read_merge(p, json_array_get(merges, i), vocabulary, p->merges + 2 * i))
            return -1;
    return p->merges != NULL ? 0 : -1;
}

/* Room for every token's bytes: no longer than they are in the file. */
static int make_room(struct parts *p, size_t bytes) {
    p->bytes = memory_allocate(bytes + 1, 1, p->error);
    p->tokens = memory_allocate(p->count, sizeof *p->tokens, p->error);
    p->kinds = memory_allocate(p->count, 1, p->error);
    if (p->bytes == NULL || p->tokens == NULL || p->kinds == NULL)
        return -1;
    memset(p->kinds, TOKEN_UNUSED, p->count);
    for (size_t i = 0; i < p->count; i++)
        p->tokens[i] = (struct token_bytes){p->bytes, 0};
    return 0;
}

/* One more than the largest id, or what the embedding has. */
static size_t count_ids(const struct parts *p, const json_t *vocabulary) {
    const json_t *added = json_object_get(p->json, "added_tokens"), *value;
    const char *spelling;
    json_int_t largest = (json_int_t)p->count - 1;
    json_object_foreach((json_t *)(uintptr_t)vocabulary, spelling, value) {
        largest = json_integer_value(value) > largest ? json_integer_value(value) : largest;
    }
    for (size_t i = 0; i < json_array_size(added); i++) {
        value = json_object_get(json_array_get(added, i), "id");
        largest = json_integer_value(value) > largest ? json_integer_value(value) : largest;
    }
    return largest < VOCABULARY_LIMIT ? (size_t)(largest + 1) : VOCABULARY_LIMIT + 1;
}

static int read_parts(struct parts *p, size_t bytes) {
    const json_t *model = json_object_get(p->json, "model");
    const json_t *vocabulary = json_object_get(model, "vocab");
    if (strcmp(type_of(model), "BPE") != 0 || !json_is_object(vocabulary))
        return refuse(p, "model", type_of(model));
    if (json_is_true(json_object_get(model, "byte_fallback")))
        return refuse(p, "model", "BPE with byte_fallback");
    p->count = count_ids(p, vocabulary);
    if (p->count > VOCABULARY_LIMIT)
        return error_set(p->error, "%s: %zu tokens are too many", p->name, p->count);
    return read_pattern(p) || make_room(p, bytes) || read_vocabulary(p, vocabulary) ||
           read_added(p) || read_merges(p, json_object_get(model, "merges"), vocabulary);
}

int tokenizer_json_parse(struct tokenizer **out, const char *text, size_t bytes, const char *name,
                         size_t vocabulary, struct error *error) {
    struct parts p = {.name = name, .count = vocabulary, .error = error};
    struct error inner;
    json_error_t problem;
    *out = NULL;
    p.json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &problem);
    int result = p.json == NULL
                     ? error_set(error, "%s:%d: %.200s", name, problem.line, problem.text)
                     : read_parts(&p, bytes);
    if (result == 0 &&
        tokenizer_create(out, p.tokens, p.kinds, p.count, p.merges, p.merge_count, &inner))
        result = error_set(error, "%s: %.900s", name, inner.message);
    if (result == 0)
        tokenizer_set_pieces(
            *out, p.pattern,
            json_is_true(json_object_get(json_object_get(p.json, "model"), "ignore_merges")));
    json_decref(p.json);
    memory_free(p.bytes);
    memory_free(p.tokens);
    memory_free(p.kinds);
    memory_free(p.merges);
    return result ? -1 : 0;
}

int tokenizer_json_load(struct tokenizer **out, const char *path, size_t vocabulary,
                        struct error *error) {
    char *text;
    size_t bytes;
    *out = NULL;
    if (file_read_all(path, FILE_LIMIT, &text, &bytes, error))
        return -1;
    int result = tokenizer_json_parse(out, text, bytes, path, vocabulary, error);
    free(text);
    return result;
}

/* The token as the vocabulary spells it. */
static char *spell(const struct tokenizer *t, uint32_t id) {
    struct token_bytes token = tokenizer_token(t, id);
    char *text = malloc(2 * token.length + 1);
    if (text == NULL)
        return NULL;
    if (tokenizer_kind(t, id) == TOKEN_TEXT) {
        tokenizer_printable(text, token.data, token.length);
    } else {
        memcpy(text, token.data, token.length);
        text[token.length] = '\0';
    }
    return text;
}

static json_t *describe_pattern(const struct tokenizer *t) {
    json_t *level = json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0,
                              "trim_offsets", 1, "use_regex", 1);
    enum piece_pattern pattern = tokenizer_pattern(t);
    if (pattern == PIECES_GPT2)
        return level;
    json_t *first = pattern == PIECES_SMOLLM
                        ? json_pack("{s:s, s:b}", "type", "Digits", "individual_digits", 1)
                        : json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "Regex",
                                    SPLITS[pattern], "behavior", "Isolated", "invert", 0);
    if (pattern != PIECES_SMOLLM)
        json_object_set_new(level, "use_regex", json_false());
    return json_pack("{s:s, s:[o, o]}", "type", "Sequence", "pretokenizers", first, level);
}

static json_t *describe(const struct tokenizer *t) {
    json_t *vocabulary = json_object(), *added = json_array(), *merges = json_array();
    for (uint32_t id = 0; id < tokenizer_vocabulary_size(t); id++) {
        char *text = spell(t, id);
        enum token_kind kind = tokenizer_kind(t, id);
        if (text != NULL && kind != TOKEN_UNUSED)
            json_object_set_new(vocabulary, text, json_integer(id));
        if (text != NULL && (kind == TOKEN_SPECIAL || kind == TOKEN_ADDED))
            json_array_append_new(added, json_pack("{s:I, s:s, s:b, s:b, s:b, s:b, s:b}", "id",
                                                   (json_int_t)id, "content", text, "single_word",
                                                   0, "lstrip", 0, "rstrip", 0, "normalized", 0,
                                                   "special", kind == TOKEN_SPECIAL));
        free(text);
    }
    for (size_t rank = 0; rank < tokenizer_merge_count(t); rank++) {
        const uint32_t *pair = tokenizer_merge(t, rank);
        char *left = spell(t, pair[0]), *right = spell(t, pair[1]);
        if (left != NULL && right != NULL)
            json_array_append_new(merges, json_pack("[s, s]", left, right));
        free(left);
        free(right);
    }
    return json_pack("{s:s, s:n, s:n, s:o, s:n, s:o, s:n, s:{s:s, s:b, s:b, s:b}, "
                     "s:{s:s, s:n, s:n, s:n, s:n, s:b, s:b, s:b, s:o, s:o}}",
                     "version", "1.0", "truncation", "padding", "added_tokens", added, "normalizer",
                     "pre_tokenizer", describe_pattern(t), "post_processor", "decoder", "type",
                     "ByteLevel", "add_prefix_space", 1, "trim_offsets", 1, "use_regex", 1, "model",
                     "type", "BPE", "dropout", "unk_token", "continuing_subword_prefix",
                     "end_of_word_suffix", "fuse_unk", 0, "byte_fallback", 0, "ignore_merges",
                     tokenizer_takes_whole_pieces(t), "vocab", vocabulary, "merges", merges);
}

int tokenizer_json_save(const struct tokenizer *tokenizer, const char *path, struct error *error) {
    json_t *json = describe(tokenizer);
    char *text = json == NULL ? NULL : json_dumps(json, JSON_INDENT(1));
    struct file_writer file;
    json_decref(json);
    if (text == NULL)
        return error_set(error, "out of memory, or a token that is no UTF-8");
    int result = file_writer_open(&file, path, error);
    if (result == 0) {
        fputs(text, file.stream);
        result = file_writer_commit(&file, error);
    }
    free(text);
    return result;
}
