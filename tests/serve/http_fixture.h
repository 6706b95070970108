/* A server with handlers that do what the tests want to see, and what the tests of HTTP share. */
#ifndef TRINE_TESTS_HTTP_FIXTURE_H
#define TRINE_TESTS_HTTP_FIXTURE_H

#include "serve/http.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "base/memory.h"
#include "base/progress.h"
#include "serve/raw_client.h"

#define HOST "Host: localhost\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

/* What the handlers and the tests tell each other. */
static struct {
    sem_t arrived, go;
    atomic_int is_over;      /* a handler of /watch, /flood or /drip has returned */
    atomic_size_t written;   /* bytes by /flood */
    atomic_int stream_error; /* what the last write of a stream gave */
    _Atomic double noticed;  /* when /watch saw that its client had left */
} play;

static struct http_server *server;
static uint16_t port;

static inline void start(struct http_options options);

static inline void stop(void) {
    http_stop(server);
    server = NULL;
}

/* Says back what the request said. */
static inline void echo(void *context, struct http_exchange *exchange) {
    size_t bytes;
    const char *body = http_body(exchange, &bytes);
    assert_ptr_equal(context, &play);
    http_add_header(exchange, "X-Reply", "yes");
    http_reply_json(exchange, 200,
                    json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:I, s:s, s:b, s:s}", "method",
                              http_method(exchange), "path", http_path(exchange), "q",
                              http_query(exchange, "q"), "header", http_header(exchange, "x-ASK"),
                              "body", bytes > 100 ? "long" : body, "bytes", (json_int_t)bytes,
                              "client", http_client(exchange), "loopback",
                              http_is_loopback(exchange), "slot", http_slot(exchange)));
}

static inline void light(void *context, struct http_exchange *exchange) {
    (void)context;
    http_reply(exchange, 200, "text/plain", "light", 5);
}

/* A stream of the I/O thread: all of it waits until the handler is done. */
static inline void light_stream(void *context, struct http_exchange *exchange) {
    (void)context;
    assert_int_equal(http_stream_begin(exchange, 200, "text/plain"), 0);
    assert_int_equal(http_stream_write(exchange, "all at once", 11), 0);
    http_stream_end(exchange);
}

/* Runs until the test says go. */
static inline void hold(void *context, struct http_exchange *exchange) {
    (void)context;
    sem_post(&play.arrived);
    sem_wait(&play.go);
    http_reply(exchange, 200, "text/plain", "held", 4);
}

static inline void nothing(void *context, struct http_exchange *exchange) {
    (void)context, (void)exchange;
}

static inline void twice(void *context, struct http_exchange *exchange) {
    (void)context;
    http_reply(exchange, 200, "text/plain", "first", 5);
    http_reply(exchange, 404, "text/plain", "second", 6);
}

static inline void pieces(void *context, struct http_exchange *exchange) {
    static const char *const texts[] = {"one ", "two ", "three"};
    (void)context;
    if (http_stream_begin(exchange, 200, "text/event-stream") != 0)
        return;
    for (size_t i = 0; i < 3; i++) {
        sem_wait(&play.go);
        if (http_stream_write(exchange, texts[i], strlen(texts[i])) != 0)
            return;
    }
    http_stream_end(exchange);
}

/* Many small pieces as fast as can be: the writer and the I/O thread race for every one. */
static inline void patter(void *context, struct http_exchange *exchange) {
    (void)context;
    http_stream_begin(exchange, 200, "text/plain");
    for (int i = 0; i < 20000; i++)
        if (http_stream_write(exchange, &"0123456789"[i % 10], 1) != 0)
            return;
    http_stream_end(exchange);
}

static inline void unended(void *context, struct http_exchange *exchange) {
    (void)context;
    http_stream_begin(exchange, 200, "text/plain");
    http_stream_write(exchange, "half", 4);
}

static inline void watch(void *context, struct http_exchange *exchange) {
    (void)context;
    sem_post(&play.arrived);
    while (!http_is_gone(exchange))
        nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
    play.noticed = progress_clock();
    play.is_over = 1;
}

/* A little now and then, for ever: until the write fails. */
static inline void drip(void *context, struct http_exchange *exchange) {
    (void)context;
    http_stream_begin(exchange, 200, "text/plain");
    while (http_stream_write(exchange, "drip", 4) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 2 * 1000 * 1000}, NULL);
    http_stream_end(exchange);
    play.is_over = 1;
}

