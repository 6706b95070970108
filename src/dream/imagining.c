#include "dream/imagining.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "latent/conditions.h"

/* What all authors share. */
struct trial {
    const struct model *model;
    const struct slot *slot;
    const struct imagining_options *options;
    const struct dataset *held_out, *training;
    struct prior_settings start[2]; /* fitted to everybody: where each fit begins */
    struct slot_state *states;
};

/* One thread's buffers. */
struct trial_buffers {
    struct pass *pass;
    int32_t *tokens, *targets;
    real *losses, *told, *mask;
};

static int buffers_create(struct trial_buffers *b, const struct trial *trial, struct error *error) {
    struct weights weights = model_weights(trial->model);
    size_t width = trial->model->config.latent_width, time = trial->model->config.context;
    b->tokens = memory_allocate(time, sizeof *b->tokens, error);
    b->targets = memory_allocate(time, sizeof *b->targets, error);
    b->losses = memory_allocate(time, sizeof(real), error);
    b->told = memory_allocate(width, sizeof(real), error);
    b->mask = memory_allocate(width, sizeof(real), error);
    if (!b->tokens || !b->targets || !b->losses || !b->told || !b->mask)
        return -1;
    return pass_create(&b->pass, &weights, 1, time, 0, error);
}

static void buffers_destroy(struct trial_buffers *b) {
    pass_destroy(b->pass);
    memory_free(b->tokens);
    memory_free(b->targets);
    memory_free(b->losses);
    memory_free(b->told);
    memory_free(b->mask);
}

/* The vectors that the writer is told: of each voice one, of the sampled one as many as wanted. */
struct voices {
    size_t count;
    enum imagining_voice kind[VOICE_COUNT + 64];
    double *points; /* [count,width] */
};

static void set_voice(struct voices *v, enum imagining_voice kind, const double *point,
                      size_t width) {
    v->kind[v->count] = kind;
    memcpy(v->points + v->count++ * width, point, width * sizeof *point);
}

/* Leaves the author out of both priors; fills its densities and the voices. */
static int expect(struct imagining_author *author, struct voices *voices, const struct trial *trial,
                  struct error *error) {
    size_t width = trial->slot->width;
    double own[MAXIMUM_SLOT_WIDTH], draw[MAXIMUM_SLOT_WIDTH];
    const real *table = model_slot_parameters(trial->model) + trial->slot->parameters + width;
    for (size_t d = 0; d < width; d++)
        own[d] = (double)table[author->label * width + d];
    for (int k = 0; k < 2; k++) {
        struct imagined_prior prior;
        struct prior_gaussian gaussian;
        if (imagine_fit(&prior, trial->model, k == 0 ? trial->options->is_used : NULL,
                        (long)author->label, &trial->start[k], error))
            return -1;
        int result = imagine_predict_of(&gaussian, &prior, author->label, error);
        if (result == 0) {
            author->density[k] = prior_log_density(&gaussian, own);
            author->entropy[k] = prior_entropy(&gaussian);
            set_voice(voices, k == 0 ? VOICE_CONDITIONAL : VOICE_UNCONDITIONAL, gaussian.mean,
                      width);
            for (size_t i = 0; k == 0 && i < trial->options->samples; i++) {
                struct random random;
                random_seed(&random, trial->options->seed, author->label * 64 + i);
                prior_sample(&gaussian, &random, draw);
                set_voice(voices, VOICE_SAMPLED, draw, width);
            }
            prior_gaussian_free(&gaussian);
        }
        imagine_free(&prior);
        if (result != 0)
            return -1;
    }
    set_voice(voices, VOICE_OWN, own, width);
    return 0;
}

