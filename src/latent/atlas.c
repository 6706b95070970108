#include "latent/atlas.h"

#include <math.h>

#include "base/cancellation.h"
#include "base/memory.h"
#include "model/decoder.h"

/* Pearson's correlation over the entries where both are known. */
static double correlation(const double *x, const double *y, size_t count) {
    double n = 0, mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(x[i]) && isfinite(y[i])) {
            n++;
            mx += x[i];
            my += y[i];
        }
    mx /= n > 0 ? n : 1;
    my /= n > 0 ? n : 1;
    for (size_t i = 0; i < count; i++)
        if (isfinite(x[i]) && isfinite(y[i])) {
            xx += (x[i] - mx) * (x[i] - mx);
            yy += (y[i] - my) * (y[i] - my);
            xy += (x[i] - mx) * (y[i] - my);
        }
    return n > 2 && xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

static const real *label_point(const struct atlas *atlas, size_t label) {
    const struct slot *slot = atlas->slot;
    return model_slot_parameters(atlas->model) + slot->parameters + slot->width +
           label * slot->width;
}

static int fit(struct atlas *atlas, const int *is_used, struct error *error) {
    size_t width = atlas->slot->width;
    double *points = memory_allocate(atlas->label_count * width, sizeof *points, error);
    if (points == NULL)
        return -1;
    for (size_t i = 0, row = 0; i < atlas->slot->point_count; i++) {
        const real *point = label_point(atlas, i);
        for (size_t d = 0; is_used[i] && d < width; d++)
            points[row * width + d] = (double)point[d];
        row += is_used[i] != 0;
    }
    int result = pca_fit(&atlas->pca, points, atlas->label_count, width, error);
    memory_free(points);
    return result;
}

static int describe(struct atlas *atlas, size_t index, const int *is_used,
                    const struct atlas_fact *facts, double total, struct error *error) {
    struct atlas_component *component = &atlas->components[index];
    size_t labels = atlas->slot->point_count, width = atlas->slot->width;
    double coordinates[MAXIMUM_SLOT_WIDTH], point[MAXIMUM_SLOT_WIDTH];
    component->coordinates = memory_allocate(labels, sizeof(double), error);
    component->correlations = memory_allocate(atlas->fact_count, sizeof(double), error);
    if (component->coordinates == NULL || component->correlations == NULL)
        return -1;
    for (size_t i = 0; i < labels; i++) {
        for (size_t d = 0; d < width; d++)
            point[d] = (double)label_point(atlas, i)[d];
        pca_project(&atlas->pca, coordinates, point, index + 1);
        component->coordinates[i] = is_used[i] ? coordinates[index] : NAN;
    }
    component->deviation = sqrt(atlas->pca.variances[index]);
    component->share = total > 0 ? atlas->pca.variances[index] / total : 0;
    for (size_t f = 0; f < atlas->fact_count; f++)
        component->correlations[f] = correlation(component->coordinates, facts[f].values, labels);
    return 0;
}

int atlas_create(struct atlas *atlas, const struct model *model, const struct slot *slot,
                 const int *is_used, const struct atlas_fact *facts, size_t fact_count,
                 size_t component_count, struct error *error) {
    *atlas = (struct atlas){.model = model, .slot = slot, .fact_count = fact_count};
    if (slot->kind != LATENT_CATEGORICAL)
        return error_set(error, "slot %s has no labels to lay out: it is a date", slot->name);
    for (size_t i = 0; i < slot->point_count; i++)
        atlas->label_count += is_used[i] != 0;
    if (atlas->label_count < 2)
        return error_set(error, "slot %s has %zu labels with documents; an atlas needs two",
                         slot->name, atlas->label_count);
    size_t directions = atlas->label_count - 1 < slot->width ? atlas->label_count - 1 : slot->width;
    atlas->component_count = component_count < directions ? component_count : directions;
    atlas->components = memory_allocate(atlas->component_count, sizeof *atlas->components, error);
    int result = atlas->components == NULL ? -1 : fit(atlas, is_used, error);
    double total = 0;
    for (size_t d = 0; result == 0 && d < slot->width; d++)
        total += atlas->pca.variances[d];
    for (size_t c = 0; result == 0 && c < atlas->component_count; c++)
        result = describe(atlas, c, is_used, facts, total, error);
    if (result != 0)
        atlas_free(atlas);
    return result;
}

void atlas_free(struct atlas *atlas) {
    for (size_t c = 0; atlas->components != NULL && c < atlas->component_count; c++) {
        memory_free(atlas->components[c].coordinates);
        memory_free(atlas->components[c].correlations);
    }
    memory_free(atlas->components);
    pca_free(&atlas->pca);
    *atlas = (struct atlas){0};
}

