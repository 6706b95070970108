/* Choosing tokens: limits, bans, and frequencies. */
#include <math.h>

#include "cmocka_all.h"
#include "model/sampling.h"

enum { V = 6 };
static const real LOGITS[V] = {0, 1, 2, (real)-1, 3, (real)0.5};

static void count(size_t counts[V], const uint8_t *banned, struct sampling sampling, size_t n) {
    struct random random;
    double probabilities[V];
    uint32_t order[V];
    random_seed(&random, 4, 0);
    for (size_t v = 0; v < V; v++)
        counts[v] = 0;
    for (size_t i = 0; i < n; i++)
        counts[sample_token(LOGITS, banned, V, &sampling, &random, probabilities, order)]++;
}

static void test_greedy(void **state) {
    (void)state;
    size_t counts[V];
    const uint8_t banned[V] = {0, 0, 0, 0, 1, 0};
    count(counts, NULL, (struct sampling){.temperature = 0, .top_p = 1}, 20);
    assert_int_equal(counts[4], 20);
    count(counts, banned, (struct sampling){.temperature = 0, .top_p = 1}, 20);
    assert_int_equal(counts[2], 20);
}

/* Within five standard deviations of the softmax at each temperature. */
static void test_frequencies(void **state) {
    (void)state;
    enum { N = 40000 };
    const uint8_t banned[V] = {0, 0, 1, 0, 0, 0};
    for (double temperature = 0.5; temperature < 3; temperature *= 2)
        for (int with_ban = 0; with_ban < 2; with_ban++) {
            size_t counts[V];
            double sum = 0;
            count(counts, with_ban ? banned : NULL,
                  (struct sampling){.temperature = temperature, .top_p = 1}, N);
            for (size_t v = 0; v < V; v++)
                sum += with_ban && banned[v] ? 0 : exp((double)LOGITS[v] / temperature);
            for (size_t v = 0; v < V; v++) {
                double p = with_ban && banned[v] ? 0 : exp((double)LOGITS[v] / temperature) / sum;
                double off = fabs((double)counts[v] - N * p);
                assert_true(off <= 5 * sqrt(N * p * (1 - p)));
            }
        }
}

static void test_limits(void **state) {
    (void)state;
    size_t counts[V];
    /* The two likeliest hold 0.62 + 0.23 of the mass; three are needed for 0.9. */
    count(counts, NULL, (struct sampling){.temperature = 1, .top_p = 0.8}, 3000);
    assert_true(counts[4] > 0 && counts[2] > 0);
    assert_int_equal(counts[4] + counts[2], 3000);
    count(counts, NULL, (struct sampling){.temperature = 1, .top_p = 0.9}, 3000);
    assert_int_equal(counts[4] + counts[2] + counts[1], 3000);
    assert_true(counts[1] > 0);
    count(counts, NULL, (struct sampling){.temperature = 1, .top_p = 0}, 100);
    assert_int_equal(counts[4], 100);
    /* exp(-1) = 0.37 and exp(-2) = 0.14 of the likeliest one. */
    count(counts, NULL, (struct sampling){.temperature = 1, .top_p = 1, .min_p = 0.2}, 3000);
    assert_int_equal(counts[4] + counts[2], 3000);
    assert_true(counts[2] > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greedy),
        cmocka_unit_test(test_frequencies),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
