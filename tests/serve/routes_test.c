/* All routes over a real connection: who is let in where, what is described, and streams. What each
 * route should want stands here once more, apart from the table that is tested. */
#include "serve/routes.h"

#include <ctype.h>
#include <errno.h>

#include "base/progress.h"
#include "serve/raw_client.h"
#include "serve/server.h"
#include "serve/tiny_market.h"
#include "serve/tiny_service.h"

enum { REQUEST = 8192 };

static struct tiny_service tiny;
static struct server *server;
static char *keys_path, *conversations_path, *market_path;
static char keys[SCOPES][KEY_TEXT], slow_key[KEY_TEXT];

static int set_up(void **state) {
    (void)state;
    struct error error;
    struct keys *file;
    char id[KEY_ID];
    tiny_service_make(&tiny, -4);
    keys_path = tiny_path(&tiny, "keys.sqlite");
    conversations_path = tiny_path(&tiny, "kept.sqlite");
    market_path = tiny_path(&tiny, "market.sqlite");
    tiny_market_save(market_path, "kelly");
    TINY_DO(keys_open(&file, keys_path, 1, &error));
    for (int scope = SCOPE_GOOD; scope < SCOPES; scope++) {
        const struct key_terms terms = {.scope = (enum scope)scope};
        TINY_DO(keys_new(file, &terms, keys[scope], id, &error));
    }
    TINY_DO(
        keys_new(file, &(struct key_terms){.scope = SCOPE_GOOD, .rate = 6}, slow_key, id, &error));
    keys_close(file);
    static struct resident_model_options model;
    model = tiny.options;
    model.standards[0] = tiny.standards[0];
    model.standard_count = 1;
    model.market = market_path;
    const struct server_options options = {
        .resident = {.models = &model, .model_count = 1, .workers = 3},
        .keys = keys_path,
        .conversations = conversations_path,
        .jobs = tiny.directory};
    TINY_DO(server_start(&server, &options, &error));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    server_stop(server);
    tiny_service_remove(&tiny);
    free(keys_path);
    free(conversations_path);
    free(market_path);
    return 0;
}

/* No reply says anything twice. */
static void check_headers(const struct raw_reply *reply) {
    for (const char *line = reply->head; *line != '\0'; line = strchr(line, '\n') + 1)
        for (const char *other = strchr(line, '\n') + 1; *other != '\0';
             other = strchr(other, '\n') + 1)
            if (strncasecmp(line, other, strcspn(line, ":") + 1) == 0)
                fail_msg("a header is sent twice: %s", reply->head);
}

/* `headers` end in "\r\n" each. */
static void ask(struct raw_reply *reply, const char *method, const char *path, const char *key,
                const char *headers, const char *body) {
    static char request[REQUEST];
    int length =
        snprintf(request, sizeof request,
                 "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s%s%sContent-Length: "
                 "%zu\r\n\r\n%s",
                 method, path, key != NULL ? "Authorization: Bearer " : "", key != NULL ? key : "",
                 key != NULL ? "\r\n" : "", headers, strlen(body), body);
    assert_true(length > 0 && length < (int)sizeof request);
    raw_exchange(server_port(server), request, reply);
    assert_true(reply->is_whole);
    check_headers(reply);
}

static struct raw_reply reply;

static void post(const char *path, enum scope scope, const char *body) {
    ask(&reply, "POST", path, keys[scope], "", body);
}

/* The reply as JSON; the caller decrefs. */
static json_t *reply_json(void) {
    json_t *json = json_loadb(reply.body, reply.body_bytes, 0, NULL);
    if (json == NULL)
        fail_msg("no JSON: %s", reply.body);
    return json;
}

#define G (1u << RESIDENT_GOOD)
#define T (1u << RESIDENT_TRUTH)
#define D (1u << RESIDENT_DREAM)

