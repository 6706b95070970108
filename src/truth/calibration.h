/* From what somebody says, in log odds of any scale, to a probability: Platt's scaling (1999), with
 * a scale and a shift for each family of statements, drawn towards those of all. */
#ifndef TRINE_TRUTH_CALIBRATION_H
#define TRINE_TRUTH_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "math/logistic.h"

struct calibration {
    double center, width;  /* of what was said: scalings apply to (log odds - center) / width */
    double (*scalings)[2]; /* [family_count + 1]; the first is that of all */
    size_t family_count;
};

/* log_odds[count], NAN where nothing is said; outcomes[count]: 0 or 1, anything else where nothing
 * is known; families[count] from 1 on, 0 for none. With nothing known all is at even odds. */
int calibration_fit(struct calibration *calibration, const double *log_odds,
                    const uint8_t *outcomes, const uint32_t *families, size_t family_count,
                    size_t count, struct error *error);
void calibration_free(struct calibration *calibration);

double calibration_probability(const struct calibration *calibration, double log_odds,
                               uint32_t family);

#endif
