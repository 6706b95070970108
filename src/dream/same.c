#include "dream/same.h"

#include <math.h>

#include "base/memory.h"

/* Of which there must be some for a spread. */
enum { LEAST_LABELS = 3 };
static const double LEAST_VARIANCE = 1e-8;

int same_space_create(struct same_space *space, const struct model *model, const char *name,
                      struct error *error) {
    const struct slot *slot = slots_find(&model->slots, name);
    if (slot == NULL || slot->kind != LATENT_CATEGORICAL || slot->point_count < LEAST_LABELS)
        return error_set(error, "the model has no slot \"%.60s\" with at least %d labels", name,
                         LEAST_LABELS);
    size_t width = slot->width, count = slot->point_count;
    real *points = memory_allocate((count + 1) * width, sizeof *points, error);
    if (points == NULL)
        return -1;
    real *sigma = points + count * width;
    slot_points(slot, model_slot_parameters(model), points);
    slot_spread(slot, model_slot_parameters(model), sigma);
    *space = (struct same_space){.slot = slot};
    for (size_t d = 0; d < width; d++) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < count; i++)
            mean += (double)points[i * width + d] / (double)count;
        for (size_t i = 0; i < count; i++)
            square += pow((double)points[i * width + d] - mean, 2);
        space->centre[d] = (real)mean;
        space->variance[d] = fmax(square / (double)(count - 1), LEAST_VARIANCE);
        space->own_variance[d] = (double)sigma[d] * (double)sigma[d];
    }
    memory_free(points);
    return 0;
}

/* The posterior of a reader is the prior N(0, 1) times the text's evidence, which is divided out:
 * what is left is what the text says by itself. */
void same_text_place(struct same_text *text, const struct same_space *space,
                     const struct handle *handle) {
    const struct slot *slot = space->slot;
    double tokens = fmax((double)handle->tokens, 1);
    double weight = exp(slot->calibration[0] + slot->calibration[1] * log(tokens / 256));
    for (size_t d = 0; d < slot->width; d++) {
        double precision = (double)handle->precision[slot->first + d];
        double mean = (double)handle->mean[slot->first + d];
        double evidence = fmax(precision - 1, LEAST_VARIANCE);
        text->place[d] = precision * mean / evidence;
        /* A belief is its log odds times the weight: as if all variances were divided by it. */
        text->variance[d] = (1 / evidence + space->own_variance[d]) / weight;
    }
}

static double log_density(double square, double determinant) {
    return -0.5 * (square + log(determinant));
}

double same_log_odds(const struct same_space *space, const struct same_text *one,
                     const struct same_text *other) {
    double sum = 0;
    for (size_t d = 0; d < space->slot->width; d++) {
        double x = one->place[d] - (double)space->centre[d];
        double y = other->place[d] - (double)space->centre[d];
        double shared = space->variance[d];
        double a = shared + one->variance[d], b = shared + other->variance[d];
        double determinant = a * b - shared * shared;
        double together = (b * x * x - 2 * shared * x * y + a * y * y) / determinant;
        sum += log_density(together, determinant) - log_density(x * x / a + y * y / b, a * b);
    }
    return sum;
}
