/* Statements that say how they are made of others. */
#include "truth/connectives.h"

#include <math.h>
#include <string.h>

#include "cmocka_all.h"

static void test_forms(void **state) {
    (void)state;
    static const struct {
        const char *statement;
        enum connective connective;
        const char *texts[2];
        int is_denied[2];
    } CASES[] = {
        {"Lagos is in Nigeria.", CONNECTIVE_NONE, {"Lagos is in Nigeria."}, {0}},
        {"It is not true that Lagos is in Peru.", CONNECTIVE_NONE, {"Lagos is in Peru."}, {1}},
        {"IT IS FALSE THAT it is not the case that lagos is big",
         CONNECTIVE_NONE,
         {"Lagos is big"},
         {0}},
        {"It is the case both that Ann came and that it isn't true that Bob went.",
         CONNECTIVE_BOTH,
         {"Ann came.", "Bob went."},
         {0, 1}},
        {" It is true either that it is late or that it is early .",
         CONNECTIVE_EITHER,
         {"It is late.", "It is early."},
         {0, 0}},
        /* What joins others within a clause stays one text. */
        {"It is not true that it is the case both that A and that B.",
         CONNECTIVE_NONE,
         {"It is the case both that A and that B."},
         {1}},
        {"It is the case both that A came",
         CONNECTIVE_NONE,
         {"It is the case both that A came"},
         {0}},
        {"It is not true that ", CONNECTIVE_NONE, {"It is not true that "}, {0}},
        {"It is not true that .", CONNECTIVE_NONE, {"It is not true that ."}, {0}},
        {"It is true both that and that .",
         CONNECTIVE_NONE,
         {"It is true both that and that ."},
         {0}},
        {"", CONNECTIVE_NONE, {""}, {0}},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct clauses clauses;
        struct error error;
        assert_int_equal(clauses_split(&clauses, CASES[i].statement, &error), 0);
        assert_int_equal(clauses.connective, CASES[i].connective);
        assert_int_equal(clauses.count, CASES[i].connective == CONNECTIVE_NONE ? 1 : 2);
        for (size_t k = 0; k < clauses.count; k++) {
            assert_string_equal(clauses.texts[k], CASES[i].texts[k]);
            assert_int_equal(clauses.is_denied[k], CASES[i].is_denied[k]);
        }
        clauses_free(&clauses);
    }
}

static double probability(double log_odds) {
    return 1 / (1 + exp(-log_odds));
}

/* As of independent events; and what is certain stays finite. */
static void test_log_odds(void **state) {
    (void)state;
    for (double a = -30; a <= 30; a += 2.5)
        for (double b = -30; b <= 30; b += 2.5) {
            double both = connective_log_odds(CONNECTIVE_BOTH, a, b);
            double either = connective_log_odds(CONNECTIVE_EITHER, a, b);
            double p = probability(a), q = probability(b);
            assert_true(fabs(probability(both) - p * q) < 1e-12);
            assert_true(fabs(probability(either) - (p + q - p * q)) < 1e-12);
            assert_true(both <= fmin(a, b) && either >= fmax(a, b));
        }
    assert_true(connective_log_odds(CONNECTIVE_NOT, 1.5, 9) == -1.5);
    assert_true(isfinite(connective_log_odds(CONNECTIVE_BOTH, -800, 800)));
    assert_true(connective_log_odds(CONNECTIVE_NONE, 2, 7) == 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_log_odds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
