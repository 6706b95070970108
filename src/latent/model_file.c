#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "file/gguf.h"
#include "file/tokenizer_gguf.h"
#include "latent/conditions.h"
#include "latent/place.h"

enum { FORMAT_VERSION = 1 };

/* The sizes of struct config that the file holds as u32. */
static const struct size_key {
    const char *key;
    size_t offset;
} SIZES[] = {
    {"trine.vocab_size", offsetof(struct config, vocabulary)},
    {"trine.embedding_length", offsetof(struct config, width)},
    {"trine.block_count", offsetof(struct config, blocks)},
    {"trine.attention.head_count", offsetof(struct config, heads)},
    {"trine.attention.head_count_kv", offsetof(struct config, key_value_heads)},
    {"trine.attention.key_length", offsetof(struct config, head_width)},
    {"trine.feed_forward_length", offsetof(struct config, inner)},
    {"trine.context_length", offsetof(struct config, context)},
    {"trine.split", offsetof(struct config, split)},
    {"trine.evidence.ngram_orders", offsetof(struct config, ngram_orders)},
    {"trine.evidence.ngram_rows", offsetof(struct config, ngram_rows)},
};

enum { SIZE_COUNT = sizeof SIZES / sizeof *SIZES };

/* The same of models on a base. */
static const struct size_key ADAPTER_SIZES[] = {
    {"trine.adapter.rank", offsetof(struct config, adapter_rank)},
    {"trine.adapter.first_block", offsetof(struct config, adapter_first)},
    {"trine.adapter.targets", offsetof(struct config, adapter_targets)},
};

enum { ADAPTER_SIZE_COUNT = sizeof ADAPTER_SIZES / sizeof *ADAPTER_SIZES };

static size_t *size_field(struct config *config, const struct size_key *size) {
    return (size_t *)(void *)((char *)config + size->offset);
}

struct key {
    char text[96];
};

static const char *slot_key(struct key *key, size_t slot, const char *field) {
    snprintf(key->text, sizeof key->text, "trine.slot.%zu.%s", slot, field);
    return key->text;
}

static int save_labels(struct gguf_writer *writer, const struct slot *slot, size_t s,
                       struct error *error) {
    struct key key;
    struct gguf_string *labels = memory_allocate(slot->point_count, sizeof *labels, error);
    if (labels == NULL)
        return -1;
    for (size_t i = 0; i < slot->point_count; i++)
        labels[i] = (struct gguf_string){slot->labels[i], strlen(slot->labels[i])};
    int result = gguf_writer_add_string_array(writer, slot_key(&key, s, "labels"), labels,
                                              slot->point_count, error);
    memory_free(labels);
    return result || gguf_writer_add_f64_array(writer, slot_key(&key, s, "log_prior"),
                                               slot->log_prior, slot->point_count, error);
}

static int save_cap(struct gguf_writer *writer, const struct cap *cap, size_t s,
                    struct error *error) {
    struct key key;
    const struct location *centre = &cap->centre;
    return gguf_writer_add_f64(writer, slot_key(&key, s, "latitude"), centre->latitude, error) ||
           gguf_writer_add_f64(writer, slot_key(&key, s, "longitude"), centre->longitude, error) ||
           gguf_writer_add_f64(writer, slot_key(&key, s, "radius"), cap->radius, error);
}

static int save_slot(struct gguf_writer *writer, const struct slot *slot, size_t s,
                     struct error *error) {
    struct key key;
    if (gguf_writer_add_string(writer, slot_key(&key, s, "name"), slot->name, error) ||
        gguf_writer_add_string(writer, slot_key(&key, s, "kind"), latent_kind_name(slot->kind),
                               error) ||
        gguf_writer_add_u32(writer, slot_key(&key, s, "width"), (uint32_t)slot->width, error) ||
        gguf_writer_add_f64_array(writer, slot_key(&key, s, "calibration"), slot->calibration, 2,
                                  error) ||
        gguf_writer_add_f64_array(writer, slot_key(&key, s, "likelihood"), slot->likelihood, 2,
                                  error))
        return -1;
    if (slot->naming > 0 &&
        gguf_writer_add_f64(writer, slot_key(&key, s, "naming"), slot->naming, error))
        return -1;
    if (slot->kind == LATENT_CATEGORICAL)
        return save_labels(writer, slot, s, error);
    if (slot->kind == LATENT_PLACE)
        return save_cap(writer, &slot->cap, s, error);
    double last = slot->year_from + slot->year_step * (double)(slot->point_count - 1);
    return gguf_writer_add_f64(writer, slot_key(&key, s, "year_from"), slot->year_from, error) ||
           gguf_writer_add_f64(writer, slot_key(&key, s, "year_to"), last, error);
}

