#include "truth/opinions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "base/memory.h"
#include "text/jsonl.h"
#include "truth/calibration.h"

static int find_trader(struct opinions *o, const char *name, enum opinion_scale scale,
                       uint32_t *trader, struct error *error) {
    for (size_t j = 0; j < o->trader_count; j++)
        if (strcmp(o->traders[j].name, name) == 0) {
            if (o->traders[j].scale == OPINION_UNDECIDED)
                o->traders[j].scale = scale;
            if (scale != OPINION_UNDECIDED && o->traders[j].scale != scale)
                return error_set(error, "the trader \"%.100s\" says both belief and log_odds",
                                 name);
            *trader = (uint32_t)j;
            return 0;
        }
    if (memory_grow(&o->traders, &o->trader_capacity, o->trader_count + 1, sizeof *o->traders,
                    error))
        return -1;
    o->traders[o->trader_count] = (struct opinion_trader){strdup(name), scale};
    if (o->traders[o->trader_count].name == NULL)
        return error_set(error, "out of memory for a trader's name");
    *trader = (uint32_t)o->trader_count++;
    return 0;
}

int opinions_add(struct opinions *o, const char *trader, enum opinion_scale scale,
                 uint32_t sentence, uint32_t day, double said, struct error *error) {
    struct opinion item = {.sentence = sentence, .day = day, .said = said, .place = o->count};
    if (find_trader(o, trader, isnan(said) ? OPINION_UNDECIDED : scale, &item.trader, error) ||
        memory_grow(&o->items, &o->capacity, o->count + 1, sizeof *o->items, error))
        return -1;
    o->items[o->count++] = item;
    return 0;
}

static const char *problem_of(const json_t *json, const struct belief_base *base,
                              struct opinion *item, enum opinion_scale *scale) {
    const char *sentence = json_string_value(json_object_get(json, "sentence"));
    const json_t *belief = json_object_get(json, "belief"), *day = json_object_get(json, "day");
    const json_t *log_odds = json_object_get(json, "log_odds");
    double value = json_number_value(belief);
    if (!json_is_string(json_object_get(json, "trader")) || sentence == NULL ||
        (belief == NULL) == (log_odds == NULL) || json_object_size(json) != 3u + (day != NULL))
        return "trader, sentence, belief or log_odds, and perhaps day are wanted, and nothing else";
    if (belief != NULL && !json_is_null(belief) &&
        !(json_is_number(belief) && value >= 0 && value <= 1))
        return "a belief is a number from 0 to 1, or null";
    if (log_odds != NULL && !(json_is_number(log_odds) && isfinite(json_number_value(log_odds))))
        return "log_odds is a number";
    if (day != NULL && !(json_is_integer(day) && json_integer_value(day) >= 1 &&
                         json_integer_value(day) <= LAST_DAY))
        return "a day is a whole number from 1 on";
    *scale = log_odds != NULL ? OPINION_LOG_ODDS : OPINION_PROBABILITY;
    item->said = log_odds != NULL       ? json_number_value(log_odds)
                 : json_is_null(belief) ? NAN
                                        : value;
    item->day = day != NULL ? (uint32_t)json_integer_value(day) : 1;
    item->sentence = sentences_find_name(base->sentences, sentence);
    if (item->sentence == UINT32_MAX)
        item->sentence = sentences_find_atom(base->sentences, sentence);
    return item->sentence == UINT32_MAX ? "the base has no such sentence" : NULL;
}

static int read_line(struct opinions *o, const struct jsonl_line *line, const char *path,
                     const struct belief_base *base, struct error *error) {
    json_error_t problem;
    struct opinion item = {0};
    struct error own;
    enum opinion_scale scale = OPINION_UNDECIDED;
    json_t *json = line->is_too_long ? NULL : json_loadb(line->data, line->bytes, 0, &problem);
    const char *what =
        json == NULL ? "this is no JSON object" : problem_of(json, base, &item, &scale);
    if (what == NULL && opinions_add(o, json_string_value(json_object_get(json, "trader")), scale,
                                     item.sentence, item.day, item.said, &own))
        what = own.message;
    int result = what != NULL ? error_set(error, "%s:%zu: %s", path, line->number, what) : 0;
    json_decref(json);
    return result;
}

