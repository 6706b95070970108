/* What traders believe, day by day, from a file of JSON lines:
 *
 *   {"trader": "almanac", "sentence": "lagos", "belief": 0.9, "day": 3}
 *
 * `sentence` is a name or a text of the belief base, `belief` a probability or null (no opinion any
 * more), `day` (1 unless given) when it begins to hold. */
#ifndef TRINE_TRUTH_OPINIONS_H
#define TRINE_TRUTH_OPINIONS_H

#include "truth/belief_base.h"

struct opinion {
    uint32_t trader, sentence, day;
    double belief; /* NAN: none */
    size_t place;  /* in the order of reading */
};

struct opinions {
    char **traders; /* names */
    size_t trader_count, trader_capacity;
    struct opinion *items; /* by day */
    size_t count, capacity, applied;
    size_t sentence_count;
    double *beliefs; /* [trader_count, sentence_count]: those of the day, NAN for none */
};

/* `*opinions` may hold some already (zeros: none): the file's are added. */
int opinions_read(struct opinions *opinions, const char *path, const struct belief_base *base,
                  struct error *error);
/* After all were added, before the first day. */
int opinions_start(struct opinions *opinions, const struct belief_base *base, struct error *error);
/* beliefs <- those that hold on this day; days must not go back. */
void opinions_set_day(struct opinions *opinions, size_t day);
void opinions_free(struct opinions *opinions);

#endif
