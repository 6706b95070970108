#include "latent/handle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/memory.h"
#include "latent/extrapolation.h"
#include "latent/place.h"
#include "text/gazetteer.h"

enum { HANDLE_FILE_LIMIT = 16 << 20 };

int handle_create(struct handle *handle, const struct model *model, struct error *error) {
    size_t width = model->config.latent_width;
    *handle = (struct handle){.model = model};
    handle->mean = memory_allocate(width, sizeof(real), error);
    handle->precision = memory_allocate(width, sizeof(real), error);
    if (handle->mean == NULL || handle->precision == NULL) {
        handle_free(handle);
        return -1;
    }
    for (size_t d = 0; d < width; d++)
        handle->precision[d] = 1;
    for (size_t s = 0; s < MAXIMUM_SLOTS; s++)
        strcpy(handle->source[s], "prior");
    return 0;
}

void handle_free(struct handle *handle) {
    memory_free(handle->mean);
    memory_free(handle->precision);
    *handle = (struct handle){0};
}

void handle_told_mask(const struct handle *handle, real *mask) {
    const struct slots *slots = &handle->model->slots;
    for (size_t s = 0; s < slots->count; s++)
        for (size_t d = 0; d < slots->slots[s].width; d++)
            mask[slots->slots[s].first + d] = (real)handle->is_told[s];
}

struct pass_handle handle_pass(const struct handle *handle, real *room) {
    size_t width = handle->model->config.latent_width;
    real *mask = room, *information = room + width;
    handle_told_mask(handle, mask);
    for (size_t i = 0; i < width; i++)
        information[i] = handle->mean[i] * handle->precision[i];
    return (struct pass_handle){.told = handle->mean,
                                .told_mask = mask,
                                .start_precision = handle->precision,
                                .start_information = information};
}

static const struct slot *find_slot(const struct handle *handle, const char *name,
                                    struct error *error) {
    const struct slots *slots = &handle->model->slots;
    const struct slot *slot = slots_find(slots, name);
    if (slot != NULL)
        return slot;
    char known[256] = "";
    for (size_t s = 0; s < slots->count; s++) {
        size_t length = strlen(known);
        snprintf(known + length, sizeof known - length, "%s%s", s > 0 ? ", " : "",
                 slots->slots[s].name);
    }
    error_set(error, "the model has no slot '%.80s'%s%s", name,
              known[0] != '\0' ? "; it has " : " (it was trained without latents)", known);
    return NULL;
}

static size_t slot_index(const struct handle *handle, const struct slot *slot) {
    return (size_t)(slot - handle->model->slots.slots);
}

/* No character is cut in two: the source goes into JSON. */
static void set_source(struct handle *handle, size_t s, const char *source) {
    size_t room = sizeof handle->source[s] - 1, length = strnlen(source, room + 1);
    if (length > room)
        for (length = room; length > 0 && ((unsigned char)source[length] & 0xc0) == 0x80;)
            length--;
    memcpy(handle->source[s], source, length);
    handle->source[s][length] = '\0';
}

/* The precision of a label: that of its documents' spread. A point that is known but for a
 * variance above 0 is told loosely. */
static void tell_point(struct handle *handle, const struct slot *slot, const real *point,
                       double variance, const char *source) {
    size_t s = slot_index(handle, slot);
    real sigma[MAXIMUM_SLOT_WIDTH];
    slot_spread(slot, model_slot_parameters(handle->model), sigma);
    for (size_t d = 0; d < slot->width; d++) {
        handle->mean[slot->first + d] = point[d];
        handle->precision[slot->first + d] = 1 / (sigma[d] * sigma[d]);
    }
    handle->is_told[s] = 1;
    handle->is_loose[s] = 0;
    set_source(handle, s, source);
    if (variance > 0) {
        extrapolation_loosen(slot, model_slot_parameters(handle->model), variance,
                             handle->mean + slot->first, handle->precision + slot->first);
        handle->is_told[s] = 0;
        handle->is_loose[s] = 1;
        snprintf(handle->source[s], sizeof handle->source[s], "%.48s, beyond %g to %g", source,
                 slot_first_year(slot), slot_last_year(slot));
    }
}

/* Lists labels that contain the text, ignoring case; else the first few. */
static int unknown_label(const struct slot *slot, const char *label, struct error *error) {
    char near[400] = "";
    size_t listed = 0;
    for (int only_near = 1; only_near >= 0 && listed == 0; only_near--)
        for (size_t i = 0; i < slot->point_count && listed < 8; i++) {
            if (only_near && strcasestr(slot->labels[i], label) == NULL)
                continue;
            size_t length = strlen(near);
            snprintf(near + length, sizeof near - length, "%s%.60s", listed++ > 0 ? ", " : "",
                     slot->labels[i]);
        }
    return error_set(error, "slot %s knows no '%.80s'; it knows %s%s", slot->name, label, near,
                     slot->point_count > listed ? ", ..." : "");
}

