/* The conditional prior: a planted dependence is found, predictions agree with sums over a grid,
 * and what is not known shows. */
#include <math.h>
#include <string.h>

#include "cmocka_all.h"
#include "latent/prior.h"

enum { MANY = 60, WIDTH = 3 };

static const double DIRECTION[WIDTH] = {1, -0.5, 0.25}, NOISE = 0.1;

/* What the vectors follow: smooth over inputs from 0 to 1. */
static double curve(double x, size_t d) {
    return DIRECTION[d] * sin(2 * M_PI * x) + 0.3 * (double)d;
}

static void plant(double *inputs, double *targets, size_t count, uint64_t seed) {
    struct random random;
    random_seed(&random, seed, 0);
    for (size_t i = 0; i < count; i++) {
        inputs[i] = ((double)i + random_uniform(&random)) / (double)count;
        for (size_t d = 0; d < WIDTH; d++)
            targets[i * WIDTH + d] = curve(inputs[i], d) + NOISE * random_normal(&random);
    }
}

static struct prior_data data_of(const double *inputs, const double *targets, size_t count) {
    return (struct prior_data){.count = count,
                               .width = WIDTH,
                               .targets = targets,
                               .input_count = inputs != NULL,
                               .input_widths = {1},
                               .inputs = {inputs}};
}

static void predict(struct prior_gaussian *out, const struct prior *prior, double x,
                    double variance) {
    struct error error;
    struct prior_query query = {.means = {&x}, .variances = {&variance}};
    assert_int_equal(prior_predict(out, prior, &query, &error), 0);
}

static double covariance_at(const struct prior_gaussian *g, size_t d, size_t e) {
    double sum = 0;
    for (size_t k = 0; k <= (d < e ? d : e); k++)
        sum +=
            g->prior->spread[d * g->prior->width + k] * g->prior->spread[e * g->prior->width + k];
    return g->scale * sum;
}

static void test_recovers(void **state) {
    (void)state;
    struct error error;
    double inputs[MANY], targets[MANY * WIDTH];
    struct prior prior, anybody;
    plant(inputs, targets, MANY, 1);
    struct prior_data data = data_of(inputs, targets, MANY), none = data_of(NULL, targets, MANY);
    assert_int_equal(prior_fit(&prior, &data, NULL, &error), 0);
    assert_int_equal(prior_fit(&anybody, &none, NULL, &error), 0);
    assert_true(prior.log_evidence > anybody.log_evidence + 50);
    for (double x = 0.05; x < 1; x += 0.05) {
        struct prior_gaussian g;
        predict(&g, &prior, x, 0);
        for (size_t d = 0; d < WIDTH; d++) {
            assert_true(fabs(g.mean[d] - curve(x, d)) < 0.15);
            double deviation = sqrt(covariance_at(&g, d, d));
            assert_true(deviation > 0.6 * NOISE && deviation < 1.6 * NOISE);
        }
        prior_gaussian_free(&g);
    }
    /* The same again gives the same bits; begun where it ended, it stays. */
    struct prior again;
    assert_int_equal(prior_fit(&again, &data, NULL, &error), 0);
    assert_memory_equal(&again.settings, &prior.settings, sizeof again.settings);
    prior_free(&again);
    assert_int_equal(prior_fit(&again, &data, &prior.settings, &error), 0);
    assert_true(again.log_evidence >= prior.log_evidence - 1e-6);
    prior_free(&again);
    prior_free(&prior);
    prior_free(&anybody);
}

/* E[exp(-(x - c)^2 / 2 l^2)] for x ~ N(mean, variance), by a sum. */
static double bump(double mean, double variance, double c, double length) {
    double sum = 0, total = 0;
    if (variance == 0)
        return exp(-0.5 * (mean - c) * (mean - c) / (length * length));
    for (double t = -6; t <= 6; t += 0.01) {
        double weight = exp(-0.5 * t * t), gap = mean + t * sqrt(variance) - c;
        sum += weight * exp(-0.5 * gap * gap / (length * length));
        total += weight;
    }
    return sum / total;
}

enum { FEW = 4 };

/* log N(y; 0, s K) of FEW + 1 numbers, by elimination. */
static double log_normal(const double *y, const double *k, double s) {
    double a[(FEW + 1) * (FEW + 1)], b[FEW + 1], logarithm = 0;
    memcpy(a, k, sizeof a);
    memcpy(b, y, sizeof b);
    for (size_t i = 0; i <= FEW; i++) {
        double pivot = a[i * (FEW + 1) + i];
        logarithm -= 0.5 * log(2 * M_PI * s * pivot) + 0.5 * b[i] * b[i] / (s * pivot);
        for (size_t j = i + 1; j <= FEW; j++) {
            double factor = a[j * (FEW + 1) + i] / pivot;
            for (size_t c = 0; c <= FEW; c++)
                a[j * (FEW + 1) + c] -= factor * a[i * (FEW + 1) + c];
            b[j] -= factor * b[i];
        }
    }
    return logarithm;
}

