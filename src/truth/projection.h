/* The coherent prices nearest to given ones: minimise sum_i weight_i KL(x_i || p_i), where KL is
 * that of one yes-or-no question, over prices that some probabilities of worlds could have.
 *
 * Groups of sentences that share atoms are independent. A group of few worlds is solved over its
 * worlds (pairwise Frank-Wolfe steps, Lacoste-Julien and Jaggi 2015); a larger one by cyclic
 * Bregman projections (Bregman 1967) onto the facets of its connectives one after the other. In
 * either case, in every consistent world, the sum of weight_i log scores of a group is no worse
 * after than before: each set that is projected onto holds that world (the Pythagorean inequality
 * of Bregman divergences). */
#ifndef TRINE_TRUTH_PROJECTION_H
#define TRINE_TRUTH_PROJECTION_H

#include "truth/facet.h"

struct projection;

struct projection_options {
    double tolerance;  /* largest violation that is left; 0: 1e-6 */
    size_t sweeps;     /* at most, over the facets of larger groups; 0: 500 */
    size_t most_atoms; /* groups of at most so many are solved over their worlds; 0: 4 */
};

struct projection_report {
    double before, after; /* largest violation of a facet */
    size_t groups, exact_groups, sweeps;
};

/* Finds the groups. `sentences` is borrowed and must not grow. */
int projection_create(struct projection **out, const struct sentences *sentences,
                      const struct projection_options *options, struct error *error);
void projection_destroy(struct projection *projection);

const struct facet *projection_facets(const struct projection *projection, size_t *count);

/* prices[count] <- coherent ones. fixed[count]: 0, 1 for what is known and stays so, anything else
 * for what is open; NULL: all open. weights[count]: NULL: all 1. Prices come within [1e-6, 1 -
 * 1e-6] but where they are fixed. What is fixed must be consistent. */
int projection_run(const struct projection *projection, double *prices, const uint8_t *fixed,
                   const double *weights, struct projection_report *report, struct error *error);

#endif
