/* Names and vectors, both ways, through the network of a model that was taught names (the setting
 * "names" of a recipe).
 *
 * A name is read as a document that is nothing but an attribution, `<|by|>A. Lincoln`; what the
 * reader then believes of the author is whom the name means. A vector is named by the writer: how
 * likely it is, told the vector, to go on with each label after `<|by|>`. */
#ifndef TRINE_DREAM_NAMING_H
#define TRINE_DREAM_NAMING_H

#include "latent/handle.h"
#include "text/names.h"

/* A name is taken for a label from this probability on: lower, more names of strangers are taken
 * for somebody (doc/names.md has the figures). */
#define NAMING_TAKEN 0.8

struct naming;

/* Borrows the model. A model that was not taught names is an error. */
int naming_create(struct naming **out, const struct model *model, struct error *error);
void naming_destroy(struct naming *naming);

/* The slot that names are of. */
const struct slot *naming_slot(const struct naming *naming);

/* log_odds[point_count] of whom the name means, all labels alike to begin with; calibrated. A name
 * that is no line of text or is too long is an error, and so it is when nobody waits any more
 * (base/cancellation.h). */
int naming_resolve(struct naming *naming, const char *name, double *log_odds, struct error *error);

/* log_odds[point_count] <- log p(label's text | mean[Z]), normalised over the labels. */
int naming_write(struct naming *naming, const real *mean, double *log_odds, struct error *error);

/* The same of a belief, mean[Z] and precision[Z], after `tokens` tokens (0: it was told): the mean
 * of a text lies between the authors whom it may be by, where nobody stands. So each of the
 * likeliest labels is told by itself and weighs what the belief in it does; the mean has the rest.
 */
int naming_write_belief(struct naming *naming, const real *mean, const real *precision,
                        double tokens, double *log_odds, struct error *error);

/* out <- what the writer spells after `<|by|>`, told mean[Z]: the likeliest next token each time,
 * or, if `random` is not NULL, a sample. */
int naming_spell(struct naming *naming, const real *mean, struct random *random,
                 char out[NAME_BYTES], struct error *error);

/* Variants of labels for fitting (is_measured 0) and for measuring: of misspellings those that are
 * kept back from training are for measuring, and only those. As name_variant, and 0 when another
 * label may be meant. The same label, rule and draw: the same variant. */
int naming_variant(const struct slot *slot, size_t label, enum name_rule rule, size_t draw,
                   int is_measured, const struct name_facts *facts, char out[NAME_BYTES]);

/* Fits slots' `naming` on variants by training's rules; after this the model counts as taught. */
int naming_calibrate(struct model *model, const struct name_titles *titles, struct error *error);

/* The k-th of the labels and rules that it fits on, all rules alike often; 0: there are no more. */
int naming_fit_pick(size_t labels, size_t k, size_t *label, enum name_rule *rule);

struct naming_note {
    char text[NAME_BYTES + 128]; /* "taken for Abraham Lincoln (0.97)"; "" when not needed */
};

/* As handle_tell; a name that it does not know, in the slot that the model was taught names of, is
 * resolved. It is taken for its likeliest label if that has NAMING_TAKEN, which the note says; else
 * the error lists the likeliest. */
int naming_tell(struct handle *handle, const char *slot, const char *label,
                struct naming_note *note, struct error *error);

#endif
