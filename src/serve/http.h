/* A small HTTP/1.1 server: it accepts, bounds whatever a client sends, runs handlers and carries
 * their replies. What is served is the router's business.
 *
 * libmicrohttpd's one thread does all input and output; `workers` threads of ours run the handlers,
 * one request each, from a queue with a bound. An exchange is one request with its reply. It
 * belongs to the server and may be used by its handler, in the handler's thread, until that
 * returns; what the request said is copied, so it stays readable when the client is long gone.
 *
 * Errors that the server itself answers, and http_reply_error, have the form of OpenAI's. Requests
 * that are not HTTP at all get libmicrohttpd's own plain answer, and the connection is closed. */
#ifndef TRINE_SERVE_HTTP_H
#define TRINE_SERVE_HTTP_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct http_server;
struct http_exchange;

enum {
    HTTP_HEADER_LIMIT = 32 << 10, /* bytes of a request's line and headers; more: 431 */
    HTTP_BODY_LIMIT = 8 << 20,    /* bytes, unless the options say otherwise */
    HTTP_SHORT_BODY = 64 << 10,   /* bytes, for which there is always room */
    HTTP_SLOT = 64                /* bytes */
};

/* Zero: the default, in brackets. */
struct http_options {
    const char *address;      /* [127.0.0.1] a name or number of this machine */
    uint16_t port;            /* [0] which the system chooses: http_port */
    size_t workers;           /* [4] threads that run handlers */
    size_t queue;             /* [64] requests that may wait for one; more: 429 */
    size_t connections;       /* [256] at most; three quarters of them from one address */
    size_t body_limit;        /* [HTTP_BODY_LIMIT] bytes; longer: 413 */
    size_t bodies_limit;      /* [32 body_limit] bytes of all bodies at a time; of more than
                                 HTTP_SHORT_BODY that find no room: 503 */
    unsigned timeout_seconds; /* [60] a client that sends or takes nothing for so long is dropped,
                                 and so is one that takes twice as long over a request's headers */
};

typedef void http_handler(void *context, struct http_exchange *exchange);

/* Called in the I/O thread once the headers are there, before any body is read: finds the handler.
 * Returns 0 and fills *handler and *is_light (run at once in the I/O thread: it must not wait for
 * anything), or replies itself and returns 1. Sees GET for HEAD; the server keeps the body back,
 * answers OPTIONS, and refuses methods other than GET, HEAD, POST, DELETE and OPTIONS with 405. */
typedef int http_router(void *context, struct http_exchange *exchange, http_handler **handler,
                        int *is_light);

/* Listens when it returns 0. `context` goes to the router and the handlers. */
int http_start(struct http_server **out, const struct http_options *options, http_router *router,
               void *context, struct error *error);
uint16_t http_port(const struct http_server *server);

/* Takes no more requests (503), tells running handlers that their client is gone and waits for
 * them, then at most a second for clients to take what was replied. Not from a handler. */
void http_stop(struct http_server *server);

/* What the request said. */
const char *http_method(const struct http_exchange *exchange); /* "GET" */
/* Decoded, valid UTF-8 without control characters and "..", begins with a slash. */
const char *http_path(const struct http_exchange *exchange);
/* The first value of that name, decoded UTF-8; "" when it has none, NULL when it is not there. */
const char *http_query(const struct http_exchange *exchange, const char *name);
/* The first header of that name, in any case; NULL when there is none. Any bytes but NUL. */
const char *http_header(const struct http_exchange *exchange, const char *name);
/* NUL-terminated; "" when there is none, which is always so in the router. */
const char *http_body(const struct http_exchange *exchange, size_t *bytes);
const char *http_client(const struct http_exchange *exchange); /* "127.0.0.1", "::1" */
int http_is_loopback(const struct http_exchange *exchange);

/* HTTP_SLOT zeroed bytes, aligned for anything, in which the router leaves things for the
 * handler. */
void *http_slot(struct http_exchange *exchange);

/* One reply or one stream per exchange; what comes after it is ignored. The data are copied. A
 * handler that returns without either is answered for: 500. */
void http_reply(struct http_exchange *exchange, int status, const char *content_type,
                const void *data, size_t bytes);
/* Takes over the reference; json NULL (out of memory) gives 500. */
void http_reply_json(struct http_exchange *exchange, int status, json_t *json);
/* {"error": {"message", "type", "param": null, "code"}}; the type is by the status, code may be
 * NULL. */
void http_reply_error(struct http_exchange *exchange, int status, const char *code,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Before the reply. A name or value with characters that no header may have is left out. */
void http_add_header(struct http_exchange *exchange, const char *name, const char *value);

/* A reply in pieces, each sent at once. What the client has not taken waits, up to 1 MiB; then
 * http_stream_write waits for it, until the timeout. Not 0: nobody listens (any more); stop.
 * A stream that its handler does not end, or that was cut short by http_stop, ends with an error
 * that the client can tell from the regular end. */
int http_stream_begin(struct http_exchange *exchange, int status, const char *content_type);
int http_stream_write(struct http_exchange *exchange, const void *data, size_t bytes);
void http_stream_end(struct http_exchange *exchange);

/* Whether the client closed its connection, or only its own direction of it, or was dropped, or the
 * server stops. Costs a system call of about a microsecond: fine for every token. */
int http_is_gone(struct http_exchange *exchange);

struct http_counts {
    uint64_t requests;       /* whose headers came */
    uint64_t refused_full;   /* with 429, since the queue was full */
    uint64_t dropped_slow;   /* requests whose client took or sent nothing for too long */
    uint64_t dropped_gone;   /* requests whose client left before the reply was complete */
    uint64_t complaints;     /* of libmicrohttpd: no HTTP, lost or refused connections... */
    size_t running, waiting; /* handlers; requests in the queue */
    size_t connections;
    size_t body_bytes; /* of requests whose reply is not complete */
};
void http_count(const struct http_server *server, struct http_counts *counts);

#endif
