#include "serve/beliefs.h"

#include <math.h>

#include "base/memory.h"
#include "dream/evaluate.h"
#include "dream/place_belief.h"
#include "dream/read.h"

enum { MOST_PLACES = 16 };

static double tenth(double number) {
    return round(10 * number) / 10;
}

/* The likeliest first; `top` is small. */
static json_t *likeliest(const struct slot *slot, const double *log_odds, size_t top) {
    json_t *list = json_array();
    double last = INFINITY;
    size_t last_label = 0;
    for (size_t k = 0; k < top && k < slot->point_count; k++) {
        size_t best = slot->point_count;
        for (size_t i = 0; i < slot->point_count; i++) {
            int is_after = log_odds[i] < last || (log_odds[i] == last && i > last_label && k > 0);
            if (is_after && (best == slot->point_count || log_odds[i] > log_odds[best]))
                best = i;
        }
        if (best == slot->point_count)
            break;
        last = log_odds[best];
        last_label = best;
        json_array_append_new(list, json_pack("{s:s, s:f}", "label", slot->labels[best],
                                              "probability", exp(log_odds[best])));
    }
    return list;
}

static json_t *places(const struct slot *slot, const double *log_odds, size_t top) {
    struct place_guess guesses[MOST_PLACES];
    struct place_summary summary = place_summarise(slot, log_odds);
    size_t count = place_guesses(guesses, top < MOST_PLACES ? top : MOST_PLACES, slot, log_odds);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("{s:f, s:f, s:f, s:f}", "latitude", tenth(guesses[i].place.latitude),
                            "longitude", tenth(guesses[i].place.longitude), "kilometres",
                            round(guesses[i].kilometres), "probability", guesses[i].probability));
    return json_pack("{s:f, s:f, s:f, s:f, s:o}", "latitude", tenth(summary.middle.latitude),
                     "longitude", tenth(summary.middle.longitude), "kilometres_50",
                     round(summary.radius_50), "kilometres_90", round(summary.radius_90), "places",
                     list);
}

json_t *slot_belief_to_json(const struct resident_model *model, size_t s, const real *mean,
                            const real *precision, size_t tokens, size_t top, double *entropy) {
    struct error error;
    const struct slot *slot = &model->model->slots.slots[s];
    double *log_odds = memory_allocate(slot->point_count, sizeof *log_odds, &error);
    if (log_odds == NULL)
        return NULL;
    read_belief(model->model, s, mean, precision, tokens, model->states, log_odds);
    double sum = 0;
    for (size_t i = 0; i < slot->point_count; i++)
        sum -= exp(log_odds[i]) * log_odds[i];
    if (entropy != NULL)
        *entropy = sum;
    json_t *json;
    if (slot->kind == LATENT_DATE) {
        struct date_summary date = date_summarise(slot, log_odds);
        json = json_pack("{s:f, s:f, s:f}", "median", tenth(date.median), "low", tenth(date.low),
                         "high", tenth(date.high));
    } else if (slot->kind == LATENT_PLACE) {
        json = places(slot, log_odds, top);
    } else {
        json = likeliest(slot, log_odds, top);
    }
    memory_free(log_odds);
    return json;
}
