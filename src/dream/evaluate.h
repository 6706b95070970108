/* The held-out report: what the model knows of documents that no training step saw. */
#ifndef TRINE_DREAM_EVALUATE_H
#define TRINE_DREAM_EVALUATE_H

#include <jansson.h>

#include "dream/decide.h"

/* How well a slot was read, over documents or over pieces of one length. */
struct slot_accuracy {
    size_t count;
    double top1, top5;     /* categorical: share with the label first / among five */
    double log_loss;       /* mean -log p(label), nats */
    double absolute_error; /* date: median |posterior median - year|; place: median distance of the
                              posterior's middle, kilometres */
    double coverage;       /* share within the central 90 % interval, or within its circle */
    double entropy;        /* mean entropy of the posterior, nats */
};

struct evaluation {
    double nats[CONDITION_COUNT]; /* per token; NAN when not measured */
    size_t tokens;
    size_t decided; /* the slot where the writer decided; MAXIMUM_SLOTS: none */
    struct slot_accuracy documents[MAXIMUM_SLOTS];
    struct slot_accuracy pieces[MAXIMUM_SLOTS]; /* of exactly the model's context */
    struct slot_accuracy lengths[CHECKPOINT_COUNT][MAXIMUM_SLOTS];
};

/* Posterior over a date slot's grid as numbers. */
struct date_summary {
    double median, low, high; /* central 90 % */
};
struct date_summary date_summarise(const struct slot *slot, const double *log_odds);

/* Fits each slot's calibration to the validation documents' labels by least log loss, over
 * pieces at all checkpoints and over whole documents; with `decisions` (NULL: none), then also the
 * factor of the writer's likelihoods for their slot. */
int evaluate_calibrate(struct model *model, const struct dataset *validation,
                       const struct reading *reading, const struct decisions *decisions,
                       struct error *error);

/* With `decisions` (NULL: none), their slot is judged by reader and writer together. */
int evaluate_reading(struct evaluation *out, const struct model *model,
                     const struct dataset *dataset, const struct reading *reading,
                     const struct decisions *decisions, struct error *error);

/* The report as JSON; the caller decrefs. NULL when out of memory. */
json_t *evaluation_to_json(const struct evaluation *evaluation, const struct model *model);

/* The report as a table for people. */
void evaluation_print(FILE *stream, const struct evaluation *evaluation, const struct model *model);

#endif