/* What each route wants. In a body, or a path, %s stands for the model. */
static const struct expectation {
    const char *name, *path, *body;
    enum scope scope;
    unsigned layers; /* 0: no model */
    int status;      /* for those who are let in; 0: 200 */
} EXPECTED[] = {
    {"GET /health", "/health", "", SCOPE_NONE, 0, 0},
    {"GET /openapi.json", "/openapi.json", "", SCOPE_NONE, 0, 0},
    {"GET /metrics", "/metrics", "", SCOPE_DREAM, 0, 0},
    {"GET /", "/", "", SCOPE_NONE, 0, 0},
    {"GET /assets/{name}", "/assets/none", "", SCOPE_NONE, 0, 404},
    {"GET /v1/models", "/v1/models", "", SCOPE_GOOD, 0, 0},
    {"GET /v1/models/{id}", "/v1/models/tiny/good", "", SCOPE_GOOD, 0, 0},
    {"POST /v1/completions", "/v1/completions",
     "{\"model\":\"%s\",\"prompt\":\"the\",\"max_tokens\":2}", SCOPE_GOOD, D, 0},
    {"POST /v1/chat/completions", "/v1/chat/completions",
     "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"the fox\"}],"
     "\"max_tokens\":4}",
     SCOPE_GOOD, G, 0}, /* and the dream, but this one was not made for chats: 400 as well */
    {"POST /v1/embeddings", "/v1/embeddings", "{\"model\":\"%s\",\"input\":\"fox\"}", SCOPE_DREAM,
     D, 0},
    {"POST /v1/read", "/v1/read", "{\"model\":\"%s\",\"text\":\"fox\"}", SCOPE_DREAM, D, 0},
    {"GET /v1/atlas", "/v1/atlas?model=%s", "", SCOPE_DREAM, D, 0},
    {"POST /v1/judge", "/v1/judge", "{\"model\":\"%s\",\"statement\":\"a fox\"}", SCOPE_TRUTH, T,
     0},
    {"POST /v1/ask", "/v1/ask", "{\"model\":\"%s\",\"question\":\"is it a fox?\"}", SCOPE_TRUTH, T,
     0},
    {"GET /v1/standards", "/v1/standards?model=%s", "", SCOPE_TRUTH, T, 0},
    {"GET /v1/market", "/v1/market?model=%s", "", SCOPE_TRUTH, T, 0},
    {"GET /v1/values", "/v1/values?model=%s", "", SCOPE_GOOD, G, 0},
    {"POST /v1/values", "/v1/values", "{\"model\":\"%s\",\"values\":{\"warm-cool\":1}}", SCOPE_GOOD,
     G, 0},
    {"GET /v1/conversations", "/v1/conversations", "", SCOPE_GOOD, 0, 0},
    {"POST /v1/conversations", "/v1/conversations", "{\"title\":\"t\"}", SCOPE_GOOD, 0, 0},
    {"GET /v1/conversations/{id}", "/v1/conversations/none", "", SCOPE_GOOD, 0, 404},
    {"DELETE /v1/conversations/{id}", "/v1/conversations/none", "", SCOPE_GOOD, 0, 404},
    {"GET /v1/jobs", "/v1/jobs", "", SCOPE_DREAM, 0, 0},
};
enum { EXPECTED_COUNT = sizeof EXPECTED / sizeof *EXPECTED };

static const char *const MODELS[] = {"tiny/good", "tiny/truth", "tiny/dream", "tiny"};
enum { BARE = RESIDENT_LAYERS, MODEL_COUNT };

static int expected_status(const struct expectation *e, int model, enum scope scope) {
    static const enum scope OF_LAYER[] = {SCOPE_GOOD, SCOPE_TRUTH, SCOPE_DREAM};
    int served = e->status != 0 ? e->status : 200;
    if (scope < e->scope)
        return scope == SCOPE_NONE ? 401 : 403;
    if (e->layers == 0)
        return served;
    if (model != BARE && scope < OF_LAYER[model])
        return 403;
    if (model != BARE)
        return (e->layers >> model & 1) != 0 ? served : 400;
    for (int k = 0; k < RESIDENT_LAYERS; k++)
        if ((e->layers >> k & 1) != 0 && scope >= OF_LAYER[k])
            return served;
    return 403;
}

