/* library.sqlite opened: its documents and authors in memory, its passages on disk. Inside of
 * truth/library.c and its neighbours.
 *
 * Tables: meta(key, value); documents, one row for each that is not held out, in the order of the
 * corpus; passages, full text with the document's labels as further columns. The passages of a
 * document follow each other, so that a passage's number says whose it is. */
#ifndef TRINE_TRUTH_LIBRARY_INDEX_H
#define TRINE_TRUTH_LIBRARY_INDEX_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "text/string_pool.h"
#include "truth/words.h"

enum { LIBRARY_FORMAT = 1 };

/* As SQLite keeps them, so that a library is known by them. */
#define LIBRARY_META "CREATE TABLE meta(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT"
#define LIBRARY_DOCUMENTS                                                                          \
    "CREATE TABLE documents(position INTEGER PRIMARY KEY, name TEXT NOT NULL, author TEXT,"        \
    " labels TEXT NOT NULL, year REAL, first_passage INTEGER NOT NULL,"                            \
    " passage_count INTEGER NOT NULL) STRICT"
#define LIBRARY_PASSAGES                                                                           \
    "CREATE VIRTUAL TABLE passages USING fts5(text, author, labels, year,"                         \
    " tokenize = '" WORDS_TOKENIZER "')"

int library_path(char path[4096], const char *corpus_directory, struct error *error);

/* What a catalogue says of its documents, their texts and labels, in one number. */
int library_fingerprint(const char *corpus_directory, uint64_t *fingerprint, struct error *error);

enum { NO_AUTHOR = -1 };

struct library_document {
    const char *name, *labels; /* labels: the categorical ones but the author's, with spaces */
    int32_t author;            /* or NO_AUTHOR */
    double year;               /* NAN: none */
    int64_t first_passage, passage_count;
};

struct library_author {
    const char *label;
    uint64_t *words; /* keys, in order; of the index's `author_words` */
    size_t word_count;
};

/* A word of an author's label. */
struct library_name {
    uint64_t key;
    uint32_t author;
};

struct library_index {
    char path[4096];
    sqlite3 *database;
    sqlite3_stmt *search, *text, *frequency;
    struct word_cutter cutter;
    struct string_pool pool;
    struct library_document *documents;
    struct library_author *authors;
    struct library_name *names; /* by key */
    uint64_t *author_words;
    uint64_t *label_words; /* of the other labels, ascending */
    size_t document_count, document_capacity, author_count, author_capacity, name_count,
        name_capacity, label_word_count, label_word_capacity;
    int64_t passage_count;
};

/* Refuses what is not a library of the corpus with that fingerprint. */
int library_index_open(struct library_index *index, const char *corpus_directory,
                       uint64_t fingerprint, struct error *error);
void library_index_close(struct library_index *index);

/* Whose passage that is; the document's index, or -1 for none. */
int64_t library_index_document(const struct library_index *index, int64_t passage);

/* In how many passages a stem occurs, labels included; -1 with the error. */
int64_t library_index_frequency(struct library_index *index, const char *stem, struct error *error);

int library_index_is_label(const struct library_index *index, uint64_t key);

/* Fills in what SQLite complains of, and how to be rid of a broken library. */
int library_index_failed(const struct library_index *index, struct error *error);

#endif
