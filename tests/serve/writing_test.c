/* One text on its way to a client, token by token, without a server: what is shown and when, which
 * tokens are told of with it, and events as they are sent. HTTP is played here. */
#include "serve/writing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "serve/routes.h"
#include "truth/tiny_model.h"

/* What a handler would have sent. */
static struct {
    char text[1 << 16];
    size_t length;
    int status, is_gone, is_ended;
} sent;

static void take(const void *data, size_t bytes) {
    assert_true(sent.length + bytes < sizeof sent.text);
    memcpy(sent.text + sent.length, data, bytes);
    sent.length += bytes;
    sent.text[sent.length] = '\0';
}

int http_is_gone(struct http_exchange *exchange) {
    (void)exchange;
    return sent.is_gone;
}
int http_stream_begin(struct http_exchange *exchange, int status, const char *content_type) {
    (void)exchange;
    assert_non_null(strstr(content_type, "text/event-stream"));
    sent.status = status;
    return 0;
}
int http_stream_write(struct http_exchange *exchange, const void *data, size_t bytes) {
    (void)exchange;
    if (!sent.is_gone)
        take(data, bytes);
    return sent.is_gone;
}
void http_stream_end(struct http_exchange *exchange) {
    (void)exchange;
    sent.is_ended = 1;
}
void http_reply(struct http_exchange *exchange, int status, const char *content_type,
                const void *data, size_t bytes) {
    (void)exchange, (void)content_type;
    sent.status = status;
    take(data, bytes);
}
void http_reply_json(struct http_exchange *exchange, int status, json_t *json) {
    char *text = json_dumps(json, JSON_COMPACT);
    assert_non_null(text);
    http_reply(exchange, status, "", text, strlen(text));
    free(text);
    json_decref(json);
}
void http_add_header(struct http_exchange *exchange, const char *name, const char *value) {
    (void)exchange, (void)name, (void)value;
}
const char *http_query(const struct http_exchange *exchange, const char *name) {
    (void)exchange, (void)name;
    return NULL;
}

static struct model *model;
static struct resident_model resident;

static int set_up(void **state) {
    (void)state;
    struct error error;
    model = tiny_model();
    resident.model = model;
    snprintf(resident.name, sizeof resident.name, "tiny");
    return model_slot_states(model, &resident.states, &error);
}

static int tear_down(void **state) {
    (void)state;
    slot_states_destroy(resident.states, model->slots.count);
    model_destroy(model);
    return 0;
}

static struct request begin(void) {
    memset(&sent, 0, sizeof sent);
    return (struct request){.started = progress_clock()};
}

/* Says bytes as if a token of them had been written. */
static int say(struct writing *w, const char *bytes, int is_prompt) {
    struct token_report report = {
        .id = 7,
        .bytes = {bytes, strlen(bytes)},
        .is_prompt = is_prompt,
        .log_probability = -0.5,
        .top_count = w->wish->top,
        .top_ids = {300, 301},
        .top_log_probabilities = {-0.25, -2},
    };
    if (w->watch.visit(w->watch.context, &report) != 0)
        return 1;
    return is_prompt ? 0 : writing_hear(w, bytes, strlen(bytes));
}

/* "text[token,token] " of each piece that is delivered. */
static int note(void *context, const struct writing_piece *piece) {
    char *out = context;
    size_t length = strlen(out), i;
    json_t *entry;
    length += (size_t)sprintf(out + length, "%.*s[", (int)piece->bytes, piece->text);
    json_array_foreach(piece->tokens, i, entry) {
        length += (size_t)sprintf(out + length, "%s%s@%d", i > 0 ? "," : "",
                                  json_string_value(json_object_get(entry, "token")),
                                  (int)json_integer_value(json_object_get(entry, "offset")));
    }
    sprintf(out + length, "] ");
    return 0;
}

static void test_tokens_come_with_their_text(void **state) {
    (void)state;
    struct request request = begin();
    struct writing_wish wish = {
        .stops = {"stop"}, .stop_count = 1, .has_log_probabilities = 1, .top = 2, .is_stream = 1};
    struct writing w;
    char noted[4096] = "";
    writing_start(&w, &request, &resident, &wish);
    w.deliver = note;
    w.context = noted;
    assert_int_equal(say(&w, "a", 0), 0);
    assert_int_equal(say(&w, " s", 0), 0);    /* held back: "s" may begin "stop" */
    assert_int_equal(say(&w, "t\xc3", 0), 0); /* half a character */
    assert_int_equal(say(&w, "\xa9", 0), 0);
    assert_int_equal(say(&w, "b st", 0), 0);
    assert_int_equal(say(&w, "o", 0), 0);
    assert_int_equal(say(&w, "p it", 0), 1);
    w.outcome.end = TOKENS_STOPPED;
    assert_int_equal(writing_finish(&w), 0);
    /* Half a character waits for the other; of what ends the text, "b st" began before it. */
    assert_string_equal(noted, "a[a@0]  [ s@1] st[t\xef\xbf\xbd@3] \xc3\xa9[\xef\xbf\xbd@5] b [b "
                               "st@5] ");
    assert_string_equal(w.text, "a st\xc3\xa9"
                                "b ");
    assert_string_equal(writing_finish_reason(&w), "stop");
    assert_true(w.first_seconds > 0);
    writing_free(&w);
}

