#include "train/trainer.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "train/trainer_names.h"
#include "train/trainer_state.h"

struct train_options train_options_default(void) {
    return (struct train_options){.seed = 1,
                                  .steps = 2000,
                                  .batch = 16,
                                  .time = 256,
                                  .pass_sequences = 1,
                                  .threads = 2,
                                  .learning_rate = 2e-3,
                                  .warmup_steps = 100,
                                  .final_rate = 0.05,
                                  .decay = 0.1,
                                  .beta1 = 0.9,
                                  .beta2 = 0.95,
                                  .clip = 1,
                                  .labelled_share = 0.5,
                                  .told_probability = 0.5,
                                  .score_weight = 0.1,
                                  .score_every = 12,
                                  .score_focus = 4,
                                  .evidence_gradient = 0.2,
                                  .handle_gradient = 1,
                                  .ngram_rate = 0.02,
                                  .ngram_damping = 1,
                                  .ngram_decay = 0,
                                  .names = {.bylines = 0.1, .titles = name_titles_default()}};
}

/* More would be no small part of a step. */
enum { NAMES_MOST = 4096 };

static int create_worker(struct trainer *t, struct worker *w, struct error *error) {
    const struct train_options *o = &t->options;
    const struct slots *slots = &t->model->slots;
    size_t width = t->model->config.latent_width, rows = o->pass_sequences * o->time;
    size_t points = 1;
    struct weights weights = model_weights(t->model);
    w->gradient = memory_allocate(t->model->layout.count, sizeof(real), error);
    w->tokens = memory_allocate(rows, sizeof *w->tokens, error);
    w->targets = memory_allocate(rows, sizeof *w->targets, error);
    w->losses = memory_allocate(rows, sizeof(real), error);
    w->told = memory_allocate(o->pass_sequences * width, sizeof(real), error);
    w->told_mask = memory_allocate(o->pass_sequences * width, sizeof(real), error);
    w->noise = memory_allocate(o->pass_sequences * width, sizeof(real), error);
    w->dtold = memory_allocate(o->pass_sequences * width, sizeof(real), error);
    w->dmean = memory_allocate(rows * width, sizeof(real), error);
    w->dprecision = memory_allocate(rows * width, sizeof(real), error);
    w->slots = memory_allocate(slots->count, sizeof *w->slots, error);
    w->counts = memory_allocate(o->pass_sequences, sizeof *w->counts, error);
    if (!w->gradient || !w->tokens || !w->targets || !w->losses || !w->told || !w->told_mask ||
        !w->noise || !w->dtold || !w->dmean || !w->dprecision || !w->slots || !w->counts)
        return -1;
    for (size_t s = 0; s < slots->count; s++) {
        const struct slot *slot = &slots->slots[s];
        w->slots[s].dpoints = memory_allocate(slot->point_count * slot->width, sizeof(real), error);
        w->slots[s].dlog_sigma = memory_allocate(slot->width, sizeof(real), error);
        if (!w->slots[s].dpoints || !w->slots[s].dlog_sigma)
            return -1;
        points = slot->point_count > points ? slot->point_count : points;
    }
    w->log_odds = memory_allocate(points, sizeof *w->log_odds, error);
    if (w->log_odds == NULL || trainer_names_create(t, w, error))
        return -1;
    return pass_create(&w->pass, &weights, o->pass_sequences, o->time, 1, error);
}

static void destroy_worker(struct trainer *t, struct worker *w) {
    pass_destroy(w->pass);
    trainer_names_destroy(w);
    for (size_t s = 0; w->slots != NULL && s < t->model->slots.count; s++) {
        memory_free(w->slots[s].dpoints);
        memory_free(w->slots[s].dlog_sigma);
    }
    void *owned[] = {w->gradient,  w->tokens,   w->targets, w->losses, w->told,
                     w->told_mask, w->noise,    w->dtold,   w->dmean,  w->dprecision,
                     w->slots,     w->log_odds, w->counts};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        memory_free(owned[i]);
}

