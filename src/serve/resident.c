#include "serve/resident.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "latent/place.h"
#include "model/batcher.h"
#include "serve/model_atlas.h"
#include "serve/model_market.h"
#include "text/gazetteer.h"

static const char *const LAYER_NAMES[RESIDENT_LAYERS] = {"good", "truth", "dream"};

/* So many authors are asked whether they disagree with a statement. */
enum { ASKED_AUTHORS = 4 };

const char *resident_layer_name(enum resident_layer layer) {
    return LAYER_NAMES[layer];
}

static int open_layer(struct layer **layer, const struct resident_model *m, const char *path,
                      const char *kind, struct error *error) {
    if (layer_load(layer, m->model, path, error))
        return -1;
    if (strcmp((*layer)->kind, kind) != 0)
        return error_set(error, "%s is a layer of the kind \"%s\"; \"%s\" is wanted", path,
                         (*layer)->kind, kind);
    return 0;
}

static int open_principles(struct resident_model *m, struct error *error) {
    const struct resident_model_options *o = m->options;
    char path[4096];
    struct public_key key;
    int has_key = 1;
    if (principles_find(path, sizeof path, o->principles, error))
        return -1;
    if (principles_find_key(&key, o->key, error)) {
        if (!o->is_research)
            return -1;
        has_key = 0;
    }
    return principles_open(&m->principles, path, has_key ? &key : NULL, o->is_research, error);
}

static int open_good(struct resident_model *m, struct error *error) {
    const struct resident_model_options *o = m->options;
    if (o->good == NULL && (o->guard != NULL || o->space != NULL || o->odds != NULL))
        return error_set(error, "--guard, --space and --odds want --good FILE");
    if (o->profile_count > 0 && o->space == NULL)
        return error_set(error, "--profile wants --space FILE: it says what its values mean");
    if (o->good == NULL)
        return 0;
    if (o->guard == NULL)
        return error_set(error, "--good wants --guard FILE: nobody replies without it");
    if (open_principles(m, error) || open_layer(&m->good, m, o->good, "good", error) ||
        open_layer(&m->guard_layer, m, o->guard, "truth", error) ||
        guard_create(&m->guard, m->guard_layer, &m->principles, &(struct guard_options){0}, error))
        return -1;
    m->has_space = o->space != NULL;
    m->has_odds = o->odds != NULL;
    return (m->has_space &&
            (values_space_load(&m->space, m->good, o->space, error) ||
             model_profiles_open(&m->profiles, &m->space, o->profiles, o->profile_count, error))) ||
                   (m->has_odds && odds_load(&m->odds, m->good, o->odds, error))
               ? -1
               : 0;
}

/* The truth author that judges by the standard: the one that is given if it was trained for it,
 * else the standard's own. It is only looked at, so that what is wrong is said at the start. */
static int look_at_truth(struct resident_model *m, struct resident_standard *s,
                         const struct standard *standard, struct error *error) {
    char path[4096];
    struct layer *layer = NULL;
    int result = 0;
    if (m->options->truth != NULL) {
        result = open_layer(&layer, m, m->options->truth, "truth", error);
        if (result == 0 && strcmp(layer->name, standard->name) == 0)
            s->judging.truth = m->options->truth;
        layer_destroy(layer);
        layer = NULL;
    }
    if (result == 0 && s->judging.truth == NULL) {
        standard_truth_path(standard, path, sizeof path);
        result = open_layer(&layer, m, path, "truth", error);
        if (result == 0 && strcmp(layer->name, standard->name) != 0)
            result = error_set(error, "%s was trained for the standard \"%s\"", path, layer->name);
        layer_destroy(layer);
        if (result != 0 && m->options->truth != NULL)
            result = error_set(error, "%s was not trained for the standard \"%s\"",
                               m->options->truth, standard->name);
    }
    return result;
}

static int open_standard(struct resident_model *m, const char *name, struct error *error) {
    const struct resident_model_options *o = m->options;
    struct resident_standard *s = &m->standards[m->standard_count];
    struct standard standard;
    if (standard_open(&standard, name, error))
        return -1;
    s->judging = (struct judge_options){.loaded = m->model,
                                        .standard = name,
                                        .corpus = o->corpus,
                                        .authors = ASKED_AUTHORS,
                                        .threads = (size_t)omp_get_max_threads()};
    s->known = standard.known;
    s->unknown = standard.unknown;
    int result = look_at_truth(m, s, &standard, error);
    for (size_t i = 0; result == 0 && i < m->standard_count; i++)
        if (strcmp(m->standards[i].name, standard.name) == 0)
            result = error_set(error, "the standard \"%s\" is given twice", standard.name);
    if (result == 0) {
        s->name = standard.name;
        s->description = standard.description;
        standard.name = standard.description = NULL;
        m->standard_count++;
    }
    standard_close(&standard);
    return result;
}

