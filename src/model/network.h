/* The network: reader blocks, the evidence head, the running handle, writer blocks.
 *
 * A `struct pass` holds the activations of B sequences of T tokens for one thread; it borrows the
 * weights, which many passes may share. Create it inside the parallel region of its thread. */
#ifndef TRINE_MODEL_NETWORK_H
#define TRINE_MODEL_NETWORK_H

#include "math/matmul.h"
#include "model/config.h"
#include "model/evidence.h"
#include "model/weights.h"

/* What the writer is told. Slots (dimensions) with told_mask 1 use `told`; others the running
 * handle, which starts from start_* (NULL: the prior). All [B,Z]. */
struct pass_handle {
    const real *told, *told_mask;
    const real *start_precision, *start_information;
};

struct pass;

int pass_create(struct pass **out, const struct weights *weights, size_t sequences, size_t time,
                int is_training, struct error *error);
void pass_destroy(struct pass *pass);

/* Runs the reader and the evidence head over tokens[B*T]. */
void pass_read(struct pass *pass, const int32_t *tokens, const struct pass_handle *handle);

/* The running handle, [R,Z] each; valid until the next pass_read. NULL in the plain model. */
const real *pass_mean(const struct pass *pass);
const real *pass_precision(const struct pass *pass);

/* Runs the writer after pass_read, as often as wanted: losses[R] in nats of targets[R] (-1: none).
 */
void pass_write(struct pass *pass, const struct pass_handle *handle, const int32_t *targets,
                real *losses);

/* As pass_write, and the gradient of scale * sum(losses) + the score whose derivatives by the
 * running handle are dmean and dprecision [R,Z] (overwritten; NULL in the plain model).
 * `gradient` [layout->count] is added to; dtold[B,Z] (overwritten) is the gradient by the told
 * vectors; dinformation[R,Z] (overwritten) by each token's n-gram rows. What flows from the
 * evidence head into the reader is scaled by evidence_gradient, what flows from the writer into
 * the running handle by handle_gradient. */
struct pass_gradients {
    real *gradient;
    real *dtold, *dinformation;
    real *dmean, *dprecision;
    real scale, evidence_gradient, handle_gradient;
    const real *row_scales; /* [R] of each row's loss, times `scale`; NULL: all 1 */
    int is_written;         /* pass_write has just run, under the same handle: not again */
};
/* Under an overlay only the overlay is trained: `gradient` is [overlay->layout.count], and of the
 * other gradients only dtold is given. */
void pass_write_backward(struct pass *pass, const struct pass_handle *handle,
                         const int32_t *targets, real *losses,
                         const struct pass_gradients *gradients);

/* What another network says of the same text, to be learned: rows of its pass_output (of the same
 * output matrix), and for each row of the learning pass [R] the one that teaches it, or -1. */
struct pass_lesson {
    const void *rows; /* [.,D] operands */
    const int32_t *teachers;
};

/* After pass_write: losses[R] <- KL(teacher || what was written) of the next token, in nats; 0
 * without a teacher. */
void pass_compare(struct pass *pass, const struct pass_lesson *lesson, real *losses);

/* As pass_write_backward, with the losses of pass_compare. The teacher is held fixed, and the
 * output matrix, which both share, gets no gradient. */
void pass_teach_backward(struct pass *pass, const struct pass_handle *handle,
                         const struct pass_lesson *lesson, real *losses,
                         const struct pass_gradients *gradients);

/* After pass_read alone: the gradient of the score, of which `gradients` holds the same; nothing is
 * written, so scale, dtold and handle_gradient do not matter. */
void pass_read_backward(struct pass *pass, const struct pass_gradients *gradients);

/* n-gram table rows of each token, [R,orders]. */
const uint32_t *pass_ngram_rows(const struct pass *pass);

/* After pass_write: the normalised output of the last block, [R,D] operands. */
const void *pass_output(const struct pass *pass);

struct matmul *pass_matmul(struct pass *pass);

#endif
