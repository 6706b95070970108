/* One principle: what is read, and that each wrong file is refused with what is wrong in the
 * message. */
#include "good/principle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#include "cmocka_all.h"

#define EXAMPLE "{\"request\": \"a\", \"reply\": \"b\\nc\"}"
#define PAIR "[" EXAMPLE ", " EXAMPLE "]"
#define EXAMPLES                                                                                   \
    "\"examples\": {\"breaks\": " PAIR ", \"keeps\": [" EXAMPLE ", " EXAMPLE ", " EXAMPLE "]}"
#define NAME "\"name\": \"no-harm-2\""
#define TEXTS "\"reason\": \"r\", \"statement\": \"s\""
#define RULE "\"threshold\": 0.25, \"action\": \"hedge\""

static void test_reading(void **state) {
    (void)state;
    static const char GOOD[] = "{" NAME ", " TEXTS ", \"request\": \"q\", " RULE ", " EXAMPLES "}";
    static const char SHORT[] = "{" NAME ", " TEXTS ", " RULE ", " EXAMPLES "}";
    struct principle p;
    struct error error;
    if (principle_parse(&p, GOOD, sizeof GOOD - 1, &error))
        fail_msg("%s", error.message);
    assert_string_equal(p.name, "no-harm-2");
    assert_string_equal(p.reason, "r");
    assert_string_equal(p.statement, "s");
    assert_string_equal(p.request, "q");
    assert_true(p.threshold == 0.25 && p.action == PRINCIPLE_HEDGE);
    assert_string_equal(principle_action_name(p.action), "hedge");
    assert_int_equal(p.break_count, 2);
    assert_int_equal(p.keep_count, 3);
    assert_string_equal(p.keeps[2].request, "a");
    assert_string_equal(p.breaks[1].reply, "b\nc");
    principle_free(&p);
    assert_int_equal(principle_parse(&p, SHORT, sizeof SHORT - 1, &error), 0);
    assert_null(p.request);
    principle_free(&p);
}

static void refuse(const char *text, size_t bytes, const char *complaint) {
    struct principle p;
    struct error error;
    if (principle_parse(&p, text, bytes, &error) == 0)
        fail_msg("read: %.300s", text);
    if (strstr(error.message, complaint) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, complaint);
    assert_null(p.name);
}