/* A proxy's header, so that nobody is let in for being local. */
static void walk(const struct expectation *e, int model, enum scope scope) {
    char path[128], body[512];
    size_t method = strcspn(e->name, " ");
    char verb[16];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(path, sizeof path, e->path, MODELS[model]);
    snprintf(body, sizeof body, e->body, MODELS[model]);
#pragma GCC diagnostic pop
    snprintf(verb, sizeof verb, "%.*s", (int)method, e->name);
    ask(&reply, verb, path, scope == SCOPE_NONE ? NULL : keys[scope], "Via: 1.1 test\r\n", body);
    int expected = expected_status(e, model, scope);
    if (reply.status != expected)
        fail_msg("%s, %s, scope %s: %d, not %d: %s", e->name, MODELS[model], scope_name(scope),
                 reply.status, expected, reply.body);
    if (expected == 401)
        assert_string_equal(raw_header(&reply, "WWW-Authenticate"), "Bearer");
    if (expected >= 400) {
        json_t *json = reply_json();
        assert_true(json_is_string(json_object_get(json_object_get(json, "error"), "message")));
        json_decref(json);
    }
}

static void test_every_route_for_every_scope_and_layer(void **state) {
    (void)state;
    assert_int_equal(EXPECTED_COUNT, ROUTE_COUNT);
    for (size_t i = 0; i < EXPECTED_COUNT; i++) {
        assert_string_equal(ROUTES[i].name, EXPECTED[i].name);
        for (int scope = SCOPE_NONE; scope < SCOPES; scope++)
            for (int model = 0; model < (EXPECTED[i].layers == 0 ? 1 : MODEL_COUNT); model++)
                walk(&EXPECTED[i], model, (enum scope)scope);
    }
    ask(&reply, "GET", "/metrics", NULL, "", ""); /* this machine's own */
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "route=\"POST /v1/judge\",status=\"403\""));
}

/* What may be asked for within a body. */
static void test_fields_that_want_more(void **state) {
    (void)state;
    static const char HANDLE[] = "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":"
                                 "\"fox\"}],\"max_tokens\":2,\"handle\":{\"author\":\"Cyd\"}}";
    char body[512];
    snprintf(body, sizeof body, HANDLE, "tiny/good");
    post("/v1/chat/completions", SCOPE_TRUTH, body);
    assert_int_equal(reply.status, 403);
    post("/v1/chat/completions", SCOPE_DREAM, body);
    assert_int_equal(reply.status, 400);
    assert_non_null(strstr(reply.body, "\"param\":\"handle\""));
    /* The list shows to each scope what it may use. */
    for (int scope = SCOPE_GOOD; scope < SCOPES; scope++) {
        ask(&reply, "GET", "/v1/models", keys[scope], "", "");
        json_t *json = reply_json();
        assert_int_equal(json_array_size(json_object_get(json, "data")), scope);
        json_decref(json);
        ask(&reply, "GET", "/v1/models/tiny/dream", keys[scope], "", "");
        assert_int_equal(reply.status, scope == SCOPE_DREAM ? 200 : 404);
    }
}

static void test_conversations_are_ones_own(void **state) {
    (void)state;
    char path[128];
    post("/v1/conversations", SCOPE_GOOD, "{\"title\":\"mine\"}");
    assert_int_equal(reply.status, 200);
    json_t *json = reply_json();
    snprintf(path, sizeof path, "/v1/conversations/%s",
             json_string_value(json_object_get(json, "id")));
    char body[512];
    snprintf(body, sizeof body,
             "{\"messages\":[{\"role\":\"user\",\"content\":\"the fox\"}],\"max_tokens\":4,"
             "\"conversation\":\"%s\"}",
             json_string_value(json_object_get(json, "id")));
    json_decref(json);
    post("/v1/chat/completions", SCOPE_TRUTH, body); /* of another key, though of a higher scope */
    assert_int_equal(reply.status, 404);
    post("/v1/chat/completions", SCOPE_GOOD, body);
    assert_int_equal(reply.status, 200);
    ask(&reply, "GET", path, keys[SCOPE_DREAM], "", "");
    assert_int_equal(reply.status, 404);
    ask(&reply, "DELETE", path, keys[SCOPE_DREAM], "", "");
    assert_int_equal(reply.status, 404);
    ask(&reply, "GET", path, keys[SCOPE_GOOD], "", "");
    json = reply_json();
    const json_t *messages = json_object_get(json, "messages");
    assert_int_equal(json_array_size(messages), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(messages, 0), "content")),
                        "the fox");
    json_decref(json);
    ask(&reply, "DELETE", path, keys[SCOPE_GOOD], "", "");
    assert_int_equal(reply.status, 200);
    ask(&reply, "GET", path, keys[SCOPE_GOOD], "", "");
    assert_int_equal(reply.status, 404);
}

