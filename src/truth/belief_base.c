#include "truth/belief_base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/memory.h"
#include "text/jsonl.h"

/* One line before its formulas are read: they may use the names of later lines. */
struct line {
    json_t *object;
    size_t number;
};

struct loading {
    struct belief_base *base;
    struct line *lines;
    size_t count, capacity;
};

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static int wrong(const struct belief_base *base, size_t line, const char *what,
                 struct error *error) {
    return error_set(error, "%s:%zu: %s", base->name, line, what);
}

/* What a key's value must be. */
static int is_kind(const char *kind, const json_t *value) {
    switch (*kind) {
    case 't':
        return json_is_string(value);
    case 'v':
        return json_is_boolean(value) || json_is_null(value);
    case 'd':
        return json_is_integer(value) && json_integer_value(value) >= 0 &&
               json_integer_value(value) <= LAST_DAY;
    default:
        return json_is_number(value) && json_number_value(value) > 0 &&
               json_number_value(value) <= 1;
    }
}

static int check_keys(const struct belief_base *base, const struct line *line,
                      struct error *error) {
    static const struct {
        const char *key, *kind;
    } KEYS[] = {{"id", "text"},
                {"sentence", "text"},
                {"formula", "text"},
                {"constraint", "text"},
                {"family", "text"},
                {"source", "text"},
                {"verdict", "verdict: true, false or null"},
                {"day", "day: a whole number from 0 to 1000000"},
                {"weight", "weight: above 0, up to 1"}};
    const char *key;
    json_t *value;
    json_object_foreach(line->object, key, value) {
        size_t i = 0;
        while (i < sizeof KEYS / sizeof *KEYS && strcmp(KEYS[i].key, key) != 0)
            i++;
        if (i == sizeof KEYS / sizeof *KEYS)
            return error_set(error, "%s:%zu: there is no key \"%.100s\"", base->name, line->number,
                             key);
        if (!is_kind(KEYS[i].kind, value))
            return error_set(error, "%s:%zu: \"%s\" must be a %s", base->name, line->number, key,
                             KEYS[i].kind);
    }
    int kinds = 0;
    for (const char *const *name = (const char *[]){"sentence", "formula", "constraint", NULL};
         *name != NULL; name++)
        kinds += json_object_get(line->object, *name) != NULL;
    if (kinds != 1)
        return wrong(base, line->number, "one of sentence, formula and constraint is wanted",
                     error);
    if (json_object_get(line->object, "constraint") && json_object_get(line->object, "verdict"))
        return wrong(base, line->number, "a constraint holds by itself and has no verdict", error);
    return 0;
}

int belief_base_add(struct belief_base *base, const struct belief *belief, struct error *error) {
    if (base->sentences == NULL && sentences_create(&base->sentences, error))
        return -1;
    if (memory_grow(&base->items, &base->capacity, base->count + 1, sizeof *base->items, error))
        return -1;
    struct belief copy = *belief;
    copy.id = strdup(belief->id != NULL ? belief->id : "");
    copy.family = strdup(belief->family != NULL ? belief->family : "");
    copy.source = strdup(belief->source != NULL ? belief->source : "");
    base->items[base->count++] = copy;
    if (copy.id == NULL || copy.family == NULL || copy.source == NULL)
        return error_set(error, "out of memory for a belief");
    return 0;
}

static int name_sentence(struct belief_base *base, const struct line *line, uint32_t sentence,
                         struct error *error) {
    struct error inner;
    const char *id = text_of(line->object, "id");
    if (*id == '\0' || sentences_add_name(base->sentences, id, sentence, &inner) == 0)
        return 0;
    return wrong(base, line->number, inner.message, error);
}

