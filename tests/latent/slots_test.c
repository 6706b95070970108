/* Slots: curves, posteriors, and the gradients of the score (double precision in the F64 build). */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "cmocka_all.h"
#include "latent/score.h"

#ifdef TRINE_F64
static const double SLOPE = 1e-6, STEP = 1e-5;
#else
static const double SLOPE = 2e-2, STEP = 4e-3;
#endif

enum { LABELS = 5, WIDTH = 3, DATE_WIDTH = 4 };

static struct slots make_slots(void) {
    static const char *const NAMES[LABELS] = {"a", "b", "c", "d", "e"};
    static const double COUNTS[LABELS] = {4, 3, 2, 1, 0};
    struct slots slots = {0};
    struct error error;
    assert_int_equal(slots_add_categorical(&slots, "author", WIDTH, NAMES, COUNTS, LABELS, &error),
                     0);
    assert_int_equal(slots_add_date(&slots, "date", DATE_WIDTH, 1800, 2000, &error), 0);
    return slots;
}

static void randomise(real *x, size_t n, uint64_t seed, double scale) {
    struct random random;
    random_seed(&random, seed, 0);
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(scale * random_normal(&random));
}

static void test_layout(void **state) {
    (void)state;
    struct slots slots = make_slots();
    assert_int_equal(slots.count, 2);
    assert_int_equal(slots.latent_width, WIDTH + DATE_WIDTH);
    assert_int_equal(slots.slots[1].first, WIDTH);
    assert_ptr_equal(slots_find(&slots, "date"), &slots.slots[1]);
    assert_null(slots_find(&slots, "place"));
    assert_int_equal(slot_find_label(&slots.slots[0], "c"), 2);
    assert_int_equal(slot_find_label(&slots.slots[0], "z"), -1);
    /* The grid has the range and a margin on both sides. */
    const struct slot *date = &slots.slots[1];
    double last = date->year_from + date->year_step * (double)(date->point_count - 1);
    assert_true(date->year_from <= 1790 && last >= 2010);
    /* Labels that occur more often have the larger prior, and none is impossible. */
    for (size_t i = 1; i < LABELS; i++)
        assert_true(slots.slots[0].log_prior[i] < slots.slots[0].log_prior[i - 1]);
    assert_true(isfinite(slots.slots[0].log_prior[LABELS - 1]));
    slots_free(&slots);
}

static void test_date_targets(void **state) {
    (void)state;
    struct slots slots = make_slots();
    const struct slot *date = &slots.slots[1];
    for (double year = 1795; year < 2005; year += 0.7) {
        struct slot_target target = slot_date_target(date, year);
        double sum = 0, back = 0;
        for (int k = 0; k < 2; k++) {
            sum += target.weight[k];
            back +=
                target.weight[k] * (date->year_from + date->year_step * (double)target.index[k]);
        }
        assert_true(fabs(sum - 1) < 1e-12 && fabs(back - year) < 1e-9);
    }
    assert_int_equal(slot_date_target(date, -500).index[0], 0);
    assert_int_equal(slot_date_target(date, 9999).index[0], date->point_count - 1);
    slots_free(&slots);
}

/* On its grid the curve passes through the points; off it, between its neighbours' values. */
static void test_curve(void **state) {
    (void)state;
    struct slots slots = make_slots();
    const struct slot *date = &slots.slots[1];
    real parameters[400], points[400 * DATE_WIDTH], point[DATE_WIDTH], before[DATE_WIDTH];
    assert_true(slots.parameter_count <= 400 && date->point_count <= 400);
    slots_initialise(&slots, parameters, 3);
    slot_points(date, parameters, points);
    for (size_t i = 0; i < date->point_count; i++) {
        slot_date_point(date, parameters, date->year_from + date->year_step * (double)i, point);
        for (size_t d = 0; d < DATE_WIDTH; d++)
            assert_true(fabs((double)(point[d] - points[i * DATE_WIDTH + d])) < 1e-5);
    }
    slot_date_point(date, parameters, 1900, before);
    slot_date_point(date, parameters, 1900.1, point);
    for (size_t d = 0; d < DATE_WIDTH; d++)
        assert_true(fabs((double)(point[d] - before[d])) < 0.05 && point[d] != before[d]);
    slot_date_point(date, parameters, 2500, point); /* far outside: finite */
    for (size_t d = 0; d < DATE_WIDTH; d++)
        assert_true(isfinite((double)point[d]));
    slots_free(&slots);
}

