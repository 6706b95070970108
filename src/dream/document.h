/* What is read, a text or a picture, as the tokens of a document. */
#ifndef TRINE_DREAM_DOCUMENT_H
#define TRINE_DREAM_DOCUMENT_H

#include "text/tokenizer.h"

/* Appends the token that begins documents, if there is one, and those of data[bytes]. What begins
 * as a PNG file does is a picture, with `caption` before it (NULL: none), for which the tokenizer
 * must have pictures; anything else is text, which takes no caption. */
int document_encode(struct token_list *list, const struct tokenizer *tokenizer, const char *data,
                    size_t bytes, const char *caption, struct error *error);

/* The same of what is text for certain. */
int document_encode_text(struct token_list *list, const struct tokenizer *tokenizer,
                         const char *text, size_t bytes, struct error *error);

#endif
