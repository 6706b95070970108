#include "dream/microscope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/cancellation.h"
#include "base/memory.h"
#include "dream/microscope_private.h"

int microscope_go_on(struct microscope *m, size_t done, const char *what, struct error *error) {
    m->done += done;
    if (m->options->progress != NULL)
        m->options->progress(m->options->progress_context, m->done, m->total, what);
    return cancellation_check(error);
}

static int is_legible(utf8proc_int32_t character) {
    if (character == '\n' || character == '\t')
        return 1;
    switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CN: /* U+FFFE and others that HTML does not allow */
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return 0;
    default: /* embeddings, overrides and isolates of direction */
        return !(character >= 0x202a && character <= 0x202e) &&
               !(character >= 0x2066 && character <= 0x2069);
    }
}

json_t *microscope_text(const char *text, size_t bytes) {
    static const char REPLACEMENT[] = "\xef\xbf\xbd";
    char *clean = malloc(bytes * (sizeof REPLACEMENT - 1) + 1);
    size_t length = 0;
    if (clean == NULL)
        return NULL;
    for (size_t at = 0; at < bytes;) {
        utf8proc_int32_t character;
        utf8proc_ssize_t step = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                 (utf8proc_ssize_t)(bytes - at), &character);
        int is_kept = step > 0 && is_legible(character);
        size_t given = step > 0 ? (size_t)step : 1;
        size_t taken = is_kept ? given : sizeof REPLACEMENT - 1;
        memcpy(clean + length, is_kept ? text + at : REPLACEMENT, taken);
        length += taken;
        at += given;
    }
    json_t *json = json_stringn(clean, length);
    free(clean);
    return json;
}

json_t *microscope_label(const char *label) {
    return microscope_text(label, strlen(label));
}

json_t *microscope_number(double x) {
    return isfinite(x) ? json_real(x) : json_null();
}

struct ranked {
    double documents;
    size_t label;
};

static int compare_ranked(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->documents != y->documents)
        return x->documents < y->documents ? 1 : -1;
    return (x->label > y->label) - (x->label < y->label);
}

/* Those with training documents, and of these the ones with most. */
static int choose_labels(struct microscope *m, struct error *error) {
    size_t points = m->slot->point_count, count = 0;
    struct ranked *ranked = memory_allocate(points, sizeof *ranked, error);
    m->is_used = memory_allocate(points, sizeof *m->is_used, error);
    m->labels = memory_allocate(points, sizeof *m->labels, error);
    if (ranked == NULL || m->is_used == NULL || m->labels == NULL) {
        memory_free(ranked);
        return -1;
    }
    for (size_t i = 0; i < points; i++)
        if (m->facts.documents[i] > 0)
            ranked[count++] = (struct ranked){m->facts.documents[i], i};
    qsort(ranked, count, sizeof *ranked, compare_ranked);
    for (size_t i = 0; i < count && i < MICROSCOPE_LABELS; i++)
        m->is_used[ranked[i].label] = 1;
    for (size_t i = 0; i < points; i++)
        if (m->is_used[i])
            m->labels[m->label_count++] = i;
    memory_free(ranked);
    return 0;
}

static json_t *author_to_json(const struct microscope *m, size_t label) {
    const struct slots *slots = &m->model->slots;
    json_t *known = json_object(), *coordinates = json_array();
    for (size_t s = 0; s < slots->count; s++) {
        json_t *value = NULL;
        if (m->facts.mean_years[s] != NULL && isfinite(m->facts.mean_years[s][label]))
            value = json_real(m->facts.mean_years[s][label]);
        if (m->facts.commonest[s] != NULL && m->facts.commonest[s][label] > 0)
            value = microscope_label(slots->slots[s].labels[m->facts.commonest[s][label] - 1]);
        if (value != NULL)
            json_object_set_new(known, slots->slots[s].name, value);
    }
    for (size_t c = 0; c < m->atlas.component_count; c++)
        json_array_append_new(coordinates,
                              microscope_number(m->atlas.components[c].coordinates[label]));
    return json_pack("{s:o, s:I, s:o, s:o}", "label", microscope_label(m->slot->labels[label]),
                     "documents", (json_int_t)m->facts.documents[label], "slots", known,
                     "coordinates", coordinates);
}

static json_t *authors_to_json(const struct microscope *m) {
    json_t *authors = json_array();
    for (size_t i = 0; i < m->label_count; i++)
        json_array_append_new(authors, author_to_json(m, m->labels[i]));
    return authors;
}

