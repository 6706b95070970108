/* Chat templates of checkpoints. A checkpoint carries a template as a program in Jinja; the common
 * ones are recognised by what is peculiar to them, and messages are laid out here. */
#ifndef TRINE_TEXT_CHAT_H
#define TRINE_TEXT_CHAT_H

#include <stddef.h>

#include "base/error.h"

enum chat_role { CHAT_SYSTEM, CHAT_USER, CHAT_ASSISTANT, CHAT_ROLES };

struct chat_message {
    enum chat_role role;
    const char *content;
};

struct chat_format;

/* "chatml", "smollm2", "llama-3", ...; "plain" for models that know no template. */
const char *chat_format_name(const struct chat_format *format);
/* NULL when there is none of that name. */
const struct chat_format *chat_format_find(const char *name);
/* The string after a reply, spelt as the special token that it is; NULL of the plain format, in
 * which the token that ends documents stands there. */
const char *chat_format_stop(const struct chat_format *format);

/* Whether the token that begins a document stands before the first message. */
int chat_format_begins(const struct chat_format *format);

/* An unknown template is an error that shows how it begins. */
int chat_format_recognise(const struct chat_format **out, const char *jinja, struct error *error);

/* The messages as one text, special tokens spelt out, for tokenizer_encode_marked; without the
 * token that begins a document, which the tokenizer adds. With `asks`, the text ends where the
 * reply begins. The caller frees *out with free().
 *
 * The first message may be the system's, after which user and assistant take turns. A message that
 * spells one of the format's marks is refused: it would forge a turn. */
int chat_render(char **out, const struct chat_format *format, const struct chat_message *messages,
                size_t count, int asks, struct error *error);

#endif