static void mark_decays(struct trainer *t) {
    struct tensor_place tensors[MAXIMUM_TENSORS];
    struct layout layout;
    size_t count;
    layout_make(&layout, &t->model->config, tensors, &count);
    for (size_t i = 0; i < count; i++)
        if (tensors[i].rows > 0 && tensors[i].offset < layout.latent_start)
            memset(t->decays + tensors[i].offset, 1, tensors[i].rows * tensors[i].columns);
}

static int check_options(const struct train_options *o, const struct config *config,
                         struct error *error) {
    if (o->threads < 1 || o->threads > 256 || o->pass_sequences < 1 || o->batch < 1 ||
        o->batch % (o->threads * o->pass_sequences) != 0)
        return error_set(error,
                         "a batch of %zu sequences cannot be shared by %zu threads with %zu "
                         "sequences at a time; choose a multiple",
                         o->batch, o->threads, o->pass_sequences);
    if (o->time < 1 || o->time > config->context)
        return error_set(error, "pieces of %zu tokens do not fit a context of %zu", o->time,
                         config->context);
    if (o->evidence_steps >= o->steps || (o->evidence_steps > 0 && config->latent_width == 0))
        return error_set(error, "%zu of %zu steps cannot train the evidence alone",
                         o->evidence_steps, o->steps);
    if (o->names.count % o->threads != 0 || o->names.count > NAMES_MOST)
        return error_set(error,
                         "%zu names a step cannot be shared by %zu threads; choose a "
                         "multiple of at most %d",
                         o->names.count, o->threads, NAMES_MOST);
    if (!(o->labelled_share >= 0 && o->labelled_share <= 1))
        return error_set(error, "labelled_share must be from 0 to 1");
    if (o->steps < 1 || o->score_every < 1)
        return error_set(error, "steps and score_every must be at least 1");
    return 0;
}

int trainer_create(struct trainer **out, struct model *model, const struct dataset *dataset,
                   const struct train_options *options, struct error *error) {
    *out = NULL;
    if (check_options(options, &model->config, error))
        return -1;
    struct trainer *t = memory_allocate(1, sizeof *t, error);
    if (t == NULL)
        return -1;
    t->options = *options;
    t->model = model;
    t->dataset = dataset;
    size_t count = model->layout.count, rows = options->batch * options->time;
    t->first = memory_allocate(count, sizeof(real), error);
    t->second = memory_allocate(count, sizeof(real), error);
    t->decays = memory_allocate(count, 1, error);
    t->workers = memory_allocate(options->threads, sizeof *t->workers, error);
    if (name_lessons_create(&t->names, model, dataset, &options->names, options->batch,
                            options->seed, error)) {
        trainer_destroy(t);
        return -1;
    }
    rows += trainer_names_rows(t);
    t->ngram_rows = memory_allocate(rows * model->config.ngram_orders, sizeof(uint32_t), error);
    t->dinformation = memory_allocate(rows * model->config.latent_width, sizeof(real), error);
    int failed = !t->first || !t->second || !t->decays || !t->workers || !t->ngram_rows ||
                 !t->dinformation || model_slot_states(model, &t->states, error) ||
                 ngram_optimizer_create(&t->ngrams, &model->config, options->threads, error) ||
                 piece_mixture_create(&t->pieces, dataset, options->time, options->batch,
                                      options->labelled_share, options->seed, error);
    if (!failed) {
        mark_decays(t);
        /* oneDNN plans each primitive for the region it is made in. */
        int worker_failed = 0;
#pragma omp parallel num_threads((int)options->threads) reduction(| : worker_failed)
        {
            struct error mine;
            size_t id = (size_t)omp_get_thread_num();
            worker_failed = create_worker(t, &t->workers[id], &mine) != 0;
#pragma omp critical
            if (worker_failed)
                *error = mine;
        }
        failed = worker_failed;
    }
    if (failed) {
        trainer_destroy(t);
        return -1;
    }
    *out = t;
    return 0;
}