static void test_wrong_principles(void **state) {
    (void)state;
#define WITH_RULE(rule) "{" NAME ", " TEXTS ", " rule ", " EXAMPLES "}"
#define WITH_EXAMPLES(examples) "{" NAME ", " TEXTS ", " RULE ", \"examples\": " examples "}"
#define WITH_BREAKS(breaks) WITH_EXAMPLES("{\"keeps\": " PAIR ", \"breaks\": " breaks "}")
    static const char *const CASES[][2] = {
        {"", "line 1"},
        {"{", "line 1"},
        {"[]", "an object is wanted"},
        {"{}\n{}", "line 2"},
        {"{}", "\"name\" must be a text"},
        {"{\"name\": \"a\", \"name\": \"a\"}", "duplicate"},
        {"{\"name\": \"a\", \"colour\": 1}", "no key \"colour\""},
        {"{\"name\": 7}", "\"name\" must be a text"},
        {"{\"name\": \"../a\"}", "small letters"},
        {"{\"name\": \"A\"}", "small letters"},
        {"{\"name\": \"-a\"}", "small letters"},
        {"{\"name\": \"a\\u0000b\"}", "line 1"},
        {"{\"name\": \"a\xff\"}", "line 1"},
        {"{" NAME "}", "\"reason\" must be a text"},
        {"{" NAME ", \"reason\": \"\"}", "\"reason\" must be a text"},
        {"{" NAME ", \"reason\": \"a\\u001b[2J\"}", "control character"},
        {"{" NAME ", \"reason\": \"a\\u009b2J\"}", "control character"},
        {"{" NAME ", \"reason\": \"two\\nlines\"}", "control character"},
        {"{" NAME ", \"reason\": \"r\"}", "\"statement\" must be a text"},
        {"{" NAME ", " TEXTS ", \"request\": null, " RULE "}", "\"request\" must be a text"},
        {"{" NAME ", " TEXTS "}", "\"threshold\" must be"},
        {WITH_RULE("\"threshold\": NaN"), "line 1"},
        {WITH_RULE("\"threshold\": 1e999"), "line 1"},
        {WITH_RULE("\"threshold\": \"0.5\""), "\"threshold\" must be"},
        {WITH_RULE("\"threshold\": 0"), "\"threshold\" must be"},
        {WITH_RULE("\"threshold\": 1"), "\"threshold\" must be"},
        {WITH_RULE("\"threshold\": -0.5"), "\"threshold\" must be"},
        {WITH_RULE("\"threshold\": 0.5"), "\"action\" must be"},
        {WITH_RULE("\"threshold\": 0.5, \"action\": 1"), "\"action\" must be"},
        {WITH_RULE("\"threshold\": 0.5, \"action\": \"Veto\""), "\"action\" must be"},
        {"{" NAME ", " TEXTS ", " RULE "}", "\"examples\" must be"},
        {WITH_EXAMPLES("[]"), "\"examples\" must be"},
        {WITH_EXAMPLES("{}"), "\"breaks\" must be a list of 2 to 256"},
        {WITH_EXAMPLES("{\"breaks\": " PAIR "}"), "\"keeps\" must be"},
        {WITH_EXAMPLES("{\"bends\": " PAIR "}"), "no key \"bends\""},
        {WITH_BREAKS("{}"), "\"breaks\" must be"},
        {WITH_BREAKS("[" EXAMPLE "]"), "\"breaks\" must be"},
        {WITH_BREAKS("[" EXAMPLE ", 1]"), "example 2 of \"breaks\": an object"},
        {WITH_BREAKS("[" EXAMPLE ", {\"request\": \"a\"}]"), "\"reply\" must be a text"},
        {WITH_BREAKS("[" EXAMPLE ", {\"reply\": \"a\"}]"), "\"request\" must be a text"},
        {WITH_BREAKS("[{\"request\": \"a\", \"reply\": []}, " EXAMPLE "]"), "example 1 of"},
        {WITH_BREAKS("[" EXAMPLE ", {\"request\": \"a\", \"reply\": \"b\", \"c\": 1}]"),
         "key \"c\""},
        {WITH_BREAKS("[" EXAMPLE ", {\"request\": \"a\", \"reply\": \"\\u0007\"}]"), "control"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        refuse(CASES[i][0], strlen(CASES[i][0]), CASES[i][1]);
}

/* A principle whose examples' requests have so many bytes each, and that has so many keeps. */
static size_t make_long(char *text, size_t reason, size_t request, size_t keeps) {
    char *end =
        text + sprintf(text, "{" NAME ", \"statement\": \"s\", " RULE ", \"reason\": \"%0*d\"",
                       (int)reason, 0);
    end += sprintf(end, ", \"examples\": {\"breaks\": " PAIR ", \"keeps\": [");
    for (size_t i = 0; i < keeps; i++)
        end += sprintf(end, "%s{\"request\": \"%0*d\", \"reply\": \"b\"}", i > 0 ? ", " : "",
                       (int)request, 0);
    end += sprintf(end, "]}}");
    return (size_t)(end - text);
}

static void test_limits(void **state) {
    (void)state;
    struct principle p;
    struct error error;
    char *text = malloc(4 * PRINCIPLE_FILE_LIMIT);
    assert_non_null(text);
    assert_int_equal(principle_parse(&p, text, make_long(text, 500, 4000, 3), &error), 0);
    principle_free(&p);
    assert_int_equal(principle_parse(&p, text, make_long(text, 1, 1, 256), &error), 0);
    principle_free(&p);
    refuse(text, make_long(text, 501, 1, 2), "longer than 500");
    refuse(text, make_long(text, 1, 4001, 2), "longer than 4000");
    refuse(text, make_long(text, 1, 1, 257), "2 to 256");
    refuse(text, make_long(text, 1, 4000, 100), "more than 262144 bytes");
    memset(text, '[', PRINCIPLE_FILE_LIMIT);
    refuse(text, PRINCIPLE_FILE_LIMIT, "line 1");
    free(text);
}

static void test_failing_allocations(void **state) {
    (void)state;
    static const char GOOD[] = "{" NAME ", " TEXTS ", " RULE ", " EXAMPLES "}";
    struct principle p;
    struct error error;
    for (size_t n = 1; n <= 2; n++) {
        memory_fail_after(n);
        assert_int_equal(principle_parse(&p, GOOD, sizeof GOOD - 1, &error), -1);
        memory_fail_after(0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_wrong_principles),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
