#include "good/values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_file.h"
#include "base/memory.h"
#include "good/lesson_pass.h"
#include "math/pca.h"

int values_space_create(struct values_space *s, const struct layer *layer, double radius,
                        struct error *error) {
    *s = (struct values_space){.width = layer->model->config.latent_width, .radius = radius};
    if (s->width == 0)
        return error_set(error, "%s has no vectors", layer->model->name);
    layer_fingerprint(layer, s->author);
    s->protected = memory_allocate(VALUES_MOST_PROTECTED * s->width, sizeof(real), error);
    return s->protected == NULL ? -1 : 0;
}

void values_space_free(struct values_space *s) {
    for (size_t i = 0; i < s->direction_count; i++)
        memory_free(s->directions[i].vector);
    memory_free(s->protected);
    *s = (struct values_space){0};
}

struct gradients {
    struct weights weights;
    const struct layer *layer;
    const real *offsets;
    const struct lesson *lessons;
    real *out;
    double *log_probabilities;
};

/* A lesson at a time: its own gradient is wanted. */
static int one_gradient(const struct gradients *g, struct lesson_pass *pass, real *unused, size_t i,
                        struct error *error) {
    const struct lesson *lesson = &g->lessons[i];
    size_t width = g->weights.config->latent_width;
    if (lesson_pass_fit(pass, 1, lesson->count, error))
        return -1;
    double tokens = (double)(lesson->count - lesson->reply);
    lesson_pass_set(pass, 0, lesson, layer_vector(g->layer),
                    g->offsets != NULL ? g->offsets + i * width : NULL);
    lesson_pass_run(pass);
    if (g->log_probabilities != NULL)
        g->log_probabilities[i] = lesson_pass_log_probability(pass, 0) / tokens;
    lesson_pass_scale(pass, 0, -1 / tokens);
    lesson_pass_backward(pass, unused);
    memcpy(g->out + i * width, pass->dtold, width * sizeof(real));
    return 0;
}

int values_gradients(real *gradients, double *log_probabilities, const struct layer *layer,
                     const real *offsets, const struct lesson *lessons, size_t count,
                     size_t threads, struct error *error) {
    struct gradients g = {.weights = layer_weights(layer),
                          .layer = layer,
                          .offsets = offsets,
                          .lessons = lessons,
                          .out = gradients,
                          .log_probabilities = log_probabilities};
    struct unpacked *unpacked;
    int failed = 0;
    if (weights_unpack(&unpacked, &g.weights, error))
        return -1;
    g.weights.unpacked = unpacked;
#pragma omp parallel num_threads((int)threads) reduction(| : failed)
    {
        struct error own;
        struct lesson_pass pass = {.weights = g.weights, .is_training = 1};
        real *unused = memory_allocate(layer->count, sizeof *unused, &own);
        failed |= unused == NULL;
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < count; i++)
            failed |= failed || one_gradient(&g, &pass, unused, i, &own) != 0;
        if (failed)
#pragma omp critical(values_error)
            *error = own;
        memory_free(unused);
        lesson_pass_free(&pass);
    }
    unpacked_destroy(unpacked);
    return failed ? -1 : 0;
}

/* The largest components of points that lie around zero: each beside its opposite. */
static int find_protected(struct values_space *s, const double *points, size_t count, double share,
                          struct error *error) {
    struct pca pca;
    double total = 0, held = 0;
    if (pca_fit(&pca, points, count, s->width, error))
        return -1;
    for (size_t i = 0; i < s->width; i++)
        total += pca.variances[i];
    s->protected_count = 0;
    for (size_t i = 0; i < s->width && i < VALUES_MOST_PROTECTED && held < share * total; i++) {
        held += pca.variances[i];
        for (size_t d = 0; d < s->width; d++)
            s->protected[i * s->width + d] = (real)pca.components[i * s->width + d];
        s->protected_count++;
    }
    pca_free(&pca);
    return 0;
}

