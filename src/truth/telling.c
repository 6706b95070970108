#include "truth/telling.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

int telling_slots_find(struct telling_slots *slots, const struct model *model,
                       struct error *error) {
    *slots = (struct telling_slots){.model = model};
    for (size_t s = model->slots.count; s-- > 0;) {
        const struct slot *slot = &model->slots.slots[s];
        if (slot->kind == LATENT_DATE)
            slots->date = slot;
        else if (slot->kind == LATENT_CATEGORICAL)
            slots->author = slot;
    }
    return slots->author != NULL || slots->date != NULL
               ? 0
               : error_set(error, "\"%s\" has no authors and no dates to write as", model->name);
}

int telling_is_possible(const struct telling_slots *slots, enum telling_kind kind) {
    switch (kind) {
    case TELLING_AUTHOR:
        return slots->author != NULL;
    case TELLING_DATE:
        return slots->date != NULL;
    case TELLING_AUTHOR_DATE:
        return slots->author != NULL && slots->date != NULL;
    default:
        return slots->author != NULL && slots->author->point_count > 1;
    }
}

void telling_words_of(char out[TELLING_BYTES], const char *wish) {
    char *end;
    strtod(wish, &end);
    int is_year = end != wish && *end == '\0';
    snprintf(out, TELLING_BYTES, "Write %s %.480s.\n", is_year ? "in" : "as", wish);
}

void telling_words(char out[TELLING_BYTES], const struct telling_slots *slots,
                   const struct telling *t) {
    char wish[TELLING_BYTES - 32] = "";
    for (size_t i = 0; i < t->author_count; i++) {
        size_t used = strlen(wish);
        const char *label = slots->author->labels[t->authors[i]];
        if (t->author_count > 1)
            snprintf(wish + used, sizeof wish - used, "%s%d%% %.120s", i > 0 ? ", " : "",
                     10 * t->tenths[i], label);
        else
            snprintf(wish, sizeof wish, "%.120s", label);
    }
    size_t used = strlen(wish);
    if (t->has_year)
        snprintf(wish + used, sizeof wish - used, "%s%.0f", used > 0 ? ", " : "", t->year);
    telling_words_of(out, wish);
}

void telling_handle(real *told, real *mask, const struct telling_slots *slots,
                    const struct telling *t) {
    const real *parameters = model_slot_parameters(slots->model);
    size_t width = slots->model->config.latent_width;
    memset(told, 0, width * sizeof *told);
    memset(mask, 0, width * sizeof *mask);
    for (size_t i = 0; i < t->author_count; i++) {
        const struct slot *slot = slots->author;
        const real *point =
            parameters + slot->parameters + slot->width + t->authors[i] * slot->width;
        for (size_t d = 0; d < slot->width; d++) {
            told[slot->first + d] += (real)t->tenths[i] / 10 * point[d];
            mask[slot->first + d] = 1;
        }
    }
    if (t->has_year) {
        slot_date_point(slots->date, parameters, t->year, told + slots->date->first);
        for (size_t d = 0; d < slots->date->width; d++)
            mask[slots->date->first + d] = 1;
    }
}

int telling_nothing(real *told, real *mask, const struct model *model, struct error *error) {
    struct slot_state *states;
    if (model_slot_states(model, &states, error))
        return -1;
    for (size_t s = 0; s < model->slots.count; s++) {
        const struct slot *slot = &model->slots.slots[s];
        for (size_t d = 0; d < slot->width; d++) {
            double sum = 0;
            for (size_t p = 0; p < slot->point_count; p++)
                sum += (double)states[s].points[p * slot->width + d];
            told[slot->first + d] = (real)(sum / (double)slot->point_count);
            mask[slot->first + d] = 1;
        }
    }
    slot_states_destroy(states, model->slots.count);
    return 0;
}

/* Other authors than those who are there already. */
static void add_authors(struct telling *t, size_t wanted, const struct slot *author,
                        struct random *random) {
    while (t->author_count < wanted && t->author_count < author->point_count) {
        size_t drawn = random_below(random, author->point_count);
        int is_new = 1;
        for (size_t i = 0; i < t->author_count; i++)
            is_new = is_new && t->authors[i] != drawn;
        if (is_new)
            t->authors[t->author_count++] = drawn;
    }
}

/* Shares of at least a tenth. */
static void share_out(struct telling *t, struct random *random) {
    int left = 10;
    for (size_t i = 0; i + 1 < t->author_count; i++) {
        int others = (int)(t->author_count - i - 1);
        t->tenths[i] = 1 + (int)random_below(random, (uint64_t)(left - others));
        left -= t->tenths[i];
    }
    t->tenths[t->author_count - 1] = left;
}

void telling_draw(struct telling *t, const struct telling_slots *slots, enum telling_kind kind,
                  struct random *random) {
    *t = (struct telling){0};
    if (kind != TELLING_DATE) {
        size_t some = kind != TELLING_MIXTURE ? 1 : 2 + random_below(random, TELLING_AUTHORS - 1);
        add_authors(t, some, slots->author, random);
        share_out(t, random);
    }
    if (kind == TELLING_DATE || kind == TELLING_AUTHOR_DATE) {
        const struct slot *date = slots->date;
        double span = date->year_step * (double)(date->point_count - 1);
        t->has_year = 1;
        t->year = rint(date->year_from + span * random_uniform(random));
    }
}

int telling_of_document(struct telling *t, const struct telling_slots *slots,
                        enum telling_kind kind, const struct dataset_document *document,
                        int own_tenths, struct random *random) {
    const struct slot *all = slots->model->slots.slots;
    *t = (struct telling){0};
    if (kind != TELLING_DATE) {
        size_t s = (size_t)(slots->author - all);
        if (!document->is_given[s])
            return 0;
        t->authors[t->author_count++] = document->target[s].index[0];
        t->tenths[0] = 10;
    }
    if (kind == TELLING_MIXTURE) {
        add_authors(t, 2, slots->author, random);
        t->tenths[0] = own_tenths;
        t->tenths[1] = 10 - own_tenths;
    }
    if (kind == TELLING_DATE || kind == TELLING_AUTHOR_DATE) {
        size_t s = (size_t)(slots->date - all);
        t->has_year = document->is_given[s];
        t->year = rint(document->year[s]);
        return t->has_year;
    }
    return 1;
}