/* sums[V] += the next token's probabilities at every position of the context. */
static void add_probabilities(struct decoder *decoder, const struct atlas_context *context,
                              const struct pass_handle *handle, size_t vocabulary, double *sums) {
    decoder_start(decoder, handle);
    for (size_t t = 0; t < context->count; t++) {
        const real *logits = decoder_step(decoder, context->tokens[t]);
        double maximum = -INFINITY, sum = 0;
        for (size_t v = 0; v < vocabulary; v++)
            maximum = fmax(maximum, (double)logits[v]);
        for (size_t v = 0; v < vocabulary; v++)
            sum += exp((double)logits[v] - maximum);
        for (size_t v = 0; v < vocabulary; v++)
            sums[v] += exp((double)logits[v] - maximum) / sum;
    }
}

static void keep_effect(struct atlas_effect *best, const struct atlas_effect *effect) {
    for (size_t i = 0; i < ATLAS_TOKENS; i++)
        if (effect->weight > best[i].weight) {
            for (size_t j = ATLAS_TOKENS - 1; j > i; j--)
                best[j] = best[j - 1];
            best[i] = *effect;
            return;
        }
}

/* Ranked by mean probability times |log ratio|: a change of probability alone would list the
 * commonest tokens, a ratio alone the rarest. */
static void rank_effects(struct atlas_component *component, const double *up, const double *down,
                         size_t vocabulary, double positions) {
    for (size_t v = 0; v < vocabulary; v++) {
        double ratio = (up[v] + 1e-12) / (down[v] + 1e-12);
        struct atlas_effect effect = {.token = (uint32_t)v,
                                      .weight =
                                          0.5 * (up[v] + down[v]) / positions * fabs(log(ratio)),
                                      .ratio = ratio};
        keep_effect(ratio > 1 ? component->up : component->down, &effect);
    }
}

static void measure_component(struct atlas *atlas, size_t index, struct decoder *decoder,
                              const struct atlas_context *contexts, size_t count, real *told,
                              const real *mask, double *sums) {
    size_t vocabulary = atlas->model->config.vocabulary;
    double coordinates[MAXIMUM_SLOT_WIDTH] = {0}, point[MAXIMUM_SLOT_WIDTH], positions = 0;
    struct atlas_component *component = &atlas->components[index];
    struct pass_handle handle = {.told = told, .told_mask = mask};
    for (size_t v = 0; v < 2 * vocabulary; v++)
        sums[v] = 0;
    for (int side = 0; side < 2; side++) {
        coordinates[index] = (side == 0 ? 2 : -2) * component->deviation;
        pca_reconstruct(&atlas->pca, point, coordinates, index + 1);
        for (size_t d = 0; d < atlas->slot->width; d++)
            told[atlas->slot->first + d] = (real)point[d];
        for (size_t c = 0; c < count; c++)
            add_probabilities(decoder, &contexts[c], &handle, vocabulary,
                              sums + (size_t)side * vocabulary);
    }
    for (size_t c = 0; c < count; c++)
        positions += (double)contexts[c].count;
    rank_effects(component, sums, sums + vocabulary, vocabulary, positions);
}

/* A token is a row of the embedding, and the decoder does not look whether it is there. */
static int check_tokens(const struct atlas_context *contexts, size_t count, size_t vocabulary,
                        struct error *error) {
    for (size_t c = 0; c < count; c++)
        for (size_t t = 0; t < contexts[c].count; t++)
            if (contexts[c].tokens[t] >= vocabulary)
                return error_set(error, "token %u is not in the model's vocabulary of %zu",
                                 contexts[c].tokens[t], vocabulary);
    return 0;
}

int atlas_measure_effects(struct atlas *atlas, const struct atlas_context *contexts, size_t count,
                          struct error *error) {
    const struct model *model = atlas->model;
    if (check_tokens(contexts, count, model->config.vocabulary, error))
        return -1;
    struct weights weights = model_weights(model);
    size_t width = model->config.latent_width;
    struct decoder *decoder = NULL;
    real *told = memory_allocate(width, sizeof *told, error);
    real *mask = memory_allocate(width, sizeof *mask, error);
    double *sums = memory_allocate(2 * model->config.vocabulary, sizeof *sums, error);
    int result =
        !told || !mask || !sums || decoder_create(&decoder, &weights, NULL, error) ? -1 : 0;
    for (size_t d = 0; result == 0 && d < atlas->slot->width; d++)
        mask[atlas->slot->first + d] = 1;
    for (size_t c = 0; result == 0 && c < atlas->component_count; c++) {
        measure_component(atlas, c, decoder, contexts, count, told, mask, sums);
        result = cancellation_check(error);
    }
    atlas->has_effects = result == 0 && count > 0;
    decoder_destroy(decoder);
    memory_free(told);
    memory_free(mask);
    memory_free(sums);
    return result;
}