/* What the model stands on; its tokenizer is there. */
static int save_base_keys(struct gguf_writer *writer, const struct model *model,
                          struct error *error) {
    struct config config = model->config;
    for (size_t i = 0; i < ADAPTER_SIZE_COUNT; i++)
        if (gguf_writer_add_u32(writer, ADAPTER_SIZES[i].key,
                                (uint32_t)*size_field(&config, &ADAPTER_SIZES[i]), error))
            return -1;
    return gguf_writer_add_f64(writer, "trine.adapter.scale", config.adapter_scale, error) ||
           gguf_writer_add_u64(writer, "trine.base.fingerprint", model->base->fingerprint, error) ||
           gguf_writer_add_string(writer, "trine.base.file", model->base_file, error) ||
           gguf_writer_add_string(writer, "trine.base.name", model->base->name, error);
}

static int save_keys(struct gguf_writer *writer, const struct model *model, struct error *error) {
    struct config config = model->config;
    if (gguf_writer_add_string(writer, "general.architecture", "trine", error) ||
        gguf_writer_add_string(writer, "general.type", "model", error) ||
        gguf_writer_add_string(writer, "general.name", model->name, error) ||
        gguf_writer_add_u32(writer, "trine.version", FORMAT_VERSION, error) ||
        gguf_writer_add_u64(writer, "trine.tokens_trained", model->tokens_trained, error) ||
        gguf_writer_add_f64(writer, "trine.rope.freq_base", config.rope_base, error) ||
        gguf_writer_add_f64(writer, "trine.attention.layer_norm_rms_epsilon", config.epsilon,
                            error) ||
        gguf_writer_add_u32(writer, "trine.slot_count", (uint32_t)model->slots.count, error))
        return -1;
    for (size_t i = 0; i < SIZE_COUNT; i++)
        if (gguf_writer_add_u32(writer, SIZES[i].key, (uint32_t)*size_field(&config, &SIZES[i]),
                                error))
            return -1;
    for (size_t s = 0; s < model->slots.count; s++)
        if (save_slot(writer, &model->slots.slots[s], s, error))
            return -1;
    return model->base != NULL ? save_base_keys(writer, model, error)
                               : tokenizer_gguf_save(writer, model->tokenizer, error);
}

/* The file holds floats; the F64 build converts. */
static float *as_floats(const real *values, size_t count, struct error *error) {
    float *floats = memory_allocate(count, sizeof *floats, error);
    for (size_t i = 0; floats != NULL && i < count; i++)
        floats[i] = (float)values[i];
    return floats;
}

/* Models on a base are passed around: their matrices are stored in two bytes, n-gram tables in
 * one where rows are whole blocks. */
static enum tensor_type stored_type(const struct model *model, size_t rows) {
    return model->base != NULL && rows > 0 ? TENSOR_BF16 : TENSOR_F32;
}

static enum tensor_type stored_ngram_type(const struct model *model) {
    int is_whole = model->config.latent_width % tensor_type_block(TENSOR_Q8_0) == 0;
    return model->base != NULL && is_whole ? TENSOR_Q8_0 : TENSOR_BF16;
}

static int save_tensors(struct gguf_writer *writer, const struct model *model, const float *values,
                        const float *ngrams, struct error *error) {
    struct tensor_place tensors[MAXIMUM_TENSORS];
    struct layout layout;
    size_t count;
    layout_make(&layout, &model->config, tensors, &count);
    for (size_t i = 0; i < count; i++) {
        size_t dimensions[2] = {tensors[i].columns, tensors[i].rows};
        if (gguf_writer_add_tensor(writer, tensors[i].name, dimensions, tensors[i].rows > 0 ? 2 : 1,
                                   stored_type(model, tensors[i].rows), values + tensors[i].offset,
                                   error))
            return -1;
    }
    if (config_ngram_count(&model->config) == 0)
        return 0;
    size_t dimensions[2] = {model->config.latent_width,
                            model->config.ngram_orders * model->config.ngram_rows};
    return gguf_writer_add_tensor(writer, "evidence.ngrams.weight", dimensions, 2,
                                  stored_ngram_type(model), ngrams, error);
}

