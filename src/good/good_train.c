#include "good/good_train.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "base/random.h"
#include "good/good_state.h"
#include "good/lesson_pass.h"
#include "train/length_order.h"

enum { MOST_THREADS = 64, WINDOW_STEPS = 8 };

struct worker {
    struct lesson_pass pass;
    real *gradient; /* [layer->count] */
    real *offset;   /* [Z] */
    real *worst;    /* [share, Z] */
    double loss, right;
};

struct training {
    struct layer *layer;
    const struct good_data *data;
    const struct good_train_options *options;
    size_t share; /* examples or pairs of one thread */
    struct weights weights;
    struct unpacked *unpacked;
    struct worker workers[MOST_THREADS];
    struct layer_optimizer optimizer;
    uint16_t *lengths; /* of examples, then of pairs' longer replies */
    struct length_order examples, pairs;
    uint32_t *picked; /* [batch] */
    uint32_t *valued; /* [valued_count] the examples that have values */
    size_t valued_count;
    double *references;
    struct good_state state;
    size_t tokens; /* since the start of this call */
    double started;
};

struct good_train_options good_train_options_default(void) {
    return (struct good_train_options){.example_steps = 240,
                                       .pair_steps = 160,
                                       .batch = 8,
                                       .threads = 2,
                                       .example_rate = 1e-3,
                                       .pair_rate = 3e-4,
                                       .preference = {.beta = 0.1, .anchor = 0.2},
                                       .decay = 0.01,
                                       .clip = 1,
                                       .seed = 1,
                                       .save_seconds = 60};
}

static uint64_t add_number(uint64_t hash, double number) {
    return random_mix(hash ^ random_hash(&number, sizeof number));
}

static uint64_t add_lessons(uint64_t hash, const struct lesson *lessons, size_t count,
                            size_t width) {
    for (size_t i = 0; i < count; i++) {
        hash = random_mix(
            hash ^ random_hash(lessons[i].tokens, lessons[i].count * sizeof *lessons[i].tokens));
        hash = random_mix(hash ^ lessons[i].reply);
        if (lessons[i].values != NULL)
            hash = random_mix(hash ^ random_hash(lessons[i].values, width * sizeof(real)));
    }
    return hash;
}

/* Of all that the bits of a training depend on. */
static uint64_t fingerprint_of(const struct training *t) {
    const struct good_train_options *o = t->options;
    const struct overlay_config *overlay = &t->layer->overlay.config;
    const double numbers[] = {(double)o->example_steps,
                              (double)o->pair_steps,
                              (double)o->batch,
                              (double)o->threads,
                              o->example_rate,
                              o->pair_rate,
                              o->preference.beta,
                              o->preference.anchor,
                              o->preference.is_length_normalised,
                              o->radius,
                              o->decay,
                              o->clip,
                              (double)o->seed,
                              (double)overlay->rank,
                              (double)overlay->first,
                              (double)overlay->targets,
                              overlay->scale};
    uint64_t hash = random_hash(t->layer->values, t->layer->count * sizeof(real));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        hash = add_number(hash, numbers[i]);
    size_t width = t->weights.config->latent_width;
    hash = add_lessons(hash, t->data->examples, t->data->example_count, width);
    return add_lessons(hash, t->data->pairs, 2 * t->data->pair_count, width);
}

/* A point drawn evenly from the ball of the radius. */
static void draw_offset(real *offset, size_t width, double radius, struct random *random) {
    double square = 0;
    for (size_t i = 0; i < width; i++) {
        double x = random_normal(random);
        offset[i] = (real)x;
        square += x * x;
    }
    double length = radius * pow(random_uniform(random), 1 / (double)width);
    for (size_t i = 0; i < width; i++)
        offset[i] *= (real)(length / sqrt(square > 0 ? square : 1));
}

static const real *scaled(real *offset, const real *values, size_t width, double factor) {
    for (size_t d = 0; d < width; d++)
        offset[d] = (real)(factor * (double)values[d]);
    return offset;
}

