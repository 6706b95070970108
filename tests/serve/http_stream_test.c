/* The HTTP server over time: streams, clients that leave or dawdle, many at once, and its end. */
#include "serve/http_fixture.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_comes_in_pieces),
        cmocka_unit_test(test_stream_races),
        cmocka_unit_test(test_unended_stream_is_no_whole_one),
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
