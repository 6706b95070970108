#include "truth/introspection_report.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "model/network.h"
#include "truth/exercise.h"

struct part {
    size_t document, start, count;
    struct introspection_means own[TELLING_KINDS], other[TELLING_KINDS]; /* sums, not means */
};

/* What one thread needs. */
struct judge {
    const struct layer *layer;
    struct exercise_maker maker;
    struct exercise exercise, silent;
    struct pass *passes[INTROSPECTED_COUNT];
    int32_t *itself;        /* [time]: each of the dream's rows teaches the same row */
    real *losses, *handles; /* [layer time], [6,Z] */
    struct pass_handle nothing, own;
    double nothing_nats, silent_nats;
};

static void judge_free(struct judge *j) {
    for (int who = 0; who < INTROSPECTED_COUNT; who++)
        pass_destroy(j->passes[who]);
    exercise_free(&j->exercise);
    exercise_free(&j->silent);
    exercise_maker_free(&j->maker);
    memory_free(j->itself);
    memory_free(j->losses);
}

static int judge_create(struct judge *j, const struct layer *layer, size_t time,
                        struct error *error) {
    const struct model *model = layer->model;
    size_t width = model->config.latent_width;
    struct weights weights = model_weights(model), layered = layer_weights(layer);
    *j = (struct judge){.layer = layer};
    if (exercise_maker_create(&j->maker, model, time, error) ||
        exercise_create(&j->exercise, &j->maker, error) ||
        exercise_create(&j->silent, &j->maker, error))
        return -1;
    size_t rows = exercise_layer_time(&j->maker);
    for (int who = 0; who < INTROSPECTED_COUNT; who++) {
        int is_layer = who == INTROSPECTED_WORDS || who == INTROSPECTED_SILENT;
        if (pass_create(&j->passes[who], is_layer ? &layered : &weights, 1,
                        is_layer ? rows : j->maker.time, 0, error))
            return -1;
    }
    j->itself = memory_allocate(j->maker.time, sizeof *j->itself, error);
    j->losses = memory_allocate(rows + 4 * width, sizeof(real), error);
    if (j->itself == NULL || j->losses == NULL)
        return -1;
    real *told = j->losses + rows, *mask = told + width, *vector = mask + width;
    memcpy(vector, layer_vector(layer), width * sizeof(real));
    j->nothing = (struct pass_handle){.told = told, .told_mask = mask};
    j->own = (struct pass_handle){.told = vector, .told_mask = mask};
    return telling_nothing(told, mask, model, error);
}

static double sum(const real *losses, size_t count) {
    double total = 0;
    for (size_t i = 0; i < count; i++)
        total += (double)losses[i];
    return total;
}

static double write(struct judge *j, enum introspected who, const struct pass_handle *handle,
                    const int32_t *targets, size_t rows) {
    pass_write(j->passes[who], handle, targets, j->losses);
    return sum(j->losses, rows);
}

/* After the teacher and `who` wrote. */
static double compare(struct judge *j, enum introspected who, const int32_t *teachers,
                      size_t rows) {
    struct pass_lesson lesson = {pass_output(j->passes[INTROSPECTED_DREAM]), teachers};
    pass_compare(j->passes[who], &lesson, j->losses);
    return sum(j->losses, rows);
}

/* What does not depend on what is told; the teacher's reading does not either. */
static int judge_untold(struct judge *j, const uint32_t *body, size_t count, struct error *error) {
    struct exercise *e = &j->silent;
    size_t time = j->maker.time, rows = exercise_layer_time(&j->maker);
    if (exercise_lay(e, &j->maker, NULL, body, count, error))
        return -1;
    for (size_t r = 0; r < time; r++)
        j->itself[r] = e->dream_targets[r] >= 0 ? (int32_t)r : -1;
    pass_read(j->passes[INTROSPECTED_DREAM], e->dream_tokens, &j->nothing);
    pass_read(j->passes[INTROSPECTED_NOTHING], e->dream_tokens, &j->nothing);
    pass_read(j->passes[INTROSPECTED_SILENT], e->layer_tokens, &j->own);
    j->nothing_nats = write(j, INTROSPECTED_NOTHING, &j->nothing, e->dream_targets, time);
    j->silent_nats = write(j, INTROSPECTED_SILENT, &j->own, e->layer_targets, rows);
    return 0;
}