/* The other slots by which labels can be told apart: dates first, as they make a scale. */
static json_t *kinds_to_json(const struct microscope *m) {
    json_t *kinds = json_array();
    for (int dates = 1; dates >= 0; dates--)
        for (size_t s = 0; s < m->model->slots.count; s++) {
            const struct slot *slot = &m->model->slots.slots[s];
            if (s != m->own && slot->kind == (dates ? LATENT_DATE : LATENT_CATEGORICAL))
                json_array_append_new(kinds,
                                      json_pack("{s:o, s:b}", "slot", microscope_label(slot->name),
                                                "is_date", dates));
        }
    return kinds;
}

static size_t count_tokens(const struct dataset *dataset) {
    size_t tokens = 0;
    for (size_t i = 0; i < dataset->count; i++)
        tokens += dataset->texts[i].count;
    return tokens;
}

static json_t *header_to_json(const struct microscope *m) {
    const struct microscope_options *o = m->options;
    size_t with_documents = 0;
    for (size_t i = 0; i < m->slot->point_count; i++)
        with_documents += m->facts.documents[i] > 0;
    return json_pack(
        "{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:s}", "model",
        microscope_label(m->model->name), "corpus", microscope_label(corpus_name(m->corpus)),
        "slot", microscope_label(m->slot->name), "labels", (json_int_t)with_documents, "shown",
        (json_int_t)m->label_count, "width", (json_int_t)m->slot->width, "parameters",
        (json_int_t)m->model->layout.count, "tokens_trained", (json_int_t)m->model->tokens_trained,
        "training_documents", (json_int_t)m->training.count, "held_out_documents",
        (json_int_t)m->held_out.count, "corpus_tokens",
        (json_int_t)(count_tokens(&m->training) + count_tokens(&m->held_out)), "command",
        microscope_label(o->command != NULL ? o->command : ""), "prompt",
        microscope_label(o->prompt != NULL ? o->prompt : ""), "seed", (json_int_t)o->seed,
        "version", TRINE_VERSION);
}

static int prepare(struct microscope *m, struct error *error) {
    const struct slots *slots = &m->model->slots;
    if (dataset_create(&m->training, m->corpus, slots, DATASET_TRAIN, 0, error) ||
        dataset_create(&m->held_out, m->corpus, slots, DATASET_HELD_OUT, 0, error) ||
        label_facts_create(&m->facts, slots, m->own, &m->training, error) ||
        choose_labels(m, error) || model_slot_states(m->model, &m->states, error) ||
        atlas_create(&m->atlas, m->model, m->slot, m->is_used, m->facts.items, m->facts.count,
                     m->options->components, error))
        return -1;
    m->total = microscope_components_work(m) + microscope_disputed_count(m);
    return 0;
}

typedef json_t *collector(struct microscope *m, struct error *error);

static json_t *collect(struct microscope *m, struct error *error) {
    static const struct {
        const char *name;
        collector *collect;
    } PARTS[] = {{"components", microscope_components},
                 {"dates", microscope_dates},
                 {"places", microscope_places},
                 {"neighbours", microscope_neighbours},
                 {"disputed", microscope_disputed}};
    json_t *all = json_pack("{s:o, s:o, s:o}", "header", header_to_json(m), "kinds",
                            kinds_to_json(m), "authors", authors_to_json(m));
    if (all == NULL)
        error_set(error, "out of memory for the report");
    for (size_t i = 0; all != NULL && i < sizeof PARTS / sizeof *PARTS; i++) {
        json_t *part = PARTS[i].collect(m, error);
        if (part == NULL || json_object_set_new(all, PARTS[i].name, part)) {
            if (part != NULL)
                error_set(error, "out of memory for the report");
            json_decref(all);
            all = NULL;
        }
    }
    return all;
}

int microscope_create(json_t **out, const struct model *model, const struct corpus *corpus,
                      const struct microscope_options *options, struct error *error) {
    struct microscope m = {
        .model = model, .corpus = corpus, .options = options, .slot = options->slot};
    m.own = (size_t)(options->slot - model->slots.slots);
    *out = prepare(&m, error) ? NULL : collect(&m, error);
    atlas_free(&m.atlas);
    slot_states_destroy(m.states, model->slots.count);
    memory_free(m.labels);
    memory_free(m.is_used);
    label_facts_free(&m.facts);
    dataset_free(&m.training);
    dataset_free(&m.held_out);
    return *out != NULL ? 0 : -1;
}
