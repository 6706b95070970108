/* What teaches an author to be heard: the last words of what is true should be likely to it, those
 * of what is false unlikely, and the other way round where a statement denies.
 *
 * A statement's score is HEARING_SCALE * sign * (log P(its last words | the ones before) - offset),
 * the offset what those words are worth elsewhere and what is usual, both as they were before
 * training. The loss is the cross-entropy of 1 / (1 + exp(-score)) against the target: logistic
 * regression on what `trine judge` hears, with the network beneath it. */
#ifndef TRINE_TRUTH_HEARING_H
#define TRINE_TRUTH_HEARING_H

#include "truth/asking.h"

/* Per nat: about what a logistic regression on hearing alone gives (doc/truth.md). */
#define HEARING_SCALE 0.1

struct hearing_lesson {
    double offset; /* nats */
    double target; /* probability that the statement is true; below 0: it does not count */
    int sign;      /* -1: the statement denies */
};

/* Nats; *derivative <- by log_probability. */
double hearing_loss(const struct hearing_lesson *lesson, double log_probability,
                    double *derivative);

/* offsets[count] of statements, by the model without a layer. Equal pointers that follow each other
 * are heard once. */
int hearing_offsets(double *offsets, struct asking *asking, const char *const *statements,
                    size_t count, size_t threads, struct error *error);

#endif
