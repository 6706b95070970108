/* A belief base: sentences to be priced, laws that bind them, verdicts and the days on which they
 * became known. One JSON object a line:
 *
 *   {"id": "lagos", "sentence": "Lagos is a city in Nigeria", "family": "cities", "verdict": true,
 *    "day": 3, "source": "gazetteer", "weight": 1}
 *   {"id": "both", "formula": "lagos and not abuja"}
 *   {"constraint": "lagos implies africa", "day": 0, "source": "geography"}
 *
 * A line has one of `sentence` (a text), `formula` and `constraint` (a formula that holds). `id` is
 * a name for formulas: those of all sentences may be used anywhere, those of formulas from there
 * on. `day` (0 unless given) is when the verdict or the constraint became known. `weight` (1 unless
 * given) in (0, 1] is how far the source is trusted. A key that is not listed here is an error. */
#ifndef TRINE_TRUTH_BELIEF_BASE_H
#define TRINE_TRUTH_BELIEF_BASE_H

#include <sqlite3.h>

#include "truth/logic.h"

enum { BELIEF_LINE_LIMIT = 1 << 20, LAST_DAY = 1000000 };

enum verdict { VERDICT_FALSE = 0, VERDICT_TRUE = 1, VERDICT_UNKNOWN = 2 };

/* Strings are "" when absent. */
struct belief {
    char *id, *family, *source;
    uint32_t sentence;
    int is_constraint; /* then it is not priced, and its verdict is VERDICT_TRUE */
    enum verdict verdict;
    uint32_t day;
    double weight;
    size_t line; /* where it was read, from 1 */
};

struct belief_base {
    struct sentences *sentences;
    struct belief *items;
    size_t count, capacity;
    char *name; /* the file's, for messages */
};

/* Reads a file ("-": standard input), plain or compressed. */
int belief_base_read(struct belief_base *base, const char *path, struct error *error);
void belief_base_free(struct belief_base *base);

/* Adds one belief by itself; strings are copied, NULL is "". */
int belief_base_add(struct belief_base *base, const struct belief *belief, struct error *error);

/* family[base->count] <- 0 for beliefs of no family, otherwise a number from 1 to *count, in the
 * order in which families first occur. */
int belief_base_number_families(const struct belief_base *base, uint32_t *family, size_t *count,
                                struct error *error);

/* Refuses verdicts and constraints of at least this weight that cannot hold together, naming
 * the fewest lines that clash. */
int belief_base_check(const struct belief_base *base, double weight, struct error *error);

/* Exchanges the beliefs in a corpus's catalogue for these; loads them. Loading from a catalogue
 * that has none is an error. */
int belief_base_store(const struct belief_base *base, const char *corpus, struct error *error);
int belief_base_load(struct belief_base *base, const char *corpus, struct error *error);

#endif
