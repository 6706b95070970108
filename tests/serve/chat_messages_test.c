/* From a request's messages to a dialogue in turns. */
#include "serve/chat_messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

/* "s:...|u:...|a:..." */
static char *describe(const struct chat_messages *m) {
    static char text[4096];
    text[0] = '\0';
    for (size_t i = 0; i < m->count; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s%c:%s", i > 0 ? "|" : "",
                 "sua"[m->items[i].role], m -> items[i].content);
    }
    return text;
}

static int read_messages(struct chat_messages *m, const char *text, int folds,
                         struct problem *problem) {
    json_error_t where;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &where);
    if (json == NULL)
        fail_msg("%s", where.text);
    int result = chat_messages_read(m, json, folds, problem);
    json_decref(json);
    return result;
}

#define S(content) "{\"role\":\"system\",\"content\":\"" content "\"}"
#define V(content) "{\"role\":\"developer\",\"content\":\"" content "\"}"
#define U(content) "{\"role\":\"user\",\"content\":\"" content "\"}"
#define A(content) "{\"role\":\"assistant\",\"content\":\"" content "\"}"

static void test_turns(void **state) {
    (void)state;
    static const struct {
        const char *messages, *kept, *folded; /* with the system first, and with it in the user's */
    } CASES[] = {
        {"[" U("a") "]", "u:a", "u:a"},
        {"[" U("a") "," A("b") "," U("c") "]", "u:a|a:b|u:c", "u:a|a:b|u:c"},
        {"[" S("s") "," U("a") "]", "s:s|u:a", "u:s\n\na"},
        {"[" S("s") "," V("v") "," U("a") "]", "s:s\n\nv|u:a", "u:s\n\nv\n\na"},
        {"[" U("a") "," U("b") "]", "u:a\n\nb", "u:a\n\nb"},
        {"[" U("a") "," A("b") "," A("c") "," U("d") "]", "u:a|a:b\n\nc|u:d", "u:a|a:b\n\nc|u:d"},
        {"[" U("a") "," A("b") "," S("s") "," U("c") "]", "u:a|a:b|u:s\n\nc", "u:a|a:b|u:s\n\nc"},
        {"[" U("a") "," S("s") "]", "u:a\n\ns", "u:a\n\ns"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\","
         "\"text\":\"b\"}]}]",
         "u:ab", "u:ab"},
        {"[{\"role\":\"user\",\"name\":\"x\",\"content\":\"\"}]", "u:", "u:"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        for (int folds = 0; folds < 2; folds++) {
            struct chat_messages m;
            struct problem problem;
            if (read_messages(&m, CASES[i].messages, folds, &problem))
                fail_msg("case %zu: %s", i, problem.message);
            assert_string_equal(describe(&m), folds ? CASES[i].folded : CASES[i].kept);
            chat_messages_free(&m);
        }
}

static void test_refusals(void **state) {
    (void)state;
    static const struct {
        const char *messages, *says;
    } CASES[] = {
        {"[]", "array of 1 to"},
        {"{}", "array of 1 to"},
        {"\"a\"", "array of 1 to"},
        {"[1]", "\"role\" must be"},
        {"[{}]", "\"role\" must be"},
        {"[{\"role\":\"tool\",\"content\":\"a\"}]", "\"role\" must be"},
        {"[{\"role\":\"user\"}]", "\"content\" must be"},
        {"[{\"role\":\"user\",\"content\":3}]", "\"content\" must be"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]", "image_url"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]", "a part of a message"},
        {"[{\"role\":\"user\",\"content\":[\"a\"]}]", "a part of a message"},
        {"[{\"role\":\"assistant\",\"content\":\"a\",\"tool_calls\":[]}]", "tool_calls"},
        {"[" S("s") "]", "the last message must be the user's"},
        {"[" U("a") "," A("b") "]", "the last message must be the user's"},
        {"[" A("a") "," U("b") "]", "the first to speak must be the user"},
        {"[" S("s") "," A("a") "," U("b") "]", "the first to speak must be the user"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct chat_messages m;
        struct problem problem;
        if (read_messages(&m, CASES[i].messages, 0, &problem) == 0)
            fail_msg("case %zu is taken", i);
        if (strstr(problem.message, CASES[i].says) == NULL)
            fail_msg("case %zu: '%s' does not say '%s'", i, problem.message, CASES[i].says);
        assert_int_equal(problem.status, 400);
        assert_string_equal(problem.param, "messages");
        chat_messages_free(&m);
    }
}

static void test_too_much(void **state) {
    (void)state;
    struct chat_messages m;
    struct problem problem;
    json_t *many = json_array(), *one = json_pack("{s:s, s:s}", "role", "user", "content", "a");
    for (size_t i = 0; i < CHAT_MESSAGES_MOST; i++)
        json_array_append(many, one);
    assert_int_equal(chat_messages_read(&m, many, 0, &problem), 0);
    assert_int_equal(m.count, 1);
    chat_messages_free(&m);
    json_array_append(many, one);
    assert_int_equal(chat_messages_read(&m, many, 0, &problem), -1);
    chat_messages_free(&m);
    char *text = calloc(1, CHAT_MESSAGE_LIMIT + 2);
    assert_non_null(text);
    memset(text, 'x', CHAT_MESSAGE_LIMIT + 1);
    json_object_set_new(one, "content", json_string(text));
    json_array_clear(many);
    json_array_append(many, one);
    assert_int_equal(chat_messages_read(&m, many, 0, &problem), -1);
    assert_non_null(strstr(problem.message, "at most"));
    chat_messages_free(&m);
    free(text);
    json_decref(one);
    json_decref(many);
}

static void test_shortening(void **state) {
    (void)state;
    static const char MESSAGES[] =
        "[" S("s") "," U("1") "," A("2") "," U("3") "," A("4") "," U("5") "]";
    static const struct {
        size_t most, bytes;
        const char *left;
        int result;
    } CASES[] = {{6, 100, "s:s|u:1|a:2|u:3|a:4|u:5", 0},
                 {5, 100, "s:s|u:3|a:4|u:5", 0},
                 {4, 100, "s:s|u:3|a:4|u:5", 0},
                 {2, 100, "s:s|u:5", 0},
                 {6, 4, "s:s|u:3|a:4|u:5", 0},
                 {6, 2, "s:s|u:5", 0},
                 {6, 1, "s:s|u:5", -1},
                 {1, 100, "s:s|u:5", -1}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct chat_messages m;
        struct problem problem;
        assert_int_equal(read_messages(&m, MESSAGES, 0, &problem), 0);
        assert_int_equal(chat_messages_shorten(&m, CASES[i].most, CASES[i].bytes), CASES[i].result);
        assert_string_equal(describe(&m), CASES[i].left);
        assert_string_equal(chat_messages_last(&m), "5");
        chat_messages_free(&m);
    }
}

static void test_declined_requests_are_forgotten(void **state) {
    (void)state;
    static const struct {
        const char *messages, *left;
    } CASES[] = {
        {"[" U("x") "," A("I won't help with that: no.") "," U("b") "]", "u:b"},
        {"[" U("x") "," A("I won't help with that: no.") "," U("y") "," A(
             "I won't help with that: no.") "," U("b") "]",
         "u:b"},
        {"[" U("a") "," A("b") "," U("x") "," A("I won't help with that: no.") "," U("c") "]",
         "u:a|a:b|u:c"},
        {"[" U("a") "," A("Well. I won't help with that: no.") "," U("c") "]",
         "u:a|a:Well. I won't help with that: no.|u:c"},
        {"[" U("I won't help with that: x") "]", "u:I won't help with that: x"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct chat_messages m;
        struct problem problem;
        assert_int_equal(read_messages(&m, CASES[i].messages, 1, &problem), 0);
        chat_messages_forget_declined(&m);
        assert_string_equal(describe(&m), CASES[i].left);
        chat_messages_free(&m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_shortening),
        cmocka_unit_test(test_declined_requests_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