int values_protect(struct values_space *s, const struct layer *layer, const struct lesson *lessons,
                   size_t pairs, double share, size_t threads, struct error *error) {
    real *gradients = memory_allocate(2 * pairs * s->width, sizeof *gradients, error);
    double *points = memory_allocate(2 * pairs * s->width, sizeof *points, error);
    int result =
        gradients == NULL || points == NULL
            ? -1
            : values_gradients(gradients, NULL, layer, NULL, lessons, 2 * pairs, threads, error);
    for (size_t i = 0; result == 0 && i < pairs; i++)
        for (size_t d = 0; d < s->width; d++) {
            double difference = (double)gradients[2 * i * s->width + d] -
                                (double)gradients[(2 * i + 1) * s->width + d];
            points[2 * i * s->width + d] = difference;
            points[(2 * i + 1) * s->width + d] = -difference;
        }
    if (result == 0)
        result = find_protected(s, points, 2 * pairs, share, error);
    memory_free(gradients);
    memory_free(points);
    return result;
}

static int set_direction(struct values_space *s, const char *name, const real *vector,
                         struct error *error) {
    double square = 0;
    size_t i = 0;
    for (size_t d = 0; d < s->width; d++)
        square += (double)vector[d] * (double)vector[d];
    if (!values_is_name(name))
        return error_set(error, "a direction's name is small letters, digits and hyphens, up to %d",
                         VALUES_NAME_LIMIT);
    if (!isfinite(square) || square < 1e-24)
        return error_set(error, "the direction \"%s\" has no length", name);
    while (i < s->direction_count && strcmp(s->directions[i].name, name) != 0)
        i++;
    if (i == VALUES_MOST_DIRECTIONS)
        return error_set(error, "there is no room for more than %d directions",
                         VALUES_MOST_DIRECTIONS);
    if (i == s->direction_count) {
        s->directions[i].vector = memory_allocate(s->width, sizeof(real), error);
        if (s->directions[i].vector == NULL)
            return -1;
        snprintf(s->directions[i].name, sizeof s->directions[i].name, "%s", name);
        s->direction_count++;
    }
    for (size_t d = 0; d < s->width; d++)
        s->directions[i].vector[d] = (real)((double)vector[d] / sqrt(square));
    return 0;
}

/* vector += sign times the mean of the lessons' gradients. */
static int add_gradients(real *vector, const struct values_space *s, const struct layer *layer,
                         const struct lesson *lessons, size_t count, double sign, size_t threads,
                         struct error *error) {
    real *gradients = memory_allocate(count * s->width, sizeof *gradients, error);
    int result = gradients == NULL ? -1
                                   : values_gradients(gradients, NULL, layer, NULL, lessons, count,
                                                      threads, error);
    for (size_t i = 0; result == 0 && i < count; i++)
        for (size_t d = 0; d < s->width; d++)
            vector[d] += (real)(sign * (double)gradients[i * s->width + d] / (double)count);
    memory_free(gradients);
    return result;
}

int values_add_direction(struct values_space *s, const struct layer *layer, const char *name,
                         const struct lesson *high, size_t high_count, const struct lesson *low,
                         size_t low_count, size_t threads, struct error *error) {
    real *vector = memory_allocate(s->width, sizeof *vector, error);
    int result = vector == NULL ||
                 add_gradients(vector, s, layer, high, high_count, 1, threads, error) ||
                 add_gradients(vector, s, layer, low, low_count, -1, threads, error) ||
                 set_direction(s, name, vector, error);
    memory_free(vector);
    return result ? -1 : 0;
}

void values_grant(const struct values_space *s, const real *wish, real *offset,
                  struct values_grant *grant) {
    double asked = 0, allowed = 0, inner = 0;
    *grant = (struct values_grant){0};
    for (size_t d = 0; d < s->width; d++) {
        offset[d] = wish[d];
        asked += (double)wish[d] * (double)wish[d];
    }
    for (size_t i = 0; i < s->protected_count; i++) {
        const real *row = s->protected + i * s->width;
        double along = 0;
        for (size_t d = 0; d < s->width; d++)
            along += (double)row[d] * (double)offset[d];
        for (size_t d = 0; d < s->width; d++)
            offset[d] -= (real)(along * (double)row[d]);
    }
    for (size_t d = 0; d < s->width; d++)
        allowed += (double)offset[d] * (double)offset[d];
    grant->is_projected = allowed < 0.9999 * asked;
    grant->is_shortened = sqrt(allowed) > s->radius;
    double factor = grant->is_shortened ? s->radius / sqrt(allowed) : 1;
    for (size_t d = 0; d < s->width; d++) {
        offset[d] = (real)(factor * (double)offset[d]);
        inner += (double)offset[d] * (double)wish[d];
    }
    grant->asked = sqrt(asked);
    grant->allowed = factor * sqrt(allowed);
    grant->honoured = asked > 0 ? inner / asked : 1;
}