static void test_echo(void **state) {
    (void)state;
    for (int has_text = 0; has_text < 2; has_text++) {
        struct request request = begin();
        struct writing_wish wish = {.has_log_probabilities = 1, .is_stream = 1};
        struct writing w;
        char noted[4096] = "";
        writing_start(&w, &request, &resident, &wish);
        w.deliver = note;
        w.context = noted;
        w.echo = "the fox";
        say(&w, "the", 1);
        say(&w, " fox", 1);
        if (has_text)
            assert_int_equal(say(&w, " is", 0), 0);
        assert_int_equal(writing_finish(&w), 0);
        assert_string_equal(noted, has_text ? "the fox[the@0, fox@3]  is[ is@7] "
                                            : "the fox[the@0, fox@3] ");
        writing_free(&w);
    }
}

/* Bytes that are no characters are shown as one each, and count so. */
static void test_offsets_of_what_is_no_character(void **state) {
    (void)state;
    struct request request = begin();
    struct writing_wish wish = {.has_log_probabilities = 1};
    static const char *const TOKENS[] = {"a", "\xa9",     "\xa9\xa9", "b\xe2\x82",
                                         "c", "\xe2\x82", "\xac",     "d"};
    static const int OFFSETS[] = {0, 1, 2, 4, 6, 7, 8, 8};
    struct writing w;
    writing_start(&w, &request, &resident, &wish);
    for (size_t i = 0; i < sizeof TOKENS / sizeof *TOKENS; i++)
        assert_int_equal(say(&w, TOKENS[i], 0), 0);
    assert_int_equal(writing_finish(&w), 0);
    assert_string_equal(w.text, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                "b\xef\xbf\xbd"
                                "c\xe2\x82\xac"
                                "d");
    for (size_t i = 0; i < sizeof TOKENS / sizeof *TOKENS; i++)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(w.tokens, i), "offset")),
                         OFFSETS[i]);
    writing_free(&w);
}

/* Nobody to deliver to: all is kept, tokens of what a stop string cut off are not. */
static void test_whole(void **state) {
    (void)state;
    struct request request = begin();
    struct writing_wish wish = {
        .stops = {"zz"}, .stop_count = 1, .has_log_probabilities = 1, .top = 2};
    struct writing w;
    writing_start(&w, &request, &resident, &wish);
    w.echo = "p";
    say(&w, "p", 1);
    assert_int_equal(say(&w, "ab", 0), 0);
    assert_int_equal(say(&w, "z", 0), 0);
    assert_int_equal(say(&w, "z", 0), 1);
    assert_int_equal(writing_finish(&w), 0);
    assert_string_equal(w.text, "pab");
    assert_int_equal(json_array_size(w.tokens), 2);
    const json_t *entry = json_array_get(w.tokens, 1), *top = json_object_get(entry, "top");
    assert_true(json_number_value(json_object_get(entry, "logprob")) == -0.5);
    assert_int_equal(json_array_size(top), 2);
    assert_true(json_number_value(json_object_get(json_array_get(top, 1), "logprob")) == -2);
    assert_int_equal(json_array_size(json_object_get(entry, "bytes")), 2);
    writing_free(&w);
}

/* A client that leaves ends the writing at the next token, and nothing more is made of it. */
static void test_gone(void **state) {
    (void)state;
    struct request request = begin();
    struct writing_wish wish = {.is_stream = 1};
    struct writing w;
    char noted[4096] = "";
    writing_start(&w, &request, &resident, &wish);
    w.deliver = note;
    w.context = noted;
    assert_int_equal(say(&w, "a", 0), 0);
    sent.is_gone = 1;
    assert_int_equal(say(&w, "b", 0), 1);
    assert_int_equal(writing_finish(&w), 0);
    assert_true(w.is_gone);
    assert_string_equal(noted, "a[] ");
    writing_free(&w);
}

/* Of a slot that was told nothing is said. */
static json_t *reading;

static int keep_reading(void *context, const struct writing_piece *piece) {
    (void)context;
    json_decref(reading);
    reading = json_incref(piece->reading);
    return 0;
}

