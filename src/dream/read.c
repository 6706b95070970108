#include "dream/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/cancellation.h"
#include "base/memory.h"
#include "dream/document.h"
#include "model/batcher.h"

/* Windows after the first begin with some text that was read already, so that their first tokens
 * have a context; its evidence is not counted twice. */
enum { OVERLAP_DIVISOR = 8 };

struct text_reader {
    const struct model *model;
    struct pass *pass;
    int32_t *tokens;
    real *precision, *information; /* [Z] of everything counted so far */
    real *mean;
    size_t time;
};

static int text_reader_create(struct text_reader *r, const struct model *model,
                              struct error *error) {
    struct weights weights = model_weights(model);
    size_t width = model->config.latent_width;
    *r = (struct text_reader){.model = model, .time = model->config.context};
    r->tokens = memory_allocate(r->time, sizeof *r->tokens, error);
    r->precision = memory_allocate(width, sizeof(real), error);
    r->information = memory_allocate(width, sizeof(real), error);
    r->mean = memory_allocate(width, sizeof(real), error);
    if (!r->tokens || !r->precision || !r->information || !r->mean)
        return -1;
    for (size_t d = 0; d < width; d++)
        r->precision[d] = 1;
    return pass_create(&r->pass, &weights, 1, r->time, 0, error);
}

static void text_reader_free(struct text_reader *r) {
    pass_destroy(r->pass);
    memory_free(r->tokens);
    memory_free(r->precision);
    memory_free(r->information);
    memory_free(r->mean);
}

/* What the window adds between two of its tokens, on top of everything before. `before` < 0: from
 * the window's start. */
static void combine(struct text_reader *r, long before, size_t at, real *precision,
                    real *information) {
    size_t width = r->model->config.latent_width;
    const real *mean = pass_mean(r->pass), *running = pass_precision(r->pass);
    for (size_t d = 0; d < width; d++) {
        size_t i = at * width + d;
        real old_precision = 1, old_information = 0;
        if (before >= 0) {
            size_t j = (size_t)before * width + d;
            old_precision = running[j];
            old_information = running[j] * mean[j];
        }
        precision[d] = r->precision[d] + running[i] - old_precision;
        information[d] = r->information[d] + running[i] * mean[i] - old_information;
    }
}

static void run_pass(void *context) {
    struct text_reader *r = context;
    pass_read(r->pass, r->tokens, &(struct pass_handle){0});
}

/* Reads the window ids[start..start+count) of which the first `known` were counted before.
 * Returns 1 when the callback stops it. */
static int read_window(struct text_reader *r, const uint32_t *ids, size_t count, size_t known,
                       size_t already, read_callback *callback, void *context, real *precision,
                       real *information) {
    size_t width = r->model->config.latent_width;
    for (size_t i = 0; i < r->time; i++)
        r->tokens[i] = i < count ? (int32_t)ids[i] : 0;
    batcher_alone(r->model->batcher, run_pass, r);
    int stopped = 0;
    for (size_t i = known; i < count && !stopped; i++) {
        combine(r, (long)known - 1, i, precision, information);
        if (callback == NULL && i + 1 < count)
            continue;
        for (size_t d = 0; d < width; d++)
            r->mean[d] = information[d] / precision[d];
        struct token_bytes bytes = tokenizer_token(r->model->tokenizer, ids[i]);
        struct read_state state = {.tokens = already + i - known + 1,
                                   .text = bytes.data,
                                   .text_bytes = bytes.length,
                                   .mean = r->mean,
                                   .precision = precision};
        stopped = callback != NULL && callback(context, &state) != 0;
    }
    memcpy(r->precision, precision, width * sizeof *precision);
    memcpy(r->information, information, width * sizeof *information);
    return stopped;
}

static int read_tokens(struct text_reader *r, const struct token_list *list, size_t *read,
                       read_callback *callback, void *context, struct error *error) {
    size_t width = r->model->config.latent_width, overlap = r->time / OVERLAP_DIVISOR;
    real *precision = memory_allocate(width, sizeof(real), error);
    real *information = memory_allocate(width, sizeof(real), error);
    int result = precision == NULL || information == NULL ? -1 : 0, stopped = 0;
    *read = 0;
    while (result == 0 && !stopped && *read < list->count) {
        size_t known = *read < overlap ? *read : overlap, start = *read - known;
        size_t count = list->count - start < r->time ? list->count - start : r->time;
        result = cancellation_check(error);
        if (result != 0)
            break;
        stopped = read_window(r, list->ids + start, count, known, *read, callback, context,
                              precision, information);
        *read = start + count;
    }
    memory_free(precision);
    memory_free(information);
    return result;
}

int read_document(struct handle *handle, size_t *tokens, const struct model *model,
                  const struct token_list *list, read_callback *callback, void *context,
                  struct error *error) {
    struct text_reader reader = {0};
    size_t read = 0;
    if (model->slots.count == 0)
        return error_set(error, "this model was trained without latents: it cannot read");
    int result = text_reader_create(&reader, model, error) ||
                 read_tokens(&reader, list, &read, callback, context, error);
    if (result == 0) {
        for (size_t d = 0; d < model->config.latent_width; d++)
            reader.mean[d] = reader.information[d] / reader.precision[d];
        handle_set_posterior(handle, reader.mean, reader.precision, read, "text");
        if (tokens != NULL)
            *tokens = read;
    }
    text_reader_free(&reader);
    return result ? -1 : 0;
}

int read_text(struct handle *handle, size_t *tokens, const struct model *model, const char *text,
              size_t bytes, read_callback *callback, void *context, struct error *error) {
    struct token_list list = {0};
    int result = document_encode_text(&list, model->tokenizer, text, bytes, error) ||
                 read_document(handle, tokens, model, &list, callback, context, error);
    free(list.ids);
    return result ? -1 : 0;
}

void read_belief(const struct model *model, size_t s, const real *mean, const real *precision,
                 size_t tokens, const struct slot_state *states, double *log_odds) {
    const struct slot *slot = &model->slots.slots[s];
    slot_belief(slot, states[s].points, states[s].sigma, mean + slot->first,
                precision + slot->first, (double)tokens, log_odds);
}
