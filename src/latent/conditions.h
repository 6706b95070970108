/* Under which conditions a label's documents were written: for every author the mean of the
 * documents' points in each of the other slots (of their dates, their parties). They are what the
 * conditional prior is fitted to (latent/imagine.h), and lie in the model's file, of which they
 * are an optional part: train/conditions_gather.h makes them. */
#ifndef TRINE_LATENT_CONDITIONS_H
#define TRINE_LATENT_CONDITIONS_H

#include "file/gguf.h"
#include "latent/model.h"

struct conditions {
    size_t slot;      /* whose labels they are of: index of a categorical slot */
    float *means;     /* [point_count,Z]; 0 where no document has the slot, and in the own slot */
    float *documents; /* [point_count,slots.count]: documents of the label that have each slot; in
                         the own slot all of them */
};

/* The slot of authors: the one called "author" if it has labels, else the first that has. Its
 * index, or MAXIMUM_SLOTS when there is none. */
size_t conditions_slot(const struct slots *slots);

/* All zeros; the caller's. */
int conditions_create(struct conditions **out, const struct model *model, size_t slot,
                      struct error *error);
void conditions_destroy(struct conditions *conditions); /* NULL is fine */

/* Adds the model's conditions, if it has any, to its file. */
int conditions_save(struct gguf_writer *writer, const struct model *model, struct error *error);
/* model->conditions <- those of the file; a file without any is fine. */
int conditions_load(struct model *model, const struct gguf *file, struct error *error);

#endif
