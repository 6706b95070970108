/* Inequalities that probabilities keep because of how formulas are built: if c is "a and b" then
 * c <= a, c <= b, a + b - c <= 1. Together they are the convex hull of each connective's truth
 * table. */
#ifndef TRINE_TRUTH_FACET_H
#define TRINE_TRUTH_FACET_H

#include "truth/sentence.h"

/* sum coefficient[i] * price[sentence[i]] <= bound, or == bound; no sentence twice. */
struct facet {
    uint32_t sentence[3];
    signed char coefficient[3], bound;
    unsigned char count, is_equality;
};

/* The facets of all formulas. The caller frees *facets with free. */
int facets_collect(const struct sentences *sentences, struct facet **facets, size_t *count,
                   struct error *error);

/* How far the prices are from keeping it: max(0, sum - bound), or |sum - bound|. */
double facet_violation(const struct facet *facet, const double *prices);

#endif
