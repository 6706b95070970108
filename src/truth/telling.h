/* As whom and when a text is to be written: as a handle of the dream, and in words. */
#ifndef TRINE_TRUTH_TELLING_H
#define TRINE_TRUTH_TELLING_H

#include "base/random.h"
#include "latent/model.h"
#include "train/dataset.h"

enum telling_kind {
    TELLING_AUTHOR,
    TELLING_DATE,
    TELLING_AUTHOR_DATE,
    TELLING_MIXTURE,
    TELLING_KINDS
};
enum { TELLING_AUTHORS = 3, TELLING_BYTES = 512 };

struct telling {
    size_t author_count; /* 0: none is told */
    size_t authors[TELLING_AUTHORS];
    int tenths[TELLING_AUTHORS]; /* of each author; together 10 */
    int has_year;
    double year;
};

/* The slots that words can tell: the model's first categorical slot and its first date slot. */
struct telling_slots {
    const struct model *model;        /* borrowed */
    const struct slot *author, *date; /* NULL: the model has none */
};

/* Refuses a model without both. */
int telling_slots_find(struct telling_slots *slots, const struct model *model, struct error *error);
/* Whether there are slots and labels for the kind. */
int telling_is_possible(const struct telling_slots *slots, enum telling_kind kind);

/* "Write as 60% Abraham Lincoln, 40% Barack Obama.\n" and its like. */
void telling_words(char out[TELLING_BYTES], const struct telling_slots *slots,
                   const struct telling *telling);
/* The same of what somebody asks for: "Abraham Lincoln, 1862" or "1862". */
void telling_words_of(char out[TELLING_BYTES], const char *wish);

/* told[Z], mask[Z] <- the points of what is told; other slots are not. */
void telling_handle(real *told, real *mask, const struct telling_slots *slots,
                    const struct telling *telling);
/* told[Z], mask[Z] <- a handle that says nothing: every slot told its points' mean. */
int telling_nothing(real *told, real *mask, const struct model *model, struct error *error);

/* Any author, year or mixture, all equally likely. */
void telling_draw(struct telling *telling, const struct telling_slots *slots,
                  enum telling_kind kind, struct random *random);
/* A document's own author and year; in a mixture its author has `own_tenths`, from 1 to 9, and
 * another author the rest. Returns 0 when the document lacks such a label. */
int telling_of_document(struct telling *telling, const struct telling_slots *slots,
                        enum telling_kind kind, const struct dataset_document *document,
                        int own_tenths, struct random *random);

#endif
