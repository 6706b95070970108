/* A statement taken apart for the library: its content words, the authors and years it names, and
 * what kind of claim it makes. */
#ifndef TRINE_TRUTH_STATEMENT_H
#define TRINE_TRUTH_STATEMENT_H

#include <stddef.h>
#include <stdint.h>

#include "truth/library_index.h"
#include "truth/words.h"

enum { STATEMENT_TERMS = 64, STATEMENT_AUTHORS = 16 };

/* What a passage is asked for: a word; to be by one of some authors; to be of a year. */
enum term_kind { TERM_WORD, TERM_AUTHOR, TERM_YEAR };

struct term {
    enum term_kind kind;
    uint64_t key;  /* of the word, of the number, of the rarest word of the name */
    double weight; /* inverse document frequency, in nats */
    int64_t count; /* of passages that hold the word of `key` */
    size_t word;   /* the first of it in the statement's words */
    int is_value;  /* a number or a name: what stands in a statement's gap */
    int is_label;  /* a word that labels other than the author have */
    double year;   /* TERM_YEAR */
    /* TERM_AUTHOR: whom the name may mean; `is_exact`: it is one author's whole label. */
    uint32_t authors[STATEMENT_AUTHORS];
    size_t author_count;
    int is_exact;
};

struct statement {
    struct word_list words;
    struct term terms[STATEMENT_TERMS];
    size_t term_count;
    int is_negated;   /* an odd number of negations; of speech: before the word for it */
    int is_of_speech; /* claims that something was said: "spoke of", "the word" */
    int is_of_labels; /* claims nothing but who and when */
    int order;        /* 1: the first author named came before the second, -1: after; 0: no claim */
    const struct term *first, *second; /* of the order */
    char *match; /* for MATCH; NULL: there is nothing to look for. memory_free */
};

/* Words that a statement's structure is read from, as stems. */
struct vocabulary {
    struct word_list stop, frame, speech, negation, before, after;
};
int vocabulary_create(struct vocabulary *vocabulary, const struct word_cutter *cutter,
                      struct error *error);
void vocabulary_free(struct vocabulary *vocabulary);

/* Whether word `i` of the text is a negation, "n't" included. */
int is_negation(const struct vocabulary *vocabulary, const char *text,
                const struct word_list *words, size_t i);

/* Free it also on failure. */
int statement_parse(struct statement *statement, const char *text, size_t bytes,
                    struct library_index *index, const struct vocabulary *vocabulary,
                    struct error *error);
void statement_free(struct statement *statement);

#endif
