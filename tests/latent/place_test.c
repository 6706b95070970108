/* Place slots: grid, targets, the learned function and its gradient (double precision in the F64
 * build), and what a handle is told. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "cmocka_all.h"
#include "latent/place.h"
#include "latent/score.h"

#ifdef TRINE_F64
static const double SLOPE = 1e-6, STEP = 1e-5;
#else
static const double SLOPE = 2e-2, STEP = 4e-3;
#endif

enum { WIDTH = 3, PARAMETERS = WIDTH + PLACE_BASIS * WIDTH };

static const struct location CHICAGO = {41.88, -87.63}, BOSTON = {42.36, -71.06},
                             DENVER = {39.74, -104.99}, MIAMI = {25.76, -80.19},
                             LONDON = {51.5, -0.13};

static struct slots make_slots(void) {
    const struct location places[] = {CHICAGO, BOSTON, DENVER, MIAMI};
    struct slots slots = {0};
    struct error error;
    assert_int_equal(slots_add_place(&slots, "place", WIDTH, places, 4, &error), 0);
    assert_int_equal(slots.parameter_count, PARAMETERS);
    return slots;
}

static void test_grid(void **state) {
    (void)state;
    struct slots slots = make_slots();
    const struct slot *slot = &slots.slots[0];
    assert_int_equal(slot->kind, LATENT_PLACE);
    assert_int_equal(slot->point_count, PLACE_POINTS);
    /* It covers the places and 300 km around them, but not London. */
    double radius = slot->cap.radius * M_PI / 180 * EARTH_RADIUS;
    assert_true(location_distance(slot->cap.centre, DENVER) + 300 < radius);
    assert_true(location_distance(slot->cap.centre, MIAMI) + 300 < radius);
    assert_true(location_distance(slot->cap.centre, LONDON) > radius);
    assert_true(slot_grid_spacing(slot) > 50 && slot_grid_spacing(slot) < 140);
    double sum = 0;
    for (size_t i = 0; i < PLACE_POINTS; i++)
        sum += exp(slot->log_prior[i]);
    assert_true(fabs(sum - 1) < 1e-9);
    slots_free(&slots);
}

/* How far from a place the mean of its target's points lies, in kilometres. */
static double miss(const struct slot *slot, const struct slot_target *target,
                   struct location place) {
    double sum = 0, mean[3] = {0};
    for (size_t k = 0; k < TARGET_POINTS; k++) {
        assert_true(target->index[k] < slot->point_count && target->weight[k] >= 0);
        sum += target->weight[k];
        for (int d = 0; d < 3; d++)
            mean[d] += target->weight[k] * slot->grid[3 * target->index[k] + (size_t)d];
    }
    assert_true(fabs(sum - 1) < 1e-12);
    return location_distance(location_from_vector(mean), place);
}

static void test_targets(void **state) {
    (void)state;
    struct slots slots = make_slots();
    const struct slot *slot = &slots.slots[0];
    struct random random;
    random_seed(&random, 4, 0);
    for (int i = 0; i < 500; i++) {
        struct location place = {28 + 18 * random_uniform(&random),
                                 -103 + 30 * random_uniform(&random)};
        struct slot_target target = slot_place_target(slot, place);
        assert_true(miss(slot, &target, place) < 1e-3);
        for (size_t k = 0; k < TARGET_POINTS; k++)
            assert_true(location_distance(slot_grid_place(slot, target.index[k]), place) <
                        2 * slot_grid_spacing(slot));
        /* The control: the same target is no target of a place one degree on. */
        place.latitude += 1;
        assert_true(miss(slot, &target, place) > 100);
    }
    /* A point of the grid is its own target; what lies off the grid goes to its rim. */
    struct slot_target own = slot_place_target(slot, slot_grid_place(slot, 500));
    assert_true(miss(slot, &own, slot_grid_place(slot, 500)) < 1e-3);
    struct slot_target far = slot_place_target(slot, LONDON);
    assert_true(far.weight[0] == 1);
    for (size_t i = 0; i < PLACE_POINTS; i++)
        assert_true(location_distance(slot_grid_place(slot, i), LONDON) >=
                    location_distance(slot_grid_place(slot, far.index[0]), LONDON) - 1e-9);
    slots_free(&slots);
}

