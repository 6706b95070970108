/* The worlds that are propositionally consistent with what is known, by groups of sentences that
 * share atoms: groups do not bind each other, so a world of all sentences is one world of each. */
#ifndef TRINE_TRUTH_WORLDS_H
#define TRINE_TRUTH_WORLDS_H

#include "truth/logic.h"

/* Groups with more worlds than this fall apart into single sentences. That admits worlds that are
 * not consistent, which errs on the side of caution: budgets are kept in more worlds than needed.
 */
enum { WORLDS_LIMIT = 4096 };

struct world_group {
    uint32_t *sentences;
    size_t count;
    uint8_t *worlds; /* [world_count, count] */
    size_t world_count;
};

struct worlds {
    const struct sentences *sentences; /* borrowed */
    struct logic *logic;
    struct world_group *groups;
    size_t group_count, group_capacity;
    uint32_t *group_of, *place_of; /* of each sentence */
    size_t split_count;            /* groups that fell apart */
};

/* Nothing is known yet. */
int worlds_create(struct worlds *worlds, const struct sentences *sentences, struct error *error);
void worlds_free(struct worlds *worlds);

/* From now on only worlds count in which these hold. Claims that leave no world are an error. */
int worlds_learn(struct worlds *worlds, const struct claim *claims, size_t count,
                 struct error *error);

#endif