/* Mean and variance of one number given four, with the spread summed over a grid of itself under
 * its inverse gamma prior, and the number over a grid of its own: no formula of the fit's. */
static void brute_force(double *mean, double *variance, const struct prior *prior,
                        const double *inputs, const double *targets, double x, double doubt) {
    double length = exp(prior->settings.length[0]), strength = exp(prior->settings.strength[0]);
    double constant = exp(prior->settings.constant), freedom = exp(prior->settings.freedom);
    double shape = 0.5 * (freedom + 2), rate = 0.5 * freedom * exp(prior->settings.spread);
    double k[(FEW + 1) * (FEW + 1)], y[FEW + 1], sums[3] = {0};
    for (size_t i = 0; i <= FEW; i++)
        for (size_t j = 0; j <= FEW; j++) {
            double near = i == j     ? 1
                          : i == FEW ? bump(x, doubt, inputs[j], length)
                          : j == FEW ? bump(x, doubt, inputs[i], length)
                                     : bump(inputs[i], 0, inputs[j], length);
            k[i * (FEW + 1) + j] = constant + strength * near + (i == j);
        }
    memcpy(y, targets, FEW * sizeof *y);
    for (double s = -12; s <= 8; s += 0.1)
        for (y[FEW] = -20; y[FEW] <= 20; y[FEW] += 0.05) {
            double weight = exp(log_normal(y, k, exp(s)) - shape * s - rate * exp(-s));
            sums[0] += weight;
            sums[1] += weight * y[FEW];
            sums[2] += weight * y[FEW] * y[FEW];
        }
    *mean = sums[1] / sums[0];
    *variance = sums[2] / sums[0] - *mean * *mean;
}

static void test_brute_force(void **state) {
    (void)state;
    struct error error;
    const double inputs[FEW] = {0, 0.4, 1, 1.3}, targets[FEW] = {-0.6, 0.1, 0.8, 0.7};
    struct prior_data data = {.count = FEW,
                              .width = 1,
                              .targets = targets,
                              .input_count = 1,
                              .input_widths = {1},
                              .inputs = {inputs}};
    struct prior prior;
    assert_int_equal(prior_fit(&prior, &data, NULL, &error), 0);
    /* Settings at which everything matters, whatever the evidence of four numbers says. */
    struct prior_settings settings = {.constant = log(0.3),
                                      .spread = log(0.2),
                                      .freedom = log(12),
                                      .strength = {log(2)},
                                      .length = {log(0.5)}};
    prior_free(&prior);
    assert_int_equal(prior_fit_at(&prior, &data, &settings, &error), 0);
    static const double QUERIES[][2] = {{0.2, 0}, {0.9, 0}, {2, 0}, {0.7, 0.3}, {9, 0}};
    for (size_t q = 0; q < sizeof QUERIES / sizeof *QUERIES; q++) {
        struct prior_gaussian g;
        double mean, variance;
        brute_force(&mean, &variance, &prior, inputs, targets, QUERIES[q][0], QUERIES[q][1]);
        predict(&g, &prior, QUERIES[q][0], QUERIES[q][1]);
        assert_true(fabs(g.mean[0] - mean) < 1e-3);
        assert_true(fabs(covariance_at(&g, 0, 0) / variance - 1) < 1e-2);
        prior_gaussian_free(&g);
    }
    prior_free(&prior);
}

/* Away from the data it widens to what is known without the input, and the mean goes back. */
static void test_widens(void **state) {
    (void)state;
    struct error error;
    double inputs[MANY], targets[MANY * WIDTH], before = 0, entropy = 0;
    struct prior prior;
    plant(inputs, targets, MANY, 2);
    struct prior_data data = data_of(inputs, targets, MANY);
    assert_int_equal(prior_fit(&prior, &data, NULL, &error), 0);
    for (int step = 0; step <= 8; step++) {
        struct prior_gaussian g, doubtful;
        predict(&g, &prior, 1 + 0.1 * step, 0);
        predict(&doubtful, &prior, 0.5, 0.05 * step);
        assert_true(g.scale > before && prior_entropy(&g) > (step == 0 ? -1e9 : entropy));
        before = g.scale;
        entropy = prior_entropy(&g);
        if (step == 8) /* how much wider is known from within */
            assert_true(doubtful.scale > 3);
        prior_gaussian_free(&g);
        prior_gaussian_free(&doubtful);
    }
    struct prior_gaussian far, within;
    predict(&far, &prior, 100, 0);
    predict(&within, &prior, 0.5, 0);
    assert_true(far.scale >= before && far.scale > 5 * within.scale);
    assert_true(within.scale < 1.5);
    prior_gaussian_free(&far);
    prior_gaussian_free(&within);
    prior_free(&prior);
}

