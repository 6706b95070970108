/* Trains a layer's vector and overlay toward targets between 0 and 1, such as verdicts or a
 * market's prices, in two ways.
 *
 * To answer frames: cross-entropy of the answer, and to say that it does not know as often as there
 * is doubt. The answer of a step is drawn from its target, so that the expected loss is that of the
 * target itself.
 *
 * To be heard: the other steps, of examples with a sign (hearing.h). */
#ifndef TRINE_TRUTH_LAYER_TRAIN_H
#define TRINE_TRUTH_LAYER_TRAIN_H

#include "truth/asking.h"
#include "truth/introspection.h"

struct example {
    const char *statement;
    double target; /* probability of yes, where the answer is known */
    double doubt;  /* probability that it is not */
    double weight; /* 0 to 1 */
    int sign;      /* -1: the statement denies; 0: it is not heard */
};

struct layer_train_options {
    size_t steps, batch, threads;
    double learning_rate, decay, clip;
    uint64_t seed;
    struct introspection *introspection; /* of the same layer, or NULL */
    size_t introspection_every; /* each so many-th step is one of it; 1: all, and no examples */
    size_t asked_every;         /* each so many-th step teaches to answer, the others to be heard;
                                   0: none answers, 1: nothing is heard */
};

struct layer_train_report {
    size_t step;
    double loss;          /* nats per answer */
    int is_introspection; /* then nats per token */
    int is_heard;         /* then nats per statement */
};
/* After every step; a return other than 0 stops, and the layer is as it is by then. */
typedef int layer_train_callback(void *context, const struct layer_train_report *report);

struct layer_train_options layer_train_options_default(void);

int layer_train(struct layer *layer, struct asking *asking, const struct example *examples,
                size_t count, const struct layer_train_options *options,
                layer_train_callback *callback, void *context, struct error *error);

#endif
