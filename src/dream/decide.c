#include "dream/decide.h"

#include <math.h>
#include <omp.h>

#include "base/memory.h"

/* One piece to be judged for one decision. */
struct task {
    size_t piece;
    struct decision *decision;
    double likelihood[MAXIMUM_CANDIDATES];
};

struct judge {
    const struct model *model;
    const struct dataset *dataset;
    const struct reading *reading;
    const struct slot *slot;
    const struct slot_state *state;
    struct task *tasks;
    size_t task_count;
};

/* labels <- the likeliest ones under mean and precision of all slots, likeliest first. */
static int propose(struct decision *decision, const struct judge *judge, const real *mean,
                   const real *precision, size_t candidates, double *log_odds) {
    const struct slot *slot = judge->slot;
    slot_posterior(slot, judge->state->points, judge->state->sigma, mean + slot->first,
                   precision + slot->first, 0, log_odds);
    size_t wanted = candidates < slot->point_count ? candidates : slot->point_count;
    for (decision->count = 0; decision->count < wanted; decision->count++) {
        size_t best = 0;
        for (size_t i = 1; i < slot->point_count; i++)
            if (log_odds[i] > log_odds[best])
                best = i;
        decision->labels[decision->count] = best;
        log_odds[best] = -INFINITY;
    }
    return 0;
}

static void add_task(struct judge *judge, size_t piece, struct decision *decision) {
    judge->tasks[judge->task_count++] = (struct task){.piece = piece, .decision = decision};
    decision->tokens += (double)judge->reading->pieces[piece].count;
}

/* The pieces from..to-1 of one document: each full piece decides for itself, and a few spread
 * over the document decide for all of it. */
static void plan_document(struct judge *judge, struct decisions *out, size_t from, size_t to,
                          size_t time, size_t candidates, real *handle, double *log_odds) {
    const struct reading *reading = judge->reading;
    size_t width = reading->latent_width;
    real *information = handle, *precision = handle + width;
    for (size_t i = from; i < to; i++) {
        const struct piece_reading *piece = &reading->pieces[i];
        if (piece->count < time)
            continue;
        for (size_t d = 0; d < width; d++) {
            precision[d] = 1 + piece->added_precision[d];
            information[d] = piece->information[d] / precision[d];
        }
        propose(&out->pieces[i], judge, information, precision, candidates, log_odds);
        add_task(judge, i, &out->pieces[i]);
    }
    struct decision *document = &out->documents[reading->pieces[from].document];
    reading_combine(reading, from, to, information, precision);
    for (size_t d = 0; d < width; d++)
        information[d] /= precision[d];
    propose(document, judge, information, precision, candidates, log_odds);
    size_t count = to - from < DOCUMENT_PIECES ? to - from : DOCUMENT_PIECES;
    for (size_t i = 0; i < count; i++)
        add_task(judge, from + i * (to - from) / count, document);
}

static int plan(struct judge *judge, struct decisions *out, size_t candidates,
                struct error *error) {
    const struct reading *reading = judge->reading;
    size_t time = judge->model->config.context;
    real *handle = memory_allocate(2 * reading->latent_width, sizeof(real), error);
    double *log_odds = memory_allocate(judge->slot->point_count, sizeof *log_odds, error);
    judge->tasks = memory_allocate(2 * reading->piece_count, sizeof *judge->tasks, error);
    int result = !handle || !log_odds || !judge->tasks ? -1 : 0;
    for (size_t from = 0, to; result == 0 && from < reading->piece_count; from = to) {
        for (to = from; to < reading->piece_count &&
                        reading->pieces[to].document == reading->pieces[from].document;)
            to++;
        plan_document(judge, out, from, to, time, candidates, handle, log_odds);
    }
    memory_free(handle);
    memory_free(log_odds);
    return result;
}

/* One thread's buffers. */
struct judge_buffers {
    struct pass *pass;
    int32_t *tokens, *targets;
    real *losses, *told, *mask;
};

static int buffers_create(struct judge_buffers *b, const struct judge *judge, struct error *error) {
    struct weights weights = model_weights(judge->model);
    size_t time = judge->model->config.context, width = judge->model->config.latent_width;
    b->tokens = memory_allocate(time, sizeof *b->tokens, error);
    b->targets = memory_allocate(time, sizeof *b->targets, error);
    b->losses = memory_allocate(time, sizeof(real), error);
    b->told = memory_allocate(width, sizeof(real), error);
    b->mask = memory_allocate(width, sizeof(real), error);
    if (!b->tokens || !b->targets || !b->losses || !b->told || !b->mask)
        return -1;
    for (size_t d = 0; d < judge->slot->width; d++)
        b->mask[judge->slot->first + d] = 1;
    return pass_create(&b->pass, &weights, 1, time, 0, error);
}

static void buffers_destroy(struct judge_buffers *b) {
    pass_destroy(b->pass);
    memory_free(b->tokens);
    memory_free(b->targets);
    memory_free(b->losses);
    memory_free(b->told);
    memory_free(b->mask);
}

