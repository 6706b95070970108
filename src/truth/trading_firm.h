/* The trading firm of an exact market: all traders' trades of a day, each held to budgets, and what
 * they demand at given prices. */
#ifndef TRINE_TRUTH_TRADING_FIRM_H
#define TRINE_TRUTH_TRADING_FIRM_H

#include "truth/market_maker.h"
#include "truth/trader.h"
#include "truth/worlds.h"

/* Budgets above 2^-64 of the firm are below what a double can add to it. */
enum { MOST_BUDGETS = 64 };

struct trade {
    uint32_t sentence, feature;
};

/* What one trader wants today, and has from the days before. */
struct account {
    struct trade *trades; /* of today, by ascending groups; room for every sentence */
    size_t trade_count;
    double *holding;  /* [sentences] */
    double *past;     /* [worlds of all groups]: what the holdings of a group are worth */
    uint8_t *is_held; /* [groups]: past is not all zeros */
    double cash;
    double least, most; /* today's worth, over all worlds */
    double lowest;      /* the least of all days so far */
    double weight;
    size_t start; /* its first day */
};

struct trading_firm {
    const struct worlds *worlds; /* borrowed */
    size_t sentence_count, account_count;
    struct account *accounts;
    size_t *first_world; /* [groups + 1]: where a group's worlds begin in account.past */
    struct feature_pool pool;
    uint32_t *active, *place; /* sentences with a trade, and their inverse */
    size_t active_count;
    int has_no_budgets;
};

int trading_firm_create(struct trading_firm *firm, const struct worlds *worlds,
                        size_t sentence_count, size_t account_count, struct error *error);
void trading_firm_free(struct trading_firm *firm);

/* Takes the coefficients [sentences] of an account's trades of today, after the pool was cleared.
 */
void trading_firm_take(struct trading_firm *firm, size_t account, const uint32_t *coefficients);
/* When all accounts have handed in theirs: which sentences are traded. */
void trading_firm_close_orders(struct trading_firm *firm);

/* Values all holdings in all worlds, which may have changed. */
int trading_firm_value(struct trading_firm *firm, struct error *error);

/* Buys everybody's trades at these prices [sentences], and values the holdings. */
int trading_firm_settle(struct trading_firm *firm, const double *prices, struct error *error);

/* shares[accounts] <- weight times the sum over budgets b of 2^-b times the budgeter's factor, at
 * these prices [sentences]. values[pool.count] <- the features. -1: out of memory. */
int trading_firm_shares(const struct trading_firm *firm, const double *prices, double *values,
                        double *shares);

/* A market_demand for the active sentences; the context is the firm. */
int trading_firm_demand(const void *firm, const double *prices, double *demand);

#endif
