#include "serve/request_handle.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dream/naming.h"
#include "dream/read.h"
#include "serve/http.h"
#include "serve/model_atlas.h"
#include "serve/request_json.h"

enum { LIKE_LIMIT = 1 << 18, LABEL_LIMIT = 1024, MIX_MOST = 64, SHIFTS_MOST = 16 };
static const double DEVIATIONS_MOST = 10;

static int take_stored(struct handle *handle, const json_t *json, struct problem *problem) {
    struct error error;
    const json_t *stored;
    if (request_object(json, "handle", &stored, problem))
        return -1;
    if (stored != NULL && handle_from_json(handle, stored, &error))
        return problem_content(problem, "handle", &error);
    return 0;
}

static int take_like(struct handle *handle, const json_t *json, struct problem *problem) {
    struct error error;
    const char *text = NULL;
    if (request_text(json, "like", LIKE_LIMIT, &text, problem))
        return -1;
    if (text == NULL)
        return 0;
    if (*text == '\0')
        return problem_field(problem, "like", "\"like\" is empty: there is nobody to be like");
    if (read_text(handle, NULL, handle->model, text, strlen(text), NULL, NULL, &error))
        return problem_content(problem, "like", &error);
    return 0;
}

static int take_author(struct handle *handle, const json_t *json, struct problem *problem) {
    struct error error;
    const char *author = NULL;
    struct naming_note note;
    if (request_text(json, "author", LABEL_LIMIT, &author, problem))
        return -1;
    if (author != NULL && naming_tell(handle, "author", author, &note, &error))
        return problem_content(problem, "author", &error);
    return 0;
}

/* The weighted mean of labels' points; told one after the other, each leaves its point in the
 * handle. */
static int take_mix(struct handle *handle, const json_t *json, struct problem *problem) {
    struct error error;
    const json_t *mix;
    const char *label;
    struct naming_note note;
    json_t *item;
    double sum[MAXIMUM_SLOT_WIDTH] = {0}, total = 0;
    if (request_object(json, "mix", &mix, problem))
        return -1;
    if (mix == NULL)
        return 0;
    const struct slot *slot = slots_find(&handle->model->slots, "author");
    if (slot == NULL || slot->kind != LATENT_CATEGORICAL || json_object_size(mix) < 1 ||
        json_object_size(mix) > MIX_MOST)
        return problem_field(problem, "mix",
                             "\"mix\" must be an object of 1 to %d authors with their weights",
                             MIX_MOST);
    json_object_foreach((json_t *)mix, label, item) {
        double weight = json_number_value(item);
        if (!json_is_number(item) || !(fabs(weight) <= 1e6))
            return problem_field(problem, "mix", "the weight of \"%.80s\" must be a number", label);
        if (naming_tell(handle, "author", label, &note, &error))
            return problem_content(problem, "mix", &error);
        for (size_t d = 0; d < slot->width; d++)
            sum[d] += weight * (double)handle->mean[slot->first + d];
        total += weight;
    }
    if (fabs(total) < 1e-9)
        return problem_field(problem, "mix", "the weights of \"mix\" sum to nothing");
    for (size_t d = 0; d < slot->width; d++)
        sum[d] /= total;
    if (handle_tell_vector(handle, "author", sum, slot->width, &error))
        return problem_content(problem, "mix", &error);
    return 0;
}

static int take_vectors(struct handle *handle, const json_t *json, struct problem *problem) {
    struct error error;
    const json_t *vectors;
    const char *slot;
    json_t *list;
    double numbers[MAXIMUM_SLOT_WIDTH];
    if (request_object(json, "vector", &vectors, problem))
        return -1;
    json_object_foreach((json_t *)vectors, slot, list) {
        size_t count = json_array_size(list);
        if (!json_is_array(list) || count > MAXIMUM_SLOT_WIDTH)
            return problem_field(problem, "vector", "\"vector\" must hold arrays of numbers");
        for (size_t i = 0; i < count; i++) {
            if (!json_is_number(json_array_get(list, i)))
                return problem_field(problem, "vector", "\"vector\" must hold arrays of numbers");
            numbers[i] = json_number_value(json_array_get(list, i));
        }
        if (handle_tell_vector(handle, slot, numbers, count, &error))
            return problem_content(problem, "vector", &error);
    }
    return 0;
}

