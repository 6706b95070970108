#include "truth/sentence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "cmocka_all.h"
#include "truth/logic.h"

static struct sentences *make(void) {
    struct sentences *s;
    struct error error;
    assert_int_equal(sentences_create(&s, &error), 0);
    return s;
}

static uint32_t parse(struct sentences *s, const char *text) {
    struct error error;
    uint32_t id;
    if (sentences_parse(s, text, &id, &error))
        fail_msg("%s", error.message);
    return id;
}

static void check_print(struct sentences *s, const char *text, const char *expected) {
    char *printed = sentences_text(s, parse(s, text), 0);
    assert_string_equal(printed, expected);
    assert_int_equal(parse(s, printed), parse(s, text));
    free(printed);
}

static void test_precedence(void **state) {
    (void)state;
    struct sentences *s = make();
    check_print(s, "a and b or c", "\"a\" and \"b\" or \"c\"");
    check_print(s, "a and (b or c)", "\"a\" and (\"b\" or \"c\")");
    check_print(s, "not a and b", "not \"a\" and \"b\"");
    check_print(s, "not (a and b)", "not (\"a\" and \"b\")");
    check_print(s, "not not a", "not not \"a\"");
    check_print(s, "a implies b implies c", "\"a\" implies \"b\" implies \"c\"");
    check_print(s, "(a implies b) implies c", "(\"a\" implies \"b\") implies \"c\"");
    check_print(s, "a iff b xor c or d", "\"a\" iff \"b\" xor \"c\" or \"d\"");
    check_print(s, "a or (b or c)", "\"a\" or (\"b\" or \"c\")");
    check_print(s, "\"say \\\"no\\\" \\\\\" and b", "\"say \\\"no\\\" \\\\\" and \"b\"");
    assert_int_equal(parse(s, "a and b"), parse(s, " ( a and\tb ) "));
    sentences_destroy(s);
}

static void test_errors_say_where(void **state) {
    (void)state;
    static const struct {
        const char *text, *complaint;
    } CASES[] = {{"a and or b", "at character 7: a sentence is expected"},
                 {"", "at character 1: a sentence"},
                 {"(a and b", "at character 9: \")\""},
                 {"a b", "at character 3: an operator"},
                 {"a and \"b", "at character 7: this quotation has no end"},
                 {"a and \"\"", "at character 7: this quotation is empty"},
                 {"\xc3\xa9t\xc3\xa9 & b", "at character 5: this character"},
                 {"a not b", "at character 3: an operator"}};
    struct sentences *s = make();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct error error;
        uint32_t id;
        assert_int_equal(sentences_parse(s, CASES[i].text, &id, &error), -1);
        if (strstr(error.message, CASES[i].complaint) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.message, CASES[i].complaint);
    }
    sentences_destroy(s);
}

static void test_depth_is_bounded(void **state) {
    (void)state;
    struct sentences *s = make();
    char *text = malloc(400000);
    struct error error;
    uint32_t id;
    memset(text, '(', 100000);
    strcpy(text + 100000, "a");
    assert_int_equal(sentences_parse(s, text, &id, &error), -1);
    for (size_t i = 0; i < 100000; i++)
        memcpy(text + 4 * i, "not ", 4);
    text[399996] = '\0';
    assert_int_equal(sentences_parse(s, text, &id, &error), -1);
    free(text);
    sentences_destroy(s);
}

static void test_names(void **state) {
    (void)state;
    struct sentences *s = make();
    struct error error;
    uint32_t lagos, other;
    assert_int_equal(sentences_add_atom(s, "Lagos is in Nigeria", &lagos, &error), 0);
    assert_int_equal(sentences_add_atom(s, "Lagos is in Kenya", &other, &error), 0);
    assert_int_equal(sentences_add_name(s, "lagos", lagos, &error), 0);
    assert_int_equal(sentences_add_name(s, "lagos", lagos, &error), 0);
    assert_int_equal(sentences_add_name(s, "lagos", other, &error), -1);
    assert_int_equal(parse(s, "lagos"), lagos);
    assert_int_equal(parse(s, "\"Lagos is in Kenya\""), other);
    assert_int_equal(sentences_find_atom(s, "Lagos is in Kenya"), other);
    assert_true(sentences_find_atom(s, "lagos") == UINT32_MAX);
    sentences_destroy(s);
}

