#include "truth/calibration.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* How many statements' worth the priors are: for all, and for a family towards all. */
static const double OVERALL_PRECISION = 4, FAMILY_PRECISION = 16;

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
