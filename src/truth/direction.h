/* The knowledgeable direction: every author's vector is scored by how well the model, told to be
 * that author, tells true statements from false ones; the direction of the author slot along which
 * scores rise is fitted by ridge regression; and the model is scored along it. */
#ifndef TRINE_TRUTH_DIRECTION_H
#define TRINE_TRUTH_DIRECTION_H

#include <stdio.h>

#include <jansson.h>

#include "truth/asking.h"
#include "truth/belief_base.h"

enum { DIRECTION_STEPS = 7 };

struct knowledge {
    double asked, heard; /* areas under the ROC curve of the two ways of finding out */
};

struct direction {
    const struct slot *slot; /* of the model; its labels are the authors */
    size_t statements;
    struct knowledge nobody, *authors; /* nothing told; [slot->point_count] */
    double left_out; /* correlation of scores with what the regression without that author says */
    double *vector;  /* [slot->width] a unit vector */
    double steps[DIRECTION_STEPS];           /* in standard deviations of the authors along it */
    struct knowledge along[DIRECTION_STEPS]; /* from the authors' mean */
    double *best;                            /* [slot->width]: the author vector of the best step */
};

/* The base's verdicts are what is asked about. A model without the slot "author" is refused. */
int direction_find(struct direction *direction, struct asking *asking,
                   const struct belief_base *base, size_t threads, struct error *error);
void direction_free(struct direction *direction);
void direction_print(FILE *stream, const struct direction *direction);
/* The caller decrefs; NULL when out of memory. */
json_t *direction_to_json(const struct direction *direction);

#endif