/* The writer's losses of a piece under each candidate; the other slots are inferred. */
static void weigh(const struct judge *judge, struct judge_buffers *b, struct task *task) {
    const struct piece_reading *piece = &judge->reading->pieces[task->piece];
    const uint32_t *tokens = judge->dataset->texts[piece->document].tokens + piece->start;
    const struct slot *slot = judge->slot;
    struct pass_handle handle = {.told = b->told, .told_mask = b->mask};
    for (size_t i = 0; i < judge->model->config.context; i++) {
        b->tokens[i] = i < piece->count ? (int32_t)tokens[i] : 0;
        b->targets[i] = i < piece->count ? (int32_t)tokens[i + 1] : -1;
    }
    pass_read(b->pass, b->tokens, &handle);
    for (size_t c = 0; c < task->decision->count; c++) {
        const real *point = judge->state->points + task->decision->labels[c] * slot->width;
        for (size_t d = 0; d < slot->width; d++)
            b->told[slot->first + d] = point[d];
        pass_write(b->pass, &handle, b->targets, b->losses);
        task->likelihood[c] = 0;
        for (size_t i = 0; i < piece->count; i++)
            task->likelihood[c] -= (double)b->losses[i];
    }
}

static int weigh_all(struct judge *judge, size_t threads, struct error *error) {
    int failed = 0;
#pragma omp parallel num_threads((int)threads) reduction(| : failed)
    {
        struct judge_buffers buffers = {0};
        struct error mine;
        failed = buffers_create(&buffers, judge, &mine) != 0;
#pragma omp critical
        if (failed)
            *error = mine;
#pragma omp for schedule(dynamic, 4)
        for (size_t i = 0; i < judge->task_count; i++)
            if (!failed)
                weigh(judge, &buffers, &judge->tasks[i]);
        buffers_destroy(&buffers);
    }
    for (size_t i = 0; i < judge->task_count; i++) /* in order: the same bits every time */
        for (size_t c = 0; c < judge->tasks[i].decision->count; c++)
            judge->tasks[i].decision->likelihood[c] += judge->tasks[i].likelihood[c];
    return failed ? -1 : 0;
}

int decisions_create(struct decisions *out, const struct model *model,
                     const struct dataset *dataset, const struct reading *reading, size_t slot,
                     size_t candidates, size_t threads, struct error *error) {
    struct slot_state *states = NULL;
    *out = (struct decisions){.slot = slot};
    if (slot >= model->slots.count || model->slots.slots[slot].kind != LATENT_CATEGORICAL)
        return error_set(error, "the writer decides among labels of a categorical slot only");
    if (candidates < 2 || candidates > MAXIMUM_CANDIDATES)
        return error_set(error, "the writer decides among 2 to %d labels, not %zu",
                         MAXIMUM_CANDIDATES, candidates);
    struct judge judge = {
        .model = model, .dataset = dataset, .reading = reading, .slot = &model->slots.slots[slot]};
    out->pieces = memory_allocate(reading->piece_count, sizeof *out->pieces, error);
    out->documents = memory_allocate(dataset->count, sizeof *out->documents, error);
    int result = !out->pieces || !out->documents || model_slot_states(model, &states, error);
    if (result == 0) {
        judge.state = &states[slot];
        result = plan(&judge, out, candidates, error) || weigh_all(&judge, threads, error);
    }
    memory_free(judge.tasks);
    slot_states_destroy(states, model->slots.count);
    if (result == 0)
        return 0;
    decisions_free(out);
    return -1;
}

void decisions_free(struct decisions *decisions) {
    memory_free(decisions->pieces);
    memory_free(decisions->documents);
    *decisions = (struct decisions){0};
}

int decision_of_document(struct decision *out, const struct model *model,
                         const struct token_list *list, size_t slot, size_t candidates,
                         size_t threads, struct error *error) {
    struct reading reading = {0};
    struct decisions decisions = {0};
    struct sampler_document tokens = {list->ids, list->count};
    struct dataset_document document = {.name = "text", .text = tokens};
    struct dataset dataset = {&document, &tokens, 1, list->count};
    size_t time = model->config.context;
    int result = reading_create(&reading, model, &dataset, time, threads, 0, error);
    *out = (struct decision){0};
    if (result == 0 && reading.piece_count > 0) {
        result = decisions_create(&decisions, model, &dataset, &reading, slot, candidates, threads,
                                  error);
        if (result == 0)
            *out = decisions.documents[0];
    }
    decisions_free(&decisions);
    reading_free(&reading);
    return result ? -1 : 0;
}

void decision_apply(const struct decision *decision, const struct slot *slot, double *log_odds) {
    if (decision == NULL || decision->count == 0)
        return;
    double factor =
        exp(slot->likelihood[0] + slot->likelihood[1] * log(fmax(decision->tokens, 1) / 256));
    double mass = 0, best = -INFINITY, sum = 0;
    for (size_t c = 0; c < decision->count; c++) {
        mass += exp(log_odds[decision->labels[c]]);
        log_odds[decision->labels[c]] += factor * decision->likelihood[c];
        best = fmax(best, log_odds[decision->labels[c]]);
    }
    for (size_t c = 0; c < decision->count; c++)
        sum += exp(log_odds[decision->labels[c]] - best);
    for (size_t c = 0; c < decision->count; c++)
        log_odds[decision->labels[c]] += log(fmax(mass, 1e-300)) - best - log(sum);
}
