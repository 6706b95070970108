/* How good probabilities were, once statements turned out true or false. */
#ifndef TRINE_TRUTH_REPORT_H
#define TRINE_TRUTH_REPORT_H

#include <stdio.h>

#include <jansson.h>

#include "base/error.h"

enum { CALIBRATION_BINS = 10 };

struct judgement_report {
    size_t count;
    double accuracy;          /* share with the right side of 1/2 */
    double area;              /* under the ROC curve: a true one above a false one */
    double brier;             /* mean (p - outcome)^2 */
    double log_loss;          /* mean, nats */
    double calibration_error; /* expected: bins of equal width, weighted by their counts */
    struct {
        size_t count;
        double mean, true_share;
    } bins[CALIBRATION_BINS];
};

/* probabilities[count], outcomes[count] (above 1/2: true). */
int judgement_report_make(struct judgement_report *report, const double *probabilities,
                          const double *outcomes, size_t count, struct error *error);
void judgement_report_print(FILE *stream, const struct judgement_report *report);
/* The caller decrefs; NULL when out of memory. */
json_t *judgement_report_to_json(const struct judgement_report *report);

#endif
