#include "serve/model_atlas.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/memory.h"
#include "dream/label_facts.h"
#include "serve/resident.h"

enum { ENDS = 4, SHOWN_FACTS = 3 };

struct model_atlas {
    pthread_mutex_t lock;
    const struct resident_model *model;
    int is_made;
    struct atlas atlas;
    char *text;
};

int model_atlas_create(struct model_atlas **out, const struct resident_model *model,
                       struct error *error) {
    *out = memory_allocate(1, sizeof **out, error);
    if (*out == NULL)
        return -1;
    (*out)->model = model;
    pthread_mutex_init(&(*out)->lock, NULL);
    return 0;
}

void model_atlas_destroy(struct model_atlas *a) {
    if (a == NULL)
        return;
    if (a->is_made)
        atlas_free(&a->atlas);
    free(a->text);
    pthread_mutex_destroy(&a->lock);
    memory_free(a);
}

static int gather_facts(struct label_facts *f, const struct model_atlas *a, size_t own,
                        struct error *error) {
    const struct slots *slots = &a->model->model->slots;
    struct corpus *corpus;
    struct dataset documents = {0};
    if (corpus_open(&corpus, a->model->options->corpus, error))
        return -1;
    int result = dataset_create(&documents, corpus, slots, DATASET_TRAIN, 0, error) ||
                 label_facts_create(f, slots, own, &documents, error);
    dataset_free(&documents);
    corpus_close(corpus);
    return result ? -1 : 0;
}

static int compare_labels(const void *a, const void *b, void *context) {
    const double *x = context;
    double p = x[*(const size_t *)a], q = x[*(const size_t *)b];
    return (p > q) - (p < q);
}

/* The labels at one end of a component, the outermost first. */
static json_t *end_to_json(const struct atlas *atlas, const size_t *order, int is_high) {
    json_t *list = json_array();
    size_t count = atlas->slot->point_count;
    for (size_t i = 0; i < ENDS && i < count / 2; i++)
        json_array_append_new(list,
                              json_string(atlas->slot->labels[order[is_high ? count - 1 - i : i]]));
    return list;
}

/* "mean date +0.68, party Whig -0.20"; NULL: none is known. */
static json_t *facts_to_json(const struct label_facts *f, const struct atlas_component *component) {
    char text[600] = "";
    size_t strongest[SHOWN_FACTS];
    size_t count = label_facts_strongest(f, component, strongest, SHOWN_FACTS);
    for (size_t k = 0; k < count; k++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s%s %+.2f", length > 0 ? ", " : "",
                 f->items[strongest[k]].name, component->correlations[strongest[k]]);
    }
    return text[0] != '\0' ? json_string(text) : NULL;
}

static json_t *component_to_json(const struct atlas *atlas, size_t index,
                                 const struct label_facts *f, size_t *order) {
    const struct atlas_component *component = &atlas->components[index];
    for (size_t i = 0; i < atlas->slot->point_count; i++)
        order[i] = i;
    qsort_r(order, atlas->slot->point_count, sizeof *order, compare_labels, component->coordinates);
    json_t *json = json_pack("{s:f, s:f, s:o, s:o}", "share", component->share, "deviation",
                             component->deviation, "low", end_to_json(atlas, order, 0), "high",
                             end_to_json(atlas, order, 1));
    json_t *facts = facts_to_json(f, component);
    if (facts != NULL)
        json_object_set_new(json, "goes_with", facts);
    return json;
}

static json_t *point_to_json(const struct atlas *atlas, size_t label, const struct label_facts *f) {
    json_t *slots = json_object();
    for (size_t s = 0; s < f->slots->count; s++) {
        const char *name = f->slots->slots[s].name;
        if (f->mean_years[s] != NULL && isfinite(f->mean_years[s][label]))
            json_object_set_new(slots, name, json_real(round(f->mean_years[s][label])));
        if (f->commonest[s] != NULL && f->commonest[s][label] > 0)
            json_object_set_new(slots, name,
                                json_string(f->slots->slots[s].labels[f->commonest[s][label] - 1]));
    }
    double y = atlas->component_count > 1 ? atlas->components[1].coordinates[label] : 0;
    return json_pack("{s:s, s:f, s:f, s:o}", "label", atlas->slot->labels[label], "x",
                     atlas->components[0].coordinates[label], "y", y, "slots", slots);
}