/* The whole sphere has no rim: every place, poles and date line too, is in a triangle. */
static void test_whole_sphere(void **state) {
    (void)state;
    struct slots slots = {0};
    struct error error;
    const struct cap cap = {.radius = 180};
    assert_int_equal(slots_add_place_cap(&slots, "place", WIDTH, &cap, &error), 0);
    const struct slot *slot = &slots.slots[0];
    for (double latitude = -90; latitude <= 90; latitude += 7.5)
        for (double longitude = -180; longitude <= 180; longitude += 11.25) {
            struct location place = {latitude, longitude};
            struct slot_target target = slot_place_target(slot, place);
            assert_true(miss(slot, &target, place) < 1e-3);
        }
    slots_free(&slots);
}

static void test_function(void **state) {
    (void)state;
    struct slots slots = make_slots();
    const struct slot *slot = &slots.slots[0];
    static real parameters[PARAMETERS], points[PLACE_POINTS * WIDTH];
    real at[WIDTH], near[WIDTH], far[WIDTH];
    slots_initialise(&slots, parameters, 3);
    slot_points(slot, parameters, points);
    double moved = 0;
    for (size_t i = 0; i < PLACE_POINTS; i++) {
        struct location place = slot_grid_place(slot, i);
        slot_place_point(slot, parameters, place, at);
        for (size_t d = 0; d < WIDTH; d++)
            assert_true(fabs((double)(at[d] - points[i * WIDTH + d])) < 1e-5);
        place.latitude += 0.01; /* a kilometre: smooth */
        slot_place_point(slot, parameters, place, near);
        for (size_t d = 0; d < WIDTH; d++)
            assert_true(fabs((double)(at[d] - near[d])) < 0.05);
        moved += fabs((double)(at[0] - points[0]));
    }
    assert_true(moved / PLACE_POINTS > 0.2); /* and not constant */
    /* Anywhere else, the other side of the world included, it is no larger than on the grid. */
    for (double latitude = -90; latitude <= 90; latitude += 15)
        for (double longitude = -180; longitude < 180; longitude += 15) {
            slot_place_point(slot, parameters, (struct location){latitude, longitude}, far);
            for (size_t d = 0; d < WIDTH; d++)
                assert_true(fabs((double)far[d]) < 8);
        }
    slots_free(&slots);
}

struct score_case {
    const struct slot *slot;
    struct slot_target target;
    real parameters[PARAMETERS], mean[WIDTH], precision[WIDTH];
    real dparameters[PARAMETERS], dmean[WIDTH], dprecision[WIDTH];
};

/* The score and, in the case, its gradients. */
static double score_of(struct score_case *c) {
    static real points[PLACE_POINTS * WIDTH], dpoints[PLACE_POINTS * WIDTH];
    static double log_odds[PLACE_POINTS];
    real sigma[WIDTH];
    struct slot_state state = {points, sigma};
    struct slot_gradient gradient = {dpoints, c->dparameters + c->slot->parameters};
    memset(dpoints, 0, sizeof dpoints);
    memset(c->dparameters, 0, sizeof c->dparameters);
    memset(c->dmean, 0, sizeof c->dmean);
    memset(c->dprecision, 0, sizeof c->dprecision);
    slot_points(c->slot, c->parameters, points);
    slot_spread(c->slot, c->parameters, sigma);
    double loss = score_backward(c->slot, &state, &c->target, c->mean, c->precision, 1, c->dmean,
                                 c->dprecision, &gradient, log_odds);
    slot_points_backward(c->slot, dpoints, c->dparameters);
    return loss;
}

