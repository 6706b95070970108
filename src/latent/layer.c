#include "latent/layer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "file/gguf.h"

enum { FORMAT_VERSION = 2, DEFAULT_RANK = 8 };

int layer_create(struct layer **out, const struct model *model, const char *kind, const char *name,
                 const struct overlay_config *overlay, uint64_t seed, struct error *error) {
    *out = NULL;
    struct layer *l = memory_allocate(1, sizeof *l, error);
    if (l == NULL)
        return -1;
    l->model = model;
    snprintf(l->kind, sizeof l->kind, "%s", kind);
    snprintf(l->name, sizeof l->name, "%s", name);
    l->calibration[LAYER_SAID] = l->calibration[LAYER_CONFIDENCE] = 1;
    l->overlay.config = *overlay;
    if (overlay->rank == 0)
        l->overlay.config = (struct overlay_config){
            .rank = DEFAULT_RANK, .first = model->config.split, .targets = 15, .scale = 2};
    if (overlay_config_check(&l->overlay.config, &model->config, error)) {
        layer_destroy(l);
        return -1;
    }
    overlay_layout_make(&l->overlay.layout, &l->overlay.config, &model->config, NULL, NULL);
    l->count = l->overlay.layout.count + model->config.latent_width;
    l->values = memory_allocate(l->count, sizeof *l->values, error);
    l->operands = model->precision == PRECISION_REAL || l->values == NULL
                      ? (void *)l->values
                      : memory_allocate(l->count, operand_bytes(model->precision), error);
    if (l->values == NULL || l->operands == NULL) {
        layer_destroy(l);
        return -1;
    }
    overlay_initialise(l->values, &l->overlay.layout, &l->overlay.config, &model->config, seed);
    l->overlay.values = l->values;
    l->overlay.operands = l->operands;
    layer_refresh_operands(l);
    *out = l;
    return 0;
}

void layer_destroy(struct layer *l) {
    if (l == NULL)
        return;
    if (l->operands != l->values)
        memory_free(l->operands);
    memory_free(l->values);
    memory_free(l);
}

void layer_refresh_operands(struct layer *l) {
    if (l->operands != l->values)
        operand_store(l->operands, l->values, l->count, l->model->precision);
}

struct weights layer_weights(const struct layer *l) {
    struct weights weights = model_weights(l->model);
    weights.overlay = &l->overlay;
    return weights;
}

const real *layer_vector(const struct layer *l) {
    return l->values + l->overlay.layout.count;
}

/* Of everything that the model owns, and of its base. */
uint64_t layer_model_fingerprint(const struct model *model) {
    uint64_t hash = random_hash(model->values, model->layout.count * sizeof *model->values);
    return model->base != NULL ? random_mix(hash ^ model->base->fingerprint) : hash;
}

static int save_keys(struct gguf_writer *writer, const struct layer *l, struct error *error) {
    const struct overlay_config *o = &l->overlay.config;
    return gguf_writer_add_string(writer, "general.architecture", "trine-layer", error) ||
           gguf_writer_add_string(writer, "general.name", l->name, error) ||
           gguf_writer_add_u32(writer, "trine.layer.version", FORMAT_VERSION, error) ||
           gguf_writer_add_string(writer, "trine.layer.kind", l->kind, error) ||
           gguf_writer_add_u64(writer, "trine.layer.model", layer_model_fingerprint(l->model),
                               error) ||
           gguf_writer_add_u32(writer, "trine.layer.rank", (uint32_t)o->rank, error) ||
           gguf_writer_add_u32(writer, "trine.layer.first_block", (uint32_t)o->first, error) ||
           gguf_writer_add_u32(writer, "trine.layer.targets", (uint32_t)o->targets, error) ||
           gguf_writer_add_f64(writer, "trine.layer.scale", o->scale, error) ||
           gguf_writer_add_f64_array(writer, "trine.layer.calibration", l->calibration,
                                     LAYER_CALIBRATION, error) ||
           gguf_writer_add_f64_array(writer, "trine.layer.beside", l->beside, LAYER_CALIBRATION,
                                     error) ||
           gguf_writer_add_u64(writer, "trine.layer.beside_model", l->beside_model, error);
}

/* The vector is the last "tensor". */
static size_t list_tensors(const struct layer *l, struct tensor_place *tensors) {
    struct overlay_layout layout;
    size_t count;
    overlay_layout_make(&layout, &l->overlay.config, &l->model->config, tensors, &count);
    if (l->model->config.latent_width > 0) {
        tensors[count] =
            (struct tensor_place){.offset = layout.count, .columns = l->model->config.latent_width};
        snprintf(tensors[count++].name, sizeof tensors->name, "vector");
    }
    return count;
}

void layer_fingerprint(const struct layer *l, char *text) {
    uint64_t hash = random_hash(l->values, l->count * sizeof *l->values);
    snprintf(text, LAYER_FINGERPRINT, "%016llx", (unsigned long long)hash);
}

int layer_save(const struct layer *l, const char *path, struct error *error) {
    struct tensor_place *tensors = memory_allocate(MAXIMUM_TENSORS, sizeof *tensors, error);
    float *floats = memory_allocate(l->count, sizeof *floats, error);
    struct gguf_writer *writer = NULL;
    int result = tensors == NULL || floats == NULL || gguf_writer_create(&writer, error) ||
                 save_keys(writer, l, error);
    for (size_t i = 0; result == 0 && i < l->count; i++)
        floats[i] = (float)l->values[i];
    size_t count = result == 0 ? list_tensors(l, tensors) : 0;
    for (size_t i = 0; result == 0 && i < count; i++) {
        const struct tensor_place *t = &tensors[i];
        size_t dimensions[2] = {t->columns, t->rows};
        result = gguf_writer_add_tensor(writer, t->name, dimensions, t->rows > 0 ? 2 : 1,
                                        t->rows > 0 ? TENSOR_BF16 : TENSOR_F32, floats + t->offset,
                                        error);
    }
    if (result == 0)
        result = gguf_writer_commit(writer, path, error);
    gguf_writer_destroy(writer);
    memory_free(tensors);
    memory_free(floats);
    return result ? -1 : 0;
}

