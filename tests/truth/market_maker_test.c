#include "truth/market_maker.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "cmocka_all.h"

static double solve(market_demand *demand, const void *context, size_t count, double *prices) {
    static double jacobian[64 * 64];
    struct market_problem problem = {
        .demand = demand, .context = context, .count = count, .tolerance = 1e-9, .seed = 1};
    struct market_solution solution;
    struct error error;
    memset(jacobian, 0, sizeof jacobian);
    assert_int_equal(market_solve(&problem, prices, jacobian, &solution, &error), 0);
    double trades[64];
    demand(context, prices, trades);
    assert_true(fabs(market_gain(prices, trades, count) - solution.gain) < 1e-15);
    for (size_t i = 0; i < count; i++)
        assert_true(prices[i] >= 0 && prices[i] <= 1);
    return solution.gain;
}

/* Cases whose answers a public implementation gives too. */
static int buy_below_a_third(const void *context, const double *p, double *t) {
    (void)context;
    t[0] = 1 - 3 * p[0];
    return 0;
}
static int buy_at_any_price(const void *context, const double *p, double *t) {
    (void)context;
    t[0] = fmax(p[0], p[1]);
    t[1] = 1 - p[0] - p[1];
    return 0;
}
static int buy_the_price(const void *context, const double *p, double *t) {
    (void)context;
    t[0] = p[0];
    return 0;
}

static void test_known_prices(void **state) {
    (void)state;
    double p[2] = {0.5, 0.5};
    assert_true(solve(buy_below_a_third, NULL, 1, p) <= 1e-9);
    assert_true(fabs(p[0] - 1.0 / 3) < 1e-8);
    p[0] = p[1] = 0.5;
    assert_true(solve(buy_at_any_price, NULL, 2, p) <= 1e-9);
    assert_true(fabs(p[0] - 1) < 1e-8 && fabs(p[1]) < 1e-8);
    /* The price 1 is another fixed point here, where the trader gains nothing either. */
    p[0] = 0.5;
    assert_true(solve(buy_the_price, NULL, 1, p) <= 1e-9);
    assert_true(p[0] < 1e-8 || p[0] > 1 - 1e-8);
}

/* Demand that turns around the solution: the projected map alone would circle. */
static int turn(const void *context, const double *p, double *t) {
    const double *centre = context;
    t[0] = p[1] - centre[1];
    t[1] = centre[0] - p[0];
    return 0;
}

static void test_rotation(void **state) {
    (void)state;
    double centre[2] = {0.3, 0.6}, p[2] = {0.9, 0.1};
    assert_true(solve(turn, centre, 2, p) <= 1e-9);
    assert_true(fabs(p[0] - 0.3) < 1e-6 && fabs(p[1] - 0.6) < 1e-6);
}

/* Random piecewise linear demand of any slope: monotone or not, with kinks. */
struct kinked {
    size_t count;
    double slopes[40][40], kinks[40][40], constants[40];
};
static int kinked_demand(const void *context, const double *p, double *t) {
    const struct kinked *k = context;
    for (size_t i = 0; i < k->count; i++) {
        t[i] = k->constants[i];
        for (size_t j = 0; j < k->count; j++)
            t[i] += k->slopes[i][j] * fmax(0, p[j] - k->kinks[i][j]);
    }
    return 0;
}

static void test_random_demand(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 3, 0);
    size_t solved = 0, tried = 0;
    for (size_t count = 2; count <= 40; count += 2, tried++) {
        static struct kinked k;
        double p[40];
        k.count = count;
        for (size_t i = 0; i < count; i++) {
            p[i] = random_uniform(&random);
            k.constants[i] = random_normal(&random);
            for (size_t j = 0; j < count; j++) {
                k.slopes[i][j] = random_normal(&random) - (i == j ? 2 : 0);
                k.kinks[i][j] = random_uniform(&random);
            }
        }
        double gain = solve(kinked_demand, &k, count, p);
        solved += gain <= 1e-9;
    }
    printf("random demand: %zu of %zu solved\n", solved, tried);
    assert_true(solved == tried);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_prices),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_random_demand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
