#include "math/logistic.h"

#include <math.h>
#include <string.h>

#include "math/solve.h"

static double combine(const double *solution, const double *features, size_t k) {
    double sum = 0;
    for (size_t i = 0; i < k; i++)
        sum += solution[i] * features[i];
    return sum;
}

double logistic_probability(const double *solution, const double *features, size_t k) {
    return 1 / (1 + exp(-combine(solution, features, k)));
}

double platt_probability(double log_odds, const double *scaling) {
    return 1 / (1 + exp(-(scaling[0] * log_odds + scaling[1])));
}

/* What is fitted; single features are log odds, beside which a 1 stands. */
struct items {
    const double *features;
    const uint8_t *outcomes;
    size_t count, k;
    int is_single;
    double pair[2];
};

/* The n-th item if it counts, else NULL; valid until the next. */
static const double *item_at(struct items *items, size_t n) {
    const double *x = items->features + n * (items->is_single ? 1 : items->k);
    if (items->is_single) {
        items->pair[0] = *x;
        items->pair[1] = 1;
        x = items->pair;
    }
    for (size_t i = 0; i < items->k; i++)
        if (!isfinite(x[i]))
            return NULL;
    return items->outcomes[n] <= 1 ? x : NULL;
}

static double loss_of(const double *s, struct items *items, const double *prior, double precision) {
    double loss = 0;
    for (size_t i = 0; i < items->k; i++)
        loss += precision * (s[i] - prior[i]) * (s[i] - prior[i]) / 2;
    for (size_t n = 0; n < items->count; n++) {
        const double *features = item_at(items, n);
        if (features == NULL)
            continue;
        double x = combine(s, features, items->k) * (items->outcomes[n] ? 1 : -1);
        loss += x > 0 ? log1p(exp(-x)) : log1p(exp(x)) - x;
    }
    return loss;
}

/* step[k] <- Newton's. */
static void newton_step(double *step, const double *s, struct items *items, const double *prior,
                        double precision) {
    double h[LOGISTIC_MOST * LOGISTIC_MOST] = {0};
    size_t k = items->k;
    for (size_t i = 0; i < k; i++) {
        step[i] = precision * (s[i] - prior[i]);
        h[i * k + i] = precision;
    }
    for (size_t n = 0; n < items->count; n++) {
        const double *x = item_at(items, n);
        if (x == NULL)
            continue;
        double p = logistic_probability(s, x, k), spread = p * (1 - p);
        for (size_t i = 0; i < k; i++) {
            step[i] += (p - items->outcomes[n]) * x[i];
            for (size_t j = 0; j < k; j++)
                h[i * k + j] += spread * x[i] * x[j];
        }
    }
    solve_positive(h, step, k);
}

/* Newton's method; the loss is convex, and a step that does not lessen it is halved. */
static void fit(double *s, struct items *items, const double *prior, double precision) {
    enum { STEPS = 30, HALVINGS = 20 };
    double step[LOGISTIC_MOST], next[LOGISTIC_MOST];
    memcpy(s, prior, items->k * sizeof *s);
    double loss = loss_of(s, items, prior, precision);
    for (int n = 0; n < STEPS; n++) {
        double size = 1, lower = loss;
        newton_step(step, s, items, prior, precision);
        for (int halving = 0; halving < HALVINGS && !(lower < loss); halving++, size /= 2) {
            for (size_t i = 0; i < items->k; i++)
                next[i] = s[i] - size * step[i];
            lower = loss_of(next, items, prior, precision);
        }
        if (!(lower < loss - 1e-10))
            break;
        memcpy(s, next, items->k * sizeof *s);
        loss = lower;
    }
}

void logistic_fit(double *solution, const double *features, const uint8_t *outcomes, size_t count,
                  size_t k, const double *prior, double precision) {
    struct items items = {.features = features, .outcomes = outcomes, .count = count, .k = k};
    fit(solution, &items, prior, precision);
}

void platt_fit(double *scaling, const double *log_odds, const uint8_t *outcomes, size_t count,
               const double *prior, double precision) {
    struct items items = {
        .features = log_odds, .outcomes = outcomes, .count = count, .k = 2, .is_single = 1};
    fit(scaling, &items, prior, precision);
}
