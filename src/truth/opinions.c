#include "truth/opinions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/memory.h"
#include "text/jsonl.h"

static int find_trader(struct opinions *o, const char *name, uint32_t *trader,
                       struct error *error) {
    for (size_t j = 0; j < o->trader_count; j++)
        if (strcmp(o->traders[j], name) == 0) {
            *trader = (uint32_t)j;
            return 0;
        }
    if (memory_grow(&o->traders, &o->trader_capacity, o->trader_count + 1, sizeof *o->traders,
                    error))
        return -1;
    if ((o->traders[o->trader_count] = strdup(name)) == NULL)
        return error_set(error, "out of memory for a trader's name");
    *trader = (uint32_t)o->trader_count++;
    return 0;
}

static const char *problem_of(const json_t *json, const struct belief_base *base,
                              struct opinion *item) {
    const char *sentence = json_string_value(json_object_get(json, "sentence"));
    const json_t *belief = json_object_get(json, "belief"), *day = json_object_get(json, "day");
    double value = json_number_value(belief);
    if (!json_is_string(json_object_get(json, "trader")) || sentence == NULL || belief == NULL ||
        json_object_size(json) != 3u + (day != NULL))
        return "trader, sentence, belief and perhaps day are wanted, and nothing else";
    if (!json_is_null(belief) && !(json_is_number(belief) && value >= 0 && value <= 1))
        return "a belief is a number from 0 to 1, or null";
    if (day != NULL && !(json_is_integer(day) && json_integer_value(day) >= 1 &&
                         json_integer_value(day) <= LAST_DAY))
        return "a day is a whole number from 1 on";
    item->belief = json_is_null(belief) ? NAN : value;
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
    json_t *json = line->is_too_long ? NULL : json_loadb(line->data, line->bytes, 0, &problem);
    const char *what = json == NULL ? "this is no JSON object" : problem_of(json, base, &item);
    int result = what != NULL ? error_set(error, "%s:%zu: %s", path, line->number, what) : 0;
    if (result == 0)
        result = find_trader(o, json_string_value(json_object_get(json, "trader")), &item.trader,
                             error) ||
                 memory_grow(&o->items, &o->capacity, o->count + 1, sizeof *o->items, error);
    item.place = o->count;
    if (result == 0)
        o->items[o->count++] = item;
    json_decref(json);
    return result ? -1 : 0;
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
    memory_free(o->beliefs);
    o->beliefs = memory_allocate(o->trader_count * o->sentence_count, sizeof *o->beliefs, error);
    if (o->beliefs == NULL)
        return -1;
    for (size_t i = 0; i < o->trader_count * o->sentence_count; i++)
        o->beliefs[i] = NAN;
    qsort(o->items, o->count, sizeof *o->items, compare_days);
    o->applied = 0;
    return 0;
}

void opinions_set_day(struct opinions *o, size_t day) {
    for (; o->applied < o->count && o->items[o->applied].day <= day; o->applied++) {
        const struct opinion *item = &o->items[o->applied];
        o->beliefs[item->trader * o->sentence_count + item->sentence] = item->belief;
    }
}

void opinions_free(struct opinions *o) {
    for (size_t j = 0; j < o->trader_count; j++)
        free(o->traders[j]);
    free(o->traders);
    free(o->items);
    memory_free(o->beliefs);
    *o = (struct opinions){0};
}
