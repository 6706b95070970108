/* The order in which examples are learned: shuffled anew in every epoch, then windows of it put in
 * order of length, so that examples of alike length share a step and little of it is padding. */
#ifndef TRINE_TRAIN_LENGTH_ORDER_H
#define TRINE_TRAIN_LENGTH_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct length_order {
    const uint16_t *lengths; /* [count], borrowed */
    size_t count, window;
    uint64_t seed;
    uint32_t *order; /* of the examples, in the present epoch */
    size_t epoch;    /* the present one, counted from 1; 0: none yet */
};

int length_order_create(struct length_order *order, const uint16_t *lengths, size_t count,
                        size_t window, uint64_t seed, struct error *error);
void length_order_free(struct length_order *order);

/* The example at position `at` of the endless row of epochs. */
uint32_t length_order_pick(struct length_order *order, size_t at);

#endif
