/* What a later layer adds to a network while it is on: adapters of its own on the blocks' matrices,
 * over whatever the network is. The network's numbers are never changed, and with the overlay off
 * (a view of the weights without it) the same instructions run on the same numbers as if it did not
 * exist. */
#ifndef TRINE_MODEL_OVERLAY_H
#define TRINE_MODEL_OVERLAY_H

#include "model/config.h"

struct overlay_config {
    size_t rank;    /* r of W + scale B A */
    size_t first;   /* the first block that is adapted, not below the split */
    size_t targets; /* 1 << enum adapter_target, added up */
    double scale;
};

struct overlay_layout {
    struct adapter_layout adapters[MAXIMUM_BLOCKS][ADAPTER_TARGETS];
    size_t count; /* all numbers */
};

struct overlay {
    struct overlay_config config;
    struct overlay_layout layout;
    const real *values;   /* [layout.count] */
    const void *operands; /* [layout.count]; equals values when the precision is real */
};

int overlay_config_check(const struct overlay_config *overlay, const struct config *config,
                         struct error *error);

/* Where the adapters lie. `tensors` (room for MAXIMUM_TENSORS, may be NULL) receives names and
 * places. */
void overlay_layout_make(struct overlay_layout *layout, const struct overlay_config *overlay,
                         const struct config *config, struct tensor_place *tensors,
                         size_t *tensor_count);

int overlay_is_adapted(const struct overlay_config *overlay, size_t l, enum adapter_target target);

/* values[layout->count] <- A from N(0, 0.02^2), B zero: an overlay that changes nothing yet. */
void overlay_initialise(real *values, const struct overlay_layout *layout,
                        const struct overlay_config *overlay, const struct config *config,
                        uint64_t seed);

#endif
