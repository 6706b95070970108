/* The market of a resident model: the record that `trine market run` left, read once, in which
 * sentences are found by what they say, up to case and punctuation. Read-only when it is open: any
 * thread may ask. */
#ifndef TRINE_SERVE_MODEL_MARKET_H
#define TRINE_SERVE_MODEL_MARKET_H

#include <jansson.h>

#include "truth/market_record.h"

enum {
    MARKET_PRICES_MOST = 2000, /* days of one sentence that are told; of more, evenly so many */
    MARKET_TRADERS_MOST = 8,   /* whose opinions are told */
    MARKET_LIST_MOST = 200     /* sentences that are listed at a time */
};

struct model_market;

/* Refuses what is no record, or has texts that are no UTF-8. */
int model_market_open(struct model_market **out, const char *path, struct error *error);
void model_market_close(struct model_market *market); /* NULL is fine */

const struct market_record *model_market_record(const struct model_market *market);

/* *sentence <- the one that reads so: to the letter, or else up to case and punctuation, or else
 * the one of this name; SIZE_MAX: there is none. -1: out of memory, or the text is no UTF-8. */
int model_market_find(const struct model_market *market, const char *text, size_t *sentence,
                      struct error *error);

/* places[most] <- the first sentences, in the record's order, that have all words of the search,
 * each as a beginning of one of theirs; *count <- how many these are, *total <- how many there are
 * in all. A search without words finds all. */
int model_market_search(const struct model_market *market, const char *search, size_t most,
                        size_t *places, size_t *count, size_t *total, struct error *error);

/* {"name", "text", "formula", "price", "verdict", "day"} of one sentence; NULL: out of memory. */
json_t *model_market_sentence(const struct model_market *market, size_t sentence);

/* The same and "prices": [{"day", "price"}], "traders": [{"name", "wealth", "belief"|"shares"}],
 * the wealthiest first. */
json_t *model_market_history(const struct model_market *market, size_t sentence);

#endif
