#include <string.h>

#include "serve/openai_routes.h"

json_t *openai_fingerprint(const struct resident_model *model) {
    return json_sprintf("%s-%s", model->name, TRINE_VERSION);
}

json_t *openai_model_name(const struct resident_model *model, enum resident_layer layer) {
    return json_sprintf("%s/%s", model->name, resident_layer_name(layer));
}

/* Where a place slot's grid lies; NULL of other slots, which have no such field. */
static json_t *region_to_json(const struct slot *slot) {
    if (slot->kind != LATENT_PLACE)
        return NULL;
    const struct cap *cap = &slot->cap;
    return json_pack("{s:f, s:f, s:f}", "latitude", cap->centre.latitude, "longitude",
                     cap->centre.longitude, "radius", cap->radius);
}

static json_t *slots_to_json(const struct slots *slots) {
    json_t *list = json_array();
    for (size_t s = 0; s < slots->count; s++) {
        const struct slot *slot = &slots->slots[s];
        int has_labels = slot->kind == LATENT_CATEGORICAL;
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:o*}", "name", slot->name, "kind",
                                              latent_kind_name(slot->kind), "labels",
                                              has_labels ? (json_int_t)slot->point_count : 0,
                                              "region", region_to_json(slot)));
    }
    return list;
}

/* Tokens that the network itself sees at a time; of longer texts the beginning is forgotten. */
static size_t context_of(const struct request *request, const struct resident_model *model) {
    size_t own = model->model->base != NULL ? model->model->base->config.context
                                            : model->model->config.context;
    size_t most = request->service->resident->context;
    return own < most ? own : most;
}

static json_t *model_to_json(const struct request *request, const struct resident_model *model,
                             enum resident_layer layer) {
    int chats = layer == RESIDENT_GOOD || (layer == RESIDENT_DREAM && resident_chats(model));
    return json_pack("{s:o, s:s, s:I, s:s, s:s, s:o, s:I, s:b, s:b}", "id",
                     openai_model_name(model, layer), "object", "model", "created",
                     (json_int_t)request->service->started, "owned_by", "trine", "layer",
                     resident_layer_name(layer), "slots", slots_to_json(&model->model->slots),
                     "context", (json_int_t)context_of(request, model), "chat", chats, "market",
                     layer == RESIDENT_TRUTH && model->market != NULL);
}

static int may_see(const struct request *request, const struct resident_model *model,
                   enum resident_layer layer) {
    return resident_has(model, layer) && request->caller.scope >= access_layer_scope(layer);
}

/* What else this caller finds here, so that nobody needs to ask for what is not there. */
static json_t *features_to_json(const struct request *request) {
    const struct service *service = request->service;
    const struct resident *resident = service->resident;
    int has_market = 0;
    for (size_t i = 0; i < resident->count; i++)
        has_market |= resident->models[i].market != NULL &&
                      may_see(request, &resident->models[i], RESIDENT_TRUTH);
    return json_pack("{s:b, s:b, s:b}", "conversations", service->conversations != NULL, "jobs",
                     service->jobs != NULL && request->caller.scope >= SCOPE_DREAM, "markets",
                     has_market);
}

int openai_list_models(struct request *request) {
    const struct resident *resident = request->service->resident;
    json_t *data = json_array();
    for (size_t i = 0; i < resident->count; i++)
        for (int k = 0; k < RESIDENT_LAYERS; k++)
            if (may_see(request, &resident->models[i], (enum resident_layer)k))
                json_array_append_new(
                    data, model_to_json(request, &resident->models[i], (enum resident_layer)k));
    return request_reply(request, json_pack("{s:s, s:o, s:o}", "object", "list", "data", data,
                                            "trine", features_to_json(request)));
}

/* What the list does not show is not there. A bare name is the first of its layers. */
int openai_show_model(struct request *request) {
    enum resident_layer layer;
    const struct resident_model *model =
        resident_find(request->service->resident, request->argument, &layer);
    for (int k = 0; model != NULL && layer == RESIDENT_LAYERS && k < RESIDENT_LAYERS; k++)
        if (may_see(request, model, (enum resident_layer)k))
            layer = (enum resident_layer)k;
    if (model == NULL || layer == RESIDENT_LAYERS || !may_see(request, model, layer))
        return problem_set(&request->problem, 404, "model_not_found", "model",
                           "there is no model \"%.100s\"; GET /v1/models lists them",
                           request->argument);
    return request_reply(request, model_to_json(request, model, layer));
}
