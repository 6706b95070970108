/* How far probabilities are from cohering with a base's laws: |P(A) + P(not A) - 1| for negations,
 * Frechet's bounds for "and" and "or", P(A) + P(B) <= 1 for what excludes each other. Of a law such
 * as `c iff (a and b)` the formula has the probability of c. */
#ifndef TRINE_TRUTH_COHERENCE_H
#define TRINE_TRUTH_COHERENCE_H

#include "truth/belief_base.h"

enum law_kind { LAW_NOT, LAW_AND, LAW_OR, LAW_EXCLUSION, LAW_OTHER, LAW_KINDS };

struct coherence_report {
    size_t counts[LAW_KINDS], count;
    double violations[LAW_KINDS], violation; /* means of each law's largest violation */
};

const char *law_kind_name(enum law_kind kind);

/* prices[sentences] <- the nearest that cohere (truth/projection.h). NAN where nobody was asked:
 * such sentences begin where they would be if their parts were independent, and give way. fixed: as
 * in projection_run. */
int coherent_prices(double *prices, const uint8_t *fixed, const struct sentences *sentences,
                    struct error *error);

/* prices[sentences]: those of atoms, NAN where there is none; laws on such atoms do not count. */
int coherence_report_make(struct coherence_report *report, const struct belief_base *base,
                          const double *prices, struct error *error);

#endif
