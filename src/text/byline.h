/* Attributions as tokens: a mark, the name, the end of the line. The mark is the token "<|by|>" of
 * the vocabularies that are trained here; in others it is the word "By", as in any byline. */
#ifndef TRINE_TEXT_BYLINE_H
#define TRINE_TEXT_BYLINE_H

#include "text/tokenizer.h"

/* Appends the tokens of the mark: how many there are is the same each time. */
int byline_mark(const struct tokenizer *tokenizer, struct tokenizer_cache *cache,
                struct token_list *list, struct error *error);

/* Appends mark, name and line end. A name is one line: its control characters are an error. */
int byline_encode(const struct tokenizer *tokenizer, struct tokenizer_cache *cache,
                  const char *name, struct token_list *list, struct error *error);

/* The document that is nothing but a byline: the token that begins documents, if there is one,
 * then the byline. `list` is emptied first; *first (may be NULL) <- where the name begins. */
int byline_document(const struct tokenizer *tokenizer, struct tokenizer_cache *cache,
                    const char *name, struct token_list *list, size_t *first, struct error *error);

#endif
