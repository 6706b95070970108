/* Introspection: a layer's author learns to write as any other author, in any year, when told so
 * in words. Teacher is the dream (the model without the layer) told that handle; the loss is
 * KL(teacher || layer's author) of the next token at every position of a text.
 *
 * Texts are pieces of the dataset's documents; half of them are told their own document's labels,
 * half an author, year or mixture drawn at random: any handle can be asked what it expects of any
 * text. */
#ifndef TRINE_TRUTH_INTROSPECTION_H
#define TRINE_TRUTH_INTROSPECTION_H

#include "latent/layer.h"
#include "train/dataset.h"

struct introspection_options {
    size_t time; /* tokens of a text without the instruction; 0: as many as fit the context */
    size_t batch, threads;
    uint64_t seed;
};

struct introspection;

struct introspection_options introspection_options_default(void);

/* Borrows the layer, its model and the dataset. */
int introspection_create(struct introspection **out, struct layer *layer,
                         const struct dataset *dataset, const struct introspection_options *options,
                         struct error *error);
void introspection_destroy(struct introspection *introspection);

/* gradient[layer->count] (overlay, then vector) += that of the loss over the texts of step `step`
 * (from 0, not backwards); *loss <- nats per token. The same bits for the same seed and threads. */
int introspection_step(struct introspection *introspection, size_t step, real *gradient,
                       double *loss, struct error *error);

#endif
