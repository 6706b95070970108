/* What the routes serve, and one request as a route's handler sees it.
 *
 * A handler returns 0 when it has replied, or -1 with the request's problem, which is then sent: as
 * the reply, or as the last event of a stream that has begun. */
#ifndef TRINE_SERVE_SERVICE_H
#define TRINE_SERVE_SERVICE_H

#include "serve/access.h"
#include "serve/conversations.h"
#include "serve/http.h"
#include "serve/key_rates.h"
#include "serve/metrics.h"

/* Owned by whoever made the service (server.c). Everything may be used by any thread. */
struct service {
    struct resident *resident;
    struct access_rules access;
    struct key_rates *rates;
    struct conversations *conversations; /* NULL: none are kept */
    const char *jobs;                    /* a directory of progress_jobs; NULL: none is told of */
    struct metrics *metrics;
    const struct http_server *http; /* NULL until it runs; for its counts alone */
    int64_t started;                /* unix seconds */
};

struct route;

struct request {
    const struct service *service;
    struct http_exchange *exchange;
    const struct route *route;
    struct caller caller;
    const char *argument; /* what stands in the path for the route's {name}; "": it has none */
    json_t *body;         /* an object; NULL: the route takes none */
    struct problem problem;
    double started; /* progress_clock */
    int status;     /* that was replied; 0: nothing yet */
    int is_stream;  /* an event stream has begun */
};

/* 200 with the JSON, whose reference is taken over; NULL: out of memory. Returns 0, or -1. */
int request_reply(struct request *request, json_t *json);
int request_reply_data(struct request *request, const char *content_type, const void *data,
                       size_t bytes);
/* Sends the request's problem, by whichever way is left. */
void request_fail(struct request *request);

/* A stream of server-sent events: "data: JSON" and an empty line, each. */
int request_stream_begin(struct request *request);
/* Takes over the reference. Not 0: nobody listens any more, or out of memory; stop. */
int request_stream_send(struct request *request, json_t *json);
/* "data: [DONE]" */
void request_stream_end(struct request *request);

/* "data: TEXT\n\n" as it is sent, for free(); NULL: out of memory. */
char *event_of_json(const json_t *json, size_t *bytes);

/* id[size] <- the prefix and 24 random characters. */
void request_new_id(char *id, size_t size, const char *prefix);

/* Out of memory, for handlers. Returns -1. */
int request_no_memory(struct request *request);

/* The model that the body (or, where there is none, the query) names, and what else it asks for, by
 * access_needs. */
int request_model(struct request *request, const struct resident_model **model,
                  enum resident_layer *layer);

#endif
