#include "train/conditions_gather.h"

#include "base/memory.h"
#include "latent/place.h"

/* The point of a document's label. Every kind of slot has one, and only here do they differ. */
static void label_point(const struct model *model, size_t s,
                        const struct dataset_document *document, real *point) {
    const struct slot *slot = &model->slots.slots[s];
    const real *parameters = model_slot_parameters(model);
    if (slot->kind == LATENT_DATE) {
        slot_date_point(slot, parameters, document->year[s], point);
        return;
    }
    if (slot->kind == LATENT_PLACE) {
        slot_place_point(slot, parameters, document->place[s], point);
        return;
    }
    const real *table = parameters + slot->parameters + slot->width;
    for (size_t d = 0; d < slot->width; d++)
        point[d] = table[document->target[s].index[0] * slot->width + d];
}

static void add_document(struct conditions *c, const struct model *model,
                         const struct dataset_document *document) {
    real point[MAXIMUM_SLOT_WIDTH];
    if (!document->is_given[c->slot])
        return;
    size_t label = document->target[c->slot].index[0];
    float *means = c->means + label * model->config.latent_width;
    for (size_t s = 0; s < model->slots.count; s++) {
        const struct slot *slot = &model->slots.slots[s];
        if (!document->is_given[s])
            continue;
        c->documents[label * model->slots.count + s]++;
        if (s == c->slot)
            continue;
        label_point(model, s, document, point);
        for (size_t d = 0; d < slot->width; d++)
            means[slot->first + d] += (float)point[d];
    }
}

int conditions_gather(struct model *model, const struct dataset *dataset, struct error *error) {
    struct conditions *c;
    size_t own = conditions_slot(&model->slots);
    if (own == MAXIMUM_SLOTS)
        return 0;
    if (conditions_create(&c, model, own, error))
        return -1;
    for (size_t i = 0; i < dataset->count; i++)
        add_document(c, model, &dataset->documents[i]);
    for (size_t label = 0; label < model->slots.slots[own].point_count; label++)
        for (size_t s = 0; s < model->slots.count; s++) {
            const struct slot *slot = &model->slots.slots[s];
            float count = c->documents[label * model->slots.count + s];
            float *mean = c->means + label * model->config.latent_width + slot->first;
            for (size_t d = 0; count > 0 && d < slot->width; d++)
                mean[d] /= count;
        }
    conditions_destroy(model->conditions);
    model->conditions = c;
    return 0;
}
