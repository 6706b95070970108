/* Traders: each day, from the history of prices and what is known, a feature for every sentence it
 * wants to buy (above zero) or sell (below).
 *
 * The traders made here are the ones that every market may use; users write their own in the
 * language of truth/strategy.h. */
#ifndef TRINE_TRUTH_TRADER_H
#define TRINE_TRUTH_TRADER_H

#include "truth/belief_base.h"
#include "truth/facet.h"
#include "truth/feature.h"

/* What a trader may see on a day. Arrays are over all sentences, parts of formulas included. */
struct market_view {
    const struct sentences *sentences;
    size_t sentence_count;
    size_t day;                  /* from 1 */
    const double *history;       /* [day - 1, sentence_count]: prices of the days before */
    const uint8_t *known;        /* enum verdict, as of today */
    const uint32_t *known_since; /* the day, where known */
    const uint32_t *family;      /* 0: none; members share a number */
    const uint32_t *member;      /* place within the family, from 0, in the order of the base */
    size_t family_count;         /* numbers go from 1 to it */
    const struct facet *facets;
    size_t facet_count;
    /* The trader's own shares of every sentence, as its trades on past days and their prices give
     * them: set before a trader is asked. */
    const double *holding;
};

/* The price `days` days before today; 1/2 before the first day. days >= 1. */
double market_view_price(const struct market_view *view, uint32_t sentence, size_t days);

struct trader {
    const char *name; /* owned by the trader */
    /* coefficients[sentence_count], zeros at first, <- features of the pool. */
    int (*trade)(struct trader *trader, const struct market_view *view, struct feature_pool *pool,
                 uint32_t *coefficients, struct error *error);
    void (*destroy)(struct trader *trader);
};

/* Buys what is known to be true, sells what is known to be false. */
int trader_of_proofs(struct trader **out, struct error *error);

/* Sells what is too dear and buys what is too cheap by the facets numbered part, part + parts, ...:
 * it gains whatever is true. `strength` is shares per unit of violation. */
int trader_of_coherence(struct trader **out, size_t part, size_t parts, double strength,
                        struct error *error);

/* Of the sentences known by now, those that were priced in [low, high] on the day before: bets that
 * others priced so today turn out true as often. Softened at the edges, to be continuous. Holds at
 * most `most` shares of each. */
int trader_of_calibration(struct trader **out, double low, double high, double most,
                          struct error *error);

/* Bets that the next `window` members of a family are true as often as those known by now. Holds at
 * most `most` shares of each, so that what is not settled yet cannot ruin it. */
int trader_of_frequency(struct trader **out, size_t window, double most, struct error *error);

/* Sells above 1 - margin and buys below margin what is not known: nothing undecided is certain. */
int trader_of_doubt(struct trader **out, double margin, struct error *error);

/* Buys all members of one family, up to `most` shares of each: the trader who has seen the
 * pattern. */
int trader_of_pattern(struct trader **out, const char *name, uint32_t family, double most,
                      struct error *error);

/* Bets on its own beliefs: strength * (belief - price); NAN for no opinion. beliefs[sentence_count]
 * is borrowed and may change from day to day. */
int trader_of_opinion(struct trader **out, const char *name, const double *beliefs, double strength,
                      struct error *error);

#endif