struct stored {
    struct overlay_config overlay;
    struct gguf_string kind, name;
    double calibration[LAYER_CALIBRATION], beside[LAYER_CALIBRATION];
    uint64_t beside_model;
};

/* Version 1 knew of no other model. */
static int load_calibration(double *out, const struct gguf *file, const char *key, uint32_t version,
                            struct error *error) {
    static const size_t FIRST_VERSION[] = {LAYER_SAID,  LAYER_READ,  LAYER_HEARD,
                                           LAYER_SHIFT, LAYER_USUAL, LAYER_CONFIDENCE};
    enum { FIRST_COUNT = sizeof FIRST_VERSION / sizeof *FIRST_VERSION };
    double *numbers;
    size_t count;
    if (gguf_get_f64_array(file, key, &numbers, &count, error))
        return -1;
    int is_sound = count == (version == 1 ? FIRST_COUNT : LAYER_CALIBRATION);
    for (size_t i = 0; is_sound && i < count; i++) {
        out[version == 1 ? FIRST_VERSION[i] : i] = numbers[i];
        is_sound = isfinite(numbers[i]);
    }
    memory_free(numbers);
    return is_sound ? 0 : error_set(error, "%s: %s is broken", gguf_name(file), key);
}

static int load_keys(struct stored *s, const struct gguf *file, const struct model *model,
                     struct error *error) {
    struct gguf_string architecture;
    uint32_t version, rank, first, targets;
    uint64_t fingerprint;
    if (gguf_get_string(file, "general.architecture", &architecture, error))
        return -1;
    if (!gguf_string_is(architecture, "trine-layer"))
        return error_set(error, "%s is no layer", gguf_name(file));
    if (gguf_get_u32(file, "trine.layer.version", &version, error) ||
        gguf_get_string(file, "general.name", &s->name, error) ||
        gguf_get_string(file, "trine.layer.kind", &s->kind, error) ||
        gguf_get_u64(file, "trine.layer.model", &fingerprint, error) ||
        gguf_get_u32(file, "trine.layer.rank", &rank, error) ||
        gguf_get_u32(file, "trine.layer.first_block", &first, error) ||
        gguf_get_u32(file, "trine.layer.targets", &targets, error) ||
        gguf_get_f64(file, "trine.layer.scale", &s->overlay.scale, error))
        return -1;
    if (version < 1 || version > FORMAT_VERSION || rank == 0)
        return error_set(error, "%s is broken, or a layer of a later version", gguf_name(file));
    if (fingerprint != layer_model_fingerprint(model))
        return error_set(error, "%s is a layer of another model than \"%s\"", gguf_name(file),
                         model->name);
    if (load_calibration(s->calibration, file, "trine.layer.calibration", version, error) ||
        (version > 1 && (load_calibration(s->beside, file, "trine.layer.beside", version, error) ||
                         gguf_get_u64(file, "trine.layer.beside_model", &s->beside_model, error))))
        return -1;
    s->overlay.rank = rank;
    s->overlay.first = first;
    s->overlay.targets = targets;
    return 0;
}

static int load_tensors(struct layer *l, const struct gguf *file, struct error *error) {
    struct tensor_place *tensors = memory_allocate(MAXIMUM_TENSORS, sizeof *tensors, error);
    float *floats = memory_allocate(l->count, sizeof *floats, error);
    int result = tensors == NULL || floats == NULL ? -1 : 0;
    size_t count = result == 0 ? list_tensors(l, tensors) : 0;
    for (size_t i = 0; result == 0 && i < count; i++) {
        const struct tensor_place *t = &tensors[i];
        const struct gguf_tensor *stored = gguf_find_tensor(file, t->name);
        size_t size = (t->rows > 0 ? t->rows : 1) * t->columns;
        if (stored == NULL || stored->element_count != size)
            result = error_set(error, "%s: the tensor %s is missing or has another size",
                               gguf_name(file), t->name);
        else
            result = gguf_read_floats(stored, floats + t->offset, error);
    }
    for (size_t i = 0; result == 0 && i < l->count; i++) {
        if (!isfinite(floats[i]))
            result = error_set(error, "%s holds a number that is not finite", gguf_name(file));
        l->values[i] = (real)floats[i];
    }
    memory_free(tensors);
    memory_free(floats);
    return result;
}

int layer_load(struct layer **out, const struct model *model, const char *path,
               struct error *error) {
    struct gguf *file;
    struct stored stored = {0};
    char kind[16], name[64];
    *out = NULL;
    if (gguf_open(&file, path, error))
        return -1;
    int result = load_keys(&stored, file, model, error);
    if (result == 0) {
        snprintf(kind, sizeof kind, "%.*s", (int)stored.kind.length, stored.kind.data);
        snprintf(name, sizeof name, "%.*s", (int)stored.name.length, stored.name.data);
        result = layer_create(out, model, kind, name, &stored.overlay, 0, error);
    }
    if (result == 0)
        result = load_tensors(*out, file, error);
    gguf_close(file);
    if (result != 0) {
        layer_destroy(*out);
        *out = NULL;
        return -1;
    }
    memcpy((*out)->calibration, stored.calibration, sizeof stored.calibration);
    memcpy((*out)->beside, stored.beside, sizeof stored.beside);
    (*out)->beside_model = stored.beside_model;
    layer_refresh_operands(*out);
    return 0;
}
