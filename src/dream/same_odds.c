#include "dream/same_odds.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_file.h"
#include "base/memory.h"
#include "base/random.h"
#include "math/logistic.h"
#include "text/jsonl.h"

enum { FINGERPRINT_SIZE = 17 };
static const double LARGEST_NUMBER = 1000; /* what is larger is a mistake, or malice */

int same_odds_fit(struct same_odds *odds, const double *log_odds, const uint8_t *is_same,
                  size_t count, struct error *error) {
    static const double AS_THEY_ARE[2] = {1, 0};
    double scaling[2];
    *odds = (struct same_odds){.scale = 1};
    for (size_t i = 0; i < count; i++)
        if (is_same[i])
            odds->same++;
        else
            odds->different++;
    if (odds->same < SAME_ODDS_LEAST_PAIRS || odds->different < SAME_ODDS_LEAST_PAIRS)
        return error_set(error,
                         "%zu pairs of one author and %zu of two are too few: at least %d of each "
                         "are needed",
                         odds->same, odds->different, SAME_ODDS_LEAST_PAIRS);
    platt_fit(scaling, log_odds, is_same, count, AS_THEY_ARE, 1);
    if (!(scaling[0] > 0))
        return error_set(error, "the model does not put the texts of one author nearer to each "
                                "other than those of two");
    odds->scale = scaling[0];
    odds->shift = scaling[1] - log((double)odds->same / (double)odds->different);
    if (!(odds->scale <= LARGEST_NUMBER && fabs(odds->shift) <= LARGEST_NUMBER))
        return error_set(error, "no odds fit these pairs: a scale of %g and a shift of %g",
                         odds->scale, odds->shift);
    return 0;
}

double same_odds_apply(const struct same_odds *odds, double log_odds) {
    return odds->scale * log_odds + odds->shift;
}

static char *copy_field(const json_t *root, const char *key) {
    const char *value = json_string_value(json_object_get(root, key));
    return value != NULL && value[0] != '\0' ? strdup(value) : NULL;
}

static int add(struct known_passages *passages, const struct jsonl_line *line,
               struct error *error) {
    json_t *root = line->is_too_long ? NULL : json_loadb(line->data, line->bytes, 0, NULL);
    struct known_passage passage = {copy_field(root, "text"), copy_field(root, "author"),
                                    copy_field(root, "work")};
    const json_t *work = json_object_get(root, "work");
    int is_work_fine = work == NULL || json_is_string(work) || json_is_null(work);
    json_decref(root);
    int result = -1;
    if (passage.text == NULL || passage.author == NULL)
        error_set(error, "no JSON object with \"text\" and \"author\"");
    else if (!is_work_fine)
        error_set(error, "\"work\" is no text");
    else if (passages->count == SAME_ODDS_MOST_TEXTS)
        error_set(error, "more than %d texts", SAME_ODDS_MOST_TEXTS);
    else
        result = memory_grow(&passages->items, &passages->capacity, passages->count + 1,
                             sizeof *passages->items, error);
    if (result == 0) {
        passages->items[passages->count++] = passage;
        return 0;
    }
    free(passage.text);
    free(passage.author);
    free(passage.work);
    return -1;
}

int known_passages_read(struct known_passages *passages, const char *path, struct error *error) {
    struct jsonl_source source = {.name = path, .descriptor = -1};
    struct jsonl_reader *reader;
    struct jsonl_line line;
    struct error own;
    *passages = (struct known_passages){0};
    if (jsonl_open(&reader, &source, 1, 0, error))
        return -1;
    int result;
    while ((result = jsonl_next(reader, &line, error)) == 0 && line.data != NULL) {
        size_t blank = 0;
        while (blank < line.bytes && strchr(" \t\r", line.data[blank]) != NULL)
            blank++;
        if (blank == line.bytes && !line.is_too_long)
            continue;
        if (add(passages, &line, &own)) {
            result = error_set(error, "%s:%zu: %s", path, line.number, own.message);
            break;
        }
    }
    jsonl_close(reader);
    return result;
}

void known_passages_free(struct known_passages *passages) {
    for (size_t i = 0; i < passages->count; i++) {
        free(passages->items[i].text);
        free(passages->items[i].author);
        free(passages->items[i].work);
    }
    free(passages->items);
    *passages = (struct known_passages){0};
}

int known_passages_are_apart(const struct known_passage *one, const struct known_passage *other) {
    return one->work == NULL || other->work == NULL || strcmp(one->work, other->work) != 0 ||
           strcmp(one->author, other->author) != 0;
}

static void fingerprint(const struct same_space *space, char *text) {
    size_t width = space->slot->width;
    uint64_t hash = random_hash(space->centre, width * sizeof *space->centre);
    hash = random_mix(hash ^ random_hash(space->variance, width * sizeof *space->variance));
    hash = random_mix(hash ^ random_hash(space->own_variance, width * sizeof(double)));
    hash =
        random_mix(hash ^ random_hash(space->slot->calibration, sizeof space->slot->calibration));
    snprintf(text, FINGERPRINT_SIZE, "%016llx", (unsigned long long)hash);
}

int same_odds_save(const struct same_odds *odds, const struct same_space *space, const char *path,
                   struct error *error) {
    char text[FINGERPRINT_SIZE];
    fingerprint(space, text);
    json_t *json = json_pack("{s:i, s:s, s:f, s:f, s:I, s:I}", "trine_same_odds", 1, "space", text,
                             "scale", odds->scale, "shift", odds->shift, "same",
                             (json_int_t)odds->same, "different", (json_int_t)odds->different);
    int result = json_file_write(json, path, JSON_INDENT(1), error);
    json_decref(json);
    return result;
}

static int take_number(double *out, const json_t *json, const char *key, struct error *error) {
    const json_t *value = json_object_get(json, key);
    *out = json_number_value(value);
    if (!json_is_number(value) || !(fabs(*out) <= LARGEST_NUMBER))
        return error_set(error, "\"%s\" must be a number from -1000 to 1000", key);
    return 0;
}

static int take(struct same_odds *odds, const struct same_space *space, const json_t *json,
                struct error *error) {
    static const char *const KEYS[] = {"trine_same_odds", "space", "scale",
                                       "shift",           "same",  "different"};
    char own[FINGERPRINT_SIZE];
    const char *of = json_string_value(json_object_get(json, "space"));
    json_int_t same = json_integer_value(json_object_get(json, "same"));
    json_int_t different = json_integer_value(json_object_get(json, "different"));
    fingerprint(space, own);
    if (json_integer_value(json_object_get(json, "trine_same_odds")) != 1 || of == NULL ||
        same < 0 || different < 0)
        return error_set(error, "these are no odds of trine same --fit");
    if (json_check_keys(json, KEYS, sizeof KEYS / sizeof *KEYS, error))
        return -1;
    if (strcmp(of, own) != 0)
        return error_set(error, "these odds belong to another model or slot (%.16s, not %s)", of,
                         own);
    odds->same = (size_t)same;
    odds->different = (size_t)different;
    if (take_number(&odds->scale, json, "scale", error) ||
        take_number(&odds->shift, json, "shift", error))
        return -1;
    return odds->scale > 0 ? 0 : error_set(error, "\"scale\" must be above 0");
}

int same_odds_load(struct same_odds *odds, const struct same_space *space, const char *path,
                   struct error *error) {
    struct error own;
    json_t *json = json_file_read(path, SAME_ODDS_FILE_LIMIT, error);
    if (json == NULL)
        return -1;
    int result = take(odds, space, json, &own);
    json_decref(json);
    return result == 0 ? 0 : error_set(error, "%s: %s", path, own.message);
}
