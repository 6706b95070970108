#include "latent/conditions.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static const char SLOT[] = "trine.conditions.slot", MEANS[] = "conditions.mean",
                  DOCUMENTS[] = "conditions.documents";
static const float POINT_MOST = 1e4f, DOCUMENTS_MOST = 1e9f;

size_t conditions_slot(const struct slots *slots) {
    const struct slot *author = slots_find(slots, "author");
    if (author != NULL && author->kind == LATENT_CATEGORICAL)
        return (size_t)(author - slots->slots);
    for (size_t s = 0; s < slots->count; s++)
        if (slots->slots[s].kind == LATENT_CATEGORICAL)
            return s;
    return MAXIMUM_SLOTS;
}

int conditions_create(struct conditions **out, const struct model *model, size_t slot,
                      struct error *error) {
    size_t labels = model->slots.slots[slot].point_count;
    struct conditions *c = memory_allocate(1, sizeof *c, error);
    *out = c;
    if (c == NULL)
        return -1;
    c->slot = slot;
    c->means = memory_allocate(labels * model->config.latent_width, sizeof *c->means, error);
    c->documents = memory_allocate(labels * model->slots.count, sizeof *c->documents, error);
    if (c->means != NULL && c->documents != NULL)
        return 0;
    conditions_destroy(c);
    *out = NULL;
    return -1;
}

void conditions_destroy(struct conditions *conditions) {
    if (conditions == NULL)
        return;
    memory_free(conditions->means);
    memory_free(conditions->documents);
    memory_free(conditions);
}

int conditions_save(struct gguf_writer *writer, const struct model *model, struct error *error) {
    const struct conditions *c = model->conditions;
    if (c == NULL)
        return 0;
    size_t labels = model->slots.slots[c->slot].point_count;
    size_t means[2] = {model->config.latent_width, labels};
    size_t documents[2] = {model->slots.count, labels};
    return gguf_writer_add_u32(writer, SLOT, (uint32_t)c->slot, error) ||
           gguf_writer_add_tensor(writer, MEANS, means, 2, TENSOR_F32, c->means, error) ||
           gguf_writer_add_tensor(writer, DOCUMENTS, documents, 2, TENSOR_F32, c->documents, error);
}

/* out[rows,columns] <- a tensor of numbers from `least` to `most`. */
static int load(float *out, const struct gguf *file, const char *name, size_t rows, size_t columns,
                float least, float most, struct error *error) {
    const struct gguf_tensor *tensor = gguf_find_tensor(file, name);
    if (tensor == NULL || tensor->dimensions[0] != columns || tensor->dimensions[1] != rows ||
        tensor->element_count != rows * columns)
        return error_set(error, "%s: tensor %s must have %zu rows of %zu", gguf_name(file), name,
                         rows, columns);
    if (gguf_read_floats(tensor, out, error))
        return -1;
    for (size_t i = 0; i < rows * columns; i++)
        if (!(out[i] >= least && out[i] <= most))
            return error_set(error, "%s: tensor %s holds %g where %g to %g are possible",
                             gguf_name(file), name, (double)out[i], (double)least, (double)most);
    return 0;
}

int conditions_load(struct model *model, const struct gguf *file, struct error *error) {
    uint32_t slot;
    if (!gguf_has(file, SLOT))
        return 0;
    if (gguf_get_u32(file, SLOT, &slot, error))
        return -1;
    if (slot >= model->slots.count || model->slots.slots[slot].kind != LATENT_CATEGORICAL)
        return error_set(error, "%s: %s is %u, which is no slot with labels", gguf_name(file), SLOT,
                         slot);
    size_t labels = model->slots.slots[slot].point_count;
    if (conditions_create(&model->conditions, model, slot, error))
        return -1;
    return load(model->conditions->means, file, MEANS, labels, model->config.latent_width,
                -POINT_MOST, POINT_MOST, error) ||
                   load(model->conditions->documents, file, DOCUMENTS, labels, model->slots.count,
                        0, DOCUMENTS_MOST, error)
               ? -1
               : 0;
}
