/* Judging by a standard of truth: how likely a statement or a formula is to be true, what that
 * rests on, and who disagrees; and answering questions with odds, or saying that it is not known.
 *
 * A judge owns its standard, the truth author's layer and the library that it reads. The model it
 * loads, or borrows: one that is loaded already may be under several judges and whoever else uses
 * it, and must stay until they are closed. Where it has a batcher (model/batcher.h), a judge's
 * questions and answers go through that.
 *
 * One thread uses a judge. */
#ifndef TRINE_TRUTH_JUDGE_H
#define TRINE_TRUTH_JUDGE_H

#include "truth/judging.h"
#include "truth/standard.h"

enum { MOST_DISSENTERS = 8, MOST_PARTS = 64, MOST_CANDIDATES = 16 };

struct judge;

struct judge_options {
    const char *model, *base;   /* as model_load_on */
    const struct model *loaded; /* borrowed instead, `model` then being its file, or NULL */
    const char *standard;       /* a name, or a directory; NULL: "plain" */
    const char *truth;          /* a layer; NULL: the standard's own */
    const char *hear;           /* a model that is heard beside the truth author; or NULL */
    const char *corpus;         /* a directory; NULL: nothing is read */
    size_t authors;             /* so many are asked whether they disagree */
    size_t threads;
};

int judge_open(struct judge **out, const struct judge_options *options, struct error *error);
void judge_close(struct judge *judge);
const struct standard *judge_standard(const struct judge *judge);

struct dissenter {
    const char *author; /* the model's */
    double probability;
};

struct ruling {
    double probability;
    double doubt; /* how far the truth author says that it does not know */
    int decided;  /* 1 or -1: the standard's verdicts and laws prove or refute it; 0: they do not */
    struct testimony testimony; /* of the library */
    struct dissenter dissenters[MOST_DISSENTERS];
    size_t dissenter_count;
    double seconds; /* of judging; of asking the dissenters not */
};

/* A statement is judged as it is, or, when `is_formula`, read as a formula over texts in quotes and
 * the standard's names, whose parts are judged and made to cohere with the standard's laws. */
int judge_statement(struct judge *judge, const char *statement, int is_formula,
                    struct ruling *ruling, struct error *error);
void ruling_free(struct ruling *ruling);

struct candidate {
    char *text;
    double probability;
};

struct answer_to {
    struct candidate candidates[MOST_CANDIDATES]; /* the likeliest first */
    size_t count;
    int is_known;               /* the likeliest is at least as likely as the standard asks for */
    struct testimony testimony; /* on the likeliest */
};

/* Candidates are drawn from the model that is heard beside the truth author, or else its own,
 * `count` of them with this seed, and judged; a question of yes or no has these two. */
int judge_answer(struct judge *judge, const char *question, size_t count, uint64_t seed,
                 struct answer_to *answer, struct error *error);
void answer_free(struct answer_to *answer);

#endif
