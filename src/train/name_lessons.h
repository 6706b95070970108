/* What a step teaches of names: documents that are nothing but an attribution, `<|by|>A. Lincoln`,
 * and bylines before pieces of real documents.
 *
 * Labels are drawn with equal chances and spelt by the rules that training may see. Some
 * attributions are of nobody; their label is any, so that the reader learns to know no one by them.
 * All depends on (seed, step, index) alone. */
#ifndef TRINE_TRAIN_NAME_LESSONS_H
#define TRINE_TRAIN_NAME_LESSONS_H

#include "latent/model.h"
#include "text/names.h"
#include "train/dataset.h"

enum { NAME_TOKENS = 48 }; /* of a document that is a name, at most */

struct name_options {
    size_t count;   /* such documents a step; 0: names are not taught */
    double bylines; /* share of the pieces of labelled documents that begin with a byline */
    struct name_titles titles;
};

struct name_lesson {
    size_t label;       /* index in the slot */
    size_t first, last; /* tokens of the name, its line end included; last 0: nothing is taught */
};

struct byline {
    size_t start, count; /* tokens; count 0: none */
    size_t unwritten;    /* of them, from the first: the mark, or all */
};

struct name_lessons;

/* NULL in *out when options->count is 0, or the model has no latents. Names are those of the slot
 * of authors (latent/conditions.h). Borrows all but the options. */
int name_lessons_create(struct name_lessons **out, const struct model *model,
                        const struct dataset *dataset, const struct name_options *options,
                        size_t batch, uint64_t seed, struct error *error);
void name_lessons_destroy(struct name_lessons *lessons);

/* What follows is of this step, until the next call. */
int name_lessons_prepare(struct name_lessons *lessons, size_t step, const struct piece *pieces,
                         struct error *error);

size_t name_lessons_slot(const struct name_lessons *lessons);
size_t name_lessons_count(const struct name_lessons *lessons);
size_t name_lessons_time(const struct name_lessons *lessons); /* tokens of a row */
/* Row `index` of tokens[time] and targets[time]; -1 where nothing is to be written. */
const struct name_lesson *name_lessons_row(const struct name_lessons *lessons, size_t index,
                                           const int32_t **tokens, const int32_t **targets);

/* The byline of piece `index` of the batch; its tokens. `lessons` may be NULL: there are none. */
struct byline name_lessons_byline(const struct name_lessons *lessons, size_t index,
                                  const uint32_t **tokens);

#endif
