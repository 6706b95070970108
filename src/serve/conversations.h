/* Conversations that are kept, for those who ask for it: a SQLite file (mode 0600).
 *
 * A conversation belongs to whoever began it; for everyone else it does not exist. What was
 * acknowledged, that is, for which a function returned 0, is on the disk and survives a crash of
 * the process or of the machine. What was deleted is overwritten: no byte of its title or its
 * messages stays in the file, its log or its index of the log. (Copies that a file system, a disk
 * or a backup keeps are beyond reach.)
 *
 * All functions may be called by any thread. They return 0, or one of the results below with the
 * error filled. */
#ifndef TRINE_SERVE_CONVERSATIONS_H
#define TRINE_SERVE_CONVERSATIONS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum conversation_result {
    CONVERSATION_FAILED = -1, /* the file cannot be read or written, or memory is short */
    CONVERSATION_DONE = 0,
    CONVERSATION_ABSENT = 1, /* the owner has none of this id */
    CONVERSATION_REFUSED = 2 /* what was asked for breaks a rule or a limit, which is named */
};

enum {
    CONVERSATION_ID = 22 + 1,            /* base64url of 16 random bytes, with the NUL */
    CONVERSATION_OWNER = 32,             /* bytes, with the NUL: the id of a key, or "local" */
    CONVERSATION_TITLE_LIMIT = 200,      /* bytes */
    CONVERSATION_MESSAGE_LIMIT = 1 << 20 /* bytes */
};

/* Zero: the default. They bound what one owner can fill, and what one export takes in memory. */
struct conversation_limits {
    size_t conversations;      /* of an owner; 1000 */
    size_t messages;           /* of a conversation; 10000 */
    size_t conversation_bytes; /* of its messages; 16 MiB */
    size_t owner_bytes;        /* of all messages of an owner; 256 MiB */
};

struct conversation_message {
    const char *role; /* "system", "developer", "user" or "assistant" */
    const char *content;
    size_t bytes; /* of the content: UTF-8 without bytes of value 0 */
    int64_t day;  /* when it was said: days since 1970-01-01, UTC; from 0 */
};

struct conversations;

/* The file is made when it is absent; limits may be NULL. The caller closes *out. */
int conversations_open(struct conversations **out, const char *path,
                       const struct conversation_limits *limits, struct error *error);
void conversations_close(struct conversations *conversations); /* NULL is fine */

/* The title is UTF-8 of one line without control characters; it may be "". */
int conversations_create(struct conversations *conversations, const char *owner, const char *title,
                         char id[CONVERSATION_ID], struct error *error);

/* Adds the messages at the end, all or none: a request and its reply are one step. */
int conversations_append(struct conversations *conversations, const char *owner, const char *id,
                         const struct conversation_message *messages, size_t count,
                         struct error *error);

/* *list <- [{"id", "title", "created", "changed", "messages": N}], the one that changed last first;
 * times in unix seconds. The caller decrefs it. */
int conversations_list(struct conversations *conversations, const char *owner, json_t **list,
                       struct error *error);

/* *whole <- {"id", "title", "created", "changed", "messages": [{"role", "content", "day"}]}. */
int conversations_export(struct conversations *conversations, const char *owner, const char *id,
                         json_t **whole, struct error *error);

/* When this fails because another program holds the file's log, the conversation is gone for all
 * who ask, but not yet from the disk; every later change and the closing try again. */
int conversations_delete(struct conversations *conversations, const char *owner, const char *id,
                         struct error *error);

/* Today, for a message's day. */
int64_t conversations_today(void);

#endif