/* The conditions of a document, as the writer is told them; the author's dimensions are left. */
static void tell_conditions(struct trial_buffers *b, const struct trial *trial,
                            const struct dataset_document *document) {
    for (size_t s = 0; s < trial->model->slots.count; s++) {
        const struct slot *slot = &trial->model->slots.slots[s];
        int is_told = slot == trial->slot || (trial->options->is_used[s] && document->is_given[s]);
        for (size_t d = 0; d < slot->width; d++) {
            double value = 0;
            for (int k = 0; is_told && slot != trial->slot && k < 2; k++)
                value +=
                    document->target[s].weight[k] *
                    (double)trial->states[s].points[document->target[s].index[k] * slot->width + d];
            b->told[slot->first + d] = (real)value;
            b->mask[slot->first + d] = (real)is_told;
        }
    }
}

static void judge_piece(struct imagining_author *author, struct trial_buffers *b,
                        const struct trial *trial, const struct voices *voices,
                        const struct dataset_document *document, size_t start) {
    size_t time = trial->model->config.context, left = document->text.count - 1 - start;
    size_t count = left < time ? left : time, width = trial->slot->width;
    struct pass_handle handle = {.told = b->told, .told_mask = b->mask};
    for (size_t i = 0; i < time; i++) {
        b->tokens[i] = i < count ? (int32_t)document->text.tokens[start + i] : 0;
        b->targets[i] = i < count ? (int32_t)document->text.tokens[start + i + 1] : -1;
    }
    tell_conditions(b, trial, document);
    pass_read(b->pass, b->tokens, &handle);
    for (size_t v = 0; v < voices->count; v++) {
        double share = voices->kind[v] == VOICE_SAMPLED ? (double)trial->options->samples : 1;
        for (size_t d = 0; d < width; d++)
            b->told[trial->slot->first + d] = (real)voices->points[v * width + d];
        pass_write(b->pass, &handle, b->targets, b->losses);
        for (size_t i = 0; i < count; i++)
            author->nats[voices->kind[v]] += (double)b->losses[i] / share;
    }
    author->tokens += count;
}

/* Visits every piece_count / pieces-th piece of the author's texts, or only counts them. */
static size_t visit_pieces(struct imagining_author *author, struct trial_buffers *b,
                           const struct trial *trial, const struct voices *voices,
                           const struct dataset *dataset, size_t total) {
    size_t own = (size_t)(trial->slot - trial->model->slots.slots), at = 0;
    size_t time = trial->model->config.context, wanted = trial->options->pieces;
    for (size_t i = 0; i < dataset->count; i++) {
        const struct dataset_document *document = &dataset->documents[i];
        if (!document->is_given[own] || document->target[own].index[0] != author->label)
            continue;
        for (size_t start = 0; start + 1 < document->text.count; start += time, at++)
            if (total > 0 && (total <= wanted || at * wanted / total != (at + 1) * wanted / total))
                judge_piece(author, b, trial, voices, document, start);
    }
    return at;
}

static void judge_texts(struct imagining_author *author, struct trial_buffers *b,
                        const struct trial *trial, const struct voices *voices) {
    const struct dataset *dataset = trial->held_out;
    size_t total = visit_pieces(author, b, trial, voices, dataset, 0);
    author->is_held_out = total > 0;
    if (total == 0) {
        dataset = trial->training;
        total = visit_pieces(author, b, trial, voices, dataset, 0);
    }
    if (total > 0)
        visit_pieces(author, b, trial, voices, dataset, total);
    for (int v = 0; v < VOICE_COUNT; v++)
        author->nats[v] = author->tokens > 0 ? author->nats[v] / (double)author->tokens : NAN;
    if (trial->options->samples == 0)
        author->nats[VOICE_SAMPLED] = NAN;
}

static int try_author(struct imagining_author *author, struct trial_buffers *b,
                      const struct trial *trial, struct error *error) {
    struct voices voices = {0};
    voices.points = memory_allocate((VOICE_COUNT + trial->options->samples) * trial->slot->width,
                                    sizeof(double), error);
    int result = voices.points == NULL ? -1 : expect(author, &voices, trial, error);
    if (result == 0)
        judge_texts(author, b, trial, &voices);
    memory_free(voices.points);
    return result;
}