static void test_what_is_no_route(void **state) {
    (void)state;
    ask(&reply, "GET", "/v1/none", NULL, "", "");
    assert_int_equal(reply.status, 404);
    ask(&reply, "GET", "/v1/models/", keys[SCOPE_DREAM], "", "");
    assert_int_equal(reply.status, 404);
    ask(&reply, "GET", "/v1/judge", keys[SCOPE_DREAM], "", "");
    assert_int_equal(reply.status, 405);
    assert_string_equal(raw_header(&reply, "Allow"), "POST");
    post("/health", SCOPE_DREAM, "{}");
    assert_int_equal(reply.status, 405);
    ask(&reply, "DELETE", "/v1/values", keys[SCOPE_DREAM], "", "");
    assert_int_equal(reply.status, 405);
    assert_string_equal(raw_header(&reply, "Allow"), "GET, POST");
    ask(&reply, "HEAD", "/health", NULL, "", "");
    assert_int_equal(reply.status, 200);
    ask(&reply, "GET", "/", NULL, "", "");
    assert_non_null(strstr(raw_header(&reply, "Content-Security-Policy"), "default-src 'none'"));
    char tag[1100];
    snprintf(tag, sizeof tag, "If-None-Match: %s\r\n", raw_header(&reply, "ETag"));
    ask(&reply, "GET", "/", NULL, tag, "");
    assert_int_equal(reply.status, 304);
    assert_int_equal(reply.body_bytes, 0);
}

static void test_rates(void **state) {
    (void)state;
    ask(&reply, "GET", "/v1/models", slow_key, "", "");
    assert_int_equal(reply.status, 200);
    ask(&reply, "GET", "/v1/models", slow_key, "", "");
    assert_int_equal(reply.status, 429);
    int wait = atoi(raw_header(&reply, "Retry-After"));
    assert_true(wait >= 8 && wait <= 10);
    ask(&reply, "GET", "/health", slow_key, "", ""); /* which is nobody's */
    assert_int_equal(reply.status, 200);
}

/* The description names every route with its scope, and no other. */
static void test_description(void **state) {
    (void)state;
    size_t bytes, described = 0;
    const char *text = routes_description(&bytes), *path, *method;
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL), *item, *operation;
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "openapi")), "3.1.0");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(json, "info"), "version")),
        TRINE_VERSION);
    const json_t *paths = json_object_get(json, "paths");
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        char verb[16] = "";
        for (size_t k = 0; ROUTES[i].method[k] != '\0'; k++)
            verb[k] = (char)tolower((unsigned char)ROUTES[i].method[k]);
        operation = json_object_get(json_object_get(paths, ROUTES[i].path), verb);
        if (operation == NULL)
            fail_msg("%s is not described", ROUTES[i].name);
        assert_string_equal(json_string_value(json_object_get(operation, "x-trine-scope")),
                            scope_name(ROUTES[i].scope));
        assert_int_equal(json_object_get(operation, "requestBody") != NULL, ROUTES[i].has_body);
        const json_t *responses = json_object_get(operation, "responses");
        assert_non_null(json_object_get(responses, "200"));
        assert_int_equal(json_object_get(responses, "403") != NULL, ROUTES[i].scope != SCOPE_NONE);
    }
    json_object_foreach((json_t *)paths, path, item) {
        json_object_foreach(item, method, operation) {
            described++;
        }
    }
    assert_int_equal(described, ROUTE_COUNT);
    json_decref(json);
}

