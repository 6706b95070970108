/* A layer over a model, such as truth: one more author, given by a vector for all slots, and an
 * overlay of adapters that is on while this author writes. It lies in a file of its own; the
 * model's file and numbers are never changed. */
#ifndef TRINE_LATENT_LAYER_H
#define TRINE_LATENT_LAYER_H

#include "latent/model.h"

enum { LAYER_CALIBRATION = 6, LAYER_FINGERPRINT = 17 };

struct layer {
    const struct model *model; /* borrowed */
    char kind[16];             /* "truth" */
    char name[64];
    struct overlay overlay;
    size_t count;   /* overlay.layout.count + Z: what is trained */
    real *values;   /* [count]: the overlay's numbers, then the vector */
    void *operands; /* [count] */
    /* From what it says to a probability: log odds times the first, those of a library times the
     * second, nats heard less the fifth times the third, plus the fourth; and before probabilities
     * are made coherent, their log odds times the sixth (truth/judging.h). */
    double calibration[LAYER_CALIBRATION];
};

/* Rank 0 of the overlay: 8, from the split on, all matrices, scale 2. */
int layer_create(struct layer **out, const struct model *model, const char *kind, const char *name,
                 const struct overlay_config *overlay, uint64_t seed, struct error *error);
void layer_destroy(struct layer *layer);

/* operands <- values; call after every change of the values. */
void layer_refresh_operands(struct layer *layer);

/* The model's weights with the layer on. */
struct weights layer_weights(const struct layer *layer);
/* [Z] */
const real *layer_vector(const struct layer *layer);

/* What tells a layer from any other: text[LAYER_FINGERPRINT], of its numbers. */
void layer_fingerprint(const struct layer *layer, char *text);

int layer_save(const struct layer *layer, const char *path, struct error *error);
/* Refuses a layer of another model. */
int layer_load(struct layer **out, const struct model *model, const char *path,
               struct error *error);

#endif
