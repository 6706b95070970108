/* What the documents of a library say for and against a statement, as one number and the places it
 * comes from. The formulas and their constants are in library_judge.c and library_judge_text.c. */
#ifndef TRINE_TRUTH_LIBRARY_JUDGE_H
#define TRINE_TRUTH_LIBRARY_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "truth/library_index.h"
#include "truth/statement.h"

/* Passages that are looked at: the best of all, and the best by the authors named. */
enum { JUDGE_PASSAGES = 30, JUDGE_FINDS = 2 * JUDGE_PASSAGES };

struct inquiry {
    const char *text; /* of the statement */
    struct library_index *index;
    const struct vocabulary *vocabulary;
    const struct statement *statement;
    const uint8_t *permitted; /* [documents] */
};

struct find {
    size_t document;
    int64_t passage;
    double support; /* > 0: for, < 0: against */
    double cover;   /* how much of the statement the passage itself holds */
};

struct judgement {
    double log_odds;
    struct find finds[JUDGE_FINDS];
    size_t find_count;
};

int library_judge(const struct inquiry *inquiry, struct judgement *out, struct error *error);

/* The kind that is not about labels alone. */
int library_judge_text(const struct inquiry *inquiry, struct judgement *out, struct error *error);

/* Drops it when there are JUDGE_FINDS. */
void judgement_add(struct judgement *out, size_t document, int64_t passage, double support);
/* Leaves the best find of each document, the weightiest first. */
void judgement_keep_best(struct judgement *out);

int term_is_author(const struct term *term, const struct library_document *document);
int document_is_of_year(const struct library_document *document, double year);
/* *has <- whether the document's labels but the author's hold the word; `words` is scratch. */
int document_has_label(const struct inquiry *inquiry, const struct library_document *document,
                       uint64_t key, struct word_list *words, int *has, struct error *error);

/* *text <- the passage's text, tidy, as long as the next call; *bytes <- its length. */
int library_passage(struct library_index *index, int64_t passage, const char **text, size_t *bytes,
                    struct error *error);

#endif
