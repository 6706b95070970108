#include "good/lesson_pass.h"

#include <string.h>

#include "base/memory.h"

enum { TIME_STEP = 16 };

int lesson_pass_fit(struct lesson_pass *p, size_t sequences, size_t time, struct error *error) {
    size_t width = p->weights.config->latent_width;
    time = (time + TIME_STEP - 1) / TIME_STEP * TIME_STEP;
    if (p->pass != NULL && sequences == p->sequences && time == p->time)
        return 0;
    lesson_pass_free(p);
    p->sequences = sequences;
    p->time = time;
    size_t rows = p->sequences * p->time;
    p->tokens = memory_allocate(2 * rows, sizeof *p->tokens, error);
    p->losses =
        memory_allocate(rows * (2 + 3 * width) + 3 * sequences * width, sizeof(real), error);
    if (p->tokens == NULL || p->losses == NULL ||
        pass_create(&p->pass, &p->weights, sequences, p->time, p->is_training, error)) {
        lesson_pass_free(p);
        return -1;
    }
    p->targets = p->tokens + rows;
    p->scales = p->losses + rows;
    p->dmean = p->scales + rows;
    p->dprecision = p->dmean + rows * width;
    p->dinformation = p->dprecision + rows * width;
    p->told = p->dinformation + rows * width;
    p->mask = p->told + sequences * width;
    p->dtold = p->mask + sequences * width;
    return 0;
}

void lesson_pass_free(struct lesson_pass *p) {
    pass_destroy(p->pass);
    memory_free(p->tokens);
    memory_free(p->losses);
    p->pass = NULL;
    p->tokens = NULL;
    p->losses = NULL;
    p->sequences = p->time = 0;
}

void lesson_pass_clear(struct lesson_pass *p, size_t i) {
    size_t width = p->weights.config->latent_width;
    memset(p->tokens + i * p->time, 0, p->time * sizeof *p->tokens);
    memset(p->targets + i * p->time, -1, p->time * sizeof *p->targets);
    memset(p->scales + i * p->time, 0, p->time * sizeof *p->scales);
    memset(p->told + i * width, 0, width * sizeof *p->told);
    memset(p->mask + i * width, 0, width * sizeof *p->mask);
}

void lesson_pass_set(struct lesson_pass *p, size_t i, const struct lesson *lesson,
                     const real *vector, const real *offset) {
    size_t width = p->weights.config->latent_width;
    lesson_pass_clear(p, i);
    memcpy(p->tokens + i * p->time, lesson->tokens, lesson->count * sizeof *p->tokens);
    for (size_t t = lesson->reply > 0 ? lesson->reply - 1 : 0; t + 1 < lesson->count; t++)
        p->targets[i * p->time + t] = lesson->tokens[t + 1];
    for (size_t d = 0; vector != NULL && d < width; d++) {
        p->told[i * width + d] = vector[d] + (offset != NULL ? offset[d] : 0);
        p->mask[i * width + d] = 1;
    }
}

static struct pass_handle handle_of(const struct lesson_pass *p) {
    return (struct pass_handle){.told = p->told, .told_mask = p->mask};
}

void lesson_pass_run(struct lesson_pass *p) {
    struct pass_handle handle = handle_of(p);
    pass_read(p->pass, p->tokens, &handle);
    pass_write(p->pass, &handle, p->targets, p->losses);
}

double lesson_pass_log_probability(const struct lesson_pass *p, size_t i) {
    double sum = 0;
    for (size_t r = i * p->time; r < (i + 1) * p->time; r++)
        if (p->targets[r] >= 0)
            sum -= (double)p->losses[r];
    return sum;
}

void lesson_pass_scale(struct lesson_pass *p, size_t i, double scale) {
    for (size_t r = i * p->time; r < (i + 1) * p->time; r++)
        p->scales[r] = (real)scale;
}

void lesson_pass_backward(struct lesson_pass *p, real *gradient) {
    size_t width = p->weights.config->latent_width, rows = p->sequences * p->time;
    struct pass_handle handle = handle_of(p);
    memset(p->dmean, 0, 3 * rows * width * sizeof(real));
    struct pass_gradients gradients = {.gradient = gradient,
                                       .dtold = p->dtold,
                                       .dmean = p->dmean,
                                       .dprecision = p->dprecision,
                                       .dinformation = p->dinformation,
                                       .scale = 1,
                                       .row_scales = p->scales,
                                       .is_written = 1};
    pass_write_backward(p->pass, &handle, p->targets, p->losses, &gradients);
}