enum offset_kind { OFFSET_NONE, OFFSET_OWN, OFFSET_AXES, OFFSET_ANY };

/* What is added to the vector for item i of a step: the lesson's own values, nothing, the axes of
 * another's, or anything within the radius. */
static enum offset_kind draw_kind(const struct training *t, size_t step, size_t i,
                                  const struct lesson *lesson, struct random *random) {
    if (lesson->values != NULL)
        return OFFSET_OWN;
    if (t->options->radius <= 0)
        return OFFSET_NONE;
    random_seed(random, t->options->seed, 0x6f666600000000 + step * t->options->batch + i);
    double draw = random_uniform(random);
    return draw < 0.5 ? OFFSET_NONE : draw < 0.75 && t->valued_count > 0 ? OFFSET_AXES : OFFSET_ANY;
}

/* NULL: none. */
static const real *offset_of(const struct training *t, struct worker *w, enum offset_kind kind,
                             const struct lesson *lesson, struct random *random) {
    size_t width = t->weights.config->latent_width;
    double radius = t->options->radius;
    if (kind == OFFSET_NONE)
        return NULL;
    if (kind == OFFSET_OWN)
        return scaled(w->offset, lesson->values, width, radius);
    if (kind == OFFSET_ANY) {
        draw_offset(w->offset, width, radius, random);
        return w->offset;
    }
    size_t k = t->valued[random_below(random, t->valued_count)];
    double sign = random_uniform(random) < 0.5 ? -1 : 1;
    return scaled(w->offset, t->data->examples[k].values, width, sign * radius);
}

static size_t reply_tokens(const struct lesson *lesson) {
    return lesson->count - lesson->reply;
}

/* What flowed to what was told is the vector's. */
static void backward(const struct training *t, struct worker *w) {
    size_t width = t->weights.config->latent_width, overlay = t->layer->overlay.layout.count;
    lesson_pass_backward(&w->pass, w->gradient);
    for (size_t i = 0; i < w->pass.sequences * width; i++)
        w->gradient[overlay + i % width] += w->pass.dtold[i];
}

static int run_examples(struct training *t, struct worker *w, size_t step, size_t first,
                        double total, struct error *error) {
    size_t longest = 1;
    for (size_t i = 0; i < t->share; i++) {
        size_t count = t->data->examples[t->picked[first + i]].count;
        longest = count > longest ? count : longest;
    }
    if (lesson_pass_fit(&w->pass, t->share, longest, error))
        return -1;
    for (size_t i = 0; i < t->share; i++) {
        const struct lesson *lesson = &t->data->examples[t->picked[first + i]];
        struct random random;
        enum offset_kind kind = draw_kind(t, step, first + i, lesson, &random);
        lesson_pass_set(&w->pass, i, lesson, layer_vector(t->layer),
                        offset_of(t, w, kind, lesson, &random));
    }
    lesson_pass_run(&w->pass);
    for (size_t i = 0; i < t->share; i++) {
        w->loss -= lesson_pass_log_probability(&w->pass, i) / total;
        lesson_pass_scale(&w->pass, i, 1 / total);
    }
    backward(t, w);
    return 0;
}

/* A pair's share of the loss, and what both replies' rows count. */
static void weigh_pair(struct training *t, struct worker *w, size_t pair, size_t i) {
    double share = 1 / (double)(t->share * t->options->threads), derivatives[2];
    struct preference own;
    for (size_t k = 0; k < 2; k++) {
        own.log_probabilities[k] = lesson_pass_log_probability(&w->pass, 2 * i + k);
        own.references[k] = t->references[2 * pair + k];
        own.tokens[k] = reply_tokens(&t->data->pairs[2 * pair + k]);
    }
    w->loss += share * preference_loss(&own, &t->options->preference, derivatives);
    double margin = preference_margin(&own, &t->options->preference);
    w->right += share * (margin > 0 ? 1 : margin == 0 ? 0.5 : 0);
    for (size_t k = 0; k < 2; k++) /* a row's loss is the opposite of its log-probability */
        lesson_pass_scale(&w->pass, 2 * i + k, -share * derivatives[k]);
}

