#include "truth/introspection.h"

#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "train/sampler.h"
#include "truth/exercise.h"

/* Adapted matrices are made anew for every pass: two texts at once take an eighth less time than
 * one by one; four take no less. */
enum { MOST_THREADS = 64, TEXTS = 2 };

/* What one thread needs for TEXTS texts at a time. */
struct worker {
    struct pass *dream, *student;
    int32_t *dream_tokens, *tokens, *teachers; /* [TEXTS,time], [TEXTS,layer time] twice */
    real *losses;                              /* [TEXTS,layer time] */
    real *told, *mask;                         /* [TEXTS,Z]: the dream's handles */
    real *own, *own_mask, *dtold;              /* [TEXTS,Z]: the layer's */
    real *gradient;
    double loss;
};

struct introspection {
    struct layer *layer;
    const struct dataset *dataset;
    struct introspection_options options;
    struct exercise_maker maker;
    struct sampler sampler;
    struct exercise *exercises; /* [batch] */
    struct worker workers[MOST_THREADS];
};

struct introspection_options introspection_options_default(void) {
    return (struct introspection_options){.batch = 16, .threads = 2, .seed = 1};
}

static int worker_create(struct worker *w, const struct introspection *in, struct error *error) {
    const struct model *model = in->layer->model;
    struct weights weights = model_weights(model), layered = layer_weights(in->layer);
    size_t dream = TEXTS * in->maker.time, rows = TEXTS * exercise_layer_time(&in->maker);
    size_t latent = TEXTS * model->config.latent_width;
    w->dream_tokens = memory_allocate(dream + 2 * rows, sizeof *w->tokens, error);
    w->losses = memory_allocate(rows + 5 * latent, sizeof(real), error);
    w->gradient = memory_allocate(in->layer->count, sizeof(real), error);
    if (w->dream_tokens == NULL || w->losses == NULL || w->gradient == NULL)
        return -1;
    w->tokens = w->dream_tokens + dream;
    w->teachers = w->tokens + rows;
    w->told = w->losses + rows;
    w->mask = w->told + latent;
    w->own = w->mask + latent;
    w->own_mask = w->own + latent;
    w->dtold = w->own_mask + latent;
    for (size_t i = 0; i < latent; i++)
        w->own_mask[i] = 1;
    return pass_create(&w->dream, &weights, TEXTS, in->maker.time, 0, error) ||
                   pass_create(&w->student, &layered, TEXTS, rows / TEXTS, 1, error)
               ? -1
               : 0;
}

static void worker_free(struct worker *w) {
    pass_destroy(w->dream);
    pass_destroy(w->student);
    memory_free(w->dream_tokens);
    memory_free(w->losses);
    memory_free(w->gradient);
}

static int create_workers(struct introspection *in, struct error *error) {
    int failed = 0;
#pragma omp parallel num_threads((int)in->options.threads) reduction(| : failed)
    {
        struct error own;
        failed = worker_create(&in->workers[omp_get_thread_num()], in, &own) != 0;
#pragma omp critical(introspection_error)
        if (failed)
            *error = own;
    }
    return failed ? -1 : 0;
}

static int create_all(struct introspection *in, struct error *error) {
    const struct introspection_options *o = &in->options;
    if (exercise_maker_create(&in->maker, in->layer->model, o->time, error) ||
        sampler_create(&in->sampler, in->dataset->texts, in->dataset->count, in->maker.time,
                       o->batch, o->seed, error))
        return -1;
    in->exercises = memory_allocate(o->batch, sizeof *in->exercises, error);
    if (in->exercises == NULL)
        return -1;
    for (size_t i = 0; i < o->batch; i++)
        if (exercise_create(&in->exercises[i], &in->maker, error))
            return -1;
    return create_workers(in, error);
}

int introspection_create(struct introspection **out, struct layer *layer,
                         const struct dataset *dataset, const struct introspection_options *options,
                         struct error *error) {
    *out = NULL;
    if (options->threads < 1 || options->threads > MOST_THREADS || options->batch < 1)
        return error_set(error, "introspection wants texts, and 1 to %d threads", MOST_THREADS);
    struct introspection *in = memory_allocate(1, sizeof *in, error);
    if (in == NULL)
        return -1;
    in->layer = layer;
    in->dataset = dataset;
    in->options = *options;
    if (create_all(in, error)) {
        introspection_destroy(in);
        return -1;
    }
    *out = in;
    return 0;
}

void introspection_destroy(struct introspection *in) {
    if (in == NULL)
        return;
    for (size_t k = 0; k < in->options.threads; k++)
        worker_free(&in->workers[k]);
    for (size_t i = 0; in->exercises != NULL && i < in->options.batch; i++)
        exercise_free(&in->exercises[i]);
    memory_free(in->exercises);
    sampler_free(&in->sampler);
    exercise_maker_free(&in->maker);
    memory_free(in);
}

