#include "cli/show.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "dream/evaluate.h"
#include "dream/place_belief.h"

enum { BAR_WIDTH = 24, MOST_PLACES = 64 };

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

static void show_bar(FILE *stream, double share) {
    fprintf(stream, "  %5.3f  ", share);
    for (int bar = 0; bar < BAR_WIDTH; bar++)
        fputs((bar + 0.5) / BAR_WIDTH < share ? "█" : "·", stream);
    fputs("  ", stream);
}

/* "41.9° N 87.6° W"; with a gazetteer before it "near Chicago, US-IL, ". */
static void show_place(FILE *stream, struct location place, double kilometres,
                       const struct gazetteer *gazetteer) {
    const struct gazetteer_entry *near =
        gazetteer == NULL ? NULL : gazetteer_near(gazetteer, place, kilometres);
    if (near != NULL)
        fprintf(stream, "near %s, %s, ", near->name, near->country);
    fprintf(stream, "%.1f° %c %.1f° %c", fabs(place.latitude), place.latitude < 0 ? 'S' : 'N',
            fabs(place.longitude), place.longitude < 0 ? 'W' : 'E');
}

static void show_places(FILE *stream, const struct slot *slot, const double *log_odds, size_t count,
                        const struct gazetteer *gazetteer) {
    struct place_guess guesses[MOST_PLACES];
    struct place_summary summary = place_summarise(slot, log_odds);
    fprintf(stream, "%s\n  ", slot->name);
    show_place(stream, summary.middle, slot_grid_spacing(slot) / 2, gazetteer);
    fprintf(stream, " (50 %%: within %.0f km, 90 %%: within %.0f km)\n", summary.radius_50,
            summary.radius_90);
    count = place_guesses(guesses, count < MOST_PLACES ? count : MOST_PLACES, slot, log_odds);
    for (size_t i = 0; i < count; i++) {
        show_bar(stream, guesses[i].probability);
        show_place(stream, guesses[i].place, guesses[i].kilometres / 2, gazetteer);
        fprintf(stream, " (within %.0f km)\n", guesses[i].kilometres);
    }
}

int show_belief(FILE *stream, const struct slot *slot, const double *log_odds, size_t count,
                const struct gazetteer *gazetteer, struct error *error) {
    if (slot->kind == LATENT_PLACE) {
        show_places(stream, slot, log_odds, count, gazetteer);
        return 0;
    }
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
        show_bar(stream, exp(log_odds[order[i]]));
        fprintf(stream, "%s\n", slot->labels[order[i]]);
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
            result = show_belief(stream, slot, log_odds, count, handle->model->gazetteer, error);
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

static json_t *places_to_json(const struct slot *slot, const double *log_odds, size_t count,
                              const struct gazetteer *gazetteer) {
    struct place_guess guesses[MOST_PLACES];
    struct place_summary summary = place_summarise(slot, log_odds);
    json_t *places = json_array();
    count = place_guesses(guesses, count < MOST_PLACES ? count : MOST_PLACES, slot, log_odds);
    for (size_t i = 0; i < count; i++) {
        const struct place_guess *guess = &guesses[i];
        json_t *place = json_pack("{s:f, s:f, s:f, s:f}", "latitude", guess->place.latitude,
                                  "longitude", guess->place.longitude, "kilometres",
                                  guess->kilometres, "probability", guess->probability);
        const struct gazetteer_entry *near =
            gazetteer == NULL ? NULL
                              : gazetteer_near(gazetteer, guess->place, guess->kilometres / 2);
        if (near != NULL)
            json_object_set_new(place, "name", json_sprintf("%s, %s", near->name, near->country));
        json_array_append_new(places, place);
    }
    return json_pack("{s:f, s:f, s:f, s:f, s:o}", "latitude", summary.middle.latitude, "longitude",
                     summary.middle.longitude, "kilometres_50", summary.radius_50, "kilometres_90",
                     summary.radius_90, "places", places);
}

json_t *belief_to_json(const struct slot *slot, const double *log_odds, size_t count,
                       const struct gazetteer *gazetteer) {
    if (slot->kind == LATENT_PLACE)
        return places_to_json(slot, log_odds, count, gazetteer);
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
