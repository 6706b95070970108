/* Text cut into words and their stems exactly as the full-text index cuts it: by FTS5's own
 * tokenizer, so that what is compared here is what the index finds. */
#ifndef TRINE_TRUTH_WORDS_H
#define TRINE_TRUTH_WORDS_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* As an argument of FTS5's `tokenize`. */
#define WORDS_TOKENIZER "porter unicode61"

struct word {
    uint64_t key;      /* a hash of the stem: equal stems, equal keys */
    size_t start, end; /* the bytes of the text */
    size_t stem;       /* where its stem begins in `stems`; a NUL ends it */
};

/* Start with zeros. */
struct word_list {
    struct word *items;
    size_t count, capacity;
    char *stems;
    size_t stem_bytes, stem_capacity;
};
void word_list_free(struct word_list *list);
int word_list_has(const struct word_list *list, uint64_t key);

struct word_cutter {
    fts5_tokenizer methods;
    Fts5Tokenizer *tokenizer;
};

/* The connection must outlive the cutter. */
int word_cutter_open(struct word_cutter *cutter, sqlite3 *database, struct error *error);
void word_cutter_close(struct word_cutter *cutter);

/* list <- the words of text[bytes], in place of what it held. */
int words_cut(const struct word_cutter *cutter, const char *text, size_t bytes,
              struct word_list *list, struct error *error);

#endif
