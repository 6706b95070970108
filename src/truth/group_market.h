/* Prices of an exact market's day, found group by group of sentences that share atoms.
 *
 * What a trader wants of one group depends on the prices of others only through its budgets, and
 * through strategies that look at other sentences' prices. So both are held while every group is
 * solved by itself, a problem in a few prices, and are made anew until the whole firm's certificate
 * is small enough. */
#ifndef TRINE_TRUTH_GROUP_MARKET_H
#define TRINE_TRUTH_GROUP_MARKET_H

#include "truth/trading_firm.h"

/* prices[sentences]: where to begin, then the best that was found. *gain <- its certificate, above
 * the tolerance when this way does not lead there. */
int group_market_solve(const struct trading_firm *firm, double tolerance, uint64_t seed,
                       double *prices, double *gain, size_t *evaluations, struct error *error);

#endif
