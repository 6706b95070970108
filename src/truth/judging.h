/* From what a network says, and what a library holds for and against, to probabilities; and how
 * good they are beside the verdicts of a base, and how far they cohere with its laws. */
#ifndef TRINE_TRUTH_JUDGING_H
#define TRINE_TRUTH_JUDGING_H

#include "truth/asking.h"
#include "truth/belief_base.h"
#include "truth/coherence.h"
#include "truth/library.h"
#include "truth/report.h"

/* Who judges. Everything is borrowed. */
struct judging {
    struct asking *asking;
    struct asked asked;
    struct library *library; /* NULL: none */
    const struct library_filter *filter;
    double calibration[3]; /* as a layer has it */
    size_t threads;
};

struct judgement {
    double probability, doubt;
    double said, read; /* log odds, not calibrated: the network's and the library's */
};

/* judgements[count]. */
int judging_judge(struct judging *judging, const char *const *statements, size_t count,
                  struct judgement *judgements, struct error *error);

/* The calibration that fits the verdicts of a base best. */
int judging_calibrate(struct judging *judging, const struct belief_base *base, struct error *error);

struct judging_options {
    int is_projected;    /* probabilities are made coherent with the laws first */
    const char *answers; /* a file of JSON lines for {id, family, statement, probability, doubt,
                            label}; NULL: none */
};

struct judging_report {
    struct judgement_report judgement;
    struct coherence_report coherence;
    double doubt_right, doubt_wrong; /* mean doubt where the likelier side was right, and wrong */
    double seconds;                  /* of asking */
};

/* Statements without a verdict count for coherence alone. */
int judging_evaluate(struct judging_report *report, struct judging *judging,
                     const struct belief_base *base, const struct judging_options *options,
                     struct error *error);
void judging_report_print(FILE *stream, const struct judging_report *report);
/* The caller decrefs; NULL when out of memory. */
json_t *judging_report_to_json(const struct judging_report *report);

#endif
