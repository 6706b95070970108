#include "serve/model_atlas.h"
#include "serve/own_routes.h"

int own_atlas(struct request *request) {
    const struct resident_model *model;
    enum resident_layer layer;
    struct error error;
    const char *text;
    size_t bytes;
    if (request_model(request, &model, &layer))
        return -1;
    const struct slot *authors = resident_author_slot(model);
    if (authors == NULL || authors->point_count < 2)
        return problem_set(&request->problem, 404, "no_atlas", "model",
                           "\"%.100s\" has no two authors to lay out", model->name);
    if (model_atlas_text(model->atlas, &text, &bytes, &error))
        return problem_internal(&request->problem, "making the atlas", &error);
    return request_reply_data(request, "application/json", text, bytes);
}