static int try_all(struct imagining *out, const struct trial *trial, struct error *error) {
    int failed = 0;
#pragma omp parallel num_threads((int)trial->options->threads) reduction(| : failed)
    {
        struct trial_buffers buffers = {0};
        struct error mine;
        failed = buffers_create(&buffers, trial, &mine) != 0;
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < out->count; i++)
            if (!failed)
                failed = try_author(&out->authors[i], &buffers, trial, &mine) != 0;
#pragma omp critical
        if (failed)
            *error = mine;
        buffers_destroy(&buffers);
    }
    return failed ? -1 : 0;
}

/* Everybody whom both priors know, and where their fits begin. */
static int list_authors(struct imagining *out, struct trial *trial, struct error *error) {
    struct imagined_prior prior;
    for (int k = 1; k >= 0; k--) {
        if (imagine_fit(&prior, trial->model, k == 0 ? trial->options->is_used : NULL, -1, NULL,
                        error))
            return -1;
        trial->start[k] = prior.prior.settings;
        trial->slot = out->slot = prior.slot;
        if (k == 0) {
            out->authors = memory_allocate(prior.prior.count, sizeof *out->authors, error);
            out->count = out->authors != NULL ? prior.prior.count : 0;
            for (size_t i = 0; i < out->count; i++)
                out->authors[i].label = prior.labels[i];
        }
        imagine_free(&prior);
    }
    if (out->authors != NULL && out->count <= PRIOR_LEAST)
        return error_set(error, "%zu authors are too few to leave one out", out->count);
    return out->authors != NULL ? 0 : -1;
}

/* Of x[i] - y[i] over the authors for whom both are known; y NULL: of x. */
static struct imagining_mean mean_of(const struct imagining *m, size_t x, size_t y) {
    double sum = 0, squares = 0, n = 0;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < m->count; i++) {
            const char *author = (const char *)&m->authors[i];
            double value = *(const double *)(const void *)(author + x);
            if (y != x)
                value -= *(const double *)(const void *)(author + y);
            if (!isfinite(value))
                continue;
            if (round == 0) {
                sum += value;
                n++;
            } else {
                squares += (value - sum / n) * (value - sum / n);
            }
        }
    return (struct imagining_mean){n > 0 ? sum / n : NAN,
                                   n > 1 ? sqrt(squares / (n - 1) / n) : NAN};
}

#define FIELD(name, k) (offsetof(struct imagining_author, name) + (size_t)(k) * sizeof(double))

static void summarise(struct imagining *m) {
    double texts = 0;
    for (size_t k = 0; k < 2; k++)
        m->density[k] = mean_of(m, FIELD(density, k), FIELD(density, k));
    m->gain = mean_of(m, FIELD(density, 0), FIELD(density, 1));
    for (int v = 0; v < VOICE_COUNT; v++) {
        m->nats[v] = mean_of(m, FIELD(nats, v), FIELD(nats, v));
        m->saved[v] = mean_of(m, FIELD(nats, VOICE_UNCONDITIONAL), FIELD(nats, v));
    }
    for (size_t i = 0; i < m->count; i++) {
        const struct imagining_author *author = &m->authors[i];
        m->better += (author->density[0] > author->density[1]) / (double)m->count;
        m->held_out += author->is_held_out != 0;
        texts += author->tokens > 0;
        m->better_text += author->nats[VOICE_CONDITIONAL] < author->nats[VOICE_UNCONDITIONAL];
    }
    m->better_text = texts > 0 ? m->better_text / texts : NAN;
}

int imagining_create(struct imagining *out, const struct model *model,
                     const struct dataset *held_out, const struct dataset *training,
                     const struct imagining_options *options, struct error *error) {
    struct trial trial = {
        .model = model, .options = options, .held_out = held_out, .training = training};
    *out = (struct imagining){.model = model};
    if (options->samples > 64)
        return error_set(error, "at most 64 samples of each author are possible");
    int result = list_authors(out, &trial, error) ||
                         model_slot_states(model, &trial.states, error) ||
                         try_all(out, &trial, error)
                     ? -1
                     : 0;
    slot_states_destroy(trial.states, model->slots.count);
    if (result == 0)
        summarise(out);
    else
        imagining_free(out);
    return result;
}

