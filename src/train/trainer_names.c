#include "train/trainer_names.h"

#include <string.h>

#include "base/memory.h"
#include "base/random.h"

size_t trainer_names_rows(const struct trainer *t) {
    return t->names != NULL ? name_lessons_count(t->names) * name_lessons_time(t->names) : 0;
}

static size_t share_of(const struct trainer *t) {
    return name_lessons_count(t->names) / t->options.threads;
}

int trainer_names_create(struct trainer *t, struct worker *w, struct error *error) {
    if (t->names == NULL)
        return 0;
    struct weights weights = model_weights(t->model);
    size_t share = share_of(t), width = t->model->config.latent_width;
    size_t rows = share * name_lessons_time(t->names);
    const struct slot *slot = &t->model->slots.slots[name_lessons_slot(t->names)];
    struct name_worker *n = &w->names;
    n->no_prior = memory_allocate(slot->point_count, sizeof *n->no_prior, error);
    n->losses = memory_allocate(rows, sizeof(real), error);
    n->told = memory_allocate(share * width, sizeof(real), error);
    n->told_mask = memory_allocate(share * width, sizeof(real), error);
    n->dtold = memory_allocate(share * width, sizeof(real), error);
    n->dmean = memory_allocate(rows * width, sizeof(real), error);
    n->dprecision = memory_allocate(rows * width, sizeof(real), error);
    n->unused.dpoints = memory_allocate(slot->point_count * slot->width, sizeof(real), error);
    n->unused.dlog_sigma = memory_allocate(slot->width, sizeof(real), error);
    if (!n->no_prior || !n->losses || !n->told || !n->told_mask || !n->dtold || !n->dmean ||
        !n->dprecision || !n->unused.dpoints || !n->unused.dlog_sigma)
        return -1;
    return pass_create(&n->pass, &weights, share, name_lessons_time(t->names), 1, error);
}

void trainer_names_destroy(struct worker *w) {
    struct name_worker *n = &w->names;
    pass_destroy(n->pass);
    void *owned[] = {n->no_prior, n->losses,     n->told,           n->told_mask,        n->dtold,
                     n->dmean,    n->dprecision, n->unused.dpoints, n->unused.dlog_sigma};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        memory_free(owned[i]);
}

/* The writer is told a document of the label: its point and some of the spread. */
static void tell(const struct trainer *t, struct name_worker *n, size_t b, size_t index,
                 size_t label) {
    size_t s = name_lessons_slot(t->names), width = t->model->config.latent_width;
    const struct slot *slot = &t->model->slots.slots[s];
    const struct slot_state *state = &t->states[s];
    struct random random;
    random_seed(&random, t->options.seed ^ 0x7e4a, t->step * name_lessons_count(t->names) + index);
    for (size_t d = 0; d < slot->width; d++) {
        size_t i = b * width + slot->first + d;
        n->told_mask[i] = 1;
        n->told[i] =
            state->points[label * slot->width + d] + state->sigma[d] * (real)random_normal(&random);
    }
}

/* Scores the running handle over the later half of the name and its line end; a name weighs what a
 * piece does. Names do not move the labels' points, which the documents' style has placed: they
 * learn to find them. */
static void score(const struct trainer *t, struct worker *w, size_t b,
                  const struct name_lesson *lesson) {
    struct name_worker *n = &w->names;
    size_t s = name_lessons_slot(t->names), width = t->model->config.latent_width;
    struct slot slot = t->model->slots.slots[s];
    struct slot_target target = {{lesson->label}, {1}};
    slot.log_prior = n->no_prior; /* labels were drawn with equal chances */
    if (lesson->last == 0)
        return;
    size_t from = lesson->first + (lesson->last - lesson->first + 1) / 2;
    double scale =
        t->options.score_weight / (double)t->options.batch / (double)(lesson->last - from + 1);
    for (size_t i = from; i <= lesson->last; i++) {
        size_t at = (b * name_lessons_time(t->names) + i) * width + slot.first;
        double nats = score_backward(&slot, &t->states[s], &target, pass_mean(n->pass) + at,
                                     pass_precision(n->pass) + at, scale, n->dmean + at,
                                     n->dprecision + at, &n->unused, w->log_odds);
        n->score += i == lesson->last ? nats : 0;
    }
    n->score_count++;
}

void trainer_names_run(struct trainer *t, struct worker *w, size_t id, size_t token_count) {
    if (t->names == NULL)
        return;
    const struct config *c = &t->model->config;
    struct name_worker *n = &w->names;
    size_t share = share_of(t), first = id * share, rows = share * name_lessons_time(t->names);
    size_t row = t->options.batch * t->options.time + first * name_lessons_time(t->names);
    const int32_t *tokens, *targets, *others;
    name_lessons_row(t->names, first, &tokens, &targets); /* rows follow one another */
    for (size_t b = 0; b < share; b++)
        tell(t, n, b, first + b, name_lessons_row(t->names, first + b, &others, &others)->label);
    struct pass_handle handle = {.told = n->told, .told_mask = n->told_mask};
    pass_read(n->pass, tokens, &handle);
    memset(n->dmean, 0, rows * c->latent_width * sizeof(real));
    memset(n->dprecision, 0, rows * c->latent_width * sizeof(real));
    for (size_t b = 0; b < share; b++)
        score(t, w, b, name_lessons_row(t->names, first + b, &others, &others));
    struct pass_gradients gradients = {.gradient = w->gradient,
                                       .dtold = n->dtold,
                                       .dinformation = t->dinformation + row * c->latent_width,
                                       .dmean = n->dmean,
                                       .dprecision = n->dprecision,
                                       .scale = (real)(NAME_WRITTEN_WEIGHT / (double)token_count),
                                       .evidence_gradient = (real)t->options.evidence_gradient,
                                       .handle_gradient = (real)t->options.handle_gradient};
    if (trainer_is_evidence_step(t))
        pass_read_backward(n->pass, &gradients);
    else
        pass_write_backward(n->pass, &handle, targets, n->losses, &gradients);
    if (c->ngram_orders > 0)
        memcpy(t->ngram_rows + row * c->ngram_orders, pass_ngram_rows(n->pass),
               rows * c->ngram_orders * sizeof(uint32_t));
}
