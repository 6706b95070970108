/* The HTTP server, from outside: a client over sockets that says what it likes. */
#include "serve/http_fixture.h"

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
    wait_for(count().body_bytes == 300000); /* a reply is read before its body is forgotten */
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
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_full_queue),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_limits_connections),
        cmocka_unit_test(test_start_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
