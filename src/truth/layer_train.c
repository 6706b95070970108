#include "truth/layer_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "train/layer_optimizer.h"
#include "train/length_order.h"
#include "truth/hearing.h"

/* Within WINDOW_STEPS steps' worth, examples are put in order of length. */
enum { MOST_TIME = QUESTION_TIME, TIME_STEP = 8, MOST_THREADS = 64, WINDOW_STEPS = 16 };

/* What the loss of a statement heard counts beside that of an answer: its derivative by a
 * log-probability is then of the same size, and neither drowns the other in the optimizer. */
static const double HEARD_WEIGHT = 10;

struct worker {
    struct pass *passes[2]; /* for answers, and for what is heard */
    size_t times[2];        /* the passes' */
    int32_t *tokens, *targets;
    real *losses, *scales, *told, *mask, *gradient, *dtold, *dmean, *dprecision, *dinformation;
    struct hearing_lesson *lessons; /* [share] */
    double loss;
};

struct training {
    struct layer *layer;
    struct asking *asking;
    const struct example *examples;
    size_t count, share;  /* share: sequences of one thread */
    size_t time;          /* tokens of one, as the longest question needs */
    size_t step_time;     /* the same for the present step */
    uint16_t *lengths[2]; /* [count] of each example's longest question; and of it by itself */
    double *offsets;      /* [count] of hearing; NULL: nothing is heard */
    int is_heard;         /* the present step teaches to be heard */
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
                                        .seed = 1,
                                        .asked_every = 4};
}

static int worker_create(struct worker *w, const struct training *t, struct error *error) {
    size_t rows = t->share * t->time, width = t->weights.config->latent_width;
    w->tokens = memory_allocate(2 * rows, sizeof *w->tokens, error);
    w->losses = memory_allocate(rows * (2 + 3 * width) + 3 * t->share * width + t->layer->count,
                                sizeof(real), error);
    w->lessons = memory_allocate(t->share, sizeof *w->lessons, error);
    if (w->tokens == NULL || w->losses == NULL || w->lessons == NULL)
        return -1;
    w->targets = w->tokens + rows;
    w->scales = w->losses + rows;
    w->dmean = w->scales + rows;
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
    struct pass **pass = &w->passes[t->is_heard];
    if (*pass != NULL && w->times[t->is_heard] == t->step_time)
        return 0;
    pass_destroy(*pass);
    *pass = NULL;
    w->times[t->is_heard] = t->step_time;
    return pass_create(pass, &t->weights, t->share, t->step_time, 1, error);
}

