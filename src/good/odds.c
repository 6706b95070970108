#include "good/odds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_file.h"
#include "base/memory.h"
#include "truth/calibration.h"

struct odds_evidence odds_evidence_of(const struct claims *claims, double certainty) {
    struct odds_evidence evidence = {.certainty = certainty};
    double least = 2;
    for (size_t i = 0; i < claims->count; i++)
        least = fmin(least, claims->probabilities[i]);
    if (least <= 1) {
        least = fmin(fmax(least, 1e-3), 1 - 1e-3); /* no claim is so sure as to settle it all */
        evidence.claim = log(least / (1 - least));
    }
    return evidence;
}

static void set_features(double *features, const struct odds_evidence *e) {
    features[0] = e->claim;
    features[1] = e->certainty;
    features[2] = 1;
}

int odds_fit(struct odds *odds, const struct layer *author, const struct odds_evidence *evidence,
             const uint8_t *is_right, size_t count, struct error *error) {
    static const double NOTHING_KNOWN[ODDS_FEATURES];
    double *features = memory_allocate(count * ODDS_FEATURES, sizeof *features, error);
    if (features == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        set_features(features + i * ODDS_FEATURES, &evidence[i]);
    *odds = (struct odds){.questions = count};
    layer_fingerprint(author, odds->author);
    logistic_fit(odds->weights, features, is_right, count, ODDS_FEATURES, NOTHING_KNOWN, 1);
    memory_free(features);
    return 0;
}

double odds_probability(const struct odds *odds, const struct odds_evidence *evidence) {
    double features[ODDS_FEATURES];
    set_features(features, evidence);
    return logistic_probability(odds->weights, features, ODDS_FEATURES);
}

size_t odds_candidates(const struct odds *odds) {
    return odds->candidates > 0 ? odds->candidates : 1;
}

int odds_save(const struct odds *odds, const char *path, struct error *error) {
    json_t *weights = json_array();
    for (int i = 0; i < ODDS_FEATURES; i++)
        json_array_append_new(weights, json_real(odds->weights[i]));
    json_t *json = json_pack("{s:i, s:s, s:o, s:I, s:I}", "trine_odds", 1, "author", odds->author,
                             "weights", weights, "questions", (json_int_t)odds->questions,
                             "candidates", (json_int_t)odds_candidates(odds));
    int result = json_file_write(json, path, JSON_INDENT(1), error);
    json_decref(json);
    return result;
}

static int take_weights(struct odds *odds, const json_t *weights, struct error *error) {
    static const double MOST = 1000; /* what is larger is a mistake, or malice */
    if (json_array_size(weights) != ODDS_FEATURES)
        return error_set(error, "\"weights\" must be %d numbers", ODDS_FEATURES);
    for (size_t i = 0; i < ODDS_FEATURES; i++) {
        const json_t *weight = json_array_get(weights, i);
        odds->weights[i] = json_number_value(weight);
        if (!json_is_number(weight) || !(fabs(odds->weights[i]) <= MOST))
            return error_set(error, "number %zu of \"weights\" must be from -1000 to 1000", i + 1);
    }
    return 0;
}

static int take(struct odds *odds, const struct layer *author, const json_t *json,
                struct error *error) {
    static const char *const KEYS[] = {"trine_odds", "author", "weights", "questions",
                                       "candidates"};
    const char *of = json_string_value(json_object_get(json, "author"));
    const json_t *candidates = json_object_get(json, "candidates");
    json_int_t questions = json_integer_value(json_object_get(json, "questions"));
    layer_fingerprint(author, odds->author);
    if (json_integer_value(json_object_get(json, "trine_odds")) != 1 || of == NULL || questions < 0)
        return error_set(error, "these are no odds of a good author");
    if (json_check_keys(json, KEYS, sizeof KEYS / sizeof *KEYS, error))
        return -1;
    if (strcmp(of, odds->author) != 0)
        return error_set(error, "these odds belong to another good author (%.16s, not %s)", of,
                         odds->author);
    odds->questions = (size_t)questions;
    if (candidates != NULL &&
        (json_integer_value(candidates) < 1 || json_integer_value(candidates) > CANDIDATES_MOST))
        return error_set(error, "\"candidates\" must be a number from 1 to %d", CANDIDATES_MOST);
    odds->candidates = candidates != NULL ? (size_t)json_integer_value(candidates) : 1;
    return take_weights(odds, json_object_get(json, "weights"), error);
}

int odds_load(struct odds *odds, const struct layer *author, const char *path,
              struct error *error) {
    struct error own;
    *odds = (struct odds){.questions = 0};
    json_t *json = json_file_read(path, ODDS_FILE_LIMIT, error);
    if (json == NULL)
        return -1;
    int result = take(odds, author, json, &own);
    json_decref(json);
    return result == 0 ? 0 : error_set(error, "%s: %s", path, own.message);
}

int odds_tenth(double probability) {
    return (int)floor(10 * probability + 0.5);
}

void odds_say(double probability, char *text, size_t size) {
    int tenth = odds_tenth(probability);
    if (tenth == 0)
        snprintf(text, size, "(I do not know; this is a guess.)");
    else if (tenth < 5)
        snprintf(text, size, "(I am only about %d %% sure.)", 10 * tenth);
    else if (tenth == 10)
        snprintf(text, size, "(I am more than 95 %% sure.)");
    else
        snprintf(text, size, "(I am about %d %% sure.)", 10 * tenth);
}