/* The data of each event of the reply's body, in order. */
struct events {
    json_t *items; /* an array; what is no JSON is left out */
    int is_done;
};

static struct events read_events(void) {
    struct events events = {.items = json_array()};
    assert_non_null(strstr(raw_header(&reply, "Content-Type"), "text/event-stream"));
    for (const char *at = reply.body; *at != '\0';) {
        const char *end = strstr(at, "\n\n");
        assert_non_null(end);
        assert_int_equal(strncmp(at, "data: ", 6), 0);
        assert_null(memchr(at, '\n', (size_t)(end - at)));
        assert_false(events.is_done);
        at += 6;
        events.is_done = strncmp(at, "[DONE]", 6) == 0;
        if (!events.is_done) {
            json_t *json = json_loadb(at, (size_t)(end - at), 0, NULL);
            assert_non_null(json);
            json_array_append_new(events.items, json);
        }
        at = end + 2;
    }
    return events;
}

static const json_t *choice_of(const json_t *event) {
    return json_array_get(json_object_get(event, "choices"), 0);
}

/* What the choices of this index say, one after the other. */
static void join_texts(char *out, const struct events *events, int index, const char **reason) {
    out[0] = '\0';
    *reason = NULL;
    for (size_t i = 0; i < json_array_size(events->items); i++) {
        const json_t *choice = choice_of(json_array_get(events->items, i));
        if (choice == NULL || json_integer_value(json_object_get(choice, "index")) != index)
            continue;
        assert_null(*reason); /* nothing after the end */
        const json_t *text = json_object_get(choice, "text");
        if (text == NULL)
            text = json_object_get(json_object_get(choice, "delta"), "content");
        strcat(out, text != NULL ? json_string_value(text) : "");
        *reason = json_string_value(json_object_get(choice, "finish_reason"));
    }
}