/* More than anybody takes. */
static inline void flood(void *context, struct http_exchange *exchange) {
    static const char water[65536];
    (void)context;
    http_stream_begin(exchange, 200, "application/octet-stream");
    while (play.written < (size_t)1 << 30 && http_stream_write(exchange, water, sizeof water) == 0)
        play.written += sizeof water;
    play.stream_error = http_stream_write(exchange, water, 1);
    play.is_over = 1;
}

static inline void add_wrong_headers(void *context, struct http_exchange *exchange) {
    (void)context;
    http_add_header(exchange, "X-Split", "a\r\nX-Evil: 1");
    http_reply(exchange, 200, "text/plain", "ok", 2);
}

static const struct {
    const char *path;
    http_handler *handler;
    int is_light;
} ROUTES[] = {
    {"/echo", echo, 0},        {"/light", light, 1},           {"/hold", hold, 0},
    {"/nothing", nothing, 0},  {"/twice", twice, 0},           {"/pieces", pieces, 0},
    {"/patter", patter, 0},    {"/unended", unended, 0},       {"/watch", watch, 0},
    {"/drip", drip, 0},        {"/flood", flood, 0},           {"/split", add_wrong_headers, 0},
    {"/light-echo", echo, 1},  {"/light-nothing", nothing, 1}, {"/light-stream", light_stream, 1},
    {"/caf\u00e9 x", echo, 0},
};

static inline int find_route(void *context, struct http_exchange *exchange, http_handler **handler,
                             int *is_light) {
    assert_ptr_equal(context, &play);
    assert_string_equal(http_body(exchange, NULL), "");
    snprintf(http_slot(exchange), HTTP_SLOT, "from the router");
    for (size_t i = 0; i < sizeof ROUTES / sizeof *ROUTES; i++)
        if (strcmp(http_path(exchange), ROUTES[i].path) == 0) {
            *handler = ROUTES[i].handler;
            *is_light = ROUTES[i].is_light;
            return 0;
        }
    if (strcmp(http_path(exchange), "/silent-router") != 0)
        http_reply_error(exchange, 404, "no_route", "there is no %s", http_path(exchange));
    return 1;
}

static inline void start(struct http_options options) {
    struct error error;
    memset(&play, 0, sizeof play);
    sem_init(&play.arrived, 0, 0);
    sem_init(&play.go, 0, 0);
    if (http_start(&server, &options, find_route, &play, &error) != 0)
        fail_msg("%s", error.message);
    port = http_port(server);
    assert_true(port != 0);
}

static inline void ask(const char *request, struct raw_reply *reply) {
    raw_exchange(port, request, reply);
}

static inline struct http_counts count(void) {
    struct http_counts counts;
    http_count(server, &counts);
    return counts;
}

/* Waits until the condition holds, ten seconds at most. */
#define wait_for(condition)                                                                        \
    do {                                                                                           \
        for (double end_ = progress_clock() + 10; !(condition);) {                                 \
            if (progress_clock() > end_)                                                           \
                fail_msg("in vain: %s", #condition);                                               \
            nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);                           \
        }                                                                                          \
    } while (0)

static inline json_t *parse(const struct raw_reply *reply) {
    assert_true(reply->is_whole);
    assert_string_equal(raw_header(reply, "Content-Type"), "application/json");
    json_t *json = json_loads(reply->body, 0, NULL);
    assert_non_null(json);
    return json;
}

static inline void check_text(const struct raw_reply *reply, const char *key,
                              const char *expected) {
    json_t *json = parse(reply);
    const char *text = json_string_value(json_object_get(json, key));
    if (expected == NULL)
        assert_null(text);
    else
        assert_string_equal(text == NULL ? "(none)" : text, expected);
    json_decref(json);
}

static inline void check_error(const struct raw_reply *reply, int status, const char *type) {
    assert_int_equal(reply->status, status);
    json_t *json = parse(reply), *error = json_object_get(json, "error");
    assert_string_equal(json_string_value(json_object_get(error, "type")), type);
    assert_true(json_string_length(json_object_get(error, "message")) > 5);
    assert_true(json_is_null(json_object_get(error, "param")));
    assert_non_null(json_object_get(error, "code"));
    json_decref(json);
}

/* Of all threads, in the next 0.3 seconds. */
static inline double busy_seconds(void) {
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    nanosleep(&(struct timespec){.tv_nsec = 300 * 1000 * 1000}, NULL);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
}

#endif
