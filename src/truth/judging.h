/* How good a network's judgement is: its probabilities beside the verdicts of a base, and how far
 * they cohere with the base's laws. */
#ifndef TRINE_TRUTH_JUDGING_H
#define TRINE_TRUTH_JUDGING_H

#include "truth/asking.h"
#include "truth/belief_base.h"
#include "truth/coherence.h"
#include "truth/report.h"

/* calibration[2] <- the scale and shift of log odds that fit the verdicts of a base best. */
int judging_calibrate(double *calibration, struct asking *asking, const struct asked *asked,
                      const struct belief_base *base, size_t threads, struct error *error);

struct judging_options {
    size_t threads;
    int is_projected;    /* probabilities are made coherent with the laws first */
    const char *answers; /* a file of JSON lines for {id, family, statement, probability, doubt,
                            verdict}; NULL: none */
};

struct judging_report {
    struct judgement_report judgement;
    struct coherence_report coherence;
    double doubt_right, doubt_wrong; /* mean doubt where the likelier side was right, and wrong */
    double seconds;                  /* of asking */
};

/* Statements without a verdict count for coherence alone. */
int judging_evaluate(struct judging_report *report, struct asking *asking,
                     const struct asked *asked, const double *calibration,
                     const struct belief_base *base, const struct judging_options *options,
                     struct error *error);
void judging_report_print(FILE *stream, const struct judging_report *report);
/* The caller decrefs; NULL when out of memory. */
json_t *judging_report_to_json(const struct judging_report *report);

#endif
