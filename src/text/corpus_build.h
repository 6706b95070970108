/* Makes a corpus directory (text/corpus.h) from JSON lines and a manifest (text/manifest.h).
 *
 * The input is read up to three times: to find what is wrong, held out or there twice; to learn the
 * vocabulary and the patches of pictures, from training documents alone; to encode. Memory is
 * bounded by the longest lines, but for some 40 bytes a document and the patches. The result is the
 * same for any number of threads.
 *
 * The directory appears complete or not at all. */
#ifndef TRINE_TEXT_CORPUS_BUILD_H
#define TRINE_TEXT_CORPUS_BUILD_H

#include <signal.h>
#include <stddef.h>

#include "base/error.h"
#include "text/record.h"
#include "text/tokenizer.h"

struct corpus_build_options {
    const char *manifest_path, *out_directory;
    const char *const *files; /* "-" at most once: standard input, spooled in the new directory */
    size_t file_count;
    size_t vocabulary;                 /* 0: the manifest's */
    const struct tokenizer *tokenizer; /* is used as it is; NULL: learn one */
    const struct gazetteer *gazetteer; /* for places by name; may be NULL */
    int skips_bad_lines;               /* else they are all reported, and the build fails */
    int keeps_duplicates;
    int is_forced;                             /* replaces an existing corpus */
    size_t shard_tokens;                       /* 0: SHARD_TOKENS */
    const volatile sig_atomic_t *is_cancelled; /* looked at between batches; may be NULL */
    /* Both may be NULL. `report`: one line about one line of the input, "file:line: what".
     * `progress`: what is being done and the bytes of input read for it so far. */
    void (*report)(void *context, const char *message);
    void (*progress)(void *context, const char *what, size_t bytes);
    void *context;
};

struct corpus_build_summary {
    size_t training_documents, held_out_documents;
    size_t tokens, text_bytes;         /* of both; one token of each document is its end-of-text */
    size_t text_tokens;                /* of these: neither end-of-text nor of pictures */
    size_t pictures;                   /* documents with one */
    size_t patches;                    /* of the code book; 0: the vocabulary has no pictures */
    size_t vocabulary, shards;         /* patches and their marks included */
    size_t faults[RECORD_FAULT_COUNT]; /* bad lines by kind */
    size_t duplicates;                 /* texts seen before on the same side of the split */
    size_t leaks;                      /* training documents dropped: their text is held out */
};

/* The summary is filled as far as the build went, also on failure. */
int corpus_build(const struct corpus_build_options *options, struct corpus_build_summary *summary,
                 struct error *error);

#endif
