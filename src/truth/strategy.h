/* Users' own trading strategies, in a small language in which nothing can be written that is not
 * defined everywhere and continuous in today's prices: no division but by numbers, no comparison
 * but by ramps, no loops.
 *
 *   # Follows what rose, but never holds more than two shares.
 *   name "momentum"
 *   every sentence: (price(1) - average(10)) * clamp(2 - abs(held), 0, 1)
 *   family cities:  frequency - price
 *   sentence lagos: 1 - price
 *
 * A rule says how many shares to buy (below zero: to sell) of each sentence that it is about; where
 * several rules are about one, their wishes add up. Names of sentences are those of formulas, or
 * texts in quotes.
 *
 *   price                today's price of the sentence; price of NAME: of another one
 *   price(K)             its price K days ago, 1/2 before the first day; price(K) of NAME
 *   average(K)           the mean of its prices on the last K days before today
 *   held                 shares of it bought by now
 *   known, verdict       1 or 0: whether it is decided; 1, 0, or 1/2 while it is not
 *   frequency            how often its family came true so far, (true + 1) / (known + 2)
 *   day                  the number of today, from 1
 *   + - * ( ) and / by a number
 *   min(A, B) max(A, B) abs(A) clamp(A, LOW, HIGH)
 *   ramp(A, FROM, TO)    0 up to FROM, 1 from TO on, a straight line between
 *   share(A)             1 / max(1, A)
 */
#ifndef TRINE_TRUTH_STRATEGY_H
#define TRINE_TRUTH_STRATEGY_H

#include "truth/trader.h"

enum { STRATEGY_BYTES_LIMIT = 1 << 20, STRATEGY_NODES_LIMIT = 10000 };

/* A trader from a file. `base` says what names and families there are; it is not kept. Errors give
 * file, line and what was expected. */
int strategy_read(struct trader **out, const char *path, const struct belief_base *base,
                  struct error *error);
/* The same from text; `source` is for messages. */
int strategy_parse(struct trader **out, const char *text, const char *source,
                   const struct belief_base *base, struct error *error);

#endif