static int judge_telling(struct judge *j, const struct telling *telling, const uint32_t *body,
                         size_t count, struct introspection_means *sums, struct error *error) {
    struct exercise *e = &j->exercise;
    size_t time = j->maker.time, rows = exercise_layer_time(&j->maker);
    if (exercise_lay(e, &j->maker, telling, body, count, error))
        return -1;
    struct pass_handle handle = {.told = e->told, .told_mask = e->mask};
    sums->tokens = e->count;
    sums->nats[INTROSPECTED_NOTHING] = j->nothing_nats;
    sums->nats[INTROSPECTED_SILENT] = j->silent_nats;
    sums->nats[INTROSPECTED_DREAM] = write(j, INTROSPECTED_DREAM, &handle, e->dream_targets, time);
    pass_read(j->passes[INTROSPECTED_WORDS], e->layer_tokens, &j->own);
    sums->nats[INTROSPECTED_WORDS] = write(j, INTROSPECTED_WORDS, &j->own, e->layer_targets, rows);
    sums->divergence[INTROSPECTED_DREAM] = compare(j, INTROSPECTED_DREAM, j->itself, time);
    sums->divergence[INTROSPECTED_NOTHING] = compare(j, INTROSPECTED_NOTHING, j->itself, time);
    sums->divergence[INTROSPECTED_WORDS] = compare(j, INTROSPECTED_WORDS, e->teachers, rows);
    sums->divergence[INTROSPECTED_SILENT] =
        compare(j, INTROSPECTED_SILENT, j->silent.teachers, rows);
    return 0;
}

static int judge_part(struct judge *j, const struct dataset *dataset, struct part *part,
                      struct random *random, struct error *error) {
    const struct dataset_document *document = &dataset->documents[part->document];
    const uint32_t *body = dataset->texts[part->document].tokens + part->start;
    const struct telling_slots *slots = &j->maker.slots;
    if (judge_untold(j, body, part->count, error))
        return -1;
    for (int k = 0; k < TELLING_KINDS; k++) {
        enum telling_kind kind = (enum telling_kind)k;
        struct telling telling;
        if (!telling_is_possible(slots, kind))
            continue;
        int tenths = 6 + (int)random_below(random, 4);
        if (telling_of_document(&telling, slots, kind, document, tenths, random) &&
            judge_telling(j, &telling, body, part->count, &part->own[k], error))
            return -1;
        telling_draw(&telling, slots, kind, random);
        if (judge_telling(j, &telling, body, part->count, &part->other[k], error))
            return -1;
    }
    return 0;
}

static int judge_all(const struct layer *layer, const struct dataset *dataset, struct part *parts,
                     size_t count, const struct introspection_report_options *options,
                     struct error *error) {
    int failed = 0;
#pragma omp parallel num_threads((int)options->threads) reduction(| : failed)
    {
        struct error own;
        struct judge judge;
        failed = judge_create(&judge, layer, options->time, &own) != 0;
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < count; i++) {
            struct random random;
            random_seed(&random, options->seed ^ 0x3e9047, i);
            failed = failed || judge_part(&judge, dataset, &parts[i], &random, &own) != 0;
        }
#pragma omp critical(introspection_report_error)
        if (failed)
            *error = own;
        judge_free(&judge);
    }
    return failed ? -1 : 0;
}

/* A document's pieces; its first token is the one that begins documents. */
static size_t cut(struct part *out, const struct dataset *dataset, size_t document, size_t time,
                  size_t wanted) {
    size_t length = dataset->texts[document].count - 1;
    size_t all = (length + time - 1) / time, count = wanted > 0 && wanted < all ? wanted : all;
    for (size_t i = 0; out != NULL && i < count; i++) {
        size_t start = count == all ? i * time : (length - time) * i / (count - (count > 1));
        size_t left = length - start;
        out[i] = (struct part){
            .document = document, .start = 1 + start, .count = left < time ? left : time};
    }
    return count;
}

static void add(struct introspection_means *mean, const struct introspection_means *part) {
    mean->tokens += part->tokens;
    for (int who = 0; who < INTROSPECTED_COUNT; who++) {
        mean->nats[who] += part->nats[who];
        mean->divergence[who] += part->divergence[who];
    }
}

static void divide(struct introspection_means *mean) {
    for (int who = 0; mean->tokens > 0 && who < INTROSPECTED_COUNT; who++) {
        mean->nats[who] /= (double)mean->tokens;
        mean->divergence[who] /= (double)mean->tokens;
    }
}

static void summarise(struct introspection_report *report, const struct part *parts,
                      size_t documents, size_t count) {
    *report = (struct introspection_report){.documents = documents, .pieces = count};
    for (int k = 0; k < TELLING_KINDS; k++) {
        for (size_t i = 0; i < count; i++) {
            add(&report->own[k], &parts[i].own[k]);
            add(&report->other[k], &parts[i].other[k]);
        }
        divide(&report->own[k]);
        divide(&report->other[k]);
    }
}

