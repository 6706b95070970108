#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

VECTOR_CLONES static void adamw_range(real *restrict values, real *restrict first,
                                      real *restrict second, const real *restrict gradient,
                                      const uint8_t *restrict decays, size_t count, real scale,
                                      real beta1, real beta2, real step_size, real root_correction,
                                      real epsilon, real decay) {
    for (size_t i = 0; i < count; i++) {
        real g = gradient[i] * scale;
        real m = beta1 * first[i] + (1 - beta1) * g;
        real v = beta2 * second[i] + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        real shrink = decays[i] != 0 ? decay : 0;
#ifdef TRINE_F64
        real root = sqrt(v);
#else
        real root = __builtin_sqrtf(v);
#endif
        values[i] -= step_size * m / (root * root_correction + epsilon) + shrink * values[i];
    }
}

void adamw_update(const struct adamw_state *s, const real *gradient, size_t from, size_t to,
                  double scale, size_t step, const struct adamw *o) {
    double bias1 = 1 - pow(o->beta1, (double)step), bias2 = 1 - pow(o->beta2, (double)step);
    adamw_range(s->values + from, s->first + from, s->second + from, gradient + from,
                s->decays + from, to - from, (real)scale, (real)o->beta1, (real)o->beta2,
                (real)(o->learning_rate / bias1), (real)(1 / sqrt(bias2)), (real)o->epsilon,
                (real)(o->learning_rate * o->decay));
    if (s->operands != s->values)
        operand_store(operand_at(s->operands, from, s->precision), s->values + from, to - from,
                      s->precision);
}

int ngram_optimizer_create(struct ngram_optimizer *o, const struct config *config, size_t parts,
                           struct error *error) {
    *o = (struct ngram_optimizer){.width = config->latent_width, .parts = parts};
    if (config_ngram_count(config) == 0)
        return 0;
    o->rows = config->ngram_orders * config->ngram_rows;
    o->gradient = memory_allocate(o->rows * o->width, sizeof(real), error);
    o->accumulator = memory_allocate(o->rows, sizeof(real), error);
    o->is_touched = memory_allocate(o->rows, 1, error);
    o->touched = memory_allocate(parts, sizeof *o->touched, error);
    if (!o->gradient || !o->accumulator || !o->is_touched || !o->touched) {
        ngram_optimizer_free(o);
        return -1;
    }
    return 0;
}

void ngram_optimizer_free(struct ngram_optimizer *o) {
    memory_free(o->gradient);
    memory_free(o->accumulator);
    memory_free(o->is_touched);
    for (size_t i = 0; o->touched != NULL && i < o->parts; i++)
        free(o->touched[i].rows);
    memory_free(o->touched);
    *o = (struct ngram_optimizer){0};
}

static int add_gradients(struct ngram_optimizer *o, size_t part, const struct ngram_step *step,
                         struct error *error) {
    struct touched_rows *touched = &o->touched[part];
    for (size_t i = 0; i < step->tokens * step->orders; i++) {
        size_t row = step->rows[i];
        if (row == NO_NGRAM || row % o->parts != part)
            continue;
        if (!o->is_touched[row]) {
            if (memory_grow(&touched->rows, &touched->capacity, touched->count + 1,
                            sizeof *touched->rows, error))
                return -1;
            o->is_touched[row] = 1;
            touched->rows[touched->count++] = (uint32_t)row;
        }
        const real *values = step->dinformation + i / step->orders * o->width;
        real *gradient = o->gradient + row * o->width;
        for (size_t d = 0; d < o->width; d++)
            gradient[d] += step->scale * values[d];
    }
    return 0;
}

int ngram_optimizer_update(struct ngram_optimizer *o, size_t part, real *tables,
                           const struct ngram_step *step, struct error *error) {
    struct touched_rows *touched = &o->touched[part];
    if (add_gradients(o, part, step, error))
        return -1;
    for (size_t i = 0; i < touched->count; i++) {
        size_t row = touched->rows[i];
        real *gradient = o->gradient + row * o->width, *values = tables + row * o->width;
        double square = 0;
        for (size_t d = 0; d < o->width; d++)
            square += (double)gradient[d] * (double)gradient[d];
        o->accumulator[row] += (real)(square / (double)o->width);
        real rate = (real)(step->rate / sqrt(step->damping + (double)o->accumulator[row]));
        for (size_t d = 0; d < o->width; d++)
            values[d] -= rate * (gradient[d] + (real)step->decay * values[d]);
        memset(gradient, 0, o->width * sizeof *gradient);
        o->is_touched[row] = 0;
    }
    touched->count = 0;
    return 0;
}