/* A label, a place, or a year as a number or a text. */
static int tell(struct handle *handle, const char *slot, const json_t *label, const char *param,
                struct problem *problem) {
    struct error error;
    struct naming_note note;
    int result;
    if (json_is_number(label))
        result = handle_tell_year(handle, slot, json_number_value(label), &error);
    else if (json_is_string(label) && json_string_length(label) <= LABEL_LIMIT)
        result = naming_tell(handle, slot, json_string_value(label), &note, &error);
    else
        return problem_field(problem, param, "\"%s\" must be a label, or a year", param);
    return result ? problem_content(problem, param, &error) : 0;
}

static int take_told(struct handle *handle, const json_t *json, struct problem *problem) {
    const json_t *date = request_field(json, "date"), *place = request_field(json, "place"), *told;
    const char *slot;
    json_t *label;
    if (date != NULL && tell(handle, "date", date, "date", problem))
        return -1;
    if (place != NULL && tell(handle, "place", place, "place", problem))
        return -1;
    if (request_object(json, "tell", &told, problem))
        return -1;
    json_object_foreach((json_t *)told, slot, label) {
        if (tell(handle, slot, label, "tell", problem))
            return -1;
    }
    return 0;
}

static int shift(const struct atlas *atlas, const json_t *item, double *point,
                 struct problem *problem) {
    static const char *const KNOWN[] = {"component", "deviations"};
    size_t component = 0;
    double deviations = 0;
    if (!json_is_object(item))
        return problem_field(problem, "shift",
                             "\"shift\" must be an array of {\"component\", \"deviations\"}");
    if (request_only(item, "\"shift\"", KNOWN, 2, problem) ||
        request_needs(item, "component", problem) || request_needs(item, "deviations", problem) ||
        request_count(item, "component", 1, atlas->component_count, &component, problem) ||
        request_number(item, "deviations", -DEVIATIONS_MOST, DEVIATIONS_MOST, &deviations, problem))
        return -1;
    const double *row = atlas->pca.components + (component - 1) * atlas->slot->width;
    for (size_t d = 0; d < atlas->slot->width; d++)
        point[d] += deviations * atlas->components[component - 1].deviation * row[d];
    return 0;
}

/* Moves the author from where it is; nobody told or read, from the middle of all. */
static int take_shifts(struct handle *handle, const struct resident_model *model,
                       const json_t *json, struct problem *problem) {
    struct error error;
    const json_t *shifts = request_field(json, "shift");
    const struct atlas *atlas;
    double point[MAXIMUM_SLOT_WIDTH];
    if (shifts == NULL)
        return 0;
    if (!json_is_array(shifts) || json_array_size(shifts) > SHIFTS_MOST)
        return problem_field(problem, "shift", "\"shift\" must be an array of up to %d directions",
                             SHIFTS_MOST);
    const struct slot *authors = resident_author_slot(model);
    if (authors == NULL || authors->point_count < 2)
        return problem_field(problem, "shift", "the model has no two authors to move between");
    if (model_atlas_get(model->atlas, &atlas, &error))
        return problem_internal(problem, "making the atlas", &error);
    size_t s = (size_t)(atlas->slot - handle->model->slots.slots);
    int is_known = handle->is_told[s] || handle->tokens > 0;
    for (size_t d = 0; d < atlas->slot->width; d++)
        point[d] = is_known ? (double)handle->mean[atlas->slot->first + d] : atlas->pca.mean[d];
    for (size_t i = 0; i < json_array_size(shifts); i++)
        if (shift(atlas, json_array_get(shifts, i), point, problem))
            return -1;
    if (handle_tell_vector(handle, atlas->slot->name, point, atlas->slot->width, &error))
        return problem_content(problem, "shift", &error);
    return 0;
}

static int take_all(struct handle *handle, const struct resident_model *model, const json_t *json,
                    struct problem *problem) {
    static const char *const KNOWN[] = {"author", "date", "place", "tell",  "mix",
                                        "vector", "like", "shift", "handle"};
    if (!json_is_object(json))
        return problem_field(problem, "handle", "\"handle\" must be an object");
    return request_only(json, "\"handle\"", KNOWN, sizeof KNOWN / sizeof *KNOWN, problem) ||
                   take_stored(handle, json, problem) || take_like(handle, json, problem) ||
                   take_author(handle, json, problem) || take_mix(handle, json, problem) ||
                   take_vectors(handle, json, problem) || take_told(handle, json, problem) ||
                   take_shifts(handle, model, json, problem)
               ? -1
               : 0;
}

int request_handle(struct handle *handle, const struct resident_model *model, const json_t *json,
                   struct problem *problem) {
    struct error error;
    if (handle_create(handle, model->model, &error))
        return problem_internal(problem, "making a handle", &error);
    if (json == NULL || take_all(handle, model, json, problem) == 0)
        return 0;
    handle_free(handle);
    return -1;
}
