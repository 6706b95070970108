#include "train/name_lessons.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "latent/conditions.h"
#include "text/byline.h"

/* Chances: of nobody's name; of the label itself; of a misspelling; else another rule. */
static const double STRANGERS = 0.2, FULL = 0.25, MISSPELT = 0.25;

struct name_lessons {
    const struct model *model;
    const struct dataset *dataset;
    struct name_options options;
    size_t slot, batch, time;
    uint64_t seed;
    double *first_year, *last_year; /* [labels] of their documents; NAN: none is known */
    struct tokenizer_cache *cache;
    struct token_list list;     /* of one name */
    int32_t *tokens, *targets;  /* [count,time] */
    struct name_lesson *items;  /* [count] */
    struct token_list prefixes; /* the bylines' tokens */
    struct byline *bylines;     /* [batch] */
};

static const struct slot *slot_of(const struct name_lessons *l) {
    return &l->model->slots.slots[l->slot];
}

static void find_years(struct name_lessons *l) {
    const struct slots *slots = &l->model->slots;
    size_t date = 0;
    while (date < slots->count && slots->slots[date].kind != LATENT_DATE)
        date++;
    for (size_t i = 0; i < slot_of(l)->point_count; i++)
        l->first_year[i] = l->last_year[i] = NAN;
    for (size_t i = 0; date < slots->count && i < l->dataset->count; i++) {
        const struct dataset_document *d = &l->dataset->documents[i];
        size_t label = d->target[l->slot].index[0];
        if (!d->is_given[l->slot] || !d->is_given[date])
            continue;
        l->first_year[label] = fmin(l->first_year[label], d->year[date]); /* past a NAN */
        l->last_year[label] = fmax(l->last_year[label], d->year[date]);
    }
}

static int take(struct name_lessons *l, struct error *error) {
    size_t labels = slot_of(l)->point_count, count = l->options.count;
    l->first_year = memory_allocate(labels, sizeof *l->first_year, error);
    l->last_year = memory_allocate(labels, sizeof *l->last_year, error);
    l->tokens = memory_allocate(count * l->time, sizeof *l->tokens, error);
    l->targets = memory_allocate(count * l->time, sizeof *l->targets, error);
    l->items = memory_allocate(count, sizeof *l->items, error);
    l->bylines = memory_allocate(l->batch, sizeof *l->bylines, error);
    return !l->first_year || !l->last_year || !l->tokens || !l->targets || !l->items ||
                   !l->bylines || tokenizer_cache_create(&l->cache, error)
               ? -1
               : 0;
}

int name_lessons_create(struct name_lessons **out, const struct model *model,
                        const struct dataset *dataset, const struct name_options *options,
                        size_t batch, uint64_t seed, struct error *error) {
    *out = NULL;
    if (options->count == 0 || model->slots.count == 0)
        return 0;
    size_t slot = conditions_slot(&model->slots), context = model->config.context;
    if (slot == MAXIMUM_SLOTS)
        return error_set(error, "names can only be taught where documents have authors; the "
                                "setting names must be 0");
    if (!(options->bylines >= 0 && options->bylines <= 1))
        return error_set(error, "bylines is a share from 0 to 1, not %g", options->bylines);
    struct name_lessons *l = memory_allocate(1, sizeof *l, error);
    if (l == NULL)
        return -1;
    l->model = model;
    l->dataset = dataset;
    l->options = *options;
    l->slot = slot;
    l->batch = batch;
    l->seed = seed;
    l->time = context < NAME_TOKENS ? context : NAME_TOKENS;
    if (take(l, error)) {
        name_lessons_destroy(l);
        return -1;
    }
    find_years(l);
    *out = l;
    return 0;
}

void name_lessons_destroy(struct name_lessons *l) {
    if (l == NULL)
        return;
    memory_free(l->first_year);
    memory_free(l->last_year);
    memory_free(l->tokens);
    memory_free(l->targets);
    memory_free(l->items);
    memory_free(l->bylines);
    free(l->list.ids);
    free(l->prefixes.ids);
    tokenizer_cache_destroy(l->cache);
    memory_free(l);
}

static enum name_rule draw_rule(struct random *random) {
    double draw = random_uniform(random);
    if (draw < FULL)
        return NAME_FULL;
    if (draw < FULL + MISSPELT)
        return NAME_MISSPELT;
    return (enum name_rule)(NAME_INITIAL + random_below(random, NAME_MISSPELT - NAME_INITIAL));
}

/* out <- how a label is spelt this time; returns the rule. What is the whole label of somebody else
 * (John Quincy Adams without his middle name) is theirs. */