static void draw(const struct introspection *in, const struct piece *piece, struct random *random,
                 struct telling *telling) {
    const struct telling_slots *slots = &in->maker.slots;
    const struct dataset_document *document = &in->dataset->documents[piece->document];
    enum telling_kind kind;
    do
        kind = (enum telling_kind)random_below(random, TELLING_KINDS);
    while (!telling_is_possible(slots, kind));
    int is_own = random_uniform(random) < 0.5, tenths = 1 + (int)random_below(random, 9);
    if (!is_own || !telling_of_document(telling, slots, kind, document, tenths, random))
        telling_draw(telling, slots, kind, random);
}

/* Who is told in words is mostly asked to write from the start, which is one piece of many. */
static const double FROM_START = 0.25;

static struct piece first_piece(const struct introspection *in, size_t document) {
    size_t rest = in->dataset->texts[document].count - 1;
    return (struct piece){document, 0, rest < in->maker.time ? rest : in->maker.time};
}

/* The texts of a step; *tokens <- how many are predicted. */
static int lay_out(struct introspection *in, size_t step, size_t *tokens, struct error *error) {
    const struct piece *pieces;
    size_t batch = in->options.batch;
    if (sampler_pieces(&in->sampler, step, &pieces, error))
        return -1;
    *tokens = 0;
    for (size_t i = 0; i < batch; i++) {
        struct random random;
        struct telling telling;
        struct piece piece = pieces[i];
        random_seed(&random, in->options.seed ^ 0x1e77, step * batch + i);
        draw(in, &piece, &random, &telling);
        if (random_uniform(&random) < FROM_START)
            piece = first_piece(in, piece.document);
        /* The dream's own beginning stands in for the token before the piece. */
        if (exercise_lay(&in->exercises[i], &in->maker, &telling,
                         in->dataset->texts[piece.document].tokens + piece.start + 1, piece.count,
                         error))
            return -1;
        *tokens += in->exercises[i].count;
    }
    return 0;
}

/* Puts up to TEXTS exercises side by side; what remains of the room is no text. */
static void gather(const struct introspection *in, struct worker *w, const struct exercise *e,
                   size_t count) {
    size_t dream = in->maker.time, rows = exercise_layer_time(&in->maker);
    size_t width = in->layer->model->config.latent_width;
    for (size_t k = 0; k < TEXTS; k++) {
        for (size_t r = 0; r < dream; r++)
            w->dream_tokens[k * dream + r] = k < count ? e[k].dream_tokens[r] : 0;
        for (size_t r = 0; r < rows; r++) {
            int32_t teacher = k < count ? e[k].teachers[r] : -1;
            w->tokens[k * rows + r] = k < count ? e[k].layer_tokens[r] : 0;
            w->teachers[k * rows + r] = teacher < 0 ? -1 : teacher + (int32_t)(k * dream);
        }
        for (size_t d = 0; d < width; d++) {
            w->told[k * width + d] = k < count ? e[k].told[d] : 0;
            w->mask[k * width + d] = k < count ? e[k].mask[d] : 0;
        }
    }
}

static void run_exercises(const struct introspection *in, struct worker *w, double scale) {
    struct pass_handle dream = {.told = w->told, .told_mask = w->mask};
    struct pass_handle own = {.told = w->own, .told_mask = w->own_mask};
    struct pass_gradients gradients = {
        .gradient = w->gradient, .dtold = w->dtold, .scale = (real)scale};
    real *vector_gradient = w->gradient + in->layer->overlay.layout.count;
    size_t width = in->layer->model->config.latent_width;
    pass_read(w->dream, w->dream_tokens, &dream);
    pass_write(w->dream, &dream, NULL, NULL);
    struct pass_lesson lesson = {pass_output(w->dream), w->teachers};
    pass_read(w->student, w->tokens, &own);
    pass_teach_backward(w->student, &own, &lesson, w->losses, &gradients);
    for (size_t r = 0; r < TEXTS * exercise_layer_time(&in->maker); r++)
        w->loss += (double)w->losses[r];
    for (size_t i = 0; i < TEXTS * width; i++)
        vector_gradient[i % width] += w->dtold[i];
}

static void run_worker(struct introspection *in, size_t k, double scale) {
    struct worker *w = &in->workers[k];
    size_t batch = in->options.batch, threads = in->options.threads;
    size_t width = in->layer->model->config.latent_width, end = batch * (k + 1) / threads;
    memset(w->gradient, 0, in->layer->count * sizeof(real));
    for (size_t i = 0; i < TEXTS * width; i++)
        w->own[i] = layer_vector(in->layer)[i % width];
    w->loss = 0;
    for (size_t i = batch * k / threads; i < end; i += TEXTS) {
        gather(in, w, &in->exercises[i], end - i < TEXTS ? end - i : TEXTS);
        run_exercises(in, w, scale);
    }
}

int introspection_step(struct introspection *in, size_t step, real *gradient, double *loss,
                       struct error *error) {
    size_t tokens, threads = in->options.threads;
    if (lay_out(in, step, &tokens, error))
        return -1;
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
    for (size_t k = 0; k < threads; k++)
        run_worker(in, k, 1 / (double)tokens);
    *loss = 0;
    for (size_t k = 0; k < threads; k++) {
        for (size_t i = 0; i < in->layer->count; i++)
            gradient[i] += in->workers[k].gradient[i];
        *loss += in->workers[k].loss / (double)tokens;
    }
    return 0;
}
