#include "trine.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dream/evaluate.h"
#include "dream/place_belief.h"
#include "dream/read.h"
#include "dream/write.h"

struct trine_model {
    struct model *model;
};

struct trine_handle {
    struct handle handle;
};

/* Hands an error over to the caller; returns -1. */
static int fail(struct trine_error *out, const struct error *error) {
    if (out != NULL)
        snprintf(out->message, sizeof out->message, "%s", error->message);
    return -1;
}

static int refuse(struct trine_error *out, const char *message) {
    if (out != NULL)
        snprintf(out->message, sizeof out->message, "%s", message);
    return -1;
}

const char *trine_version(void) {
    return TRINE_VERSION;
}

trine_model *trine_model_open(const char *path, struct trine_error *out) {
    struct error error;
    trine_model *model = path == NULL ? NULL : memory_allocate(1, sizeof *model, &error);
    if (path == NULL)
        refuse(out, "trine_model_open: the path is NULL");
    else if (model == NULL || model_load(&model->model, path, PRECISION_BF16, &error)) {
        fail(out, &error);
        memory_free(model);
        model = NULL;
    }
    return model;
}

void trine_model_close(trine_model *model) {
    if (model != NULL)
        model_destroy(model->model);
    memory_free(model);
}

size_t trine_slot_count(const trine_model *model) {
    return model != NULL ? model->model->slots.count : 0;
}

const char *trine_slot_name(const trine_model *model, size_t slot) {
    return slot < trine_slot_count(model) ? model->model->slots.slots[slot].name : NULL;
}

size_t trine_slot_label_count(const trine_model *model, size_t slot) {
    if (slot >= trine_slot_count(model))
        return 0;
    const struct slot *found = &model->model->slots.slots[slot];
    return found->kind == LATENT_CATEGORICAL ? found->point_count : 0;
}

const char *trine_slot_label(const trine_model *model, size_t slot, size_t label) {
    return label < trine_slot_label_count(model, slot)
               ? model->model->slots.slots[slot].labels[label]
               : NULL;
}

trine_handle *trine_handle_new(const trine_model *model, struct trine_error *out) {
    struct error error;
    if (model == NULL) {
        refuse(out, "trine_handle_new: the model is NULL");
        return NULL;
    }
    trine_handle *handle = memory_allocate(1, sizeof *handle, &error);
    if (handle != NULL && handle_create(&handle->handle, model->model, &error) == 0)
        return handle;
    memory_free(handle);
    fail(out, &error);
    return NULL;
}

void trine_handle_free(trine_handle *handle) {
    if (handle != NULL)
        handle_free(&handle->handle);
    memory_free(handle);
}

int trine_handle_tell(trine_handle *handle, const char *slot, const char *label,
                      struct trine_error *out) {
    struct error error;
    if (handle == NULL || slot == NULL || label == NULL)
        return refuse(out, "trine_handle_tell: the handle, the slot or the label is NULL");
    return handle_tell(&handle->handle, slot, label, &error) ? fail(out, &error) : 0;
}

int trine_handle_tell_year(trine_handle *handle, const char *slot, double year,
                           struct trine_error *out) {
    struct error error;
    if (handle == NULL || slot == NULL || !isfinite(year))
        return refuse(out, "trine_handle_tell_year: the handle or the slot is NULL, or the year "
                           "is not finite");
    return handle_tell_year(&handle->handle, slot, year, &error) ? fail(out, &error) : 0;
}

int trine_handle_mix(trine_handle *handle, const char *slot, const char *mixture,
                     struct trine_error *out) {
    struct error error;
    if (handle == NULL || slot == NULL || mixture == NULL)
        return refuse(out, "trine_handle_mix: the handle, the slot or the mixture is NULL");
    return handle_tell_mixture(&handle->handle, slot, mixture, &error) ? fail(out, &error) : 0;
}

int trine_handle_tell_vector(trine_handle *handle, const char *slot, const double *vector,
                             size_t count, struct trine_error *out) {
    struct error error;
    if (handle == NULL || slot == NULL || vector == NULL)
        return refuse(out, "trine_handle_tell_vector: the handle, the slot or the vector is NULL");
    return handle_tell_vector(&handle->handle, slot, vector, count, &error) ? fail(out, &error) : 0;
}

int trine_handle_read(trine_handle *handle, const char *text, size_t length,
                      struct trine_error *out) {
    struct error error;
    if (handle == NULL || text == NULL || length == 0)
        return refuse(out, "trine_handle_read: the handle is NULL, or there is no text");
    return read_text(&handle->handle, NULL, handle->handle.model, text, length, NULL, NULL, &error)
               ? fail(out, &error)
               : 0;
}

int trine_handle_save(const trine_handle *handle, const char *path, struct trine_error *out) {
    struct error error;
    if (handle == NULL || path == NULL)
        return refuse(out, "trine_handle_save: the handle or the path is NULL");
    return handle_save(&handle->handle, path, &error) ? fail(out, &error) : 0;
}

