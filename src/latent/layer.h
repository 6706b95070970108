/* A layer over a model, such as truth: one more author, given by a vector for all slots, and an
 * overlay of adapters that is on while this author writes. It lies in a file of its own; the
 * model's file and numbers are never changed. */
#ifndef TRINE_LATENT_LAYER_H
#define TRINE_LATENT_LAYER_H

#include "latent/model.h"

enum { LAYER_FINGERPRINT = 17 };

/* The numbers of a calibration, from evidence to a probability (truth/judging.h): what each kind of
 * evidence weighs, a shift, what is usually heard, and how sure to be before coherence. */
enum layer_calibration {
    LAYER_SAID,   /* the answers' log odds */
    LAYER_READ,   /* a library's log odds */
    LAYER_HEARD,  /* nats heard of the author, less what is usual */
    LAYER_BESIDE, /* nats heard of another model, less what is usual */
    LAYER_SHIFT,
    LAYER_USUAL,
    LAYER_USUAL_BESIDE,
    LAYER_JOINED, /* log odds that "both" is likelier, "either" less, than of independent clauses */
    LAYER_CONFIDENCE,
    LAYER_CALIBRATION
};

struct layer {
    const struct model *model; /* borrowed */
    char kind[16];             /* "truth" */
    char name[64];
    struct overlay overlay;
    size_t count;                          /* overlay.layout.count + Z: what is trained */
    real *values;                          /* [count]: the overlay's numbers, then the vector */
    void *operands;                        /* [count] */
    double calibration[LAYER_CALIBRATION]; /* where nobody else is heard */
    double beside[LAYER_CALIBRATION];      /* where another model is; all 0: never fitted */
    uint64_t beside_model;                 /* the other's layer_model_fingerprint */
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

/* What tells a model from any other, of everything that it and its base own. */
uint64_t layer_model_fingerprint(const struct model *model);

/* What tells a layer from any other: text[LAYER_FINGERPRINT], of its numbers. */
void layer_fingerprint(const struct layer *layer, char *text);

int layer_save(const struct layer *layer, const char *path, struct error *error);
/* Refuses a layer of another model. */
int layer_load(struct layer **out, const struct model *model, const char *path,
               struct error *error);

#endif