static void test_samples(void **state) {
    (void)state;
    enum { DRAWS = 20000 };
    struct error error;
    struct random random;
    double inputs[MANY], targets[MANY * WIDTH], y[WIDTH], sums[WIDTH] = {0};
    double products[WIDTH][WIDTH] = {{0}}, distances = 0;
    struct prior prior;
    struct prior_gaussian g;
    plant(inputs, targets, MANY, 3);
    for (size_t i = 0; i < MANY; i++) /* let two numbers go together */
        targets[i * WIDTH + 2] = 0.8 * targets[i * WIDTH] + 0.2 * targets[i * WIDTH + 2];
    struct prior_data data = data_of(inputs, targets, MANY);
    assert_int_equal(prior_fit(&prior, &data, NULL, &error), 0);
    predict(&g, &prior, 1.2, 0);
    random_seed(&random, 5, 0);
    for (size_t n = 0; n < DRAWS; n++) {
        prior_sample(&g, &random, y);
        distances += prior_distance(&g, y) / DRAWS;
        for (size_t d = 0; d < WIDTH; d++) {
            sums[d] += (y[d] - g.mean[d]) / DRAWS;
            for (size_t e = 0; e < WIDTH; e++)
                products[d][e] += (y[d] - g.mean[d]) * (y[e] - g.mean[e]) / DRAWS;
        }
    }
    assert_true(fabs(distances - WIDTH) < 0.1); /* chi-squared */
    for (size_t d = 0; d < WIDTH; d++) {
        assert_true(fabs(sums[d]) < 5 * sqrt(covariance_at(&g, d, d) / DRAWS));
        for (size_t e = 0; e < WIDTH; e++)
            assert_true(fabs(products[d][e] - covariance_at(&g, d, e)) <
                        0.06 * sqrt(covariance_at(&g, d, d) * covariance_at(&g, e, e)));
    }
    assert_true(covariance_at(&g, 0, 2) > 0.5 * covariance_at(&g, 0, 0));
    /* Entropy is less the mean log density, and the mean distance is WIDTH. */
    assert_true(fabs(prior_entropy(&g) + prior_log_density(&g, g.mean) - 0.5 * WIDTH) < 1e-9);
    prior_gaussian_free(&g);
    prior_free(&prior);
}

/* Mean log density of vectors that were left out, with the inputs less without them. */
static double gain(const double *inputs, const double *targets, size_t count) {
    struct error error;
    double others[MANY], rest[MANY * WIDTH], sum = 0;
    for (size_t out = 0; out < count; out += 3) {
        for (size_t i = 0, at = 0; i < count; i++)
            if (i != out) {
                others[at] = inputs[i];
                memcpy(rest + at++ * WIDTH, targets + i * WIDTH, WIDTH * sizeof *rest);
            }
        for (int k = 0; k < 2; k++) {
            struct prior prior;
            struct prior_gaussian g;
            struct prior_data data = data_of(k == 0 ? others : NULL, rest, count - 1);
            assert_int_equal(prior_fit(&prior, &data, NULL, &error), 0);
            predict(&g, &prior, inputs[out], 0);
            sum += (k == 0 ? 1 : -1) * prior_log_density(&g, targets + out * WIDTH);
            prior_gaussian_free(&g);
            prior_free(&prior);
        }
    }
    return sum / (double)((count + 2) / 3);
}

static void test_control(void **state) {
    (void)state;
    struct random random;
    double inputs[MANY], targets[MANY * WIDTH];
    plant(inputs, targets, MANY, 4);
    assert_true(gain(inputs, targets, MANY) > 1);
    random_seed(&random, 6, 0);
    for (size_t i = MANY; i > 1; i--) {
        size_t j = random_below(&random, i);
        double kept = inputs[i - 1];
        inputs[i - 1] = inputs[j];
        inputs[j] = kept;
    }
    assert_true(gain(inputs, targets, MANY) < 0.25);
}

static void test_refuses(void **state) {
    (void)state;
    struct error error;
    struct prior prior;
    double inputs[MANY], targets[MANY * WIDTH];
    plant(inputs, targets, MANY, 7);
    struct prior_data data = data_of(inputs, targets, 2);
    assert_int_equal(prior_fit(&prior, &data, NULL, &error), -1);
    data.count = PRIOR_MOST + 1;
    assert_int_equal(prior_fit(&prior, &data, NULL, &error), -1);
    data.count = MANY;
    inputs[5] = NAN;
    assert_int_equal(prior_fit(&prior, &data, NULL, &error), -1);
    inputs[5] = 0.5;
    targets[7] = INFINITY;
    assert_int_equal(prior_fit(&prior, &data, NULL, &error), -1);
    /* All the same, in the inputs and in the vectors: nothing to learn, and no failure. */
    for (size_t i = 0; i < MANY; i++)
        inputs[i] = 1;
    memset(targets, 0, sizeof targets);
    assert_int_equal(prior_fit(&prior, &data, NULL, &error), 0);
    prior_free(&prior);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recovers), cmocka_unit_test(test_brute_force),
        cmocka_unit_test(test_widens),   cmocka_unit_test(test_samples),
        cmocka_unit_test(test_control),  cmocka_unit_test(test_refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
