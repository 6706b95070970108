#include "train/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "latent/place.h"

static size_t width_of(const struct corpus_slot *slot, const struct slot_width *widths,
                       size_t count, int is_first_categorical) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(widths[i].name, slot->name) == 0)
            return widths[i].width;
    return slot->kind != SLOT_CATEGORICAL ? 8 : is_first_categorical ? 48 : 4;
}

struct label_count {
    const char *label;
    double count;
};

static int compare_labels(const void *a, const void *b) {
    return strcmp(((const struct label_count *)a)->label, ((const struct label_count *)b)->label);
}

/* Distinct labels in alphabetical order, with the number of training documents of each. */
static size_t count_labels(struct label_count *out, const struct corpus *corpus, size_t slot) {
    size_t given = 0, distinct = 0;
    for (size_t i = 0; i < corpus_document_count(corpus); i++) {
        const struct corpus_document *document = corpus_document(corpus, i);
        if (!document->is_held_out && document->labels[slot].is_given)
            out[given++] = (struct label_count){document->labels[slot].text, 1};
    }
    qsort(out, given, sizeof *out, compare_labels);
    for (size_t i = 0; i < given; i++) {
        if (distinct > 0 && strcmp(out[distinct - 1].label, out[i].label) == 0)
            out[distinct - 1].count++;
        else
            out[distinct++] = out[i];
    }
    return distinct;
}

static int add_categorical(struct slots *slots, const struct corpus *corpus, size_t index,
                           size_t width, struct error *error) {
    size_t documents = corpus_document_count(corpus);
    struct label_count *found = memory_allocate(documents, sizeof *found, error);
    const char **labels = memory_allocate(documents, sizeof *labels, error);
    double *counts = memory_allocate(documents, sizeof *counts, error);
    int result = -1;
    if (found != NULL && labels != NULL && counts != NULL) {
        size_t count = count_labels(found, corpus, index);
        for (size_t i = 0; i < count; i++) {
            labels[i] = found[i].label;
            counts[i] = found[i].count;
        }
        result = count == 0 ? 0
                            : slots_add_categorical(slots, corpus_slot(corpus, index)->name, width,
                                                    labels, counts, count, error);
    }
    memory_free(found);
    memory_free(labels);
    memory_free(counts);
    return result;
}

static int add_date(struct slots *slots, const struct corpus *corpus, size_t index, size_t width,
                    struct error *error) {
    double from = 0, to = 0;
    int any = 0;
    for (size_t i = 0; i < corpus_document_count(corpus); i++) {
        const struct corpus_document *document = corpus_document(corpus, i);
        double year = document->labels[index].number[0];
        if (document->is_held_out || !document->labels[index].is_given)
            continue;
        from = !any || year < from ? year : from;
        to = !any || year > to ? year : to;
        any = 1;
    }
    return any ? slots_add_date(slots, corpus_slot(corpus, index)->name, width, from, to, error)
               : 0;
}

static struct location place_of(const struct corpus_label *label) {
    return (struct location){label->number[0], label->number[1]};
}

static int add_place(struct slots *slots, const struct corpus *corpus, size_t index, size_t width,
                     struct error *error) {
    size_t documents = corpus_document_count(corpus), count = 0;
    struct location *places = memory_allocate(documents, sizeof *places, error);
    if (places == NULL)
        return -1;
    for (size_t i = 0; i < documents; i++) {
        const struct corpus_document *document = corpus_document(corpus, i);
        if (!document->is_held_out && document->labels[index].is_given)
            places[count++] = place_of(&document->labels[index]);
    }
    int result = count == 0 ? 0
                            : slots_add_place(slots, corpus_slot(corpus, index)->name, width,
                                              places, count, error);
    memory_free(places);
    return result;
}

int dataset_slots(struct slots *slots, const struct corpus *corpus, const struct slot_width *widths,
                  size_t width_count, struct error *error) {
    *slots = (struct slots){0};
    int is_first = 1;
    for (size_t i = 0; i < corpus_slot_count(corpus); i++) {
        const struct corpus_slot *slot = corpus_slot(corpus, i);
        size_t width = width_of(slot, widths, width_count, is_first);
        int result = 0;
        if (slot->kind == SLOT_CATEGORICAL) {
            result = add_categorical(slots, corpus, i, width, error);
            is_first = 0;
        } else if (slot->kind == SLOT_DATE) {
            result = add_date(slots, corpus, i, width, error);
        } else {
            result = add_place(slots, corpus, i, width, error);
        }
        if (result != 0) {
            slots_free(slots);
            return -1;
        }
    }
    return 0;
}