static void worker_free(struct worker *w) {
    pass_destroy(w->passes[0]);
    pass_destroy(w->passes[1]);
    memory_free(w->tokens);
    memory_free(w->losses);
    memory_free(w->lessons);
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

/* A statement by itself, and its last words as they should be likely or not. */
static void fill_heard(struct training *t, size_t i, uint32_t picked, size_t length,
                       struct random *random) {
    struct worker *w = &t->workers[i / t->share];
    const struct example *example = &t->examples[picked];
    size_t row = i % t->share * t->step_time;
    int counts =
        example->sign != 0 && random_uniform(random) < example->weight * (1 - example->doubt);
    w->lessons[i % t->share] = (struct hearing_lesson){.offset = t->offsets[picked],
                                                       .target = counts ? example->target : -1,
                                                       .sign = example->sign};
    for (size_t k = asking_heard_from(length); k < length; k++)
        w->targets[row + k - 1] = w->tokens[row + k];
}

/* One sequence: an example in a frame, and what is to be answered; or by itself, to be heard. */
static int fill_sequence(struct training *t, size_t step, size_t i, uint32_t picked,
                         struct error *error) {
    struct worker *w = &t->workers[i / t->share];
    size_t row = i % t->share * t->step_time, length;
    struct random random;
    random_seed(&random, t->options->seed, step * t->share * t->options->threads + i);
    const struct example *example = &t->examples[picked];
    size_t frame =
        t->is_heard ? FRAME_COUNT : (size_t)random_below(&random, t->asking->frame_count);
    if (asking_encode(t->asking, example->statement, frame, t->step_time, w->tokens + row, &length,
                      error))
        return -1;
    for (size_t k = 0; k < t->step_time; k++)
        w->targets[row + k] = -1;
    if (t->is_heard)
        fill_heard(t, i, picked, length, &random);
    else
        w->targets[row + length - 1] = draw_answer(t, example, frame, &random);
    return 0;
}

/* The sequences of a step, dealt out to the workers. */
static int fill(struct training *t, size_t step, struct error *error) {
    size_t batch = t->share * t->options->threads;
    t->step_time = 0;
    for (size_t i = 0; i < batch; i++) {
        t->picked[i] = length_order_pick(&t->order, step * batch + i);
        size_t length = t->lengths[t->is_heard][t->picked[i]];
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

/* After the pass has written: the loss of what is heard, and what each token's loss counts in it.
 */
static void weigh_heard(const struct training *t, struct worker *w) {
    w->loss = 0;
    for (size_t i = 0; i < t->share; i++) {
        size_t first = i * t->step_time;
        double log_probability = 0, derivative;
        for (size_t r = first; r < first + t->step_time; r++)
            log_probability -= w->targets[r] >= 0 ? (double)w->losses[r] : 0;
        w->loss += hearing_loss(&w->lessons[i], log_probability, &derivative);
        for (size_t r = first; r < first + t->step_time; r++)
            w->scales[r] = (real)(-HEARD_WEIGHT * derivative);
    }
}

static void run_worker(struct training *t, struct worker *w) {
    size_t width = t->weights.config->latent_width, overlay = t->layer->overlay.layout.count;
    size_t rows = t->share * t->step_time;
    struct pass *pass = w->passes[t->is_heard];
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
    pass_read(pass, w->tokens, &handle);
    if (t->is_heard) {
        pass_write(pass, &handle, w->targets, w->losses);
        weigh_heard(t, w);
        gradients.row_scales = w->scales;
        gradients.is_written = 1;
    }
    pass_write_backward(pass, &handle, w->targets, w->losses, &gradients);
    if (!t->is_heard) {
        w->loss = 0;
        for (size_t r = 0; r < rows; r++)
            w->loss += w->targets[r] >= 0 ? (double)w->losses[r] : 0;
    }
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
    t->is_heard = t->offsets != NULL && !report->is_introspection &&
                  (o->asked_every == 0 || step % o->asked_every != 0);
    report->is_heard = t->is_heard;
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

static int find_length(struct training *t, size_t i, size_t frame, struct error *error) {
    int32_t tokens[MOST_TIME];
    size_t length;
    if (asking_encode(t->asking, t->examples[i].statement, frame, MOST_TIME, tokens, &length,
                      error))
        return -1;
    uint16_t *longest = &t->lengths[frame == FRAME_COUNT][i];
    *longest = length > *longest ? (uint16_t)length : *longest;
    t->time = length > t->time ? length : t->time;
    return 0;
}

/* The longest question sets the time of all. */
static int find_time(struct training *t, struct error *error) {
    for (size_t i = 0; i < t->count; i++) {
        for (size_t frame = 0; frame < t->asking->frame_count; frame++)
            if (find_length(t, i, frame, error))
                return -1;
        if (find_length(t, i, FRAME_COUNT, error))
            return -1;
    }
    t->time = (t->time + TIME_STEP - 1) / TIME_STEP * TIME_STEP;
    return 0;
}

/* Where there is anything to be heard. */
static int find_offsets(struct training *t, struct error *error) {
    int is_wanted = 0;
    for (size_t i = 0; i < t->count; i++)
        is_wanted |= t->examples[i].sign != 0;
    if (!is_wanted || t->options->asked_every == 1)
        return 0;
    const char **statements = memory_allocate(t->count, sizeof *statements, error);
    t->offsets = memory_allocate(t->count, sizeof *t->offsets, error);
    int result = statements == NULL || t->offsets == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < t->count; i++)
        statements[i] = t->examples[i].statement;
    if (result == 0)
        result = hearing_offsets(t->offsets, t->asking, statements, t->count, t->options->threads,
                                 error);
    memory_free(statements);
    return result;
}

static int training_create(struct training *t, struct error *error) {
    size_t batch = t->share * t->options->threads;
    t->lengths[0] = memory_allocate(2 * t->count, sizeof *t->lengths[0], error);
    t->picked = memory_allocate(batch, sizeof *t->picked, error);
    if (t->lengths[0] == NULL || t->picked == NULL)
        return -1;
    t->lengths[1] = t->lengths[0] + t->count;
    if (find_time(t, error) || find_offsets(t, error) ||
        layer_optimizer_create(&t->optimizer, t->layer, error) ||
        length_order_create(&t->order, t->lengths[0], t->count, WINDOW_STEPS * batch,
                            t->options->seed, error) ||
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
    memory_free(t->lengths[0]);
    memory_free(t->offsets);
    memory_free(t->picked);
    memory_free(t);
    return result;
}
