/* Runs a market over a belief base from its first to its last day and records it. */
#ifndef TRINE_TRUTH_MARKET_RUN_H
#define TRINE_TRUTH_MARKET_RUN_H

#include "truth/market_record.h"
#include "truth/opinions.h"

enum { MOST_STRATEGIES = 200 };

/* Traders that a market has by itself, to be left out one by one. */
enum market_trader_kind {
    MARKET_PROOFS = 1,
    MARKET_COHERENCE = 2,
    MARKET_CALIBRATION = 4,
    MARKET_FREQUENCY = 8,
    MARKET_DOUBT = 16
};

struct market_run_options {
    int is_kelly;
    size_t days;
    unsigned without; /* market_trader_kind, added up */
    int has_published_weights;
    const char *strategies[MOST_STRATEGIES]; /* files; of the exact market */
    size_t strategy_count;
    uint64_t seed;
    double verdict_weight; /* what is known weighs at least this */
};

struct market_run_summary {
    size_t days, days_over; /* on how many the certificate was above the tolerance */
    double worst;           /* certificate over tolerance, the largest */
    size_t split_groups;    /* that had too many worlds to be listed */
    double brier, log_loss; /* of prices on the day before a verdict became known; NAN: none */
    size_t resolved;
};

/* Called after each day; a return other than 0 stops the market, and what was run is recorded. */
typedef int market_run_callback(void *context, const struct market_run_summary *summary,
                                double incoherence);

int market_run(struct market_record *record, struct market_run_summary *summary,
               const struct belief_base *base, struct opinions *opinions,
               const struct market_run_options *options, market_run_callback *callback,
               void *context, struct error *error);

#endif
