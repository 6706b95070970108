/* The messages of a chat request as a model's chat takes them: the system's first, if there is one,
 * then user and assistant in turns, the user's last. */
#ifndef TRINE_SERVE_CHAT_MESSAGES_H
#define TRINE_SERVE_CHAT_MESSAGES_H

#include <jansson.h>

#include "serve/problem.h"
#include "text/chat.h"

enum { CHAT_MESSAGES_MOST = 1024, CHAT_MESSAGE_LIMIT = 1 << 20 };

struct chat_messages {
    struct chat_message *items;
    size_t count, capacity;
};

/* Of an array of {"role", "content"}; the content a string or an array of {"type": "text", "text"}.
 * Messages of one role that follow each other become one. What a "system" or a "developer" says
 * goes before the first message, or, where `folds_system` or it comes later, before what the user
 * says next. Free it also after a failure. */
int chat_messages_read(struct chat_messages *messages, const json_t *array, int folds_system,
                       struct problem *problem);
void chat_messages_free(struct chat_messages *messages);

/* The oldest turns go until there are at most so many messages, and the user's text (of all
 * messages) has at most so many bytes. -1: the last message alone has more. */
int chat_messages_shorten(struct chat_messages *messages, size_t most, size_t user_bytes);

/* Leaves out requests that were declined before a word was written, with what was said to them:
 * read again together with what follows, they would decline that as well. */
void chat_messages_forget_declined(struct chat_messages *messages);

/* What the user said last. */
const char *chat_messages_last(const struct chat_messages *messages);

#endif
