/* What traders believe, day by day, from a file of JSON lines:
 *
 *   {"trader": "almanac", "sentence": "lagos", "belief": 0.9, "day": 3}
 *   {"trader": "network", "sentence": "lagos", "log_odds": -7.2}
 *
 * `sentence` is a name or a text of the belief base, `belief` a probability or null (no opinion any
 * more), `day` (1 unless given) when it begins to hold. A trader that says `log_odds`, of whatever
 * scale, is calibrated every day on what is known by then (truth/calibration.h); it says nothing
 * else. */
#ifndef TRINE_TRUTH_OPINIONS_H
#define TRINE_TRUTH_OPINIONS_H

#include "truth/belief_base.h"

struct opinion {
    uint32_t trader, sentence, day;
    double said;  /* a probability, or log odds; NAN: none */
    size_t place; /* in the order of reading */
};

enum opinion_scale { OPINION_UNDECIDED, OPINION_PROBABILITY, OPINION_LOG_ODDS };

struct opinion_trader {
    char *name;
    enum opinion_scale scale;
};

struct opinions {
    struct opinion_trader *traders;
    size_t trader_count, trader_capacity;
    struct opinion *items; /* by day */
    size_t count, capacity, applied;
    size_t sentence_count;
    double *said;       /* [trader_count, sentence_count]: of the day, NAN for none */
    double *beliefs;    /* the same as probabilities */
    int is_stale;       /* something was said since the last calibration */
    size_t known_count; /* at the last calibration */
};

/* `*opinions` may hold some already (zeros: none): the file's are added. */
int opinions_read(struct opinions *opinions, const char *path, const struct belief_base *base,
                  struct error *error);
/* After all were added, before the first day. */
int opinions_start(struct opinions *opinions, const struct belief_base *base, struct error *error);
/* One opinion of a program's own. */
int opinions_add(struct opinions *opinions, const char *trader, enum opinion_scale scale,
                 uint32_t sentence, uint32_t day, double said, struct error *error);
/* beliefs <- those that hold on this day; days must not go back. known[sentence]: 0 or 1 for what
 * was known before that day, anything else for what was not; families[sentence] from 1 on, 0 for
 * none. */
int opinions_set_day(struct opinions *opinions, size_t day, const uint8_t *known,
                     const uint32_t *families, size_t family_count, struct error *error);
/* As opinions_read reads them. */
int opinions_write(const struct opinions *opinions, const char *path,
                   const struct belief_base *base, struct error *error);
void opinions_free(struct opinions *opinions);

#endif
