/* How well a layer's author does what it is told in words: beside the dream that is told the same
 * as a handle, beside itself without words, and beside the dream told a handle that says nothing
 * (every slot at its points' mean). */
#ifndef TRINE_TRUTH_INTROSPECTION_REPORT_H
#define TRINE_TRUTH_INTROSPECTION_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "latent/layer.h"
#include "train/dataset.h"
#include "truth/telling.h"

enum introspected {
    INTROSPECTED_DREAM,   /* told the handle: the teacher */
    INTROSPECTED_WORDS,   /* the layer's author, told in words */
    INTROSPECTED_SILENT,  /* the layer's author, told nothing */
    INTROSPECTED_NOTHING, /* the dream, told the handle that says nothing */
    INTROSPECTED_COUNT
};

/* Means per token. */
struct introspection_means {
    size_t tokens;
    double nats[INTROSPECTED_COUNT];       /* of the text itself */
    double divergence[INTROSPECTED_COUNT]; /* KL(teacher || each), nats */
};

struct introspection_report {
    size_t documents, pieces;
    /* Told the text's own labels (in a mixture mostly its author), and told drawn ones. */
    struct introspection_means own[TELLING_KINDS], other[TELLING_KINDS];
};

struct introspection_report_options {
    size_t time;   /* tokens of a piece; 0: as many as fit the context */
    size_t pieces; /* of each document, spread over it; 0: all that follow each other */
    size_t threads;
    uint64_t seed;
};

/* The result does not depend on the number of threads. */
int introspection_evaluate(struct introspection_report *report, const struct layer *layer,
                           const struct dataset *dataset,
                           const struct introspection_report_options *options, struct error *error);

/* Of what the handle gains in nats per token (of a text's own labels), and of what it changes, the
 * part that is reached: 1 is as good as the handle, 0 as good as nothing told. Part of it needs no
 * words, as a layer may learn to tell from the text alone: see INTROSPECTED_SILENT. */
double introspection_share_of_nats(const struct introspection_means *means, enum introspected who);
double introspection_share_of_divergence(const struct introspection_means *means,
                                         enum introspected who);

/* The caller decrefs; NULL when out of memory. */
json_t *introspection_report_to_json(const struct introspection_report *report);
void introspection_report_print(FILE *stream, const struct introspection_report *report);

#endif
