/* Writes library.sqlite: the passages of a corpus's documents, without those that are held out. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "text/catalogue.h"
#include "text/corpus.h"
#include "truth/library.h"
#include "truth/library_index.h"
#include "truth/passage.h"

static void mix(uint64_t *h, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++)
        *h = (*h ^ at[i]) * 0x100000001b3; /* FNV-1a */
}

/* Every value with its length, so that no two tables read the same. */
static int mix_rows(sqlite3 *catalogue, const char *sql, uint64_t *h, struct error *error) {
    sqlite3_stmt *rows = NULL;
    int code = sqlite3_prepare_v2(catalogue, sql, -1, &rows, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(rows);
        for (int i = 0; code == SQLITE_ROW && i < sqlite3_column_count(rows); i++) {
            const void *bytes = sqlite3_column_blob(rows, i);
            int32_t count = sqlite3_column_bytes(rows, i);
            mix(h, &count, sizeof count);
            if (bytes != NULL)
                mix(h, bytes, (size_t)count);
        }
    }
    if (code != SQLITE_DONE)
        error_set(error, "cannot read the catalogue: %s", sqlite3_errmsg(catalogue));
    sqlite3_finalize(rows);
    return code == SQLITE_DONE ? 0 : -1;
}

int library_fingerprint(const char *corpus_directory, uint64_t *fingerprint, struct error *error) {
    sqlite3 *catalogue;
    *fingerprint = 0xcbf29ce484222325;
    if (catalogue_open(&catalogue, corpus_directory, error))
        return -1;
    int result =
        mix_rows(catalogue, "SELECT name, kind FROM slots ORDER BY position", fingerprint, error) ||
        mix_rows(catalogue, "SELECT id, hash, split FROM documents ORDER BY position", fingerprint,
                 error) ||
        mix_rows(catalogue,
                 "SELECT document, slot, text, number FROM labels ORDER BY document, slot",
                 fingerprint, error);
    sqlite3_close(catalogue);
    return result == 0 ? 0 : -1;
}

struct writer {
    struct corpus *corpus;
    sqlite3 *database;
    sqlite3_stmt *add_document, *add_passage;
    char path[4096], temporary[4120]; /* temporary is "" when there is nothing to remove */
    size_t author_slot, date_slot;    /* SIZE_MAX: none */
    char *text, *labels;
    size_t text_capacity, labels_capacity;
    int64_t passage_count;
};

static int failed(const struct writer *w, struct error *error) {
    return error_set(error, "cannot write %s: %s", w->path, sqlite3_errmsg(w->database));
}

/* The author is in the categorical slot of that name, else in the first; the year in the first of
 * dates. */
static void choose_slots(struct writer *w) {
    w->author_slot = w->date_slot = SIZE_MAX;
    for (size_t i = corpus_slot_count(w->corpus); i-- > 0;)
        if (corpus_slot(w->corpus, i)->kind == SLOT_CATEGORICAL)
            w->author_slot = i;
        else if (corpus_slot(w->corpus, i)->kind == SLOT_DATE)
            w->date_slot = i;
    for (size_t i = 0; i < corpus_slot_count(w->corpus); i++)
        if (corpus_slot(w->corpus, i)->kind == SLOT_CATEGORICAL &&
            strcmp(corpus_slot(w->corpus, i)->name, "author") == 0)
            w->author_slot = i;
}

