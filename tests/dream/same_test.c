/* Whether one author wrote two texts: the log odds are those of the model that they are said to be
 * of, and tell texts apart that are made by it. */
#include "dream/same_odds.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "scratch.h"
#include "truth/tiny_model.h"

enum { WIDTH = 3 };

static const struct slot SLOT = {.name = "author", .width = WIDTH, .first = 2};

static struct same_space space_of(void) {
    return (struct same_space){.slot = &SLOT,
                               .centre = {(real)0.5, -1, 0},
                               .variance = {1, 0.25, 2},
                               .own_variance = {0.1, 0.1, 0.3}};
}

static double normal(double x, double mean, double variance) {
    return exp(-0.5 * (x - mean) * (x - mean) / variance) / sqrt(2 * M_PI * variance);
}

/* log of the integral over where the author stands, by sums on a fine grid. */
static double log_odds_by_sums(const struct same_space *space, const struct same_text *one,
                               const struct same_text *other) {
    const double STEP = 0.002;
    double result = 0;
    for (size_t d = 0; d < WIDTH; d++) {
        double both = 0, first = 0, second = 0;
        for (double a = -14; a < 14; a += STEP) {
            double prior = normal(a, (double)space->centre[d], space->variance[d]) * STEP;
            double p = normal(one->place[d], a, one->variance[d]);
            double q = normal(other->place[d], a, other->variance[d]);
            both += prior * p * q;
            first += prior * p;
            second += prior * q;
        }
        result += log(both) - log(first) - log(second);
    }
    return result;
}

static void test_density(void **state) {
    (void)state;
    struct same_space space = space_of();
    struct same_text one = {.place = {0.2, -1.3, 2}, .variance = {0.3, 0.5, 0.7}};
    struct same_text other = {.place = {0.4, -0.2, 1.1}, .variance = {0.9, 0.2, 1.5}};
    double exact = same_log_odds(&space, &one, &other);
    assert_true(fabs(exact - log_odds_by_sums(&space, &one, &other)) < 1e-6);
    assert_true(fabs(exact - same_log_odds(&space, &other, &one)) < 1e-12);
    for (size_t d = 0; d < WIDTH; d++)
        other.variance[d] = 1e9; /* of which nothing was seen */
    assert_true(fabs(same_log_odds(&space, &one, &other)) < 1e-6);
}

/* A text of an author who stands at `author`, read as precisely as `variance` says. */
static struct same_text text_by(const struct same_space *space, const double *author,
                                struct random *random) {
    struct same_text text = {.variance = {0}};
    for (size_t d = 0; d < WIDTH; d++) {
        text.variance[d] = space->own_variance[d] + 0.05 + 0.2 * random_uniform(random);
        text.place[d] = author[d] + sqrt(text.variance[d]) * random_normal(random);
    }
    return text;
}

/* Calibrated by construction: among pairs with log odds near x, one author wrote a share of
 * 1 / (1 + exp(-x)). */
static void test_odds(void **state) {
    (void)state;
    enum { PAIRS = 40000, BINS = 5 };
    struct same_space space = space_of();
    struct random random;
    double sum[BINS] = {0}, same[BINS] = {0}, count[BINS] = {0};
    random_seed(&random, 11, 0);
    for (size_t i = 0; i < PAIRS; i++) {
        double authors[2][WIDTH];
        int is_same = i % 2 == 0;
        for (size_t k = 0; k < 2; k++)
            for (size_t d = 0; d < WIDTH; d++)
                authors[k][d] =
                    (double)space.centre[d] + sqrt(space.variance[d]) * random_normal(&random);
        struct same_text one = text_by(&space, authors[0], &random);
        struct same_text other = text_by(&space, authors[is_same ? 0 : 1], &random);
        double p = 1 / (1 + exp(-same_log_odds(&space, &one, &other)));
        size_t bin = (size_t)fmin(p * BINS, BINS - 1);
        sum[bin] += p;
        same[bin] += is_same;
        count[bin]++;
    }
    for (size_t b = 0; b < BINS; b++) {
        assert_true(count[b] > 500);
        assert_true(fabs(sum[b] - same[b]) / count[b] < 0.03);
    }
    assert_true(same[0] / count[0] < 0.1 && same[BINS - 1] / count[BINS - 1] > 0.8);
}

/* The handle's evidence without the prior, weighted as reading is calibrated. */
static void test_place(void **state) {
    (void)state;
    struct error error;
    struct model *model = tiny_model();
    struct same_space space;
    struct same_text text, trusted;
    struct handle handle;
    assert_int_equal(same_space_create(&space, model, "author", &error), 0);
    assert_int_equal(handle_create(&handle, model, &error), 0);
    size_t first = space.slot->first;
    handle.tokens = 256;
    handle.precision[first] = 5;
    handle.mean[first] = (real)0.8;
    same_text_place(&text, &space, &handle);
    assert_true(fabs(text.place[0] - 1) < 1e-6);
    assert_true(fabs(text.variance[0] - 0.25 - space.own_variance[0]) < 1e-6);
    assert_true(text.variance[1] > 1e6); /* nothing was seen there */
    model->slots.slots[0].calibration[0] = log(0.5);
    same_text_place(&trusted, &space, &handle);
    assert_true(fabs(trusted.variance[0] - 2 * text.variance[0]) < 1e-6);
    handle_free(&handle);
    assert_int_equal(same_space_create(&space, model, "date", &error), -1);
    assert_non_null(strstr(error.message, "no slot \"date\""));
    model_destroy(model);
}

