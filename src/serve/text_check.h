/* Texts from outside: what is kept is UTF-8, and what is listed in a terminal cannot disturb it. */
#ifndef TRINE_SERVE_TEXT_CHECK_H
#define TRINE_SERVE_TEXT_CHECK_H

#include <stddef.h>

#include "base/error.h"

/* Refuses more than `limit` bytes, bytes of value 0 and what is no UTF-8. `what` names the text in
 * the message: "the content of a message". */
int text_check(const char *text, size_t bytes, size_t limit, const char *what, struct error *error);

/* The same for a text of one line: no control characters either, nor those that end lines or turn
 * the direction of writing, by which a list could be made to show what it does not hold. */
int text_check_line(const char *text, size_t bytes, size_t limit, const char *what,
                    struct error *error);

#endif