void trainer_destroy(struct trainer *t) {
    if (t == NULL)
        return;
    for (size_t i = 0; t->workers != NULL && i < t->options.threads; i++)
        destroy_worker(t, &t->workers[i]);
    memory_free(t->workers);
    memory_free(t->first);
    memory_free(t->second);
    memory_free(t->decays);
    memory_free(t->ngram_rows);
    memory_free(t->dinformation);
    slot_states_destroy(t->states, t->model->slots.count);
    ngram_optimizer_free(&t->ngrams);
    piece_mixture_free(&t->pieces);
    name_lessons_destroy(t->names);
    memory_free(t);
}

size_t trainer_step_count(const struct trainer *t) {
    return t->step;
}

/* A piece with a byline put before its text, behind the token that begins a document. */
struct introduced {
    const uint32_t *text, *byline;
    size_t lead; /* tokens of the text that stay before the byline */
    struct byline inserted;
};

static struct introduced introduce(const struct trainer *t, size_t index,
                                   const struct piece *piece) {
    struct introduced in = {.text = t->dataset->texts[piece->document].tokens + piece->start};
    in.inserted = name_lessons_byline(t->names, index, &in.byline);
    in.lead = piece->start == 0 && in.text[0] == tokenizer_end_of_text(t->model->tokenizer);
    return in;
}

static int32_t introduced_token(const struct introduced *in, size_t at) {
    size_t count = in->inserted.count;
    return (int32_t)(at < in->lead           ? in->text[at]
                     : at < in->lead + count ? in->byline[at - in->lead]
                                             : in->text[at - count]);
}

/* Whether the writer is to write it: marks are not its to begin, nor are misspellings. */
static int introduced_is_written(const struct introduced *in, size_t at) {
    return at < in->lead || at >= in->lead + in->inserted.unwritten;
}

static size_t introduced_count(const struct trainer *t, const struct introduced *in,
                               const struct piece *piece) {
    size_t count = piece->count + in->inserted.count;
    return count < t->options.time ? count : t->options.time;
}

/* Fills row `b` of the worker's batch with piece `index`; short pieces end in targets of -1. */
static void load_piece(const struct trainer *t, struct worker *w, size_t b, size_t index,
                       const struct piece *piece) {
    size_t time = t->options.time;
    struct introduced in = introduce(t, index, piece);
    w->counts[b] = introduced_count(t, &in, piece);
    for (size_t i = 0; i < time; i++) {
        int is_text = i < w->counts[b], is_target = is_text && introduced_is_written(&in, i + 1);
        w->tokens[b * time + i] = is_text ? introduced_token(&in, i) : 0;
        w->targets[b * time + i] = is_target ? introduced_token(&in, i + 1) : -1;
    }
}

/* Decides which slots sequence `index` is told and samples their vectors: point + sigma noise. */
static void tell(const struct trainer *t, struct worker *w, size_t b, size_t index,
                 const struct piece *piece) {
    const struct slots *slots = &t->model->slots;
    const struct dataset_document *document = &t->dataset->documents[piece->document];
    struct random random;
    random_seed(&random, t->options.seed ^ 0x7e11, t->step * t->options.batch + index);
    for (size_t s = 0; s < slots->count; s++) {
        const struct slot *slot = &slots->slots[s];
        const struct slot_target *target = &document->target[s];
        int is_told =
            random_uniform(&random) < t->options.told_probability && document->is_given[s];
        for (size_t d = 0; d < slot->width; d++) {
            size_t i = b * slots->latent_width + slot->first + d;
            double noise = random_normal(&random), value = 0;
            for (int k = 0; is_told && k < TARGET_POINTS; k++)
                value += target->weight[k] *
                         (double)t->states[s].points[target->index[k] * slot->width + d];
            w->told_mask[i] = (real)is_told;
            w->noise[i] = (real)noise;
            w->told[i] = (real)(value + (double)t->states[s].sigma[d] * noise);
        }
    }
}