int model_save(const struct model *model, const char *path, struct error *error) {
    struct gguf_writer *writer = NULL;
    float *values = as_floats(model->values, model->layout.count, error);
    float *ngrams = as_floats(model->ngrams, config_ngram_count(&model->config), error);
    int result = values == NULL || ngrams == NULL || gguf_writer_create(&writer, error) ||
                 save_keys(writer, model, error) ||
                 save_tensors(writer, model, values, ngrams, error) ||
                 conditions_save(writer, model, error) || gguf_writer_commit(writer, path, error);
    gguf_writer_destroy(writer);
    memory_free(values);
    memory_free(ngrams);
    return result ? -1 : 0;
}

static int load_labels(struct slots *slots, const struct gguf *file, size_t s, const char *name,
                       size_t width, struct error *error) {
    struct key key;
    struct gguf_string *strings = NULL;
    double *log_prior = NULL;
    size_t count = 0, prior_count = 0;
    int result =
        gguf_get_string_array(file, slot_key(&key, s, "labels"), &strings, &count, error) ||
        gguf_get_f64_array(file, slot_key(&key, s, "log_prior"), &log_prior, &prior_count, error);
    char **labels = result ? NULL : memory_allocate(count, sizeof *labels, error);
    double *zeros = result ? NULL : memory_allocate(count, sizeof *zeros, error);
    result = result || labels == NULL || zeros == NULL;
    if (!result && prior_count != count)
        result = error_set(error, "%s: slot %s has %zu labels and %zu priors", gguf_name(file),
                           name, count, prior_count);
    for (size_t i = 0; i < count && !result; i++) {
        labels[i] = strndup(strings[i].data, strings[i].length);
        if (labels[i] == NULL || !isfinite(log_prior[i]))
            result = error_set(error, "%s: label %zu of slot %s cannot be used", gguf_name(file), i,
                               name);
    }
    if (!result)
        result = slots_add_categorical(slots, name, width, (const char *const *)labels, zeros,
                                       count, error);
    if (!result)
        memcpy(slots->slots[slots->count - 1].log_prior, log_prior, count * sizeof *log_prior);
    for (size_t i = 0; labels != NULL && i < count; i++)
        free(labels[i]);
    memory_free(labels);
    memory_free(zeros);
    memory_free(strings);
    memory_free(log_prior);
    return result ? -1 : 0;
}

static int load_date(struct slots *slots, const struct gguf *file, size_t s, const char *name,
                     size_t width, struct error *error) {
    struct key key;
    double from, to;
    if (gguf_get_f64(file, slot_key(&key, s, "year_from"), &from, error) ||
        gguf_get_f64(file, slot_key(&key, s, "year_to"), &to, error))
        return -1;
    return slots_add_date_grid(slots, name, width, from, to, error);
}

static int load_place(struct slots *slots, const struct gguf *file, size_t s, const char *name,
                      size_t width, struct error *error) {
    struct key key;
    struct cap cap;
    if (gguf_get_f64(file, slot_key(&key, s, "latitude"), &cap.centre.latitude, error) ||
        gguf_get_f64(file, slot_key(&key, s, "longitude"), &cap.centre.longitude, error) ||
        gguf_get_f64(file, slot_key(&key, s, "radius"), &cap.radius, error))
        return -1;
    return slots_add_place_cap(slots, name, width, &cap, error);
}

/* One of the pairs of numbers that make a factor of the count of tokens. */
static int load_factor(const struct gguf *file, const char *key, double out[2],
                       struct error *error) {
    double *values;
    size_t count;
    if (gguf_get_f64_array(file, key, &values, &count, error))
        return -1;
    int is_fine = count == 2 && fabs(values[0]) <= 20 && fabs(values[1]) <= 20;
    if (is_fine)
        memcpy(out, values, 2 * sizeof *out);
    memory_free(values);
    return is_fine ? 0
                   : error_set(error, "%s: %s must be two numbers from -20 to 20", gguf_name(file),
                               key);
}

/* Only models that were taught names have it. */
static int load_naming(const struct gguf *file, size_t s, struct slot *slot, struct error *error) {
    struct key key;
    if (!gguf_has(file, slot_key(&key, s, "naming")))
        return 0;
    if (gguf_get_f64(file, key.text, &slot->naming, error))
        return -1;
    return slot->naming > 0 && slot->naming <= 1000 && slot->kind == LATENT_CATEGORICAL
               ? 0
               : error_set(error, "%s: %s makes no sense", gguf_name(file), key.text);
}

