/* A bounded number of lines at a time, read in order, worked on by all threads, and then handed
 * over in order: what comes out does not depend on the number of threads. */
#ifndef TRINE_TEXT_BATCH_H
#define TRINE_TEXT_BATCH_H

#include "text/jsonl.h"
#include "text/picture_tokens.h"
#include "text/record.h"
#include "text/tokenizer.h"

struct batch_item {
    size_t source, line;  /* where it was read: line counts from 1 */
    size_t offset, bytes; /* into the batch's bytes */
    int is_too_long;
    int is_skipped; /* set by the caller after batch_fill: not worked on */
    struct record record;
    struct token_list tokens; /* when there is a tokenizer */
    size_t text_tokens;       /* of these: between the end-of-text and a picture */
    int has_failed;           /* no memory; `error` tells */
    struct error error;
};

struct batch {
    struct batch_item *items;
    size_t count;
    char *bytes;
    size_t bytes_used, bytes_capacity;
    struct tokenizer_cache **caches; /* one for each thread */
    size_t cache_count;
    const struct picture_tokens *pictures; /* borrowed; set by the caller who encodes pictures */
};

int batch_create(struct batch *batch, struct error *error);
void batch_free(struct batch *batch);

/* Reads the next lines; count is 0 at the end of the input. */
int batch_fill(struct batch *batch, struct jsonl_reader *reader, struct error *error);

/* Reads each record and, when `tokenizer` is not NULL, encodes it behind an end-of-text: its text,
 * then its picture with an end behind it, so that it is learnt where a picture ends. Faults are in
 * the records; only a lack of memory fails. */
int batch_process(struct batch *batch, const struct manifest *manifest,
                  const struct jsonl_source *sources, const struct tokenizer *tokenizer,
                  struct error *error);

#endif
