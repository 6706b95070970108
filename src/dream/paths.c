#include "dream/paths.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dream/evaluate.h"
#include "dream/read.h"
#include "dream/write.h"

static const double FIRST_YEAR = 1800, LAST_YEAR = 2000;
static const struct sampling SAMPLING = {.temperature = 0.9, .top_p = 0.95};

/* What is written for one path. */
struct plan {
    const struct slot *date;   /* the slot walked along, or NULL */
    const struct slot *author; /* told all the way, or walked along when date is NULL */
    size_t from, to;           /* labels of the author slot */
};

struct text {
    char *data;
    size_t length, capacity;
    struct error *error;
    int failed;
};

static int keep(void *context, const char *data, size_t length) {
    struct text *text = context;
    text->failed = memory_grow(&text->data, &text->capacity, text->length + length, 1, text->error);
    if (text->failed)
        return 1;
    memcpy(text->data + text->length, data, length);
    text->length += length;
    return 0;
}

static void rank(double *ranks, const double *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        double below = 0, same = 0;
        for (size_t j = 0; j < n; j++) {
            below += x[j] < x[i];
            same += x[j] == x[i];
        }
        ranks[i] = below + (same + 1) / 2;
    }
}

double rank_correlation(const double *x, const double *y, size_t n) {
    double rx[n > 0 ? n : 1], ry[n > 0 ? n : 1], middle = ((double)n + 1) / 2;
    double xx = 0, yy = 0, xy = 0;
    rank(rx, x, n);
    rank(ry, y, n);
    for (size_t i = 0; i < n; i++) {
        xx += (rx[i] - middle) * (rx[i] - middle);
        yy += (ry[i] - middle) * (ry[i] - middle);
        xy += (rx[i] - middle) * (ry[i] - middle);
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

static int tell(struct handle *handle, const struct plan *plan, double told, struct error *error) {
    const struct slot *author = plan->author;
    if (plan->date != NULL) {
        if (handle_tell_year(handle, plan->date->name, told, error))
            return -1;
        return author == NULL
                   ? 0
                   : handle_tell(handle, author->name, author->labels[plan->from], error);
    }
    const struct model *model = handle->model;
    const real *table = model_slot_parameters(model) + author->parameters + author->width;
    double vector[MAXIMUM_SLOT_WIDTH];
    for (size_t d = 0; d < author->width; d++)
        vector[d] = (1 - told) * (double)table[plan->from * author->width + d] +
                    told * (double)table[plan->to * author->width + d];
    return handle_tell_vector(handle, author->name, vector, author->width, error);
}

/* What the reader makes of the text, as one number. */
static int measure(double *value, const struct model *model, const struct plan *plan,
                   const struct text *text, struct error *error) {
    struct handle read;
    const struct slot *slot = plan->date != NULL ? plan->date : plan->author;
    double *log_odds = memory_allocate(slot->point_count, sizeof *log_odds, error);
    if (log_odds == NULL)
        return -1;
    int result = handle_create(&read, model, error);
    if (result == 0) {
        result = read_text(&read, NULL, model, text->data == NULL ? "" : text->data, text->length,
                           NULL, NULL, error) ||
                 handle_log_odds(&read, slot, log_odds, error);
        if (result == 0)
            *value = plan->date != NULL ? date_summarise(slot, log_odds).median
                                        : log_odds[plan->to] - log_odds[plan->from];
        handle_free(&read);
    }
    memory_free(log_odds);
    return result ? -1 : 0;
}

static int walk_point(struct path *path, size_t point, struct writer *writer,
                      const struct model *model, const struct plan *plan, uint64_t seed,
                      struct error *error) {
    struct handle handle;
    struct text text = {.error = error};
    if (handle_create(&handle, model, error))
        return -1;
    double share = (double)point / (PATH_POINTS - 1), sum = 0;
    path->told[point] = plan->date != NULL ? FIRST_YEAR + share * (LAST_YEAR - FIRST_YEAR) : share;
    int result = tell(&handle, plan, path->told[point], error);
    for (size_t i = 0; i < PATH_TEXTS && result == 0; i++) {
        struct write_options options = {
            .tokens = PATH_TOKENS, .seed = seed + i, .sampling = SAMPLING};
        double value = 0;
        text.length = 0;
        result = writer_write(writer, &handle, &options, keep, &text, error) || text.failed ||
                 measure(&value, model, plan, &text, error);
        sum += value / PATH_TEXTS;
    }
    path->read[point] = sum;
    free(text.data);
    handle_free(&handle);
    return result ? -1 : 0;
}

/* All paths' points, shared out to threads; every text depends on its own seed alone. */
static int walk(struct path_report *report, const struct plan *plans, const struct model *model,
                size_t threads, struct error *error) {
    int failed = 0;
#pragma omp parallel num_threads((int)threads) reduction(| : failed)
    {
        struct writer *writer = NULL;
        struct error mine;
        failed = writer_create(&writer, model, &mine) != 0;
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < report->count * PATH_POINTS; i++)
            if (!failed)
                failed = walk_point(&report->paths[i / PATH_POINTS], i % PATH_POINTS, writer, model,
                                    &plans[i / PATH_POINTS], 1000 * (uint64_t)i, &mine) != 0;
        writer_destroy(writer);
#pragma omp critical
        if (failed)
            *error = mine;
    }
    return failed ? -1 : 0;
}

/* Labels spread evenly over the table; pairs are half a table apart. */
static size_t plan_paths(struct plan *plans, const struct model *model) {
    const struct slot *author = slots_find(&model->slots, "author"), *date = NULL;
    size_t count = 0;
    for (size_t s = 0; s < model->slots.count && date == NULL; s++)
        if (model->slots.slots[s].kind == LATENT_DATE)
            date = &model->slots.slots[s];
    size_t authors = author != NULL ? author->point_count : 0;
    size_t each = authors < 6 ? authors : 6;
    for (size_t i = 0; date != NULL && i < each; i++)
        plans[count++] = (struct plan){.date = date, .author = author, .from = i * authors / each};
    for (size_t i = 0; authors > 1 && i < each; i++) {
        size_t from = i * authors / each;
        plans[count++] =
            (struct plan){.author = author, .from = from, .to = (from + authors / 2) % authors};
    }
    return count;
}

static void name_path(struct path *path, const struct plan *plan) {
    if (plan->date != NULL)
        snprintf(path->name, sizeof path->name, "%s of %.100s", plan->date->name,
                 plan->author->labels[plan->from]);
    else
        snprintf(path->name, sizeof path->name, "%.90s to %.90s", plan->author->labels[plan->from],
                 plan->author->labels[plan->to]);
}

int path_report_create(struct path_report *report, const struct model *model, size_t threads,
                       struct error *error) {
    struct plan plans[MAXIMUM_PATHS];
    double sums[2] = {0, 0}, counts[2] = {0, 0};
    *report = (struct path_report){.count = plan_paths(plans, model)};
    report->paths = memory_allocate(report->count, sizeof *report->paths, error);
    if (report->paths == NULL || walk(report, plans, model, threads, error)) {
        path_report_free(report);
        return -1;
    }
    for (size_t i = 0; i < report->count; i++) {
        struct path *path = &report->paths[i];
        int kind = plans[i].date == NULL;
        name_path(path, &plans[i]);
        path->rank_correlation = rank_correlation(path->told, path->read, PATH_POINTS);
        if (isfinite(path->rank_correlation)) {
            sums[kind] += path->rank_correlation;
            counts[kind] += 1;
        }
    }
    report->date_correlation = sums[0] / counts[0];
    report->author_correlation = sums[1] / counts[1];
    return 0;
}

void path_report_free(struct path_report *report) {
    memory_free(report->paths);
    *report = (struct path_report){0};
}

static json_t *number(double x) {
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *path_report_to_json(const struct path_report *report) {
    json_t *paths = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct path *path = &report->paths[i];
        json_t *told = json_array(), *read = json_array();
        for (size_t p = 0; p < PATH_POINTS; p++) {
            json_array_append_new(told, json_real(path->told[p]));
            json_array_append_new(read, number(path->read[p]));
        }
        json_array_append_new(paths, json_pack("{s:s, s:o, s:o, s:o}", "path", path->name, "told",
                                               told, "read", read, "rank_correlation",
                                               number(path->rank_correlation)));
    }
    return json_pack("{s:o, s:o, s:o}", "date_rank_correlation", number(report->date_correlation),
                     "author_rank_correlation", number(report->author_correlation), "paths", paths);
}

void path_report_print(FILE *stream, const struct path_report *report) {
    fprintf(stream,
            "written along paths and read back: rank correlation of dates %.2f, between authors "
            "%.2f\n",
            report->date_correlation, report->author_correlation);
    for (size_t i = 0; i < report->count; i++)
        fprintf(stream, "  %5.2f  %s\n", report->paths[i].rank_correlation, report->paths[i].name);
}
