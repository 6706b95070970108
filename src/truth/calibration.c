#include "truth/calibration.h"

#include <math.h>

#include "base/memory.h"

/* How many statements' worth the priors are: for all, and for a family towards all. */
static const double OVERALL_PRECISION = 1, FAMILY_PRECISION = 3;

double platt_probability(double log_odds, const double *scaling) {
    return 1 / (1 + exp(-(scaling[0] * log_odds + scaling[1])));
}

static double loss_of(const double *s, const double *log_odds, const uint8_t *outcomes,
                      size_t count, const double *prior, double precision) {
    double a = s[0] - prior[0], b = s[1] - prior[1], loss = precision * (a * a + b * b) / 2;
    for (size_t i = 0; i < count; i++)
        if (outcomes[i] <= 1 && isfinite(log_odds[i])) {
            double x = (s[0] * log_odds[i] + s[1]) * (outcomes[i] ? 1 : -1);
            loss += x > 0 ? log1p(exp(-x)) : log1p(exp(x)) - x;
        }
    return loss;
}

/* Newton's method; the loss is convex, and a step that does not lessen it is halved. */
void platt_fit(double *s, const double *log_odds, const uint8_t *outcomes, size_t count,
               const double *prior, double precision) {
    enum { STEPS = 30, HALVINGS = 20 };
    s[0] = prior[0];
    s[1] = prior[1];
    double loss = loss_of(s, log_odds, outcomes, count, prior, precision);
    for (int step = 0; step < STEPS; step++) {
        double g0 = precision * (s[0] - prior[0]), g1 = precision * (s[1] - prior[1]);
        double h00 = precision, h01 = 0, h11 = precision;
        for (size_t i = 0; i < count; i++) {
            if (outcomes[i] > 1 || !isfinite(log_odds[i]))
                continue;
            double p = platt_probability(log_odds[i], s), spread = p * (1 - p);
            g0 += (p - outcomes[i]) * log_odds[i];
            g1 += p - outcomes[i];
            h00 += spread * log_odds[i] * log_odds[i];
            h01 += spread * log_odds[i];
            h11 += spread;
        }
        double determinant = h00 * h11 - h01 * h01, size = 1, next[2], lower = loss;
        for (int halving = 0; halving < HALVINGS; halving++, size /= 2) {
            next[0] = s[0] - size * (h11 * g0 - h01 * g1) / determinant;
            next[1] = s[1] - size * (h00 * g1 - h01 * g0) / determinant;
            lower = loss_of(next, log_odds, outcomes, count, prior, precision);
            if (lower < loss)
                break;
        }
        if (!(lower < loss - 1e-10))
            break;
        s[0] = next[0];
        s[1] = next[1];
        loss = lower;
    }
}

/* Mean and standard deviation of what is said. */
static void measure(struct calibration *c, const double *log_odds, size_t count) {
    double sum = 0, square = 0, n = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(log_odds[i])) {
            sum += log_odds[i];
            square += log_odds[i] * log_odds[i];
            n++;
        }
    c->center = n > 0 ? sum / n : 0;
    double variance = n > 0 ? square / n - c->center * c->center : 0;
    c->width = variance > 1e-12 ? sqrt(variance) : 1;
}

int calibration_fit(struct calibration *c, const double *log_odds, const uint8_t *outcomes,
                    const uint32_t *families, size_t family_count, size_t count,
                    struct error *error) {
    *c = (struct calibration){.family_count = family_count};
    double *scaled = memory_allocate(count, sizeof *scaled, error);
    uint8_t *own = memory_allocate(count, 1, error);
    c->scalings = memory_allocate(family_count + 1, sizeof *c->scalings, error);
    if (scaled == NULL || own == NULL || c->scalings == NULL) {
        memory_free(scaled);
        memory_free(own);
        calibration_free(c);
        return -1;
    }
    measure(c, log_odds, count);
    for (size_t i = 0; i < count; i++)
        scaled[i] = (log_odds[i] - c->center) / c->width;
    platt_fit(c->scalings[0], scaled, outcomes, count, (double[]){0, 0}, OVERALL_PRECISION);
    for (size_t family = 1; family <= family_count; family++) {
        for (size_t i = 0; i < count; i++)
            own[i] = families[i] == family ? outcomes[i] : UINT8_MAX;
        platt_fit(c->scalings[family], scaled, own, count, c->scalings[0], FAMILY_PRECISION);
    }
    memory_free(scaled);
    memory_free(own);
    return 0;
}

void calibration_free(struct calibration *c) {
    memory_free(c->scalings);
    c->scalings = NULL;
}

double calibration_probability(const struct calibration *c, double log_odds, uint32_t family) {
    return platt_probability((log_odds - c->center) / c->width, c->scalings[family]);
}
