#include "truth/judging.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "truth/calibration.h"

/* What is weighed: asked, read, heard less what is usual, and 1; the weights are the first of the
 * calibration. Then come what is usual, and how sure to be before coherence. */
enum { FEATURES = LAYER_CALIBRATION - 2, USUAL = FEATURES, CONFIDENCE };

static void set_features(double *features, const struct judgement *j, double usual) {
    features[0] = j->said;
    features[1] = j->read;
    features[2] = j->sign * (j->heard - usual);
    features[3] = 1;
}

static int consult(struct judging *judging, const char *statement, struct judgement *j,
                   struct error *error) {
    struct testimony testimony = {0};
    j->sign = 1;
    if (judging->hearing != NULL && polarity_of(judging->polarity, statement, &j->sign, error))
        return -1;
    if (judging->library == NULL)
        return 0;
    if (library_consult(judging->library, statement, judging->filter, &testimony, error))
        return -1;
    j->read = testimony.log_odds;
    testimony_free(&testimony);
    return 0;
}

/* What network and library say, not calibrated. */
static int listen(struct judging *judging, const char *const *statements, size_t count,
                  struct judgement *judgements, struct error *error) {
    struct belief_of_model *beliefs = memory_allocate(count, sizeof *beliefs, error);
    double *heard = memory_allocate(count, sizeof *heard, error);
    int result = beliefs == NULL || heard == NULL
                     ? -1
                     : asking_ask(judging->asking, &judging->asked, statements, count,
                                  judging->threads, beliefs, error);
    struct asked another = {.unpacked = judging->hearing_unpacked};
    if (result == 0 && judging->hearing != NULL)
        result = asking_hear(judging->hearing,
                             judging->hearing == judging->asking ? &judging->asked : &another,
                             statements, count, judging->threads, heard, error);
    for (size_t i = 0; result == 0 && i < count; i++) {
        judgements[i] = (struct judgement){
            .doubt = beliefs[i].doubt, .said = beliefs[i].log_odds, .heard = heard[i]};
        result = consult(judging, statements[i], &judgements[i], error);
    }
    memory_free(beliefs);
    memory_free(heard);
    return result;
}

static double weigh(const struct judging *judging, const struct judgement *j) {
    double features[FEATURES];
    set_features(features, j, judging->calibration[USUAL]);
    return logistic_probability(judging->calibration, features, FEATURES);
}

int judging_judge(struct judging *judging, const char *const *statements, size_t count,
                  struct judgement *judgements, struct error *error) {
    if (listen(judging, statements, count, judgements, error))
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
        listen(judging, l->texts.texts, l->texts.count, l->judgements, error)) {
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
    judging->calibration[0] = judging->calibration[CONFIDENCE] = 1;
}

static int fit_weights(struct judging *judging, const struct listened *l, int is_asked_alone,
                       struct error *error) {
    static const double NOTHING_TO_CORRECT[FEATURES] = {1, 0, 0, 0};
    size_t count = l->texts.count;
    double *features = memory_allocate(count * FEATURES, sizeof *features, error), usual = 0;
    uint8_t *outcomes = memory_allocate(count, 1, error);
    int result = features == NULL || outcomes == NULL ? -1 : 0;
    for (size_t i = 0; i < count; i++)
        usual += l->judgements[i].heard / (double)count;
    for (size_t i = 0; result == 0 && i < count; i++) {
        double *own = features + i * FEATURES;
        set_features(own, &l->judgements[i], usual);
        if (is_asked_alone)
            own[1] = own[2] = 0; /* what does not vary keeps the prior's weight, which is none */
        outcomes[i] = (uint8_t)l->base->items[l->texts.places[i]].verdict;
    }
    if (result == 0)
        logistic_fit(judging->calibration, features, outcomes, count, FEATURES, NOTHING_TO_CORRECT,
                     1);
    judging->calibration[USUAL] = usual;
    memory_free(features);
    memory_free(outcomes);
    return result;
}

void judging_weigh(const struct judging *judging, struct listened *l) {
    for (size_t i = 0; i < l->texts.count; i++)
        l->judgements[i].probability = weigh(judging, &l->judgements[i]);
}

double judging_confident(const struct judging *judging, double probability) {
    return platt_probability(log(probability / (1 - probability)),
                             (double[]){judging->calibration[CONFIDENCE], 0});
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
        judging->calibration[CONFIDENCE] = exp(log_factor);
        result = judging_prices(prices, judging, l, 1, error);
        double loss = result == 0 ? log_loss_of(l, prices) + log_factor * log_factor / 2 : 0;
        if (result == 0 && loss < least) {
            least = loss;
            best = judging->calibration[CONFIDENCE];
        }
    }
    judging->calibration[CONFIDENCE] = best;
    memory_free(prices);
    return result;
}

int judging_fit(struct judging *judging, struct listened *l, int is_asked_alone,
                struct error *error) {
    judging->calibration[CONFIDENCE] = 1;
    if (fit_weights(judging, l, is_asked_alone, error))
        return -1;
    judging_weigh(judging, l);
    return fit_confidence(judging, l, error);
}
