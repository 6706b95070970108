#include "truth/exercise.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int encode(struct exercise_maker *m, const struct telling *telling, struct error *error) {
    char words[TELLING_BYTES];
    telling_words(words, &m->slots, telling);
    m->instruction.count = 0;
    return tokenizer_encode(m->slots.model->tokenizer, m->cache, words, strlen(words),
                            &m->instruction, error);
}

/* Room for the longest authors, mixed or with a year. */
static int find_room(struct exercise_maker *m, struct error *error) {
    struct telling longest = {.tenths = {10}, .has_year = m->slots.date != NULL, .year = 1888};
    size_t lengths[TELLING_AUTHORS] = {0}, authors = 0;
    authors = m->slots.author != NULL ? m->slots.author->point_count : 0;
    for (size_t a = 0; a < authors; a++) {
        struct telling one = {.author_count = 1, .authors = {a}, .tenths = {10}};
        if (encode(m, &one, error))
            return -1;
        size_t length = m->instruction.count, at = a, kept;
        for (size_t k = 0; k < TELLING_AUTHORS; k++)
            if (length > lengths[k]) {
                kept = lengths[k];
                lengths[k] = length;
                length = kept;
                kept = longest.authors[k];
                longest.authors[k] = at;
                at = kept;
            }
    }
    longest.author_count = authors > 0;
    if (encode(m, &longest, error))
        return -1;
    m->room = m->instruction.count;
    longest =
        (struct telling){.author_count = authors < TELLING_AUTHORS ? authors : TELLING_AUTHORS,
                         .authors = {longest.authors[0], longest.authors[1], longest.authors[2]},
                         .tenths = {3, 3, 4}};
    if (authors > 1 && encode(m, &longest, error))
        return -1;
    m->room = m->instruction.count > m->room ? m->instruction.count : m->room;
    return 0;
}

int exercise_maker_create(struct exercise_maker *m, const struct model *model, size_t time,
                          struct error *error) {
    size_t context = model->config.context, least = 8;
    *m = (struct exercise_maker){0};
    int result = telling_slots_find(&m->slots, model, error);
    if (result == 0 && tokenizer_end_of_text(model->tokenizer) == UINT32_MAX)
        result = error_set(error, "this model's tokenizer has no token that begins a document");
    if (result == 0)
        result = tokenizer_cache_create(&m->cache, error) || find_room(m, error) ? -1 : 0;
    if (result == 0 && m->room + (time > 0 ? time : least) > context)
        result = error_set(error,
                           "instructions of %zu tokens and texts of %zu do not fit a context of "
                           "%zu",
                           m->room, time > 0 ? time : least, context);
    if (result != 0) {
        exercise_maker_free(m);
        return -1;
    }
    m->time = time > 0 ? time : context - m->room;
    return 0;
}

void exercise_maker_free(struct exercise_maker *m) {
    tokenizer_cache_destroy(m->cache);
    free(m->instruction.ids);
    *m = (struct exercise_maker){0};
}

size_t exercise_layer_time(const struct exercise_maker *m) {
    return m->room + m->time;
}

int exercise_create(struct exercise *e, const struct exercise_maker *m, struct error *error) {
    size_t dream = m->time, layer = exercise_layer_time(m);
    size_t width = m->slots.model->config.latent_width;
    *e = (struct exercise){0};
    e->dream_tokens = memory_allocate(2 * dream + 3 * layer, sizeof *e->dream_tokens, error);
    e->told = memory_allocate(2 * width, sizeof *e->told, error);
    if (e->dream_tokens == NULL || e->told == NULL) {
        exercise_free(e);
        return -1;
    }
    e->dream_targets = e->dream_tokens + dream;
    e->layer_tokens = e->dream_targets + dream;
    e->layer_targets = e->layer_tokens + layer;
    e->teachers = e->layer_targets + layer;
    e->mask = e->told + width;
    return 0;
}

void exercise_free(struct exercise *e) {
    memory_free(e->dream_tokens);
    memory_free(e->told);
    *e = (struct exercise){0};
}

/* tokens <- BEGIN, before[skip], body; the row before each token of the body has it as target. */
static void lay(int32_t *tokens, int32_t *targets, size_t time, uint32_t begin,
                const uint32_t *before, size_t skip, const uint32_t *body, size_t count) {
    memset(tokens, 0, time * sizeof *tokens);
    tokens[0] = (int32_t)begin;
    for (size_t i = 0; i < skip; i++)
        tokens[1 + i] = (int32_t)before[i];
    for (size_t i = 0; i + 1 < count; i++)
        tokens[1 + skip + i] = (int32_t)body[i];
    for (size_t r = 0; r < time; r++)
        targets[r] = r >= skip && r - skip < count ? (int32_t)body[r - skip] : -1;
}

int exercise_lay(struct exercise *e, struct exercise_maker *m, const struct telling *telling,
                 const uint32_t *body, size_t count, struct error *error) {
    uint32_t begin = tokenizer_end_of_text(m->slots.model->tokenizer);
    size_t layer = exercise_layer_time(m);
    m->instruction.count = 0;
    if (telling != NULL && encode(m, telling, error))
        return -1;
    /* Room was made for the longest names; should they need more with others, their end is cut. */
    size_t skip = m->instruction.count < m->room ? m->instruction.count : m->room;
    if (telling != NULL)
        telling_handle(e->told, e->mask, &m->slots, telling);
    e->count = count < m->time ? count : m->time;
    lay(e->dream_tokens, e->dream_targets, m->time, begin, NULL, 0, body, e->count);
    lay(e->layer_tokens, e->layer_targets, layer, begin, m->instruction.ids, skip, body, e->count);
    for (size_t r = 0; r < layer; r++)
        e->teachers[r] = e->layer_targets[r] >= 0 ? (int32_t)(r - skip) : -1;
    return 0;
}