static int belongs(const struct corpus_document *document, enum dataset_split split,
                   size_t validation_every) {
    if (document->is_held_out)
        return split == DATASET_HELD_OUT;
    uint64_t hash = 0;
    for (const char *c = document->name; *c != '\0'; c++)
        hash = random_mix(hash + (unsigned char)*c + 0x9e3779b97f4a7c15u);
    int is_validation = validation_every > 0 && hash % validation_every == 0;
    return split == (is_validation ? DATASET_VALIDATION : DATASET_TRAIN);
}

static void resolve_labels(struct dataset_document *out, const struct corpus_document *document,
                           const struct corpus *corpus, const struct slots *slots) {
    for (size_t i = 0; i < corpus_slot_count(corpus); i++) {
        const struct corpus_label *label = &document->labels[i];
        const struct slot *slot = slots_find(slots, corpus_slot(corpus, i)->name);
        int is_same_kind =
            slot != NULL &&
            strcmp(latent_kind_name(slot->kind), slot_kind_name(corpus_slot(corpus, i)->kind)) == 0;
        if (!is_same_kind || !label->is_given)
            continue;
        size_t s = (size_t)(slot - slots->slots);
        if (slot->kind == LATENT_DATE) {
            out->is_given[s] = 1;
            out->year[s] = label->number[0];
            out->target[s] = slot_date_target(slot, label->number[0]);
            continue;
        }
        if (slot->kind == LATENT_PLACE) {
            out->is_given[s] = 1;
            out->place[s] = place_of(label);
            out->target[s] = slot_place_target(slot, out->place[s]);
            continue;
        }
        long index = slot_find_label(slot, label->text);
        out->is_given[s] = index >= 0;
        out->target[s] = (struct slot_target){{index >= 0 ? (size_t)index : 0}, {1}};
    }
}

/* Which labels of a categorical slot training documents have, those kept for validation aside. */
static void mark_trained(uint8_t *is_trained, const struct corpus *corpus, size_t index,
                         const struct slot *slot, size_t validation_every) {
    for (size_t i = 0; i < corpus_document_count(corpus); i++) {
        const struct corpus_document *document = corpus_document(corpus, i);
        if (!document->labels[index].is_given ||
            !belongs(document, DATASET_TRAIN, validation_every))
            continue;
        long label = slot_find_label(slot, document->labels[index].text);
        if (label >= 0)
            is_trained[label] = 1;
    }
}

/* Where few labels are given, the only document of a label may be one for validation; it cannot
 * say how well labels are read. */
static int drop_untrained(struct dataset *dataset, const struct corpus *corpus,
                          const struct slots *slots, size_t validation_every, struct error *error) {
    for (size_t i = 0; i < corpus_slot_count(corpus); i++) {
        const struct slot *slot = slots_find(slots, corpus_slot(corpus, i)->name);
        if (slot == NULL || slot->kind != LATENT_CATEGORICAL ||
            corpus_slot(corpus, i)->kind != SLOT_CATEGORICAL)
            continue;
        size_t s = (size_t)(slot - slots->slots);
        uint8_t *is_trained = memory_allocate(slot->point_count, 1, error);
        if (is_trained == NULL)
            return -1;
        mark_trained(is_trained, corpus, i, slot, validation_every);
        for (size_t d = 0; d < dataset->count; d++)
            dataset->documents[d].is_given[s] &=
                is_trained[dataset->documents[d].target[s].index[0]];
        memory_free(is_trained);
    }
    return 0;
}

int dataset_create(struct dataset *dataset, const struct corpus *corpus, const struct slots *slots,
                   enum dataset_split split, size_t validation_every, struct error *error) {
    *dataset = (struct dataset){0};
    size_t documents = corpus_document_count(corpus);
    dataset->documents = memory_allocate(documents, sizeof *dataset->documents, error);
    dataset->texts = memory_allocate(documents, sizeof *dataset->texts, error);
    if (dataset->documents == NULL || dataset->texts == NULL) {
        dataset_free(dataset);
        return -1;
    }
    for (size_t i = 0; i < documents; i++) {
        const struct corpus_document *document = corpus_document(corpus, i);
        if (!belongs(document, split, validation_every))
            continue;
        struct dataset_document *out = &dataset->documents[dataset->count];
        out->name = document->name;
        out->text = (struct sampler_document){document->tokens, document->token_count};
        resolve_labels(out, document, corpus, slots);
        dataset->texts[dataset->count++] = out->text;
        dataset->token_count += document->token_count;
    }
    if (split == DATASET_VALIDATION &&
        drop_untrained(dataset, corpus, slots, validation_every, error)) {
        dataset_free(dataset);
        return -1;
    }
    return 0;
}

void dataset_free(struct dataset *dataset) {
    memory_free(dataset->documents);
    memory_free(dataset->texts);
    *dataset = (struct dataset){0};
}
