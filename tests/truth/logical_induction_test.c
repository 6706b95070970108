/* The theorems of Garrabrant et al. 2016 as they show in finite time. Every test has a control: a
 * market that lacks what the theorem rests on, and that must fail. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"
#include "cmocka_all.h"
#include "truth/exact_market.h"

enum { MOST_DAYS = 400, MOST_TRADERS = 40 };

/* A market, its base written line by line, its traders. */
struct scene {
    char *text;
    size_t bytes;
    FILE *lines;
    struct belief_base base;
    struct trader *traders[MOST_TRADERS];
    size_t trader_count;
    struct exact_market *market;
    struct exact_market_options options;
    struct error error;
};

static void begin(struct scene *s) {
    memset(s, 0, sizeof *s);
    s->lines = open_memstream(&s->text, &s->bytes);
    assert_non_null(s->lines);
}

static void read_base(struct scene *s) {
    char path[] = "/tmp/trine-test-XXXXXX";
    int file = mkstemp(path);
    fclose(s->lines);
    assert_true(file >= 0 && write(file, s->text, s->bytes) == (ssize_t)s->bytes);
    close(file);
    if (belief_base_read(&s->base, path, &s->error))
        fail_msg("%s", s->error.message);
    unlink(path);
    free(s->text);
}

static struct trader **slot(struct scene *s) {
    assert_true(s->trader_count < MOST_TRADERS);
    return &s->traders[s->trader_count++];
}

static void open_market(struct scene *s) {
    if (exact_market_create(&s->market, &s->base, s->traders, s->trader_count, &s->options,
                            &s->error))
        fail_msg("%s", s->error.message);
}

/* Runs to `day`; the certificate is checked on every day that has a market maker. */
static void run_to(struct scene *s, size_t day) {
    struct exact_market_day report;
    while (exact_market_view(s->market)->day < day) {
        if (exact_market_run_day(s->market, &report, &s->error))
            fail_msg("%s", s->error.message);
        if (s->options.imposed == NULL && s->options.price_error == 0)
            assert_true(report.gain <= report.tolerance);
    }
}

static void finish(struct scene *s) {
    exact_market_destroy(s->market);
    for (size_t i = 0; i < s->trader_count; i++)
        s->traders[i]->destroy(s->traders[i]);
    belief_base_free(&s->base);
}

static uint32_t named(const struct scene *s, const char *name) {
    uint32_t id = sentences_find_name(s->base.sentences, name);
    assert_true(id != UINT32_MAX);
    return id;
}

static double price(const struct scene *s, uint32_t sentence, size_t day) {
    return exact_market_history(
        s->market)[(day - 1) * sentences_count(s->base.sentences) + sentence];
}

static double variation(const struct scene *s, uint32_t sentence, size_t from, size_t to) {
    double sum = 0;
    for (size_t day = from + 1; day <= to; day++)
        sum += fabs(price(s, sentence, day) - price(s, sentence, day - 1));
    return sum;
}

/* Convergence (theorem 4.1.1): whoever makes a price swing for ever loses what moves it. */
static double swings(int is_control, double *early) {
    struct scene s;
    double opinion[1] = {0.5}, steady[1] = {0.4};
    begin(&s);
    fprintf(s.lines, "{\"id\": \"a\", \"sentence\": \"A\"}\n");
    read_base(&s);
    trader_of_opinion(slot(&s), "swinging", opinion, 1, &s.error);
    trader_of_opinion(slot(&s), "steady", steady, 0.2, &s.error);
    if (is_control)
        s.options.imposed = opinion;
    open_market(&s);
    for (size_t day = 1; day <= 2048; day++) {
        opinion[0] = day % 2 ? 0.9 : 0.1;
        run_to(&s, day);
    }
    *early = variation(&s, 0, 512, 1024);
    double late = variation(&s, 0, 1024, 2048);
    finish(&s);
    return late;
}

