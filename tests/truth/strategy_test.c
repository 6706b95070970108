#include "truth/strategy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "cmocka_all.h"

enum { SENTENCES = 4, DAYS = 3 };

static const double HISTORY[DAYS * SENTENCES] = {0.1, 0.2, 0.3, 0.4, 0.2, 0.3,
                                                 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
static const double TODAY[SENTENCES] = {0.25, 0.5, 0.75, 1};

/* Lagos, Kano (cities), Nile (rivers), Lagos and Kano; Kano is known to be true. */
static void make_base(struct belief_base *base) {
    static const char *const NAMES[] = {"lagos", "kano", "nile"};
    struct error error;
    *base = (struct belief_base){0};
    assert_int_equal(sentences_create(&base->sentences, &error), 0);
    for (size_t i = 0; i < SENTENCES; i++) {
        struct belief b = {.family = i < 2    ? "cities"
                                     : i == 2 ? "rivers"
                                              : "",
                           .verdict = VERDICT_UNKNOWN,
                           .weight = 1};
        if (i < 3 ? sentences_add_atom(base->sentences, NAMES[i], &b.sentence, &error) ||
                        sentences_add_name(base->sentences, NAMES[i], b.sentence, &error)
                  : sentences_add_formula(base->sentences, SENTENCE_AND, 0, 1, &b.sentence, &error))
            fail_msg("%s", error.message);
        assert_int_equal(belief_base_add(base, &b, &error), 0);
    }
}

/* shares[SENTENCES] <- what the strategy buys on day 4. */
static void run(const char *text, double *shares) {
    struct belief_base base;
    struct trader *trader;
    struct error error;
    struct feature_pool pool = {0};
    static const uint8_t KNOWN[] = {VERDICT_UNKNOWN, VERDICT_TRUE, VERDICT_UNKNOWN,
                                    VERDICT_UNKNOWN};
    static const uint32_t FAMILY[] = {1, 1, 2, 0};
    static const double HELD[] = {1, -2, 0.5, 0};
    make_base(&base);
    struct market_view view = {.sentences = base.sentences,
                               .sentence_count = SENTENCES,
                               .day = DAYS + 1,
                               .history = HISTORY,
                               .known = KNOWN,
                               .family = FAMILY,
                               .family_count = 2,
                               .holding = HELD};
    uint32_t coefficients[SENTENCES] = {0};
    double values[4000];
    if (strategy_parse(&trader, text, "test", &base, &error))
        fail_msg("%s", error.message);
    assert_int_equal(trader->trade(trader, &view, &pool, coefficients, &error), 0);
    assert_true(pool.count < 4000);
    feature_pool_evaluate(&pool, TODAY, values);
    for (size_t i = 0; i < SENTENCES; i++)
        shares[i] = values[coefficients[i]];
    feature_pool_free(&pool);
    trader->destroy(trader);
    belief_base_free(&base);
}

static void check(const char *text, double a, double b, double c, double d) {
    double shares[SENTENCES], expected[SENTENCES] = {a, b, c, d};
    run(text, shares);
    for (size_t i = 0; i < SENTENCES; i++)
        if (fabs(shares[i] - expected[i]) > 1e-12)
            fail_msg("%s: %g for sentence %zu, not %g", text, shares[i], i, expected[i]);
}

static void test_meaning(void **state) {
    (void)state;
    check("every sentence: price", 0.25, 0.5, 0.75, 1);
    check("every sentence: price(1) - price(3)", 0.5, 0.5, 0.5, 0.5);
    check("every sentence: price(4)", 0.5, 0.5, 0.5, 0.5);
    check("every sentence: average(2)", 0.4, 0.5, 0.6, 0.7);
    check("every sentence: price of nile - price(1) of \"kano\"", 0.05, 0.05, 0.05, 0.05);
    check("sentence lagos: 2 * 3 - 4 / 2", 4, 0, 0, 0);
    check("family cities: known + 10 * verdict # a comment", 5, 11, 0, 0);
    check("every sentence: frequency", 2.0 / 3, 2.0 / 3, 0.5, 0.5);
    check("every sentence: held * day", 4, -8, 2, 0);
    check("every sentence: min(price, 0.6) + max(price, 0.6)", 0.85, 1.1, 1.35, 1.6);
    check("every sentence: abs(price - 0.5)", 0.25, 0, 0.25, 0.5);
    check("every sentence: clamp(price, 0.3, 0.6)", 0.3, 0.5, 0.6, 0.6);
    check("every sentence: ramp(price, 0.5, 1)", 0, 0, 0.5, 1);
    check("every sentence: share(8 * price)", 0.5, 0.25, 1.0 / 6, 0.125);
    check("every sentence: -(1 - price) * -2", 1.5, 1, 0.5, 0);
    check("name \"two rules\"\n\n# one\nevery sentence: 1\nsentence kano: price\n", 1, 1.5, 1, 1);
}

static void test_errors_say_where(void **state) {
    (void)state;
    static const struct {
        const char *text, *complaint;
    } CASES[] = {{"", "there is no rule"},
                 {"every sentence: 1 / price", "test:1: a number is expected before \"price\""},
                 {"every sentence: 1 / 0", "not zero"},
                 {"\nevery sentence: price(0)", "test:2: a whole number of days"},
                 {"every sentence: clamp(price, 1, 0)", "first bound"},
                 {"every sentence: (price", "\")\" is expected"},
                 {"every sentence: price price", "an operator"},
                 {"every: price", "\"every sentence\""},
                 {"sentence tokyo: 1", "no sentence has this name or text before \" tokyo"},
                 {"family lakes: 1", "no sentence is of this family"},
                 {"every sentence: exp(price)", "is expected before \"exp"},
                 {"every sentence: 1e999", "at most a million"},
                 {"while 1: price", "name, every sentence"},
                 {"name \"x", "no end"}};
    struct belief_base base;
    make_base(&base);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct trader *trader;
        struct error error;
        if (strategy_parse(&trader, CASES[i].text, "test", &base, &error) == 0)
            fail_msg("taken: %s", CASES[i].text);
        if (strstr(error.message, CASES[i].complaint) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.message, CASES[i].complaint);
    }
    belief_base_free(&base);
}

/* Whatever is written, a wish is a number. */
static void test_total(void **state) {
    (void)state;
    double shares[SENTENCES];
    char text[4000] = "every sentence: (1000000 * price)";
    for (int i = 0; i < 100; i++)
        strcat(text, " * (1000000 * price)");
    strcat(text, " - 1000000");
    run(text, shares);
    for (size_t i = 0; i < SENTENCES; i++)
        assert_true(fabs(shares[i]) <= 1e12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meaning),
        cmocka_unit_test(test_errors_say_where),
        cmocka_unit_test(test_total),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
