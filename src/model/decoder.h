/* Text with a key-value cache: a prompt in chunks, then one token at a time. Gives the same logits
 * and the same running handle as a pass over the whole text, up to rounding.
 *
 * Work is shared by threads that each take a share of every matrix's rows, so results do not
 * depend on their number. A few tokens go through the kernels of math/quant_product.h, and every
 * weight is read once for them: tokens/s <= bandwidth / bytes of the weights. Longer chunks go
 * through oneDNN, the weights turned into operands as they are needed. */
#ifndef TRINE_MODEL_DECODER_H
#define TRINE_MODEL_DECODER_H

#include "model/network.h"

struct decoder;

enum { DECODER_CONTEXT = 4096 };

struct decoder_options {
    size_t context; /* tokens of cache; 0: the model's, but at most DECODER_CONTEXT */
    size_t threads; /* 0: one for each core */
    int is_lean;    /* prompts by the kernels for a few tokens: slower, in no more memory than
                     * decoding takes */
};

/* Borrows the weights. Memory: the cache of 2 * context * L * K * E numbers, two bytes each (reals
 * for a model in full precision), and buffers for a chunk of a prompt. */
int decoder_create(struct decoder **out, const struct weights *weights,
                   const struct decoder_options *options, struct error *error);
void decoder_destroy(struct decoder *decoder);

/* Forgets the text and takes a handle, [Z] each (see struct pass_handle; copied). */
void decoder_start(struct decoder *decoder, const struct pass_handle *handle);

/* Adds a token; logits[V] of the next one, valid until the next step. When the cache is full the
 * oldest half of the text is forgotten (its evidence is kept). */
const real *decoder_step(struct decoder *decoder, uint32_t token);

/* Adds tokens[count]; logits after the last. NULL with the error when memory for the chunks'
 * buffers is missing, or when it was given up between chunks (base/cancellation.h); count >= 1. */
const real *decoder_prompt(struct decoder *decoder, const uint32_t *tokens, size_t count,
                           struct error *error);

/* As decoder_prompt; calls `visit` with the logits after each token, in order. */
typedef void decoder_visit(void *context, size_t token, const real *logits);
int decoder_prompt_visit(struct decoder *decoder, const uint32_t *tokens, size_t count,
                         decoder_visit *visit, void *context, struct error *error);

/* Remembers where the text and its running handle are; goes back there, as often as wanted, until
 * the next mark or start. Not across more text than the cache holds. */
void decoder_mark(struct decoder *decoder);
void decoder_return(struct decoder *decoder);

/* Goes back to a text of `position` tokens, which must not be more than are there; what the
 * forgotten tokens added to the running handle stays. */
void decoder_rewind(struct decoder *decoder, size_t position);
size_t decoder_position(const struct decoder *decoder);

/* The running handle after the last token, [Z]. */
const real *decoder_mean(const struct decoder *decoder);
const real *decoder_precision(const struct decoder *decoder);

#endif
