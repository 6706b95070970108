/* The logical inductor of Garrabrant et al. 2016, section 5: every day, prices at which the trading
 * firm can gain almost nothing, where the firm is the sum of all traders, each held to budgets.
 *
 *   firm_n = sum over traders k and budgets b of weight_k 2^-b budgeter(b, k)_n
 *   budgeter(b, k)_n = 0 once a plausible world values k's trades so far at -b or less, otherwise
 *                      k's trades times the least 1 / max(1, -W(T_n) / (b + W(T_<n))) over worlds W
 *
 * Worlds are those consistent with what is known by the day. The least of the factor is a ratio of
 * functions that are linear in the world, found by Dinkelbach's method (1967) group by group of
 * sentences that share atoms. */
#ifndef TRINE_TRUTH_EXACT_MARKET_H
#define TRINE_TRUTH_EXACT_MARKET_H

#include "truth/market_maker.h"
#include "truth/trader.h"
#include "truth/worlds.h"

struct exact_market;

struct exact_market_options {
    double least_tolerance; /* the day's is 2^-day, but not below this; 0: 2^-32 */
    double verdict_weight;  /* verdicts and constraints of less weight are not known; 0: all are */
    int has_published_weights; /* trader k weighs 2^-k and starts on day k; otherwise 1/(k (k+1)) */
    uint64_t seed;
    /* Controls for experiments: what a market is without them. */
    int has_no_budgets;    /* traders trade without bound */
    int knows_nothing;     /* the firm never learns what was proved */
    double price_error;    /* added to every price after it was found */
    const double *imposed; /* [sentence_count] prices instead of the market maker's */
};

/* `base` is borrowed, and so are the traders, which must outlive the market. */
int exact_market_create(struct exact_market **out, const struct belief_base *base,
                        struct trader *const *traders, size_t trader_count,
                        const struct exact_market_options *options, struct error *error);
void exact_market_destroy(struct exact_market *market);

struct exact_market_day {
    size_t day;
    double gain, tolerance; /* the certificate, and what it should be below */
    double incoherence;     /* mean violation of the facets */
    size_t evaluations, restarts, unproved_groups;
};

/* Trades one day. That the certificate is above the tolerance is reported, not an error. */
int exact_market_run_day(struct exact_market *market, struct exact_market_day *report,
                         struct error *error);

/* history[day - 1][sentence]; of the days so far. */
const double *exact_market_history(const struct exact_market *market);
const struct market_view *exact_market_view(const struct exact_market *market);

/* What a trader's trades so far (without budgets) are worth in the worst and the best world that is
 * consistent with what is known. */
void exact_market_worth(const struct exact_market *market, size_t trader, double *least,
                        double *most);
/* The trader's share of the firm's budgets that is still there, 1 at the start. */
double exact_market_trust(const struct exact_market *market, size_t trader);
/* Shares of a sentence that a trader holds. */
double exact_market_holding(const struct exact_market *market, size_t trader, uint32_t sentence);

#endif
