#include "truth/judging.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "truth/calibration.h"
#include "truth/hearing.h"

/* What is weighed; the weights are the first of a calibration. */
enum { FEATURES = LAYER_SHIFT + 1 };
_Static_assert((int)FEATURES <= (int)LOGISTIC_MOST, "what a logistic regression takes");

static void set_features(double *features, const struct evidence *e, const double *calibration) {
    features[LAYER_SAID] = e->said;
    features[LAYER_READ] = e->read;
    features[LAYER_HEARD] = e->sign * (e->heard - calibration[LAYER_USUAL]);
    features[LAYER_BESIDE] = e->sign * (e->beside - calibration[LAYER_USUAL_BESIDE]);
    features[LAYER_SHIFT] = 1;
}

static int consult(struct judging *judging, const char *statement, struct evidence *e,
                   struct error *error) {
    struct testimony testimony = {0};
    e->sign = 1;
    if (judging->polarity != NULL && polarity_of(judging->polarity, statement, &e->sign, error))
        return -1;
    if (judging->library == NULL)
        return 0;
    if (library_consult(judging->library, statement, judging->filter, &testimony, error))
        return -1;
    e->read = testimony.log_odds;
    testimony_free(&testimony);
    return 0;
}

/* What network and library say, not calibrated. */
static int listen_to_each(struct judging *judging, const char *const *statements, size_t count,
                          struct evidence *evidence, struct error *error) {
    struct belief_of_model *beliefs = memory_allocate(count, sizeof *beliefs, error);
    double *heard = memory_allocate(2 * count, sizeof *heard, error), *beside = heard + count;
    int result = beliefs == NULL || heard == NULL
                     ? -1
                     : asking_ask(judging->asking, &judging->asked, statements, count,
                                  judging->threads, beliefs, error);
    if (result == 0 && judging->polarity != NULL)
        result = asking_hear(judging->asking, &judging->asked, statements, count, judging->threads,
                             heard, error);
    if (result == 0 && judging->polarity != NULL && judging->beside != NULL)
        result = asking_hear(judging->beside, &judging->beside_asked, statements, count,
                             judging->threads, beside, error);
    for (size_t i = 0; result == 0 && i < count; i++) {
        evidence[i] = (struct evidence){.doubt = beliefs[i].doubt,
                                        .said = beliefs[i].log_odds,
                                        .heard = heard[i],
                                        .beside = beside[i]};
        result = consult(judging, statements[i], &evidence[i], error);
    }
    memory_free(beliefs);
    memory_free(heard);
    return result;
}

/* The evidence is that of texts, each once. */
struct texts {
    struct sentences *sentences;
    const char **items;
    struct evidence *evidence;
};

/* A judgement's clauses among the texts. */
struct places {
    uint32_t worded, clauses[2];
};

static int split(struct texts *texts, const char *statement, int keeps_wording, struct judgement *j,
                 struct places *places, struct error *error) {
    struct clauses clauses;
    if (clauses_split(&clauses, statement, error))
        return -1;
    j->connective = clauses.connective;
    j->clause_count = clauses.count;
    int result = 0;
    for (size_t k = 0; result == 0 && k < clauses.count; k++) {
        j->is_denied[k] = clauses.is_denied[k];
        result = sentences_add_atom(texts->sentences, clauses.texts[k], &places->clauses[k], error);
    }
    places->worded = places->clauses[0];
    if (result == 0 && keeps_wording)
        result = sentences_add_atom(texts->sentences, statement, &places->worded, error);
    clauses_free(&clauses);
    return result;
}

