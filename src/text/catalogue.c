#include "text/catalogue.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* STRICT tables refuse values of another type; the checks refuse what no build writes. */
static const char SCHEMA[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT;"
    "CREATE TABLE slots (position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL CHECK (kind IN ('categorical', 'date', 'place'))) STRICT;"
    "CREATE TABLE documents (position INTEGER PRIMARY KEY, id TEXT NOT NULL, file TEXT NOT NULL,"
    " line INTEGER NOT NULL CHECK (line > 0), hash BLOB NOT NULL CHECK (length(hash) = 16),"
    " split TEXT NOT NULL CHECK (split IN ('train', 'held-out')),"
    " shard INTEGER NOT NULL CHECK (shard >= 0), first_token INTEGER NOT NULL CHECK"
    " (first_token >= 0), token_count INTEGER NOT NULL CHECK (token_count > 0),"
    " byte_count INTEGER NOT NULL CHECK (byte_count >= 0)) STRICT;"
    "CREATE TABLE labels (document INTEGER NOT NULL REFERENCES documents, slot INTEGER NOT NULL"
    " REFERENCES slots, text TEXT, number REAL, second_number REAL,"
    " PRIMARY KEY (document, slot), CHECK ((text IS NULL) = (number IS NOT NULL)))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE tokens (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL,"
    " is_special INTEGER NOT NULL CHECK (is_special BETWEEN 0 AND 3)) STRICT;"
    "CREATE TABLE merges (rank INTEGER PRIMARY KEY, left_token INTEGER NOT NULL REFERENCES tokens,"
    " right_token INTEGER NOT NULL REFERENCES tokens) STRICT;";

/* No journal: a catalogue that is not finished is removed with its directory. */
static const char START[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                            "PRAGMA foreign_keys = ON; BEGIN;";

static int failed(const struct catalogue_writer *w, struct error *error) {
    return error_set(error, "cannot write %s: %s", w->path, sqlite3_errmsg(w->database));
}

static int catalogue_path(char path[4096], const char *directory, struct error *error) {
    int length = snprintf(path, 4096, "%s/" CATALOGUE_NAME, directory);
    return length < 4096 ? 0 : error_set(error, "the path of %s is too long", directory);
}

/* Runs a statement whose values are bound, and makes it ready for the next ones. */
static int run(const struct catalogue_writer *w, sqlite3_stmt *statement, struct error *error) {
    int code = sqlite3_step(statement);
    if (code != SQLITE_DONE)
        failed(w, error);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

static int prepare(const struct catalogue_writer *w, sqlite3_stmt **statement, const char *sql,
                   struct error *error) {
    return sqlite3_prepare_v2(w->database, sql, -1, statement, NULL) == SQLITE_OK
               ? 0
               : failed(w, error);
}

static int add_slots(struct catalogue_writer *w, struct error *error) {
    sqlite3_stmt *add = NULL;
    int result = prepare(w, &add, "INSERT INTO slots VALUES (?, ?, ?)", error);
    for (size_t i = 0; result == 0 && i < w->manifest->slot_count; i++) {
        const struct manifest_slot *slot = &w->manifest->slots[i];
        sqlite3_bind_int64(add, 1, (sqlite3_int64)i);
        sqlite3_bind_text(add, 2, slot->name, -1, SQLITE_STATIC);
        sqlite3_bind_text(add, 3, slot_kind_name(slot->kind), -1, SQLITE_STATIC);
        result = run(w, add, error);
    }
    sqlite3_finalize(add);
    return result;
}

int catalogue_create(struct catalogue_writer *w, const char *directory,
                     const struct manifest *manifest, struct error *error) {
    *w = (struct catalogue_writer){.manifest = manifest};
    if (catalogue_path(w->path, directory, error))
        return -1;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int result = 0;
    if (sqlite3_open_v2(w->path, &w->database, flags, NULL) != SQLITE_OK ||
        sqlite3_exec(w->database, START, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(w->database, SCHEMA, NULL, NULL, NULL) != SQLITE_OK)
        result = failed(w, error);
    if (result == 0)
        result = add_slots(w, error) ||
                 prepare(w, &w->add_document,
                         "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", error) ||
                 prepare(w, &w->add_label, "INSERT INTO labels VALUES (?, ?, ?, ?, ?)", error);
    if (result != 0) {
        catalogue_abort(w);
        return -1;
    }
    return 0;
}

static int add_label(struct catalogue_writer *w, size_t slot, const struct record_label *label,
                     struct error *error) {
    enum slot_kind kind = w->manifest->slots[slot].kind;
    sqlite3_bind_int64(w->add_label, 1, (sqlite3_int64)w->document_count);
    sqlite3_bind_int64(w->add_label, 2, (sqlite3_int64)slot);
    if (kind == SLOT_CATEGORICAL)
        sqlite3_bind_text(w->add_label, 3, label->text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_double(w->add_label, 4, label->number[0]);
    if (kind == SLOT_PLACE)
        sqlite3_bind_double(w->add_label, 5, label->number[1]);
    return run(w, w->add_label, error);
}

int catalogue_add_document(struct catalogue_writer *w, const struct catalogue_document *document,
                           struct error *error) {
    const struct record *record = document->record;
    sqlite3_stmt *add = w->add_document;
    sqlite3_bind_int64(add, 1, (sqlite3_int64)w->document_count);
    sqlite3_bind_text(add, 2, record->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(add, 3, document->file, -1, SQLITE_STATIC);
    sqlite3_bind_int64(add, 4, (sqlite3_int64)document->line);
    sqlite3_bind_blob(add, 5, record->hash, sizeof record->hash, SQLITE_STATIC);
    sqlite3_bind_text(add, 6, record->is_held_out ? "held-out" : "train", -1, SQLITE_STATIC);
    sqlite3_bind_int64(add, 7, (sqlite3_int64)document->place.shard);
    sqlite3_bind_int64(add, 8, (sqlite3_int64)document->place.first);
    sqlite3_bind_int64(add, 9, (sqlite3_int64)document->token_count);
    sqlite3_bind_int64(add, 10, (sqlite3_int64)record->text_bytes);
    if (run(w, add, error))
        return -1;
    for (size_t i = 0; i < w->manifest->slot_count; i++)
        if (record->labels[i].is_given && add_label(w, i, &record->labels[i], error))
            return -1;
    w->document_count++;
    return 0;
}

static int add_vocabulary(struct catalogue_writer *w, const struct tokenizer *tokenizer,
                          struct error *error) {
    sqlite3_stmt *add_token = NULL, *add_merge = NULL;
    int result = prepare(w, &add_token, "INSERT INTO tokens VALUES (?, ?, ?)", error) ||
                         prepare(w, &add_merge, "INSERT INTO merges VALUES (?, ?, ?)", error)
                     ? -1
                     : 0;
    for (size_t i = 0; result == 0 && i < tokenizer_vocabulary_size(tokenizer); i++) {
        struct token_bytes bytes = tokenizer_token(tokenizer, (uint32_t)i);
        sqlite3_bind_int64(add_token, 1, (sqlite3_int64)i);
        sqlite3_bind_blob64(add_token, 2, bytes.data, bytes.length, SQLITE_STATIC);
        sqlite3_bind_int(add_token, 3, (int)tokenizer_kind(tokenizer, (uint32_t)i));
        result = run(w, add_token, error);
    }
    for (size_t rank = 0; result == 0 && rank < tokenizer_merge_count(tokenizer); rank++) {
        const uint32_t *pair = tokenizer_merge(tokenizer, rank);
        sqlite3_bind_int64(add_merge, 1, (sqlite3_int64)rank);
        sqlite3_bind_int64(add_merge, 2, pair[0]);
        sqlite3_bind_int64(add_merge, 3, pair[1]);
        result = run(w, add_merge, error);
    }
    sqlite3_finalize(add_token);
    sqlite3_finalize(add_merge);
    return result;
}

static int add_meta(struct catalogue_writer *w, const struct tokenizer *tokenizer,
                    size_t shard_count, struct error *error) {
    char format[32], shards[32], documents[32], begin[32], end[32];
    snprintf(format, sizeof format, "%d", CATALOGUE_FORMAT);
    snprintf(shards, sizeof shards, "%zu", shard_count);
    snprintf(documents, sizeof documents, "%zu", w->document_count);
    snprintf(begin, sizeof begin, "%u", tokenizer_end_of_text(tokenizer));
    snprintf(end, sizeof end, "%u", tokenizer_end(tokenizer));
    const char *const values[][2] = {
        {"format", format},
        {"pieces", piece_pattern_name(tokenizer_pattern(tokenizer))},
        {"whole_pieces", tokenizer_takes_whole_pieces(tokenizer) ? "1" : "0"},
        {"begin", begin},
        {"end", end},
        {"name", w->manifest->name},
        {"shards", shards},
        {"documents", documents}};
    sqlite3_stmt *add = NULL;
    int result = prepare(w, &add, "INSERT INTO meta VALUES (?, ?)", error);
    for (size_t i = 0; result == 0 && i < sizeof values / sizeof *values; i++) {
        sqlite3_bind_text(add, 1, values[i][0], -1, SQLITE_STATIC);
        sqlite3_bind_text(add, 2, values[i][1], -1, SQLITE_STATIC);
        result = run(w, add, error);
    }
    sqlite3_finalize(add);
    return result;
}

static int sync_file(const char *path, struct error *error) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    int is_synced = descriptor >= 0 && fsync(descriptor) == 0;
    if (!is_synced)
        error_set_errno(error, "cannot sync %s", path);
    if (descriptor >= 0)
        close(descriptor);
    return is_synced ? 0 : -1;
}

int catalogue_finish(struct catalogue_writer *w, const struct tokenizer *tokenizer,
                     size_t shard_count, struct error *error) {
    int result = add_vocabulary(w, tokenizer, error) || add_meta(w, tokenizer, shard_count, error);
    if (result == 0 && sqlite3_exec(w->database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        result = failed(w, error);
    catalogue_abort(w);
    return result == 0 ? sync_file(w->path, error) : -1;
}

void catalogue_abort(struct catalogue_writer *w) {
    sqlite3_finalize(w->add_document);
    sqlite3_finalize(w->add_label);
    sqlite3_close(w->database);
    w->add_document = w->add_label = NULL;
    w->database = NULL;
}

/* A view or a virtual table of the same name could be endless, or run code of its own. */
static const char COUNT_TABLES[] =
    "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name IN "
    "('meta', 'slots', 'documents', 'labels', 'tokens', 'merges')";

int catalogue_open(sqlite3 **out, const char *directory, struct error *error) {
    enum { TABLE_COUNT = 6, LONGEST_VALUE = 1 << 20 };
    *out = NULL;
    char path[4096];
    sqlite3 *database = NULL;
    sqlite3_stmt *count = NULL;
    if (catalogue_path(path, directory, error))
        return -1;
    if (access(path, R_OK) != 0)
        return error_set_errno(error, "%s is no corpus: cannot open %s", directory, path);
    int result = 0;
    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        result = error_set(error, "cannot open %s: %s", path, sqlite3_errmsg(database));
    } else {
        sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_limit(database, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
        sqlite3_exec(database, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
        if (sqlite3_prepare_v2(database, COUNT_TABLES, -1, &count, NULL) != SQLITE_OK ||
            sqlite3_step(count) != SQLITE_ROW)
            result = error_set(error, "cannot read %s: %s", path, sqlite3_errmsg(database));
        else if (sqlite3_column_int(count, 0) != TABLE_COUNT)
            result = error_set(error, "%s does not have the tables of a corpus", path);
    }
    sqlite3_finalize(count);
    if (result != 0) {
        sqlite3_close(database);
        return -1;
    }
    *out = database;
    return 0;
}
