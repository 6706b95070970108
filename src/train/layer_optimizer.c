#include "train/layer_optimizer.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

int layer_optimizer_create(struct layer_optimizer *o, struct layer *layer, struct error *error) {
    *o = (struct layer_optimizer){.layer = layer};
    o->moments = memory_allocate(2 * layer->count, sizeof *o->moments, error);
    o->decays = memory_allocate(layer->count, 1, error);
    if (o->moments == NULL || o->decays == NULL) {
        layer_optimizer_free(o);
        return -1;
    }
    memset(o->decays, 1, layer->overlay.layout.count);
    return 0;
}

void layer_optimizer_free(struct layer_optimizer *o) {
    memory_free(o->moments);
    memory_free(o->decays);
    o->moments = NULL;
    o->decays = NULL;
}

double layer_rate(double rate, size_t step, size_t steps) {
    double warmup = fmin(20, 0.1 * (double)steps) + 1;
    if ((double)step < warmup)
        return rate * ((double)step + 1) / warmup;
    double done = ((double)step - warmup) / fmax(1, (double)steps - warmup);
    return rate * (0.05 + 0.95 * 0.5 * (1 + cos(3.14159265358979 * done)));
}

static double norm_of(const real *gradient, size_t count) {
    double square = 0;
    for (size_t i = 0; i < count; i++)
        square += (double)gradient[i] * (double)gradient[i];
    return sqrt(square);
}

int layer_optimizer_step(struct layer_optimizer *o, real *const *gradients, size_t threads,
                         const struct layer_step *step, struct error *error) {
    size_t count = o->layer->count;
    for (size_t k = 1; k < threads; k++)
        for (size_t i = 0; i < count; i++)
            gradients[0][i] += gradients[k][i];
    double norm = norm_of(gradients[0], count);
    if (!isfinite(norm))
        return error_set(error, "the gradient of step %zu is not finite: lower the learning rate",
                         step->step + 1);
    struct adamw_state state = {.values = o->layer->values,
                                .operands = o->layer->operands,
                                .precision = o->layer->model->precision,
                                .first = o->moments,
                                .second = o->moments + count,
                                .decays = o->decays};
    struct adamw adamw = {.learning_rate = step->rate,
                          .beta1 = 0.9,
                          .beta2 = 0.99,
                          .epsilon = 1e-8,
                          .decay = step->decay};
    adamw_update(&state, gradients[0], 0, count, norm > step->clip ? step->clip / norm : 1,
                 step->step + 1, &adamw);
    return 0;
}
