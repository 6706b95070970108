#include "truth/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/progress.h"
#include "truth/calibration.h"
#include "truth/judge_private.h"

/* What a standard proves is priced as the market prices what is known. */
static const double PROVED = 0.999;

static int open_model(struct judge *j, const struct judge_options *o, struct error *error) {
    char path[4096];
    standard_truth_path(&j->standard, path, sizeof path);
    const char *truth = o->truth != NULL ? o->truth : path;
    if (o->loaded == NULL && model_load_on(&j->own_model, o->model, o->base, PRECISION_BF16, error))
        return -1;
    j->model = o->loaded != NULL ? o->loaded : j->own_model;
    if (asking_create(&j->asking, j->model, error) || layer_load(&j->layer, j->model, truth, error))
        return -1;
    if (strcmp(j->layer->kind, "truth") != 0)
        return error_set(error, "%s is a layer of another kind than truth", truth);
    if (strcmp(j->layer->name, j->standard.name) != 0)
        return error_set(
            error,
            "%s was trained for \"%s\", not for the standard \"%s\"; trine truth train "
            "--standard %s makes one",
            truth, j->layer->name, j->standard.name, j->standard.name);
    return 0;
}

static int is_same_file(const char *one, const char *other) {
    struct stat a, b;
    return one != NULL && stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* The layer must have been fitted beside the same model. */
static int check_beside(const struct judge *j, const struct model *beside, const char *path,
                        struct error *error) {
    if (j->layer->beside[LAYER_CONFIDENCE] == 0)
        return error_set(error,
                         "this truth author was never fitted beside another model: trine truth "
                         "train --hear %s makes one that is",
                         path);
    if (j->layer->beside_model != layer_model_fingerprint(beside))
        return error_set(error, "this truth author was fitted beside another model than %s", path);
    return 0;
}

static int open_hearing(struct judge *j, const struct judge_options *o, struct error *error) {
    const struct model *beside = j->model; /* as it is, without the layer */
    memcpy(j->judging.calibration, j->layer->calibration, sizeof j->layer->calibration);
    if (polarity_create(&j->judging.polarity, error))
        return -1;
    if (o->hear == NULL)
        return 0;
    if (!is_same_file(o->model, o->hear)) {
        if (model_load(&j->own_beside_model, o->hear, PRECISION_BF16, error))
            return -1;
        beside = j->own_beside_model;
    }
    if (check_beside(j, beside, o->hear, error) || asking_create(&j->beside, beside, error))
        return -1;
    j->judging.beside = &j->beside;
    memcpy(j->judging.calibration, j->layer->beside, sizeof j->layer->beside);
    return 0;
}

/* All that is known by the standard, for proofs. */
static int open_logic(struct judge *j, struct error *error) {
    const struct belief_base *base = &j->standard.base;
    if (logic_create(&j->logic, base->sentences, error))
        return -1;
    for (size_t i = 0; i < base->count; i++)
        if (base->items[i].verdict != VERDICT_UNKNOWN)
            logic_assert(j->logic, (struct claim){base->items[i].sentence,
                                                  base->items[i].verdict == VERDICT_TRUE});
    return 0;
}

/* Authors far from each other: the one farthest from the mean first, then each the farthest from
 * those before. */
static int choose_authors(struct judge *j, size_t count, struct error *error) {
    const struct slot *slot = slots_find(&j->model->slots, "author");
    if (slot == NULL || slot->kind != LATENT_CATEGORICAL)
        return 0;
    size_t width = slot->width, points = slot->point_count;
    count = count < MOST_DISSENTERS ? count : MOST_DISSENTERS;
    real *x = memory_allocate(points * width, sizeof *x, error);
    double *distance = memory_allocate(points, sizeof *distance, error);
    if (x == NULL || distance == NULL) {
        memory_free(x);
        memory_free(distance);
        return -1;
    }
    slot_points(slot, model_slot_parameters(j->model), x);
    for (size_t a = 0; a < points; a++)
        for (size_t d = 0; d < width; d++)
            distance[a] += (double)x[a * width + d] * (double)x[a * width + d];
    for (; j->author_count < count && j->author_count < points; j->author_count++) {
        size_t farthest = 0;
        for (size_t a = 1; a < points; a++)
            farthest = distance[a] > distance[farthest] ? a : farthest;
        j->authors[j->author_count] = farthest;
        for (size_t a = 0; a < points; a++) {
            double own = 0;
            for (size_t d = 0; d < width; d++)
                own += pow((double)(x[a * width + d] - x[farthest * width + d]), 2);
            distance[a] = j->author_count == 0 || own < distance[a] ? own : distance[a];
        }
    }
    memory_free(x);
    memory_free(distance);
    return 0;
}

static int unpack(struct judge *j, struct error *error) {
    struct weights asked = layer_weights(j->layer);
    if (weights_unpack(&j->asked_weights, &asked, error))
        return -1;
    if (j->judging.beside != NULL) {
        struct weights beside = model_weights(j->beside.model);
        if (weights_unpack(&j->beside_weights, &beside, error))
            return -1;
    }
    j->judging.asked.unpacked = j->asked_weights;
    j->judging.beside_asked.unpacked = j->beside_weights;
    return 0;
}

int judge_open(struct judge **out, const struct judge_options *o, struct error *error) {
    *out = NULL;
    struct judge *j = memory_allocate(1, sizeof *j, error);
    if (j == NULL)
        return -1;
    if (standard_open(&j->standard, o->standard != NULL ? o->standard : "plain", error) ||
        open_model(j, o, error) || open_hearing(j, o, error) || unpack(j, error) ||
        open_logic(j, error) ||
        (o->corpus != NULL && library_open(&j->judging.library, o->corpus, error)) ||
        (o->authors > 0 && choose_authors(j, o->authors, error))) {
        judge_close(j);
        return -1;
    }
    j->judging.asking = &j->asking;
    j->judging.asked.layer = j->layer;
    j->judging.filter = &j->standard.filter;
    j->judging.threads = o->threads;
    *out = j;
    return 0;
}

void judge_close(struct judge *j) {
    if (j == NULL)
        return;
    library_close(j->judging.library);
    logic_destroy(j->logic);
    unpacked_destroy(j->asked_weights);
    unpacked_destroy(j->beside_weights);
    layer_destroy(j->layer);
    asking_free(&j->asking);
    asking_free(&j->beside);
    polarity_destroy(j->judging.polarity);
    model_destroy(j->own_beside_model);
    model_destroy(j->own_model);
    standard_close(&j->standard);
    memory_free(j);
}

const struct standard *judge_standard(const struct judge *j) {
    return &j->standard;
}

/* The texts a formula is made of, each once. */
struct parts {
    uint32_t sentences[MOST_PARTS];
    const char *texts[MOST_PARTS];
    size_t count;
};

static int collect_parts(struct parts *p, const struct sentences *sentences, uint32_t id,
                         struct error *error) {
    const struct sentence *s = sentences_get(sentences, id);
    if (s->kind != SENTENCE_ATOM)
        return collect_parts(p, sentences, s->left, error) ||
                       (s->right != s->left && collect_parts(p, sentences, s->right, error))
                   ? -1
                   : 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->sentences[i] == id)
            return 0;
    if (p->count == MOST_PARTS)
        return error_set(error, "the formula has more than %d different parts", MOST_PARTS);
    p->texts[p->count] = s->text;
    p->sentences[p->count++] = id;
    return 0;
}