/* Sentences are named first, then formulas in their order, then constraints. */
static int name_atoms(struct loading *l, struct error *error) {
    struct error inner;
    for (size_t i = 0; i < l->count; i++) {
        uint32_t id;
        if (json_object_get(l->lines[i].object, "sentence") == NULL)
            continue;
        if (sentences_add_atom(l->base->sentences, text_of(l->lines[i].object, "sentence"), &id,
                               &inner))
            return wrong(l->base, l->lines[i].number, inner.message, error);
        if (name_sentence(l->base, &l->lines[i], id, error))
            return -1;
    }
    return 0;
}

static int add_line(struct loading *l, const struct line *line, struct error *error) {
    const json_t *object = line->object, *verdict = json_object_get(object, "verdict"),
                 *weight = json_object_get(object, "weight");
    struct belief_base *base = l->base;
    struct error inner;
    struct belief b = {.id = (char *)text_of(object, "id"),
                       .family = (char *)text_of(object, "family"),
                       .source = (char *)text_of(object, "source"),
                       .is_constraint = json_object_get(object, "constraint") != NULL,
                       .verdict = VERDICT_UNKNOWN,
                       .day = (uint32_t)json_integer_value(json_object_get(object, "day")),
                       .weight = weight != NULL ? json_number_value(weight) : 1,
                       .line = line->number};
    if (b.is_constraint || json_is_boolean(verdict))
        b.verdict = b.is_constraint || json_is_true(verdict) ? VERDICT_TRUE : VERDICT_FALSE;
    int failed = 0;
    if (json_object_get(object, "sentence") != NULL)
        failed =
            sentences_add_atom(base->sentences, text_of(object, "sentence"), &b.sentence, &inner);
    else
        failed = sentences_parse(base->sentences,
                                 text_of(object, b.is_constraint ? "constraint" : "formula"),
                                 &b.sentence, &inner);
    if (failed)
        return wrong(base, line->number, inner.message, error);
    if (name_sentence(base, line, b.sentence, error))
        return -1;
    return belief_base_add(base, &b, error);
}

static int keep_line(struct loading *l, const struct jsonl_line *text, struct error *error) {
    json_error_t problem;
    size_t blank = 0;
    while (blank < text->bytes && strchr(" \t\r", text->data[blank]) != NULL)
        blank++;
    if (text->is_too_long)
        return wrong(l->base, text->number, "this line is too long", error);
    if (blank == text->bytes)
        return 0;
    if (memory_grow(&l->lines, &l->capacity, l->count + 1, sizeof *l->lines, error))
        return -1;
    json_t *object = json_loadb(text->data, text->bytes, JSON_REJECT_DUPLICATES, &problem);
    if (object == NULL)
        return wrong(l->base, text->number, problem.text, error);
    l->lines[l->count++] = (struct line){object, text->number};
    if (!json_is_object(object))
        return wrong(l->base, text->number, "this is no JSON object", error);
    return check_keys(l->base, &l->lines[l->count - 1], error);
}

static int keep_lines(struct loading *l, const char *path, struct error *error) {
    struct jsonl_source source = {.name = path, .descriptor = -1};
    struct jsonl_reader *reader;
    struct jsonl_line line = {.data = ""};
    if (jsonl_open(&reader, &source, 1, BELIEF_LINE_LIMIT, error))
        return -1;
    int result = 0;
    while (result == 0 && (result = jsonl_next(reader, &line, error)) == 0 && line.data != NULL)
        result = keep_line(l, &line, error);
    jsonl_close(reader);
    return result;
}

int belief_base_read(struct belief_base *base, const char *path, struct error *error) {
    struct loading l = {.base = base};
    *base = (struct belief_base){.name = strdup(path)};
    int result = base->name == NULL ? error_set(error, "out of memory") : 0;
    if (result == 0)
        result = sentences_create(&base->sentences, error) || keep_lines(&l, path, error) ||
                 name_atoms(&l, error);
    for (size_t i = 0; result == 0 && i < l.count; i++)
        if (json_object_get(l.lines[i].object, "constraint") == NULL)
            result = add_line(&l, &l.lines[i], error);
    for (size_t i = 0; result == 0 && i < l.count; i++)
        if (json_object_get(l.lines[i].object, "constraint") != NULL)
            result = add_line(&l, &l.lines[i], error);
    for (size_t i = 0; i < l.count; i++)
        json_decref(l.lines[i].object);
    free(l.lines);
    if (result != 0)
        belief_base_free(base);
    return result ? -1 : 0;
}

