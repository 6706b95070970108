/* Decodes the texts of several threads together: every weight is read once for up to PRODUCT_ROWS
 * texts, each with its own handle and adapters, and what a prompt has in common with an earlier one
 * under the same handle is not read again.
 *
 * A thread of its own runs all work on the network, so that threads who want something do not fight
 * for the cores. Long work is done in pieces, between which the others get their turn. What a text
 * becomes does not depend on what else is decoded, nor on what was read before: the same prompt,
 * handle and seed give the same bits. */
#ifndef TRINE_MODEL_BATCHER_H
#define TRINE_MODEL_BATCHER_H

#include "model/weights.h"

struct batcher;
struct decoder;

struct batcher_counts {
    uint64_t steps, passes; /* tokens decoded one by one, and the passes that took */
    uint64_t read, reused;  /* tokens of prompts that were read, and that were not again */
};

/* Borrows the weights. Decoders that are created with weights whose `batcher` is this one
 * (`struct model` hands it on) work through it; they must be destroyed before it. threads 0: one
 * for each core. */
int batcher_create(struct batcher **out, const struct weights *weights, size_t threads,
                   struct error *error);
void batcher_destroy(struct batcher *batcher);
void batcher_count(struct batcher *batcher, struct batcher_counts *counts);

/* Runs job(context) on the batcher's thread while nothing else runs, and returns when it is done.
 * Without a batcher (NULL) it is called at once. For whatever uses all cores; must not be called by
 * a job. */
typedef void batcher_job(void *context);
void batcher_alone(struct batcher *batcher, batcher_job *job, void *context);

/* For decoders: what runs their tokens. */
struct decoder_machine;
struct decoder_machine *batcher_machine(struct batcher *batcher);
/* Adds a token to the text, together with whoever wants the same. */
void batcher_step(struct batcher *batcher, struct decoder *decoder, uint32_t token);
/* From now on the decoder's text may be used for others' prompts; until it leaves. */
void batcher_join(struct batcher *batcher, struct decoder *decoder);
void batcher_leave(struct batcher *batcher, struct decoder *decoder);
/* Before a prompt at the beginning of a text: takes over what another text, or this one before,
 * has in common with it. Returns how many tokens need not be read. */
size_t batcher_adopt(struct batcher *batcher, struct decoder *decoder, const uint32_t *tokens,
                     size_t count);

#endif
