#include "dream/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dream/place_belief.h"

struct date_summary date_summarise(const struct slot *slot, const double *log_odds) {
    const double levels[3] = {0.05, 0.5, 0.95};
    double years[3], sum = 0;
    int level = 0;
    for (size_t i = 0; i < slot->point_count && level < 3; i++) {
        double p = exp(log_odds[i]);
        /* A grid point's mass is spread evenly over the step around it. */
        while (level < 3 && sum + p >= levels[level]) {
            double inside = p > 0 ? (levels[level] - sum) / p - 0.5 : 0;
            years[level++] = slot->year_from + ((double)i + inside) * slot->year_step;
        }
        sum += p;
    }
    while (level < 3)
        years[level++] = slot->year_from + (double)(slot->point_count - 1) * slot->year_step;
    return (struct date_summary){.low = years[0], .median = years[1], .high = years[2]};
}

/* One labelled posterior to be judged: a piece at a checkpoint, or a document. */
struct sample {
    const struct dataset_document *document;
    const real *mean, *precision; /* [Z] */
    double tokens;
    const struct decision *decision; /* the writer's, or NULL */
};

struct samples {
    struct sample *items;
    size_t count;
    real *storage; /* of documents' handles */
};

enum { ALL_LENGTHS = -1 };

/* Every piece that reached the checkpoint; with `full_only`, only pieces of that very length. */
static size_t piece_samples(struct sample *out, const struct dataset *dataset,
                            const struct reading *reading, const struct decisions *decisions,
                            int checkpoint) {
    size_t count = 0;
    for (size_t i = 0; i < reading->piece_count; i++) {
        const struct piece_reading *piece = &reading->pieces[i];
        for (int c = 0; c < CHECKPOINT_COUNT; c++) {
            if ((checkpoint != ALL_LENGTHS && c != checkpoint) ||
                CHECKPOINT_TOKENS[c] > piece->count)
                continue;
            size_t at = (size_t)c * reading->latent_width;
            int is_full = CHECKPOINT_TOKENS[c] == piece->count;
            out[count++] = (struct sample){
                .document = &dataset->documents[piece->document],
                .mean = piece->mean + at,
                .precision = piece->precision + at,
                .tokens = (double)CHECKPOINT_TOKENS[c],
                .decision = decisions != NULL && is_full ? &decisions->pieces[i] : NULL};
        }
    }
    return count;
}

static size_t document_samples(struct sample *out, real *storage, const struct dataset *dataset,
                               const struct reading *reading, const struct decisions *decisions) {
    size_t width = reading->latent_width, count = 0;
    for (size_t from = 0, to; from < reading->piece_count; from = to) {
        size_t document = reading->pieces[from].document;
        for (to = from; to < reading->piece_count && reading->pieces[to].document == document;)
            to++;
        real *mean = storage + 2 * count * width, *precision = mean + width;
        reading_combine(reading, from, to, mean, precision);
        for (size_t d = 0; d < width; d++)
            mean[d] /= precision[d];
        out[count++] =
            (struct sample){.document = &dataset->documents[document],
                            .mean = mean,
                            .precision = precision,
                            .tokens = (double)dataset->texts[document].count,
                            .decision = decisions != NULL ? &decisions->documents[document] : NULL};
    }
    return count;
}

static int samples_create(struct samples *s, const struct dataset *dataset,
                          const struct reading *reading, struct error *error) {
    s->count = 0;
    s->items = memory_allocate(reading->piece_count * CHECKPOINT_COUNT + dataset->count,
                               sizeof *s->items, error);
    s->storage = memory_allocate(dataset->count * 2 * reading->latent_width, sizeof(real), error);
    if (s->items != NULL && s->storage != NULL)
        return 0;
    memory_free(s->items);
    memory_free(s->storage);
    return -1;
}

static void samples_free(struct samples *s) {
    memory_free(s->items);
    memory_free(s->storage);
}