static int open_truth(struct resident_model *m, struct error *error) {
    const struct resident_model_options *o = m->options;
    if (o->standard_count == 0)
        return o->truth != NULL || o->odds != NULL || o->market != NULL
                   ? open_standard(m, "plain", error)
                   : 0;
    for (size_t i = 0; i < o->standard_count; i++)
        if (open_standard(m, o->standards[i], error))
            return -1;
    return 0;
}

static int make_writer(void *context, void **item, struct error *error) {
    const struct resident_model *m = context;
    return writer_create((struct writer **)item, m->model, error);
}

static void unmake_writer(void *item) {
    writer_destroy(item);
}

static int make_speaker(void *context, void **item, struct error *error) {
    const struct resident_model *m = context;
    return replier_create((struct replier **)item, m->model, NULL, error);
}

static void unmake_speaker(void *item) {
    replier_destroy(item);
}

static void unmake_assistant(void *item) {
    struct resident_assistant *a = item;
    replier_destroy(a->replier);
    writer_destroy(a->dreamer);
    memory_free(a);
}

static int make_assistant(void *context, void **item, struct error *error) {
    const struct resident_model *m = context;
    struct resident_assistant *a = memory_allocate(1, sizeof *a, error);
    if (a == NULL)
        return -1;
    if (replier_create(&a->replier, m->model, m->good, error) ||
        writer_create(&a->dreamer, m->model, error)) {
        unmake_assistant(a);
        return -1;
    }
    a->assistant = (struct assistant){.replier = a->replier,
                                      .guard = m->guard,
                                      .principles = &m->principles,
                                      .odds = &m->odds,
                                      .dream = m->model,
                                      .dreamer = a->dreamer};
    *item = a;
    return 0;
}

static int make_pools(struct resident_model *m, size_t workers, struct error *error) {
    struct weights weights = model_weights(m->model);
    if (batcher_create(&m->batcher, &weights, 0, error))
        return -1;
    m->model->batcher = m->batcher;
    return pool_create(&m->writers, workers, make_writer, unmake_writer, m, error) ||
                   pool_create(&m->speakers, workers, make_speaker, unmake_speaker, m, error) ||
                   (m->good != NULL && pool_create(&m->assistants, workers, make_assistant,
                                                   unmake_assistant, m, error))
               ? -1
               : 0;
}

/* Names stand before a slash in what clients send, and in JSON. */
static int set_name(struct resident *r, struct resident_model *m, struct error *error) {
    const char *given = m->options->name, *name = given != NULL ? given : m->model->name;
    snprintf(m->name, sizeof m->name, "%s", name);
    for (char *at = m->name; given == NULL && *at != '\0'; at++)
        if (*at == '/')
            *at = '-';
    json_t *json = json_string(m->name);
    int is_fine = json != NULL && m->name[0] != '\0' && strlen(name) < sizeof m->name &&
                  strchr(m->name, '/') == NULL;
    json_decref(json);
    for (const char *at = m->name; *at != '\0'; at++)
        is_fine = is_fine && (unsigned char)*at >= ' ' && *at != 0x7f;
    if (!is_fine)
        return error_set(error,
                         "a model's name is 1 to %d bytes of UTF-8 without slashes and control "
                         "characters; give another with --name",
                         RESIDENT_NAME - 1);
    for (const struct resident_model *other = r->models; other != m; other++)
        if (strcmp(other->name, m->name) == 0)
            return error_set(error, "there are two models \"%s\"; give one another --name",
                             m->name);
    return 0;
}

static int open_model(struct resident *r, struct resident_model *m,
                      const struct resident_model_options *options, size_t workers,
                      struct error *error) {
    m->options = options;
    if (model_load_on(&m->model, options->model, options->base, PRECISION_BF16, error))
        return -1;
    if (set_name(r, m, error) || model_slot_states(m->model, &m->states, error) ||
        open_good(m, error) || open_truth(m, error) ||
        (options->market != NULL && model_market_open(&m->market, options->market, error)) ||
        model_atlas_create(&m->atlas, m, error) || make_pools(m, workers, error))
        return -1;
    return 0;
}