static void set_pair(const struct training *t, struct worker *w, size_t pair, size_t i,
                     const real *offset) {
    for (size_t k = 0; k < 2; k++)
        lesson_pass_set(&w->pass, 2 * i + k, &t->data->pairs[2 * pair + k], layer_vector(t->layer),
                        offset);
}

static void weigh_pairs(struct training *t, struct worker *w, size_t first) {
    w->loss = w->right = 0;
    lesson_pass_run(&w->pass);
    for (size_t i = 0; i < t->share; i++)
        weigh_pair(t, w, t->picked[first + i], i);
}

/* worst[share, Z] <- of each pair the offset at the radius along which its loss grows fastest. */
static void find_worst(struct training *t, struct worker *w, size_t first) {
    size_t width = t->weights.config->latent_width;
    for (size_t i = 0; i < t->share; i++)
        set_pair(t, w, t->picked[first + i], i, NULL);
    weigh_pairs(t, w, first);
    lesson_pass_backward(&w->pass, w->gradient);
    memset(w->gradient, 0, t->layer->count * sizeof(real));
    for (size_t i = 0; i < t->share; i++) {
        const real *better = w->pass.dtold + 2 * i * width, *worse = better + width;
        real *worst = w->worst + i * width;
        double square = 0;
        for (size_t d = 0; d < width; d++) {
            worst[d] = better[d] + worse[d];
            square += (double)worst[d] * (double)worst[d];
        }
        scaled(worst, worst, width, square > 0 ? t->options->radius / sqrt(square) : 0);
    }
}

static int run_pairs(struct training *t, struct worker *w, size_t step, size_t first,
                     struct error *error) {
    size_t longest = 1, width = t->weights.config->latent_width;
    for (size_t i = 0; i < 2 * t->share; i++) {
        size_t count = t->data->pairs[2 * t->picked[first + i / 2] + i % 2].count;
        longest = count > longest ? count : longest;
    }
    if (lesson_pass_fit(&w->pass, 2 * t->share, longest, error))
        return -1;
    if (t->options->radius > 0)
        find_worst(t, w, first);
    for (size_t i = 0; i < t->share; i++) {
        const struct lesson *lesson = &t->data->pairs[2 * t->picked[first + i]];
        struct random random;
        enum offset_kind kind = draw_kind(t, step, first + i, lesson, &random);
        set_pair(t, w, t->picked[first + i], i,
                 kind == OFFSET_ANY ? w->worst + i * width
                                    : offset_of(t, w, kind, lesson, &random));
    }
    weigh_pairs(t, w, first);
    backward(t, w);
    return 0;
}

static int run_workers(struct training *t, size_t step, int is_pairs, struct error *error) {
    const struct good_train_options *o = t->options;
    size_t batch = t->share * o->threads, at = is_pairs ? step - o->example_steps : step;
    double total = 0;
    for (size_t i = 0; i < batch; i++) {
        t->picked[i] = length_order_pick(is_pairs ? &t->pairs : &t->examples, at * batch + i);
        if (is_pairs)
            t->tokens +=
                t->data->pairs[2 * t->picked[i]].count + t->data->pairs[2 * t->picked[i] + 1].count;
        else
            total += (double)reply_tokens(&t->data->examples[t->picked[i]]);
        t->tokens += is_pairs ? 0 : t->data->examples[t->picked[i]].count;
    }
    int failed = 0;
#pragma omp parallel for schedule(static, 1) num_threads((int)o->threads) reduction(| : failed)
    for (size_t k = 0; k < o->threads; k++) {
        struct worker *w = &t->workers[k];
        struct error own;
        memset(w->gradient, 0, t->layer->count * sizeof(real));
        w->loss = w->right = 0;
        if (is_pairs ? run_pairs(t, w, step, k * t->share, &own)
                     : run_examples(t, w, step, k * t->share, total, &own)) {
            failed = 1;
#pragma omp critical(good_train_error)
            *error = own;
        }
    }
    return failed ? -1 : 0;
}

