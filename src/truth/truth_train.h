/* Trains the truth author toward what is known and what a market thinks of the rest.
 *
 * The market of a belief base runs for a part of its days; the layer is trained toward the verdicts
 * of those days and the prices of everything else; what it then believes of what is still open
 * trades on the days that follow, and so on to the last day. */
#ifndef TRINE_TRUTH_TRUTH_TRAIN_H
#define TRINE_TRUTH_TRUTH_TRAIN_H

#include "truth/layer_train.h"
#include "truth/market_run.h"

struct truth_train_options {
    struct layer_train_options training; /* its steps are those of all rounds */
    size_t rounds;                       /* of market and training; 0: 2 */
    unsigned without;                    /* of the market: enum market_trader_kind */
    int is_plain;                        /* verdicts alone, no market: for comparison */
    double verdict_weight;               /* what is known weighs at least this */
};

struct truth_train_report {
    size_t days, known, priced;       /* of the last round */
    struct market_run_summary market; /* its market; zeros when plain */
    double wealth;                    /* of the truth author among the traders, at the end */
};

/* After every step; a return other than 0 stops the training, and the layer is as it is by then. */
int truth_train(struct layer *layer, struct asking *asking, const struct belief_base *base,
                struct opinions *opinions, const struct truth_train_options *options,
                layer_train_callback *callback, void *context, struct truth_train_report *report,
                struct error *error);

#endif