/* Loads into a copy: a file that turns out bad halfway must not leave half of itself behind. */
int trine_handle_load(trine_handle *handle, const char *path, struct trine_error *out) {
    struct error error;
    struct handle copy;
    if (handle == NULL || path == NULL)
        return refuse(out, "trine_handle_load: the handle or the path is NULL");
    struct handle *old = &handle->handle;
    if (handle_create(&copy, old->model, &error))
        return fail(out, &error);
    struct handle loaded = *old;
    size_t bytes = old->model->config.latent_width * sizeof *old->mean;
    loaded.mean = memcpy(copy.mean, old->mean, bytes);
    loaded.precision = memcpy(copy.precision, old->precision, bytes);
    int result = handle_load(&loaded, path, &error);
    handle_free(result ? &loaded : old);
    if (result)
        return fail(out, &error);
    *old = loaded;
    return 0;
}

/* The slot's belief [point_count], to be freed with memory_free; NULL on failure. */
static double *belief(const trine_handle *handle, const struct slot *slot,
                      struct trine_error *out) {
    struct error error;
    double *log_odds = memory_allocate(slot->point_count, sizeof *log_odds, &error);
    if (log_odds == NULL || handle_log_odds(&handle->handle, slot, log_odds, &error)) {
        memory_free(log_odds);
        fail(out, &error);
        return NULL;
    }
    return log_odds;
}

/* The slot of that name and kind, or NULL. */
static const struct slot *slot_of(const trine_handle *handle, const char *name,
                                  enum latent_kind kind, struct trine_error *out) {
    if (handle == NULL)
        return refuse(out, "the handle is NULL"), NULL;
    const struct slot *slot = name == NULL ? NULL : slots_find(&handle->handle.model->slots, name);
    if (slot != NULL && slot->kind == kind)
        return slot;
    if (out != NULL)
        snprintf(out->message, sizeof out->message, "the model has no slot '%.80s' that holds %s",
                 name != NULL ? name : "(NULL)",
                 kind == LATENT_DATE    ? "dates"
                 : kind == LATENT_PLACE ? "places"
                                        : "labels");
    return NULL;
}

int trine_handle_labels(const trine_handle *handle, const char *name, struct trine_guess *guesses,
                        size_t count, struct trine_error *out) {
    if (guesses == NULL && count > 0)
        return refuse(out, "trine_handle_labels: there is no room for guesses");
    const struct slot *slot = slot_of(handle, name, LATENT_CATEGORICAL, out);
    double *log_odds = slot == NULL ? NULL : belief(handle, slot, out);
    if (log_odds == NULL)
        return -1;
    size_t filled = 0;
    for (; filled < count && filled < slot->point_count; filled++) {
        size_t best = 0;
        for (size_t i = 1; i < slot->point_count; i++)
            if (log_odds[i] > log_odds[best])
                best = i;
        guesses[filled] = (struct trine_guess){slot->labels[best], exp(log_odds[best])};
        log_odds[best] = -INFINITY;
    }
    memory_free(log_odds);
    return (int)filled;
}

int trine_handle_years(const trine_handle *handle, const char *name, struct trine_years *years,
                       struct trine_error *out) {
    if (years == NULL)
        return refuse(out, "trine_handle_years: there is no room for the years");
    const struct slot *slot = slot_of(handle, name, LATENT_DATE, out);
    double *log_odds = slot == NULL ? NULL : belief(handle, slot, out);
    if (log_odds == NULL)
        return -1;
    struct date_summary date = date_summarise(slot, log_odds);
    *years = (struct trine_years){date.median, date.low, date.high};
    memory_free(log_odds);
    return 0;
}

int trine_handle_place(const trine_handle *handle, const char *name, struct trine_place *place,
                       struct trine_error *out) {
    if (place == NULL)
        return refuse(out, "trine_handle_place: there is no room for the place");
    const struct slot *slot = slot_of(handle, name, LATENT_PLACE, out);
    double *log_odds = slot == NULL ? NULL : belief(handle, slot, out);
    if (log_odds == NULL)
        return -1;
    struct place_summary summary = place_summarise(slot, log_odds);
    *place = (struct trine_place){summary.middle.latitude, summary.middle.longitude,
                                  summary.radius_50, summary.radius_90};
    memory_free(log_odds);
    return 0;
}

struct trine_write_options trine_write_options_default(void) {
    return (struct trine_write_options){
        .tokens = 200, .seed = 1, .temperature = 0.8, .top_p = 0.95};
}

int trine_write(const trine_handle *handle, const struct trine_write_options *options,
                trine_write_callback *callback, void *context, struct trine_error *out) {
    struct error error;
    struct writer *writer;
    struct trine_write_options o = options != NULL ? *options : trine_write_options_default();
    if (handle == NULL || callback == NULL)
        return refuse(out, "trine_write: the handle or the callback is NULL");
    if (!(o.temperature >= 0) || !(o.top_p >= 0 && o.top_p <= 1) || !(o.min_p >= 0 && o.min_p <= 1))
        return refuse(out, "trine_write: temperature must be at least 0, top_p and min_p from 0 "
                           "to 1");
    struct write_options wanted = {
        .prompt = o.prompt,
        .tokens = o.tokens,
        .seed = o.seed,
        .sampling = {.temperature = o.temperature, .top_p = o.top_p, .min_p = o.min_p}};
    if (writer_create(&writer, handle->handle.model, &error))
        return fail(out, &error);
    int result = writer_write(writer, &handle->handle, &wanted, callback, context, &error);
    writer_destroy(writer);
    return result ? fail(out, &error) : 0;
}