static double log_probability(const struct slot_target *target, const double *log_odds) {
    double sum = 0;
    for (size_t k = 0; k < TARGET_POINTS; k++)
        sum += target->weight[k] > 0 ? target->weight[k] * log_odds[target->index[k]] : 0;
    return sum;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void judge_label(struct slot_accuracy *a, const struct slot_target *target,
                        const struct slot *slot, const double *log_odds) {
    size_t better = 0, label = target->index[0];
    for (size_t i = 0; i < slot->point_count; i++)
        better += log_odds[i] > log_odds[label] || (log_odds[i] == log_odds[label] && i < label);
    a->top1 += better == 0;
    a->top5 += better < 5;
}

/* Both return the error. */
static double judge_year(struct slot_accuracy *a, double year, const struct slot *slot,
                         const double *log_odds) {
    struct date_summary date = date_summarise(slot, log_odds);
    a->coverage += year >= date.low && year <= date.high;
    return fabs(date.median - year);
}

static double judge_place(struct slot_accuracy *a, struct location place, const struct slot *slot,
                          const double *log_odds) {
    struct place_summary summary = place_summarise(slot, log_odds);
    double distance = location_distance(summary.middle, place);
    a->coverage += distance <= summary.radius_90;
    return distance;
}

enum { UNDECIDED = MAXIMUM_SLOTS };

/* Judges slot `s` over all samples that carry its label; the writer decides slot `decided`. A fit
 * wants the log loss only. */
static int judge(struct slot_accuracy *a, const struct model *model,
                 const struct slot_state *states, size_t s, size_t decided,
                 const struct sample *samples, size_t count, int is_fit, struct error *error) {
    const struct slot *slot = &model->slots.slots[s];
    double *log_odds = memory_allocate(slot->point_count, sizeof *log_odds, error);
    double *errors = memory_allocate(count, sizeof *errors, error);
    *a = (struct slot_accuracy){0};
    if (log_odds == NULL || errors == NULL) {
        memory_free(log_odds);
        memory_free(errors);
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const struct sample *sample = &samples[i];
        if (!sample->document->is_given[s])
            continue;
        const struct slot_target *target = &sample->document->target[s];
        slot_belief(slot, states[s].points, states[s].sigma, sample->mean + slot->first,
                    sample->precision + slot->first, sample->tokens, log_odds);
        if (s == decided)
            decision_apply(sample->decision, slot, log_odds);
        a->log_loss -= log_probability(target, log_odds);
        for (size_t p = 0; p < slot->point_count; p++)
            a->entropy -= exp(log_odds[p]) * log_odds[p];
        if (slot->kind == LATENT_CATEGORICAL)
            judge_label(a, target, slot, log_odds);
        else if (slot->kind == LATENT_DATE)
            errors[a->count] = judge_year(a, sample->document->year[s], slot, log_odds);
        else if (!is_fit)
            errors[a->count] = judge_place(a, sample->document->place[s], slot, log_odds);
        a->count++;
    }
    double n = a->count > 0 ? (double)a->count : 1;
    qsort(errors, a->count, sizeof *errors, compare_doubles);
    if (a->count > 0)
        a->absolute_error = 0.5 * (errors[(a->count - 1) / 2] + errors[a->count / 2]);
    a->top1 /= n;
    a->top5 /= n;
    a->log_loss /= n;
    a->coverage /= n;
    a->entropy /= n;
    memory_free(log_odds);
    memory_free(errors);
    return 0;
}

/* What a fit of two numbers needs. */
struct fit {
    const struct model *model;
    const struct slot_state *states;
    size_t slot, decided;
    struct samples pieces, documents;
    double *at; /* the two numbers, inside the model */
    double factor;
    double limit;
};

/* The slope, before any document is seen: belief grows like the root of what was read. A dozen
 * validation documents that happen to be read rightly would else say that no text is ever read
 * wrongly. */
static const double SLOPE = -0.5, SLOPE_SPREAD = 0.15;

/* The factor's logarithm likewise, for readers and for writers: where few labels are given, one or
 * no validation document has one. */
static const double READER_FACTOR = -1, WRITER_FACTOR = -2, FACTOR_SPREAD = 1;

/* Mean log loss over pieces and over documents, each kind weighing half, less the log prior of both
 * numbers, which weighs as much as one document does. */
static int fit_loss(double *loss, const struct fit *fit, struct error *error) {
    struct slot_accuracy a, b;
    if (judge(&a, fit->model, fit->states, fit->slot, fit->decided, fit->pieces.items,
              fit->pieces.count, 1, error) ||
        judge(&b, fit->model, fit->states, fit->slot, fit->decided, fit->documents.items,
              fit->documents.count, 1, error))
        return -1;
    double factor = (fit->at[0] - fit->factor) / FACTOR_SPREAD;
    double slope = (fit->at[1] - SLOPE) / SLOPE_SPREAD;
    double prior = 0.5 * (factor * factor + slope * slope) / fmax(1, (double)b.count);
    *loss = (a.count > 0 ? a.log_loss : 0) + (b.count > 0 ? b.log_loss : 0) + prior;
    return 0;
}

/* Two numbers, a smooth loss: a search on an ever finer cross of steps finds the minimum. */
static int fit_factor(struct fit *fit, double factor, struct error *error) {
    double *at = fit->at, best;
    fit->factor = at[0] = factor;
    at[1] = SLOPE;
    if (fit_loss(&best, fit, error))
        return -1;
    for (double step = 0.5; step > 0.02;) {
        int improved = 0;
        for (int move = 0; move < 4; move++) {
            int axis = move / 2;
            double old = at[axis], loss;
            at[axis] += (move % 2 ? -step : step) * (axis == 0 ? 1 : 0.25);
            if (fabs(at[axis]) < fit->limit && fit_loss(&loss, fit, error))
                return -1;
            if (fabs(at[axis]) < fit->limit && loss < best) {
                best = loss;
                improved = 1;
            } else {
                at[axis] = old;
            }
        }
        if (!improved)
            step /= 2;
    }
    return 0;
}

static int fit_slots(struct model *model, struct fit *fit, const struct dataset *validation,
                     const struct reading *reading, const struct decisions *decisions,
                     struct error *error) {
    fit->pieces.count =
        piece_samples(fit->pieces.items, validation, reading, decisions, ALL_LENGTHS);
    fit->documents.count = document_samples(fit->documents.items, fit->documents.storage,
                                            validation, reading, decisions);
    for (size_t s = 0; s < model->slots.count; s++) {
        fit->slot = s;
        fit->decided = UNDECIDED;
        fit->at = model->slots.slots[s].calibration;
        if (fit_factor(fit, READER_FACTOR, error))
            return -1;
        fit->decided = s;
        fit->at = model->slots.slots[s].likelihood;
        if (decisions != NULL && decisions->slot == s && fit_factor(fit, WRITER_FACTOR, error))
            return -1;
    }
    return 0;
}

int evaluate_calibrate(struct model *model, const struct dataset *validation,
                       const struct reading *reading, const struct decisions *decisions,
                       struct error *error) {
    struct slot_state *states = NULL;
    struct fit fit = {.model = model, .limit = 12};
    int result = -1;
    if (reading->piece_count == 0 || model->slots.count == 0)
        return 0;
    if (model_slot_states(model, &states, error) == 0 &&
        samples_create(&fit.pieces, validation, reading, error) == 0 &&
        samples_create(&fit.documents, validation, reading, error) == 0) {
        fit.states = states;
        result = fit_slots(model, &fit, validation, reading, decisions, error);
    }
    samples_free(&fit.pieces);
    samples_free(&fit.documents);
    slot_states_destroy(states, model->slots.count);
    return result;
}

static void add_losses(struct evaluation *out, const struct reading *reading) {
    memset(out->nats, 0, sizeof out->nats);
    for (size_t i = 0; i < reading->piece_count; i++) {
        out->tokens += reading->pieces[i].count;
        for (int c = 0; c < CONDITION_COUNT; c++)
            out->nats[c] += reading->pieces[i].loss[c];
    }
    for (int c = 0; c < CONDITION_COUNT; c++)
        out->nats[c] /= out->tokens > 0 ? (double)out->tokens : 1;
}

static int judge_all(struct slot_accuracy *out, const struct model *model,
                     const struct slot_state *states, const struct samples *samples, size_t decided,
                     struct error *error) {
    for (size_t s = 0; s < model->slots.count; s++)
        if (judge(&out[s], model, states, s, decided, samples->items, samples->count, 0, error))
            return -1;
    return 0;
}

int evaluate_reading(struct evaluation *out, const struct model *model,
                     const struct dataset *dataset, const struct reading *reading,
                     const struct decisions *decisions, struct error *error) {
    *out = (struct evaluation){.decided = decisions != NULL ? decisions->slot : UNDECIDED};
    add_losses(out, reading);
    if (model->slots.count == 0)
        return 0;
    struct slot_state *states = NULL;
    struct samples samples = {0};
    size_t decided = out->decided;
    int result = -1;
    if (model_slot_states(model, &states, error) == 0 &&
        samples_create(&samples, dataset, reading, error) == 0) {
        result = 0;
        for (int c = 0; c < CHECKPOINT_COUNT && result == 0; c++) {
            samples.count = piece_samples(samples.items, dataset, reading, NULL, c);
            result = judge_all(out->lengths[c], model, states, &samples, UNDECIDED, error);
        }
        samples.count =
            piece_samples(samples.items, dataset, reading, decisions, CHECKPOINT_COUNT - 1);
        result = result || judge_all(out->pieces, model, states, &samples, decided, error);
        samples.count =
            document_samples(samples.items, samples.storage, dataset, reading, decisions);
        result = result || judge_all(out->documents, model, states, &samples, decided, error);
    }
    samples_free(&samples);
    slot_states_destroy(states, model->slots.count);
    return result ? -1 : 0;
}

static json_t *accuracy_to_json(const struct slot_accuracy *a, const struct slot *slot) {
    if (slot->kind == LATENT_CATEGORICAL)
        return json_pack("{s:I, s:f, s:f, s:f, s:f}", "count", (json_int_t)a->count, "top1",
                         a->top1, "top5", a->top5, "log_loss", a->log_loss, "entropy", a->entropy);
    const char *key =
        slot->kind == LATENT_DATE ? "median_absolute_error_years" : "median_error_kilometres";
    return json_pack("{s:I, s:f, s:f, s:f, s:f}", "count", (json_int_t)a->count, key,
                     a->absolute_error, "coverage_90", a->coverage, "log_loss", a->log_loss,
                     "entropy", a->entropy);
}

json_t *evaluation_to_json(const struct evaluation *e, const struct model *model) {
    static const char *const NAMES[CONDITION_COUNT] = {"untold", "told", "wrong_handle"};
    json_t *nats = json_object(), *slots = json_object();
    for (int c = 0; c < CONDITION_COUNT; c++)
        json_object_set_new(nats, NAMES[c],
                            isfinite(e->nats[c]) ? json_real(e->nats[c]) : json_null());
    for (size_t s = 0; s < model->slots.count; s++) {
        const struct slot *slot = &model->slots.slots[s];
        json_t *lengths = json_object();
        for (int c = 0; c < CHECKPOINT_COUNT; c++) {
            char key[32];
            snprintf(key, sizeof key, "%zu", CHECKPOINT_TOKENS[c]);
            json_object_set_new(lengths, key, accuracy_to_json(&e->lengths[c][s], slot));
        }
        json_object_set_new(slots, slot->name,
                            json_pack("{s:o, s:o, s:o, s:[f,f], s:[f,f]}", "document",
                                      accuracy_to_json(&e->documents[s], slot), "piece",
                                      accuracy_to_json(&e->pieces[s], slot), "tokens_read", lengths,
                                      "calibration", slot->calibration[0], slot->calibration[1],
                                      "likelihood", slot->likelihood[0], slot->likelihood[1]));
    }
    return json_pack("{s:I, s:o, s:o}", "tokens", (json_int_t)e->tokens, "nats_per_token", nats,
                     "slots", slots);
}

static void print_accuracy(FILE *stream, const char *what, const struct slot_accuracy *a,
                           const struct slot *slot) {
    if (slot->kind == LATENT_CATEGORICAL)
        fprintf(stream, "  %-8s %-12s %5zu   top-1 %5.3f  top-5 %5.3f  log loss %6.3f\n",
                slot->name, what, a->count, a->top1, a->top5, a->log_loss);
    else
        fprintf(stream, "  %-8s %-12s %5zu   median error %5.*f %s  90 %% covers %5.3f\n",
                slot->name, what, a->count, slot->kind == LATENT_DATE, a->absolute_error,
                slot->kind == LATENT_DATE ? "years" : "km", a->coverage);
}

void evaluation_print(FILE *stream, const struct evaluation *e, const struct model *model) {
    fprintf(stream, "nats per token over %zu tokens: untold %.4f", e->tokens, e->nats[0]);
    if (isfinite(e->nats[CONDITION_TOLD]) && model->slots.count > 0)
        fprintf(stream, ", told %.4f, wrong handle %.4f", e->nats[CONDITION_TOLD],
                e->nats[CONDITION_WRONG]);
    fprintf(stream, "\n");
    for (size_t s = 0; s < model->slots.count; s++) {
        const struct slot *slot = &model->slots.slots[s];
        print_accuracy(stream, "documents", &e->documents[s], slot);
        if (s == e->decided) {
            print_accuracy(stream, "pieces", &e->pieces[s], slot);
            fprintf(stream, "  (these two by reader and writer, what follows by the reader)\n");
        }
        for (int c = CHECKPOINT_COUNT - 1; c >= 0; c--) {
            char what[32];
            snprintf(what, sizeof what, "%zu tokens", CHECKPOINT_TOKENS[c]);
            print_accuracy(stream, what, &e->lengths[c][s], slot);
        }
    }
}
