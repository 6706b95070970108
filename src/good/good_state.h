/* What an interrupted training of the good author needs to go on. */
#ifndef TRINE_GOOD_GOOD_STATE_H
#define TRINE_GOOD_GOOD_STATE_H

#include <stdint.h>

#include "train/layer_optimizer.h"

struct good_state {
    uint64_t fingerprint; /* of data, options and layer: nothing else goes on from here */
    uint64_t step;        /* so many are done */
    struct layer *layer;  /* borrowed; its numbers */
    struct layer_optimizer *optimizer; /* borrowed */
    double *references;                /* [reference_count] borrowed */
    size_t reference_count;
    uint64_t has_references;
};

int good_state_save(const struct good_state *state, const char *path, struct error *error);
/* *is_there <- 0 and nothing else when there is no file. The layer's operands are refreshed. */
int good_state_load(struct good_state *state, const char *path, int *is_there, struct error *error);

#endif
