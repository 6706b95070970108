/* What is known of all slots of a document: a Gaussian each. The one type through which labels,
 * dates, sample text, mixtures, vectors and the prior reach the writer.
 *
 * A slot that is *told* is held at its mean while text is written; any other slot starts at its
 * Gaussian and goes on being inferred from the text. A year beyond those that the model knows is
 * told *loosely*: it widens with the distance (latent/extrapolation.h) and is inferred from there.
 */
#ifndef TRINE_LATENT_HANDLE_H
#define TRINE_LATENT_HANDLE_H

#include <jansson.h>

#include "latent/model.h"

struct handle {
    const struct model *model; /* borrowed: must outlive the handle */
    real *mean, *precision;    /* [Z] */
    int is_told[MAXIMUM_SLOTS];
    int is_loose[MAXIMUM_SLOTS];    /* of those not told: a year beyond the known ones was */
    size_t tokens;                  /* that were read into it: they say how far to believe it */
    char source[MAXIMUM_SLOTS][96]; /* where each slot's value came from, for people */
};

/* The prior: mean 0, precision 1, nothing told. */
int handle_create(struct handle *handle, const struct model *model, struct error *error);
void handle_free(struct handle *handle);

/* Tells a slot a label: a name of a categorical slot, a year ("1863", "1863.5") of a date slot, or
 * of a place slot "latitude,longitude" or, if the model has a gazetteer, a name; years and places
 * also outside the corpus, of which a year is told loosely beyond the grid. An unknown name is an
 * error that lists near ones. */
int handle_tell(struct handle *handle, const char *slot, const char *label, struct error *error);
int handle_tell_year(struct handle *handle, const char *slot, double year, struct error *error);
int handle_tell_place(struct handle *handle, const char *slot, struct location place,
                      struct error *error);

/* Tells a slot a mixture "A:0.6,B:0.4" of labels; weights need not sum to 1 and may be negative,
 * their sum must not be 0. */
int handle_tell_mixture(struct handle *handle, const char *slot, const char *mixture,
                        struct error *error);

/* Tells a slot a raw vector of its width. */
int handle_tell_vector(struct handle *handle, const char *slot, const double *vector, size_t count,
                       struct error *error);

/* Takes over a Gaussian over all slots [Z] that a reader inferred from so many tokens; the slots
 * go on being inferred from there. */
void handle_set_posterior(struct handle *handle, const real *mean, const real *precision,
                          size_t tokens, const char *source);

/* mask[Z] <- 1 where a slot is told, else 0: a pass_handle's told_mask. */
void handle_told_mask(const struct handle *handle, real *mask);

/* As passes and decoders take it; `room` [2,Z] holds what is not in the handle. Both are borrowed.
 */
struct pass_handle handle_pass(const struct handle *handle, real *room);

/* log_odds[point_count] of a slot's labels under the handle, without a preference for any label;
 * calibrated if the slot was inferred from a text. */
int handle_log_odds(const struct handle *handle, const struct slot *slot, double *log_odds,
                    struct error *error);

/* JSON: {"trine_handle": 1, "slots": {NAME: {"mean": [...], "precision": [...], "told": bool,
 * "source": text}}, "tokens": count}. From JSON: slots may be missing; unknown slots, wrong widths,
 * numbers that are not finite and precisions that are not positive are errors. */
json_t *handle_to_json(const struct handle *handle);
int handle_from_json(struct handle *handle, const json_t *json, struct error *error);
int handle_load(struct handle *handle, const char *path, struct error *error);
int handle_save(const struct handle *handle, const char *path, struct error *error);

#endif
