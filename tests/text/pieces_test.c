/* The pre-tokenizers' patterns, on texts where they differ. */
#include "text/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

/* Pieces joined by '|'. */
static void check(enum piece_pattern pattern, const char *text, const char *wanted) {
    struct error error;
    struct piece_cutter *cutter;
    char joined[512];
    size_t bytes = strlen(text), length = 0;
    assert_int_equal(piece_cutter_create(&cutter, pattern, &error), 0);
    for (size_t at = 0; at < bytes;) {
        size_t piece = piece_length(cutter, text, bytes, at);
        if (at > 0)
            joined[length++] = '|';
        memcpy(joined + length, text + at, piece);
        length += piece;
        at += piece;
    }
    joined[length] = '\0';
    assert_string_equal(joined, wanted);
    piece_cutter_destroy(cutter);
}

static void test_words_and_digits(void **state) {
    (void)state;
    static const char text[] = "It's 2024, we'LL  see: x=12345";
    check(PIECES_GPT2, text, "It|'s| 2024|,| we|'|LL| | see|:| x|=|12345");
    check(PIECES_SMOLLM, text, "It|'s| |2|0|2|4|,| we|'|LL| | see|:| x|=|1|2|3|4|5");
    check(PIECES_LLAMA3, text, "It|'s| |202|4|,| we|'LL| | see|:| x|=|123|45");
    check(PIECES_QWEN2, text, "It|'s| |2|0|2|4|,| we|'LL| | see|:| x|=|1|2|3|4|5");
}

static void test_spaces_and_lines(void **state) {
    (void)state;
    static const char text[] = "a  1\n\n b.\r\n\tc  ";
    check(PIECES_GPT2, text, "a| | 1|\n\n| b|.|\r\n|\t|c|  ");
    /* Before a digit spaces stand together: the text ends there for the second cut. */
    check(PIECES_SMOLLM, text, "a|  |1|\n\n| b|.|\r\n|\t|c|  ");
    check(PIECES_LLAMA3, text, "a| | |1|\n\n| b|.\r\n|\tc|  ");
    check(PIECES_QWEN2, text, "a| | |1|\n\n| b|.\r\n|\tc|  ");
}

static void test_other_scripts(void **state) {
    (void)state;
    check(PIECES_SMOLLM, "\u0645\u0631\u062d\u0628\u0627 \u0661\u0662!",
          "\u0645\u0631\u062d\u0628\u0627| |\u0661|\u0662|!");
    check(PIECES_GPT2, "\u4f60\u597d\u3001\U0001f600", "\u4f60\u597d|\u3001\U0001f600");
    check(PIECES_LLAMA3, "\u00bd\u2167x", "\u00bd\u2167|x");
    check(PIECES_QWEN2, "e\u0301a", "e|\u0301a"); /* a mark may stand before letters */
}

/* Bytes that are no UTF-8 stand alone, whatever is around them. */
static void test_broken_text(void **state) {
    (void)state;
    check(PIECES_SMOLLM,
          "ab\xff"
          "cd",
          "ab|\xff|cd");
    check(PIECES_QWEN2, "\xe4\xbd", "\xe4|\xbd");
}

/* Runs longer than any window are one piece. */
static void test_long_runs(void **state) {
    (void)state;
    enum { LONG = 300000 };
    struct error error;
    struct piece_cutter *cutter;
    char *text = malloc(LONG + 1);
    assert_non_null(text);
    for (int pattern = 0; pattern < PIECES_COUNT; pattern++) {
        assert_int_equal(piece_cutter_create(&cutter, (enum piece_pattern)pattern, &error), 0);
        memset(text, ' ', LONG);
        text[LONG] = 'x';
        assert_int_equal(piece_length(cutter, text, LONG, 0), LONG);
        assert_int_equal(piece_length(cutter, text, LONG + 1, 0), LONG - 1);
        memset(text, '!', LONG);
        assert_int_equal(piece_length(cutter, text, LONG + 1, 0), LONG);
        memset(text, 'a', LONG);
        assert_int_equal(piece_length(cutter, text, LONG + 1, 0), LONG + 1);
        piece_cutter_destroy(cutter);
    }
    free(text);
}

static void test_names(void **state) {
    (void)state;
    for (int pattern = 0; pattern < PIECES_COUNT; pattern++) {
        const char *name = piece_pattern_name((enum piece_pattern)pattern);
        assert_int_equal(piece_pattern_find(name, strlen(name)), pattern);
    }
    assert_int_equal(piece_pattern_find("gpt-22", 6), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_and_digits), cmocka_unit_test(test_spaces_and_lines),
        cmocka_unit_test(test_other_scripts),    cmocka_unit_test(test_broken_text),
        cmocka_unit_test(test_long_runs),        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