/* Log odds that are four times too large, of pairs of which few are one author's, are brought back
 * to what they are worth with even odds to begin with. */
static void test_fit(void **state) {
    (void)state;
    enum { PAIRS = 60000 };
    static double log_odds[PAIRS];
    static uint8_t is_same[PAIRS];
    struct random random;
    struct same_odds odds;
    struct error error;
    size_t count = 0;
    random_seed(&random, 5, 0);
    while (count < PAIRS) {
        double x = 2 * random_normal(&random);
        int same = random_uniform(&random) < 1 / (1 + exp(-x));
        if (same && random_uniform(&random) > 0.1)
            continue; /* a tenth of them is kept */
        log_odds[count] = 4 * x + 6;
        is_same[count++] = (uint8_t)same;
    }
    assert_int_equal(same_odds_fit(&odds, log_odds, is_same, PAIRS, &error), 0);
    assert_true(odds.same < odds.different / 4 && odds.same + odds.different == PAIRS);
    assert_true(fabs(odds.scale - 0.25) < 0.01 && fabs(odds.shift + 1.5) < 0.12);
    assert_true(fabs(same_odds_apply(&odds, 6)) < 0.12);
    for (size_t i = 0; i < PAIRS; i++)
        log_odds[i] = -log_odds[i]; /* speaks against it */
    assert_int_equal(same_odds_fit(&odds, log_odds, is_same, PAIRS, &error), -1);
    assert_non_null(strstr(error.message, "nearer"));
    assert_int_equal(same_odds_fit(&odds, log_odds, is_same, 12, &error), -1);
    assert_non_null(strstr(error.message, "too few"));
}

static const char *file_of(const char *content) {
    scratch_write("same", content);
    return at("same");
}

/* A file of odds serves the space that it was fitted on, and is refused when it is another's or
 * says what cannot be. */
static void test_odds_file(void **state) {
    (void)state;
    struct error error;
    struct same_space space = space_of();
    struct same_odds odds = {.scale = 0.25, .shift = -1.5, .same = 40, .different = 900}, read;
    const char *path = file_of("");
    assert_int_equal(same_odds_save(&odds, &space, path, &error), 0);
    assert_int_equal(same_odds_load(&read, &space, path, &error), 0);
    assert_true(read.scale == 0.25 && read.shift == -1.5 && read.same == 40);
    struct slot recalibrated = *space.slot;
    recalibrated.calibration[0] = 1; /* weighs what is read, and so the log odds */
    struct same_space other = space;
    other.slot = &recalibrated;
    assert_int_equal(same_odds_load(&read, &other, path, &error), -1);
    space.variance[1] = 0.26;
    assert_int_equal(same_odds_load(&read, &space, path, &error), -1);
    assert_non_null(strstr(error.message, "another model"));
    static const char *const BAD[] = {
        "", "[]", "{\"trine_same_odds\": 2}", "{\"trine_same_odds\": 1, \"space\": 3}",
        "{\"trine_same_odds\": 1, \"space\": \"0\", \"scale\": 1e999, \"shift\": 0}"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(same_odds_load(&read, &space, file_of(BAD[i]), &error), -1);
}

static void test_known_passages(void **state) {
    (void)state;
    struct error error;
    struct known_passages known;
    const char *path = file_of("{\"text\": \"a\", \"author\": \"Ann\", \"work\": \"W\"}\n\n"
                               "{\"text\": \"b\", \"author\": \"Ann\", \"work\": \"W\"}\n"
                               "{\"text\": \"c\", \"author\": \"Bob\", \"work\": \"W\"}\n"
                               "{\"text\": \"d\", \"author\": \"Ann\", \"work\": null}\n");
    assert_int_equal(known_passages_read(&known, path, &error), 0);
    assert_int_equal(known.count, 4);
    assert_int_equal(known_passages_are_apart(&known.items[0], &known.items[1]), 0);
    assert_int_equal(known_passages_are_apart(&known.items[0], &known.items[2]), 1);
    assert_int_equal(known_passages_are_apart(&known.items[0], &known.items[3]), 1);
    known_passages_free(&known);
    path = file_of("{\"text\": \"a\", \"author\": \"Ann\"}\n{\"text\": \"b\"}\n");
    assert_int_equal(known_passages_read(&known, path, &error), -1);
    assert_non_null(strstr(error.message, ":2:"));
    known_passages_free(&known);
    /* A work that is a number would count as none, and its parts as works of their own. */
    path = file_of("{\"text\": \"a\", \"author\": \"Ann\", \"work\": 21}\n");
    assert_int_equal(known_passages_read(&known, path, &error), -1);
    assert_non_null(strstr(error.message, "work"));
    known_passages_free(&known);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_density),   cmocka_unit_test(test_odds),
        cmocka_unit_test(test_place),     cmocka_unit_test(test_fit),
        cmocka_unit_test(test_odds_file), cmocka_unit_test(test_known_passages),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
