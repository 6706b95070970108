/* What odds over a grid of places amount to. */
#include <math.h>

#include "cmocka_all.h"
#include "dream/place_belief.h"

static const struct location CHICAGO = {41.88, -87.63}, DENVER = {39.74, -104.99};

static struct slots make_slots(void) {
    const struct cap cap = {{40, -95}, 20};
    struct slots slots = {0};
    struct error error;
    assert_int_equal(slots_add_place_cap(&slots, "place", 2, &cap, &error), 0);
    return slots;
}

/* log_odds <- heaps of so many kilometres' standard deviation around both, sharing the mass. */
static void make_odds(double *log_odds, const struct slot *slot, double share, double deviation) {
    double sums[2] = {0}, heaps[2][PLACE_POINTS];
    for (size_t i = 0; i < PLACE_POINTS; i++)
        for (int k = 0; k < 2; k++) {
            double d = location_distance(slot_grid_place(slot, i), k == 0 ? CHICAGO : DENVER);
            sums[k] += heaps[k][i] = exp(-0.5 * d * d / (deviation * deviation));
        }
    for (size_t i = 0; i < PLACE_POINTS; i++)
        log_odds[i] = log(share * heaps[0][i] / sums[0] + (1 - share) * heaps[1][i] / sums[1]);
}

/* Of a normal heap in two dimensions half lies within 1.177 deviations, 90 % within 2.146. */
static void test_one_heap(void **state) {
    (void)state;
    struct slots slots = make_slots();
    const struct slot *slot = &slots.slots[0];
    double log_odds[PLACE_POINTS];
    make_odds(log_odds, slot, 1, 300);
    struct place_summary summary = place_summarise(slot, log_odds);
    assert_true(location_distance(summary.middle, CHICAGO) < 60);
    assert_true(fabs(summary.radius_50 - 1.177 * 300) < 60);
    assert_true(fabs(summary.radius_90 - 2.146 * 300) < 80);
    slots_free(&slots);
}

/* With two heaps the middle stays in the heavier one, as a median does, and both are listed with
 * what they weigh. */
static void test_two_heaps(void **state) {
    (void)state;
    struct slots slots = make_slots();
    const struct slot *slot = &slots.slots[0];
    double log_odds[PLACE_POINTS];
    struct place_guess guesses[8];
    make_odds(log_odds, slot, 0.7, 40);
    struct place_summary summary = place_summarise(slot, log_odds);
    assert_true(location_distance(summary.middle, CHICAGO) < 150);
    assert_true(summary.radius_50 < 200 && summary.radius_90 > 1200);
    size_t count = place_guesses(guesses, 8, slot, log_odds);
    assert_true(count >= 2);
    assert_true(location_distance(guesses[0].place, CHICAGO) < 60);
    assert_true(location_distance(guesses[1].place, DENVER) < 60);
    assert_true(fabs(guesses[0].probability - 0.7) < 0.05);
    assert_true(fabs(guesses[1].probability - 0.3) < 0.05);
    assert_int_equal(place_guesses(guesses, 1, slot, log_odds), 1);
    slots_free(&slots);
}

static void test_extremes(void **state) {
    (void)state;
    struct slots slots = make_slots();
    const struct slot *slot = &slots.slots[0];
    double log_odds[PLACE_POINTS], sum = 0;
    struct place_guess guesses[PLACE_POINTS];
    for (size_t i = 0; i < PLACE_POINTS; i++) /* all on one point */
        log_odds[i] = i == 77 ? 0 : -INFINITY;
    struct place_summary summary = place_summarise(slot, log_odds);
    assert_true(location_distance(summary.middle, slot_grid_place(slot, 77)) < 1);
    assert_true(fabs(summary.radius_90 - slot_grid_spacing(slot) / 2) < 1);
    assert_int_equal(place_guesses(guesses, 8, slot, log_odds), 1);
    assert_true(guesses[0].probability == 1);
    for (size_t i = 0; i < PLACE_POINTS; i++) /* evenly spread: nothing is lost or counted twice */
        log_odds[i] = -log(PLACE_POINTS);
    summary = place_summarise(slot, log_odds);
    assert_true(location_distance(summary.middle, slot->cap.centre) < 50);
    size_t count = place_guesses(guesses, PLACE_POINTS, slot, log_odds);
    for (size_t i = 0; i < count; i++)
        sum += guesses[i].probability;
    assert_true(sum > 0.9 && sum < 1 + 1e-9);
    slots_free(&slots);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_heap),
        cmocka_unit_test(test_two_heaps),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