static int load_slot(struct slots *slots, const struct gguf *file, size_t s, struct error *error) {
    struct key key;
    struct gguf_string name, kind;
    uint32_t width;
    char text[64];
    if (gguf_get_string(file, slot_key(&key, s, "name"), &name, error) ||
        gguf_get_string(file, slot_key(&key, s, "kind"), &kind, error) ||
        gguf_get_u32(file, slot_key(&key, s, "width"), &width, error))
        return -1;
    if (name.length >= sizeof text)
        return error_set(error, "%s: the name of slot %zu is too long", gguf_name(file), s);
    snprintf(text, sizeof text, "%.*s", (int)name.length, name.data);
    int result = gguf_string_is(kind, latent_kind_name(LATENT_DATE))
                     ? load_date(slots, file, s, text, width, error)
                 : gguf_string_is(kind, latent_kind_name(LATENT_PLACE))
                     ? load_place(slots, file, s, text, width, error)
                 : gguf_string_is(kind, latent_kind_name(LATENT_CATEGORICAL))
                     ? load_labels(slots, file, s, text, width, error)
                     : error_set(error, "%s: slot %s is of an unknown kind", gguf_name(file), text);
    if (result != 0)
        return -1;
    struct slot *slot = &slots->slots[slots->count - 1];
    return load_factor(file, slot_key(&key, s, "calibration"), slot->calibration, error) ||
                   load_factor(file, slot_key(&key, s, "likelihood"), slot->likelihood, error) ||
                   load_naming(file, s, slot, error)
               ? -1
               : 0;
}

static int load_tensor(const struct gguf *file, const char *name, size_t rows, size_t columns,
                       real *out, struct error *error) {
    const struct gguf_tensor *tensor = gguf_find_tensor(file, name);
    size_t count = (rows > 0 ? rows : 1) * columns;
    if (tensor == NULL)
        return error_set(error, "%s has no tensor %s", gguf_name(file), name);
    if (tensor->element_count != count || tensor->dimensions[0] != columns)
        return error_set(error,
                         "%s: tensor %s has %zu numbers in rows of %zu; %zu in rows of %zu "
                         "were expected",
                         gguf_name(file), name, tensor->element_count, tensor->dimensions[0], count,
                         columns);
    float *floats = memory_allocate(count, sizeof *floats, error);
    if (floats == NULL || gguf_read_floats(tensor, floats, error)) {
        memory_free(floats);
        return -1;
    }
    int is_finite = 1;
    for (size_t i = 0; i < count; i++) {
        out[i] = (real)floats[i];
        is_finite &= isfinite(floats[i]) != 0;
    }
    memory_free(floats);
    return is_finite ? 0
                     : error_set(error, "%s: tensor %s holds numbers that are not finite",
                                 gguf_name(file), name);
}

static int load_tensors(struct model *model, const struct gguf *file, struct error *error) {
    struct tensor_place tensors[MAXIMUM_TENSORS];
    struct layout layout;
    size_t count;
    layout_make(&layout, &model->config, tensors, &count);
    for (size_t i = 0; i < count; i++)
        if (load_tensor(file, tensors[i].name, tensors[i].rows, tensors[i].columns,
                        model->values + tensors[i].offset, error))
            return -1;
    if (config_ngram_count(&model->config) == 0)
        return 0;
    return load_tensor(file, "evidence.ngrams.weight",
                       model->config.ngram_orders * model->config.ngram_rows,
                       model->config.latent_width, model->ngrams, error);
}

static int load_header(struct config *config, struct slots *slots, const struct gguf *file,
                       struct error *error) {
    struct gguf_string architecture;
    uint32_t version, slot_count;
    if (gguf_get_string(file, "general.architecture", &architecture, error))
        return -1;
    if (!gguf_string_is(architecture, "trine"))
        return error_set(error, "%s is a model of architecture %.*s, not of trine", gguf_name(file),
                         (int)(architecture.length < 64 ? architecture.length : 64),
                         architecture.data);
    if (gguf_get_u32(file, "trine.version", &version, error))
        return -1;
    if (version != FORMAT_VERSION)
        return error_set(error, "%s is of format version %u; this program reads version %d",
                         gguf_name(file), version, FORMAT_VERSION);
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        uint32_t value;
        if (gguf_get_u32(file, SIZES[i].key, &value, error))
            return -1;
        *size_field(config, &SIZES[i]) = value;
    }
    if (gguf_get_f64(file, "trine.rope.freq_base", &config->rope_base, error) ||
        gguf_get_f64(file, "trine.attention.layer_norm_rms_epsilon", &config->epsilon, error) ||
        gguf_get_u32(file, "trine.slot_count", &slot_count, error))
        return -1;
    for (uint32_t s = 0; s < slot_count; s++)
        if (load_slot(slots, file, s, error))
            return -1;
    return 0;
}