/* As a stream and as a whole, the same. */
static void test_streams_of_completions(void **state) {
    (void)state;
    static const char BODY[] =
        "{\"prompt\":[\"the fox\",\"quick\"],\"n\":2,\"max_tokens\":30,\"seed\":5,\"echo\":true,"
        "\"stop\":[\"z\"],\"logprobs\":2,\"handle\":{\"author\":\"Cyd\"}%s}";
    char body[512], text[4096];
    const char *reason;
    snprintf(body, sizeof body, BODY, "");
    post("/v1/completions", SCOPE_DREAM, body);
    assert_int_equal(reply.status, 200);
    json_t *whole = reply_json();
    snprintf(body, sizeof body, BODY,
             ",\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    post("/v1/completions", SCOPE_DREAM, body);
    struct events events = read_events();
    assert_true(events.is_done);
    for (int i = 0; i < 4; i++) {
        const json_t *choice = json_array_get(json_object_get(whole, "choices"), (size_t)i);
        join_texts(text, &events, i, &reason);
        assert_string_equal(text, json_string_value(json_object_get(choice, "text")));
        assert_string_equal(reason, json_string_value(json_object_get(choice, "finish_reason")));
        assert_int_equal(strncmp(text, i < 2 ? "the fox" : "quick", 5), 0);
    }
    const json_t *last = json_array_get(events.items, json_array_size(events.items) - 1);
    assert_int_equal(json_array_size(json_object_get(last, "choices")), 0);
    assert_true(json_equal(json_object_get(last, "usage"), json_object_get(whole, "usage")));
    json_decref(events.items);
    json_decref(whole);
}

static void test_streams_of_chats(void **state) {
    (void)state;
    char text[4096];
    const char *reason;
    post("/v1/chat/completions", SCOPE_GOOD,
         "{\"messages\":[{\"role\":\"user\",\"content\":\"the fox\"}],\"max_tokens\":20,\"stream\":"
         "true,\"why\":true,\"values\":{\"warm-cool\":5}}");
    assert_int_equal(reply.status, 200);
    struct events events = read_events();
    assert_true(events.is_done);
    join_texts(text, &events, 0, &reason);
    assert_true(text[0] != '\0');
    assert_string_equal(reason, "length");
    const json_t *first = choice_of(json_array_get(events.items, 0));
    assert_string_equal(json_string_value(json_object_get(json_object_get(first, "delta"), "role")),
                        "assistant");
    const json_t *last = json_array_get(events.items, json_array_size(events.items) - 1);
    const json_t *trace = json_object_get(last, "trine");
    assert_string_equal(json_string_value(json_object_get(trace, "outcome")), "replied");
    assert_true(json_is_true(json_object_get(json_object_get(trace, "values"), "shortened")));
    json_decref(events.items);
}

static double metric(const char *name) {
    ask(&reply, "GET", "/metrics", NULL, "", "");
    const char *at = reply.body;
    size_t length = strlen(name);
    while ((at = strstr(at, name)) != NULL &&
           (at[length] != ' ' || (at > reply.body && at[-1] != '\n')))
        at++;
    if (at == NULL)
        fail_msg("there is no metric %s", name);
    return strtod(at + length, NULL);
}

/* A client that leaves takes the rest of the text with it. */
static void test_leaving(void **state) {
    (void)state;
    static const char WRITTEN[] = "trine_tokens_written_total{layer=\"dream\"}";
    struct raw_client client;
    char request[1024];
    const char *body =
        "{\"prompt\":\"the\",\"max_tokens\":4000,\"stream\":true,\"n\":60,\"seed\":2}";
    double before = metric(WRITTEN);
    snprintf(request, sizeof request,
             "POST /v1/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             keys[SCOPE_DREAM], strlen(body), body);
    raw_open(&client, server_port(server));
    raw_send(&client, request);
    assert_int_equal(raw_read_head(&client, &reply), 0);
    assert_true(raw_read_chunk(&client, &reply) > 0);
    raw_close(&client);
    double until = progress_clock() + 10;
    while (metric("trine_jobs_running") > 0 && progress_clock() < until)
        usleep(10000);
    assert_true(progress_clock() < until);
    assert_true(metric(WRITTEN) - before < 60 * 1000);
}

/* Every way to be declined is the same for programs. */
static void test_declined(void **state) {
    (void)state;
    struct error error;
    struct tiny_service other;
    struct server *strict;
    tiny_service_make(&other, 4);
    struct resident_model_options model = other.options;
    model.odds = NULL;
    const struct server_options options = {.resident = {.models = &model, .model_count = 1}};
    TINY_DO(server_start(&strict, &options, &error));
    struct server *kept = server;
    server = strict;
    ask(&reply, "POST", "/v1/chat/completions", NULL, "",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"the fox\"}],\"why\":true}");
    json_t *json = reply_json();
    const json_t *choice = choice_of(json);
    assert_string_equal(json_string_value(json_object_get(choice, "finish_reason")),
                        "content_filter");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(choice, "message"), "content")),
        "I won't help with that: I am kind.");
    json_decref(json);
    ask(&reply, "POST", "/v1/completions", NULL, "", "{}"); /* the local scope is good */
    assert_int_equal(reply.status, 403);
    ask(&reply, "GET", "/v1/models", NULL, "Sec-Fetch-Site: cross-site\r\n", "");
    assert_int_equal(reply.status, 403);
    ask(&reply, "GET", "/v1/models", NULL, "Sec-Fetch-Site: same-origin\r\n", "");
    assert_int_equal(reply.status, 200);
    server = kept;
    server_stop(strict);
    tiny_service_remove(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_for_every_scope_and_layer),
        cmocka_unit_test(test_fields_that_want_more),
        cmocka_unit_test(test_conversations_are_ones_own),
        cmocka_unit_test(test_what_is_no_route),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_streams_of_completions),
        cmocka_unit_test(test_streams_of_chats),
        cmocka_unit_test(test_leaving),
        cmocka_unit_test(test_declined),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
