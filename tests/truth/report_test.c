#include "truth/report.h"

#include <math.h>

#include "base/random.h"
#include "cmocka_all.h"
#include "truth/asking.h"

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

/* Log odds that were made with a scale and a shift are brought back. */
static void test_calibration(void **state) {
    (void)state;
    enum { COUNT = 20000 };
    static double odds[COUNT];
    static uint8_t labels[COUNT];
    struct random random;
    double calibration[2];
    random_seed(&random, 2, 0);
    for (size_t i = 0; i < COUNT; i++) {
        odds[i] = 3 * random_normal(&random);
        labels[i] = random_uniform(&random) < 1 / (1 + exp(-(0.5 * odds[i] - 0.7)));
    }
    asking_calibrate(odds, labels, COUNT, calibration);
    assert_true(fabs(calibration[0] - 0.5) < 0.03 && fabs(calibration[1] + 0.7) < 0.06);
    assert_true(fabs(asking_probability(1.4, (double[]){0.5, -0.7}) - 0.5) < 1e-12);
    /* All alike: the prior keeps it finite. */
    for (size_t i = 0; i < 10; i++)
        labels[i] = 1;
    asking_calibrate(odds, labels, 10, calibration);
    assert_true(isfinite(calibration[0]) && isfinite(calibration[1]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_calibration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
