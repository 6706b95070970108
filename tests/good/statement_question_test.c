#include "good/statement_question.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

static void test_found(void **state) {
    (void)state;
    static const struct {
        const char *message, *statement;
    } CASES[] = {
        {"Is it true that Lagos is in Nigeria?", "Lagos is in Nigeria."},
        {"  is it TRUE that the sun is cold ? ", "The sun is cold."},
        {"True or false: Whales are fish.", "Whales are fish."},
        {"Whales are fish. True or false?", "Whales are fish."},
        {"Whales are fish, true or false?", "Whales are fish."},
        {"Lagos is in Nigeria. Is that true?", "Lagos is in Nigeria."},
        {"Do you think that \"St. John's is in Canada.\"?", "St. John's is in Canada."},
        {"Is this statement true: 3.5 is larger than 3?", "3.5 is larger than 3."},
        {"Is it true that Élan is a word?", "Élan is a word."},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct error error;
        char *statement;
        if (statement_question(&statement, CASES[i].message, &error) != 1)
            fail_msg("not found: %s", CASES[i].message);
        assert_string_equal(statement, CASES[i].statement);
        free(statement);
    }
}

static void test_others(void **state) {
    (void)state;
    static const char *const OTHERS[] = {
        "",
        "?",
        "Is it true?",
        "Is it true that ?",
        "Is it true that it is always so?", /* about what was said before */
        "Where is Lagos?",
        "Tell me: is it true that Lagos is in Nigeria?", /* more is asked */
        "Is it true that Lagos is in Nigeria? Why is it hot?",
        "Is it true that Lagos is in Nigeria?\nAnd Accra in Ghana?",
        "He said: is that true?",
        "true or false?",
    };
    struct error error;
    char *statement, longest[1000] = "Is it true that ";
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        if (statement_question(&statement, OTHERS[i], &error) != 0)
            fail_msg("taken for a statement: %s", OTHERS[i]);
        assert_null(statement);
    }
    memset(longest + strlen(longest), 'a', sizeof longest - 1 - strlen(longest));
    assert_int_equal(statement_question(&statement, longest, &error), 0);
}

static void test_answers(void **state) {
    (void)state;
    assert_non_null(strstr(statement_answer(0.58), "true"));
    assert_non_null(strstr(statement_answer(0.42), "false"));
    assert_null(statement_answer(0.5));
    assert_null(statement_answer(0.54));
    assert_null(statement_answer(0.46));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