/* Only for models to which places can be told. */
static int open_gazetteer(struct resident *r, const char *path, struct error *error) {
    for (size_t i = 0; i < r->count && path != NULL; i++) {
        if (slots_place(&r->models[i].model->slots) == NULL)
            continue;
        if (r->gazetteer == NULL &&
            (gazetteer_open(&r->gazetteer, path, error) || gazetteer_index(r->gazetteer, error)))
            return -1;
        r->models[i].model->gazetteer = r->gazetteer;
    }
    return 0;
}

int resident_open(struct resident **out, const struct resident_options *options,
                  struct error *error) {
    *out = NULL;
    if (options->model_count < 1 || options->model_count > RESIDENT_MODELS_MOST)
        return error_set(error, "a server has 1 to %d models, not %zu", RESIDENT_MODELS_MOST,
                         options->model_count);
    struct resident *r = memory_allocate(1, sizeof *r, error);
    if (r == NULL)
        return -1;
    r->context = options->context > 0 ? options->context : RESIDENT_CONTEXT;
    r->models = memory_allocate(options->model_count, sizeof *r->models, error);
    int result = r->models == NULL || judge_pool_create(&r->judges, error) ? -1 : 0;
    for (size_t i = 0; result == 0 && i < options->model_count; i++) {
        r->count++;
        result = open_model(r, &r->models[i], &options->models[i], options->workers, error);
    }
    if (result != 0 || open_gazetteer(r, options->gazetteer, error)) {
        resident_close(r);
        return -1;
    }
    memory_trim();
    *out = r;
    return 0;
}

static void close_model(struct resident_model *m) {
    pool_destroy(m->assistants);
    pool_destroy(m->speakers);
    pool_destroy(m->writers);
    model_atlas_destroy(m->atlas);
    if (m->model != NULL)
        m->model->batcher = NULL;
    batcher_destroy(m->batcher);
    for (size_t i = 0; i < m->standard_count; i++) {
        free(m->standards[i].name);
        free(m->standards[i].description);
    }
    model_market_close(m->market);
    model_profiles_close(&m->profiles);
    values_space_free(&m->space);
    guard_destroy(m->guard);
    layer_destroy(m->guard_layer);
    layer_destroy(m->good);
    principles_close(&m->principles);
    if (m->model != NULL)
        slot_states_destroy(m->states, m->model->slots.count);
    model_destroy(m->model);
}

void resident_close(struct resident *r) {
    if (r == NULL)
        return;
    judge_pool_destroy(r->judges);
    for (size_t i = 0; i < r->count; i++)
        close_model(&r->models[i]);
    gazetteer_close(r->gazetteer);
    memory_free(r->models);
    memory_free(r);
}

int resident_has(const struct resident_model *m, enum resident_layer layer) {
    return layer == RESIDENT_DREAM || (layer == RESIDENT_GOOD && m->good != NULL) ||
           (layer == RESIDENT_TRUTH && m->standard_count > 0);
}

const struct resident_model *resident_find(const struct resident *r, const char *name,
                                           enum resident_layer *layer) {
    for (size_t i = 0; i < r->count; i++) {
        size_t length = strlen(r->models[i].name);
        if (strncmp(name, r->models[i].name, length) != 0)
            continue;
        *layer = RESIDENT_LAYERS;
        if (name[length] == '\0')
            return &r->models[i];
        for (int k = 0; k < RESIDENT_LAYERS; k++)
            if (name[length] == '/' && strcmp(name + length + 1, LAYER_NAMES[k]) == 0) {
                *layer = (enum resident_layer)k;
                return &r->models[i];
            }
    }
    return NULL;
}

const struct resident_standard *resident_find_standard(const struct resident_model *m,
                                                       const char *name) {
    for (size_t i = 0; i < m->standard_count; i++)
        if (name == NULL || strcmp(m->standards[i].name, name) == 0)
            return &m->standards[i];
    return NULL;
}

int resident_count(const struct resident_model *m, const char *text, size_t *tokens,
                   struct error *error) {
    struct writer *writer = pool_take(m->writers, error);
    if (writer == NULL)
        return -1;
    int result = writer_count(writer, &(struct write_options){.prompt = text}, tokens, error);
    pool_give(m->writers, writer);
    return result;
}

int resident_chats(const struct resident_model *m) {
    return m->model->base != NULL && m->model->base->chat_template != NULL;
}

const struct slot *resident_author_slot(const struct resident_model *m) {
    const struct slots *slots = &m->model->slots;
    const struct slot *slot = slots_find(slots, "author");
    for (size_t s = 0; slot == NULL && s < slots->count; s++)
        if (slots->slots[s].kind == LATENT_CATEGORICAL)
            slot = &slots->slots[s];
    return slot != NULL && slot->kind == LATENT_CATEGORICAL ? slot : NULL;
}
