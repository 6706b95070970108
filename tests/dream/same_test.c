/* Whether one author wrote two texts: the log odds are those of the model that they are said to be
 * of, and tell texts apart that are made by it. */
#include "dream/same.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_density),
        cmocka_unit_test(test_odds),
        cmocka_unit_test(test_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