static int hear_texts(struct judging *judging, struct texts *texts, struct error *error) {
    size_t count = sentences_count(texts->sentences);
    texts->items = memory_allocate(count, sizeof *texts->items, error);
    texts->evidence = memory_allocate(count, sizeof *texts->evidence, error);
    if (texts->items == NULL || texts->evidence == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        texts->items[i] = sentences_get(texts->sentences, (uint32_t)i)->text;
    return listen_to_each(judging, texts->items, count, texts->evidence, error);
}

static void set_evidence(struct judgement *j, const struct texts *texts,
                         const struct places *places) {
    j->worded = texts->evidence[places->worded];
    for (size_t k = 0; k < j->clause_count; k++) {
        j->clauses[k] = texts->evidence[places->clauses[k]];
        j->doubt = fmax(j->doubt, j->clauses[k].doubt);
    }
}

/* keeps_wording: statements that are made of others are asked for in their own words, too. */
static int listen(struct judging *judging, const char *const *statements, size_t count,
                  int keeps_wording, struct judgement *judgements, struct error *error) {
    struct texts texts = {0};
    struct places *places = memory_allocate(count, sizeof *places, error);
    int result = places == NULL || sentences_create(&texts.sentences, error) ? -1 : 0;
    for (size_t i = 0; result == 0 && i < count; i++) {
        judgements[i] = (struct judgement){0};
        result = split(&texts, statements[i], keeps_wording, &judgements[i], &places[i], error);
    }
    if (result == 0)
        result = hear_texts(judging, &texts, error);
    for (size_t i = 0; result == 0 && i < count; i++)
        set_evidence(&judgements[i], &texts, &places[i]);
    sentences_destroy(texts.sentences);
    memory_free(texts.items);
    memory_free(texts.evidence);
    memory_free(places);
    return result;
}

/* Log odds. */
static double weigh_evidence(const struct judging *judging, const struct evidence *e) {
    double features[FEATURES], sum = 0;
    set_features(features, e, judging->calibration);
    for (size_t k = 0; k < FEATURES; k++)
        sum += judging->calibration[k] * features[k];
    return sum;
}

/* 1, -1, or 0 where nothing is joined. */
static double joined_sign(const struct judgement *j) {
    return j->connective == CONNECTIVE_BOTH ? 1 : j->connective == CONNECTIVE_EITHER ? -1 : 0;
}

/* Log odds, as if the clauses were independent. */
static double weigh_clauses(const struct judging *judging, const struct judgement *j) {
    double log_odds[2] = {0};
    for (size_t k = 0; k < j->clause_count; k++)
        log_odds[k] = weigh_evidence(judging, &j->clauses[k]) * (j->is_denied[k] ? -1 : 1);
    return connective_log_odds(j->connective, log_odds[0], log_odds[1]);
}

static double weigh(const struct judging *judging, const struct judgement *j) {
    double log_odds =
        judging->is_as_worded
            ? weigh_evidence(judging, &j->worded)
            : weigh_clauses(judging, j) + judging->calibration[LAYER_JOINED] * joined_sign(j);
    return 1 / (1 + exp(-log_odds));
}

int judging_judge(struct judging *judging, const char *const *statements, size_t count,
                  struct judgement *judgements, struct error *error) {
    if (listen(judging, statements, count, 0, judgements, error))
        return -1;
    for (size_t i = 0; i < count; i++)
        judgements[i].probability = weigh(judging, &judgements[i]);
    return 0;
}

int judging_listen(struct listened *l, struct judging *judging, const struct belief_base *base,
                   struct error *error) {
    double start = progress_clock();
    *l = (struct listened){.base = base};
    if (base_texts_collect(&l->texts, base, error))
        return -1;
    l->judgements = memory_allocate(l->texts.count, sizeof *l->judgements, error);
    if (l->judgements == NULL ||
        listen(judging, l->texts.texts, l->texts.count, 1, l->judgements, error)) {
        listened_free(l);
        return -1;
    }
    l->seconds = progress_clock() - start;
    return 0;
}

void listened_free(struct listened *l) {
    base_texts_free(&l->texts);
    memory_free(l->judgements);
    l->judgements = NULL;
}

void judging_uncalibrated(struct judging *judging) {
    memset(judging->calibration, 0, sizeof judging->calibration);
    judging->calibration[LAYER_SAID] = judging->calibration[LAYER_CONFIDENCE] = 1;
}

struct fit_items {
    const struct evidence **evidence;
    double *features;
    uint8_t *outcomes; /* VERDICT_FALSE, VERDICT_TRUE */
};

/* Before any verdict is looked at: asked alone is taken at its word; asked and heard share, what is
 * heard on the scale that authors are taught it on. What is left out weighs nothing. */
static void set_prior(double *prior, const struct judging *judging, enum evidence_kind kind) {
    int is_heard = kind != EVIDENCE_ASKED && judging->polarity != NULL;
    prior[LAYER_SAID] = is_heard ? 0.5 : 1;
    prior[LAYER_HEARD] = is_heard ? 0.5 : 0;
    prior[LAYER_BESIDE] = is_heard && kind == EVIDENCE_ALL && judging->beside != NULL ? 0.5 : 0;
}

/* What is left out does not vary, and so keeps the prior's weight. */
static void leave_out(double *features, const double *prior, enum evidence_kind kind) {
    features[LAYER_READ] *= kind != EVIDENCE_ASKED;
    features[LAYER_HEARD] *= prior[LAYER_HEARD] > 0 ? HEARING_SCALE : 0;
    features[LAYER_BESIDE] *= prior[LAYER_BESIDE] > 0 ? HEARING_SCALE : 0;
}

/* What is not made of others, or denies one other: that as it is worded, for where else would be
 * learned what a denial sounds like? */
static size_t gather_simple(struct fit_items *items, const struct listened *l) {
    size_t count = 0;
    for (size_t i = 0; i < l->texts.count; i++) {
        const struct judgement *j = &l->judgements[i];
        uint8_t verdict = l->base->items[l->texts.places[i]].verdict;
        if (j->clause_count != 1 || verdict == VERDICT_UNKNOWN)
            continue;
        items->evidence[count] = &j->worded;
        items->outcomes[count++] = verdict;
    }
    return count;
}

static void fit_items(struct judging *judging, const struct fit_items *items, size_t count,
                      enum evidence_kind kind) {
    double *c = judging->calibration, prior[FEATURES] = {0};
    set_prior(prior, judging, kind);
    c[LAYER_USUAL] = c[LAYER_USUAL_BESIDE] = 0;
    for (size_t i = 0; i < count; i++) {
        c[LAYER_USUAL] += items->evidence[i]->heard / (double)count;
        c[LAYER_USUAL_BESIDE] += items->evidence[i]->beside / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        set_features(items->features + i * FEATURES, items->evidence[i], c);
        leave_out(items->features + i * FEATURES, prior, kind);
    }
    logistic_fit(c, items->features, items->outcomes, count, FEATURES, prior, 1);
    c[LAYER_HEARD] *= HEARING_SCALE; /* per nat */
    c[LAYER_BESIDE] *= HEARING_SCALE;
}

static int fit_weights(struct judging *judging, const struct listened *l, enum evidence_kind kind,
                       struct error *error) {
    size_t count = l->texts.count;
    struct fit_items items = {.evidence = memory_allocate(count, sizeof *items.evidence, error),
                              .features =
                                  memory_allocate(count * FEATURES, sizeof *items.features, error),
                              .outcomes = memory_allocate(count, 1, error)};
    int result =
        items.evidence == NULL || items.features == NULL || items.outcomes == NULL ? -1 : 0;
    if (result == 0)
        fit_items(judging, &items, gather_simple(&items, l), kind);
    memory_free(items.evidence);
    memory_free(items.features);
    memory_free(items.outcomes);
    return result;
}

/* Newton's method on the log loss of joined statements, with a standard normal prior. */
static void fit_joined(struct judging *judging, const struct listened *l) {
    enum { STEPS = 20 };
    double *shift = &judging->calibration[LAYER_JOINED];
    *shift = 0;
    for (int step = 0; step < STEPS; step++) {
        double slope = *shift, curvature = 1;
        for (size_t i = 0; i < l->texts.count; i++) {
            uint8_t verdict = l->base->items[l->texts.places[i]].verdict;
            double sign = joined_sign(&l->judgements[i]);
            if (sign == 0 || verdict == VERDICT_UNKNOWN)
                continue;
            double p = weigh(judging, &l->judgements[i]);
            slope += sign * (p - (verdict == VERDICT_TRUE));
            curvature += p * (1 - p);
        }
        *shift -= slope / curvature;
    }
}

void judging_weigh(const struct judging *judging, struct listened *l) {
    for (size_t i = 0; i < l->texts.count; i++)
        l->judgements[i].probability = weigh(judging, &l->judgements[i]);
}

double judging_confident(const struct judging *judging, double probability) {
    return platt_probability(log(probability / (1 - probability)),
                             (double[]){judging->calibration[LAYER_CONFIDENCE], 0});
}

static void mark_atoms(uint8_t *is_bound, const struct sentences *sentences, uint32_t id) {
    const struct sentence *s = sentences_get(sentences, id);
    if (s->kind == SENTENCE_ATOM) {
        is_bound[id] = 1;
        return;
    }
    mark_atoms(is_bound, sentences, s->left);
    if (s->right != s->left)
        mark_atoms(is_bound, sentences, s->right);
}

/* Statements that no law binds stay as they were weighed. */
static int cohere(double *prices, const struct judging *judging, const struct belief_base *base,
                  struct error *error) {
    size_t count = sentences_count(base->sentences);
    uint8_t *fixed = memory_allocate(count, 1, error), *is_bound = memory_allocate(count, 1, error);
    int result = fixed == NULL || is_bound == NULL ? -1 : 0;
    if (result == 0)
        memset(fixed, VERDICT_UNKNOWN, count);
    for (size_t i = 0; result == 0 && i < base->count; i++)
        if (base->items[i].is_constraint) {
            fixed[base->items[i].sentence] = VERDICT_TRUE;
            mark_atoms(is_bound, base->sentences, base->items[i].sentence);
        }
    for (size_t i = 0; result == 0 && i < count; i++)
        if (is_bound[i] && !isnan(prices[i]))
            prices[i] = judging_confident(judging, prices[i]);
    if (result == 0)
        result = coherent_prices(prices, fixed, base->sentences, error);
    memory_free(fixed);
    memory_free(is_bound);
    return result;
}

int judging_prices(double *prices, const struct judging *judging, const struct listened *l,
                   int is_coherent, struct error *error) {
    size_t count = sentences_count(l->base->sentences);
    for (size_t i = 0; i < count; i++)
        prices[i] = NAN;
    for (size_t i = 0; i < l->texts.count; i++)
        prices[l->base->items[l->texts.places[i]].sentence] = l->judgements[i].probability;
    return is_coherent ? cohere(prices, judging, l->base, error) : 0;
}

/* Nats, of what has a verdict. */
static double log_loss_of(const struct listened *l, const double *prices) {
    static const double LEAST = 1e-6;
    double loss = 0;
    for (size_t i = 0; i < l->texts.count; i++) {
        const struct belief *b = &l->base->items[l->texts.places[i]];
        double price = prices[b->sentence];
        if (b->verdict != VERDICT_UNKNOWN)
            loss -= log(fmax(b->verdict == VERDICT_TRUE ? price : 1 - price, LEAST));
    }
    return loss;
}

/* The factor between 1/e and e of least log loss after coherence, with a prior around 1. */
static int fit_confidence(struct judging *judging, const struct listened *l, struct error *error) {
    enum { STEPS = 10 };
    double *prices = memory_allocate(sentences_count(l->base->sentences), sizeof *prices, error);
    double least = INFINITY, best = 1;
    int result = prices == NULL ? -1 : 0;
    for (int k = -STEPS; result == 0 && k <= STEPS; k++) {
        double log_factor = (double)k / STEPS;
        judging->calibration[LAYER_CONFIDENCE] = exp(log_factor);
        result = judging_prices(prices, judging, l, 1, error);
        double loss = result == 0 ? log_loss_of(l, prices) + log_factor * log_factor / 2 : 0;
        if (result == 0 && loss < least) {
            least = loss;
            best = judging->calibration[LAYER_CONFIDENCE];
        }
    }
    judging->calibration[LAYER_CONFIDENCE] = best;
    memory_free(prices);
    return result;
}

int judging_fit(struct judging *judging, struct listened *l, enum evidence_kind kind,
                struct error *error) {
    judging->calibration[LAYER_CONFIDENCE] = 1;
    if (fit_weights(judging, l, kind, error))
        return -1;
    fit_joined(judging, l);
    judging_weigh(judging, l);
    return fit_confidence(judging, l, error);
}
