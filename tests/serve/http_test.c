/* The HTTP server, from outside: a client over sockets that says what it likes. */
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

static void start(struct http_options options);

static void stop(void) {
    http_stop(server);
    server = NULL;
}

/* Says back what the request said. */
static void echo(void *context, struct http_exchange *exchange) {
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

static void light(void *context, struct http_exchange *exchange) {
    (void)context;
    http_reply(exchange, 200, "text/plain", "light", 5);
}

/* A stream of the I/O thread: all of it waits until the handler is done. */
static void light_stream(void *context, struct http_exchange *exchange) {
    (void)context;
    assert_int_equal(http_stream_begin(exchange, 200, "text/plain"), 0);
    assert_int_equal(http_stream_write(exchange, "all at once", 11), 0);
    http_stream_end(exchange);
}

/* Runs until the test says go. */
static void hold(void *context, struct http_exchange *exchange) {
    (void)context;
    sem_post(&play.arrived);
    sem_wait(&play.go);
    http_reply(exchange, 200, "text/plain", "held", 4);
}

static void nothing(void *context, struct http_exchange *exchange) {
    (void)context, (void)exchange;
}

static void twice(void *context, struct http_exchange *exchange) {
    (void)context;
    http_reply(exchange, 200, "text/plain", "first", 5);
    http_reply(exchange, 404, "text/plain", "second", 6);
}

static void pieces(void *context, struct http_exchange *exchange) {
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
static void patter(void *context, struct http_exchange *exchange) {
    (void)context;
    http_stream_begin(exchange, 200, "text/plain");
    for (int i = 0; i < 20000; i++)
        if (http_stream_write(exchange, &"0123456789"[i % 10], 1) != 0)
            return;
    http_stream_end(exchange);
}

static void unended(void *context, struct http_exchange *exchange) {
    (void)context;
    http_stream_begin(exchange, 200, "text/plain");
    http_stream_write(exchange, "half", 4);
}

static void watch(void *context, struct http_exchange *exchange) {
    (void)context;
    sem_post(&play.arrived);
    while (!http_is_gone(exchange))
        nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
    play.noticed = progress_clock();
    play.is_over = 1;
}

/* A little now and then, for ever: until the write fails. */
static void drip(void *context, struct http_exchange *exchange) {
    (void)context;
    http_stream_begin(exchange, 200, "text/plain");
    while (http_stream_write(exchange, "drip", 4) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 2 * 1000 * 1000}, NULL);
    http_stream_end(exchange);
    play.is_over = 1;
}

/* More than anybody takes. */
static void flood(void *context, struct http_exchange *exchange) {
    static const char water[65536];
    (void)context;
    http_stream_begin(exchange, 200, "application/octet-stream");
    while (play.written < (size_t)1 << 30 && http_stream_write(exchange, water, sizeof water) == 0)
        play.written += sizeof water;
    play.stream_error = http_stream_write(exchange, water, 1);
    play.is_over = 1;
}

static void add_wrong_headers(void *context, struct http_exchange *exchange) {
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

static int find_route(void *context, struct http_exchange *exchange, http_handler **handler,
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

static void start(struct http_options options) {
    struct error error;
    memset(&play, 0, sizeof play);
    sem_init(&play.arrived, 0, 0);
    sem_init(&play.go, 0, 0);
    if (http_start(&server, &options, find_route, &play, &error) != 0)
        fail_msg("%s", error.message);
    port = http_port(server);
    assert_true(port != 0);
}

static void ask(const char *request, struct raw_reply *reply) {
    raw_exchange(port, request, reply);
}

static struct http_counts count(void) {
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

static json_t *parse(const struct raw_reply *reply) {
    assert_true(reply->is_whole);
    assert_string_equal(raw_header(reply, "Content-Type"), "application/json");
    json_t *json = json_loads(reply->body, 0, NULL);
    assert_non_null(json);
    return json;
}

static void check_text(const struct raw_reply *reply, const char *key, const char *expected) {
    json_t *json = parse(reply);
    const char *text = json_string_value(json_object_get(json, key));
    if (expected == NULL)
        assert_null(text);
    else
        assert_string_equal(text == NULL ? "(none)" : text, expected);
    json_decref(json);
}

static void check_error(const struct raw_reply *reply, int status, const char *type) {
    assert_int_equal(reply->status, status);
    json_t *json = parse(reply), *error = json_object_get(json, "error");
    assert_string_equal(json_string_value(json_object_get(error, "type")), type);
    assert_true(json_string_length(json_object_get(error, "message")) > 5);
    assert_true(json_is_null(json_object_get(error, "param")));
    assert_non_null(json_object_get(error, "code"));
    json_decref(json);
}

static void test_reply(void **state) {
    (void)state;
    struct raw_reply reply;
    start((struct http_options){.workers = 2});
    ask("POST /echo?a=b&q=1%2B1+is+%C3%A9&q=second HTTP/1.1\r\n" HOST
        "X-Ask: what?  \r\nContent-Length: 5\r\n\r\nhello",
        &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(raw_header(&reply, "X-Reply"), "yes");
    assert_string_equal(raw_header(&reply, "X-Content-Type-Options"), "nosniff");
    check_text(&reply, "method", "POST");
    check_text(&reply, "path", "/echo");
    check_text(&reply, "q", "1+1 is \u00e9");
    check_text(&reply, "header", "what?");
    check_text(&reply, "body", "hello");
    check_text(&reply, "client", "127.0.0.1");
    check_text(&reply, "slot", "from the router");
    assert_non_null(strstr(reply.body, "\"loopback\":true"));
    ask(GET("/caf%C3%A9%20x?q"), &reply);
    check_text(&reply, "path", "/caf\u00e9 x");
    check_text(&reply, "q", "");
    check_text(&reply, "header", NULL);
    check_text(&reply, "body", "");
    ask(GET("/light"), &reply);
    assert_string_equal(reply.body, "light");
    ask("POST /light-echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody", &reply);
    check_text(&reply, "body", "body");
    ask(GET("/twice"), &reply);
    assert_string_equal(reply.body, "first");
    ask(GET("/split"), &reply);
    assert_int_equal(reply.status, 200);
    assert_null(raw_header(&reply, "X-Evil"));
    assert_int_equal(count().requests, 6);
    stop();
}

static void test_no_reply(void **state) {
    (void)state;
    struct raw_reply reply;
    start((struct http_options){.workers = 1});
    ask(GET("/nothing"), &reply);
    check_error(&reply, 500, "server_error");
    ask(GET("/light-nothing"), &reply);
    check_error(&reply, 500, "server_error");
    ask(GET("/silent-router"), &reply);
    check_error(&reply, 500, "server_error");
    ask(GET("/none"), &reply);
    check_error(&reply, 404, "not_found_error");
    assert_non_null(strstr(reply.body, "\"code\":\"no_route\""));
    stop();
}

static void test_methods(void **state) {
    (void)state;
    struct raw_client client;
    struct raw_reply reply;
    start((struct http_options){.workers = 1});
    ask("BREW /echo HTTP/1.1\r\n" HOST "\r\n", &reply);
    check_error(&reply, 405, "invalid_request_error");
    assert_string_equal(raw_header(&reply, "Allow"), "GET, HEAD, POST, DELETE, OPTIONS");
    ask("PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi", &reply);
    check_error(&reply, 405, "invalid_request_error");
    ask("DELETE /echo HTTP/1.1\r\n" HOST "\r\n", &reply);
    check_text(&reply, "method", "DELETE");
    /* The second reply shows that no body followed the first. */
    raw_open(&client, port);
    static const char *const heads[] = {"/echo", "/pieces", "/light"};
    for (size_t i = 0; i < 3; i++) {
        char request[128];
        snprintf(request, sizeof request, "HEAD %s HTTP/1.1\r\n" HOST "\r\n", heads[i]);
        raw_send(&client, request);
        raw_read(&client, &reply, 1);
        assert_int_equal(reply.status, 200);
    }
    assert_string_equal(raw_header(&reply, "Content-Length"), "5");
    raw_send(&client, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n" GET("/light"));
    raw_read(&client, &reply, 0);
    assert_int_equal(reply.status, 204);
    assert_non_null(raw_header(&reply, "Allow"));
    raw_read(&client, &reply, 0);
    assert_string_equal(reply.body, "light");
    raw_close(&client);
    stop();
}

/* Targets and headers that this server takes from nobody. */
static void test_refuses_requests(void **state) {
    (void)state;
    struct raw_reply reply;
    static const char *const wrong[] = {
        GET("/a/../echo"),
        GET("/a/%2e%2E"),
        GET("/echo%00"),
        GET("/echo%0a"),
        GET("/echo%"),
        GET("/echo%4"),
        GET("/echo%zz"),
        GET("/%ff"),
        GET("/echo?q=%00"),
        GET("/echo?q=%C3"),
        GET("/echo?%GG=1"),
        GET("*"),
        GET("echo"),
        GET("http://other/echo"),
        "GET /echo HTTP/1.1\r\n" HOST HOST "\r\n",
        "GET /echo HTTP/1.1\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\n" HOST
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "GET /echo there HTTP/1.1\r\n" HOST "\r\n",
    };
    start((struct http_options){.workers = 1});
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct raw_client client;
        raw_open(&client, port);
        raw_send(&client, wrong[i]);
        raw_read(&client, &reply, 0);
        if (reply.status != 400)
            fail_msg("%d: %s", reply.status, wrong[i]);
        assert_true(raw_is_closed(&client)); /* what follows may be somebody's idea of a body */
        raw_close(&client);
    }
    ask(GET("/a..b/%2e"), &reply); /* and this is none of it */
    assert_int_equal(reply.status, 404);
    stop();
}

/* The text n times after the start, and the end after it; the caller frees. */
static char *build(const char *before, const char *text, size_t n, const char *after) {
    size_t length = strlen(text);
    char *built = malloc(strlen(before) + n * length + strlen(after) + 1), *at = built;
    at = stpcpy(at, before);
    for (size_t i = 0; i < n; i++)
        at = stpcpy(at, text);
    stpcpy(at, after);
    return built;
}

static void test_body_limits(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client client;
    start((struct http_options){.workers = 1, .body_limit = 1000});
    char *request =
        build("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\n", "x", 1000, "");
    ask(request, &reply);
    free(request);
    assert_non_null(strstr(reply.body, "\"bytes\":1000"));
    /* One byte more, of which none need be sent. */
    ask("POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n",
        &reply);
    check_error(&reply, 413, "invalid_request_error");
    ask("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n", &reply);
    assert_int_equal(reply.status, 413);
    ask("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551615\r\n\r\n", &reply);
    assert_int_equal(reply.status, 413);
    /* With 100-continue where the body is welcome. */
    raw_open(&client, port);
    raw_send(&client,
             "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    raw_read_head(&client, &reply);
    assert_int_equal(reply.status, 100);
    raw_send(&client, "hi");
    raw_read(&client, &reply, 0);
    check_text(&reply, "body", "hi");
    raw_close(&client);
    stop();
}

/* Whoever holds long bodies without an end keeps others from long ones, not from short ones. */
static void test_limit_of_all_bodies(void **state) {
    (void)state;
    static char noise[HTTP_SHORT_BODY];
    struct raw_reply reply;
    struct raw_client holding[2];
    start((struct http_options){.workers = 1, .body_limit = 1 << 20, .bodies_limit = 300001});
    char *request =
        build("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n", "x", 100000, "");
    for (int i = 0; i < 2; i++) {
        raw_open(&holding[i], port);
        raw_send(&holding[i], "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 150001\r\n\r\n");
        for (size_t left = 150000; left > 0;) {
            size_t piece = left < sizeof noise ? left : sizeof noise;
            assert_int_equal(raw_try_send(&holding[i], noise, piece), 0);
            left -= piece;
        }
    }
    wait_for(count().body_bytes == 300000);
    ask(request, &reply);
    check_error(&reply, 503, "server_error");
    ask("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi", &reply);
    check_text(&reply, "body", "hi");
    /* Who ends makes room, and who leaves. */
    raw_send(&holding[0], "!");
    raw_read(&holding[0], &reply, 0);
    assert_non_null(strstr(reply.body, "\"bytes\":150001"));
    raw_close(&holding[1]);
    wait_for(count().body_bytes == 0);
    for (int i = 0; i < 5; i++) {
        ask(request, &reply);
        assert_int_equal(reply.status, 200);
    }
    raw_close(&holding[0]);
    free(request);
    stop();
}

static void test_chunked_bodies(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client client;
    start((struct http_options){.workers = 1, .body_limit = 1000});
    raw_open(&client, port);
    raw_send(&client, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
    raw_read(&client, &reply, 0);
    check_text(&reply, "body", "abcde");
    char *request = build("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
                          "a\r\n0123456789\r\n", 100, "0\r\n\r\n");
    raw_send(&client, request);
    raw_read(&client, &reply, 0);
    assert_non_null(strstr(reply.body, "\"bytes\":1000"));
    free(request);
    /* No end in sight: refused as soon as it is too long. */
    request = build("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
                    "a\r\n0123456789\r\n", 100, "1\r\n!\r\n");
    raw_send(&client, request);
    raw_read(&client, &reply, 0);
    check_error(&reply, 413, "invalid_request_error");
    assert_string_equal(raw_header(&reply, "Connection"), "close");
    assert_true(raw_is_closed(&client));
    free(request);
    raw_close(&client);
    assert_int_equal(count().dropped_gone, 0);
    stop();
}

/* A client that talks on while it is refused finds the reply, and no reset before it. */
static void test_refusal_is_heard(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client client;
    static char noise[1 << 20];
    start((struct http_options){.workers = 1, .body_limit = 1000});
    static const char *const starts[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 16777216\r\n\r\n",
        "POST /none HTTP/1.1\r\n" HOST "Content-Length: 16777216\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1000000\r\n",
    };
    for (size_t i = 0; i < 3; i++) {
        raw_open(&client, port);
        raw_send(&client, starts[i]);
        for (int piece = 0; piece < 16; piece++) {
            assert_int_equal(raw_try_send(&client, noise, sizeof noise), 0);
            nanosleep(&(struct timespec){.tv_nsec = 5 * 1000 * 1000}, NULL);
        }
        raw_read(&client, &reply, 0);
        check_error(&reply, i == 1 ? 404 : 413,
                    i == 1 ? "not_found_error" : "invalid_request_error");
        assert_true(raw_is_closed(&client));
        raw_close(&client);
    }
    stop();
}

/* What is refused before a short body leaves the connection of use. */
static void test_refused_body_is_drained(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client client;
    start((struct http_options){.workers = 1});
    raw_open(&client, port);
    char *request = build("POST /none HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\n", "x",
                          60000, GET("/light"));
    raw_send(&client, request);
    free(request);
    raw_read(&client, &reply, 0);
    assert_int_equal(reply.status, 404);
    raw_read(&client, &reply, 0);
    assert_string_equal(reply.body, "light");
    raw_close(&client);
    stop();
}

static void test_header_limit(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client client;
    start((struct http_options){.workers = 1});
    char *request = build("GET /light HTTP/1.1\r\n" HOST "X-Long: ", "x", 30000, "\r\n\r\n");
    ask(request, &reply);
    assert_string_equal(reply.body, "light");
    free(request);
    request = build("GET /light HTTP/1.1\r\n" HOST "X-Long: ", "x", HTTP_HEADER_LIMIT, "\r\n\r\n");
    ask(request, &reply);
    check_error(&reply, 431, "invalid_request_error");
    free(request);
    /* For ever: the server does not wait for the end. */
    raw_open(&client, port);
    raw_send(&client, "GET /light HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 3000 && raw_try_send(&client, "X-Many: 0123456789\r\n", 20) == 0; i++)
        ;
    raw_read(&client, &reply, 0);
    assert_true(reply.status == 0 || reply.status == 431);
    assert_true(raw_is_closed(&client));
    raw_close(&client);
    stop();
}

static void test_keep_alive_and_pipelining(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client client;
    start((struct http_options){.workers = 2});
    raw_open(&client, port);
    raw_send(&client, "POST /echo?q=first HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\none"
                      "POST /echo?q=second HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\ntwo");
    raw_read(&client, &reply, 0);
    check_text(&reply, "q", "first");
    check_text(&reply, "body", "one");
    raw_read(&client, &reply, 0);
    check_text(&reply, "q", "second");
    check_text(&reply, "body", "two");
    raw_send(&client, GET("/patter")); /* a stream does not end the connection either */
    raw_read(&client, &reply, 0);
    assert_int_equal(reply.body_bytes, 20000);
    raw_send(&client, "GET /light HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    raw_read(&client, &reply, 0);
    assert_string_equal(reply.body, "light");
    assert_true(raw_is_closed(&client));
    raw_close(&client);
    wait_for(count().connections == 0);
    stop();
}

/* Of all threads, in the next 0.3 seconds. */
static double busy_seconds(void) {
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    nanosleep(&(struct timespec){.tv_nsec = 300 * 1000 * 1000}, NULL);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
}

/* The first piece is read before the second is written, and nobody spins meanwhile. */
static void test_stream_comes_in_pieces(void **state) {
    (void)state;
    static const char *const texts[] = {"one ", "one two ", "one two three"};
    struct raw_reply reply;
    struct raw_client client;
    start((struct http_options){.workers = 1});
    raw_open(&client, port);
    raw_send(&client, GET("/pieces"));
    for (size_t i = 0; i < 3; i++) {
        sem_post(&play.go);
        if (i == 0) {
            assert_int_equal(raw_read_head(&client, &reply), 0);
            assert_string_equal(raw_header(&reply, "Content-Type"), "text/event-stream");
        }
        assert_true(raw_read_chunk(&client, &reply) > 0);
        assert_string_equal(reply.body, texts[i]);
        assert_true(i != 1 || busy_seconds() < 0.05);
    }
    assert_int_equal(raw_read_chunk(&client, &reply), 0);
    raw_close(&client);
    /* To an old client, by the end of the connection. */
    for (int i = 0; i < 3; i++)
        sem_post(&play.go);
    ask("GET /pieces HTTP/1.0\r\n\r\n", &reply);
    assert_null(raw_header(&reply, "Transfer-Encoding"));
    assert_string_equal(reply.body, "one two three");
    ask(GET("/light-stream"), &reply);
    assert_true(reply.is_whole);
    assert_string_equal(reply.body, "all at once");
    stop();
}

/* What the writer and the reader of a stream do to each other a million times over. */
static void test_stream_races(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client client;
    start((struct http_options){.workers = 2});
    raw_open(&client, port);
    for (int round = 0; round < 20; round++) {
        raw_send(&client, GET("/patter"));
        raw_read(&client, &reply, 0);
        assert_true(reply.is_whole);
        assert_int_equal(reply.body_bytes, 20000);
        for (size_t i = 0; i < 20000; i++)
            assert_int_equal(reply.body[i], '0' + (int)(i % 10));
    }
    raw_close(&client);
    stop();
}

static void test_unended_stream_is_no_whole_one(void **state) {
    (void)state;
    struct raw_reply reply;
    start((struct http_options){.workers = 1});
    ask(GET("/unended"), &reply);
    assert_string_equal(reply.body, "half");
    assert_false(reply.is_whole);
    assert_int_equal(count().dropped_gone, 0); /* the handler's fault */
    stop();
}

/* What the server has no memory for, it says, or breaks off; and then goes on. */
static void test_out_of_memory(void **state) {
    (void)state;
    struct raw_reply reply;
    start((struct http_options){.workers = 1});
    memory_fail_after(1);
    ask("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", &reply);
    check_error(&reply, 503, "server_error");
    memory_fail_after(1);
    ask(GET("/patter"), &reply);
    memory_fail_after(0);
    assert_int_equal(reply.status, 200);
    assert_false(reply.is_whole);
    ask(GET("/patter"), &reply);
    assert_true(reply.is_whole);
    stop();
}

static void test_full_queue(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client clients[3];
    start((struct http_options){.workers = 1, .queue = 2});
    for (size_t i = 0; i < 3; i++) {
        raw_open(&clients[i], port);
        raw_send(&clients[i], GET("/hold"));
        if (i == 0)
            sem_wait(&play.arrived);
        else
            wait_for(count().waiting == i);
    }
    assert_int_equal(count().running, 1);
    assert_true(busy_seconds() < 0.05);
    struct raw_client late;
    raw_open(&late, port);
    raw_send(&late, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi" GET("/light"));
    raw_read(&late, &reply, 0);
    check_error(&reply, 429, "rate_limit_error");
    assert_string_equal(raw_header(&reply, "Retry-After"), "1");
    raw_read(&late, &reply, 0); /* light ones need no place */
    assert_string_equal(reply.body, "light");
    assert_int_equal(count().refused_full, 1);
    /* One of those who wait leaves: there is a place again, before it would have been its turn. */
    raw_close(&clients[1]);
    raw_send(&late, GET("/echo"));
    wait_for(count().dropped_gone == 1);
    assert_int_equal(count().waiting, 2);
    for (int i = 0; i < 2; i++)
        sem_post(&play.go);
    raw_read(&clients[0], &reply, 0);
    assert_string_equal(reply.body, "held");
    raw_read(&clients[2], &reply, 0);
    assert_string_equal(reply.body, "held");
    raw_read(&late, &reply, 0);
    check_text(&reply, "path", "/echo");
    raw_close(&clients[0]);
    raw_close(&clients[2]);
    raw_close(&late);
    stop();
}

static void test_leaving_client_is_noticed(void **state) {
    (void)state;
    struct raw_client client;
    static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    start((struct http_options){.workers = 1});
    for (int is_reset = 0; is_reset < 2; is_reset++) {
        play.is_over = 0;
        raw_open(&client, port);
        raw_send(&client, GET("/watch"));
        sem_wait(&play.arrived);
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
        assert_false(play.is_over); /* while the client is there, it is */
        if (is_reset)
            setsockopt(client.socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        double left = progress_clock();
        raw_close(&client);
        wait_for(play.is_over);
        assert_true(play.noticed - left < 0.2);
        wait_for(count().dropped_gone == (uint64_t)is_reset + 1);
        wait_for(count().connections == 0);
    }
    stop();
}

static void test_leaving_client_ends_a_stream(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client client;
    start((struct http_options){.workers = 1});
    raw_open(&client, port);
    raw_send(&client, GET("/drip"));
    assert_int_equal(raw_read_head(&client, &reply), 0);
    assert_true(raw_read_chunk(&client, &reply) > 0);
    double left = progress_clock();
    raw_close(&client);
    wait_for(play.is_over);
    assert_true(progress_clock() - left < 0.2);
    wait_for(count().connections == 0);
    assert_int_equal(count().dropped_gone, 1);
    stop();
}

/* The bound holds, and the worker is free again. */
static void test_client_that_does_not_read(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client client;
    start((struct http_options){.workers = 1, .timeout_seconds = 1});
    int small = 4096;
    raw_open(&client, port);
    setsockopt(client.socket, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    double began = progress_clock();
    raw_send(&client, GET("/flood"));
    wait_for(play.is_over);
    assert_true(progress_clock() - began >= 1);
    assert_true(progress_clock() - began < 5);
    assert_true(play.written < (size_t)16 << 20); /* 1 MiB, and what the system buffers */
    assert_int_not_equal(play.stream_error, 0);
    wait_for(count().dropped_slow == 1);
    assert_int_equal(count().dropped_gone, 0);
    ask(GET("/echo"), &reply);
    assert_int_equal(reply.status, 200);
    raw_close(&client);
    stop();
}

/* One that reads, though slowly, gets everything. */
static void test_client_that_reads_slowly(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client client;
    start((struct http_options){.workers = 1, .timeout_seconds = 1});
    raw_open(&client, port);
    raw_send(&client, GET("/flood"));
    assert_int_equal(raw_read_head(&client, &reply), 0);
    for (double end = progress_clock() + 2.5; progress_clock() < end;) {
        for (int i = 0; i < 20; i++)
            assert_true(raw_read_chunk(&client, &reply) > 0);
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    }
    assert_false(play.is_over);
    assert_int_equal(count().dropped_slow, 0);
    raw_close(&client);
    wait_for(play.is_over);
    stop();
}

static void test_slow_senders(void **state) {
    (void)state;
    static const char *const halves[] = {
        "",
        "GET /light HT",
        "GET /light HTTP/1.1\r\nHost: loc",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nhalf",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n4\r\nha",
        GET("/light")};
    struct raw_client clients[6];
    start((struct http_options){.workers = 1, .timeout_seconds = 1});
    double began = progress_clock();
    for (size_t i = 0; i < 6; i++) {
        raw_open(&clients[i], port);
        raw_send(&clients[i], halves[i]);
    }
    for (size_t i = 0; i < 6; i++) {
        while (!raw_is_closed(&clients[i]))
            ;
        double seconds = progress_clock() - began;
        if (!(seconds > 0.9 && seconds < 4))
            fail_msg("closed after %.2f s: %s", seconds, halves[i]);
        raw_close(&clients[i]);
    }
    wait_for(count().dropped_slow == 2 && count().connections == 0);
    stop();
}

/* Never silent, and never done. */
static void test_dribbling_senders(void **state) {
    (void)state;
    static const char *const starts[] = {"GET /light HTTP/1.1\r\nHost: ",
                                         "POST /echo HTTP/1.1\r\n" HOST
                                         "Content-Length: 1000000\r\n\r\n"};
    start((struct http_options){.workers = 1, .timeout_seconds = 1});
    for (size_t i = 0; i < 2; i++) {
        struct raw_client client;
        raw_open(&client, port);
        raw_send(&client, starts[i]);
        double began = progress_clock();
        while (raw_try_send(&client, "x", 1) == 0 && progress_clock() - began < 8)
            nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
        assert_true(progress_clock() - began > 1.5);
        assert_true(progress_clock() - began < 5);
        raw_close(&client);
    }
    wait_for(count().dropped_slow == 1); /* the other one never was a request */
    stop();
}

static void *stop_it(void *context) {
    (void)context;
    http_stop(server);
    return NULL;
}

/* One streams, one runs without a word, one waits, one is idle, one is in the middle of a
 * request. */
static void test_stop(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client streaming, watching, waiting, idle, half;
    start((struct http_options){.workers = 2, .queue = 4});
    raw_open(&streaming, port);
    raw_send(&streaming, GET("/drip"));
    assert_int_equal(raw_read_head(&streaming, &reply), 0);
    raw_open(&watching, port);
    raw_send(&watching, GET("/watch"));
    sem_wait(&play.arrived);
    raw_open(&waiting, port);
    raw_send(&waiting, GET("/echo"));
    wait_for(count().waiting == 1);
    raw_open(&idle, port);
    raw_open(&half, port);
    raw_send(&half, "GET /li");
    double began = progress_clock();
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop_it, NULL), 0);
    while (raw_read_chunk(&streaming, &reply) > 0)
        ;
    assert_true(raw_is_closed(&streaming));
    raw_read(&waiting, &reply, 0);
    check_error(&reply, 503, "server_error");
    raw_read(&watching, &reply, 0);
    check_error(&reply, 503, "server_error");
    assert_true(raw_is_closed(&idle));
    assert_true(raw_is_closed(&half));
    pthread_join(stopper, NULL);
    assert_true(progress_clock() - began < 3);
    raw_close(&streaming);
    raw_close(&watching);
    raw_close(&waiting);
    raw_close(&idle);
    raw_close(&half);
    server = NULL;
}

/* A stream that the stop cut must not look whole. */
static void test_stop_cuts_streams(void **state) {
    (void)state;
    struct raw_reply reply;
    struct raw_client client;
    long chunk;
    start((struct http_options){.workers = 1});
    raw_open(&client, port);
    raw_send(&client, GET("/drip"));
    assert_int_equal(raw_read_head(&client, &reply), 0);
    stop();
    while ((chunk = raw_read_chunk(&client, &reply)) > 0)
        ;
    assert_int_equal(chunk, -1);
    raw_close(&client);
}

enum { CLIENTS = 32, ROUNDS = 25 };

/* Threads must not use cmocka: counts what went well. */
static void *chat(void *context) {
    static const char *const requests[] = {GET("/echo?q=x"), GET("/light"), GET("/patter"),
                                           GET("/unended")};
    atomic_int *fine = context;
    for (int round = 0; round < ROUNDS; round++) {
        struct raw_reply *reply = malloc(sizeof *reply);
        raw_exchange(port, requests[round % 4], reply);
        *fine += reply->status == 200 && reply->is_whole == (round % 4 != 3);
        free(reply);
    }
    return NULL;
}

static void test_many_clients(void **state) {
    (void)state;
    pthread_t threads[CLIENTS];
    atomic_int fine = 0;
    start((struct http_options){.workers = 8, .connections = 256});
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, chat, &fine), 0);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(fine, CLIENTS * ROUNDS);
    assert_int_equal(count().requests, CLIENTS * ROUNDS);
    wait_for(count().connections == 0 && count().running == 0);
    stop();
}

/* Clients that come and go as they like, while the server does all it can: for the sanitizers. */
static void *disturb(void *context) {
    static const char *const requests[] = {
        GET("/drip"), GET("/echo") GET("/echo"), GET("/flood"),
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99\r\n\r\nx", GET("/watch")};
    unsigned seed = (unsigned)(size_t)context;
    for (int round = 0; round < 40; round++) {
        struct raw_client *client = malloc(sizeof *client);
        char waste[4096];
        raw_open(client, port);
        const char *request = requests[rand_r(&seed) % 5];
        raw_try_send(client, request, strlen(request));
        nanosleep(&(struct timespec){.tv_nsec = rand_r(&seed) % 5000000}, NULL);
        if (rand_r(&seed) % 2)
            recv(client->socket, waste, sizeof waste, MSG_DONTWAIT);
        raw_close(client);
        free(client);
    }
    return NULL;
}

static void test_disturbers(void **state) {
    (void)state;
    pthread_t threads[8];
    struct raw_reply reply;
    start((struct http_options){.workers = 4, .queue = 4, .timeout_seconds = 12});
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, disturb, (void *)(i + 1)), 0);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    wait_for(count().running == 0 && count().waiting == 0 && count().connections == 0); /* soon */
    ask(GET("/echo"), &reply);
    assert_int_equal(reply.status, 200);
    stop();
}

static void test_garbage(void **state) {
    (void)state;
    static const char *const garbage[] = {
        "\r\n\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /* a browser that expects TLS */
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET\r\n\r\n",
        " / HTTP/1.1\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon here\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nnot a number\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
    };
    struct raw_reply reply;
    struct raw_client client;
    unsigned seed = 1;
    start((struct http_options){.workers = 1, .timeout_seconds = 1});
    enum { COUNT = sizeof garbage / sizeof *garbage };
    static struct raw_client clients[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        raw_open(&clients[i], port);
        raw_send(&clients[i], garbage[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        while (!raw_is_closed(&clients[i]))
            ;
        raw_close(&clients[i]);
    }
    for (int round = 0; round < 200; round++) {
        char noise[512];
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (char)(rand_r(&seed) & 0xff);
        noise[sizeof noise - 1] = '\n';
        raw_open(&client, port);
        raw_try_send(&client, noise, 1 + (size_t)rand_r(&seed) % sizeof noise);
        raw_close(&client);
    }
    ask(GET("/echo"), &reply);
    assert_int_equal(reply.status, 200);
    assert_true(count().complaints > 0); /* and none of them on the terminal */
    wait_for(count().connections == 0);
    stop();
}

static void test_limits_connections(void **state) {
    (void)state;
    struct raw_client clients[4];
    struct raw_reply reply;
    start((struct http_options){.workers = 1, .connections = 4});
    for (size_t i = 0; i < 3; i++) { /* three quarters, from one address */
        raw_open(&clients[i], port);
        raw_send(&clients[i], GET("/light"));
        raw_read(&clients[i], &reply, 0);
        assert_int_equal(reply.status, 200);
    }
    raw_open(&clients[3], port);
    assert_true(raw_is_closed(&clients[3]));
    raw_close(&clients[3]);
    raw_close(&clients[0]);
    wait_for(count().connections == 2);
    ask(GET("/light"), &reply);
    assert_int_equal(reply.status, 200);
    raw_close(&clients[1]);
    raw_close(&clients[2]);
    stop();
}

static void test_start_errors(void **state) {
    (void)state;
    struct error error;
    struct http_server *second;
    start((struct http_options){0});
    assert_int_equal(
        http_start(&second, &(struct http_options){.port = port}, find_route, &play, &error), -1);
    assert_non_null(strstr(error.message, "in use"));
    stop();
    assert_int_equal(http_start(&second, &(struct http_options){.address = "256.0.0.1"}, find_route,
                                &play, &error),
                     -1);
    assert_non_null(strstr(error.message, "256.0.0.1"));
    assert_int_equal(
        http_start(&second, &(struct http_options){.queue = SIZE_MAX}, find_route, &play, &error),
        -1);
    start((struct http_options){.port = port}); /* the port is free again at once */
    stop();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_no_reply),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_refuses_requests),
        cmocka_unit_test(test_body_limits),
        cmocka_unit_test(test_limit_of_all_bodies),
        cmocka_unit_test(test_chunked_bodies),
        cmocka_unit_test(test_refusal_is_heard),
        cmocka_unit_test(test_refused_body_is_drained),
        cmocka_unit_test(test_header_limit),
        cmocka_unit_test(test_keep_alive_and_pipelining),
        cmocka_unit_test(test_stream_comes_in_pieces),
        cmocka_unit_test(test_stream_races),
        cmocka_unit_test(test_unended_stream_is_no_whole_one),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_full_queue),
        cmocka_unit_test(test_leaving_client_is_noticed),
        cmocka_unit_test(test_leaving_client_ends_a_stream),
        cmocka_unit_test(test_client_that_does_not_read),
        cmocka_unit_test(test_client_that_reads_slowly),
        cmocka_unit_test(test_slow_senders),
        cmocka_unit_test(test_dribbling_senders),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_stop_cuts_streams),
        cmocka_unit_test(test_many_clients),
        cmocka_unit_test(test_disturbers),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_limits_connections),
        cmocka_unit_test(test_start_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
