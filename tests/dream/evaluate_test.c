/* The arithmetic of reports: rank correlations, dates summarised, decisions applied. */
#include <math.h>

#include "cmocka_all.h"
#include "dream/decide.h"
#include "dream/evaluate.h"
#include "dream/paths.h"

static void test_rank_correlation(void **state) {
    (void)state;
    const double x[5] = {1, 2, 3, 4, 5}, up[5] = {1, 10, 11, 50, 1000}, down[5] = {9, 8, 3, 2, 1};
    const double some[5] = {2, 1, 4, 3, 5}, same[5] = {7, 7, 7, 7, 7}, ties[4] = {1, 1, 2, 2};
    assert_true(fabs(rank_correlation(x, up, 5) - 1) < 1e-12);
    assert_true(fabs(rank_correlation(x, down, 5) + 1) < 1e-12);
    assert_true(fabs(rank_correlation(x, some, 5) - 0.8) < 1e-12); /* 1 - 6 * 4 / 120 */
    assert_true(isnan(rank_correlation(x, same, 5)));
    assert_true(fabs(rank_correlation(x, ties, 4) - 0.8944271909999159) < 1e-12);
}

static void test_date_summary(void **state) {
    (void)state;
    enum { POINTS = 101 };
    struct slot slot = {
        .kind = LATENT_DATE, .point_count = POINTS, .year_from = 1800, .year_step = 2};
    double log_odds[POINTS];
    for (size_t i = 0; i < POINTS; i++) /* uniform over 1799 .. 2001 */
        log_odds[i] = -log(POINTS);
    struct date_summary date = date_summarise(&slot, log_odds);
    assert_true(fabs(date.median - 1900) < 1e-6);
    assert_true(fabs(date.low - (1799 + 0.05 * 202)) < 1e-6);
    assert_true(fabs(date.high - (1799 + 0.95 * 202)) < 1e-6);
    for (size_t i = 0; i < POINTS; i++) /* all on one point: within its step */
        log_odds[i] = i == 30 ? 0 : -INFINITY;
    date = date_summarise(&slot, log_odds);
    assert_true(fabs(date.median - 1860) < 1e-6 && date.low >= 1859 && date.high <= 1861);
}

/* Bayes' rule among the candidates; what the others hold stays. */
static void test_decision(void **state) {
    (void)state;
    struct slot slot = {.kind = LATENT_CATEGORICAL, .point_count = 4};
    struct decision decision = {
        .count = 2, .labels = {2, 0}, .likelihood = {-10, -11}, .tokens = 256};
    double log_odds[4] = {log(0.4), log(0.1), log(0.3), log(0.2)};
    decision_apply(&decision, &slot, log_odds); /* a factor of exp(0) */
    double two = 0.3 * exp(1), zero = 0.4;
    assert_true(fabs(exp(log_odds[2]) - 0.7 * two / (two + zero)) < 1e-12);
    assert_true(fabs(exp(log_odds[0]) - 0.7 * zero / (two + zero)) < 1e-12);
    assert_true(fabs(exp(log_odds[1]) - 0.1) < 1e-12 && fabs(exp(log_odds[3]) - 0.2) < 1e-12);
    double before = log_odds[0];
    decision.count = 0;
    decision_apply(&decision, &slot, log_odds);
    decision_apply(NULL, &slot, log_odds);
    assert_true(log_odds[0] == before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rank_correlation),
        cmocka_unit_test(test_date_summary),
        cmocka_unit_test(test_decision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