static void test_reading(void **state) {
    (void)state;
    struct error error;
    struct request request = begin();
    struct writing_wish wish = {.is_stream = 1, .has_reading = 1};
    struct writing w;
    struct writer *writer;
    struct handle handle;
    struct write_options options = {.prompt = "the", .tokens = 3, .sampling = {.temperature = 0}};
    assert_int_equal(writer_create(&writer, model, &error), 0);
    assert_int_equal(handle_create(&handle, model, &error), 0);
    for (int is_told = 0; is_told < 2; is_told++) {
        if (is_told)
            assert_int_equal(handle_tell(&handle, "author", "Cyd", &error), 0);
        writing_start(&w, &request, &resident, &wish);
        w.deliver = keep_reading;
        w.handle = &handle;
        options.watch = &w.watch;
        options.outcome = &w.outcome;
        assert_int_equal(writer_write(writer, &handle, &options, writing_hear, &w, &error), 0);
        assert_int_equal(writing_finish(&w), 0);
        assert_int_equal(json_object_get(reading, "author") == NULL, is_told);
        assert_non_null(json_object_get(json_object_get(reading, "date"), "median"));
        assert_int_equal(json_integer_value(json_object_get(reading, "tokens")),
                         w.outcome.prompt + 2); /* as it was before the last token */
        assert_string_equal(writing_finish_reason(&w), "length");
        writing_free(&w);
    }
    json_decref(reading);
    handle_free(&handle);
    writer_destroy(writer);
}

static void test_events(void **state) {
    (void)state;
    size_t bytes;
    json_t *json = json_pack("{s:s, s:f}", "text", "a\nb\r\n\n\"c\" \xe2\x80\xa8", "number", 0.1);
    char *event = event_of_json(json, &bytes);
    assert_int_equal(strlen(event), bytes);
    assert_int_equal(strncmp(event, "data: {", 7), 0);
    assert_string_equal(event + bytes - 3, "}\n\n");
    assert_null(memchr(event, '\r', bytes));
    assert_ptr_equal(memchr(event, '\n', bytes), event + bytes - 2);
    json_t *back = json_loads(event + 6, 0, NULL);
    assert_true(json_equal(json_object_get(json, "text"), json_object_get(back, "text")));
    json_decref(back);
    json_decref(json);
    free(event);
    assert_null(event_of_json(NULL, &bytes));
}

/* Before a stream begins a problem is the reply; afterwards it is an event, and the end. */
static void test_problems(void **state) {
    (void)state;
    struct request request = begin();
    problem_set(&request.problem, 401, "code", "field", "no");
    request_fail(&request);
    assert_int_equal(sent.status, 401);
    assert_int_equal(request.status, 401);
    assert_string_equal(sent.text,
                        "{\"error\":{\"message\":\"no\",\"type\":\"authentication_error\","
                        "\"param\":\"field\",\"code\":\"code\"}}");
    request = begin();
    assert_int_equal(request_stream_begin(&request), 0);
    assert_int_equal(request_stream_send(&request, json_pack("{s:i}", "a", 1)), 0);
    problem_set(&request.problem, 500, NULL, NULL, "no");
    request_fail(&request);
    assert_int_equal(request.status, 200);
    assert_true(sent.is_ended);
    assert_string_equal(sent.text,
                        "data: {\"a\":1}\n\ndata: {\"error\":{\"message\":\"no\",\"type\":\"server_"
                        "error\",\"param\":null,\"code\":null}}\n\ndata: [DONE]\n\n");
    request = begin();
    assert_int_equal(request_reply(&request, NULL), -1);
    assert_int_equal(request.problem.status, 500);
    assert_int_equal(sent.status, 0);
}

static void test_wishes(void **state) {
    (void)state;
    static const char *const NOTHING[] = {"null", "false", "0",        "\"\"",
                                          "[]",   "{}",    "\"none\"", "0.0"};
    static const char *const SOMETHING[] = {"true", "1", "\"auto\"", "[1]", "{\"a\":1}", "-0.5"};
    static const char *const FIELDS[] = {"tools"};
    struct problem problem;
    char text[64];
    for (int asks = 0; asks < 2; asks++)
        for (size_t i = 0; i < (asks ? sizeof SOMETHING : sizeof NOTHING) / sizeof(char *); i++) {
            snprintf(text, sizeof text, "{\"tools\":%s}", asks ? SOMETHING[i] : NOTHING[i]);
            json_t *json = json_loads(text, 0, NULL);
            assert_int_equal(writing_refuse(json, FIELDS, 1, &problem), -asks);
            json_decref(json);
        }
    assert_string_equal(problem.param, "tools");
    struct sampling sampling;
    uint64_t seed, other;
    json_t *json = json_loads("{\"temperature\":0.5,\"min_p\":0.1,\"seed\":9}", 0, NULL);
    assert_int_equal(writing_read_sampling(&sampling, &seed, 1, json, &problem), 0);
    assert_true(sampling.temperature == 0.5 && sampling.top_p == 1 && sampling.min_p == 0.1);
    assert_int_equal(seed, 9);
    json_object_clear(json);
    assert_int_equal(writing_read_sampling(&sampling, &seed, 0.25, json, &problem), 0);
    assert_int_equal(writing_read_sampling(&sampling, &other, 0.25, json, &problem), 0);
    assert_true(sampling.temperature == 0.25 && seed != other); /* by chance */
    json_decref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens_come_with_their_text),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_offsets_of_what_is_no_character),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_wishes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
