#include "truth/report.h"

#include <math.h>

#include "cmocka_all.h"

static void test_scores(void **state) {
    (void)state;
    const double p[] = {0.9, 0.8, 0.3, 0.3, 0.6}, outcome[] = {1, 0, 0, 1, 1};
    struct judgement_report r;
    struct error error;
    assert_int_equal(judgement_report_make(&r, p, outcome, 5, &error), 0);
    assert_true(fabs(r.accuracy - 0.6) < 1e-12);
    /* Pairs of a true and a false one: 0.9 wins twice; 0.3 loses, ties; 0.6 loses, wins. */
    assert_true(fabs(r.area - 3.5 / 6) < 1e-12);
    assert_true(fabs(r.brier - (0.01 + 0.64 + 0.09 + 0.49 + 0.16) / 5) < 1e-12);
    double loss = -(log(0.9) + log(0.2) + log(0.7) + log(0.3) + log(0.6)) / 5;
    assert_true(fabs(r.log_loss - loss) < 1e-12);
    assert_true(fabs(r.calibration_error - (0.1 + 0.8 + 2 * 0.2 + 0.4) / 5) < 1e-12);
    assert_int_equal(r.bins[3].count, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
