#include "good/good_train.h"

#include <stdlib.h>

#include "base/memory.h"
#include "good/lesson_pass.h"

/* Lessons of a pass. */
enum { TOGETHER = 8 };

struct scoring {
    struct weights weights;
    const real *vector, *offset; /* [Z]; vector NULL: nothing told */
    const struct lesson *lessons;
    const uint32_t *order; /* of length */
    size_t count;
    double *out;
};

static int compare_counts(const void *x, const void *y, void *context) {
    const struct lesson *lessons = context;
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    if (lessons[a].count != lessons[b].count)
        return lessons[a].count < lessons[b].count ? -1 : 1;
    return a < b ? -1 : a > b;
}

static int score_chunk(const struct scoring *s, struct lesson_pass *pass, size_t first,
                       struct error *error) {
    size_t end = first + TOGETHER < s->count ? first + TOGETHER : s->count;
    size_t longest = s->lessons[s->order[end - 1]].count;
    if (lesson_pass_fit(pass, TOGETHER, longest, error))
        return -1;
    for (size_t i = 0; i < TOGETHER; i++)
        if (first + i < end)
            lesson_pass_set(pass, i, &s->lessons[s->order[first + i]], s->vector, s->offset);
        else
            lesson_pass_clear(pass, i);
    lesson_pass_run(pass);
    for (size_t i = first; i < end; i++)
        s->out[s->order[i]] = lesson_pass_log_probability(pass, i - first);
    return 0;
}

static int score_all(const struct scoring *s, size_t threads, struct error *error) {
    size_t chunks = (s->count + TOGETHER - 1) / TOGETHER;
    int failed = 0;
#pragma omp parallel num_threads((int)threads) reduction(| : failed)
    {
        struct error own;
        struct lesson_pass pass = {.weights = s->weights};
#pragma omp for schedule(dynamic, 1)
        for (size_t chunk = 0; chunk < chunks; chunk++)
            if (!failed && score_chunk(s, &pass, chunk * TOGETHER, &own)) {
                failed = 1;
#pragma omp critical(scoring_error)
                *error = own;
            }
        lesson_pass_free(&pass);
    }
    return failed ? -1 : 0;
}

int good_log_probabilities(double *out, const struct model *model, const struct layer *layer,
                           const real *offset, const struct lesson *lessons, size_t count,
                           size_t threads, struct error *error) {
    struct unpacked *unpacked;
    struct scoring s = {.weights = layer != NULL ? layer_weights(layer) : model_weights(model),
                        .vector = layer != NULL ? layer_vector(layer) : NULL,
                        .offset = offset,
                        .lessons = lessons,
                        .count = count,
                        .out = out};
    uint32_t *order = memory_allocate(count, sizeof *order, error);
    if (order == NULL || weights_unpack(&unpacked, &s.weights, error)) {
        memory_free(order);
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, count, sizeof *order, compare_counts, (void *)lessons);
    s.weights.unpacked = unpacked;
    s.order = order;
    int result = score_all(&s, threads, error);
    unpacked_destroy(unpacked);
    memory_free(order);
    return result;
}
