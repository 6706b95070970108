#include "latent/imagine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "latent/conditions.h"

static const uint64_t STREAM = 0x1a61e;

void imagine_conditions(const struct handle *handle, int *is_used) {
    const struct slots *slots = &handle->model->slots;
    size_t own = conditions_slot(slots);
    for (size_t s = 0; s < MAXIMUM_SLOTS; s++)
        is_used[s] = 0;
    for (size_t s = 0; s < slots->count; s++) {
        const struct slot *slot = &slots->slots[s];
        is_used[s] = s != own && handle->is_told[s];
        for (size_t d = slot->first; s != own && d < slot->first + slot->width; d++)
            is_used[s] |= handle->precision[d] != 1 || handle->mean[d] != 0;
    }
}

static const float *documents_of(const struct model *model, size_t label) {
    return model->conditions->documents + label * model->slots.count;
}

static int is_known(const struct imagined_prior *p, size_t label) {
    const float *documents = documents_of(p->model, label);
    int is = documents[p->model->conditions->slot] > 0;
    for (size_t i = 0; i < p->input_count; i++)
        is &= documents[p->inputs[i]] > 0;
    return is;
}

static int compare_documents(const void *a, const void *b, void *context) {
    const struct model *model = context;
    size_t x = *(const size_t *)a, y = *(const size_t *)b, own = model->conditions->slot;
    float p = documents_of(model, x)[own], q = documents_of(model, y)[own];
    return p != q ? (p < q) - (p > q) : (x > y) - (x < y);
}

/* Fills `labels`. Returns how many, at most PRIOR_MOST. */
static size_t choose_authors(struct imagined_prior *p, long without) {
    size_t count = 0;
    for (size_t label = 0; label < p->slot->point_count; label++)
        if (is_known(p, label) && (long)label != without)
            p->labels[count++] = label;
    if (count <= PRIOR_MOST)
        return count;
    qsort_r(p->labels, count, sizeof *p->labels, compare_documents, (void *)p->model);
    return PRIOR_MOST;
}

static void copy_point(const struct imagined_prior *p, size_t label, double *out) {
    const real *table = model_slot_parameters(p->model) + p->slot->parameters + p->slot->width;
    for (size_t d = 0; d < p->slot->width; d++)
        out[d] = (double)table[label * p->slot->width + d];
}

static void copy_condition(const struct imagined_prior *p, size_t label, size_t s, double *out) {
    const struct slot *slot = &p->model->slots.slots[s];
    const float *means = p->model->conditions->means + label * p->model->config.latent_width;
    for (size_t d = 0; d < slot->width; d++)
        out[d] = (double)means[slot->first + d];
}

static int too_few(const struct imagined_prior *p, size_t count, struct error *error) {
    char names[256] = "";
    for (size_t i = 0; i < p->input_count; i++) {
        size_t length = strlen(names);
        snprintf(names + length, sizeof names - length, "%s%.40s", i > 0 ? ", " : " with ",
                 p->model->slots.slots[p->inputs[i]].name);
    }
    return error_set(error,
                     "%zu labels of slot %s have documents%s: at least %d are needed to learn what "
                     "to expect of one more",
                     count, p->slot->name, names, PRIOR_LEAST);
}

static int fit(struct imagined_prior *p, size_t count, const struct prior_settings *start,
               struct error *error) {
    struct prior_data data = {
        .count = count, .width = p->slot->width, .input_count = p->input_count};
    double *targets = memory_allocate(count * data.width, sizeof *targets, error);
    double *inputs[PRIOR_INPUTS] = {0};
    int result = targets == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < count; i++)
        copy_point(p, p->labels[i], targets + i * data.width);
    for (size_t k = 0; result == 0 && k < p->input_count; k++) {
        size_t width = p->model->slots.slots[p->inputs[k]].width;
        inputs[k] = memory_allocate(count * width, sizeof(double), error);
        for (size_t i = 0; inputs[k] != NULL && i < count; i++)
            copy_condition(p, p->labels[i], p->inputs[k], inputs[k] + i * width);
        result = inputs[k] == NULL ? -1 : 0;
        data.input_widths[k] = width;
        data.inputs[k] = inputs[k];
    }
    data.targets = targets;
    if (result == 0)
        result = prior_fit(&p->prior, &data, start, error);
    for (size_t k = 0; k < p->input_count; k++)
        memory_free(inputs[k]);
    memory_free(targets);
    return result;
}

