#include "truth/calibration.h"

#include <math.h>

#include "base/random.h"
#include "cmocka_all.h"

enum { COUNT = 20000 };
static double odds[COUNT];
static uint8_t outcomes[COUNT];
static uint32_t families[COUNT];

static void draw(struct random *random, size_t i, double scale, double shift) {
    odds[i] = 3 * random_normal(random);
    outcomes[i] = random_uniform(random) < 1 / (1 + exp(-(scale * odds[i] + shift)));
}

/* Two families that speak opposite languages are told apart; one that never was heard of goes by
 * all. */
static void test_families(void **state) {
    (void)state;
    struct random random;
    struct calibration calibration;
    struct error error;
    random_seed(&random, 3, 0);
    for (size_t i = 0; i < COUNT; i++) {
        families[i] = i % 4 == 0 ? 2 : 1;
        draw(&random, i, families[i] == 2 ? -1 : 1, 0.5);
    }
    assert_int_equal(calibration_fit(&calibration, odds, outcomes, families, 3, COUNT, &error), 0);
    assert_true(fabs(calibration_probability(&calibration, 2, 1) - 1 / (1 + exp(-2.5))) < 0.02);
    assert_true(fabs(calibration_probability(&calibration, 2, 2) - 1 / (1 + exp(1.5))) < 0.06);
    assert_true(calibration_probability(&calibration, 2, 3) ==
                calibration_probability(&calibration, 2, 0));
    calibration_free(&calibration);
    for (size_t i = 0; i < COUNT; i++)
        outcomes[i] = 2;
    assert_int_equal(calibration_fit(&calibration, odds, outcomes, families, 3, COUNT, &error), 0);
    assert_true(calibration_probability(&calibration, 5, 1) == 0.5);
    calibration_free(&calibration);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