/* The formula of slots.h, written out. */
static void test_posterior(void **state) {
    (void)state;
    struct slots slots = make_slots();
    const struct slot *slot = &slots.slots[0];
    real points[LABELS * WIDTH], sigma[WIDTH] = {(real)0.5, 1, 2}, mean[WIDTH];
    real precision[WIDTH] = {1, 3, 9};
    double log_odds[LABELS], sum = 0, expected[LABELS], total = 0;
    randomise(points, LABELS * WIDTH, 1, 1);
    randomise(mean, WIDTH, 2, 1);
    slot_posterior(slot, points, sigma, mean, precision, 1, log_odds);
    for (size_t a = 0; a < LABELS; a++) {
        expected[a] = slot->log_prior[a];
        for (size_t d = 0; d < WIDTH; d++) {
            double gap = (double)(mean[d] - points[a * WIDTH + d]);
            double variance = 1 / (double)precision[d] + (double)sigma[d] * (double)sigma[d];
            expected[a] -= 0.5 * gap * gap / variance;
        }
        total += exp(expected[a]);
        sum += exp(log_odds[a]);
    }
    assert_true(fabs(sum - 1) < 1e-9);
    for (size_t a = 0; a < LABELS; a++)
        assert_true(fabs(log_odds[a] - expected[a] + log(total)) < 1e-5);
    /* Calibration tempers the odds: a strongly negative one makes all labels alike. */
    slots.slots[0].calibration[0] = -9;
    slot_belief(slot, points, sigma, mean, precision, 256, log_odds);
    for (size_t a = 0; a < LABELS; a++)
        assert_true(fabs(exp(log_odds[a]) - 1.0 / LABELS) < 0.01);
    slots_free(&slots);
}

/* What the score depends on. */
struct score_case {
    const struct slots *slots;
    size_t slot;
    struct slot_target target;
    real parameters[400], mean[8], precision[8];
};

static double score_of(const struct score_case *c) {
    const struct slot *slot = &c->slots->slots[c->slot];
    static real points[400 * 8], dpoints[400 * 8];
    real sigma[8], dmean[8] = {0}, dprecision[8] = {0}, dlog_sigma[8] = {0};
    double log_odds[400];
    struct slot_state state = {points, sigma};
    struct slot_gradient gradient = {dpoints, dlog_sigma};
    slot_points(slot, c->parameters, points);
    slot_spread(slot, c->parameters, sigma);
    return score_backward(slot, &state, &c->target, c->mean, c->precision, 1, dmean, dprecision,
                          &gradient, log_odds);
}

static void check(struct score_case *c, real *x, const real *gradient, size_t n, const char *what) {
    for (size_t i = 0; i < n; i++) {
        real old = x[i];
        x[i] = old + (real)STEP;
        double up = score_of(c);
        x[i] = old - (real)STEP;
        double down = score_of(c);
        x[i] = old;
        double expected = (up - down) / (2 * STEP);
        if (!(fabs((double)gradient[i] - expected) <= SLOPE * (1 + fabs(expected))))
            fail_msg("%s[%zu]: %g, expected %g", what, i, (double)gradient[i], expected);
    }
}

static void test_score_gradients(void **state) {
    (void)state;
    struct slots slots = make_slots();
    for (size_t s = 0; s < 2; s++) {
        const struct slot *slot = &slots.slots[s];
        struct score_case c = {.slots = &slots, .slot = s};
        static real points[400 * 8], dpoints[400 * 8];
        real sigma[8], dmean[8] = {0}, dprecision[8] = {0}, dlog_sigma[8] = {0};
        real dparameters[400] = {0};
        double log_odds[400];
        memset(dpoints, 0, sizeof dpoints);
        slots_initialise(&slots, c.parameters, 5);
        randomise(c.mean, slot->width, 6, 0.5);
        for (size_t d = 0; d < slot->width; d++)
            c.precision[d] = (real)(1 + (double)d);
        c.target = s == 0 ? (struct slot_target){{1}, {1}} : slot_date_target(slot, 1863.3);
        slot_points(slot, c.parameters, points);
        slot_spread(slot, c.parameters, sigma);
        struct slot_state slot_state = {points, sigma};
        struct slot_gradient gradient = {dpoints, dlog_sigma};
        score_backward(slot, &slot_state, &c.target, c.mean, c.precision, 1, dmean, dprecision,
                       &gradient, log_odds);
        slot_points_backward(slot, dpoints, dparameters);
        check(&c, c.mean, dmean, slot->width, "dmean");
        check(&c, c.precision, dprecision, slot->width, "dprecision");
        check(&c, c.parameters + slot->parameters, dlog_sigma, slot->width, "dlog_sigma");
        size_t rows = slot->kind == LATENT_DATE ? slot->basis_count : slot->point_count;
        check(&c, c.parameters + slot->parameters + slot->width,
              dparameters + slot->parameters + slot->width, rows * slot->width, "dpoints");
    }
    slots_free(&slots);
}

static void test_refusals(void **state) {
    (void)state;
    static const char *const TWICE[] = {"a", "a"};
    static const double COUNTS[] = {1, 1};
    struct error error;
    struct slots slots = make_slots();
    size_t count = slots.count;
    assert_int_equal(slots_add_categorical(&slots, "author", 2, TWICE, COUNTS, 2, &error), -1);
    assert_int_equal(slots_add_categorical(&slots, "x", 0, TWICE, COUNTS, 1, &error), -1);
    assert_int_equal(slots_add_categorical(&slots, "x", 2, TWICE, COUNTS, 0, &error), -1);
    assert_int_equal(slots_add_date(&slots, "y", 2, 2000, 1800, &error), -1);
    assert_int_equal(slots_add_date(&slots, "y", 2, NAN, 1800, &error), -1);
    assert_int_equal(slots.count, count);
    slots_free(&slots);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),          cmocka_unit_test(test_date_targets),
        cmocka_unit_test(test_curve),           cmocka_unit_test(test_posterior),
        cmocka_unit_test(test_score_gradients), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
