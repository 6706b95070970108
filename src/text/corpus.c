#include "text/corpus.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "text/catalogue.h"
#include "text/string_pool.h"

struct corpus {
    char *directory;
    const char *name;
    struct string_pool strings;
    struct corpus_slot slots[MANIFEST_SLOT_LIMIT];
    size_t slot_count;
    struct corpus_document *documents;
    size_t document_count, document_capacity;
    struct corpus_label *labels; /* [document_count,slot_count] */
    struct shard *shards;
    size_t shard_count, shard_capacity;
    struct tokenizer *tokenizer;
    char pieces[32]; /* as the catalogue names the pattern; "": it does not */
    int takes_whole_pieces;
    uint32_t begin, end;
    sqlite3 *database; /* only while opening */
};

static int wrong(const struct corpus *c, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(const struct corpus *c, struct error *error, const char *format, ...) {
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return error_set(error, "%.400s/" CATALOGUE_NAME ": %s", c->directory, message);
}

/* One row at a time: 1 a row, 0 the end, -1 an error. */
static int next_row(struct corpus *c, sqlite3_stmt *rows, struct error *error) {
    int code = sqlite3_step(rows);
    if (code == SQLITE_ROW)
        return 1;
    return code == SQLITE_DONE ? 0 : wrong(c, error, "%s", sqlite3_errmsg(c->database));
}

static sqlite3_stmt *select_rows(struct corpus *c, const char *sql, struct error *error) {
    sqlite3_stmt *rows = NULL;
    if (sqlite3_prepare_v2(c->database, sql, -1, &rows, NULL) != SQLITE_OK)
        wrong(c, error, "%s", sqlite3_errmsg(c->database));
    return rows;
}

/* The columns' types are checked here and not trusted to the schema, which is input too. A number
 * that is no whole one, or is negative, gives -1. */
static long long column_count(sqlite3_stmt *rows, int column) {
    if (sqlite3_column_type(rows, column) != SQLITE_INTEGER)
        return -1;
    long long value = sqlite3_column_int64(rows, column);
    return value >= 0 ? value : -1;
}

/* NULL when it is no text, is empty, or has a NUL inside. */
static const char *column_text(sqlite3_stmt *rows, int column) {
    if (sqlite3_column_type(rows, column) != SQLITE_TEXT)
        return NULL;
    const char *text = (const char *)sqlite3_column_text(rows, column);
    size_t bytes = (size_t)sqlite3_column_bytes(rows, column);
    return text != NULL && bytes > 0 && strlen(text) == bytes ? text : NULL;
}

/* Runs `load` for each row of the query. */
static int load_rows(struct corpus *c, const char *sql,
                     int (*load)(struct corpus *c, sqlite3_stmt *row, void *state,
                                 struct error *error),
                     void *state, struct error *error) {
    sqlite3_stmt *rows = select_rows(c, sql, error);
    int got = rows == NULL ? -1 : 0;
    while (got == 0 && (got = next_row(c, rows, error)) == 1)
        got = load(c, rows, state, error);
    sqlite3_finalize(rows);
    return got;
}

static int load_meta(struct corpus *c, sqlite3_stmt *row, void *state, struct error *error) {
    int *has_format = state;
    const char *key = column_text(row, 0), *value = column_text(row, 1);
    if (key == NULL || value == NULL)
        return wrong(c, error, "a row of the table meta is no text");
    if (strcmp(key, "format") == 0 && atoi(value) != CATALOGUE_FORMAT)
        return wrong(c, error, "it has format %.20s; this program reads format %d", value,
                     CATALOGUE_FORMAT);
    if (strcmp(key, "format") == 0)
        *has_format = 1;
    if (strcmp(key, "pieces") == 0)
        snprintf(c->pieces, sizeof c->pieces, "%s", value);
    if (strcmp(key, "whole_pieces") == 0)
        c->takes_whole_pieces = strcmp(value, "1") == 0;
    if (strcmp(key, "begin") == 0)
        c->begin = (uint32_t)strtoul(value, NULL, 10);
    if (strcmp(key, "end") == 0)
        c->end = (uint32_t)strtoul(value, NULL, 10);
    if (strcmp(key, "name") == 0) {
        c->name = string_pool_intern(&c->strings, value, error);
        return c->name != NULL ? 0 : -1;
    }
    return 0;
}

static int load_slot(struct corpus *c, sqlite3_stmt *row, void *state, struct error *error) {
    (void)state;
    const char *name = column_text(row, 1), *kind_name = column_text(row, 2);
    int kind = kind_name == NULL ? -1 : slot_kind_from_name(kind_name);
    if (column_count(row, 0) != (long long)c->slot_count || name == NULL || kind < 0 ||
        c->slot_count == MANIFEST_SLOT_LIMIT)
        return wrong(c, error, "slot %zu is not sound", c->slot_count);
    for (size_t i = 0; i < c->slot_count; i++)
        if (strcmp(c->slots[i].name, name) == 0)
            return wrong(c, error, "the slot \"%.100s\" is there twice", name);
    const char *copy = string_pool_intern(&c->strings, name, error);
    if (copy == NULL)
        return -1;
    c->slots[c->slot_count++] = (struct corpus_slot){(char *)copy, (enum slot_kind)kind};
    return 0;
}

/* Documents must cover the shards without gaps, in order, which bounds their number as well. */
struct cursor {
    size_t used; /* tokens of the last shard that documents before this one have */
};

static int open_next_shard(struct corpus *c, struct cursor *cursor, struct error *error) {
    if (memory_grow(&c->shards, &c->shard_capacity, c->shard_count + 1, sizeof *c->shards, error) ||
        shard_open(&c->shards[c->shard_count], c->directory, c->shard_count, error))
        return -1;
    c->shard_count++;
    cursor->used = 0;
    return 0;
}

static size_t tokens_left(const struct corpus *c, const struct cursor *cursor) {
    return c->shard_count == 0 ? 0 : c->shards[c->shard_count - 1].token_count - cursor->used;
}

static int load_document(struct corpus *c, sqlite3_stmt *row, void *state, struct error *error) {
    struct cursor *cursor = state;
    const char *name = column_text(row, 1), *split = column_text(row, 2);
    long long shard = column_count(row, 3), first = column_count(row, 4),
              count = column_count(row, 5);
    if (column_count(row, 0) != (long long)c->document_count || name == NULL || split == NULL ||
        (strcmp(split, "train") != 0 && strcmp(split, "held-out") != 0))
        return wrong(c, error, "document %zu is not sound", c->document_count);
    if (shard == (long long)c->shard_count && tokens_left(c, cursor) == 0 &&
        open_next_shard(c, cursor, error))
        return -1;
    if (shard != (long long)c->shard_count - 1 || first != (long long)cursor->used || count < 1 ||
        (size_t)count > tokens_left(c, cursor))
        return wrong(c, error, "document %zu does not lie where its shard has tokens for it",
                     c->document_count);
    if (memory_grow(&c->documents, &c->document_capacity, c->document_count + 1,
                    sizeof *c->documents, error))
        return -1;
    const char *copy = string_pool_add(&c->strings, name, strlen(name), error);
    if (copy == NULL)
        return -1;
    c->documents[c->document_count++] = (struct corpus_document){
        .name = copy,
        .tokens = c->shards[c->shard_count - 1].tokens + cursor->used,
        .token_count = (size_t)count,
        .is_held_out = strcmp(split, "held-out") == 0,
    };
    cursor->used += (size_t)count;
    return 0;
}

static int load_documents(struct corpus *c, struct error *error) {
    struct cursor cursor = {0};
    if (load_rows(c,
                  "SELECT position, id, split, shard, first_token, token_count FROM documents"
                  " ORDER BY position",
                  load_document, &cursor, error))
        return -1;
    if (c->document_count == 0)
        return wrong(c, error, "it has no documents");
    if (tokens_left(c, &cursor) > 0)
        return wrong(c, error, "the last shard has %zu tokens of no document",
                     tokens_left(c, &cursor));
    size_t count;
    if (__builtin_mul_overflow(c->document_count, c->slot_count, &count))
        return wrong(c, error, "it has too many documents");
    c->labels = memory_allocate(count, sizeof *c->labels, error);
    if (c->labels == NULL)
        return -1;
    for (size_t i = 0; i < c->document_count; i++)
        c->documents[i].labels = c->labels + i * c->slot_count;
    return 0;
}

static int is_number_within(sqlite3_stmt *row, int column, double limit) {
    return sqlite3_column_type(row, column) == SQLITE_FLOAT &&
           fabs(sqlite3_column_double(row, column)) <= limit; /* not of a NaN */
}

static int load_label(struct corpus *c, sqlite3_stmt *row, void *state, struct error *error) {
    long long *last = state; /* labels come in order, none twice */
    long long document = column_count(row, 0), slot = column_count(row, 1);
    if (document < 0 || document >= (long long)c->document_count || slot < 0 ||
        slot >= (long long)c->slot_count || document * (long long)c->slot_count + slot <= *last)
        return wrong(c, error, "a label belongs to no document and slot, or is there twice");
    *last = document * (long long)c->slot_count + slot;
    struct corpus_label *label = &c->labels[*last];
    enum slot_kind kind = c->slots[slot].kind;
    const char *text = column_text(row, 2);
    int is_sound = kind == SLOT_CATEGORICAL ? text != NULL
                   : kind == SLOT_DATE
                       ? is_number_within(row, 3, 1e6)
                       : is_number_within(row, 3, 90) && is_number_within(row, 4, 180);
    if (!is_sound)
        return wrong(c, error, "document %lld has a label of slot \"%.100s\" that is no %s",
                     document, c->slots[slot].name, slot_kind_name(kind));
    label->is_given = 1;
    if (kind == SLOT_CATEGORICAL) {
        label->text = string_pool_intern(&c->strings, text, error);
        return label->text != NULL ? 0 : -1;
    }
    label->number[0] = sqlite3_column_double(row, 3);
    label->number[1] = kind == SLOT_PLACE ? sqlite3_column_double(row, 4) : 0;
    return 0;
}

/* The vocabulary while it is read. */
struct vocabulary {
    struct string_pool bytes;
    struct token_bytes *tokens;
    size_t count, tokens_capacity;
    uint8_t *is_special;
    size_t special_capacity;
    uint32_t *merges;
    size_t merge_count, merges_capacity;
};

static int load_token(struct corpus *c, sqlite3_stmt *row, void *state, struct error *error) {
    struct vocabulary *v = state;
    long long is_special = column_count(row, 2);
    if (column_count(row, 0) != (long long)v->count || is_special < 0 ||
        is_special > TOKEN_UNUSED || sqlite3_column_type(row, 1) != SQLITE_BLOB ||
        v->count == UINT32_MAX)
        return wrong(c, error, "token %zu is not sound", v->count);
    const void *bytes = sqlite3_column_blob(row, 1);
    size_t length = (size_t)sqlite3_column_bytes(row, 1);
    if (bytes == NULL || length == 0)
        return wrong(c, error, "token %zu is empty", v->count);
    const char *copy = string_pool_add(&v->bytes, bytes, length, error);
    if (copy == NULL ||
        memory_grow(&v->tokens, &v->tokens_capacity, v->count + 1, sizeof *v->tokens, error) ||
        memory_grow(&v->is_special, &v->special_capacity, v->count + 1, 1, error))
        return -1;
    v->tokens[v->count] = (struct token_bytes){copy, length};
    v->is_special[v->count++] = (uint8_t)is_special;
    return 0;
}

static int load_merge(struct corpus *c, sqlite3_stmt *row, void *state, struct error *error) {
    struct vocabulary *v = state;
    long long left = column_count(row, 1), right = column_count(row, 2);
    if (column_count(row, 0) != (long long)v->merge_count || left < 0 || right < 0 ||
        left >= (long long)v->count || right >= (long long)v->count)
        return wrong(c, error, "merge %zu is not sound", v->merge_count);
    if (memory_grow(&v->merges, &v->merges_capacity, 2 * v->merge_count + 2, sizeof *v->merges,
                    error))
        return -1;
    v->merges[2 * v->merge_count] = (uint32_t)left;
    v->merges[2 * v->merge_count++ + 1] = (uint32_t)right;
    return 0;
}

/* Corpora from before these were stored have GPT-2's pieces and begin with "<|endoftext|>". */
static int set_up_tokenizer(struct corpus *c, struct error *error) {
    if (c->pieces[0] != '\0') {
        int pattern = piece_pattern_find(c->pieces, strlen(c->pieces));
        if (pattern < 0)
            return wrong(c, error, "its text was cut by the unknown pattern %s", c->pieces);
        tokenizer_set_pieces(c->tokenizer, (enum piece_pattern)pattern, c->takes_whole_pieces);
        tokenizer_set_ends(c->tokenizer, c->begin, c->end);
    }
    uint32_t begin = tokenizer_end_of_text(c->tokenizer);
    if (begin >= tokenizer_vocabulary_size(c->tokenizer) ||
        !tokenizer_is_special(c->tokenizer, begin))
        return wrong(c, error, "its vocabulary has no special token for the end of text");
    return 0;
}

static int load_tokenizer(struct corpus *c, struct error *error) {
    struct vocabulary v = {0};
    int result = load_rows(c, "SELECT id, bytes, is_special FROM tokens ORDER BY id", load_token,
                           &v, error) ||
                 load_rows(c, "SELECT rank, left_token, right_token FROM merges ORDER BY rank",
                           load_merge, &v, error) ||
                 tokenizer_create(&c->tokenizer, v.tokens, v.is_special, v.count, v.merges,
                                  v.merge_count, error);
    if (result == 0)
        result = set_up_tokenizer(c, error);
    string_pool_free(&v.bytes);
    free(v.tokens);
    free(v.is_special);
    free(v.merges);
    return result ? -1 : 0;
}

/* A token outside of the vocabulary would be read outside of the embedding. */
static int check_tokens(const struct corpus *c, struct error *error) {
    size_t vocabulary = tokenizer_vocabulary_size(c->tokenizer);
    size_t wrong_document = SIZE_MAX;
#pragma omp parallel for schedule(static) reduction(min : wrong_document)
    for (size_t i = 0; i < c->document_count; i++) {
        const struct corpus_document *document = &c->documents[i];
        uint32_t largest = 0;
        for (size_t j = 0; j < document->token_count; j++)
            largest = document->tokens[j] > largest ? document->tokens[j] : largest;
        if (document->tokens[0] != tokenizer_end_of_text(c->tokenizer) || largest >= vocabulary)
            wrong_document = i < wrong_document ? i : wrong_document;
    }
    if (wrong_document == SIZE_MAX)
        return 0;
    return error_set(error,
                     "%s: document %zu has tokens outside of the vocabulary of %zu, or does not "
                     "start with the end of text",
                     c->directory, wrong_document, vocabulary);
}

static int load(struct corpus *c, struct error *error) {
    int has_format = 0;
    long long last_label = -1;
    if (load_rows(c, "SELECT key, value FROM meta", load_meta, &has_format, error))
        return -1;
    if (c->name == NULL || !has_format)
        return wrong(c, error, "it has no name or no format");
    return load_rows(c, "SELECT position, name, kind FROM slots ORDER BY position", load_slot, NULL,
                     error) ||
                   load_documents(c, error) ||
                   load_rows(c,
                             "SELECT document, slot, text, number, second_number FROM labels"
                             " ORDER BY document, slot",
                             load_label, &last_label, error) ||
                   load_tokenizer(c, error) || check_tokens(c, error)
               ? -1
               : 0;
}

int corpus_open(struct corpus **out, const char *directory, struct error *error) {
    *out = NULL;
    struct corpus *c = memory_allocate(1, sizeof *c, error);
    if (c == NULL)
        return -1;
    c->directory = strdup(directory);
    int result = c->directory == NULL ? error_set(error, "out of memory opening a corpus") : 0;
    if (result == 0)
        result = catalogue_open(&c->database, directory, error);
    if (result == 0)
        result = load(c, error);
    sqlite3_close(c->database);
    c->database = NULL;
    if (result != 0) {
        corpus_close(c);
        return -1;
    }
    *out = c;
    return 0;
}

void corpus_close(struct corpus *c) {
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->shard_count; i++)
        shard_close(&c->shards[i]);
    free(c->shards);
    free(c->documents);
    memory_free(c->labels);
    string_pool_free(&c->strings);
    tokenizer_destroy(c->tokenizer);
    free(c->directory);
    memory_free(c);
}