static json_t *numbers_to_json(const real *numbers, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < count; i++)
        json_array_append_new(array, json_real((double)numbers[i]));
    return array;
}

int values_space_save(const struct values_space *s, const char *path, struct error *error) {
    json_t *rows = json_array(), *directions = json_object();
    for (size_t i = 0; i < s->protected_count; i++)
        json_array_append_new(rows, numbers_to_json(s->protected + i * s->width, s->width));
    for (size_t i = 0; i < s->direction_count; i++)
        json_object_set_new(directions, s->directions[i].name,
                            numbers_to_json(s->directions[i].vector, s->width));
    json_t *json =
        json_pack("{s:i, s:s, s:f, s:o, s:o}", "trine_values_space", 1, "author", s->author,
                  "radius", s->radius, "protected", rows, "directions", directions);
    int result = json_file_write(json, path, JSON_INDENT(1), error);
    json_decref(json);
    return result;
}

/* numbers[count] <- an array of so many finite numbers, none of them huge. */
static int take_numbers(const json_t *array, real *numbers, size_t count) {
    if (json_array_size(array) != count)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(array, i);
        double number = json_number_value(item);
        if (!json_is_number(item) || !isfinite(number) || fabs(number) > 1e6)
            return -1;
        numbers[i] = (real)number;
    }
    return 0;
}

/* A protected row that is not of length 1, or not square to the others, would protect less. */
static int check_protected(const struct values_space *s) {
    for (size_t i = 0; i < s->protected_count; i++)
        for (size_t k = 0; k <= i; k++) {
            double inner = 0;
            for (size_t d = 0; d < s->width; d++)
                inner += (double)s->protected[i * s->width + d] *
                         (double)s -> protected[k * s->width + d];
            if (fabs(inner - (i == k)) > 1e-3)
                return -1;
        }
    return 0;
}

static int take_space(struct values_space *s, const json_t *json, const char *path,
                      struct error *error) {
    const json_t *rows = json_object_get(json, "protected"), *row;
    json_t *directions = json_object_get(json, "directions"), *direction;
    const char *author = json_string_value(json_object_get(json, "author")), *name;
    double radius = json_number_value(json_object_get(json, "radius"));
    real vector[4096];
    size_t i;
    if (json_integer_value(json_object_get(json, "trine_values_space")) != 1 || author == NULL ||
        !json_is_array(rows) || !json_is_object(directions))
        return error_set(error, "%s is no space of values", path);
    if (strcmp(author, s->author) != 0)
        return error_set(error, "%s is a space of another good author (%.16s, not %s)", path,
                         author, s->author);
    if (!isfinite(radius) || radius < 0 || radius > 1e3 || s->width > 4096 ||
        json_array_size(rows) > VALUES_MOST_PROTECTED)
        return error_set(error, "%s: the radius, or what is protected, is out of bounds", path);
    s->radius = radius;
    json_array_foreach(rows, i, row) {
        if (take_numbers(row, s->protected + i * s->width, s->width))
            return error_set(error, "%s: protected row %zu is not %zu numbers", path, i + 1,
                             s->width);
        s->protected_count++;
    }
    if (check_protected(s))
        return error_set(error, "%s: protected rows must have length 1 and be orthogonal", path);
    json_object_foreach(directions, name, direction) {
        if (take_numbers(direction, vector, s->width))
            return error_set(error, "%s: direction \"%.64s\" is not %zu numbers", path, name,
                             s->width);
        if (set_direction(s, name, vector, error))
            return -1;
    }
    return 0;
}

int values_space_load(struct values_space *s, const struct layer *layer, const char *path,
                      struct error *error) {
    enum { LIMIT = 16 << 20 };
    if (values_space_create(s, layer, 0, error))
        return -1;
    json_t *json = json_file_read(path, LIMIT, error);
    int result = json == NULL ? -1 : take_space(s, json, path, error);
    json_decref(json);
    if (result != 0)
        values_space_free(s);
    return result;
}
