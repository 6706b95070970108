/* The SQLite file of a corpus: what there is, where it lies, and the vocabulary. This header has
 * the writing side; text/corpus.c reads.
 *
 * Tables: meta(key, value), slots, documents, labels, tokens, merges; positions count from 0. */
#ifndef TRINE_TEXT_CATALOGUE_H
#define TRINE_TEXT_CATALOGUE_H

#include <sqlite3.h>

#include "text/manifest.h"
#include "text/record.h"
#include "text/shards.h"
#include "text/tokenizer.h"

#define CATALOGUE_NAME "catalogue.sqlite"
enum { CATALOGUE_FORMAT = 1 };

struct catalogue_writer {
    sqlite3 *database;
    sqlite3_stmt *add_document, *add_label;
    const struct manifest *manifest; /* borrowed */
    char path[4096];
    size_t document_count;
};

/* Creates the file and opens the one transaction in which all is written. */
int catalogue_create(struct catalogue_writer *writer, const char *directory,
                     const struct manifest *manifest, struct error *error);

struct catalogue_document {
    const struct record *record;
    const char *file;
    size_t line;
    struct shard_place place;
    size_t token_count;
};

int catalogue_add_document(struct catalogue_writer *writer,
                           const struct catalogue_document *document, struct error *error);
/* Writes the rest, commits, closes and syncs. */
int catalogue_finish(struct catalogue_writer *writer, const struct tokenizer *tokenizer,
                     size_t shard_count, struct error *error);
/* Closes; the file is whatever it is. Harmless after finish. */
void catalogue_abort(struct catalogue_writer *writer);

/* Opens an existing catalogue read-only, with SQLite's defences up, and checks that its tables are
 * plain tables. */
int catalogue_open(sqlite3 **out, const char *directory, struct error *error);

#endif