/* Gradient of the told vectors back to points and spreads. */
static void tell_backward(const struct trainer *t, struct worker *w, size_t b,
                          const struct piece *piece) {
    const struct slots *slots = &t->model->slots;
    const struct dataset_document *document = &t->dataset->documents[piece->document];
    for (size_t s = 0; s < slots->count; s++) {
        const struct slot *slot = &slots->slots[s];
        const struct slot_target *target = &document->target[s];
        size_t first = b * slots->latent_width + slot->first;
        if (w->told_mask[first] == 0)
            continue;
        for (size_t d = 0; d < slot->width; d++) {
            real g = w->dtold[first + d];
            for (int k = 0; k < TARGET_POINTS; k++)
                if (target->weight[k] > 0)
                    w->slots[s].dpoints[target->index[k] * slot->width + d] +=
                        (real)target->weight[k] * g;
            w->slots[s].dlog_sigma[d] += g * w->noise[first + d] * t->states[s].sigma[d];
        }
    }
}

/* Scores the running handle of sequence b at every n-th position; later ones, which have more to
 * go by, weigh more: by (position / T)^focus, times focus + 1 so that the mean weight is 1. */
static void score(const struct trainer *t, struct worker *w, size_t b, const struct piece *piece) {
    const struct slots *slots = &t->model->slots;
    const struct dataset_document *document = &t->dataset->documents[piece->document];
    size_t time = t->options.time, every = t->options.score_every;
    double focus = t->options.score_focus;
    double scale = t->options.score_weight * (double)every / (double)(t->options.batch * time);
    for (size_t s = 0; s < slots->count; s++) {
        const struct slot *slot = &slots->slots[s];
        if (!document->is_given[s])
            continue;
        for (size_t i = every - 1; i < w->counts[b]; i += every) {
            size_t at = (b * time + i) * slots->latent_width + slot->first;
            double weight = (focus + 1) * pow((double)(i + 1) / (double)time, focus);
            w->score[s] +=
                score_backward(slot, &t->states[s], &document->target[s], pass_mean(w->pass) + at,
                               pass_precision(w->pass) + at, scale * weight, w->dmean + at,
                               w->dprecision + at, &w->slots[s], w->log_odds);
            w->score_count[s]++;
        }
    }
}

/* One pass of `pass_sequences` sequences, the first being number `index` of the batch. */
static void run_pass(struct trainer *t, struct worker *w, size_t index, const struct piece *pieces,
                     size_t token_count) {
    const struct config *c = &t->model->config;
    size_t sequences = t->options.pass_sequences, rows = sequences * t->options.time;
    for (size_t b = 0; b < sequences; b++) {
        load_piece(t, w, b, index + b, &pieces[index + b]);
        tell(t, w, b, index + b, &pieces[index + b]);
    }
    struct pass_handle handle = {.told = w->told, .told_mask = w->told_mask};
    pass_read(w->pass, w->tokens, &handle);
    memset(w->dmean, 0, rows * c->latent_width * sizeof(real));
    memset(w->dprecision, 0, rows * c->latent_width * sizeof(real));
    for (size_t b = 0; b < sequences; b++)
        score(t, w, b, &pieces[index + b]);
    struct pass_gradients gradients = {.gradient = w->gradient,
                                       .dtold = w->dtold,
                                       .dinformation = t->dinformation +
                                                       index * t->options.time * c->latent_width,
                                       .dmean = w->dmean,
                                       .dprecision = w->dprecision,
                                       .scale = (real)(1.0 / (double)token_count),
                                       .evidence_gradient = (real)t->options.evidence_gradient,
                                       .handle_gradient = (real)t->options.handle_gradient};
    if (trainer_is_evidence_step(t)) {
        pass_read_backward(w->pass, &gradients);
    } else {
        pass_write_backward(w->pass, &handle, w->targets, w->losses, &gradients);
        for (size_t b = 0; b < sequences; b++)
            tell_backward(t, w, b, &pieces[index + b]);
        for (size_t r = 0; r < rows; r++)
            w->loss += (double)w->losses[r];
    }
    if (c->ngram_orders > 0)
        memcpy(t->ngram_rows + index * t->options.time * c->ngram_orders, pass_ngram_rows(w->pass),
               rows * c->ngram_orders * sizeof(uint32_t));
}

