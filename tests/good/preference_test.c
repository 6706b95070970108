#include "good/preference.h"

#include <math.h>

#include "cmocka_all.h"

static void check_derivatives(const struct preference_options *options) {
    struct preference pair = {{-20.5, -18.25}, {-21, -17}, {7, 5}};
    double derivatives[2], ignored[2], step = 1e-5;
    preference_loss(&pair, options, derivatives);
    for (int k = 0; k < 2; k++) {
        struct preference up = pair, down = pair;
        up.log_probabilities[k] += step;
        down.log_probabilities[k] -= step;
        double slope =
            (preference_loss(&up, options, ignored) - preference_loss(&down, options, ignored)) /
            (2 * step);
        assert_true(fabs(slope - derivatives[k]) < 1e-8);
    }
}

static void test_derivatives(void **state) {
    (void)state;
    check_derivatives(&(struct preference_options){.beta = 0.3});
    check_derivatives(&(struct preference_options){.beta = 2, .anchor = 0.7});
    check_derivatives(&(struct preference_options){.beta = 2, .is_length_normalised = 1});
}

static void test_margin(void **state) {
    (void)state;
    struct preference pair = {{-10, -30}, {-12, -33}, {4, 6}};
    struct preference_options options = {.beta = 0.5};
    assert_true(fabs(preference_margin(&pair, &options) + 0.5) < 1e-12); /* 0.5 (2 - 3) */
    options.is_length_normalised = 1;
    assert_true(fabs(preference_margin(&pair, &options)) < 1e-12); /* 2 / 4 - 3 / 6 */
}

/* At its reference nothing was gained; far from it nothing overflows. */
static void test_values(void **state) {
    (void)state;
    struct preference_options options = {.beta = 0.1};
    struct preference pair = {{-10, -30}, {-10, -30}, {4, 6}};
    double d[2];
    assert_true(fabs(preference_loss(&pair, &options, d) - log(2)) < 1e-12);
    assert_true(fabs(d[0] + 0.05) < 1e-12 && fabs(d[1] - 0.05) < 1e-12);
    pair.log_probabilities[0] = 1e5;
    assert_true(preference_loss(&pair, &options, d) < 1e-12 && d[0] == 0);
    pair.log_probabilities[0] = -1e5;
    assert_true(isfinite(preference_loss(&pair, &options, d)));
    assert_true(fabs(d[0] + 0.1) < 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derivatives),
        cmocka_unit_test(test_margin),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
