#include "truth/library_index.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "truth/library.h"

int library_path(char path[4096], const char *corpus_directory, struct error *error) {
    int length = snprintf(path, 4096, "%s/" LIBRARY_NAME, corpus_directory);
    return length < 4096 ? 0 : error_set(error, "the path of %s is too long", corpus_directory);
}

int library_index_failed(const struct library_index *index, struct error *error) {
    int code = sqlite3_errcode(index->database) & 0xff;
    return error_set(
        error, "cannot read %s: %s%s", index->path, sqlite3_errmsg(index->database),
        code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? "; remove it, and it is made anew" : "");
}

/* Runs a query that gives one number. */
static int one_number(struct library_index *index, const char *sql, int64_t *number,
                      struct error *error) {
    sqlite3_stmt *statement = NULL;
    int result = 0;
    if (sqlite3_prepare_v2(index->database, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        result = library_index_failed(index, error);
    else
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return result;
}

/* A view, a trigger or another virtual table in a table's place could run code of its own. */
static int check_tables(struct library_index *index, struct error *error) {
    static const char SQL[] = "SELECT (SELECT count(*) FROM sqlite_schema WHERE sql IN ("
                              "'" LIBRARY_META "', '" LIBRARY_DOCUMENTS "', ?)) = 3 AND NOT EXISTS "
                              "(SELECT 1 FROM sqlite_schema WHERE type IN ('view', 'trigger') "
                              "OR (sql LIKE 'CREATE VIRTUAL%' AND name <> 'passages'))";
    sqlite3_stmt *statement = NULL;
    int result = 0;
    if (sqlite3_prepare_v2(index->database, SQL, -1, &statement, NULL) != SQLITE_OK) {
        result = library_index_failed(index, error);
    } else {
        sqlite3_bind_text(statement, 1, LIBRARY_PASSAGES, -1, SQLITE_STATIC);
        if (sqlite3_step(statement) != SQLITE_ROW)
            result = library_index_failed(index, error);
        else if (!sqlite3_column_int(statement, 0))
            result = error_set(error, "%s does not have the tables of a library", index->path);
    }
    sqlite3_finalize(statement);
    return result;
}

static int check_identity(struct library_index *index, uint64_t fingerprint, struct error *error) {
    int64_t format = 0, of = 0;
    if (one_number(index,
                   "SELECT ifnull(max(value + 0), 0) FROM meta WHERE key = 'format' AND "
                   "length(value) < 20",
                   &format, error) ||
        one_number(index,
                   "SELECT ifnull(max(CAST(value AS INTEGER)), 0) FROM meta WHERE key = 'corpus' "
                   "AND length(value) < 22",
                   &of, error))
        return -1;
    if (format != LIBRARY_FORMAT)
        return error_set(error, "%s is of format %" PRId64 ", not %d", index->path, format,
                         LIBRARY_FORMAT);
    if ((uint64_t)of != fingerprint)
        return error_set(error, "%s is not of these documents", index->path);
    return 0;
}

static int prepare(struct library_index *index, struct error *error) {
    static const char SEARCH[] = "SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY rank",
                      TEXT[] = "SELECT text FROM passages WHERE rowid = ?",
                      VOCABULARY[] = "PRAGMA temp_store = MEMORY; CREATE VIRTUAL TABLE "
                                     "temp.vocabulary USING fts5vocab(main, passages, row)",
                      FREQUENCY[] = "SELECT doc FROM vocabulary WHERE term = ?";
    if (sqlite3_exec(index->database, VOCABULARY, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(index->database, SEARCH, -1, &index->search, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(index->database, TEXT, -1, &index->text, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(index->database, FREQUENCY, -1, &index->frequency, NULL) != SQLITE_OK)
        return library_index_failed(index, error);
    return 0;
}

static const char *pooled(struct library_index *index, sqlite3_stmt *row, int column,
                          struct error *error) {
    const char *text = (const char *)sqlite3_column_text(row, column);
    if (text == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    size_t length = strlen(text); /* up to the first NUL, should there be one */
    return string_pool_add(&index->pool, text, length, error);
}

static int32_t find_author(const struct library_index *index, const char *label) {
    size_t low = 0, high = index->author_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(index->authors[middle].label, label);
        if (order == 0)
            return (int32_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NO_AUTHOR;
}

static int add_author(struct library_index *index, sqlite3_stmt *row, struct error *error) {
    const char *label = pooled(index, row, 0, error);
    if (label == NULL)
        return -1;
    size_t count = index->author_count;
    if (count >= INT32_MAX || (count > 0 && strcmp(index->authors[count - 1].label, label) >= 0))
        return error_set(error, "%s: author %zu is broken", index->path, count);
    if (memory_grow(&index->authors, &index->author_capacity, count + 1, sizeof *index->authors,
                    error))
        return -1;
    index->authors[index->author_count++] = (struct library_author){.label = label};
    return 0;
}

static int add_document(struct library_index *index, sqlite3_stmt *row, struct error *error) {
    struct library_document d = {.name = pooled(index, row, 0, error), .author = NO_AUTHOR};
    if (d.name == NULL || (d.labels = pooled(index, row, 2, error)) == NULL)
        return -1;
    int has_author = sqlite3_column_type(row, 1) != SQLITE_NULL;
    if (has_author)
        d.author = find_author(index, (const char *)sqlite3_column_text(row, 1));
    d.year = sqlite3_column_type(row, 3) != SQLITE_NULL ? sqlite3_column_double(row, 3) : NAN;
    d.first_passage = sqlite3_column_int64(row, 4);
    d.passage_count = sqlite3_column_int64(row, 5);
    if ((has_author && d.author == NO_AUTHOR) || isinf(d.year) ||
        d.first_passage != index->passage_count + 1 || d.passage_count < 1 ||
        d.passage_count > INT32_MAX)
        return error_set(error, "%s: document %zu is broken", index->path, index->document_count);
    if (memory_grow(&index->documents, &index->document_capacity, index->document_count + 1,
                    sizeof *index->documents, error))
        return -1;
    index->documents[index->document_count++] = d;
    index->passage_count += d.passage_count;
    return 0;
}

static int each_row(struct library_index *index, const char *sql,
                    int (*take)(struct library_index *, sqlite3_stmt *, struct error *),
                    struct error *error) {
    sqlite3_stmt *rows = NULL;
    int code = SQLITE_DONE, result = 0;
    if (sqlite3_prepare_v2(index->database, sql, -1, &rows, NULL) != SQLITE_OK)
        return library_index_failed(index, error);
    while (result == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW)
        result = take(index, rows, error);
    if (result == 0 && code != SQLITE_DONE)
        result = library_index_failed(index, error);
    sqlite3_finalize(rows);
    return result;
}

static int compare_names(const void *a, const void *b) {
    const struct library_name *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key)
                            : (x->author > y->author) - (x->author < y->author);
}

static int compare_keys(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The words of authors' labels: by word, to look them up, and by author, in order. */
static int load_names(struct library_index *index, struct word_list *words, struct error *error) {
    for (size_t i = 0; i < index->author_count; i++) {
        struct library_author *author = &index->authors[i];
        if (words_cut(&index->cutter, author->label, strlen(author->label), words, error) ||
            memory_grow(&index->names, &index->name_capacity, index->name_count + words->count,
                        sizeof *index->names, error))
            return -1;
        author->word_count = words->count;
        for (size_t j = 0; j < words->count; j++)
            index->names[index->name_count++] =
                (struct library_name){words->items[j].key, (uint32_t)i};
    }
    index->author_words = memory_allocate(index->name_count, sizeof(uint64_t), error);
    if (index->author_words == NULL)
        return -1;
    for (size_t i = 0, at = 0; i < index->author_count; i++) {
        index->authors[i].words = index->author_words + at;
        for (size_t j = 0; j < index->authors[i].word_count; j++, at++)
            index->author_words[at] = index->names[at].key;
    }
    if (index->name_count > 0)
        qsort(index->names, index->name_count, sizeof *index->names, compare_names);
    return 0;
}

static int load_label_words(struct library_index *index, struct word_list *words,
                            struct error *error) {
    const char *last = "";
    for (size_t i = 0; i < index->document_count; i++) {
        const char *labels = index->documents[i].labels;
        if (strcmp(labels, last) == 0)
            continue; /* mostly those of the document before */
        last = labels;
        if (words_cut(&index->cutter, labels, strlen(labels), words, error) ||
            memory_grow(&index->label_words, &index->label_word_capacity,
                        index->label_word_count + words->count, sizeof(uint64_t), error))
            return -1;
        for (size_t j = 0; j < words->count; j++)
            index->label_words[index->label_word_count++] = words->items[j].key;
    }
    if (index->label_word_count > 0)
        qsort(index->label_words, index->label_word_count, sizeof(uint64_t), compare_keys);
    return 0;
}

static int load(struct library_index *index, struct error *error) {
    struct word_list words = {0};
    int result =
        each_row(index, "SELECT DISTINCT author FROM documents WHERE author NOT NULL ORDER BY 1",
                 add_author, error) ||
                each_row(index,
                         "SELECT name, author, labels, year, first_passage, passage_count FROM "
                         "documents ORDER BY position",
                         add_document, error) ||
                load_names(index, &words, error) || load_label_words(index, &words, error)
            ? -1
            : 0;
    word_list_free(&words);
    return result;
}

int library_index_open(struct library_index *index, const char *corpus_directory,
                       uint64_t fingerprint, struct error *error) {
    enum { LONGEST_VALUE = 1 << 24 };
    *index = (struct library_index){0};
    if (library_path(index->path, corpus_directory, error))
        return -1;
    if (access(index->path, R_OK) != 0)
        return error_set_errno(error, "cannot open %s", index->path);
    int result = 0;
    if (sqlite3_open_v2(index->path, &index->database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK) {
        result = library_index_failed(index, error);
    } else {
        sqlite3_db_config(index->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(index->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_limit(index->database, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
        sqlite3_exec(index->database, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
        result = check_tables(index, error) || check_identity(index, fingerprint, error) ||
                 prepare(index, error) ||
                 word_cutter_open(&index->cutter, index->database, error) || load(index, error);
    }
    if (result != 0)
        library_index_close(index);
    return result == 0 ? 0 : -1;
}

void library_index_close(struct library_index *index) {
    sqlite3_finalize(index->search);
    sqlite3_finalize(index->text);
    sqlite3_finalize(index->frequency);
    word_cutter_close(&index->cutter);
    sqlite3_close(index->database);
    string_pool_free(&index->pool);
    free(index->documents);
    free(index->authors);
    free(index->names);
    memory_free(index->author_words);
    free(index->label_words);
    *index = (struct library_index){0};
}

int64_t library_index_document(const struct library_index *index, int64_t passage) {
    if (passage < 1 || passage > index->passage_count)
        return -1;
    size_t low = 0, high = index->document_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (index->documents[middle].first_passage <= passage)
            low = middle;
        else
            high = middle;
    }
    return (int64_t)low;
}

int64_t library_index_frequency(struct library_index *index, const char *stem,
                                struct error *error) {
    sqlite3_bind_text(index->frequency, 1, stem, -1, SQLITE_STATIC);
    int code = sqlite3_step(index->frequency);
    int64_t count = code == SQLITE_ROW ? sqlite3_column_int64(index->frequency, 0) : 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        library_index_failed(index, error);
        count = -1;
    }
    sqlite3_reset(index->frequency);
    sqlite3_clear_bindings(index->frequency);
    return count < -1 ? 0 : count;
}

int library_index_is_label(const struct library_index *index, uint64_t key) {
    return index->label_word_count > 0 && bsearch(&key, index->label_words, index->label_word_count,
                                                  sizeof key, compare_keys) != NULL;
}