/* Sizes that the file's own tensors do not fill must not be allocated. */
static int check_room(const struct config *config, const struct gguf *file, struct error *error) {
    struct tensor_place tensors[MAXIMUM_TENSORS];
    struct layout layout;
    size_t count, wanted = config_ngram_count(config), present = 0;
    layout_make(&layout, config, tensors, &count);
    for (size_t i = 0; i < count; i++)
        wanted += (tensors[i].rows > 0 ? tensors[i].rows : 1) * tensors[i].columns;
    for (size_t i = 0; i < gguf_tensor_count(file); i++)
        present += gguf_tensor_at(file, i)->element_count;
    if (wanted > present)
        return error_set(error, "%s: its sizes ask for %zu numbers and its tensors hold %zu",
                         gguf_name(file), wanted, present);
    return 0;
}

static int load_base_keys(struct config *config, const struct gguf *file, struct error *error) {
    if (!gguf_has(file, "trine.base.fingerprint"))
        return 0;
    config->has_base = 1;
    for (size_t i = 0; i < ADAPTER_SIZE_COUNT; i++) {
        uint32_t value;
        if (gguf_get_u32(file, ADAPTER_SIZES[i].key, &value, error))
            return -1;
        *size_field(config, &ADAPTER_SIZES[i]) = value;
    }
    return gguf_get_f64(file, "trine.adapter.scale", &config->adapter_scale, error);
}

/* Where the base may lie: what was asked for, or its name beside the model and here. */
static int open_base(struct checkpoint **base, struct tokenizer **tokenizer, char *name,
                     size_t name_size, const struct gguf *file, const char *wanted,
                     struct error *error) {
    struct gguf_string stored;
    if (gguf_get_string(file, "trine.base.file", &stored, error))
        return -1;
    if (stored.length == 0 || stored.length >= name_size ||
        memchr(stored.data, '/', stored.length) != NULL ||
        memchr(stored.data, '\0', stored.length) != NULL)
        return error_set(error, "%s: trine.base.file is no file's name", gguf_name(file));
    snprintf(name, name_size, "%.*s", (int)stored.length, stored.data);
    if (wanted == NULL)
        wanted = getenv("TRINE_BASE");
    if (wanted != NULL && *wanted != '\0')
        return checkpoint_open(base, tokenizer, wanted, error);
    const char *path = gguf_name(file), *slash = strrchr(path, '/');
    char beside[4096];
    snprintf(beside, sizeof beside, "%.*s%s", slash != NULL ? (int)(slash + 1 - path) : 0, path,
             name);
    if (access(beside, R_OK) == 0)
        return checkpoint_open(base, tokenizer, beside, error);
    if (access(name, R_OK) == 0)
        return checkpoint_open(base, tokenizer, name, error);
    return error_set(error,
                     "%s stands on the checkpoint %s, which is neither beside it nor here; name it "
                     "with --base or in TRINE_BASE",
                     path, name);
}

static int check_base(const struct checkpoint *base, const struct config *config,
                      const struct gguf *file, struct error *error) {
    uint64_t fingerprint;
    const struct config *b = &base->config;
    if (gguf_get_u64(file, "trine.base.fingerprint", &fingerprint, error))
        return -1;
    if (fingerprint == base->fingerprint && b->vocabulary == config->vocabulary &&
        b->width == config->width && b->blocks == config->blocks && b->heads == config->heads &&
        b->key_value_heads == config->key_value_heads && b->head_width == config->head_width &&
        b->inner == config->inner)
        return 0;
    return error_set(error, "%s was trained on another checkpoint than \"%s\"", gguf_name(file),
                     base->name);
}

/* What is read before the model can be made. */
struct loaded {
    struct config config;
    struct slots slots;
    struct tokenizer *tokenizer;
    struct checkpoint *base;
    char base_file[256];
    struct gguf_string name;
    uint64_t trained;
};