/* What is proved is fixed, the parts come near what they were judged, and the rest gives way. */
static int cohere(struct judge *j, const struct parts *parts, const struct judgement *judgements,
                  uint32_t id, double *probability, struct error *error) {
    const struct sentences *sentences = j->standard.base.sentences;
    size_t count = sentences_count(sentences);
    double *prices = memory_allocate(count, sizeof *prices, error);
    uint8_t *fixed = memory_allocate(count, 1, error);
    int result = prices == NULL || fixed == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < count; i++) {
        int proof = logic_verdict(j->logic, (uint32_t)i);
        fixed[i] = proof > 0 ? VERDICT_TRUE : proof < 0 ? VERDICT_FALSE : VERDICT_UNKNOWN;
        prices[i] = NAN;
    }
    for (size_t i = 0; result == 0 && i < parts->count; i++)
        prices[parts->sentences[i]] = judging_confident(&j->judging, judgements[i].probability);
    if (result == 0)
        result = coherent_prices(prices, fixed, sentences, error);
    if (result == 0)
        *probability = prices[id];
    memory_free(prices);
    memory_free(fixed);
    return result;
}

/* Adds what will be judged to the standard's sentences. */
static int read_statement(struct judge *j, const char *statement, int is_formula, uint32_t *id,
                          struct error *error) {
    struct sentences *sentences = j->standard.base.sentences;
    if (*statement == '\0')
        return error_set(error, "there is nothing to judge");
    return is_formula ? sentences_parse(sentences, statement, id, error)
                      : sentences_add_atom(sentences, statement, id, error);
}

