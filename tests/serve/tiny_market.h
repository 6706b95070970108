/* A little record of a market, as `trine market run` leaves them. */
#ifndef TRINE_TESTS_SERVE_TINY_MARKET_H
#define TRINE_TESTS_SERVE_TINY_MARKET_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "truth/market_record.h"

enum { TINY_SENTENCES = 5, TINY_TRADERS = 10, TINY_DAYS = 4 };

/* Sentence i costs (i + 1) / 10 on the first day and 0.01 more on each that follows. */
static inline double tiny_price(size_t day, size_t sentence) {
    return ((double)sentence + 1) / 10 + 0.01 * (double)day;
}

static inline void tiny_market_base(struct belief_base *base) {
    struct error error;
    *base = (struct belief_base){0};
    assert_int_equal(sentences_create(&base->sentences, &error), 0);
    static const struct {
        const char *name, *text, *formula;
        enum verdict verdict;
        uint32_t day;
    } BELIEFS[TINY_SENTENCES] = {
        {"fox", "The fox is quick.", NULL, VERDICT_TRUE, 2},
        {"dog", "the dog is lazy", NULL, VERDICT_UNKNOWN, 0},
        {"cold", "It is -5.5 degrees, isn\xe2\x80\x99t it?", NULL, VERDICT_FALSE, 3},
        {"both", NULL, "fox and (dog or cold)", VERDICT_UNKNOWN, 0},
        {"", NULL, "fox implies dog", VERDICT_TRUE, 0},
    };
    for (size_t i = 0; i < TINY_SENTENCES; i++) {
        struct belief b = {.id = (char *)BELIEFS[i].name,
                           .is_constraint = *BELIEFS[i].name == '\0',
                           .verdict = BELIEFS[i].verdict,
                           .weight = 1,
                           .day = BELIEFS[i].day};
        int result =
            BELIEFS[i].text != NULL
                ? sentences_add_atom(base->sentences, BELIEFS[i].text, &b.sentence, &error)
                : sentences_parse(base->sentences, BELIEFS[i].formula, &b.sentence, &error);
        if (result != 0 ||
            (*b.id != '\0' && sentences_add_name(base->sentences, b.id, b.sentence, &error) != 0) ||
            belief_base_add(base, &b, &error) != 0)
            fail_msg("%s", error.message);
    }
}

/* Trader j weighs j / 10 and believes 0.05 j of every sentence but the second, of which nobody but
 * the last two thinks anything; the one before the last has no weight that is a number. */
static inline void tiny_market_save(const char *path, const char *engine) {
    struct belief_base base;
    struct market_record record;
    struct error error;
    tiny_market_base(&base);
    if (market_record_create(&record, engine, &base, TINY_TRADERS, TINY_DAYS, &error))
        fail_msg("%s", error.message);
    for (size_t i = 0; i < TINY_SENTENCES * TINY_DAYS; i++)
        record.prices[i] = tiny_price(i / TINY_SENTENCES, i % TINY_SENTENCES);
    for (size_t j = 0; j < TINY_TRADERS; j++) {
        char name[32];
        snprintf(name, sizeof name, "trader %zu", j);
        record.traders[j].name = strdup(name);
        record.traders[j].weight = j == TINY_TRADERS - 2 ? INFINITY : (double)j / 10;
        for (size_t i = 0; i < TINY_SENTENCES; i++)
            if (i != 1 || j >= TINY_TRADERS - 2)
                record.traders[j].holding[i] = 0.05 * (double)(j + 1);
    }
    if (market_record_save(&record, path, &error))
        fail_msg("%s", error.message);
    market_record_free(&record);
    belief_base_free(&base);
}

#endif
