/* The documents of one split with their labels as the model's slots see them. */
#ifndef TRINE_TRAIN_DATASET_H
#define TRINE_TRAIN_DATASET_H

#include "latent/slots.h"
#include "text/corpus.h"
#include "train/sampler.h"

/* Validation documents are taken from the training split and never trained on: calibration and
 * every choice of a setting are made there, so that held-out documents stay untouched. */
enum dataset_split { DATASET_TRAIN, DATASET_VALIDATION, DATASET_HELD_OUT };

struct dataset_document {
    const char *name;
    struct sampler_document text;
    int is_given[MAXIMUM_SLOTS];
    struct slot_target target[MAXIMUM_SLOTS]; /* where given */
    double year[MAXIMUM_SLOTS];               /* date slots, where given */
    struct location place[MAXIMUM_SLOTS];     /* place slots, where given */
};

struct dataset {
    struct dataset_document *documents;
    struct sampler_document *texts; /* the same documents' tokens */
    size_t count, token_count;
};

struct slot_width {
    char name[64];
    size_t width;
};

/* Slots for every slot of the corpus that has labels in training documents. Widths not listed: 48
 * for the first categorical slot, 8 for dates and places, 4 for the others. */
int dataset_slots(struct slots *slots, const struct corpus *corpus, const struct slot_width *widths,
                  size_t width_count, struct error *error);

/* One document in `validation_every` of the training split (by a hash of its name) is for
 * validation; 0: none. A label that training never saw counts as not given: of held-out documents
 * one that is not among the slots' labels, of validation documents also one that no document has
 * which is trained on. */
int dataset_create(struct dataset *dataset, const struct corpus *corpus, const struct slots *slots,
                   enum dataset_split split, size_t validation_every, struct error *error);
void dataset_free(struct dataset *dataset);

#endif