/* An author's belief, in the truth author's calibration without its shift: only sides matter. */
static int ask_author(struct judge *j, size_t label, const char *statement, double *probability,
                      struct error *error) {
    const struct slot *slot = slots_find(&j->model->slots, "author");
    size_t width = j->model->config.latent_width;
    real *told = memory_allocate(2 * width, sizeof *told, error);
    real *points = memory_allocate(slot->point_count * slot->width, sizeof *points, error);
    struct belief_of_model belief;
    int result = told == NULL || points == NULL ? -1 : 0;
    if (result == 0) {
        slot_points(slot, model_slot_parameters(j->model), points);
        for (size_t d = 0; d < slot->width; d++) {
            told[slot->first + d] = points[label * slot->width + d];
            told[width + slot->first + d] = 1;
        }
        struct pass_handle handle = {.told = told, .told_mask = told + width};
        result = asking_ask(&j->asking, &(struct asked){.handle = &handle}, &statement, 1,
                            j->judging.threads, &belief, error);
    }
    if (result == 0)
        *probability = platt_probability(belief.log_odds, (double[]){1, 0});
    memory_free(told);
    memory_free(points);
    return result;
}

/* Those who are on the other side. */
static int find_dissenters(struct judge *j, const char *statement, struct ruling *r,
                           struct error *error) {
    const struct slot *slot = slots_find(&j->model->slots, "author");
    for (size_t i = 0; i < j->author_count; i++) {
        double probability;
        if (ask_author(j, j->authors[i], statement, &probability, error))
            return -1;
        if ((probability > 0.5) != (r->probability > 0.5))
            r->dissenters[r->dissenter_count++] =
                (struct dissenter){slot->labels[j->authors[i]], probability};
    }
    return 0;
}

int judge_statement(struct judge *j, const char *statement, int is_formula, struct ruling *r,
                    struct error *error) {
    double start = progress_clock();
    struct parts parts = {.count = 0};
    struct judgement judgements[MOST_PARTS];
    uint32_t id;
    *r = (struct ruling){0};
    if (read_statement(j, statement, is_formula, &id, error) ||
        collect_parts(&parts, j->standard.base.sentences, id, error))
        return -1;
    r->decided = logic_verdict(j->logic, id);
    if (r->decided != 0)
        r->probability = r->decided > 0 ? PROVED : 1 - PROVED;
    else if (judging_judge(&j->judging, parts.texts, parts.count, judgements, error))
        return -1;
    for (size_t i = 0; r->decided == 0 && i < parts.count; i++)
        r->doubt = fmax(r->doubt, judgements[i].doubt);
    if (r->decided == 0 && is_formula && cohere(j, &parts, judgements, id, &r->probability, error))
        return -1;
    if (r->decided == 0 && !is_formula)
        r->probability = judgements[0].probability;
    r->seconds = progress_clock() - start;
    if (is_formula)
        return 0;
    if ((j->judging.library != NULL &&
         library_consult(j->judging.library, statement, j->judging.filter, &r->testimony, error)) ||
        find_dissenters(j, statement, r, error)) {
        ruling_free(r);
        return -1;
    }
    return 0;
}

void ruling_free(struct ruling *r) {
    testimony_free(&r->testimony);
}