static void add_slots(json_t *json, const struct slots *slots) {
    json_t *labels = json_object();
    for (size_t s = 0; s < slots->count; s++) {
        const struct slot *slot = &slots->slots[s];
        if (slot->kind == LATENT_DATE) {
            double last = slot->year_from + slot->year_step * (double)(slot->point_count - 1);
            if (json_object_get(json, "dates") == NULL)
                json_object_set_new(
                    json, "dates", json_pack("{s:f, s:f}", "first", slot->year_from, "last", last));
            continue;
        }
        if (slot->kind != LATENT_CATEGORICAL)
            continue;
        json_t *list = json_array();
        for (size_t i = 0; i < slot->point_count; i++)
            json_array_append_new(list, json_string(slot->labels[i]));
        json_object_set_new(labels, slot->name, list);
    }
    json_object_set_new(json, "labels", labels);
}

static int make_text(struct model_atlas *a, const struct label_facts *f, struct error *error) {
    const struct atlas *atlas = &a->atlas;
    size_t *order = memory_allocate(atlas->slot->point_count, sizeof *order, error);
    if (order == NULL)
        return -1;
    json_t *points = json_array(), *components = json_array();
    for (size_t i = 0; i < atlas->slot->point_count; i++)
        json_array_append_new(points, point_to_json(atlas, i, f));
    for (size_t c = 0; c < atlas->component_count; c++)
        json_array_append_new(components, component_to_json(atlas, c, f, order));
    json_t *json = json_pack("{s:s, s:s, s:o, s:o}", "model", a->model->name, "slot",
                             atlas->slot->name, "points", points, "components", components);
    if (json != NULL) {
        add_slots(json, f->slots);
        a->text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6));
    }
    json_decref(json);
    memory_free(order);
    return a->text != NULL ? 0 : error_set(error, "out of memory for the atlas");
}

/* A corpus that cannot be read leaves facts out; the atlas is there all the same. */
static int make(struct model_atlas *a, struct error *error) {
    const struct slot *slot = resident_author_slot(a->model);
    const char *corpus = a->model->options->corpus;
    struct label_facts facts = {.slots = &a->model->model->slots};
    if (slot == NULL)
        return error_set(error, "the model has no authors to lay out");
    facts.own = (size_t)(slot - facts.slots->slots);
    if (corpus != NULL && gather_facts(&facts, a, facts.own, error))
        fprintf(stderr, "trine serve: the atlas goes without facts: %s\n", error->message);
    int *is_used = memory_allocate(slot->point_count, sizeof *is_used, error);
    int result = is_used == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < slot->point_count; i++)
        is_used[i] = 1;
    if (result == 0)
        result = atlas_create(&a->atlas, a->model->model, slot, is_used, facts.items, facts.count,
                              MODEL_ATLAS_COMPONENTS, error);
    if (result == 0 && make_text(a, &facts, error)) {
        atlas_free(&a->atlas);
        result = -1;
    }
    memory_free(is_used);
    label_facts_free(&facts);
    a->is_made = result == 0;
    return result;
}

int model_atlas_get(struct model_atlas *a, const struct atlas **out, struct error *error) {
    pthread_mutex_lock(&a->lock);
    int result = a->is_made ? 0 : make(a, error);
    pthread_mutex_unlock(&a->lock);
    *out = result == 0 ? &a->atlas : NULL;
    return result;
}

int model_atlas_text(struct model_atlas *a, const char **text, size_t *bytes, struct error *error) {
    const struct atlas *atlas;
    if (model_atlas_get(a, &atlas, error))
        return -1;
    *text = a->text;
    *bytes = strlen(a->text);
    return 0;
}
