#include <string.h>

#include "base/memory.h"
#include "serve/own_routes.h"
#include "serve/request_json.h"
#include "serve/request_values.h"

/* "warm-cool" goes from what its first word says to what its second does. */
static json_t *direction_to_json(const char *name) {
    const char *hyphen = strchr(name, '-');
    if (hyphen == NULL || strchr(hyphen + 1, '-') != NULL || hyphen == name || hyphen[1] == '\0')
        return json_pack("{s:s}", "name", name);
    return json_pack("{s:s, s:s%, s:s}", "name", name, "low", name, (size_t)(hyphen - name), "high",
                     hyphen + 1);
}

static int check_space(struct request *request, const struct resident_model *model) {
    return model->has_space
               ? 0
               : problem_set(&request->problem, 404, "no_values", "model",
                             "\"%.100s/good\" was loaded without a space of values", model->name);
}

int own_values_show(struct request *request) {
    const struct resident_model *model;
    enum resident_layer layer;
    if (request_model(request, &model, &layer) || check_space(request, model))
        return -1;
    json_t *list = json_array();
    for (size_t i = 0; i < model->space.direction_count; i++)
        json_array_append_new(list, direction_to_json(model->space.directions[i].name));
    return request_reply(
        request, json_pack("{s:f, s:o, s:o}", "radius", model->space.radius, "directions", list,
                           "profiles", model_profiles_to_json(&model->profiles, &model->space)));
}

int own_values_grant(struct request *request) {
    static const char *const KNOWN[] = {"model", "values"};
    const struct resident_model *model;
    enum resident_layer layer;
    struct error error;
    struct values_grant grant;
    if (request_model(request, &model, &layer) ||
        request_only(request->body, "", KNOWN, sizeof KNOWN / sizeof *KNOWN, &request->problem) ||
        request_needs(request->body, "values", &request->problem) || check_space(request, model))
        return -1;
    real *offset = memory_allocate(model->model->config.latent_width, sizeof *offset, &error);
    if (offset == NULL)
        return request_no_memory(request);
    int result = request_values(model, request_field(request->body, "values"), offset, &grant,
                                &request->problem);
    memory_free(offset);
    return result ? -1 : request_reply(request, values_grant_to_json(&grant));
}