int imagine_fit(struct imagined_prior *out, const struct model *model, const int *is_used,
                long without, const struct prior_settings *start, struct error *error) {
    *out = (struct imagined_prior){.model = model};
    if (conditions_slot(&model->slots) == MAXIMUM_SLOTS)
        return error_set(error, "the model has no slot with labels: it knows no authors to learn "
                                "from what others are like");
    if (model->conditions == NULL)
        return error_set(error, "the model's file does not say when its authors wrote, as it was "
                                "trained before that was kept: `trine imagine --model MODEL "
                                "--corpus CORPUS --keep` adds it");
    out->slot = &model->slots.slots[model->conditions->slot];
    for (size_t s = 0; is_used != NULL && s < model->slots.count; s++)
        if (is_used[s] && s != model->conditions->slot)
            out->inputs[out->input_count++] = s;
    out->labels = memory_allocate(out->slot->point_count, sizeof *out->labels, error);
    size_t count = out->labels == NULL ? 0 : choose_authors(out, without);
    int result = out->labels == NULL   ? -1
                 : count < PRIOR_LEAST ? too_few(out, count, error)
                                       : fit(out, count, start, error);
    if (result != 0)
        imagine_free(out);
    return result;
}

void imagine_free(struct imagined_prior *prior) {
    memory_free(prior->labels);
    prior_free(&prior->prior);
    *prior = (struct imagined_prior){0};
}

/* A query by a Gaussian over all slots [Z] each. */
static int predict(struct prior_gaussian *out, const struct imagined_prior *p, const double *means,
                   const double *variances, struct error *error) {
    struct prior_query query = {0};
    for (size_t i = 0; i < p->input_count; i++) {
        size_t first = p->model->slots.slots[p->inputs[i]].first;
        query.means[i] = means + first;
        query.variances[i] = variances + first;
    }
    return prior_predict(out, &p->prior, &query, error);
}

int imagine_predict(struct prior_gaussian *out, const struct imagined_prior *prior,
                    const struct handle *handle, struct error *error) {
    size_t width = prior->model->config.latent_width;
    double *means = memory_allocate(2 * width, sizeof *means, error), *variances = means + width;
    if (means == NULL)
        return -1;
    for (size_t s = 0; s < prior->model->slots.count; s++) {
        const struct slot *slot = &prior->model->slots.slots[s];
        for (size_t d = slot->first; d < slot->first + slot->width; d++) {
            means[d] = (double)handle->mean[d];
            variances[d] = handle->is_told[s] ? 0 : 1 / (double)handle->precision[d];
        }
    }
    int result = predict(out, prior, means, variances, error);
    memory_free(means);
    return result;
}

int imagine_predict_of(struct prior_gaussian *out, const struct imagined_prior *prior, size_t label,
                       struct error *error) {
    size_t width = prior->model->config.latent_width;
    double *means = memory_allocate(2 * width, sizeof *means, error);
    if (means == NULL)
        return -1;
    for (size_t i = 0; i < prior->input_count; i++)
        copy_condition(prior, label, prior->inputs[i],
                       means + prior->model->slots.slots[prior->inputs[i]].first);
    int result = predict(out, prior, means, means + width, error);
    memory_free(means);
    return result;
}

static double distance(const double *a, const double *b, size_t width) {
    double sum = 0;
    for (size_t d = 0; d < width; d++)
        sum += (a[d] - b[d]) * (a[d] - b[d]);
    return sqrt(sum);
}