/* A random formula over five atoms, as text. */
static void write_formula(FILE *stream, struct random *random, int depth) {
    static const char *const WORDS[] = {"and", "or", "implies", "iff", "xor"};
    uint64_t choice = random_below(random, depth > 0 ? 7 : 1);
    if (choice == 0) {
        fprintf(stream, "%c", (char)('a' + random_below(random, 5)));
    } else if (choice == 1) {
        fprintf(stream, "not (");
        write_formula(stream, random, depth - 1);
        fprintf(stream, ")");
    } else {
        fprintf(stream, "(");
        write_formula(stream, random, depth - 1);
        fprintf(stream, ") %s (", WORDS[choice - 2]);
        write_formula(stream, random, depth - 1);
        fprintf(stream, ")");
    }
}

static uint32_t random_formula(struct sentences *s, struct random *random) {
    char *text;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    write_formula(stream, random, 4);
    fclose(stream);
    uint32_t id = parse(s, text);
    char *printed = sentences_text(s, id, 0);
    assert_int_equal(parse(s, printed), id);
    free(printed);
    free(text);
    return id;
}

/* Verdicts, worlds and clashes, beside all 32 ways to be true and false. */
static void test_logic_beside_truth_tables(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 1, 0);
    for (int round = 0; round < 60; round++) {
        struct sentences *s = make();
        struct error error;
        uint32_t atoms[5], law, asked;
        for (int i = 0; i < 5; i++)
            atoms[i] = parse(s, (char[]){(char)('a' + i), '\0'});
        law = random_formula(s, &random);
        asked = random_formula(s, &random);
        uint8_t *values = calloc(sentences_count(s), 1);
        int models = 0, with = 0;
        for (int world = 0; world < 32; world++) {
            for (int i = 0; i < 5; i++)
                values[atoms[i]] = world >> i & 1;
            sentences_evaluate(s, values);
            models += values[law];
            with += values[law] && values[asked];
        }
        struct logic *logic;
        assert_int_equal(logic_create(&logic, s, &error), 0);
        struct claim claim = {law, 1};
        assert_int_equal(logic_is_consistent(logic, &claim, 1), models > 0);
        if (models > 0) {
            uint8_t *worlds;
            size_t count;
            logic_assert(logic, claim);
            assert_int_equal(logic_verdict(logic, asked), with == models ? 1 : with == 0 ? -1 : 0);
            assert_int_equal(logic_worlds(logic, atoms, 5, 32, &worlds, &count, &error), 0);
            assert_int_equal(count, models);
            free(worlds);
            assert_int_equal(
                logic_worlds(logic, atoms, 5, (size_t)models - 1, &worlds, &count, &error), 0);
            assert_true(count == SIZE_MAX && worlds == NULL);
        }
        logic_destroy(logic);
        free(values);
        sentences_destroy(s);
    }
}

static void test_clash_is_minimal(void **state) {
    (void)state;
    struct sentences *s = make();
    struct error error;
    struct logic *logic;
    const char *const TEXTS[] = {"a",     "b implies c", "a implies b", "d or e",
                                 "not c", "e",           "c or d"};
    struct claim claims[7];
    size_t clash[7], count;
    for (size_t i = 0; i < 7; i++)
        claims[i] = (struct claim){parse(s, TEXTS[i]), 1};
    assert_int_equal(logic_create(&logic, s, &error), 0);
    logic_find_clash(logic, claims, 7, clash, &count);
    assert_int_equal(count, 4);
    const size_t expected[] = {0, 1, 2, 4};
    assert_memory_equal(clash, expected, sizeof expected);
    logic_find_clash(logic, claims, 4, clash, &count);
    assert_true(count == SIZE_MAX);
    logic_destroy(logic);
    sentences_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_errors_say_where),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_logic_beside_truth_tables),
        cmocka_unit_test(test_clash_is_minimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
