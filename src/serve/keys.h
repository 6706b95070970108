/* Access keys: who may use the server, how far, how often and until when.
 *
 * A key is a text, "trine-" and 43 characters of base64url (32 random bytes), shown once when it is
 * made. The file (SQLite, mode 0600) keeps only a hash of it. The commands may change the file
 * while a server reads it: a key that is revoked does not work from the next request on.
 *
 * All functions may be called by any thread. */
#ifndef TRINE_SERVE_KEYS_H
#define TRINE_SERVE_KEYS_H

#include <stdint.h>

#include "base/error.h"

/* Each may do what the ones before it may. */
enum scope { SCOPE_NONE, SCOPE_GOOD, SCOPE_TRUTH, SCOPE_DREAM, SCOPES };

enum {
    KEY_TEXT = 6 + 43 + 1, /* bytes, with the NUL */
    KEY_ID = 16 + 1,       /* hexadecimal, with the NUL; no secret */
    KEY_NAME = 64          /* bytes, with the NUL */
};

#define KEY_RATE_LIMIT 1e6 /* requests a minute */

struct key_terms {
    enum scope scope;    /* not SCOPE_NONE */
    double rate;         /* requests a minute, up to KEY_RATE_LIMIT; 0: no limit */
    int64_t expires;     /* unix seconds, from when it does not work any more; 0: never */
    char name[KEY_NAME]; /* a note: UTF-8 of one line without control characters; may be "" */
};

struct keys;

/* A file that is absent or empty is an error unless it may be new. The caller closes *out. */
int keys_open(struct keys **out, const char *path, int is_new_fine, struct error *error);
void keys_close(struct keys *keys); /* NULL is fine */

/* Makes a key. The caller shows the text and wipes it (sodium_memzero); after a failure both are
 * empty. Terms that no key can have, and those that have expired already, are refused. */
int keys_new(struct keys *keys, const struct key_terms *terms, char text[KEY_TEXT], char id[KEY_ID],
             struct error *error);

/* 1 when the text is that of a key which has not expired, 0 when it is not, -1 on failure (then
 * nobody should be let in). The text is any string from outside, or NULL. *terms and id are filled
 * only when 1 is returned. */
int keys_find(struct keys *keys, const char *text, struct key_terms *terms, char id[KEY_ID],
              struct error *error);

struct key_entry {
    char id[KEY_ID];
    int64_t created; /* unix seconds */
    int has_expired;
    struct key_terms terms;
};

/* Stops when it returns something other than 0. It must not call functions of these keys. */
typedef int keys_callback(void *context, const struct key_entry *entry);

/* All keys, the oldest first, also those that have expired. */
int keys_list(struct keys *keys, keys_callback *callback, void *context, struct error *error);

/* 1 when there was such a key, 0 when there was none, -1 on failure. */
int keys_revoke(struct keys *keys, const char *id, struct error *error);

/* "good", "truth", "dream"; "none". */
const char *scope_name(enum scope scope);
/* Of the three that a key can have. */
int scope_from_name(enum scope *scope, const char *name, struct error *error);

/* For tests: the time in unix seconds, instead of the system's. */
typedef int64_t keys_clock(void *context);
void keys_set_clock(struct keys *keys, keys_clock *clock, void *context);

#endif
