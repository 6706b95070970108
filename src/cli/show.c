#include "cli/show.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "dream/evaluate.h"

enum { BAR_WIDTH = 24 };

static int compare_odds(const void *a, const void *b, void *context) {
    const double *log_odds = context;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    if (log_odds[i] != log_odds[j])
        return log_odds[i] < log_odds[j] ? 1 : -1;
    return (i > j) - (i < j);
}

void belief_order(size_t *order, const double *log_odds, size_t count) {
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof *order, compare_odds, (void *)(uintptr_t)log_odds);
}

int show_belief(FILE *stream, const struct slot *slot, const double *log_odds, size_t count,
                struct error *error) {
    if (slot->kind == LATENT_DATE) {
        struct date_summary date = date_summarise(slot, log_odds);
        fprintf(stream, "%s\n  %.0f (90 %%: %.0f to %.0f)\n", slot->name, date.median, date.low,
                date.high);
        return 0;
    }
    size_t *order = memory_allocate(slot->point_count, sizeof *order, error);
    if (order == NULL)
        return -1;
    belief_order(order, log_odds, slot->point_count);
    fprintf(stream, "%s\n", slot->name);
    for (size_t i = 0; i < count && i < slot->point_count; i++) {
        double p = exp(log_odds[order[i]]);
        fprintf(stream, "  %5.3f  ", p);
        for (int bar = 0; bar < BAR_WIDTH; bar++)
            fputs((bar + 0.5) / BAR_WIDTH < p ? "█" : "·", stream);
        fprintf(stream, "  %s\n", slot->labels[order[i]]);
    }
    memory_free(order);
    return 0;
}

int show_handle(FILE *stream, const struct handle *handle, size_t count, struct error *error) {
    const struct slots *slots = &handle->model->slots;
    for (size_t s = 0; s < slots->count; s++) {
        const struct slot *slot = &slots->slots[s];
        double *log_odds = memory_allocate(slot->point_count, sizeof *log_odds, error);
        if (log_odds == NULL)
            return -1;
        int result = handle_log_odds(handle, slot, log_odds, error);
        if (result == 0) {
            const char *source = handle->source[s];
            fprintf(stream, "[%s%s%s] ", handle->is_told[s] ? "told" : "inferred",
                    *source != '\0' ? ": " : "", source);
            result = show_belief(stream, slot, log_odds, count, error);
        }
        memory_free(log_odds);
        if (result != 0)
            return -1;
    }
    return 0;
}

void show_neighbours(FILE *stream, const struct slot *slot, const struct imagined *imagined) {
    for (size_t i = 0; i < imagined->neighbour_count; i++)
        fprintf(stream, "%s%s %.2f", i > 0 ? ", " : "", slot->labels[imagined->neighbours[i]],
                imagined->distances[i]);
    fprintf(stream, " (two of them lie %.2f apart)", imagined->typical);
}

void show_loose(FILE *stream, const struct handle *handle) {
    const struct slots *slots = &handle->model->slots;
    for (size_t s = 0; s < slots->count; s++) {
        double variance = 0;
        const struct slot *slot = &slots->slots[s];
        for (size_t d = 0; d < slot->width; d++)
            variance += 1 / (double)handle->precision[slot->first + d] / (double)slot->width;
        if (handle->is_loose[s])
            fprintf(stream,
                    "%s %s: nobody knows, so it is held loosely, with %.0f %% of the variance of "
                    "no date at all, and inferred from there\n",
                    slot->name, handle->source[s], 100 * variance);
    }
}

json_t *belief_to_json(const struct slot *slot, const double *log_odds, size_t count) {
    if (slot->kind == LATENT_DATE) {
        struct date_summary date = date_summarise(slot, log_odds);
        return json_pack("{s:f, s:f, s:f}", "median", date.median, "low", date.low, "high",
                         date.high);
    }
    struct error ignored;
    size_t *order = memory_allocate(slot->point_count, sizeof *order, &ignored);
    if (order == NULL)
        return NULL;
    belief_order(order, log_odds, slot->point_count);
    json_t *labels = json_array();
    for (size_t i = 0; i < count && i < slot->point_count; i++)
        json_array_append_new(labels, json_pack("{s:s, s:f}", "label", slot->labels[order[i]],
                                                "probability", exp(log_odds[order[i]])));
    memory_free(order);
    return labels;
}