/* Each worker's slot gradients become gradients of the slots' parameters. */
static void collect_slots(struct trainer *t, struct worker *w) {
    real *gradient = w->gradient + t->model->layout.slots;
    for (size_t s = 0; s < t->model->slots.count; s++) {
        const struct slot *slot = &t->model->slots.slots[s];
        slot_points_backward(slot, w->slots[s].dpoints, gradient);
        for (size_t d = 0; d < slot->width; d++)
            gradient[slot->parameters + d] += w->slots[s].dlog_sigma[d];
        memset(w->slots[s].dpoints, 0, slot->point_count * slot->width * sizeof(real));
        memset(w->slots[s].dlog_sigma, 0, slot->width * sizeof(real));
    }
}

/* Range [from, to) of thread `id`, whole cache lines. */
static void range_of(size_t count, size_t id, size_t threads, size_t *from, size_t *to) {
    size_t lines = (count + 15) / 16;
    *from = lines * id / threads * 16;
    *to = lines * (id + 1) / threads * 16;
    *to = *to < count ? *to : count;
}

VECTOR_CLONES static void add_into(real *restrict sum, real *restrict other, size_t count) {
    for (size_t i = 0; i < count; i++) {
        sum[i] += other[i];
        other[i] = 0;
    }
}

VECTOR_CLONES static double squares(const real *values, size_t count) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    return sum;
}

/* Adds all workers' gradients of the range into worker 0's; squares of the network's share and of
 * the slots' and the evidence head's. */
static void reduce_range(struct trainer *t, size_t id) {
    size_t from, to, boundary = t->model->layout.latent_start;
    range_of(t->model->layout.count, id, t->options.threads, &from, &to);
    real *sum = t->workers[0].gradient;
    for (size_t other = 1; other < t->options.threads; other++)
        add_into(sum + from, t->workers[other].gradient + from, to - from);
    size_t middle = boundary < from ? from : boundary > to ? to : boundary;
    t->workers[id].square[0] = squares(sum + from, middle - from);
    t->workers[id].square[1] = squares(sum + middle, to - middle);
}

static double clip_scale(double norm, double limit) {
    return limit > 0 && norm > limit ? limit / norm : 1;
}

/* The network's own parameters start when they are first trained, with a schedule of their own. */
static void update_range(struct trainer *t, size_t id, const struct adamw *network,
                         const struct adamw *latent, const double *norms) {
    size_t from, to, boundary = t->model->layout.latent_start;
    range_of(t->model->layout.count, id, t->options.threads, &from, &to);
    size_t middle = boundary < from ? from : boundary > to ? to : boundary;
    real *gradient = t->workers[0].gradient;
    struct adamw_state state = {t->model->values, t->model->operands, t->model->precision,
                                t->first,         t->second,          t->decays};
    if (!trainer_is_evidence_step(t))
        adamw_update(&state, gradient, from, middle, clip_scale(norms[0], t->options.clip),
                     t->step + 1 - t->options.evidence_steps, network);
    adamw_update(&state, gradient, middle, to, clip_scale(norms[1], t->options.clip), t->step + 1,
                 latent);
    memset(gradient + from, 0, (to - from) * sizeof(real));
}

/* Share of the full learning rate at the present step, of those from `first` on: linear warm-up,
 * then cosine. */
static double schedule(const struct trainer *t, size_t first) {
    if (t->step < first)
        return 0;
    double at = (double)(t->step - first), warmup = t->options.warmup_steps;
    if (at < warmup)
        return (at + 1) / warmup;
    double done = (at - warmup) / fmax(1, (double)(t->options.steps - first) - warmup);
    double low = t->options.final_rate;
    return low + (1 - low) * 0.5 * (1 + cos(3.141592653589793 * fmin(1, done)));
}

/* Thread `id` updates its share of the n-gram tables. Gradients are in units of one sequence's
 * score, so that rate and damping do not depend on the batch. */
