#include "serve/request_values.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "good/profile.h"
#include "serve/request_json.h"

/* As profiles have it. */
static const double VALUE_MOST = 1000;

static int set_value(struct profile *profile, const struct values_space *space, const char *name,
                     const json_t *value, struct problem *problem) {
    double number = json_number_value(value);
    if (!json_is_number(value) || !(fabs(number) <= VALUE_MOST))
        return problem_field(problem, "values", "\"%.64s\" must be a number from -%g to %g", name,
                             VALUE_MOST, VALUE_MOST);
    for (size_t i = 0; i < space->direction_count; i++)
        if (strcmp(space->directions[i].name, name) == 0) {
            profile->values[i] = number;
            return 0;
        }
    return problem_field(problem, "values",
                         "there is no direction \"%.64s\"; GET /v1/values lists them", name);
}

static int grant_wish(const struct values_space *space, const json_t *wish, real *offset,
                      struct values_grant *grant, struct problem *problem) {
    struct error error;
    struct profile profile;
    const char *name;
    json_t *value;
    int result = 0;
    real *vector = memory_allocate(space->width, sizeof *vector, &error);
    if (vector == NULL || profile_create(&profile, space, "", &error)) {
        memory_free(vector);
        return problem_internal(problem, "granting values", &error);
    }
    json_object_foreach((json_t *)wish, name, value) {
        result = result ? result : set_value(&profile, space, name, value, problem);
    }
    if (result == 0) {
        profile_wish(&profile, space, vector);
        values_grant(space, vector, offset, grant);
    }
    profile_free(&profile);
    memory_free(vector);
    return result;
}

int request_values(const struct resident_model *model, const json_t *wish, real *offset,
                   struct values_grant *grant, struct problem *problem) {
    *grant = (struct values_grant){.honoured = 1};
    memset(offset, 0, model->model->config.latent_width * sizeof *offset);
    if (wish == NULL)
        return 0;
    if (!json_is_object(wish))
        return problem_field(problem, "values", "\"values\" must be an object of numbers");
    if (!model->has_space)
        return problem_set(problem, 404, "no_values", "values",
                           "\"%.100s/good\" was loaded without a space of values", model->name);
    return grant_wish(&model->space, wish, offset, grant, problem);
}

json_t *values_grant_to_json(const struct values_grant *grant) {
    return json_pack("{s:f, s:b, s:b}", "honoured", grant->honoured, "projected",
                     grant->is_projected, "shortened", grant->is_shortened);
}
