/* What two texts share that say the same in other cases, with other punctuation or other spaces. */
#ifndef TRINE_SERVE_TEXT_KEY_H
#define TRINE_SERVE_TEXT_KEY_H

#include "base/error.h"

/* *key <- the text with its case folded, without what only parts words, one space between words and
 * none around them: to be freed with free. Points and signs of numbers stay, as do parentheses,
 * which formulas need, and signs that say something, such as % and +. -1: the text is no UTF-8, or
 * out of memory. */
int text_key(char **key, const char *text, struct error *error);

#endif
