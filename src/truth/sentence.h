/* Sentences: atoms, which are texts, and propositional formulas over them.
 *
 * Every sentence is stored once and has a number; a formula's parts have smaller numbers than the
 * formula, so one pass in order of numbers evaluates everything. */
#ifndef TRINE_TRUTH_SENTENCE_H
#define TRINE_TRUTH_SENTENCE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum sentence_kind {
    SENTENCE_ATOM,
    SENTENCE_NOT,
    SENTENCE_AND,
    SENTENCE_OR,
    SENTENCE_IMPLIES,
    SENTENCE_IFF,
    SENTENCE_XOR
};

enum { FORMULA_DEPTH_LIMIT = 500, FORMULA_SIZE_LIMIT = 10000 };

struct sentence {
    enum sentence_kind kind;
    uint32_t left, right; /* of formulas; a negation has a left part only, right == left */
    const char *text;     /* of atoms */
};

struct sentences;

int sentences_create(struct sentences **out, struct error *error);
void sentences_destroy(struct sentences *sentences);

size_t sentences_count(const struct sentences *sentences);
/* Valid until a sentence is added. */
const struct sentence *sentences_get(const struct sentences *sentences, uint32_t id);

/* The atom of this text, added when it is new. The text must not be empty. */
int sentences_add_atom(struct sentences *sentences, const char *text, uint32_t *id,
                       struct error *error);
/* The formula, added when it is new. */
int sentences_add_formula(struct sentences *sentences, enum sentence_kind kind, uint32_t left,
                          uint32_t right, uint32_t *id, struct error *error);

/* Lets formulas call a sentence by a short name. A name that has another sentence already, or that
 * no formula could contain, is an error. */
int sentences_add_name(struct sentences *sentences, const char *name, uint32_t id,
                       struct error *error);
/* UINT32_MAX when there is none of this name. */
uint32_t sentences_find_name(const struct sentences *sentences, const char *name);
/* UINT32_MAX when no atom has this text. */
uint32_t sentences_find_atom(const struct sentences *sentences, const char *text);

/* Reads a formula:
 *
 *   lagos and not "Lagos is in Kenya" implies (a iff b) xor c
 *
 * Atoms are names, or texts in double quotes (\" and \\ stand for themselves). A word that is no
 * name is the atom of that text. `not` binds most, then `and`, `xor`, `or`, `implies` (to the
 * right), `iff`. Errors say at which character. */
int sentences_parse(struct sentences *sentences, const char *text, uint32_t *id,
                    struct error *error);

/* Prints what sentences_parse reads back as the same sentence, with no more parentheses than it
 * takes. An atom by itself is printed as its text alone when `plain` is not 0. */
void sentences_print(const struct sentences *sentences, uint32_t id, int plain, FILE *stream);
/* The same into memory, to be freed with free; NULL when there is no memory. */
char *sentences_text(const struct sentences *sentences, uint32_t id, int plain);

/* values[count] <- the truth of every sentence, given those of atoms in `values`. */
void sentences_evaluate(const struct sentences *sentences, uint8_t *values);
/* The truth of one formula whose parts have these truths. */
int sentence_truth(enum sentence_kind kind, int left, int right);

#endif