static int load_parts(struct loaded *l, const struct gguf *file, const char *base,
                      struct error *error) {
    if (load_header(&l->config, &l->slots, file, error) ||
        load_base_keys(&l->config, file, error) ||
        gguf_get_string(file, "general.name", &l->name, error) ||
        gguf_get_u64(file, "trine.tokens_trained", &l->trained, error))
        return -1;
    l->config.latent_width = l->slots.latent_width;
    l->config.slot_parameters = l->slots.parameter_count;
    if (config_check(&l->config, error) || check_room(&l->config, file, error))
        return -1;
    if (l->config.has_base ? open_base(&l->base, &l->tokenizer, l->base_file, sizeof l->base_file,
                                       file, base, error) ||
                                 check_base(l->base, &l->config, file, error)
                           : tokenizer_gguf_load(&l->tokenizer, file, error))
        return -1;
    size_t count = tokenizer_vocabulary_size(l->tokenizer);
    return count == l->config.vocabulary
               ? 0
               : error_set(error, "%s: %zu tokens for a vocabulary of %zu", gguf_name(file), count,
                           l->config.vocabulary);
}

static int load_open_file(struct model **out, const struct gguf *file, const char *base,
                          enum precision precision, struct error *error) {
    struct loaded l = {0};
    int result = load_parts(&l, file, base, error);
    if (result == 0)
        result =
            l.base != NULL
                ? model_create_on(out, l.base, l.config, &l.slots, l.tokenizer, precision, 0, error)
                : model_create(out, l.config, &l.slots, l.tokenizer, precision, 0, error);
    if (result != 0) {
        slots_free(&l.slots);
        tokenizer_destroy(l.tokenizer);
        checkpoint_close(l.base);
        return -1;
    }
    struct model *model = *out;
    snprintf(model->name, sizeof model->name, "%.*s",
             (int)(l.name.length < sizeof model->name ? l.name.length : sizeof model->name - 1),
             l.name.data);
    snprintf(model->base_file, sizeof model->base_file, "%s", l.base_file);
    model->tokens_trained = l.trained;
    if (load_tensors(model, file, error) == 0 && conditions_load(model, file, error) == 0) {
        model_refresh_operands(model);
        return 0;
    }
    model_destroy(model);
    *out = NULL;
    return -1;
}

/* A checkpoint as a model without slots. */
static int load_checkpoint(struct model **out, const char *path, enum precision precision,
                           struct error *error) {
    struct checkpoint *base;
    struct tokenizer *tokenizer;
    struct slots none = {0};
    if (checkpoint_open(&base, &tokenizer, path, error))
        return -1;
    if (model_create_on(out, base, (struct config){0}, &none, tokenizer, precision, 0, error)) {
        tokenizer_destroy(tokenizer);
        checkpoint_close(base);
        return -1;
    }
    const char *slash = strrchr(path, '/');
    snprintf((*out)->name, sizeof(*out)->name, "%s", base->name);
    snprintf((*out)->base_file, sizeof(*out)->base_file, "%s", slash != NULL ? slash + 1 : path);
    return 0;
}

static int is_directory(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int model_load_on(struct model **out, const char *path, const char *base, enum precision precision,
                  struct error *error) {
    struct gguf *file;
    *out = NULL;
    if (is_directory(path))
        return load_checkpoint(out, path, precision, error);
    if (gguf_open(&file, path, error))
        return -1;
    int result = checkpoint_is_gguf(file) ? load_checkpoint(out, path, precision, error)
                                          : load_open_file(out, file, base, precision, error);
    gguf_close(file);
    return result;
}

int model_load(struct model **out, const char *path, enum precision precision,
               struct error *error) {
    return model_load_on(out, path, NULL, precision, error);
}

int model_load_tokenizer(struct tokenizer **out, const char *path, struct error *error) {
    struct gguf *file;
    struct checkpoint *base = NULL;
    char name[256];
    *out = NULL;
    if (is_directory(path)) {
        int result = checkpoint_open(&base, out, path, error);
        checkpoint_close(base);
        return result;
    }
    if (gguf_open(&file, path, error))
        return -1;
    int result = gguf_has(file, "trine.base.fingerprint")
                     ? open_base(&base, out, name, sizeof name, file, NULL, error)
                     : tokenizer_gguf_load(out, file, error);
    checkpoint_close(base);
    gguf_close(file);
    return result;
}