static int create(struct writer *w, struct error *error) {
    static const char START[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                                "BEGIN;" LIBRARY_META ";" LIBRARY_DOCUMENTS ";" LIBRARY_PASSAGES;
    char temporary[sizeof w->temporary];
    snprintf(temporary, sizeof temporary, "%s.tmp-XXXXXX", w->path);
    int descriptor = mkostemp(temporary, O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(error, "cannot create %s", temporary);
    strcpy(w->temporary, temporary);
    mode_t mask = umask(0);
    umask(mask);
    fchmod(descriptor, 0666 & ~mask);
    close(descriptor);
    if (sqlite3_open_v2(temporary, &w->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(w->database, START, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(w->database, "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", -1,
                           &w->add_document, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(w->database,
                           "INSERT INTO passages(rowid, text, author, labels, year) "
                           "VALUES (?, ?, ?, ?, ?)",
                           -1, &w->add_passage, NULL) != SQLITE_OK)
        return failed(w, error);
    return 0;
}

static int decode(struct writer *w, const struct corpus_document *document, size_t *bytes,
                  struct error *error) {
    const struct tokenizer *tokenizer = corpus_tokenizer(w->corpus);
    size_t length = 0;
    for (size_t i = 0; i < document->token_count; i++) {
        if (tokenizer_is_special(tokenizer, document->tokens[i]))
            continue;
        struct token_bytes token = tokenizer_token(tokenizer, document->tokens[i]);
        if (memory_grow(&w->text, &w->text_capacity, length + token.length + 1, 1, error))
            return -1;
        memcpy(w->text + length, token.data, token.length);
        length += token.length;
    }
    *bytes = length > 0 ? text_tidy(w->text, length) : 0;
    return 0;
}

/* w->labels <- the categorical labels but the author's, with a space after each. */
static int join_labels(struct writer *w, const struct corpus_document *document,
                       struct error *error) {
    size_t length = 0;
    if (memory_grow(&w->labels, &w->labels_capacity, 1, 1, error))
        return -1;
    for (size_t i = 0; i < corpus_slot_count(w->corpus); i++) {
        const char *label = document->labels[i].text;
        if (i == w->author_slot || !document->labels[i].is_given || label == NULL)
            continue;
        size_t bytes = strlen(label);
        if (memory_grow(&w->labels, &w->labels_capacity, length + bytes + 2, 1, error))
            return -1;
        memcpy(w->labels + length, label, bytes);
        w->labels[length + bytes] = ' ';
        length += bytes + 1;
    }
    w->labels[length] = '\0';
    return 0;
}

static int run(struct writer *w, sqlite3_stmt *statement, struct error *error) {
    int code = sqlite3_step(statement);
    if (code != SQLITE_DONE)
        failed(w, error);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

static int add_passage(struct writer *w, const char *text, size_t bytes, struct error *error) {
    sqlite3_bind_int64(w->add_passage, 1, ++w->passage_count);
    sqlite3_bind_text64(w->add_passage, 2, text, bytes, SQLITE_STATIC, SQLITE_UTF8);
    return run(w, w->add_passage, error);
}

static int add_document(struct writer *w, size_t position, struct error *error) {
    const struct corpus_document *document = corpus_document(w->corpus, position);
    size_t bytes, start, end;
    if (decode(w, document, &bytes, error) || join_labels(w, document, error))
        return -1;
    const char *author = w->author_slot != SIZE_MAX ? document->labels[w->author_slot].text : NULL;
    const struct corpus_label *date =
        w->date_slot != SIZE_MAX ? &document->labels[w->date_slot] : NULL;
    int64_t first = w->passage_count + 1;
    sqlite3_bind_text(w->add_passage, 3, author, -1, SQLITE_STATIC);
    sqlite3_bind_text(w->add_passage, 4, w->labels, -1, SQLITE_STATIC);
    char year[32] = "";
    if (date != NULL && date->is_given)
        snprintf(year, sizeof year, "%.0f", floor(date->number[0]));
    sqlite3_bind_text(w->add_passage, 5, year, -1, SQLITE_STATIC);
    struct passage_cutter cutter = {w->text, bytes, 0};
    if (bytes == 0 && add_passage(w, "", 0, error)) /* it has its labels still */
        return -1;
    while (passage_next(&cutter, &start, &end))
        if (add_passage(w, w->text + start, end - start, error))
            return -1;
    sqlite3_stmt *add = w->add_document;
    sqlite3_bind_int64(add, 1, (sqlite3_int64)position);
    sqlite3_bind_text(add, 2, document->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(add, 3, author, -1, SQLITE_STATIC);
    sqlite3_bind_text(add, 4, w->labels, -1, SQLITE_STATIC);
    sqlite3_bind_null(add, 5);
    if (date != NULL && date->is_given)
        sqlite3_bind_double(add, 5, date->number[0]);
    sqlite3_bind_int64(add, 6, first);
    sqlite3_bind_int64(add, 7, w->passage_count - first + 1);
    return run(w, add, error);
}

/* One segment of the index is searched faster than many. */
static int finish(struct writer *w, uint64_t fingerprint, struct error *error) {
    char sql[200];
    snprintf(sql, sizeof sql,
             "INSERT INTO passages(passages) VALUES ('optimize');"
             "INSERT INTO meta VALUES ('format', '%d'), ('corpus', '%" PRId64 "'); COMMIT;",
             LIBRARY_FORMAT, (int64_t)fingerprint);
    return sqlite3_exec(w->database, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(w, error);
}

static int sync_path(const char *path, int flags, struct error *error) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | flags);
    /* Some file systems cannot sync a directory. */
    int is_synced = descriptor >= 0 && (fsync(descriptor) == 0 || errno == EINVAL);
    if (!is_synced)
        error_set_errno(error, "cannot sync %s", path);
    if (descriptor >= 0)
        close(descriptor);
    return is_synced ? 0 : -1;
}

static int publish(struct writer *w, const char *directory, struct error *error) {
    if (sync_path(w->temporary, 0, error))
        return -1;
    if (rename(w->temporary, w->path) != 0)
        return error_set_errno(error, "cannot rename %s to %s", w->temporary, w->path);
    w->temporary[0] = '\0';
    return sync_path(directory, O_DIRECTORY, error);
}

static void writer_close(struct writer *w) {
    sqlite3_finalize(w->add_document);
    sqlite3_finalize(w->add_passage);
    sqlite3_close(w->database);
    w->add_document = w->add_passage = NULL;
    w->database = NULL;
}

int library_build(const char *directory, struct error *error) {
    struct writer w = {0};
    uint64_t fingerprint;
    int result = library_path(w.path, directory, error) ||
                 library_fingerprint(directory, &fingerprint, error) ||
                 corpus_open(&w.corpus, directory, error) || create(&w, error);
    if (result == 0)
        choose_slots(&w);
    for (size_t i = 0; result == 0 && i < corpus_document_count(w.corpus); i++)
        if (!corpus_document(w.corpus, i)->is_held_out)
            result = add_document(&w, i, error);
    if (result == 0)
        result = finish(&w, fingerprint, error);
    writer_close(&w);
    if (result == 0)
        result = publish(&w, directory, error);
    if (w.temporary[0] != '\0')
        unlink(w.temporary);
    corpus_close(w.corpus);
    free(w.text);
    free(w.labels);
    return result == 0 ? 0 : -1;
}
