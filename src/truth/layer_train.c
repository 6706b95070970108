#include "truth/layer_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "train/layer_optimizer.h"
#include "train/length_order.h"

/* Within WINDOW_STEPS steps' worth, examples are put in order of length. */
enum { MOST_TIME = QUESTION_TIME, TIME_STEP = 8, MOST_THREADS = 64, WINDOW_STEPS = 16 };

struct worker {
    struct pass *pass;
    size_t time; /* the pass's */
    int32_t *tokens, *targets;
    real *losses, *told, *mask, *gradient, *dtold, *dmean, *dprecision, *dinformation;
    double loss;
};

struct training {
    struct layer *layer;
    struct asking *asking;
    const struct example *examples;
    size_t count, share; /* share: sequences of one thread */
    size_t time;         /* tokens of one, as the longest question needs */
    size_t step_time;    /* the same for the present step */
    uint16_t *lengths;   /* of each example's longest question */
    const struct layer_train_options *options;
    struct worker workers[MOST_THREADS];
    struct layer_optimizer optimizer;
    struct length_order order;
    uint32_t *picked; /* [batch] the examples of the present step */
    struct weights weights;
    struct unpacked *unpacked; /* of these weights, at the present step */
};

struct layer_train_options layer_train_options_default(void) {
    return (struct layer_train_options){.steps = 400,
                                        .batch = 16,
                                        .threads = 2,
                                        .learning_rate = 5e-4,
                                        .decay = 0.01,
                                        .clip = 1,
                                        .seed = 1};
}

static int worker_create(struct worker *w, const struct training *t, struct error *error) {
    size_t rows = t->share * t->time, width = t->weights.config->latent_width;
    w->tokens = memory_allocate(2 * rows, sizeof *w->tokens, error);
    w->losses = memory_allocate(rows * (1 + 3 * width) + 3 * t->share * width + t->layer->count,
                                sizeof(real), error);
    if (w->tokens == NULL || w->losses == NULL)
        return -1;
    w->targets = w->tokens + rows;
    w->dmean = w->losses + rows;
    w->dprecision = w->dmean + rows * width;
    w->dinformation = w->dprecision + rows * width;
    w->told = w->dinformation + rows * width;
    w->mask = w->told + t->share * width;
    w->dtold = w->mask + t->share * width;
    w->gradient = w->dtold + t->share * width;
    return 0;
}

/* A pass for the step's time. */
static int worker_fit(struct worker *w, const struct training *t, struct error *error) {
    if (w->pass != NULL && w->time == t->step_time)
        return 0;
    pass_destroy(w->pass);
    w->pass = NULL;
    w->time = t->step_time;
    return pass_create(&w->pass, &t->weights, t->share, w->time, 1, error);
}

static void worker_free(struct worker *w) {
    pass_destroy(w->pass);
    memory_free(w->tokens);
    memory_free(w->losses);
}

/* What an example is to be answered with this time; -1: it does not count. */
static int32_t draw_answer(const struct training *t, const struct example *example, size_t frame,
                           struct random *random) {
    double draws[3];
    for (int i = 0; i < 3; i++)
        draws[i] = random_uniform(random);
    if (draws[0] >= example->weight)
        return -1;
    return (int32_t)t->asking->answers[frame][draws[1] < example->doubt    ? ANSWER_UNKNOWN
                                              : draws[2] < example->target ? ANSWER_YES
                                                                           : ANSWER_NO];
}

/* One sequence: an example in a frame, and what is to be answered. */
static int fill_sequence(struct training *t, size_t step, size_t i, uint32_t picked,
                         struct error *error) {
    struct worker *w = &t->workers[i / t->share];
    size_t row = i % t->share * t->step_time, length;
    struct random random;
    random_seed(&random, t->options->seed, step * t->share * t->options->threads + i);
    const struct example *example = &t->examples[picked];
    size_t frame = random_below(&random, t->asking->frame_count);
    if (asking_encode(t->asking, example->statement, frame, t->step_time, w->tokens + row, &length,
                      error))
        return -1;
    for (size_t k = 0; k < t->step_time; k++)
        w->targets[row + k] = -1;
    w->targets[row + length - 1] = draw_answer(t, example, frame, &random);
    return 0;
}

/* The sequences of a step, dealt out to the workers. */
static int fill(struct training *t, size_t step, struct error *error) {
    size_t batch = t->share * t->options->threads;
    t->step_time = 0;
    for (size_t i = 0; i < batch; i++) {
        t->picked[i] = length_order_pick(&t->order, step * batch + i);
        size_t length = t->lengths[t->picked[i]];
        t->step_time = length > t->step_time ? length : t->step_time;
    }
    t->step_time = (t->step_time + TIME_STEP - 1) / TIME_STEP * TIME_STEP;
    for (size_t k = 0; k < t->options->threads; k++)
        if (worker_fit(&t->workers[k], t, error))
            return -1;
    for (size_t i = 0; i < batch; i++)
        if (fill_sequence(t, step, i, t->picked[i], error))
            return -1;
    return 0;
}