/* What a label comes to. */
struct reached {
    real point[MAXIMUM_SLOT_WIDTH];
    double variance; /* by which the point is not known */
    char title[GAZETTEER_TITLE];
};

/* Of a label by exact name or the only one that contains the text; the title is what a place was
 * taken for, else the label. */
static int reach(const struct handle *handle, const struct slot *slot, const char *label,
                 struct reached *r, struct error *error) {
    const real *parameters = model_slot_parameters(handle->model);
    r->variance = 0;
    snprintf(r->title, sizeof r->title, "%.200s", label);
    if (slot->kind == LATENT_DATE) {
        char *end;
        double year = strtod(label, &end);
        if (end == label || *end != '\0' || !isfinite(year) || fabs(year) > 1e6)
            return error_set(error, "'%.80s' is no year for slot %s", label, slot->name);
        slot_date_point(slot, parameters, year, r->point);
        return extrapolation_variance(slot, parameters, year, &r->variance, error);
    }
    if (slot->kind == LATENT_PLACE) {
        struct location place;
        if (gazetteer_resolve(handle->model->gazetteer, label, &place, r->title, error))
            return -1;
        slot_place_point(slot, parameters, place, r->point);
        return 0;
    }
    long index = slot_find_name(slot, label);
    if (index < 0)
        return unknown_label(slot, label, error);
    const real *table = parameters + slot->parameters + slot->width;
    memcpy(r->point, table + (size_t)index * slot->width, slot->width * sizeof *r->point);
    return 0;
}

int handle_tell(struct handle *handle, const char *name, const char *label, struct error *error) {
    const struct slot *slot = find_slot(handle, name, error);
    struct reached r;
    if (slot == NULL || reach(handle, slot, label, &r, error))
        return -1;
    tell_point(handle, slot, r.point, r.variance, r.title);
    return 0;
}

int handle_tell_year(struct handle *handle, const char *name, double year, struct error *error) {
    char label[64];
    snprintf(label, sizeof label, "%.10g", year);
    const struct slot *slot = find_slot(handle, name, error);
    if (slot != NULL && slot->kind != LATENT_DATE)
        return error_set(error, "slot %s holds no dates", name);
    return slot == NULL ? -1 : handle_tell(handle, name, label, error);
}

int handle_tell_place(struct handle *handle, const char *name, struct location place,
                      struct error *error) {
    char label[64];
    snprintf(label, sizeof label, "%.8g,%.8g", place.latitude, place.longitude);
    const struct slot *slot = find_slot(handle, name, error);
    if (slot != NULL && slot->kind != LATENT_PLACE)
        return error_set(error, "slot %s holds no places", name);
    return slot == NULL ? -1 : handle_tell(handle, name, label, error);
}

int handle_tell_mixture(struct handle *handle, const char *name, const char *mixture,
                        struct error *error) {
    const struct slot *slot = find_slot(handle, name, error);
    char *copy = slot == NULL ? NULL : strdup(mixture), *rest = copy, *part;
    real sum[MAXIMUM_SLOT_WIDTH] = {0};
    struct reached r;
    double total = 0, variances = 0;
    int result = slot == NULL ? -1 : copy == NULL ? error_set(error, "out of memory") : 0;
    while (result == 0 && (part = strsep(&rest, ",")) != NULL) {
        char *colon = strrchr(part, ':'), *end = NULL;
        double weight = colon == NULL ? 1 : strtod(colon + 1, &end);
        if (colon != NULL && (end == colon + 1 || *end != '\0' || !isfinite(weight)))
            result = error_set(error, "'%.80s' is not LABEL:WEIGHT", part);
        if (result == 0 && colon != NULL)
            *colon = '\0';
        if (result == 0)
            result = reach(handle, slot, part + strspn(part, " "), &r, error);
        for (size_t d = 0; result == 0 && d < slot->width; d++)
            sum[d] += (real)weight * r.point[d];
        if (result == 0)
            variances += weight * weight * r.variance;
        total += weight;
    }
    if (result == 0 && fabs(total) < 1e-9)
        result = error_set(error, "the weights of '%.80s' sum to nothing", mixture);
    for (size_t d = 0; result == 0 && d < slot->width; d++)
        sum[d] /= (real)total;
    if (result == 0)
        tell_point(handle, slot, sum, variances / (total * total), mixture);
    free(copy);
    return result;
}

int handle_tell_vector(struct handle *handle, const char *name, const double *vector, size_t count,
                       struct error *error) {
    const struct slot *slot = find_slot(handle, name, error);
    real point[MAXIMUM_SLOT_WIDTH];
    if (slot == NULL)
        return -1;
    if (count != slot->width)
        return error_set(error, "slot %s has vectors of %zu numbers, not %zu", name, slot->width,
                         count);
    for (size_t d = 0; d < count; d++) {
        if (!isfinite(vector[d]) || fabs(vector[d]) > 1e4)
            return error_set(error, "number %zu of the vector for slot %s is %g", d, name,
                             vector[d]);
        point[d] = (real)vector[d];
    }
    tell_point(handle, slot, point, 0, "vector");
    return 0;
}

