/* Authorship verification: did one author write both texts? Also of authors whom the model never
 * met: what counts is where the reader puts the texts in the author slot's space, and how sure it
 * is, not which label is near.
 *
 * Per dimension of the slot an author stands at a ~ N(centre, spread^2), as the labels do that the
 * model learned; a text of theirs at z ~ N(a, sigma^2), with sigma the slot's own; and the reader
 * saw o ~ N(z, 1 / lambda) of it. Both for two texts of one author and for two of different ones
 * (o_1, o_2) are jointly Gaussian and differ in the covariance alone, spread^2 or 0. The log ratio
 * of the two densities is the two-covariance model of speaker verification (Brummer and de
 * Villiers, "The speaker partitioning problem", 2010) with diagonal covariances, and with each
 * text's own uncertainty. */
#ifndef TRINE_DREAM_SAME_H
#define TRINE_DREAM_SAME_H

#include "latent/handle.h"

/* Where the authors stand: of the labels that the model learned. */
struct same_space {
    const struct slot *slot;                 /* borrowed from the model */
    real centre[MAXIMUM_SLOT_WIDTH];         /* mean of the labels' points */
    double variance[MAXIMUM_SLOT_WIDTH];     /* of the labels' points */
    double own_variance[MAXIMUM_SLOT_WIDTH]; /* sigma^2: of one author's texts */
};

/* Of a categorical slot with at least three labels. */
int same_space_create(struct same_space *space, const struct model *model, const char *slot,
                      struct error *error);

/* Where a text was read: o and 1 / lambda + sigma^2, per dimension. */
struct same_text {
    double place[MAXIMUM_SLOT_WIDTH], variance[MAXIMUM_SLOT_WIDTH];
};

/* Of a handle that read_text made. The evidence is weighted as reading is calibrated
 * (slot_belief): neighbouring tokens repeat each other. */
void same_text_place(struct same_text *text, const struct same_space *space,
                     const struct handle *handle);

/* log p(both | one author) - log p(both | two authors): above 0 speaks for one. */
double same_log_odds(const struct same_space *space, const struct same_text *one,
                     const struct same_text *other);

#endif
