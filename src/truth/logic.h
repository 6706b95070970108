/* What follows and what clashes, asked of the SAT solver CaDiCaL (Biere et al.).
 *
 * A formula is translated once, by Tseitin's encoding: every part of a formula has a variable of
 * its own, tied to its parts by clauses of at most three literals. */
#ifndef TRINE_TRUTH_LOGIC_H
#define TRINE_TRUTH_LOGIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "truth/sentence.h"

struct logic;

/* That a sentence is true, or that it is false. */
struct claim {
    uint32_t sentence;
    int is_true;
};

/* `sentences` is borrowed and may grow. */
int logic_create(struct logic **out, const struct sentences *sentences, struct error *error);
void logic_destroy(struct logic *logic);

/* From now on only worlds count in which the claim holds. */
void logic_assert(struct logic *logic, struct claim claim);

/* 1 when some world agrees with what was asserted and with these claims, otherwise 0. */
int logic_is_consistent(struct logic *logic, const struct claim *claims, size_t count);

/* 1 when what was asserted proves the sentence, -1 when it refutes it, 0 when it leaves it open. */
int logic_verdict(struct logic *logic, uint32_t sentence);

/* Of claims that clash with each other or with what was asserted, the indexes of some that still
 * do and of which none can be spared: clash[*clash_count], room for `count`. *clash_count is
 * SIZE_MAX when the claims are consistent. */
void logic_find_clash(struct logic *logic, const struct claim *claims, size_t count, size_t *clash,
                      size_t *clash_count);

/* Every way in which these sentences can be true and false together: (*worlds)[*world_count *
 * count], to be freed with free. More than `limit` of them: *world_count is SIZE_MAX, *worlds NULL.
 */
int logic_worlds(struct logic *logic, const uint32_t *sentences, size_t count, size_t limit,
                 uint8_t **worlds, size_t *world_count, struct error *error);

#endif