static void test_convergence(void **state) {
    (void)state;
    double early, late = swings(0, &early);
    printf("convergence: variation of days 512 to 1024 %.4f, 1024 to 2048 %.4f\n", early, late);
    assert_true(late < 0.5 * early);
    late = swings(1, &early);
    assert_true(!(late < 0.5 * early));
}

/* Limits respect what is proved (theorem 4.2.1 with a deductive process that decides it). */
static void prove(int is_control, double *proved, double *refuted) {
    struct scene s;
    double opinion[2] = {0.3, 0.7};
    begin(&s);
    fprintf(s.lines, "{\"id\": \"a\", \"sentence\": \"A\", \"verdict\": true, \"day\": 10}\n"
                     "{\"id\": \"b\", \"sentence\": \"B\", \"verdict\": false, \"day\": 12}\n");
    read_base(&s);
    trader_of_opinion(slot(&s), "wrong", opinion, 1, &s.error);
    trader_of_proofs(slot(&s), &s.error);
    s.options.knows_nothing = is_control;
    open_market(&s);
    run_to(&s, 200);
    assert_true(price(&s, named(&s, "a"), 9) < 0.5 && price(&s, named(&s, "b"), 11) > 0.5);
    *proved = 1;
    *refuted = 0;
    for (size_t day = 150; day <= 200; day++) {
        *proved = fmin(*proved, price(&s, named(&s, "a"), day));
        *refuted = fmax(*refuted, price(&s, named(&s, "b"), day));
    }
    finish(&s);
}

static void test_limits_respect_proof(void **state) {
    (void)state;
    double proved, refuted;
    prove(0, &proved, &refuted);
    printf("proof: proved %.4f, refuted %.4f\n", proved, refuted);
    assert_true(proved > 0.95 && refuted < 0.05);
    prove(1, &proved, &refuted);
    assert_true(!(proved > 0.95 || refuted < 0.05));
}

/* Limit coherence (theorem 4.1.2): prices become those of a measure over worlds. */
static double incoherence(int is_control, size_t days) {
    struct scene s;
    struct exact_market_day report = {0};
    begin(&s);
    fprintf(s.lines, "{\"id\": \"a\", \"sentence\": \"A\"}\n"
                     "{\"id\": \"b\", \"sentence\": \"B\"}\n"
                     "{\"id\": \"c\", \"formula\": \"a and b\"}\n"
                     "{\"id\": \"d\", \"formula\": \"a or b\"}\n"
                     "{\"id\": \"e\", \"formula\": \"not a\"}\n"
                     "{\"id\": \"f\", \"formula\": \"a implies b\"}\n");
    read_base(&s);
    double opinion[] = {0.7, 0.6, 0.8, 0.5, 0.6, 0.1};
    trader_of_opinion(slot(&s), "incoherent", opinion, 0.5, &s.error);
    for (size_t part = 0; !is_control && part < 4; part++)
        trader_of_coherence(slot(&s), part, 4, 1, &s.error);
    open_market(&s);
    for (size_t day = 1; day <= days; day++)
        if (exact_market_run_day(s.market, &report, &s.error))
            fail_msg("%s", s.error.message);
    finish(&s);
    return report.incoherence;
}

static void test_limit_coherence(void **state) {
    (void)state;
    double early = incoherence(0, 4), late = incoherence(0, 200);
    printf("coherence: mean violation on day 4 %.4f, 200 %.4f\n", early, late);
    assert_true(late < 0.01 && late < early / 3);
    assert_true(!(incoherence(1, 200) < 0.01));
}