static int update_ngrams(struct trainer *t, size_t id, double rate, struct error *error) {
    const struct config *c = &t->model->config;
    struct ngram_step step = {
        .rows = t->ngram_rows,
        .dinformation = t->dinformation,
        .tokens = t->options.batch * t->options.time + trainer_names_rows(t),
        .orders = c->ngram_orders,
        .scale = (real)((double)t->options.batch / fmax(t->options.score_weight, 1e-9)),
        .rate = rate * t->options.ngram_rate,
        .damping = t->options.ngram_damping,
        .decay = t->options.ngram_decay};
    return ngram_optimizer_update(&t->ngrams, id, t->model->ngrams, &step, error);
}

static void gather_report(struct trainer *t, struct train_report *report, const double *norms,
                          size_t token_count) {
    *report = (struct train_report){.tokens = token_count, .gradient_norm = norms[0]};
    double counts[MAXIMUM_SLOTS] = {0}, name_count = 0;
    for (size_t i = 0; i < t->options.threads; i++) {
        struct worker *w = &t->workers[i];
        report->loss += w->loss / (double)token_count;
        for (size_t s = 0; s < MAXIMUM_SLOTS; s++) {
            report->score[s] += w->score[s];
            counts[s] += w->score_count[s];
        }
        report->names += w->names.score;
        name_count += w->names.score_count;
        w->names.score = w->names.score_count = 0;
        w->loss = 0;
        memset(w->score, 0, sizeof w->score);
        memset(w->score_count, 0, sizeof w->score_count);
    }
    report->names = name_count > 0 ? report->names / name_count : 0;
    for (size_t s = 0; s < MAXIMUM_SLOTS; s++)
        report->score[s] = counts[s] > 0 ? report->score[s] / counts[s] : 0;
}

int trainer_step(struct trainer *t, struct train_report *report, struct error *error) {
    const struct piece *pieces;
    if (piece_mixture_pieces(&t->pieces, t->step, &pieces, error) ||
        (t->names != NULL && name_lessons_prepare(t->names, t->step, pieces, error)))
        return -1;
    size_t token_count = 0, threads = t->options.threads;
    for (size_t i = 0; i < t->options.batch; i++)
        token_count += pieces[i].count;
    double rate = schedule(t, 0), norms[2] = {0};
    int failed = 0;
    struct adamw latent = {.learning_rate = rate * t->options.learning_rate,
                           .beta1 = t->options.beta1,
                           .beta2 = t->options.beta2,
                           .epsilon = 1e-8,
                           .decay = t->options.decay};
    struct adamw network = latent;
    network.learning_rate = schedule(t, t->options.evidence_steps) * t->options.learning_rate;
#pragma omp parallel num_threads((int)threads)
    {
        size_t id = (size_t)omp_get_thread_num(), share = t->options.batch / threads;
        for (size_t i = id * share; i < (id + 1) * share; i += t->options.pass_sequences)
            run_pass(t, &t->workers[id], i, pieces, token_count);
        trainer_names_run(t, &t->workers[id], id, token_count);
        collect_slots(t, &t->workers[id]);
#pragma omp barrier
        reduce_range(t, id);
#pragma omp barrier
#pragma omp single
        for (size_t i = 0; i < threads; i++)
            for (int part = 0; part < 2; part++)
                norms[part] += t->workers[i].square[part];
        double roots[2] = {sqrt(norms[0]), sqrt(norms[1])};
        struct error mine;
        update_range(t, id, &network, &latent, roots);
        if (t->model->config.ngram_orders > 0 && t->model->config.latent_width > 0 &&
            update_ngrams(t, id, rate, &mine)) {
#pragma omp critical
            {
                failed = 1;
                *error = mine;
            }
        }
    }
    if (failed)
        return -1;
    norms[0] = sqrt(norms[0]);
    model_update_slot_states(t->model, t->states);
    t->step++;
    t->model->tokens_trained += token_count;
    gather_report(t, report, norms, token_count);
    return 0;
}