static void check(struct score_case *c, real *x, const real *gradient, size_t n, const char *what) {
    real expected[PARAMETERS];
    score_of(c);
    memcpy(expected, gradient, n * sizeof *gradient);
    for (size_t i = 0; i < n; i++) {
        real old = x[i];
        x[i] = old + (real)STEP;
        double up = score_of(c);
        x[i] = old - (real)STEP;
        double down = score_of(c);
        x[i] = old;
        double slope = (up - down) / (2 * STEP);
        if (!(fabs((double)expected[i] - slope) <= SLOPE * (1 + fabs(slope))))
            fail_msg("%s[%zu]: %g, expected %g", what, i, (double)expected[i], slope);
    }
}

static void test_gradients(void **state) {
    (void)state;
    struct slots slots = make_slots();
    static struct score_case c;
    struct random random;
    random_seed(&random, 6, 0);
    c.slot = &slots.slots[0];
    c.target = slot_place_target(c.slot, CHICAGO);
    assert_true(c.target.weight[2] > 0); /* all three corners are tried */
    slots_initialise(&slots, c.parameters, 5);
    for (size_t d = 0; d < WIDTH; d++) {
        c.mean[d] = (real)(0.5 * random_normal(&random));
        c.precision[d] = (real)(1 + (double)d);
    }
    check(&c, c.mean, c.dmean, WIDTH, "dmean");
    check(&c, c.precision, c.dprecision, WIDTH, "dprecision");
    check(&c, c.parameters, c.dparameters, PARAMETERS, "dparameters");
    slots_free(&slots);
}

/* A vector at Chicago's point is believed to be in Chicago; at Miami's it is not. */
static void test_belief(void **state) {
    (void)state;
    struct slots slots = make_slots();
    const struct slot *slot = &slots.slots[0];
    static real parameters[PARAMETERS], points[PLACE_POINTS * WIDTH];
    static double log_odds[PLACE_POINTS];
    real sigma[WIDTH], mean[WIDTH], precision[WIDTH] = {400, 400, 400};
    slots_initialise(&slots, parameters, 9);
    slot_points(slot, parameters, points);
    slot_spread(slot, parameters, sigma);
    size_t home = slot_place_target(slot, CHICAGO).index[0];
    const struct location told[] = {CHICAGO, MIAMI};
    double odds[2];
    for (int i = 0; i < 2; i++) {
        slot_place_point(slot, parameters, told[i], mean);
        slot_belief(slot, points, sigma, mean, precision, 256, log_odds);
        odds[i] = log_odds[home];
    }
    assert_true(odds[0] > -log(PLACE_POINTS) + 1 && odds[0] > odds[1] + 1);
    slots_free(&slots);
}

static void test_refusals(void **state) {
    (void)state;
    const struct cap wrong[] = {{{91, 0}, 10}, {{0, 181}, 10},  {{NAN, 0}, 10},
                                {{0, 0}, NAN}, {{0, 0}, 0},     {{0, 0}, -5},
                                {{0, 0}, 181}, {{0, 0}, 1e300}, {{0, -INFINITY}, 5}};
    struct slots slots = make_slots();
    struct error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(slots_add_place_cap(&slots, "x", 2, &wrong[i], &error), -1);
    const struct cap fine = {{0, 0}, 10};
    assert_int_equal(slots_add_place_cap(&slots, "place", 2, &fine, &error), -1); /* twice */
    assert_int_equal(slots_add_place_cap(&slots, "x", 0, &fine, &error), -1);
    assert_int_equal(slots.count, 1);
    assert_int_equal(slots_add_place_cap(&slots, "x", 2, &fine, &error), 0);
    slots_free(&slots);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid),         cmocka_unit_test(test_targets),
        cmocka_unit_test(test_whole_sphere), cmocka_unit_test(test_function),
        cmocka_unit_test(test_gradients),    cmocka_unit_test(test_belief),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
