/* The atlas: the points of a categorical slot laid out along their principal components, and what
 * each direction means: what it goes along with, who stands at its ends, and what it does to the
 * words. */
#ifndef TRINE_LATENT_ATLAS_H
#define TRINE_LATENT_ATLAS_H

#include "latent/model.h"
#include "math/pca.h"

enum { ATLAS_TOKENS = 8 };

/* Something known of the labels, to be compared with where they stand. */
struct atlas_fact {
    char name[160];
    double *values; /* [point_count]; NAN: unknown */
};

/* A token and how much likelier it is two standard deviations up the component than two down. */
struct atlas_effect {
    uint32_t token;
    double weight; /* mean probability times |log ratio|, nats: what it is ranked by */
    double ratio;
};

struct atlas_component {
    double share;         /* of the variance */
    double deviation;     /* standard deviation along it */
    double *coordinates;  /* [point_count]; NAN for labels left out */
    double *correlations; /* [fact_count] Pearson's r with each fact; NAN: not known */
    struct atlas_effect up[ATLAS_TOKENS], down[ATLAS_TOKENS];
};

struct atlas {
    const struct model *model; /* borrowed */
    const struct slot *slot;
    struct pca pca;
    struct atlas_component *components;
    size_t component_count, fact_count, label_count;
    int has_effects;
};

/* Lays out the labels with is_used[point_count] != 0 (at least two). There are at most the slot's
 * width of components, and one fewer than labels: n points span n - 1 directions. */
int atlas_create(struct atlas *atlas, const struct model *model, const struct slot *slot,
                 const int *is_used, const struct atlas_fact *facts, size_t fact_count,
                 size_t component_count, struct error *error);
void atlas_free(struct atlas *atlas);

/* A stretch of text in which the next token is predicted at every position. */
struct atlas_context {
    const uint32_t *tokens; /* borrowed */
    size_t count;
};

/* Fills each component's `up` and `down`: over the contexts, the writer is told the slot's mean
 * plus and minus two standard deviations along the component; other slots are inferred. Refuses
 * tokens that the model does not have. Stops between components when nobody wants it any more
 * (base/cancellation.h). */
int atlas_measure_effects(struct atlas *atlas, const struct atlas_context *contexts, size_t count,
                          struct error *error);

#endif
