/* Questions that ask whether a statement is true: the truth layer can answer these by itself. */
#ifndef TRINE_GOOD_STATEMENT_QUESTION_H
#define TRINE_GOOD_STATEMENT_QUESTION_H

#include "base/error.h"

/* *statement <- what is asked about, as a sentence, where the whole message is one such question
 * ("Is it true that Lagos is in Nigeria?", "True or false: ...", "... True or false?"); to be
 * freed. Returns 1, or 0 for any other message (*statement is NULL), or -1: out of memory. */
int statement_question(char **statement, const char *message, struct error *error);

/* What is answered where the statement has this probability; the odds are to follow. NULL: on
 * neither side far enough to be said. */
const char *statement_answer(double probability);

#endif