/* Provability induction (theorem 4.2.1): the pattern is believed before each proof is found. */
static double patience(int is_control) {
    enum { THEOREMS = 90, FROM = 70 };
    struct scene s;
    double opinion[THEOREMS], sum = 0;
    begin(&s);
    for (int i = 1; i <= THEOREMS; i++) {
        fprintf(s.lines,
                "{\"id\": \"t%d\", \"sentence\": \"theorem %d\", \"family\": \"theorems\", "
                "\"verdict\": true, \"day\": %d}\n",
                i, i, 2 * i);
        opinion[i - 1] = 0.3;
    }
    read_base(&s);
    trader_of_proofs(slot(&s), &s.error);
    if (!is_control)
        trader_of_pattern(slot(&s), "pattern", 1, 0.1, &s.error);
    trader_of_opinion(slot(&s), "sceptic", opinion, 1, &s.error);
    s.options.least_tolerance = 1e-6;
    open_market(&s);
    run_to(&s, THEOREMS);
    /* On day n the proof of theorem n is n days away. */
    for (int n = FROM; n <= THEOREMS; n++) {
        char name[24];
        snprintf(name, sizeof name, "t%d", n);
        sum += price(&s, named(&s, name), (size_t)n);
    }
    finish(&s);
    return sum / (THEOREMS - FROM + 1);
}

static void test_provability_induction(void **state) {
    (void)state;
    double with = patience(0), without = patience(1);
    printf("provability induction: mean price of unproved theorems %.3f, without the pattern's "
           "trader %.3f\n",
           with, without);
    assert_true(with > 0.85);
    assert_true(!(without > 0.85));
}

/* Learning pseudo-random frequencies (theorem 4.4.2). */
static double next_price(int is_control, double frequency) {
    enum { TOSSES = 240 };
    struct scene s;
    struct random random;
    static double opinion[TOSSES];
    double sum = 0;
    random_seed(&random, 11, 0);
    begin(&s);
    for (int i = 1; i <= TOSSES; i++) {
        fprintf(s.lines,
                "{\"id\": \"t%d\", \"sentence\": \"toss %d\", \"family\": \"coin\", "
                "\"verdict\": %s, \"day\": %d}\n",
                i, i, random_uniform(&random) < frequency ? "true" : "false", i);
        opinion[i - 1] = 0.3;
    }
    read_base(&s);
    trader_of_proofs(slot(&s), &s.error);
    if (!is_control)
        trader_of_frequency(slot(&s), 8, 0.5, &s.error);
    trader_of_opinion(slot(&s), "stubborn", opinion, 1, &s.error);
    s.options.least_tolerance = 1e-6;
    open_market(&s);
    run_to(&s, 120);
    for (size_t day = 81; day <= 120; day++) {
        char name[24];
        snprintf(name, sizeof name, "t%zu", day + 1);
        sum += price(&s, named(&s, name), day);
    }
    finish(&s);
    return sum / 40;
}

static void test_learning_frequencies(void **state) {
    (void)state;
    double with = next_price(0, 0.7), without = next_price(1, 0.7);
    printf("frequencies: price of the next toss %.3f for 0.7, without the frequency trader %.3f\n",
           with, without);
    assert_true(fabs(with - 0.7) < 0.08);
    assert_true(!(fabs(without - 0.7) < 0.08));
}

/* Non-dogmatism (theorem 4.6.2): what is not decided is not certain. */
static double margin(int is_control) {
    struct scene s;
    double opinion[1] = {1.5}; /* above any price */
    begin(&s);
    fprintf(s.lines, "{\"id\": \"a\", \"sentence\": \"A\"}\n");
    read_base(&s);
    trader_of_opinion(slot(&s), "zealot", opinion, 1, &s.error);
    trader_of_doubt(slot(&s), 0.05, &s.error);
    s.options.has_no_budgets = is_control;
    open_market(&s);
    run_to(&s, 200);
    double result = 1 - price(&s, 0, 200);
    finish(&s);
    return result;
}

static void test_non_dogmatism(void **state) {
    (void)state;
    double with = margin(0), without = margin(1);
    printf("non-dogmatism: %.4f short of certain, without budgets %.4f\n", with, without);
    assert_true(with > 0.02);
    assert_true(!(without > 0.02));
}