int introspection_evaluate(struct introspection_report *report, const struct layer *layer,
                           const struct dataset *dataset,
                           const struct introspection_report_options *options,
                           struct error *error) {
    struct exercise_maker maker;
    size_t count = 0;
    if (exercise_maker_create(&maker, layer->model, options->time, error))
        return -1;
    size_t time = maker.time;
    exercise_maker_free(&maker);
    for (size_t d = 0; d < dataset->count; d++)
        if (dataset->texts[d].count > 1)
            count += cut(NULL, dataset, d, time, options->pieces);
    struct part *parts = memory_allocate(count, sizeof *parts, error);
    if (parts == NULL)
        return -1;
    for (size_t d = 0, at = 0; d < dataset->count; d++)
        if (dataset->texts[d].count > 1)
            at += cut(parts + at, dataset, d, time, options->pieces);
    int result = judge_all(layer, dataset, parts, count, options, error);
    if (result == 0)
        summarise(report, parts, dataset->count, count);
    memory_free(parts);
    return result;
}

double introspection_share_of_nats(const struct introspection_means *m, enum introspected who) {
    double nothing = m->nats[INTROSPECTED_NOTHING];
    return (nothing - m->nats[who]) / (nothing - m->nats[INTROSPECTED_DREAM]);
}

double introspection_share_of_divergence(const struct introspection_means *m,
                                         enum introspected who) {
    return 1 - m->divergence[who] / m->divergence[INTROSPECTED_NOTHING];
}

static const char *const KINDS[TELLING_KINDS] = {"author", "date", "author and date", "mixture"};
static const char *const WHO[INTROSPECTED_COUNT] = {"dream", "words", "silent", "nothing"};

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *means_to_json(const struct introspection_means *m, int is_own) {
    json_t *nats = json_object(), *divergence = json_object();
    for (int who = 0; who < INTROSPECTED_COUNT; who++) {
        json_object_set_new(nats, WHO[who], number(m->nats[who]));
        json_object_set_new(divergence, WHO[who], number(m->divergence[who]));
    }
    json_t *json =
        json_pack("{s:I, s:o, s:o, s:o}", "tokens", (json_int_t)m->tokens, "nats_per_token", nats,
                  "divergence", divergence, "share_of_divergence",
                  number(introspection_share_of_divergence(m, INTROSPECTED_WORDS)));
    if (is_own && json != NULL)
        json_object_set_new(json, "share_of_nats",
                            number(introspection_share_of_nats(m, INTROSPECTED_WORDS)));
    return json;
}

json_t *introspection_report_to_json(const struct introspection_report *r) {
    json_t *own = json_object(), *other = json_object();
    for (int k = 0; k < TELLING_KINDS; k++) {
        json_object_set_new(own, KINDS[k], means_to_json(&r->own[k], 1));
        json_object_set_new(other, KINDS[k], means_to_json(&r->other[k], 0));
    }
    return json_pack("{s:I, s:I, s:o, s:o}", "documents", (json_int_t)r->documents, "pieces",
                     (json_int_t)r->pieces, "own", own, "other", other);
}

/* Another's labels gain nothing for a text, so their share of nats would mean nothing. */
static void print_means(FILE *stream, const char *kind, const struct introspection_means *m,
                        int is_own) {
    const double *nats = m->nats, *divergence = m->divergence;
    char share[16] = "-";
    if (m->tokens == 0)
        return;
    if (is_own)
        snprintf(share, sizeof share, "%.3f", introspection_share_of_nats(m, INTROSPECTED_WORDS));
    fprintf(stream, "  %-16s %6.3f %6.3f %6.3f %6.3f  %6s   %6.4f %6.4f %6.4f  %6.3f\n", kind,
            nats[INTROSPECTED_DREAM], nats[INTROSPECTED_WORDS], nats[INTROSPECTED_SILENT],
            nats[INTROSPECTED_NOTHING], share, divergence[INTROSPECTED_WORDS],
            divergence[INTROSPECTED_SILENT], divergence[INTROSPECTED_NOTHING],
            introspection_share_of_divergence(m, INTROSPECTED_WORDS));
}

void introspection_report_print(FILE *stream, const struct introspection_report *r) {
    fprintf(stream,
            "%zu pieces of %zu documents\n"
            "                    nats per token of the text           KL from the dream told it\n"
            "  told             handle  words silent nothing share    words silent nothing share\n"
            "its own labels\n",
            r->pieces, r->documents);
    for (int k = 0; k < TELLING_KINDS; k++)
        print_means(stream, KINDS[k], &r->own[k], 1);
    fprintf(stream, "drawn ones\n");
    for (int k = 0; k < TELLING_KINDS; k++)
        print_means(stream, KINDS[k], &r->other[k], 0);
}
