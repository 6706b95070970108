/* What the parts of the microscope share; included by microscope*.c only. */
#ifndef TRINE_DREAM_MICROSCOPE_PRIVATE_H
#define TRINE_DREAM_MICROSCOPE_PRIVATE_H

#include "dream/label_facts.h"
#include "dream/microscope.h"
#include "train/dataset.h"

struct microscope {
    const struct model *model;
    const struct corpus *corpus;
    const struct microscope_options *options;
    const struct slot *slot; /* whose labels are shown */
    size_t own;              /* its index */
    struct dataset training, held_out;
    struct label_facts facts;
    struct slot_state *states; /* of every slot */
    int *is_used;              /* [points of the slot] which labels are shown */
    size_t *labels;            /* [label_count] those, in the model's order */
    size_t label_count;
    struct atlas atlas;
    size_t done, total; /* pieces of work */
};

/* Says what comes next, after `done` more pieces of work; -1 when nobody wants it any more. */
int microscope_go_on(struct microscope *m, size_t done, const char *what, struct error *error);

/* A JSON string of what is legible in the text: bytes that are no UTF-8, control characters and
 * those that turn the direction of writing become U+FFFD; line feeds and tabs stay. */
json_t *microscope_text(const char *text, size_t bytes);
json_t *microscope_label(const char *label);
/* null for what is not finite. */
json_t *microscope_number(double x);

/* Each returns its part of the object, which is the caller's, or NULL with the error. */
json_t *microscope_components(struct microscope *m, struct error *error);
json_t *microscope_dates(struct microscope *m, struct error *error);
json_t *microscope_places(struct microscope *m, struct error *error);
/* {"nearest": [for each label: [index, distance] ...], "pairs": ..., "tree": ...} */
json_t *microscope_neighbours(struct microscope *m, struct error *error);
json_t *microscope_disputed(struct microscope *m, struct error *error);

/* Their pieces of work, for the progress; of the second the documents that it will read. */
size_t microscope_components_work(const struct microscope *m);
size_t microscope_disputed_count(const struct microscope *m);

#endif
