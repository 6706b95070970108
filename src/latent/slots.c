#include "latent/slots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "latent/place.h"

enum { CURVE_BUMPS = 16, MAXIMUM_GRID = 512 };

struct slot *slots_append(struct slots *slots, const char *name, size_t width, size_t point_count,
                          struct error *error) {
    if (slots->count == MAXIMUM_SLOTS) {
        error_set(error, "slot %s: a model has at most %d slots", name, MAXIMUM_SLOTS);
        return NULL;
    }
    if (slots_find(slots, name) != NULL) {
        error_set(error, "there are two slots called %.80s", name);
        return NULL;
    }
    struct slot *slot = &slots->slots[slots->count];
    if (strlen(name) >= sizeof slot->name || width < 1 || width > MAXIMUM_SLOT_WIDTH ||
        point_count < 1 || point_count > MAXIMUM_POINTS) {
        error_set(error,
                  "slot %.80s: a name of at most %zu bytes, 1 to %d dimensions and 1 to %d labels "
                  "are possible; asked for %zu dimensions and %zu labels",
                  name, sizeof slot->name - 1, MAXIMUM_SLOT_WIDTH, MAXIMUM_POINTS, width,
                  point_count);
        return NULL;
    }
    *slot = (struct slot){.width = width,
                          .first = slots->latent_width,
                          .point_count = point_count,
                          .parameters = slots->parameter_count};
    strcpy(slot->name, name);
    slot->log_prior = calloc(point_count, sizeof *slot->log_prior);
    slot->labels = calloc(point_count, sizeof *slot->labels);
    if (slot->log_prior == NULL || slot->labels == NULL) {
        free(slot->log_prior);
        free(slot->labels);
        error_set(error, "out of memory for slot %s", name);
        return NULL;
    }
    slots->count++;
    slots->latent_width += width;
    return slot;
}

int slots_add_categorical(struct slots *slots, const char *name, size_t width,
                          const char *const *labels, const double *counts, size_t label_count,
                          struct error *error) {
    struct slot *slot = slots_append(slots, name, width, label_count, error);
    if (slot == NULL)
        return -1;
    slot->kind = LATENT_CATEGORICAL;
    slots->parameter_count += width + label_count * width;
    double total = 0;
    for (size_t i = 0; i < label_count; i++)
        total += counts[i] + 0.5;
    for (size_t i = 0; i < label_count; i++) {
        slot->log_prior[i] = log((counts[i] + 0.5) / total);
        slot->labels[i] = strdup(labels[i]);
        if (slot->labels[i] == NULL)
            return error_set(error, "out of memory for slot %s", name);
    }
    return 0;
}

int slots_add_date(struct slots *slots, const char *name, size_t width, double from, double to,
                   struct error *error) {
    double margin = (to - from) / 20 + 1;
    return slots_add_date_grid(slots, name, width, floor(from - margin), ceil(to + margin), error);
}

int slots_add_date_grid(struct slots *slots, const char *name, size_t width, double first,
                        double last, struct error *error) {
    if (!(first <= last) || fabs(first) > 1e6 || fabs(last) > 1e6)
        return error_set(error, "slot %s: the years %g..%g make no range", name, first, last);
    double step = 1;
    while ((last - first) / step >= MAXIMUM_GRID)
        step *= 2;
    size_t count = (size_t)((last - first) / step) + 1;
    struct slot *slot = slots_append(slots, name, width, count, error);
    if (slot == NULL)
        return -1;
    slot->kind = LATENT_DATE;
    slot->year_from = first;
    slot->year_step = step;
    slot->basis_count = CURVE_BUMPS + 2;
    slots->parameter_count += width + slot->basis_count * width;
    for (size_t i = 0; i < count; i++)
        slot->log_prior[i] = -log((double)count);
    return 0;
}

