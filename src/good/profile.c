#include "good/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_file.h"
#include "base/memory.h"

/* Far more than any radius; what is larger is a mistake, or malice. */
static const double MOST = 1000;

int profile_create(struct profile *p, const struct values_space *space, const char *name,
                   struct error *error) {
    *p = (struct profile){0};
    if (strlen(name) > VALUES_NAME_LIMIT)
        return error_set(error, "a profile's name has at most %d bytes", VALUES_NAME_LIMIT);
    snprintf(p->name, sizeof p->name, "%s", name);
    p->offset = memory_allocate(space->width, sizeof *p->offset, error);
    return p->offset == NULL ? -1 : 0;
}

void profile_free(struct profile *p) {
    memory_free(p->offset);
    p->offset = NULL;
}

static int find_direction(const struct values_space *space, const char *name, size_t length,
                          size_t *place, struct error *error) {
    for (size_t i = 0; i < space->direction_count; i++)
        if (strlen(space->directions[i].name) == length &&
            strncmp(space->directions[i].name, name, length) == 0) {
            *place = i;
            return 0;
        }
    return error_set(error, "there is no direction \"%.*s\" (trine values show lists them)",
                     length < VALUES_NAME_LIMIT ? (int)length : VALUES_NAME_LIMIT, name);
}

static int is_number(const json_t *json) {
    return json_is_number(json) && isfinite(json_number_value(json)) &&
           fabs(json_number_value(json)) <= MOST;
}

static int take_values(struct profile *p, const struct values_space *space, json_t *values,
                       struct error *error) {
    const char *name;
    json_t *value;
    size_t i = 0;
    if (!json_is_object(values))
        return error_set(error, "\"values\" must be an object of numbers");
    json_object_foreach(values, name, value) {
        if (find_direction(space, name, strlen(name), &i, error))
            return -1;
        if (!is_number(value))
            return error_set(error, "\"%.64s\" must be a number from -1000 to 1000", name);
        p->values[i] = json_number_value(value);
    }
    return 0;
}

static int take_offset(struct profile *p, const struct values_space *space, const json_t *offset,
                       struct error *error) {
    if (!json_is_array(offset) || json_array_size(offset) != space->width)
        return error_set(error, "\"offset\" must be %zu numbers, as this author's vectors are",
                         space->width);
    for (size_t i = 0; i < space->width; i++) {
        const json_t *number = json_array_get(offset, i);
        if (!is_number(number))
            return error_set(error, "number %zu of \"offset\" must be from -1000 to 1000", i + 1);
        p->offset[i] = (real)json_number_value(number);
    }
    return 0;
}

static int take(struct profile *p, const struct values_space *space, json_t *json,
                struct error *error) {
    const char *key, *author = json_string_value(json_object_get(json, "author"));
    const char *name = json_string_value(json_object_get(json, "name"));
    json_t *value;
    if (json_integer_value(json_object_get(json, "trine_values")) != 1 || author == NULL)
        return error_set(error, "this is no profile of values");
    if (strcmp(author, space->author) != 0)
        return error_set(error, "this profile belongs to another good author (%.16s, not %s)",
                         author, space->author);
    if (profile_create(p, space, name != NULL ? name : "", error))
        return -1;
    json_object_foreach(json, key, value) {
        int is_values = strcmp(key, "values") == 0, is_offset = strcmp(key, "offset") == 0;
        if (is_values && take_values(p, space, value, error))
            return -1;
        if (is_offset && take_offset(p, space, value, error))
            return -1;
        if (!is_values && !is_offset && strcmp(key, "trine_values") != 0 &&
            strcmp(key, "author") != 0 && strcmp(key, "name") != 0)
            return error_set(error, "there is no key \"%.64s\"", key);
    }
    return 0;
}

int profile_load(struct profile *p, const struct values_space *space, const char *path,
                 struct error *error) {
    struct error own;
    *p = (struct profile){0};
    json_t *json = json_file_read(path, PROFILE_FILE_LIMIT, error);
    if (json == NULL)
        return -1;
    int result = take(p, space, json, &own);
    json_decref(json);
    if (result == 0)
        return 0;
    profile_free(p);
    return error_set(error, "%s: %s", path, own.message);
}

int profile_save(const struct profile *p, const struct values_space *space, const char *path,
                 struct error *error) {
    json_t *values = json_object(), *offset = json_array();
    for (size_t i = 0; i < space->direction_count; i++)
        if (p->values[i] != 0)
            json_object_set_new(values, space->directions[i].name, json_real(p->values[i]));
    for (size_t d = 0; d < space->width; d++)
        json_array_append_new(offset, json_real((double)p->offset[d]));
    json_t *json = json_pack("{s:i, s:s, s:s, s:o, s:o}", "trine_values", 1, "author",
                             space->author, "name", p->name, "values", values, "offset", offset);
    int result = json_file_write(json, path, JSON_INDENT(1), error);
    json_decref(json);
    return result;
}

int profile_set(struct profile *p, const struct values_space *space, const char *assignment,
                struct error *error) {
    const char *sign = strchr(assignment, '=');
    char *end;
    size_t i = 0;
    if (sign == NULL)
        return error_set(error, "'%.100s' is not DIRECTION=NUMBER", assignment);
    if (find_direction(space, assignment, (size_t)(sign - assignment), &i, error))
        return -1;
    double value = strtod(sign + 1, &end);
    if (end == sign + 1 || *end != '\0' || !(fabs(value) <= MOST))
        return error_set(error, "'%.100s' is not a number from -1000 to 1000", sign + 1);
    p->values[i] = value;
    return 0;
}

void profile_add(struct profile *p, const struct values_space *space, const struct profile *other,
                 double share) {
    for (size_t i = 0; i < space->direction_count; i++)
        p->values[i] += share * other->values[i];
    for (size_t d = 0; d < space->width; d++)
        p->offset[d] += (real)(share * (double)other->offset[d]);
}

void profile_wish(const struct profile *p, const struct values_space *space, real *wish) {
    for (size_t d = 0; d < space->width; d++) {
        double sum = (double)p->offset[d];
        for (size_t i = 0; i < space->direction_count; i++)
            sum += p->values[i] * space->radius * (double)space->directions[i].vector[d];
        wish[d] = (real)sum;
    }
}
