#include "truth/kelly_market.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "cmocka_all.h"

static uint32_t parse(struct sentences *s, const char *text) {
    struct error error;
    uint32_t id;
    if (sentences_parse(s, text, &id, &error))
        fail_msg("%s", error.message);
    return id;
}

static struct projection_report project(const struct sentences *s, size_t most_atoms,
                                        double *prices, const uint8_t *fixed) {
    struct projection *p;
    struct projection_report report;
    struct error error;
    struct projection_options options = {.most_atoms = most_atoms, .tolerance = 1e-9};
    assert_int_equal(projection_create(&p, s, &options, &error), 0);
    assert_int_equal(projection_run(p, prices, fixed, NULL, &report, &error), 0);
    projection_destroy(p);
    return report;
}

static double divergence(double x, double p) {
    return x * log(x / p) + (1 - x) * log((1 - x) / (1 - p));
}

/* a and not a: the prices meet where their log odds do. */
static void test_negation(void **state) {
    (void)state;
    struct sentences *s;
    struct error error;
    assert_int_equal(sentences_create(&s, &error), 0);
    uint32_t a = parse(s, "a"), no = parse(s, "not a");
    for (size_t most = 1; most <= 2; most++) {
        double prices[2];
        prices[a] = 0.9;
        prices[no] = 0.4;
        /* A group over its worlds, or, where no atom is allowed, by facets. */
        struct projection_report report = project(s, most, prices, NULL);
        double expected = 1 / (1 + exp(-(log(9) + log(0.6 / 0.4)) / 2));
        assert_true(fabs(prices[a] - expected) < 1e-6);
        assert_true(fabs(prices[a] + prices[no] - 1) < 1e-8);
        assert_true(report.before > 0.29 && report.after < 1e-8);
    }
    sentences_destroy(s);
}

/* Over worlds: beside a search over all mixtures of the four worlds of two atoms. */
static void test_nearest_by_search(void **state) {
    (void)state;
    struct sentences *s;
    struct error error;
    enum { GRID = 300 };
    assert_int_equal(sentences_create(&s, &error), 0);
    uint32_t a = parse(s, "a"), b = parse(s, "b"), both = parse(s, "a and b");
    double given[3], prices[3], best = INFINITY, found = 0;
    given[a] = 0.7;
    given[b] = 0.2;
    given[both] = 0.6;
    memcpy(prices, given, sizeof prices);
    project(s, 4, prices, NULL);
    for (int i = 0; i < 3; i++)
        found += divergence(prices[i], given[i]);
    for (int x = 1; x < GRID; x++)
        for (int y = 1; x + y < GRID; y++)
            for (int z = 1; x + y + z < GRID; z++) {
                double tt = x / (double)GRID, tf = y / (double)GRID, ft = z / (double)GRID;
                best = fmin(best, divergence(tt + tf, given[a]) + divergence(tt + ft, given[b]) +
                                      divergence(tt, given[both]));
            }
    printf("divergence: %.6f, best of the grid %.6f\n", found, best);
    assert_true(found <= best + 1e-9 && found > best - 0.004);
    sentences_destroy(s);
}

static const char *const WORDS[] = {"and", "or", "implies", "iff", "xor"};

/* Random formulas over `atoms` atoms. */
static struct sentences *random_sentences(struct random *random, size_t atoms, size_t formulas) {
    struct sentences *s;
    struct error error;
    char text[100];
    assert_int_equal(sentences_create(&s, &error), 0);
    for (size_t i = 0; i < atoms; i++) {
        snprintf(text, sizeof text, "a%zu", i);
        parse(s, text);
    }
    for (size_t i = 0; i < formulas; i++) {
        snprintf(text, sizeof text, "a%d %s %sa%d", (int)random_below(random, atoms),
                 WORDS[random_below(random, 5)], random_below(random, 2) ? "not " : "",
                 (int)random_below(random, atoms));
        parse(s, text);
    }
    return s;
}