static void run_worker(struct training *t, struct worker *w) {
    size_t width = t->weights.config->latent_width, overlay = t->layer->overlay.layout.count;
    size_t rows = t->share * t->step_time;
    memset(w->gradient, 0, t->layer->count * sizeof(real));
    memset(w->dmean, 0, 3 * rows * width * sizeof(real));
    for (size_t i = 0; i < t->share * width; i++) {
        w->told[i] = layer_vector(t->layer)[i % width];
        w->mask[i] = 1;
    }
    struct pass_handle handle = {.told = w->told, .told_mask = w->mask};
    struct pass_gradients gradients = {.gradient = w->gradient,
                                       .dtold = w->dtold,
                                       .dmean = w->dmean,
                                       .dprecision = w->dprecision,
                                       .dinformation = w->dinformation,
                                       .scale =
                                           (real)(1 / (double)(t->share * t->options->threads))};
    pass_read(w->pass, w->tokens, &handle);
    pass_write_backward(w->pass, &handle, w->targets, w->losses, &gradients);
    w->loss = 0;
    for (size_t r = 0; r < rows; r++)
        w->loss += w->targets[r] >= 0 ? (double)w->losses[r] : 0;
    for (size_t i = 0; i < t->share * width; i++)
        w->gradient[overlay + i % width] += w->dtold[i];
}

/* The gradients of a step on examples. */
static int answer_examples(struct training *t, size_t step, double *loss, struct error *error) {
    const struct layer_train_options *o = t->options;
    if (fill(t, step, error) ||
        unpacked_refresh(t->unpacked, &t->weights, t->layer->overlay.config.first, error))
        return -1;
#pragma omp parallel for schedule(static, 1) num_threads((int)o->threads)
    for (size_t k = 0; k < o->threads; k++)
        run_worker(t, &t->workers[k]);
    *loss = 0;
    for (size_t k = 0; k < o->threads; k++)
        *loss += t->workers[k].loss / (double)(t->share * o->threads);
    return 0;
}

static int introspect(struct training *t, size_t step, double *loss, struct error *error) {
    const struct layer_train_options *o = t->options;
    for (size_t k = 0; k < o->threads; k++)
        memset(t->workers[k].gradient, 0, t->layer->count * sizeof(real));
    return introspection_step(o->introspection, step / o->introspection_every,
                              t->workers[0].gradient, loss, error);
}

static int is_introspection(const struct layer_train_options *o, size_t step) {
    return o->introspection != NULL && (step + 1) % o->introspection_every == 0;
}

static int run_step(struct training *t, size_t step, struct layer_train_report *report,
                    struct error *error) {
    const struct layer_train_options *o = t->options;
    *report = (struct layer_train_report){.step = step + 1,
                                          .is_introspection = is_introspection(o, step)};
    if (report->is_introspection ? introspect(t, step, &report->loss, error)
                                 : answer_examples(t, step, &report->loss, error))
        return -1;
    real *gradients[MOST_THREADS];
    for (size_t k = 0; k < o->threads; k++)
        gradients[k] = t->workers[k].gradient;
    return layer_optimizer_step(
        &t->optimizer, gradients, o->threads,
        &(struct layer_step){.step = step,
                             .rate = layer_rate(o->learning_rate, step, o->steps),
                             .decay = o->decay,
                             .clip = o->clip},
        error);
}

/* The longest question sets the time of all. */
static int find_time(struct training *t, struct error *error) {
    int32_t tokens[MOST_TIME];
    size_t length;
    for (size_t i = 0; i < t->count; i++)
        for (size_t frame = 0; frame < t->asking->frame_count; frame++) {
            if (asking_encode(t->asking, t->examples[i].statement, frame, MOST_TIME, tokens,
                              &length, error))
                return -1;
            t->time = length > t->time ? length : t->time;
            if (length > t->lengths[i])
                t->lengths[i] = (uint16_t)length;
        }
    t->time = (t->time + TIME_STEP - 1) / TIME_STEP * TIME_STEP;
    return 0;
}

static int training_create(struct training *t, struct error *error) {
    size_t batch = t->share * t->options->threads;
    t->lengths = memory_allocate(t->count, sizeof *t->lengths, error);
    t->picked = memory_allocate(batch, sizeof *t->picked, error);
    if (t->lengths == NULL || t->picked == NULL || find_time(t, error) ||
        layer_optimizer_create(&t->optimizer, t->layer, error) ||
        length_order_create(&t->order, t->lengths, t->count, WINDOW_STEPS * batch, t->options->seed,
                            error) ||
        weights_unpack(&t->unpacked, &t->weights, error))
        return -1;
    t->weights.unpacked = t->unpacked;
    for (size_t k = 0; k < t->options->threads; k++)
        if (worker_create(&t->workers[k], t, error))
            return -1;
    return 0;
}

int layer_train(struct layer *layer, struct asking *asking, const struct example *examples,
                size_t count, const struct layer_train_options *options,
                layer_train_callback *callback, void *context, struct error *error) {
    int wants_examples = options->introspection == NULL || options->introspection_every != 1;
    if ((count == 0 && wants_examples) || options->threads < 1 || options->threads > MOST_THREADS ||
        options->batch < options->threads)
        return error_set(error,
                         "training wants examples, and a batch of at least one for each of "
                         "up to %d threads",
                         MOST_THREADS);
    struct training *t = memory_allocate(1, sizeof *t, error);
    if (t == NULL)
        return -1;
    *t = (struct training){.layer = layer,
                           .asking = asking,
                           .examples = examples,
                           .count = count,
                           .share = options->batch / options->threads,
                           .options = options,
                           .weights = layer_weights(layer)};
    int result = training_create(t, error);
    for (size_t step = 0; result == 0 && step < options->steps; step++) {
        struct layer_train_report report;
        result = run_step(t, step, &report, error);
        if (result == 0 && callback != NULL && callback(context, &report) != 0)
            break;
    }
    for (size_t k = 0; k < options->threads; k++)
        worker_free(&t->workers[k]);
    unpacked_destroy(t->unpacked);
    layer_optimizer_free(&t->optimizer);
    length_order_free(&t->order);
    memory_free(t->lengths);
    memory_free(t->picked);
    memory_free(t);
    return result;
}
