#include "good/values_effect.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "good/good_train.h"

enum { DECLINING_LIMIT = PRINCIPLE_TEXT_LIMIT + 64 };

/* lessons[2 * break_count]: declining, then breaking. */
static int make_lessons(struct lesson *lessons, const struct principle *principle,
                        struct lesson_maker *maker, struct error *error) {
    char declining[DECLINING_LIMIT];
    snprintf(declining, sizeof declining, "I won't help with that: %s", principle->reason);
    for (size_t i = 0; i < principle->break_count; i++) {
        const struct principle_example *example = &principle->breaks[i];
        const struct chat_message message = {CHAT_USER, example->request};
        if (lesson_make(&lessons[2 * i], maker, &message, 1, declining, error) ||
            lesson_make(&lessons[2 * i + 1], maker, &message, 1, example->reply, error))
            return -1;
    }
    return 0;
}

static double per_token(const struct lesson *lesson, double log_probability) {
    return log_probability / (double)(lesson->count - lesson->reply);
}

static int margin_of(double *margin, const struct layer *layer, const real *offset,
                     const struct principle *principle, struct lesson_maker *maker, size_t threads,
                     struct error *error) {
    size_t count = 2 * principle->break_count;
    struct lesson *lessons = memory_allocate(count, sizeof *lessons, error);
    double *scores = memory_allocate(count, sizeof *scores, error);
    int result = lessons == NULL || scores == NULL ? -1 : 0;
    if (result == 0) {
        memset(lessons, 0, count * sizeof *lessons);
        result = make_lessons(lessons, principle, maker, error);
    }
    if (result == 0)
        result = good_log_probabilities(scores, layer->model, layer, offset, lessons, count,
                                        threads, error);
    *margin = 0;
    for (size_t i = 0; result == 0 && i < count; i += 2)
        *margin += 2 *
                   (per_token(&lessons[i], scores[i]) - per_token(&lessons[i + 1], scores[i + 1])) /
                   (double)count;
    lessons_free(lessons, count);
    memory_free(scores);
    return result;
}

int values_margins(double *margins, const struct layer *layer, const real *offset,
                   const struct principles *principles, struct lesson_maker *maker, size_t threads,
                   struct error *error) {
    for (size_t i = 0; i < principles->count; i++)
        if (margin_of(&margins[i], layer, offset, &principles->items[i], maker, threads, error))
            return -1;
    return 0;
}
