/* Fields of requests: types, ranges, and messages that name the field. */
#include "serve/request_json.h"

#include <string.h>

#include "cmocka_all.h"

static json_t *parse(const char *text) {
    struct problem problem;
    json_t *json;
    if (request_parse(&json, text, strlen(text), &problem))
        fail_msg("%s", problem.message);
    return json;
}

static void refused(const struct problem *problem, int status, const char *param,
                    const char *words) {
    assert_int_equal(problem->status, status);
    assert_string_equal(problem->param, param);
    if (strstr(problem->message, words) == NULL)
        fail_msg("'%s' does not say '%s'", problem->message, words);
}

static void test_bodies(void **state) {
    (void)state;
    static const char *const REFUSED[] = {"",
                                          "{",
                                          "[]",
                                          "1",
                                          "null",
                                          "{\"a\":1,\"a\":2}",
                                          "{} x",
                                          "{\"a\":01}",
                                          "\xff{}",
                                          "{\"a\":\"\\u0000\"}",
                                          "{\"a\":\"\xc3\"}"};
    static char deep[100000];
    struct problem problem;
    json_t *json;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        assert_int_equal(request_parse(&json, REFUSED[i], strlen(REFUSED[i]), &problem), -1);
        assert_null(json);
        assert_int_equal(problem.status, 400);
        assert_string_equal(problem.code, "invalid_json");
    }
    memset(deep, '[', sizeof deep);
    assert_int_equal(request_parse(&json, deep, sizeof deep, &problem), -1);
}

/* Commas and brackets in strings are no values. */
static void test_many_values(void **state) {
    (void)state;
    static char text[4 * REQUEST_VALUES_MOST];
    struct problem problem;
    json_t *json;
    for (int is_too_many = 0; is_too_many < 2; is_too_many++) {
        size_t length = (size_t)sprintf(text, "{\"a\":\"[{,\\\",[\\\\\",\"b\":[{}");
        for (int i = 3 - is_too_many; i < REQUEST_VALUES_MOST / 2; i++)
            length += (size_t)sprintf(text + length, ",{}");
        length += (size_t)sprintf(text + length, "]}");
        assert_int_equal(request_parse(&json, text, length, &problem), -is_too_many);
        if (is_too_many)
            refused(&problem, 400, "", "32768");
        json_decref(json);
    }
    memset(text, ',', sizeof text);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + sizeof text - 2, "\"}", 2);
    assert_int_equal(request_parse(&json, text, sizeof text, &problem), 0);
    json_decref(json);
}

static void test_texts_and_numbers(void **state) {
    (void)state;
    struct problem problem;
    const char *text = "before";
    double number = 7;
    size_t count = 7;
    int flag = 7;
    uint64_t seed = 7;
    json_t *json = parse("{\"t\":\"caf\\u00e9\",\"n\":1.5,\"c\":3,\"real\":3.0,\"f\":true,\"s\":-1,"
                         "\"null\":null,\"big\":1e300}");
    assert_int_equal(request_text(json, "t", 5, &text, &problem), 0);
    assert_string_equal(text, "caf\xc3\xa9");
    assert_int_equal(request_text(json, "t", 4, &text, &problem), -1);
    refused(&problem, 400, "t", "\"t\" has 5 bytes; at most 4");
    assert_int_equal(request_text(json, "n", 4, &text, &problem), -1);
    refused(&problem, 400, "n", "\"n\" must be a string");
    text = "before";
    assert_int_equal(request_text(json, "absent", 4, &text, &problem), 0);
    assert_int_equal(request_text(json, "null", 4, &text, &problem), 0);
    assert_string_equal(text, "before");

    assert_int_equal(request_number(json, "n", 0, 1.5, &number, &problem), 0);
    assert_true(number == 1.5);
    assert_int_equal(request_number(json, "n", 0, 1.4, &number, &problem), -1);
    refused(&problem, 400, "n", "\"n\" must be a number from 0 to 1.4");
    assert_int_equal(request_number(json, "t", 0, 1, &number, &problem), -1);

    assert_int_equal(request_count(json, "c", 1, 3, &count, &problem), 0);
    assert_int_equal(count, 3);
    assert_int_equal(request_count(json, "real", 1, 3, &count, &problem), 0);
    assert_int_equal(request_count(json, "n", 1, 3, &count, &problem), -1);
    refused(&problem, 400, "n", "whole number from 1 to 3");
    assert_int_equal(request_count(json, "s", 0, 3, &count, &problem), -1);
    assert_int_equal(request_count(json, "big", 0, SIZE_MAX, &count, &problem), -1);
    assert_int_equal(request_count(json, "absent", 0, 3, &count, &problem), 0);
    assert_int_equal(count, 3);

    assert_int_equal(request_flag(json, "f", &flag, &problem), 0);
    assert_int_equal(flag, 1);
    assert_int_equal(request_flag(json, "c", &flag, &problem), -1);
    refused(&problem, 400, "c", "true or false");
    assert_int_equal(request_seed(json, "s", &seed, &problem), 0);
    assert_true(seed == UINT64_MAX);
    assert_int_equal(request_seed(json, "n", &seed, &problem), -1);
    json_decref(json);
}

