#include "math/logistic.h"

#include <math.h>

#include "base/random.h"
#include "cmocka_all.h"

enum { COUNT = 20000 };
static double odds[COUNT];
static uint8_t outcomes[COUNT];

static void draw(struct random *random, size_t i, double scale, double shift) {
    odds[i] = 3 * random_normal(random);
    outcomes[i] = random_uniform(random) < 1 / (1 + exp(-(scale * odds[i] + shift)));
}

/* Log odds that were made with a scale and a shift are brought back. */
static void test_platt(void **state) {
    (void)state;
    struct random random;
    double scaling[2];
    const double prior[] = {1, 0};
    random_seed(&random, 2, 0);
    for (size_t i = 0; i < COUNT; i++)
        draw(&random, i, 0.5, -0.7);
    odds[7] = NAN;
    outcomes[9] = 2;
    platt_fit(scaling, odds, outcomes, COUNT, prior, 1);
    assert_true(fabs(scaling[0] - 0.5) < 0.03 && fabs(scaling[1] + 0.7) < 0.06);
    assert_true(fabs(platt_probability(1.4, (double[]){0.5, -0.7}) - 0.5) < 1e-12);
    /* All alike: the prior keeps it finite. */
    for (size_t i = 0; i < 10; i++)
        outcomes[i] = 1;
    platt_fit(scaling, odds, outcomes, 10, prior, 1);
    assert_true(isfinite(scaling[0]) && isfinite(scaling[1]));
    platt_fit(scaling, odds, outcomes, 0, prior, 1);
    assert_true(scaling[0] == 1 && scaling[1] == 0);
}

/* Two sayers, one of whom knows nothing. */
static void test_logistic(void **state) {
    (void)state;
    static double features[COUNT][3];
    struct random random;
    double solution[3];
    const double prior[] = {1, 0, 0};
    random_seed(&random, 4, 0);
    for (size_t i = 0; i < COUNT; i++) {
        features[i][0] = random_normal(&random);
        features[i][1] = random_normal(&random);
        features[i][2] = 1;
        outcomes[i] = random_uniform(&random) < 1 / (1 + exp(-(2 * features[i][1] - 0.3)));
    }
    logistic_fit(solution, &features[0][0], outcomes, COUNT, 3, prior, 1);
    assert_true(fabs(solution[0]) < 0.06 && fabs(solution[1] - 2) < 0.1);
    assert_true(fabs(solution[2] + 0.3) < 0.06);
    assert_true(fabs(logistic_probability(solution, features[0], 3) -
                     1 / (1 + exp(-(2 * features[0][1] - 0.3)))) < 0.03);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_platt),
        cmocka_unit_test(test_logistic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