void belief_base_free(struct belief_base *base) {
    for (size_t i = 0; i < base->count; i++) {
        free(base->items[i].id);
        free(base->items[i].family);
        free(base->items[i].source);
    }
    free(base->items);
    free(base->name);
    sentences_destroy(base->sentences);
    *base = (struct belief_base){0};
}

static int compare_families(const void *a, const void *b, void *context) {
    const struct belief *items = context;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    int order = strcmp(items[i].family, items[j].family);
    return order != 0 ? order : (i > j) - (i < j);
}

int belief_base_number_families(const struct belief_base *base, uint32_t *family, size_t *count,
                                struct error *error) {
    size_t *order = memory_allocate(base->count, sizeof *order, error);
    if (order == NULL)
        return -1;
    for (size_t i = 0; i < base->count; i++)
        order[i] = i;
    qsort_r(order, base->count, sizeof *order, compare_families, base->items);
    /* family[i] <- 1 + the first belief of i's family, then the number that this one gets. */
    for (size_t k = 0, first = 0; k < base->count; k++) {
        size_t i = order[k];
        if (k == 0 || strcmp(base->items[i].family, base->items[first].family) != 0)
            first = i;
        family[i] = *base->items[i].family != '\0' ? (uint32_t)first + 1 : 0;
    }
    *count = 0;
    for (size_t i = 0; i < base->count; i++)
        if (family[i] != 0)
            family[i] = family[i] == i + 1 ? (uint32_t)++ * count : family[family[i] - 1];
    memory_free(order);
    return 0;
}

static int report_clash(const struct belief_base *base, const size_t *known, const size_t *clash,
                        size_t count, struct error *error) {
    char *list = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&list, &length);
    if (stream == NULL)
        return error_set(error, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct belief *b = &base->items[known[clash[i]]];
        fprintf(stream, "\n  %s:%zu: ", base->name, b->line);
        sentences_print(base->sentences, b->sentence, 0, stream);
        if (!b->is_constraint)
            fprintf(stream, " is %s", b->verdict == VERDICT_TRUE ? "true" : "false");
    }
    fclose(stream);
    error_set(error, "%s: these cannot hold together, and any one of them less would mend it:%s",
              base->name, list);
    free(list);
    return -1;
}

int belief_base_check(const struct belief_base *base, double weight, struct error *error) {
    struct logic *logic = NULL;
    struct claim *claims = memory_allocate(base->count, sizeof *claims, error);
    size_t *known = memory_allocate(base->count, sizeof *known, error);
    size_t *clash = memory_allocate(base->count, sizeof *clash, error);
    size_t count = 0, clash_count = SIZE_MAX;
    int result = claims == NULL || known == NULL || clash == NULL ||
                         (base->sentences != NULL && logic_create(&logic, base->sentences, error))
                     ? -1
                     : 0;
    for (size_t i = 0; result == 0 && i < base->count; i++)
        if (base->items[i].verdict != VERDICT_UNKNOWN && base->items[i].weight >= weight) {
            known[count] = i;
            claims[count++] =
                (struct claim){base->items[i].sentence, base->items[i].verdict == VERDICT_TRUE};
        }
    if (result == 0 && logic != NULL)
        logic_find_clash(logic, claims, count, clash, &clash_count);
    if (clash_count != SIZE_MAX)
        result = report_clash(base, known, clash, clash_count, error);
    logic_destroy(logic);
    memory_free(claims);
    memory_free(known);
    memory_free(clash);
    return result;
}
