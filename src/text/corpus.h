/* An opened corpus: documents as tokens in memory-mapped shards, their labels, and the tokenizer
 * that made them. text/corpus_build.h makes the directory.
 *
 * A corpus is read-only once open and may be shared by threads. Every pointer it gives lives until
 * corpus_close. The directory's content is input like any other: opening checks every range, every
 * token and every label, so that what is handed out can be used without another look. */
#ifndef TRINE_TEXT_CORPUS_H
#define TRINE_TEXT_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "text/manifest.h"
#include "text/tokenizer.h"

struct corpus;

struct corpus_slot {
    char *name;
    enum slot_kind kind;
};

struct corpus_label {
    int is_given;
    double number[2]; /* date: year; place: latitude, longitude in degrees */
    const char *text; /* categorical; else NULL. Equal texts of a corpus are one pointer. */
};

struct corpus_document {
    const char *name;
    const uint32_t *tokens; /* the first is the one that begins documents */
    size_t token_count;
    int is_held_out;
    const struct corpus_label *labels; /* one for each slot */
};

/* Reads every token once, to check it: some seconds for each 10 GB of shards. */
int corpus_open(struct corpus **out, const char *directory, struct error *error);
void corpus_close(struct corpus *corpus);

const char *corpus_name(const struct corpus *corpus);

/* Documents in the order of the input; index < count. */
size_t corpus_document_count(const struct corpus *corpus);
const struct corpus_document *corpus_document(const struct corpus *corpus, size_t index);

/* Slots in the order of the manifest; index < count. */
size_t corpus_slot_count(const struct corpus *corpus);
const struct corpus_slot *corpus_slot(const struct corpus *corpus, size_t index);

const struct tokenizer *corpus_tokenizer(const struct corpus *corpus);

/* Refuses a model's tokenizer whose tokens mean something else than the corpus's. */
int corpus_check_tokenizer(const struct corpus *corpus, const struct tokenizer *tokenizer,
                           struct error *error);

/* A tokenizer of the caller's own, to be freed with tokenizer_destroy. */
int corpus_copy_tokenizer(const struct corpus *corpus, struct tokenizer **out, struct error *error);

#endif
