#include "truth/belief_base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"

static int read_text(struct belief_base *base, const char *text, struct error *error) {
    char path[] = "/tmp/trine-test-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    int result = belief_base_read(base, path, error);
    unlink(path);
    return result;
}

static const char GOOD[] =
    "{\"id\": \"both\", \"formula\": \"lagos and africa\"}\n\n"
    "{\"id\": \"lagos\", \"sentence\": \"Lagos is in Nigeria\", \"verdict\": true, \"day\": 3, "
    "\"source\": \"gazetteer\", \"weight\": 0.5, \"family\": \"cities\"}\n"
    "{\"constraint\": \"lagos implies africa\", \"day\": 1}\n"
    "{\"id\": \"africa\", \"sentence\": \"Lagos is in Africa\", \"verdict\": null}";

static void check_good(const struct belief_base *base) {
    assert_int_equal(base->count, 4);
    const struct belief *b = &base->items[1];
    assert_string_equal(b->id, "lagos");
    assert_string_equal(b->family, "cities");
    assert_string_equal(b->source, "gazetteer");
    assert_true(b->verdict == VERDICT_TRUE && b->day == 3 && b->weight == 0.5);
    assert_true(base->items[0].verdict == VERDICT_UNKNOWN);
    assert_true(base->items[3].is_constraint && base->items[3].day == 1);
    char *text = sentences_text(base->sentences, base->items[0].sentence, 0);
    assert_string_equal(text, "\"Lagos is in Nigeria\" and \"Lagos is in Africa\"");
    free(text);
}

static void test_reading(void **state) {
    (void)state;
    struct belief_base base;
    struct error error;
    if (read_text(&base, GOOD, &error))
        fail_msg("%s", error.message);
    check_good(&base);
    assert_int_equal(belief_base_check(&base, 0, &error), 0);
    belief_base_free(&base);
}

static void test_hostile_lines(void **state) {
    (void)state;
    static const struct {
        const char *text, *complaint;
    } CASES[] = {
        {"{\"sentence\": \"a\", \"colour\": 1}", "no key \"colour\""},
        {"{\"sentence\": \"a\", \"formula\": \"b\"}", "one of sentence"},
        {"{\"id\": \"a\"}", "one of sentence"},
        {"{\"sentence\": 3}", "\"sentence\" must be a text"},
        {"{\"sentence\": \"a\", \"verdict\": 1}", "\"verdict\" must be"},
        {"{\"sentence\": \"a\", \"day\": -1}", "\"day\" must be"},
        {"{\"sentence\": \"a\", \"day\": 1e3}", "\"day\" must be"},
        {"{\"sentence\": \"a\", \"weight\": 0}", "\"weight\" must be"},
        {"{\"sentence\": \"\"}", "a sentence is empty"},
        {"{\"constraint\": \"a and\"}", "at character 6"},
        {"{\"constraint\": \"a\", \"verdict\": true}", "has no verdict"},
        {"[1]", "no JSON object"},
        {"{\"sentence\": \"a\"", ":1:"},
        {"{\"sentence\": \"a\", \"sentence\": \"b\"}", ":1:"},
        {"{\"id\": \"x\", \"sentence\": \"a\"}\n{\"id\": \"x\", \"sentence\": \"b\"}",
         ":2: two sentences"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct belief_base base;
        struct error error;
        if (read_text(&base, CASES[i].text, &error) == 0)
            fail_msg("read: %s", CASES[i].text);
        if (strstr(error.message, CASES[i].complaint) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.message, CASES[i].complaint);
        assert_null(base.items);
    }
}

static void test_clash_is_told(void **state) {
    (void)state;
    struct belief_base base;
    struct error error;
    assert_int_equal(read_text(&base,
                               "{\"sentence\": \"a\", \"verdict\": true}\n"
                               "{\"sentence\": \"z\", \"verdict\": true}\n"
                               "{\"sentence\": \"b\", \"verdict\": false, \"weight\": 0.3}\n"
                               "{\"constraint\": \"a implies b\"}\n",
                               &error),
                     0);
    assert_int_equal(belief_base_check(&base, 0.1, &error), -1);
    assert_non_null(strstr(error.message, ":1: \"a\" is true"));
    assert_non_null(strstr(error.message, ":3: \"b\" is false"));
    assert_non_null(strstr(error.message, ":4: \"a\" implies \"b\""));
    assert_null(strstr(error.message, "\"z\""));
    /* The source that is trusted little is left out. */
    assert_int_equal(belief_base_check(&base, 0.5, &error), 0);
    belief_base_free(&base);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_hostile_lines),
        cmocka_unit_test(test_clash_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
