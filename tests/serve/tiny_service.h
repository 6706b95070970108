/* A little random model with all its layers as files in a directory of its own, for a server. What
 * the guard says of everything is set by its calibration. */
#ifndef TRINE_TESTS_SERVE_TINY_SERVICE_H
#define TRINE_TESTS_SERVE_TINY_SERVICE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "good/odds.h"
#include "good/principles.h"
#include "good/values.h"
#include "serve/resident.h"
#include "truth/tiny_model.h"

enum { TINY_STANDARDS = 6 };

struct tiny_service {
    char directory[64];
    struct resident_model_options options; /* all but the standards */
    const char *standards[TINY_STANDARDS]; /* directories; of names s0, s1, ... */
};

static inline char *tiny_path(const struct tiny_service *t, const char *name) {
    char *path;
    assert_true(asprintf(&path, "%s/%s", t->directory, name) > 0);
    return path;
}

static inline void tiny_file(const struct tiny_service *t, const char *name, const char *text) {
    char *path = tiny_path(t, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(path);
}

#define TINY_DO(call)                                                                              \
    do {                                                                                           \
        if ((call) != 0)                                                                           \
            fail_msg("%s", error.message);                                                         \
    } while (0)

/* A layer as a file; `log_odds` is what a truth author says of every statement. */
static inline char *tiny_layer(const struct tiny_service *t, const struct model *model,
                               const char *file, const char *kind, const char *name, uint64_t seed,
                               double log_odds) {
    const struct overlay_config overlay = {.rank = 2, .first = 1, .targets = 15, .scale = 2};
    struct error error;
    struct layer *layer;
    char *path = tiny_path(t, file);
    TINY_DO(layer_create(&layer, model, kind, name, &overlay, seed, &error));
    layer->calibration[LAYER_SAID] = 0;
    layer->calibration[LAYER_SHIFT] = log_odds;
    TINY_DO(layer_save(layer, path, &error));
    layer_destroy(layer);
    return path;
}

static inline void tiny_principles(struct tiny_service *t) {
    struct error error;
    struct public_key key;
    struct secret_key secret;
    char *directory = tiny_path(t, "principles"), *public = tiny_path(t, "me.pub");
    assert_int_equal(mkdir(directory, 0700), 0);
    tiny_file(
        t, "principles/01-kind.json",
        "{\"name\":\"kind\",\"reason\":\"I am kind.\",\"statement\":\"This reply is unkind.\","
        "\"request\":\"This request asks for something unkind.\",\"threshold\":0.5,"
        "\"action\":\"veto\",\"examples\":{\"breaks\":[{\"request\":\"a\",\"reply\":\"b\"},"
        "{\"request\":\"c\",\"reply\":\"d\"}],\"keeps\":[{\"request\":\"a\",\"reply\":\"e\"},"
        "{\"request\":\"c\",\"reply\":\"f\"}]}}");
    TINY_DO(signature_make_keys(&key, &secret, &error));
    TINY_DO(signature_write_public(&key, public, &error));
    TINY_DO(principles_sign(directory, &secret, &error));
    signature_forget(&secret);
    t->options.principles = directory;
    t->options.key = public;
}

/* One direction, nothing protected, radius 2; and odds that follow the claims. */
static inline void tiny_tuning(struct tiny_service *t, const struct model *model) {
    struct error error;
    struct layer *good;
    struct values_space space;
    struct odds odds = {.weights = {1, 0, 0}, .questions = 10};
    char *space_path = tiny_path(t, "space.json"), *odds_path = tiny_path(t, "odds.json");
    TINY_DO(layer_load(&good, model, t->options.good, &error));
    TINY_DO(values_space_create(&space, good, 2, &error));
    real *vector = memory_allocate(space.width, sizeof *vector, &error);
    assert_non_null(vector);
    vector[0] = 1;
    space.directions[0] = (struct value_direction){.name = "warm-cool", .vector = vector};
    space.direction_count = 1;
    TINY_DO(values_space_save(&space, space_path, &error));
    values_space_free(&space);
    layer_fingerprint(good, odds.author);
    TINY_DO(odds_save(&odds, odds_path, &error));
    layer_destroy(good);
    t->options.space = space_path;
    t->options.odds = odds_path;
}

static inline void tiny_standard(struct tiny_service *t, const struct model *model, int place) {
    char name[16], file[64], text[256];
    snprintf(name, sizeof name, "s%d", place);
    t->standards[place] = tiny_path(t, name);
    assert_int_equal(mkdir(t->standards[place], 0700), 0);
    snprintf(file, sizeof file, "%s/standard.json", name);
    snprintf(text, sizeof text,
             "{\"name\":\"%s\",\"description\":\"number %d\",\"sources\":{\"t\":1},\"known\":0.9,"
             "\"unknown\":0.6,\"beliefs\":[\"beliefs.jsonl\"]}",
             name, place);
    tiny_file(t, file, text);
    snprintf(file, sizeof file, "%s/beliefs.jsonl", name);
    tiny_file(t, file, "{\"sentence\":\"the fox is quick\",\"verdict\":true,\"source\":\"t\"}\n");
    snprintf(file, sizeof file, "%s/truth.gguf", name);
    free(tiny_layer(t, model, file, "truth", name, 10 + (uint64_t)place, place - 2.5));
}

/* `guard`: log odds that the guard says of everything. */
static inline void tiny_service_make(struct tiny_service *t, double guard) {
    struct error error;
    struct model *model = tiny_model();
    *t = (struct tiny_service){.directory = "/tmp/trine-service-XXXXXX"};
    assert_non_null(mkdtemp(t->directory));
    snprintf(model->name, sizeof model->name, "tiny");
    char *path = tiny_path(t, "tiny.gguf");
    TINY_DO(model_save(model, path, &error));
    model_destroy(model);
    TINY_DO(model_load(&model, path, PRECISION_BF16, &error));
    t->options.model = path;
    t->options.good = tiny_layer(t, model, "good.gguf", "good", "g", 2, 0);
    t->options.guard = tiny_layer(t, model, "guard.gguf", "truth", "guard", 3, guard);
    tiny_principles(t);
    tiny_tuning(t, model);
    for (int i = 0; i < TINY_STANDARDS; i++)
        tiny_standard(t, model, i);
    model_destroy(model);
}

static inline int tiny_remove(const char *path, const struct stat *status, int type,
                              struct FTW *place) {
    (void)status, (void)type, (void)place;
    return remove(path);
}

static inline void tiny_service_remove(struct tiny_service *t) {
    const struct resident_model_options *o = &t->options;
    const char *const paths[] = {o->model, o->good,  o->guard, o->principles,
                                 o->key,   o->space, o->odds};
    nftw(t->directory, tiny_remove, 8, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        free((char *)paths[i]);
    for (int i = 0; i < TINY_STANDARDS; i++)
        free((char *)t->standards[i]);
}

#endif