const char *corpus_name(const struct corpus *c) {
    return c->name;
}

size_t corpus_document_count(const struct corpus *c) {
    return c->document_count;
}

const struct corpus_document *corpus_document(const struct corpus *c, size_t index) {
    return &c->documents[index];
}

size_t corpus_slot_count(const struct corpus *c) {
    return c->slot_count;
}

const struct corpus_slot *corpus_slot(const struct corpus *c, size_t index) {
    return &c->slots[index];
}

const struct tokenizer *corpus_tokenizer(const struct corpus *c) {
    return c->tokenizer;
}

int corpus_check_tokenizer(const struct corpus *corpus, const struct tokenizer *tokenizer,
                           struct error *error) {
    const struct tokenizer *own = corpus_tokenizer(corpus);
    size_t count = tokenizer_vocabulary_size(own);
    int is_same = count == tokenizer_vocabulary_size(tokenizer);
    for (uint32_t i = 0; is_same && i < count; i++) {
        struct token_bytes a = tokenizer_token(own, i), b = tokenizer_token(tokenizer, i);
        is_same = a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
    }
    return is_same ? 0
                   : error_set(error,
                               "corpus %s was cut into other tokens than the model's; build it "
                               "with the manifest that the model was trained with",
                               corpus_name(corpus));
}

int corpus_copy_tokenizer(const struct corpus *c, struct tokenizer **out, struct error *error) {
    return tokenizer_copy(out, c->tokenizer, error);
}
