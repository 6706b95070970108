/* Pairs of neighbouring tokens while a vocabulary is learnt: how often each occurs, in which
 * pieces, and which is the most frequent. A merge looks only at the pieces that hold its pair.
 *
 * It rests on one fact: a merge makes new pairs with its new token alone, so the count of a pair
 * only falls once the step that made it is over. */
#ifndef TRINE_TEXT_PAIR_INDEX_H
#define TRINE_TEXT_PAIR_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct pair_index;

int pair_index_create(struct pair_index **out, struct error *error);
void pair_index_destroy(struct pair_index *index);

/* Counts a pair `count` times more. Unless it is NO_PIECE, the piece is kept as one that holds the
 * pair; its additions of one step must follow one another. */
#define NO_PIECE UINT32_MAX
int pair_index_add(struct pair_index *index, uint32_t left, uint32_t right, uint64_t count,
                   uint32_t piece, struct error *error);
/* Counts it `count` times less; the pair was added. */
void pair_index_subtract(struct pair_index *index, uint32_t left, uint32_t right, uint64_t count);

/* Takes out the most frequent pair, of equals the one of the lowest ids: it is never given again.
 * 1: `pair` is left, right; 0: none is left that occurs twice; -1: no memory. */
int pair_index_best(struct pair_index *index, uint32_t pair[2], struct error *error);

/* Takes a piece that may hold the pair; NO_PIECE when there are no more. */
uint32_t pair_index_take(struct pair_index *index, uint32_t left, uint32_t right);

#endif
