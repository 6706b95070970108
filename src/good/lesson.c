#include "good/lesson.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

int lesson_maker_create(struct lesson_maker *m, const struct model *model, struct error *error) {
    *m = (struct lesson_maker){.model = model, .format = chat_format_find("plain")};
    const char *template = model->base != NULL ? model->base->chat_template : NULL;
    if (template != NULL && chat_format_recognise(&m->format, template, error))
        return -1;
    return tokenizer_cache_create(&m->cache, error);
}

void lesson_maker_free(struct lesson_maker *m) {
    tokenizer_cache_destroy(m->cache);
    free(m->list.ids);
    *m = (struct lesson_maker){0};
}

int lesson_make_prompt(struct lesson_maker *m, const struct chat_message *messages, size_t count,
                       struct error *error) {
    const struct tokenizer *tokenizer = m->model->tokenizer;
    uint32_t begin = tokenizer_end_of_text(tokenizer);
    struct chat_message all[DIALOGUE_TURNS + 1] = {{CHAT_SYSTEM, GOOD_SYSTEM}};
    char *text;
    if (count > DIALOGUE_TURNS)
        return error_set(error, "a dialogue of more than %d turns", DIALOGUE_TURNS);
    memcpy(all + 1, messages, count * sizeof *messages);
    if (memory_grow(&m->list.ids, &m->list.capacity, 1, sizeof *m->list.ids, error))
        return -1;
    m->list.count = 0;
    if (chat_format_begins(m->format) && begin != UINT32_MAX)
        m->list.ids[m->list.count++] = begin;
    if (chat_render(&text, m->format, all, count + 1, 1, error))
        return -1;
    int result = tokenizer_encode_marked(tokenizer, m->cache, text, strlen(text), &m->list, error);
    free(text);
    return result;
}

/* What ends a reply. */
static int add_stop(struct lesson_maker *m, struct error *error) {
    const struct tokenizer *tokenizer = m->model->tokenizer;
    const char *stop = chat_format_stop(m->format);
    if (stop != NULL)
        return tokenizer_encode_marked(tokenizer, m->cache, stop, strlen(stop), &m->list, error);
    if (tokenizer_end(tokenizer) == UINT32_MAX)
        return error_set(error, "%s has no token that ends a text", m->model->name);
    if (memory_grow(&m->list.ids, &m->list.capacity, m->list.count + 1, sizeof *m->list.ids, error))
        return -1;
    m->list.ids[m->list.count++] = tokenizer_end(tokenizer);
    return 0;
}

static int add_reply(struct lesson_maker *m, const char *reply, struct error *error) {
    size_t before = m->list.count;
    if (tokenizer_encode(m->model->tokenizer, m->cache, reply, strlen(reply), &m->list, error))
        return -1;
    if (m->list.count - before > LESSON_REPLY) {
        m->list.count = before + LESSON_REPLY;
        return 0; /* cut short, it does not end */
    }
    return add_stop(m, error);
}

int lesson_make(struct lesson *lesson, struct lesson_maker *m, const struct chat_message *messages,
                size_t count, const char *reply, struct error *error) {
    *lesson = (struct lesson){0};
    if (lesson_make_prompt(m, messages, count, error))
        return -1;
    size_t prompt = m->list.count;
    if (add_reply(m, reply, error))
        return -1;
    size_t dropped = m->list.count > LESSON_TIME ? m->list.count - LESSON_TIME : 0;
    lesson->count = m->list.count - dropped;
    lesson->reply = prompt - dropped;
    lesson->tokens = memory_allocate(lesson->count, sizeof *lesson->tokens, error);
    if (lesson->tokens == NULL)
        return -1;
    for (size_t i = 0; i < lesson->count; i++)
        lesson->tokens[i] = (int32_t)m->list.ids[dropped + i];
    return 0;
}

void lesson_free(struct lesson *lesson) {
    memory_free(lesson->tokens);
    memory_free(lesson->values);
    lesson->tokens = NULL;
    lesson->values = NULL;
}

void values_axis(real *axis, size_t width, const char *name) {
    struct random random;
    double square = 0;
    random_seed(&random, random_hash(name, strlen(name)), 0x76616c756573);
    for (size_t d = 0; d < width; d++) {
        axis[d] = (real)random_normal(&random);
        square += (double)axis[d] * (double)axis[d];
    }
    for (size_t d = 0; d < width; d++)
        axis[d] = (real)((double)axis[d] / sqrt(square));
}

static int set_values(struct lesson *lesson, const struct lesson_maker *m, json_t *values,
                      struct error *error) {
    size_t width = m->model->config.latent_width;
    const char *name;
    json_t *number;
    if (width == 0)
        return error_set(error, "%s has no vectors, and so no values", m->model->name);
    lesson->values = memory_allocate(2 * width, sizeof(real), error);
    if (lesson->values == NULL)
        return -1;
    real *axis = lesson->values + width;
    memset(lesson->values, 0, width * sizeof(real));
    json_object_foreach(values, name, number) {
        values_axis(axis, width, name);
        for (size_t d = 0; d < width; d++)
            lesson->values[d] += (real)json_number_value(number) * axis[d];
    }
    return 0;
}

int lessons_make(struct lesson **out, struct lesson_maker *m, const struct dialogues *dialogues,
                 int are_pairs, struct error *error) {
    size_t each = are_pairs ? 2 : 1;
    struct lesson *lessons = memory_allocate(each * dialogues->count, sizeof *lessons, error);
    int result = lessons == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < dialogues->count; i++) {
        const struct dialogue *d = &dialogues->items[i];
        if ((d->worse != NULL) != are_pairs)
            result = error_set(error, "dialogue %zu of the file has %s", i + 1,
                               are_pairs ? "one reply: pairs are wanted, \"chosen\" and "
                                           "\"rejected\""
                                         : "two replies: one \"reply\" is wanted");
        else
            result = lesson_make(&lessons[each * i], m, d->messages, d->count, d->reply, error);
        if (result == 0 && d->values != NULL)
            result = set_values(&lessons[each * i], m, d->values, error);
        if (result == 0 && are_pairs)
            result = lesson_make(&lessons[2 * i + 1], m, d->messages, d->count, d->worse, error);
    }
    if (result != 0 && lessons != NULL) {
        lessons_free(lessons, each * dialogues->count);
        lessons = NULL;
    }
    *out = lessons;
    return result;
}

void lessons_free(struct lesson *lessons, size_t count) {
    for (size_t i = 0; lessons != NULL && i < count; i++)
        lesson_free(&lessons[i]);
    memory_free(lessons);
}
