/* The market at scale: traders who bet all they own by Kelly's rule (1956). Prices that clear are
 * the wealth-weighted means of their beliefs, and a trader's wealth grows as its beliefs beat the
 * price, which is Bayes' rule for the mixture of traders. Its log loss is therefore within log(1 /
 * first wealth) of each trader's, on the sentences about which that trader had an opinion
 * ("specialists", Freund et al. 1997), however sentences turn out; market_check_regret looks
 * whether that held.
 *
 * Prices are then projected onto the coherent ones (truth/projection.h). The projector acts as the
 * trader of coherence: what it earns is what the incoherence of the others was worth. */
#ifndef TRINE_TRUTH_KELLY_MARKET_H
#define TRINE_TRUTH_KELLY_MARKET_H

#include "truth/projection.h"

/* Beliefs of one trader: a probability for each sentence, NAN for no opinion. Those nearer to 0 or
 * 1 than this are moved there: nobody may stake all on one answer. */
#define KELLY_EDGE 1e-4

struct kelly_market;

struct kelly_options {
    double switching; /* share of all wealth that is spread anew every day (fixed share, Herbster
                         and Warmuth 1998); 0: none, and then the bound on regret holds */
    int is_not_projected; /* prices as they clear: for comparisons */
    struct projection_options projection;
};

/* `sentences` is borrowed and must not grow. All traders begin with equal wealth. */
int kelly_market_create(struct kelly_market **out, const struct sentences *sentences,
                        size_t trader_count, const struct kelly_options *options,
                        struct error *error);
void kelly_market_destroy(struct kelly_market *market);

struct kelly_day {
    size_t day, resolved;
    struct projection_report projection;
    double gain_of_coherence; /* nats that projecting saved on what was resolved today, summed */
};

/* One day. beliefs[trader][sentence] are of today; known[sentence]: 0 or 1 for what is known by the
 * end of the day, anything else for what is open. What was open the day before is resolved, in the
 * order of sentences, at the prices of today. prices[sentence] <- the day's prices before anything
 * is resolved, but with what was known the day before. */
int kelly_market_run_day(struct kelly_market *market, const float *const *beliefs,
                         const uint8_t *known, double *prices, struct kelly_day *report,
                         struct error *error);

double kelly_market_wealth(const struct kelly_market *market, size_t trader);
/* Nats lost so far by a trader, and by the market on the sentences of that trader. */
void kelly_market_losses(const struct kelly_market *market, size_t trader, double *own,
                         double *market_loss);
/* An error when the market lost more than log(traders) nats over some trader's loss. */
int kelly_market_check_regret(const struct kelly_market *market, struct error *error);

#endif
