/* Statements that say outright how they are made of others: "It is not true that A", "It is the
 * case both that A and that B", "It is true either that A or that B". */
#ifndef TRINE_TRUTH_CONNECTIVES_H
#define TRINE_TRUTH_CONNECTIVES_H

#include <stddef.h>

#include "base/error.h"

enum connective { CONNECTIVE_NONE, CONNECTIVE_NOT, CONNECTIVE_BOTH, CONNECTIVE_EITHER };

struct clause {
    const char *text; /* within the statement, without the full stop */
    size_t bytes;
};

/* clauses[0], and of both and either clauses[1] too, <- what is joined, at the first "and that" or
 * "or that"; untouched where the statement is not made of others. */
enum connective connective_find(const char *text, size_t bytes, struct clause clauses[2]);

/* A statement in one or two texts: "It is not true that Lagos is in Peru." is "Lagos is in Peru.",
 * denied. A clause that joins others itself stays one text. */
struct clauses {
    enum connective connective; /* none, both or either */
    size_t count;
    char *texts[2]; /* with a capital and, where the statement has one, a full stop */
    int is_denied[2];
};
int clauses_split(struct clauses *out, const char *statement, struct error *error);
void clauses_free(struct clauses *clauses);

/* Log odds of the whole from its clauses', which are taken to be independent. `b` is for both and
 * either. */
double connective_log_odds(enum connective connective, double a, double b);

#endif
