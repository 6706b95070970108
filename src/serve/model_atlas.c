#include "serve/model_atlas.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/memory.h"
#include "serve/resident.h"
#include "train/dataset.h"

enum { MOST_FACTS = 64, ENDS = 4, SHOWN_FACTS = 3 };

/* What is known of the labels by the corpus's training documents. */
struct facts {
    const struct slots *slots;
    size_t own; /* the slot that is laid out */
    struct atlas_fact items[MOST_FACTS];
    size_t count;
    double *mean_years[MAXIMUM_SLOTS]; /* date slots: [labels]; NAN: not known */
    size_t *commonest[MAXIMUM_SLOTS];  /* others: [labels] the label found most, + 1; 0: none */
};

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

static void facts_free(struct facts *f) {
    for (size_t i = 0; i < f->count; i++)
        memory_free(f->items[i].values);
    for (size_t s = 0; s < MAXIMUM_SLOTS; s++) {
        memory_free(f->mean_years[s]);
        memory_free(f->commonest[s]);
    }
}

/* counts[labels, points of the other slot]; those of a date slot stand in the first column, and
 * `years` gets their sums. */
static void count_labels(const struct facts *f, const struct dataset *documents, size_t other,
                         double *counts, double *years) {
    const struct slot *slot = &f->slots->slots[other];
    size_t columns = slot->kind == LATENT_DATE ? 1 : slot->point_count;
    for (size_t i = 0; i < documents->count; i++) {
        const struct dataset_document *d = &documents->documents[i];
        if (!d->is_given[f->own] || !d->is_given[other])
            continue;
        size_t label = d->target[f->own].index[0];
        if (slot->kind == LATENT_DATE) {
            counts[label * columns]++;
            years[label] += d->year[other];
        } else {
            counts[label * columns + d->target[other].index[0]]++;
        }
    }
}

static int add_fact(struct facts *f, const double *values, size_t stride, const double *totals,
                    const char *name, const char *of, struct error *error) {
    size_t labels = f->slots->slots[f->own].point_count;
    if (f->count == MOST_FACTS)
        return 0;
    struct atlas_fact *fact = &f->items[f->count];
    fact->values = memory_allocate(labels, sizeof *fact->values, error);
    if (fact->values == NULL)
        return -1;
    snprintf(fact->name, sizeof fact->name, "%s%s%.80s", name, *of != '\0' ? " " : "", of);
    for (size_t i = 0; i < labels; i++)
        fact->values[i] = totals[i] > 0 ? values[i * stride] / totals[i] : NAN;
    f->count++;
    return 0;
}

static int add_years(struct facts *f, size_t other, const double *counts, const double *years,
                     struct error *error) {
    size_t labels = f->slots->slots[f->own].point_count;
    char name[80];
    snprintf(name, sizeof name, "mean %s", f->slots->slots[other].name);
    f->mean_years[other] = memory_allocate(labels, sizeof *f->mean_years[other], error);
    if (f->mean_years[other] == NULL)
        return -1;
    for (size_t i = 0; i < labels; i++)
        f->mean_years[other][i] = counts[i] > 0 ? years[i] / counts[i] : NAN;
    return add_fact(f, years, 1, counts, name, "", error);
}

static int add_shares(struct facts *f, size_t other, const double *counts, double *totals,
                      struct error *error) {
    const struct slot *slot = &f->slots->slots[other];
    size_t labels = f->slots->slots[f->own].point_count, columns = slot->point_count;
    f->commonest[other] = memory_allocate(labels, sizeof *f->commonest[other], error);
    if (f->commonest[other] == NULL)
        return -1;
    for (size_t i = 0; i < labels; i++) {
        double most = 0;
        totals[i] = 0;
        for (size_t k = 0; k < columns; k++) {
            double count = counts[i * columns + k];
            totals[i] += count;
            if (count > most) {
                most = count;
                f->commonest[other][i] = k + 1;
            }
        }
    }
    for (size_t k = 0; k < columns; k++)
        if (add_fact(f, counts + k, columns, totals, slot->name, slot->labels[k], error))
            return -1;
    return 0;
}

static int gather(struct facts *f, const struct dataset *documents, size_t other,
                  struct error *error) {
    const struct slot *slot = &f->slots->slots[other];
    int is_date = slot->kind == LATENT_DATE;
    size_t labels = f->slots->slots[f->own].point_count, columns = is_date ? 1 : slot->point_count;
    double *counts = memory_allocate(labels * columns, sizeof *counts, error);
    double *sums = memory_allocate(labels, sizeof *sums, error);
    int result = counts == NULL || sums == NULL ? -1 : 0;
    if (result == 0) {
        count_labels(f, documents, other, counts, sums);
        result = is_date ? add_years(f, other, counts, sums, error)
                         : add_shares(f, other, counts, sums, error);
    }
    memory_free(counts);
    memory_free(sums);
    return result;
}

/* Dates come first, as a slot of many labels may leave no room for more. */
static int gather_all(struct facts *f, const char *directory, struct error *error) {
    struct corpus *corpus;
    struct dataset documents = {0};
    if (corpus_open(&corpus, directory, error))
        return -1;
    int result = dataset_create(&documents, corpus, f->slots, DATASET_TRAIN, 0, error);
    for (int dates = 1; dates >= 0; dates--)
        for (size_t s = 0; result == 0 && s < f->slots->count; s++)
            if (s != f->own &&
                f->slots->slots[s].kind == (dates ? LATENT_DATE : LATENT_CATEGORICAL))
                result = gather(f, &documents, s, error);
    dataset_free(&documents);
    corpus_close(corpus);
    return result;
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

/* "mean date +0.68, party Whig -0.20": facts by |r|, the strongest first; NULL: none is known. */
static json_t *facts_to_json(const struct facts *f, const struct atlas_component *component) {
    char text[600] = "";
    int is_taken[MOST_FACTS] = {0};
    for (size_t k = 0; k < SHOWN_FACTS; k++) {
        size_t best = f->count, length = strlen(text);
        for (size_t i = 0; i < f->count; i++)
            if (!is_taken[i] && isfinite(component->correlations[i]) &&
                (best == f->count ||
                 fabs(component->correlations[i]) > fabs(component->correlations[best])))
                best = i;
        if (best == f->count)
            break;
        is_taken[best] = 1;
        snprintf(text + length, sizeof text - length, "%s%s %+.2f", length > 0 ? ", " : "",
                 f->items[best].name, component->correlations[best]);
    }
    return text[0] != '\0' ? json_string(text) : NULL;
}

static json_t *component_to_json(const struct atlas *atlas, size_t index, const struct facts *f,
                                 size_t *order) {
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

static json_t *point_to_json(const struct atlas *atlas, size_t label, const struct facts *f) {
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

static int make_text(struct model_atlas *a, const struct facts *f, struct error *error) {
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
    struct facts facts = {.slots = &a->model->model->slots};
    if (slot == NULL)
        return error_set(error, "the model has no authors to lay out");
    facts.own = (size_t)(slot - facts.slots->slots);
    if (corpus != NULL && gather_all(&facts, corpus, error))
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
    facts_free(&facts);
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