static int run_step(struct training *t, struct good_train_report *report, struct error *error) {
    const struct good_train_options *o = t->options;
    size_t step = t->state.step, within = step;
    int is_pairs = step >= o->example_steps;
    real *gradients[MOST_THREADS];
    if (unpacked_refresh(t->unpacked, &t->weights, t->layer->overlay.config.first, error) ||
        run_workers(t, step, is_pairs, error))
        return -1;
    *report = (struct good_train_report){
        .step = step + 1, .steps = o->example_steps + o->pair_steps, .is_pairs = is_pairs};
    for (size_t k = 0; k < o->threads; k++) {
        gradients[k] = t->workers[k].gradient;
        report->loss += t->workers[k].loss;
        report->accuracy += t->workers[k].right;
    }
    report->tokens_per_second = (double)t->tokens / (progress_clock() - t->started + 1e-9);
    within -= is_pairs ? o->example_steps : 0;
    struct layer_step own = {.step = step,
                             .rate = is_pairs
                                         ? layer_rate(o->pair_rate, within, o->pair_steps)
                                         : layer_rate(o->example_rate, within, o->example_steps),
                             .decay = o->decay,
                             .clip = o->clip};
    if (layer_optimizer_step(&t->optimizer, gradients, o->threads, &own, error))
        return -1;
    t->state.step++;
    return 0;
}

static int refer(struct training *t, struct error *error) {
    t->state.has_references = 1;
    return good_log_probabilities(t->references, t->layer->model, t->layer, NULL, t->data->pairs,
                                  2 * t->data->pair_count, t->options->threads, error);
}

static int keep(const struct training *t, const char *state_path, struct error *error) {
    return state_path != NULL ? good_state_save(&t->state, state_path, error) : 0;
}

static int run(struct training *t, const char *state_path, good_train_callback *callback,
               void *context, struct error *error) {
    const struct good_train_options *o = t->options;
    double saved = progress_clock();
    while (t->state.step < o->example_steps + o->pair_steps) {
        struct good_train_report report;
        int must_refer = t->state.step >= o->example_steps && !t->state.has_references;
        if (must_refer && (refer(t, error) || keep(t, state_path, error)))
            return -1;
        if (run_step(t, &report, error))
            return -1;
        int stops = callback != NULL && callback(context, &report) != 0;
        double every = o->save_seconds > 0 ? o->save_seconds : 60;
        if (stops)
            break;
        if (progress_clock() - saved > every) {
            saved = progress_clock();
            if (keep(t, state_path, error))
                return -1;
        }
    }
    return 0;
}

static int set_lengths(struct training *t, struct error *error) {
    const struct good_data *d = t->data;
    size_t batch = t->share * t->options->threads;
    t->lengths = memory_allocate(d->example_count + d->pair_count, sizeof *t->lengths, error);
    if (t->lengths == NULL)
        return -1;
    uint16_t *of_pairs = t->lengths + d->example_count;
    for (size_t i = 0; i < d->example_count; i++)
        t->lengths[i] = (uint16_t)d->examples[i].count;
    for (size_t i = 0; i < d->pair_count; i++)
        of_pairs[i] = (uint16_t)(d->pairs[2 * i].count > d->pairs[2 * i + 1].count
                                     ? d->pairs[2 * i].count
                                     : d->pairs[2 * i + 1].count);
    return length_order_create(&t->examples, t->lengths, d->example_count, WINDOW_STEPS * batch,
                               t->options->seed, error) ||
                   length_order_create(&t->pairs, of_pairs, d->pair_count, WINDOW_STEPS * batch,
                                       t->options->seed + 1, error)
               ? -1
               : 0;
}

