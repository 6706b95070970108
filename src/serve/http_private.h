/* What the parts of the HTTP server share:
 *   http.c           start, stop, the queue and the workers
 *   http_access.c    what libmicrohttpd calls, all in the I/O thread
 *   http_request.c   copies and checks what a request says
 *   http_exchange.c  replies and streams: where workers and the I/O thread meet
 *   http_minder.c    a thread that shuts connections which dawdle
 * Locks are taken in the order queue, exchange, libmicrohttpd's own; the minder's stands alone. */
#ifndef TRINE_SERVE_HTTP_PRIVATE_H
#define TRINE_SERVE_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "serve/http.h"

#define HTTP_LIBRARY(use)                                                                          \
    use(start_daemon) use(stop_daemon) use(quiesce_daemon) use(suspend_connection)                 \
        use(resume_connection) use(queue_response) use(create_response_from_buffer)                \
            use(create_response_from_callback) use(destroy_response) use(add_response_header)      \
                use(get_connection_values_n) use(get_connection_info)

#define HTTP_POINTER(name) __typeof__(MHD_##name) *name;
struct http_library {
    HTTP_LIBRARY(HTTP_POINTER)
};
extern struct http_library http_mhd;

enum {
    HTTP_STREAM_LIMIT = 1 << 20, /* bytes that wait for a client */
    HTTP_DRAIN_LIMIT = 64 << 10, /* bytes of a refused body that are read to keep the connection */
    HTTP_LINGERING = 32
};

/* A connection, from accept to close. */
struct http_watch {
    struct http_watch *next, *previous;
    int socket;
    double deadline; /* when it is shut, of the steady clock; INFINITY while we owe the reply */
    int is_shut;
};

struct http_minder {
    pthread_mutex_t lock;
    pthread_t thread;
    int wake; /* eventfd */
    int is_stopping;
    struct http_watch *first;
    struct {
        int socket;
        double until;
    } lingering[HTTP_LINGERING];
    size_t lingering_count;
    double tick; /* seconds */
};

int http_minder_start(struct http_minder *minder, double tick, struct error *error);
void http_minder_stop(struct http_minder *minder); /* after the last http_minder_close */
/* NULL (out of memory): nobody minds the connection; the other functions take it. */
struct http_watch *http_minder_open(struct http_minder *minder, int socket, double deadline);
void http_minder_close(struct http_minder *minder, struct http_watch *watch);
/* Not 0: the connection was shut, since the deadline before this one passed. */
int http_minder_set(struct http_minder *minder, struct http_watch *watch, double deadline);
void http_minder_extend(struct http_minder *minder, struct http_watch *watch, double seconds);
/* Reads and discards for a while what still comes in on a connection that is about to be closed:
 * closed with unread data it would be reset, and the client might never see our reply. */
void http_minder_linger(struct http_minder *minder, int socket);

struct http_server {
    struct http_options options; /* with the defaults; address: the caller's, gone after start */
    http_router *router;
    void *context;
    struct MHD_Daemon *daemon;
    int socket;
    uint16_t port;
    struct http_minder minder;

    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct http_exchange **queue; /* a ring of options.queue */
    size_t first;
    pthread_t *threads;
    size_t thread_count;

    atomic_int is_stopping; /* set under the lock */
    atomic_size_t waiting, running, connections, open;
    atomic_size_t body_bytes; /* of all exchanges */
    atomic_uint_fast64_t requests, refused_full, dropped_slow, dropped_gone, complaints;
};

struct http_pair {
    const char *name, *value;
};

struct http_request {
    void *block; /* holds all that is pointed to below, but for the body */
    const char *method, *path;
    struct http_pair *queries, *headers;
    size_t query_count, header_count;
    char client[64];
    int is_loopback, is_head;
    int is_old; /* HTTP/1.0: a stream ends with the connection */
    char *body;
    size_t body_bytes, body_capacity;
};

enum http_answer {
    HTTP_UNANSWERED,
    HTTP_WHOLE,
    HTTP_STREAM,
    HTTP_NEVER /* close the connection */
};

enum http_drop { HTTP_KEPT, HTTP_GONE, HTTP_SLOW };

struct http_added {
    struct http_added *next;
    const char *value;
    char name[];
};

struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *connection; /* the I/O thread's; and to resume it while suspended */
    struct http_watch *watch;
    int socket;
    atomic_int references; /* libmicrohttpd's request, its response, a worker's job */
    struct http_request request;
    http_handler *handler;
    int is_light, is_dispatched, is_refused; /* refused: before its body was read */
    struct http_added *added;
    _Alignas(16) unsigned char slot[HTTP_SLOT];

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t room;
    enum http_answer answer;
    int status;
    char content_type[96];
    char *data; /* the whole reply, or what waits of a stream */
    size_t start, bytes, capacity;
    int is_suspended; /* then, and only then, may the connection be resumed */
    int is_ended;     /* the stream: nothing more will come */
    int is_cut;       /* and the client should know that this is not all */
    int is_shut;      /* we broke the stream off */
    int is_over;      /* libmicrohttpd is done with the request; connection and socket are dead */
    enum http_drop drop;
};

/* http_request.c. Reads the request of a new exchange: 0, or it has replied what is wrong. */
int http_request_read(struct http_exchange *exchange, const char *method, const char *url,
                      const char *version);
void http_request_free(struct http_request *request);
/* 1 added, 0 longer than the limit, -1 out of memory. */
int http_request_add_body(struct http_request *request, const char *data, size_t bytes,
                          size_t limit);

/* http_exchange.c. One reference to start with; NULL: out of memory. */
struct http_exchange *http_exchange_create(struct http_server *server,
                                           struct MHD_Connection *connection);
void http_exchange_release(struct http_exchange *exchange);
/* The handler returned: makes sure that there is a reply, and that a stream has an end. */
void http_exchange_finish(struct http_exchange *exchange);
/* I/O thread, in a callback of the connection: not to be called again until it is resumed. */
void http_exchange_suspend(struct http_exchange *exchange);
enum http_answer http_exchange_answer(struct http_exchange *exchange);
/* The next bytes of a stream, as MHD_ContentReaderCallback. */
ssize_t http_exchange_take(void *exchange, uint64_t position, char *buffer, size_t capacity);
/* With the exchange's lock held; counted once. */
void http_exchange_drop(struct http_exchange *exchange, enum http_drop drop);

/* http.c. Suspends the connection and queues the request: 0, or it has replied why not. */
int http_enqueue(struct http_exchange *exchange);

/* http_access.c */
struct MHD_Daemon *http_open_daemon(struct http_server *server);

#endif
