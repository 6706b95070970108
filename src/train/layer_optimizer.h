/* Steps on the numbers of a layer, from gradients that several threads summed up. */
#ifndef TRINE_TRAIN_LAYER_OPTIMIZER_H
#define TRINE_TRAIN_LAYER_OPTIMIZER_H

#include "latent/layer.h"
#include "train/optimizer.h"

struct layer_optimizer {
    struct layer *layer; /* borrowed */
    real *moments;       /* [2 * layer->count] AdamW's first and second */
    uint8_t *decays;     /* adapters decay, the vector does not */
};

struct layer_step {
    size_t step; /* counted from 0 */
    double rate, decay;
    double clip; /* the gradient's norm is at most this */
};

int layer_optimizer_create(struct layer_optimizer *optimizer, struct layer *layer,
                           struct error *error);
void layer_optimizer_free(struct layer_optimizer *optimizer);

/* A warm-up of a tenth of the steps, at most 20, then half a cosine down to a twentieth. */
double layer_rate(double rate, size_t step, size_t steps);

/* `gradients`: of each thread, [layer->count]; they are added in their order, and the sum is left
 * in the first. A gradient that is not finite is an error, and nothing is changed. */
int layer_optimizer_step(struct layer_optimizer *optimizer, real *const *gradients, size_t threads,
                         const struct layer_step *step, struct error *error);

#endif
