/* The market maker of Garrabrant et al. 2016, section 5.1: prices at which what the traders buy
 * can gain them almost nothing, whatever turns out to be true.
 *
 * Demand T(p) is continuous on the box [0, 1]^n. Wanted is a point where T_i > 0 only at p_i = 1
 * and T_i < 0 only at p_i = 0 (one exists by Brouwer's theorem): a variational inequality on a box.
 */
#ifndef TRINE_TRUTH_MARKET_MAKER_H
#define TRINE_TRUTH_MARKET_MAKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* demand[count] <- T(prices); thread-safe. -1 when it cannot be had. */
typedef int market_demand(const void *context, const double *prices, double *demand);

struct market_problem {
    market_demand *demand;
    const void *context;
    size_t count;
    double tolerance;
    uint64_t seed;   /* of restarts */
    size_t restarts; /* at most; 0: 6 */
};

struct market_solution {
    double gain;        /* the certificate at the prices found, see market_gain */
    size_t evaluations; /* of the demand */
    size_t restarts;
};

/* The most that the trades could be worth in any world: sum of max(T_i (1 - p_i), -T_i p_i). */
double market_gain(const double *prices, const double *demand, size_t count);

/* prices[count]: where to begin, then the best that was found. That its gain is above the tolerance
 * is no failure of the call: solution->gain tells. `jacobian` [count * count] is kept from one
 * call to the next; zeros at first. */
int market_solve(const struct market_problem *problem, double *prices, double *jacobian,
                 struct market_solution *solution, struct error *error);

#endif
