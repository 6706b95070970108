/* Authors who never wrote: a draw from what is to be expected of an author of a date, a party, or
 * whatever else a handle says of the other slots.
 *
 * The conditional prior (latent/prior.h) is fitted to the model's own authors: one observation
 * each, its vector, under the mean condition of its documents (latent/conditions.h). A slot enters
 * by its points, whatever its kind. It is fitted anew for the conditions at hand: those that the
 * handle says nothing of are no inputs, so that nothing is assumed of them, and what they would
 * have explained counts as noise. Authors whose documents lack one of the conditions are not in
 * that fit. */
#ifndef TRINE_LATENT_IMAGINE_H
#define TRINE_LATENT_IMAGINE_H

#include "latent/handle.h"
#include "latent/prior.h"

struct imagined_prior {
    const struct model *model;                /* borrowed, with its conditions */
    const struct slot *slot;                  /* of the authors */
    size_t inputs[PRIOR_INPUTS], input_count; /* which slots are conditions */
    size_t *labels;                           /* [prior.count] the authors that it knows */
    struct prior prior;
};

/* is_used[MAXIMUM_SLOTS] <- the slots that the handle says something of, but for the authors'. */
void imagine_conditions(const struct handle *handle, int *is_used);

/* Fits the prior to all authors but `without` (-1: nobody), at most to the PRIOR_MOST of the most
 * documents. is_used NULL: the unconditional prior. `start` as in prior_fit. Fails with what to do
 * when the model has no conditions. */
int imagine_fit(struct imagined_prior *out, const struct model *model, const int *is_used,
                long without, const struct prior_settings *start, struct error *error);
void imagine_free(struct imagined_prior *prior);

/* Under a handle's other slots: told ones are known exactly. */
int imagine_predict(struct prior_gaussian *out, const struct imagined_prior *prior,
                    const struct handle *handle, struct error *error);
/* Under the mean conditions of an author that the model knows. */
int imagine_predict_of(struct prior_gaussian *out, const struct imagined_prior *prior, size_t label,
                       struct error *error);

enum { IMAGINED_NEIGHBOURS = 5 };

/* One author who never wrote, and where it stands among those who did. */
struct imagined {
    double point[MAXIMUM_SLOT_WIDTH];
    size_t neighbour_count;
    size_t neighbours[IMAGINED_NEIGHBOURS]; /* labels, the nearest first */
    double distances[IMAGINED_NEIGHBOURS];  /* of the vectors */
    double typical; /* root mean squared distance of two of the authors that the prior knows */
    double spreads; /* distance from the nearest, in standard deviations of an author's documents
                       per dimension: below about 1 it would pass for that author's */
    double nearer;  /* share of those authors that lie nearer to the prior's mean, in the prior's
                       own standard deviations */
};

/* Draw number `index` of a seed. */
void imagine_draw(struct imagined *out, const struct imagined_prior *prior,
                  const struct prior_gaussian *gaussian, uint64_t seed, uint64_t index);

/* The same of the prior's mean. */
void imagine_middle(struct imagined *out, const struct imagined_prior *prior,
                    const struct prior_gaussian *gaussian);

/* Tells the handle's author slot the vector. */
int imagine_tell(struct handle *handle, const struct imagined_prior *prior,
                 const struct imagined *imagined, uint64_t seed, struct error *error);

/* All of it: what `--author sampled` does. */
int imagine_author(struct handle *handle, uint64_t seed, struct imagined *out, struct error *error);

#endif
