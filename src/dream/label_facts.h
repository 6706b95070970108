/* What a corpus tells of a slot's labels: how many documents each has, and what they are by the
 * other slots: the facts that an atlas compares with where the labels stand. */
#ifndef TRINE_DREAM_LABEL_FACTS_H
#define TRINE_DREAM_LABEL_FACTS_H

#include "latent/atlas.h"
#include "train/dataset.h"

enum { MAXIMUM_LABEL_FACTS = 64 };

struct label_facts {
    const struct slots *slots; /* borrowed */
    size_t own;                /* the slot whose labels these are */
    struct atlas_fact items[MAXIMUM_LABEL_FACTS];
    size_t count;
    double *documents;                 /* [labels] that are given the label */
    double *mean_years[MAXIMUM_SLOTS]; /* date slots: [labels]; NAN: not known; else NULL */
    size_t *commonest[MAXIMUM_SLOTS];  /* others: [labels] the label found most, + 1; 0: none */
};

/* Facts of slot `own` by the documents, usually those of the training split. Dates come first, as a
 * slot of many labels may leave no room for more: facts beyond the maximum are left out. Free it
 * in either case. */
int label_facts_create(struct label_facts *facts, const struct slots *slots, size_t own,
                       const struct dataset *documents, struct error *error);
void label_facts_free(struct label_facts *facts); /* zeroed is fine */

/* The facts that go along with a component most, by |r|, strongest first: at most `most` of them,
 * fewer where fewer are known. Returns how many. */
size_t label_facts_strongest(const struct label_facts *facts,
                             const struct atlas_component *component, size_t *strongest,
                             size_t most);

#endif