static void test_lists(void **state) {
    (void)state;
    static const char *const REFUSED[] = {
        "[]", "\"\"", "[\"a\",\"\"]", "[1]", "1", "[\"a\",\"b\",\"c\"]", "[\"longer\"]", "{}"};
    struct problem problem;
    const char *values[2];
    size_t count = 9;
    json_t *json = parse("{\"one\":\"a\",\"two\":[\"a\",\"b\"]}");
    assert_int_equal(request_texts(json, "absent", 3, 2, values, &count, &problem), 0);
    assert_int_equal(count, 9);
    assert_int_equal(request_texts(json, "one", 3, 2, values, &count, &problem), 0);
    assert_int_equal(count, 1);
    assert_string_equal(values[0], "a");
    assert_int_equal(request_texts(json, "two", 3, 2, values, &count, &problem), 0);
    assert_int_equal(count, 2);
    assert_string_equal(values[1], "b");
    json_decref(json);
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"stop\":%s}", REFUSED[i]);
        json = parse(text);
        assert_int_equal(request_texts(json, "stop", 3, 2, values, &count, &problem), -1);
        refused(&problem, 400, "stop", "\"stop\"");
        json_decref(json);
    }
}

static void test_objects(void **state) {
    (void)state;
    static const char *const KNOWN[] = {"a", "b"};
    struct problem problem;
    const json_t *inner;
    json_t *json = parse("{\"a\":{},\"b\":[]}");
    assert_int_equal(request_object(json, "a", &inner, &problem), 0);
    assert_non_null(inner);
    assert_int_equal(request_object(json, "b", &inner, &problem), -1);
    assert_int_equal(request_object(json, "c", &inner, &problem), 0);
    assert_null(inner);
    assert_int_equal(request_only(json, "", KNOWN, 2, &problem), 0);
    assert_int_equal(request_only(json, "\"x\"", KNOWN, 1, &problem), -1);
    refused(&problem, 400, "b", "no field \"b\" in \"x\"");
    assert_int_equal(request_needs(json, "a", &problem), 0);
    assert_int_equal(request_needs(json, "c", &problem), -1);
    refused(&problem, 400, "c", "\"c\" is missing");
    json_decref(json);
}

/* What is told is JSON whatever was quoted in it, and names its type by the status. */
static void test_problems(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *type;
    } TYPES[] = {{400, "invalid_request_error"}, {401, "authentication_error"},
                 {403, "permission_error"},      {404, "not_found_error"},
                 {413, "invalid_request_error"}, {429, "rate_limit_error"},
                 {500, "server_error"},          {503, "server_error"}};
    struct problem problem;
    static char text[2000];
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        problem_set(&problem, TYPES[i].status, NULL, NULL, "no");
        json_t *json = problem_to_json(&problem);
        const json_t *inside = json_object_get(json, "error");
        assert_string_equal(json_string_value(json_object_get(inside, "type")), TYPES[i].type);
        assert_true(json_is_null(json_object_get(inside, "param")));
        assert_true(json_is_null(json_object_get(inside, "code")));
        json_decref(json);
    }
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    for (size_t shift = 0; shift < 2; shift++) { /* cut within a character, and not */
        problem_field(&problem, text, "%s%s", shift == 0 ? "" : "x", text);
        json_t *json = problem_to_json(&problem);
        const json_t *inside = json_object_get(json, "error");
        const char *message = json_string_value(json_object_get(inside, "message"));
        assert_true(strlen(message) > sizeof problem.message - 4);
        assert_int_equal(json_string_length(json_object_get(inside, "param")), 62);
        json_decref(json);
    }
    problem_field(&problem, "p", "bytes \xff of no text");
    json_t *json = problem_to_json(&problem);
    assert_non_null(json_object_get(json, "error"));
    json_decref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_many_values),
        cmocka_unit_test(test_texts_and_numbers),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_problems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
