/* One token at a time with a key-value cache: for writing. Gives the same logits and the same
 * running handle as a pass over the whole text, up to rounding.
 *
 * Bound: every weight is read once a token, so tokens/s <= bandwidth / bytes of the weights. */
#ifndef TRINE_MODEL_DECODER_H
#define TRINE_MODEL_DECODER_H

#include "model/network.h"

struct decoder;

/* Borrows the weights. Holds config->context tokens of cache. */
int decoder_create(struct decoder **out, const struct weights *weights, struct error *error);
void decoder_destroy(struct decoder *decoder);

/* Forgets the text and takes a handle, [Z] each (see struct pass_handle; copied). */
void decoder_start(struct decoder *decoder, const struct pass_handle *handle);

/* Adds a token; logits[V] of the next one, valid until the next step. When the cache is full the
 * oldest half of the text is forgotten (its evidence is kept). */
const real *decoder_step(struct decoder *decoder, uint32_t token);

/* The running handle after the last token, [Z]. */
const real *decoder_mean(const struct decoder *decoder);
const real *decoder_precision(const struct decoder *decoder);

#endif