int opinions_read(struct opinions *o, const char *path, const struct belief_base *base,
                  struct error *error) {
    struct jsonl_source source = {.name = path, .descriptor = -1};
    struct jsonl_reader *reader;
    struct jsonl_line line = {.data = ""};
    if (jsonl_open(&reader, &source, 1, BELIEF_LINE_LIMIT, error))
        return -1;
    int result = 0;
    while (result == 0 && (result = jsonl_next(reader, &line, error)) == 0 && line.data != NULL)
        if (line.bytes > 0)
            result = read_line(o, &line, path, base, error);
    jsonl_close(reader);
    return result;
}

/* By day; on one day in the order of the file, so that the last word counts. */
static int compare_days(const void *a, const void *b) {
    const struct opinion *x = a, *y = b;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

int opinions_start(struct opinions *o, const struct belief_base *base, struct error *error) {
    o->sentence_count = sentences_count(base->sentences);
    size_t count = o->trader_count * o->sentence_count;
    memory_free(o->said);
    memory_free(o->beliefs);
    o->said = memory_allocate(count, sizeof *o->said, error);
    o->beliefs = memory_allocate(count, sizeof *o->beliefs, error);
    if (o->said == NULL || o->beliefs == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        o->said[i] = o->beliefs[i] = NAN;
    if (o->count > 0)
        qsort(o->items, o->count, sizeof *o->items, compare_days);
    o->applied = o->known_count = 0;
    o->is_stale = 1;
    return 0;
}

static int calibrate(struct opinions *o, size_t trader, const uint8_t *known,
                     const uint32_t *families, size_t family_count, struct error *error) {
    const double *said = o->said + trader * o->sentence_count;
    double *beliefs = o->beliefs + trader * o->sentence_count;
    struct calibration calibration;
    if (calibration_fit(&calibration, said, known, families, family_count, o->sentence_count,
                        error))
        return -1;
    for (size_t i = 0; i < o->sentence_count; i++)
        beliefs[i] =
            isnan(said[i]) ? NAN : calibration_probability(&calibration, said[i], families[i]);
    calibration_free(&calibration);
    return 0;
}

int opinions_set_day(struct opinions *o, size_t day, const uint8_t *known, const uint32_t *families,
                     size_t family_count, struct error *error) {
    size_t known_count = 0;
    for (; o->applied < o->count && o->items[o->applied].day <= day; o->applied++) {
        const struct opinion *item = &o->items[o->applied];
        o->said[item->trader * o->sentence_count + item->sentence] = item->said;
        o->is_stale = 1;
    }
    for (size_t i = 0; i < o->sentence_count; i++)
        known_count += known[i] <= 1;
    if (!o->is_stale && known_count == o->known_count)
        return 0;
    o->is_stale = 0;
    o->known_count = known_count;
    for (size_t j = 0; j < o->trader_count; j++)
        if (o->traders[j].scale == OPINION_LOG_ODDS) {
            if (calibrate(o, j, known, families, family_count, error))
                return -1;
        } else {
            memcpy(o->beliefs + j * o->sentence_count, o->said + j * o->sentence_count,
                   o->sentence_count * sizeof *o->beliefs);
        }
    return 0;
}

static int write_opinion(FILE *stream, const struct opinions *o, const struct opinion *item,
                         const struct belief_base *base) {
    const struct opinion_trader *trader = &o->traders[item->trader];
    char *sentence = sentences_text(base->sentences, item->sentence, 1);
    json_t *json = json_pack("{s:s, s:s, s:o, s:I}", "trader", trader->name, "sentence", sentence,
                             trader->scale == OPINION_LOG_ODDS ? "log_odds" : "belief",
                             isnan(item->said) ? json_null() : json_real(item->said), "day",
                             (json_int_t)item->day);
    int failed = json == NULL || json_dumpf(json, stream, JSON_COMPACT | JSON_REAL_PRECISION(9)) ||
                 fputc('\n', stream) == EOF;
    json_decref(json);
    free(sentence);
    return failed;
}

int opinions_write(const struct opinions *o, const char *path, const struct belief_base *base,
                   struct error *error) {
    struct file_writer writer;
    if (file_writer_open(&writer, path, error))
        return -1;
    for (size_t i = 0; i < o->count; i++)
        if (write_opinion(writer.stream, o, &o->items[i], base)) {
            file_writer_abort(&writer);
            return error_set(error, "the opinions could not be written to %s", path);
        }
    return file_writer_commit(&writer, error);
}

void opinions_free(struct opinions *o) {
    for (size_t j = 0; j < o->trader_count; j++)
        free(o->traders[j].name);
    free(o->traders);
    free(o->items);
    memory_free(o->said);
    memory_free(o->beliefs);
    *o = (struct opinions){0};
}