static void keep_neighbour(struct imagined *out, size_t label, double far) {
    size_t at = out->neighbour_count;
    if (at == IMAGINED_NEIGHBOURS && far >= out->distances[at - 1])
        return;
    if (at < IMAGINED_NEIGHBOURS)
        out->neighbour_count++;
    else
        at--;
    for (; at > 0 && out->distances[at - 1] > far; at--) {
        out->distances[at] = out->distances[at - 1];
        out->neighbours[at] = out->neighbours[at - 1];
    }
    out->distances[at] = far;
    out->neighbours[at] = label;
}

/* Twice the variance of the authors around their mean. */
static double typical_distance(const struct imagined_prior *p) {
    double point[MAXIMUM_SLOT_WIDTH], squares = 0, sums[MAXIMUM_SLOT_WIDTH] = {0}, of_sums = 0;
    double count = (double)p->prior.count;
    for (size_t i = 0; i < p->prior.count; i++) {
        copy_point(p, p->labels[i], point);
        for (size_t d = 0; d < p->slot->width; d++) {
            squares += point[d] * point[d];
            sums[d] += point[d];
        }
    }
    for (size_t d = 0; d < p->slot->width; d++)
        of_sums += sums[d] * sums[d];
    return sqrt(fmax(2 * (squares - of_sums / count) / (count - 1), 0));
}

static void place(struct imagined *out, const struct imagined_prior *p,
                  const struct prior_gaussian *gaussian) {
    double point[MAXIMUM_SLOT_WIDTH], own = prior_distance(gaussian, out->point);
    real sigma[MAXIMUM_SLOT_WIDTH];
    for (size_t i = 0; i < p->prior.count; i++) {
        copy_point(p, p->labels[i], point);
        keep_neighbour(out, p->labels[i], distance(point, out->point, p->slot->width));
        out->nearer += (prior_distance(gaussian, point) < own) / (double)p->prior.count;
    }
    out->typical = typical_distance(p);
    slot_spread(p->slot, model_slot_parameters(p->model), sigma);
    copy_point(p, out->neighbours[0], point);
    for (size_t d = 0; d < p->slot->width; d++) {
        double gap = (point[d] - out->point[d]) / (double)sigma[d];
        out->spreads += gap * gap / (double)p->slot->width;
    }
    out->spreads = sqrt(out->spreads);
}

void imagine_draw(struct imagined *out, const struct imagined_prior *prior,
                  const struct prior_gaussian *gaussian, uint64_t seed, uint64_t index) {
    struct random random;
    *out = (struct imagined){0};
    random_seed(&random, seed, STREAM + index);
    prior_sample(gaussian, &random, out->point);
    place(out, prior, gaussian);
}

void imagine_middle(struct imagined *out, const struct imagined_prior *prior,
                    const struct prior_gaussian *gaussian) {
    *out = (struct imagined){0};
    memcpy(out->point, gaussian->mean, prior->slot->width * sizeof *out->point);
    place(out, prior, gaussian);
}

int imagine_tell(struct handle *handle, const struct imagined_prior *prior,
                 const struct imagined *imagined, uint64_t seed, struct error *error) {
    size_t s = (size_t)(prior->slot - prior->model->slots.slots);
    if (handle_tell_vector(handle, prior->slot->name, imagined->point, prior->slot->width, error))
        return -1;
    snprintf(handle->source[s], sizeof handle->source[s], "sampled, seed %llu",
             (unsigned long long)seed);
    return 0;
}

int imagine_author(struct handle *handle, uint64_t seed, struct imagined *out,
                   struct error *error) {
    struct imagined_prior prior;
    struct prior_gaussian gaussian;
    int is_used[MAXIMUM_SLOTS];
    imagine_conditions(handle, is_used);
    if (imagine_fit(&prior, handle->model, is_used, -1, NULL, error))
        return -1;
    int result = imagine_predict(&gaussian, &prior, handle, error);
    if (result == 0) {
        imagine_draw(out, &prior, &gaussian, seed, 0);
        result = imagine_tell(handle, &prior, out, seed, error);
        prior_gaussian_free(&gaussian);
    }
    imagine_free(&prior);
    return result;
}