static enum name_rule spell(const struct name_lessons *l, size_t label, struct random *random,
                            char out[NAME_BYTES]) {
    const struct slot *slot = slot_of(l);
    double from = l->first_year[label], to = l->last_year[label];
    struct name_facts facts = {&l->options.titles, from + random_uniform(random) * (to - from)};
    enum name_rule rule = draw_rule(random);
    if (rule != NAME_FULL && name_variant(out, slot->labels[label], rule, &facts, random) &&
        slot_find_label(slot, out) < 0 && !(rule == NAME_MISSPELT && name_is_kept_back(out)))
        return rule;
    snprintf(out, NAME_BYTES, "%s", slot->labels[label]);
    return NAME_FULL;
}

/* A name that is no text at all (it holds a control character) teaches nothing. */
static int encode(struct name_lessons *l, const char *name, size_t *first, struct error *error) {
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            name = "";
    l->list.count = *first = 0;
    return *name == '\0'
               ? 0
               : byline_document(l->model->tokenizer, l->cache, name, &l->list, first, error);
}

static int prepare_name(struct name_lessons *l, size_t step, size_t index, struct error *error) {
    int32_t *tokens = l->tokens + index * l->time, *targets = l->targets + index * l->time;
    struct random random;
    char name[NAME_BYTES];
    random_seed(&random, l->seed ^ 0x4a3e, step * l->options.count + index);
    size_t label = random_below(&random, slot_of(l)->point_count), first;
    int is_stranger = random_uniform(&random) < STRANGERS;
    enum name_rule rule = spell(l, label, &random, name);
    if (is_stranger) {
        name_stranger(name, slot_of(l)->labels[label], &random);
        label = random_below(&random, slot_of(l)->point_count);
    }
    if (encode(l, name, &first, error))
        return -1;
    size_t count = l->list.count <= l->time ? l->list.count : 0; /* the label does not fit */
    l->items[index] = (struct name_lesson){label, first, count > 0 ? count - 1 : 0};
    for (size_t i = 0; i < l->time; i++) {
        int is_written = !is_stranger && rule != NAME_MISSPELT && i + 1 >= first && i + 1 < count;
        tokens[i] = i < count ? (int32_t)l->list.ids[i] : 0;
        targets[i] = is_written ? (int32_t)l->list.ids[i + 1] : -1;
    }
    return 0;
}

static int prepare_byline(struct name_lessons *l, size_t step, size_t index,
                          const struct piece *piece, struct error *error) {
    const struct dataset_document *document = &l->dataset->documents[piece->document];
    struct random random;
    char name[NAME_BYTES];
    l->bylines[index] = (struct byline){0};
    random_seed(&random, l->seed ^ 0xb11e, step * l->batch + index);
    if (random_uniform(&random) >= l->options.bylines || !document->is_given[l->slot])
        return 0;
    size_t first, begins = tokenizer_end_of_text(l->model->tokenizer) != UINT32_MAX;
    enum name_rule rule = spell(l, document->target[l->slot].index[0], &random, name);
    if (encode(l, name, &first, error))
        return -1;
    size_t count = l->list.count > begins ? l->list.count - begins : 0;
    if (count == 0 || count > l->time / 2)
        return 0;
    if (memory_grow(&l->prefixes.ids, &l->prefixes.capacity, l->prefixes.count + count,
                    sizeof *l->prefixes.ids, error))
        return -1;
    memcpy(l->prefixes.ids + l->prefixes.count, l->list.ids + begins,
           count * sizeof *l->prefixes.ids);
    l->bylines[index] =
        (struct byline){.start = l->prefixes.count,
                        .count = count,
                        .unwritten = rule == NAME_MISSPELT ? count : first - begins};
    l->prefixes.count += count;
    return 0;
}

int name_lessons_prepare(struct name_lessons *l, size_t step, const struct piece *pieces,
                         struct error *error) {
    l->prefixes.count = 0;
    for (size_t i = 0; i < l->options.count; i++)
        if (prepare_name(l, step, i, error))
            return -1;
    for (size_t i = 0; i < l->batch; i++)
        if (prepare_byline(l, step, i, &pieces[i], error))
            return -1;
    return 0;
}

size_t name_lessons_slot(const struct name_lessons *l) {
    return l->slot;
}

size_t name_lessons_count(const struct name_lessons *l) {
    return l->options.count;
}

size_t name_lessons_time(const struct name_lessons *l) {
    return l->time;
}

const struct name_lesson *name_lessons_row(const struct name_lessons *l, size_t index,
                                           const int32_t **tokens, const int32_t **targets) {
    *tokens = l->tokens + index * l->time;
    *targets = l->targets + index * l->time;
    return &l->items[index];
}

struct byline name_lessons_byline(const struct name_lessons *l, size_t index,
                                  const uint32_t **tokens) {
    if (l == NULL)
        return (struct byline){0};
    *tokens = l->prefixes.ids + l->bylines[index].start;
    return l->bylines[index];
}
