/* One chat request on its way: what it asks for, and who replies to it. Shared by openai_chat.c,
 * which reads the request and makes the reply, and chat_speakers.c, where the reply is written. */
#ifndef TRINE_SERVE_CHAT_H
#define TRINE_SERVE_CHAT_H

#include "serve/chat_messages.h"
#include "serve/writing.h"

enum {
    CHAT_CHOICES_MOST = 16,
    CHAT_TOKENS_USUAL = 512,
    CHAT_TOKENS_MOST = DECODER_CONTEXT / 2, /* as repliers have it */
    CHAT_GOOD_TOKENS_MOST = 1024,           /* the guard looks at no longer replies, */
    CHAT_GOOD_BYTES_MOST = 16000            /* nor at longer requests */
};

struct chat {
    struct request *request;
    const struct resident_model *model;
    enum resident_layer layer; /* RESIDENT_GOOD or RESIDENT_DREAM */
    struct writing_wish wish;
    struct chat_messages messages;
    struct reply_options options; /* seed: of the first choice */
    size_t n;
    int wants_why, has_values;
    const char *conversation; /* its id, or NULL */
    struct handle handle;
    real *offset; /* [Z] or NULL */
    struct values_grant grant;
    union {
        struct replier *replier;
        struct resident_assistant *assistant;
    } speaker;
    size_t prompt_tokens;
};

/* Borrows a speaker and counts the prompt's tokens; -1 with the request's problem, also when there
 * is no room for them. Leave it also after a failure. */
int chat_speaker_take(struct chat *chat);
void chat_speaker_leave(struct chat *chat);

/* Writes one reply into `writing`, which was started; *trace <- why, where somebody thought, for
 * json_decref; else NULL. *finish_reason lives as long as the program. */
int chat_speak(struct chat *chat, struct writing *writing, uint64_t seed, json_t **trace,
               const char **finish_reason);

#endif