void slots_free(struct slots *slots) {
    for (size_t s = 0; s < slots->count; s++) {
        struct slot *slot = &slots->slots[s];
        for (size_t i = 0; i < slot->point_count; i++)
            free(slot->labels[i]);
        free(slot->labels);
        free(slot->log_prior);
        free(slot->basis);
        free(slot->grid);
    }
    *slots = (struct slots){0};
}

const char *latent_kind_name(enum latent_kind kind) {
    static const char *const NAMES[] = {"categorical", "date", "place"};
    return NAMES[kind];
}

const struct slot *slots_find(const struct slots *slots, const char *name) {
    for (size_t s = 0; s < slots->count; s++)
        if (strcmp(slots->slots[s].name, name) == 0)
            return &slots->slots[s];
    return NULL;
}

long slot_find_label(const struct slot *slot, const char *label) {
    for (size_t i = 0; slot->kind == LATENT_CATEGORICAL && i < slot->point_count; i++)
        if (strcmp(slot->labels[i], label) == 0)
            return (long)i;
    return -1;
}

long slot_find_name(const struct slot *slot, const char *text) {
    long index = slot_find_label(slot, text), within = -1;
    if (index >= 0 || *text == '\0')
        return index;
    for (size_t i = 0; slot->kind == LATENT_CATEGORICAL && i < slot->point_count; i++)
        if (strcasestr(slot->labels[i], text) != NULL) {
            if (within >= 0)
                return -1;
            within = (long)i;
        }
    return within;
}

size_t slot_likeliest(const struct slot *slot, const double *log_odds) {
    size_t best = 0;
    for (size_t i = 1; i < slot->point_count; i++)
        best = log_odds[i] > log_odds[best] ? i : best;
    return best;
}

/* A constant, a straight line that goes on beyond the grid, and bumps spread over it. */
static void date_basis(const struct slot *slot, double year, double *basis) {
    double range = slot->year_step * (double)(slot->point_count - 1);
    double at = range > 0 ? (year - slot->year_from) / range : 0;
    basis[0] = 1;
    basis[1] = 2 * at - 1;
    for (size_t i = 0; i < CURVE_BUMPS; i++) {
        double distance = (at - ((double)i + 0.5) / CURVE_BUMPS) * CURVE_BUMPS;
        basis[2 + i] = exp(-0.5 * distance * distance);
    }
}

void slots_initialise(const struct slots *slots, real *parameters, uint64_t seed) {
    struct random random;
    random_seed(&random, seed, 0x510f5);
    for (size_t s = 0; s < slots->count; s++) {
        const struct slot *slot = &slots->slots[s];
        real *at = parameters + slot->parameters;
        for (size_t d = 0; d < slot->width; d++)
            *at++ = (real)log(0.2); /* documents of one label spread less than labels do */
        size_t rows = slot->kind == LATENT_CATEGORICAL ? slot->point_count : slot->basis_count;
        /* Labels start close together: what tells them apart is then learned. Started as far apart
         * as the prior is wide, they stay where chance put them, and reading is far worse. */
        double scale = slot->kind == LATENT_DATE ? 0.6 : slot->kind == LATENT_PLACE ? 0.5 : 0.1;
        for (size_t i = 0; i < rows * slot->width; i++)
            *at++ = (real)(scale * random_normal(&random));
    }
}

void slot_combine(const struct slot *slot, const real *parameters, const double *basis,
                  real *point) {
    const real *coefficients = parameters + slot->parameters + slot->width;
    for (size_t d = 0; d < slot->width; d++) {
        double sum = 0;
        for (size_t i = 0; i < slot->basis_count; i++)
            sum += basis[i] * (double)coefficients[i * slot->width + d];
        point[d] = (real)sum;
    }
}

void slot_date_point(const struct slot *slot, const real *parameters, double year, real *point) {
    double basis[CURVE_BUMPS + 2];
    date_basis(slot, year, basis);
    slot_combine(slot, parameters, basis, point);
}