/* In any consistent world, and by either method, all log scores together are no worse than before,
 * and nothing is left incoherent. */
static void test_never_loses(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 9, 0);
    for (int round = 0; round < 200; round++) {
        size_t atoms = 1 + random_below(&random, 8);
        struct sentences *s = random_sentences(&random, atoms, 1 + random_below(&random, 12));
        size_t count = sentences_count(s);
        double prices[64], before[64];
        uint8_t world[64], fixed[64];
        for (size_t i = 0; i < count; i++) {
            before[i] = prices[i] = 0.001 + 0.998 * random_uniform(&random);
            world[i] = random_below(&random, 2) != 0;
        }
        sentences_evaluate(s, world);
        for (size_t i = 0; i < count; i++)
            fixed[i] = random_below(&random, 5) == 0 ? world[i] : 2;
        struct projection_report report = project(s, round % 2 ? 1 : 4, prices, fixed);
        double gain = 0;
        for (size_t i = 0; i < count; i++)
            if (fixed[i] > 1)
                gain += log(world[i] ? prices[i] / before[i] : (1 - prices[i]) / (1 - before[i]));
        assert_true(report.after < 1e-5);
        if (gain < -1e-4)
            fail_msg("round %d: %g nats lost", round, -gain);
        sentences_destroy(s);
    }
}

enum { TRADERS = 5, TOSSES = 300 };

/* Traders of different skill, one of whom speaks of half the sentences only. */
static void run_market(double switching, double *regret, double *best_wealth, int *check) {
    struct sentences *s;
    struct error error;
    struct random random;
    struct kelly_market *market;
    struct kelly_options options = {.switching = switching};
    static float beliefs[TRADERS][TOSSES];
    static double prices[TOSSES];
    const float *rows[TRADERS];
    uint8_t known[TOSSES], outcome[TOSSES];
    random_seed(&random, 4, 0);
    s = random_sentences(&random, TOSSES, 0);
    for (size_t i = 0; i < TOSSES; i++) {
        outcome[i] = random_uniform(&random) < 0.7;
        known[i] = 2;
        for (size_t j = 0; j < TRADERS; j++)
            beliefs[j][i] = j == 4 && i % 2 ? NAN : j == 3 ? 0.7f : (float)random_uniform(&random);
    }
    for (size_t j = 0; j < TRADERS; j++)
        rows[j] = beliefs[j];
    assert_int_equal(kelly_market_create(&market, s, TRADERS, &options, &error), 0);
    *regret = -INFINITY;
    for (size_t day = 0; day < TOSSES / 3; day++) {
        struct kelly_day report;
        for (size_t i = 3 * day; i < 3 * day + 3; i++)
            known[i] = outcome[i];
        if (kelly_market_run_day(market, rows, known, prices, &report, &error))
            fail_msg("%s", error.message);
        assert_int_equal(report.resolved, 3);
    }
    for (size_t j = 0; j < TRADERS; j++) {
        double own, of_market;
        kelly_market_losses(market, j, &own, &of_market);
        *regret = fmax(*regret, of_market - own);
    }
    *best_wealth = kelly_market_wealth(market, 3);
    *check = kelly_market_check_regret(market, &error);
    kelly_market_destroy(market);
    sentences_destroy(s);
}

static void test_regret(void **state) {
    (void)state;
    double regret, wealth;
    int check;
    run_market(0, &regret, &wealth, &check);
    printf("regret %.4f, bound %.4f, wealth of the best %.4f\n", regret, log(TRADERS), wealth);
    assert_int_equal(check, 0);
    assert_true(regret <= log(TRADERS) && regret > 0);
    assert_true(wealth > 0.99);
    run_market(0.2, &regret, &wealth, &check);
    assert_true(wealth < 0.9); /* nobody owns all for long */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_negation),
        cmocka_unit_test(test_nearest_by_search),
        cmocka_unit_test(test_never_loses),
        cmocka_unit_test(test_regret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
