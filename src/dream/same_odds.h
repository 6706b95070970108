/* What the log odds of `trine same` are worth, fitted on texts whose authors are known.
 *
 * What one author's works differ by is wider than the spread that training saw, so that the log
 * odds are too large. A scale and a shift by logistic regression on pairs of texts, never of one
 * work, make probabilities of them (math/logistic.h); they belong to one slot of one model:
 *
 *   {"trine_same_odds": 1, "space": "fingerprint", "scale": 0.25, "shift": -1.5,
 *    "same": 412, "different": 9214}
 */
#ifndef TRINE_DREAM_SAME_ODDS_H
#define TRINE_DREAM_SAME_ODDS_H

#include <stdint.h>

#include "dream/same.h"

enum {
    SAME_ODDS_LEAST_PAIRS = 10, /* of one author, and of two */
    SAME_ODDS_MOST_TEXTS = 4000,
    SAME_ODDS_FILE_LIMIT = 1 << 16
};

struct same_odds {
    double scale, shift;
    size_t same, different; /* pairs that they were fitted on */
};

/* Fits to log_odds[count] of pairs with is_same[count], 0 or 1; for even odds to begin with,
 * however many pairs there are of each kind. Refuses too few pairs, and log odds by which one
 * author's texts are no likelier to be one's than those of two. */
int same_odds_fit(struct same_odds *odds, const double *log_odds, const uint8_t *is_same,
                  size_t count, struct error *error);

double same_odds_apply(const struct same_odds *odds, double log_odds);

/* Texts of known authors, as they stand in JSON lines: {"text", "author"} and, where several are
 * parts of one work, "work". */
struct known_passage {
    char *text, *author, *work; /* work: or NULL */
};
struct known_passages {
    struct known_passage *items;
    size_t count, capacity;
};

/* Refuses a line that is none, and more than SAME_ODDS_MOST_TEXTS. Free also after a failure. */
int known_passages_read(struct known_passages *passages, const char *path, struct error *error);
void known_passages_free(struct known_passages *passages);

/* Whether a pair says anything: not of one work of one author. */
int known_passages_are_apart(const struct known_passage *one, const struct known_passage *other);

int same_odds_save(const struct same_odds *odds, const struct same_space *space, const char *path,
                   struct error *error);
/* Refuses those of another model or slot. */
int same_odds_load(struct same_odds *odds, const struct same_space *space, const char *path,
                   struct error *error);

#endif
