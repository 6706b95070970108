/* What a market did, kept in an SQLite file: its sentences with the price of every day, its traders
 * with what they hold, and each day's certificate. */
#ifndef TRINE_TRUTH_MARKET_RECORD_H
#define TRINE_TRUTH_MARKET_RECORD_H

#include "truth/belief_base.h"

struct market_sentence {
    char *name, *text, *family; /* "" when absent */
    int is_constraint;
    enum verdict verdict;
    uint32_t day; /* of the verdict */
};

struct market_trader {
    char *name;
    double weight;      /* exact: the share of its budgets that is left; kelly: its wealth */
    double least, most; /* exact: what its trades are worth in the worst and the best world; kelly:
                           nats that it and the market lost on its sentences */
    double *holding;    /* [sentence_count]; kelly: its last beliefs; NAN for none */
};

struct market_day {
    double gain, tolerance, incoherence;
};

struct market_record {
    char engine[16]; /* "exact" or "kelly" */
    size_t sentence_count, trader_count, day_count;
    struct market_sentence *sentences;
    struct market_trader *traders;
    struct market_day *days;
    double *prices; /* [day_count, sentence_count] */
};

/* Room for the sentences of a base (one for each that is believed or is a law), traders and days.
 */
int market_record_create(struct market_record *record, const char *engine,
                         const struct belief_base *base, size_t traders, size_t days,
                         struct error *error);
void market_record_free(struct market_record *record);

/* The whole file or none is written. */
int market_record_save(const struct market_record *record, const char *path, struct error *error);
int market_record_load(struct market_record *record, const char *path, struct error *error);

/* The sentence of this name, or else of this text; SIZE_MAX when there is none. */
size_t market_record_find(const struct market_record *record, const char *name);

#endif