void handle_set_posterior(struct handle *handle, const real *mean, const real *precision,
                          size_t tokens, const char *source) {
    size_t width = handle->model->config.latent_width;
    memcpy(handle->mean, mean, width * sizeof *mean);
    memcpy(handle->precision, precision, width * sizeof *precision);
    for (size_t s = 0; s < handle->model->slots.count; s++) {
        handle->is_told[s] = handle->is_loose[s] = 0;
        set_source(handle, s, source);
    }
    handle->tokens = tokens;
}

int handle_log_odds(const struct handle *handle, const struct slot *slot, double *log_odds,
                    struct error *error) {
    const real *parameters = model_slot_parameters(handle->model);
    real sigma[MAXIMUM_SLOT_WIDTH];
    real *points = memory_allocate(slot->point_count * slot->width, sizeof *points, error);
    if (points == NULL)
        return -1;
    slot_points(slot, parameters, points);
    slot_spread(slot, parameters, sigma);
    const real *mean = handle->mean + slot->first, *precision = handle->precision + slot->first;
    if (handle->tokens > 0 && !handle->is_told[slot_index(handle, slot)])
        slot_belief(slot, points, sigma, mean, precision, (double)handle->tokens, log_odds);
    else
        slot_posterior(slot, points, sigma, mean, precision, 0, log_odds);
    memory_free(points);
    return 0;
}

static json_t *numbers_to_json(const real *values, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_real((double)values[i]));
    return array;
}

json_t *handle_to_json(const struct handle *handle) {
    json_t *slots = json_object();
    for (size_t s = 0; s < handle->model->slots.count; s++) {
        const struct slot *slot = &handle->model->slots.slots[s];
        json_object_set_new(
            slots, slot->name,
            json_pack("{s:b, s:s, s:o, s:o}", "told", handle->is_told[s], "source",
                      handle->source[s], "mean",
                      numbers_to_json(handle->mean + slot->first, slot->width), "precision",
                      numbers_to_json(handle->precision + slot->first, slot->width)));
    }
    return json_pack("{s:i, s:o, s:I}", "trine_handle", 1, "slots", slots, "tokens",
                     (json_int_t)handle->tokens);
}

static int numbers_from_json(real *out, size_t count, const json_t *array, int is_positive,
                             const char *slot, struct error *error) {
    if (!json_is_array(array) || json_array_size(array) != count)
        return error_set(error, "the handle's slot %s needs lists of %zu numbers", slot, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(array, i);
        double value = json_number_value(item);
        if (!json_is_number(item) || !(fabs(value) < 1e9) || (is_positive && !(value > 1e-9)))
            return error_set(error, "number %zu of the handle's slot %s makes no sense", i, slot);
        out[i] = (real)value;
    }
    return 0;
}

int handle_from_json(struct handle *handle, const json_t *json, struct error *error) {
    const char *name;
    json_t *item, *slots = json_object_get(json, "slots");
    if (json_integer_value(json_object_get(json, "trine_handle")) != 1 || !json_is_object(slots))
        return error_set(error,
                         "this is no handle: {\"trine_handle\": 1, \"slots\": ...} expected");
    json_int_t tokens = json_integer_value(json_object_get(json, "tokens"));
    if (tokens < 0)
        return error_set(error, "the handle says that %lld tokens were read", (long long)tokens);
    handle->tokens = (size_t)tokens;
    json_object_foreach(slots, name, item) {
        const struct slot *slot = find_slot(handle, name, error);
        if (slot == NULL ||
            numbers_from_json(handle->mean + slot->first, slot->width,
                              json_object_get(item, "mean"), 0, name, error) ||
            numbers_from_json(handle->precision + slot->first, slot->width,
                              json_object_get(item, "precision"), 1, name, error))
            return -1;
        size_t s = slot_index(handle, slot);
        const char *source = json_string_value(json_object_get(item, "source"));
        handle->is_told[s] = json_is_true(json_object_get(item, "told"));
        handle->is_loose[s] = 0;
        set_source(handle, s, source != NULL ? source : "file");
    }
    return 0;
}

int handle_load(struct handle *handle, const char *path, struct error *error) {
    char *text;
    size_t bytes;
    if (file_read_all(path, HANDLE_FILE_LIMIT, &text, &bytes, error))
        return -1;
    json_error_t problem;
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &problem);
    free(text);
    if (json == NULL)
        return error_set(error, "%s:%d: %s", path, problem.line, problem.text);
    int result = handle_from_json(handle, json, error);
    json_decref(json);
    return result;
}

int handle_save(const struct handle *handle, const char *path, struct error *error) {
    json_t *json = handle_to_json(handle);
    int result = json_file_write(json, path, JSON_INDENT(1), error);
    json_decref(json);
    return result;
}