/* No supplied trader's plausible worth grows without bound while its losses are bounded (the
 * logical induction criterion itself, definition 3.0.1). */
static double growth(int is_control) {
    enum { TOSSES = 240, DAYS = 200 };
    struct scene s;
    struct random random;
    double largest = -INFINITY;
    random_seed(&random, 5, 0);
    begin(&s);
    for (int i = 1; i <= TOSSES; i++)
        fprintf(s.lines,
                "{\"sentence\": \"toss %d\", \"family\": \"coin\", \"verdict\": %s, \"day\": %d}\n",
                i, random_uniform(&random) < 0.6 ? "true" : "false", i);
    read_base(&s);
    trader_of_proofs(slot(&s), &s.error);
    trader_of_frequency(slot(&s), 8, 0.5, &s.error);
    trader_of_doubt(slot(&s), 0.05, &s.error);
    s.options.least_tolerance = 1e-6;
    s.options.has_no_budgets = is_control;
    s.options.price_error = is_control ? -0.2 : 0;
    open_market(&s);
    double half[3], least, most;
    run_to(&s, DAYS / 2);
    for (size_t i = 0; i < 3; i++)
        exact_market_worth(s.market, i, &least, &half[i]);
    run_to(&s, DAYS);
    for (size_t i = 0; i < 3; i++) {
        exact_market_worth(s.market, i, &least, &most);
        largest = fmax(largest, least - half[i]);
    }
    finish(&s);
    return largest;
}

static void test_no_exploitation(void **state) {
    (void)state;
    double with = growth(0), without = growth(1);
    printf("no exploitation: most that a trader has surely gained in the second half %.3f, of a "
           "market that errs %.3f\n",
           with, without);
    assert_true(with < 1);
    assert_true(!(without < 1));
}

/* Recurring unbiasedness (theorem 4.3.6): prices of a bucket agree with how often they come true.
 */
static double bias(int is_control) {
    enum { TOSSES = 200 };
    struct scene s;
    struct random random;
    static double opinion[TOSSES];
    double sum = 0, counted = 0;
    random_seed(&random, 21, 0);
    begin(&s);
    for (int i = 1; i <= TOSSES; i++) {
        fprintf(s.lines,
                "{\"id\": \"t%d\", \"sentence\": \"claim %d\", \"verdict\": %s, \"day\": %d}\n", i,
                i, random_uniform(&random) < 0.6 ? "true" : "false", i);
        opinion[i - 1] = 0.3;
    }
    read_base(&s);
    trader_of_proofs(slot(&s), &s.error);
    for (int i = 0; !is_control && i < 10; i++)
        trader_of_calibration(slot(&s), 0.1 * i, 0.1 * (i + 1), 0.2, &s.error);
    trader_of_opinion(slot(&s), "low", opinion, 0.1, &s.error);
    s.options.least_tolerance = 1e-6;
    open_market(&s);
    run_to(&s, 160);
    for (size_t day = 100; day < 160; day++, counted++) {
        char name[24];
        snprintf(name, sizeof name, "t%zu", day + 1);
        uint32_t id = named(&s, name);
        sum += price(&s, id, day) - 0.6;
    }
    finish(&s);
    return sum / counted;
}

static void test_calibration(void **state) {
    (void)state;
    double with = bias(0), without = bias(1);
    printf("calibration: bias %.3f, without calibration traders %.3f\n", with, without);
    assert_true(fabs(with) < 0.12);
    assert_true(!(fabs(without) < 0.12));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convergence),          cmocka_unit_test(test_limits_respect_proof),
        cmocka_unit_test(test_limit_coherence),      cmocka_unit_test(test_provability_induction),
        cmocka_unit_test(test_learning_frequencies), cmocka_unit_test(test_non_dogmatism),
        cmocka_unit_test(test_no_exploitation),      cmocka_unit_test(test_calibration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