void imagining_free(struct imagining *imagining) {
    memory_free(imagining->authors);
    *imagining = (struct imagining){0};
}

static const char *const VOICES[VOICE_COUNT] = {"conditional_mean", "unconditional_mean",
                                                "conditional_samples", "own_vector"};

/* NULL for what was not measured. */
static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *mean_to_json(struct imagining_mean mean) {
    return json_pack("{s:o, s:o}", "mean", number(mean.mean), "standard_error", number(mean.error));
}

static json_t *author_to_json(const struct imagining *m, const struct imagining_author *author) {
    json_t *nats = json_object();
    for (int v = 0; v < VOICE_COUNT; v++)
        json_object_set_new(nats, VOICES[v], number(author->nats[v]));
    return json_pack("{s:s, s:f, s:f, s:f, s:f, s:I, s:b, s:o}", "label",
                     m->slot->labels[author->label], "log_density_conditional", author->density[0],
                     "log_density_unconditional", author->density[1], "entropy_conditional",
                     author->entropy[0], "entropy_unconditional", author->entropy[1], "tokens",
                     (json_int_t)author->tokens, "held_out", author->is_held_out, "nats_per_token",
                     nats);
}

json_t *imagining_to_json(const struct imagining *m) {
    json_t *authors = json_array(), *nats = json_object(), *saved = json_object();
    for (size_t i = 0; i < m->count; i++)
        json_array_append_new(authors, author_to_json(m, &m->authors[i]));
    for (int v = 0; v < VOICE_COUNT; v++) {
        json_object_set_new(nats, VOICES[v], mean_to_json(m->nats[v]));
        if (v != VOICE_UNCONDITIONAL)
            json_object_set_new(saved, VOICES[v], mean_to_json(m->saved[v]));
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "slot", m->slot->name,
                     "log_density_conditional", mean_to_json(m->density[0]),
                     "log_density_unconditional", mean_to_json(m->density[1]), "gain",
                     mean_to_json(m->gain), "share_better", number(m->better), "nats_per_token",
                     nats, "saved_per_token", saved, "share_better_text", number(m->better_text),
                     "authors", authors);
}

void imagining_print(FILE *stream, const struct imagining *m) {
    static const char *const NAMES[VOICE_COUNT] = {"the conditional mean", "the unconditional mean",
                                                   "draws from the conditional prior",
                                                   "the author's own vector"};
    fprintf(stream,
            "%zu authors, each left out in turn\n"
            "log density of the true vector, %zu dimensions, nats:\n"
            "  conditional prior    %8.2f\n"
            "  unconditional prior  %8.2f\n"
            "  gain                 %+8.2f (standard error %.2f), better for %.0f %% of authors\n",
            m->count, m->slot->width, m->density[0].mean, m->density[1].mean, m->gain.mean,
            m->gain.error, 100 * m->better);
    if (!isfinite(m->nats[VOICE_OWN].mean))
        return;
    fprintf(stream,
            "nats per token of their texts (%zu of %zu authors by held-out documents, others by "
            "training documents), told the conditions and as the author:\n",
            m->held_out, m->count);
    for (int v = 0; v < VOICE_COUNT; v++) {
        if (!isfinite(m->nats[v].mean))
            continue;
        fprintf(stream, "  %-34s %.4f", NAMES[v], m->nats[v].mean);
        if (v != VOICE_UNCONDITIONAL)
            fprintf(stream, "  saves %+.4f (%.4f)", m->saved[v].mean, m->saved[v].error);
        fprintf(stream, "\n");
    }
    fprintf(stream,
            "the conditional mean predicts better than the unconditional one for %.0f %% "
            "of authors\n",
            100 * m->better_text);
}