static int create(struct training *t, struct error *error) {
    size_t threads = t->options->threads, width = t->layer->model->config.latent_width;
    t->picked = memory_allocate(t->share * threads, sizeof *t->picked, error);
    t->valued = memory_allocate(t->data->example_count, sizeof *t->valued, error);
    t->references = memory_allocate(2 * t->data->pair_count, sizeof *t->references, error);
    for (size_t i = 0; t->valued != NULL && i < t->data->example_count; i++)
        if (t->data->examples[i].values != NULL)
            t->valued[t->valued_count++] = (uint32_t)i;
    if (t->picked == NULL || t->valued == NULL || t->references == NULL || set_lengths(t, error) ||
        layer_optimizer_create(&t->optimizer, t->layer, error) ||
        weights_unpack(&t->unpacked, &t->weights, error))
        return -1;
    t->weights.unpacked = t->unpacked;
    for (size_t k = 0; k < threads; k++) {
        struct worker *w = &t->workers[k];
        w->pass = (struct lesson_pass){.weights = t->weights, .is_training = 1};
        w->gradient = memory_allocate(t->layer->count, sizeof *w->gradient, error);
        w->offset = memory_allocate(width, sizeof *w->offset, error);
        w->worst = memory_allocate(t->share * width, sizeof *w->worst, error);
        if (w->gradient == NULL || w->offset == NULL || w->worst == NULL)
            return -1;
    }
    t->state = (struct good_state){.fingerprint = fingerprint_of(t),
                                   .layer = t->layer,
                                   .optimizer = &t->optimizer,
                                   .references = t->references,
                                   .reference_count = 2 * t->data->pair_count};
    t->started = progress_clock();
    return 0;
}

static void destroy(struct training *t) {
    for (size_t k = 0; k < t->options->threads; k++) {
        lesson_pass_free(&t->workers[k].pass);
        memory_free(t->workers[k].gradient);
        memory_free(t->workers[k].offset);
        memory_free(t->workers[k].worst);
    }
    unpacked_destroy(t->unpacked);
    layer_optimizer_free(&t->optimizer);
    length_order_free(&t->examples);
    length_order_free(&t->pairs);
    memory_free(t->lengths);
    memory_free(t->picked);
    memory_free(t->valued);
    memory_free(t->references);
    memory_free(t);
}

static int check(const struct layer *layer, const struct good_data *data,
                 const struct good_train_options *o, struct error *error) {
    if (layer->model->config.latent_width == 0)
        return error_set(error,
                         "%s has no vectors: a good author wants a model with slots, such as "
                         "`trine adapt` makes",
                         layer->model->name);
    if (o->threads < 1 || o->threads > MOST_THREADS || o->batch < o->threads)
        return error_set(error,
                         "a step must hold at least one example for each of up to %d threads",
                         MOST_THREADS);
    if ((o->example_steps > 0 && data->example_count == 0) ||
        (o->pair_steps > 0 && data->pair_count == 0))
        return error_set(error, "steps on %s are wanted, but there are none",
                         data->example_count == 0 && o->example_steps > 0 ? "examples" : "pairs");
    for (size_t i = 0; i < data->example_count; i++)
        if (data->examples[i].values != NULL && o->radius <= 0)
            return error_set(error, "examples with values want a radius above 0");
    return 0;
}

int good_train(struct layer *layer, const struct good_data *data,
               const struct good_train_options *options, const char *state_path,
               good_train_callback *callback, void *context, int *is_finished,
               struct error *error) {
    int is_there = 0;
    *is_finished = 0;
    if (check(layer, data, options, error))
        return -1;
    struct training *t = memory_allocate(1, sizeof *t, error);
    if (t == NULL)
        return -1;
    *t = (struct training){.layer = layer,
                           .data = data,
                           .options = options,
                           .share = options->batch / options->threads,
                           .weights = layer_weights(layer)};
    int result = create(t, error);
    if (result == 0 && state_path != NULL)
        result = good_state_load(&t->state, state_path, &is_there, error);
    if (result == 0)
        result = run(t, state_path, callback, context, error);
    if (result == 0)
        result = keep(t, state_path, error);
    *is_finished = result == 0 && t->state.step == options->example_steps + options->pair_steps;
    destroy(t);
    return result;
}