/* The learned function's functions at grid point p: a place's are kept, a date's made in `room`. */
static const double *grid_basis(const struct slot *slot, size_t p, double room[CURVE_BUMPS + 2]) {
    if (slot->kind == LATENT_PLACE)
        return slot->basis + p * slot->basis_count;
    date_basis(slot, slot->year_from + (double)p * slot->year_step, room);
    return room;
}

void slot_points(const struct slot *slot, const real *parameters, real *points) {
    double room[CURVE_BUMPS + 2];
    if (slot->kind == LATENT_CATEGORICAL) {
        memcpy(points, parameters + slot->parameters + slot->width,
               slot->point_count * slot->width * sizeof *points);
        return;
    }
    for (size_t p = 0; p < slot->point_count; p++)
        slot_combine(slot, parameters, grid_basis(slot, p, room), points + p * slot->width);
}

void slot_points_backward(const struct slot *slot, const real *dpoints, real *dparameters) {
    double room[CURVE_BUMPS + 2];
    real *dtable = dparameters + slot->parameters + slot->width;
    if (slot->kind == LATENT_CATEGORICAL) {
        for (size_t i = 0; i < slot->point_count * slot->width; i++)
            dtable[i] += dpoints[i];
        return;
    }
    for (size_t p = 0; p < slot->point_count; p++) {
        const double *basis = grid_basis(slot, p, room);
        for (size_t i = 0; i < slot->basis_count; i++)
            for (size_t d = 0; d < slot->width; d++)
                dtable[i * slot->width + d] += (real)basis[i] * dpoints[p * slot->width + d];
    }
}

void slot_spread(const struct slot *slot, const real *parameters, real *sigma) {
    for (size_t d = 0; d < slot->width; d++)
        sigma[d] = (real)exp((double)parameters[slot->parameters + d]);
}

struct slot_target slot_date_target(const struct slot *slot, double year) {
    double at = (year - slot->year_from) / slot->year_step;
    double last = (double)(slot->point_count - 1);
    at = at < 0 ? 0 : at > last ? last : at;
    size_t below = (size_t)at;
    double part = at - (double)below;
    if (below + 1 >= slot->point_count)
        return (struct slot_target){{below}, {1}};
    return (struct slot_target){{below, below + 1}, {1 - part, part}};
}

void slot_posterior(const struct slot *slot, const real *points, const real *sigma,
                    const real *mean, const real *precision, int use_prior, double *log_odds) {
    double maximum = -INFINITY, sum = 0;
    double weight[MAXIMUM_SLOT_WIDTH];
    for (size_t d = 0; d < slot->width; d++)
        weight[d] = 0.5 / (1 / (double)precision[d] + (double)sigma[d] * (double)sigma[d]);
    for (size_t i = 0; i < slot->point_count; i++) {
        const real *point = points + i * slot->width;
        double logit = use_prior ? slot->log_prior[i] : 0;
        for (size_t d = 0; d < slot->width; d++) {
            double distance = (double)mean[d] - (double)point[d];
            logit -= weight[d] * distance * distance;
        }
        log_odds[i] = logit;
        maximum = logit > maximum ? logit : maximum;
    }
    for (size_t i = 0; i < slot->point_count; i++)
        sum += exp(log_odds[i] - maximum);
    double normaliser = maximum + log(sum);
    for (size_t i = 0; i < slot->point_count; i++)
        log_odds[i] -= normaliser;
}

void slot_belief(const struct slot *slot, const real *points, const real *sigma, const real *mean,
                 const real *precision, double tokens, double *log_odds) {
    slot_posterior(slot, points, sigma, mean, precision, 0, log_odds);
    double factor = exp(slot->calibration[0] + slot->calibration[1] * log(fmax(tokens, 1) / 256));
    double sum = 0;
    for (size_t i = 0; i < slot->point_count; i++)
        sum += exp(log_odds[i] *= factor);
    for (size_t i = 0; i < slot->point_count; i++)
        log_odds[i] -= log(sum);
}
