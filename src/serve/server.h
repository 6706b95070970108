/* The server: opens models, keys and conversations, listens, and serves (serve/routes.h) until it
 * is told to stop. */
#ifndef TRINE_SERVE_SERVER_H
#define TRINE_SERVE_SERVER_H

#include "serve/http.h"
#include "serve/keys.h"
#include "serve/resident.h"

struct server_options {
    struct resident_options resident; /* workers: how many requests are worked on at a time */
    const char *address;              /* NULL: 127.0.0.1 */
    uint16_t port;                    /* 0: the system chooses */
    size_t queue;                     /* requests that may wait; 0: 64 */
    const char *keys;                 /* a file of keys; NULL: none are used, only this machine */
    enum scope local_scope;           /* of this machine without a key; SCOPE_NONE: good without a
                                       * file of keys, nothing with one */
    const char *conversations;        /* a file; NULL: none are kept */
    const char *jobs;                 /* a directory of progress_jobs; NULL: none is told of */
};

struct server;

/* Listens when it returns 0. The options must live as long as the server. */
int server_start(struct server **out, const struct server_options *options, struct error *error);
uint16_t server_port(const struct server *server);
/* Ends what is being written. NULL is fine. */
void server_stop(struct server *server);

#endif
