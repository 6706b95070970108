#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dream/read.h"
#include "serve/beliefs.h"
#include "serve/own_routes.h"
#include "serve/request_json.h"
#include "text/text_filter.h"

enum {
    TEXT_LIMIT = 4 << 20,
    LABELS = 10,      /* of each slot */
    PATH_LABELS = 3,  /* of each slot, of each step of the path */
    PATH_MOST = 2000, /* steps: longer texts take several tokens for one */
    WATCH_EVERY = 16  /* tokens */
};

struct reading_request {
    struct request *request;
    const struct resident_model *model;
    const char *text;
    int by_token, is_gone;
    size_t stride; /* tokens of a step */
    json_t *path;
    struct text_filter filter; /* steps' texts are whole characters */
    char *step;                /* the text since the last step */
    size_t step_bytes, step_capacity;
    size_t tokens;
    struct error error;
    int failed;
};

static int read_body(struct reading_request *r) {
    static const char *const KNOWN[] = {"model", "text", "by_token"};
    const json_t *body = r->request->body;
    struct problem *problem = &r->request->problem;
    if (request_only(body, "", KNOWN, sizeof KNOWN / sizeof *KNOWN, problem) ||
        request_needs(body, "text", problem) ||
        request_text(body, "text", TEXT_LIMIT, &r->text, problem) ||
        request_flag(body, "by_token", &r->by_token, problem))
        return -1;
    if (*r->text == '\0')
        return problem_field(problem, "text", "\"text\" is empty: there is nothing to read");
    if (r->model->model->slots.count == 0)
        return problem_set(problem, 400, "wrong_layer", "model",
                           "\"%.100s\" was trained without latents: it cannot read",
                           r->model->name);
    return 0;
}

/* Counts the text's tokens, by which the path is thinned. */
static int count_tokens(struct reading_request *r) {
    struct error error;
    size_t tokens = 0;
    if (resident_count(r->model, r->text, &tokens, &error))
        return problem_content(&r->request->problem, "text", &error);
    r->stride = tokens > PATH_MOST ? (tokens + PATH_MOST - 1) / PATH_MOST : 1;
    return 0;
}

static int keep_ready(struct reading_request *r) {
    const struct text_filter *f = &r->filter;
    if (memory_grow(&r->step, &r->step_capacity, r->step_bytes + f->ready_bytes + 1, 1, &r->error))
        return -1;
    memcpy(r->step + r->step_bytes, f->ready, f->ready_bytes);
    r->step_bytes += f->ready_bytes;
    return 0;
}

/* {"text", SLOT: belief, ..., "entropy": of the authors} */
static void add_step(struct reading_request *r, const struct read_state *state) {
    const struct slots *slots = &r->model->model->slots;
    const struct slot *authors = resident_author_slot(r->model);
    json_t *step = json_pack("{s:o}", "text", json_stringn(r->step, r->step_bytes));
    for (size_t s = 0; s < slots->count; s++) {
        double entropy;
        json_object_set_new(step, slots->slots[s].name,
                            slot_belief_to_json(r->model, s, state->mean, state->precision,
                                                state->tokens, PATH_LABELS, &entropy));
        if (&slots->slots[s] == authors)
            json_object_set_new(step, "entropy", json_real(entropy));
    }
    json_array_append_new(r->path, step);
    r->step_bytes = 0;
}

static int receive(void *context, const struct read_state *state) {
    struct reading_request *r = context;
    const struct tokenizer *tokenizer = r->model->model->tokenizer;
    /* The first token may be the one that begins documents, which is no text. */
    int is_mark = state->tokens == 1 && tokenizer_end_of_text(tokenizer) != UINT32_MAX;
    r->tokens = state->tokens;
    if (state->tokens % WATCH_EVERY == 0)
        r->is_gone = http_is_gone(r->request->exchange);
    if (r->path == NULL || r->is_gone)
        return r->is_gone;
    r->failed =
        text_filter_add(&r->filter, state->text, is_mark ? 0 : state->text_bytes, &r->error) != 0 ||
        keep_ready(r) != 0;
    if (!r->failed && state->tokens % r->stride == 0)
        add_step(r, state);
    return r->failed;
}

/* What is left of the text when the last step was made belongs to it. */
static int end_path(struct reading_request *r) {
    size_t count = json_array_size(r->path);
    if (text_filter_end(&r->filter, &r->error) || keep_ready(r))
        return -1;
    if (r->step_bytes == 0 || count == 0)
        return 0;
    json_t *last = json_array_get(r->path, count - 1);
    const char *text = json_string_value(json_object_get(last, "text"));
    json_t *all = json_sprintf("%s%.*s", text, (int)r->step_bytes, r->step);
    return json_object_set_new(last, "text", all);
}

static json_t *slots_to_json(const struct reading_request *r, const struct handle *handle) {
    const struct slots *slots = &r->model->model->slots;
    json_t *json = json_object();
    for (size_t s = 0; s < slots->count; s++) {
        double entropy;
        enum latent_kind kind = slots->slots[s].kind;
        json_t *belief = slot_belief_to_json(r->model, s, handle->mean, handle->precision,
                                             handle->tokens, LABELS, &entropy);
        if (kind != LATENT_CATEGORICAL)
            json_object_set_new(belief, "kind", json_string(latent_kind_name(kind)));
        else
            belief = json_pack("{s:s, s:o, s:f}", "kind", "categorical", "labels", belief,
                               "entropy", entropy);
        json_object_set_new(json, slots->slots[s].name, belief);
    }
    return json;
}

static int read_all(struct reading_request *r, struct handle *handle) {
    struct problem *problem = &r->request->problem;
    if (read_text(handle, NULL, r->model->model, r->text, strlen(r->text), receive, r, &r->error))
        return problem_internal(problem, "reading", &r->error);
    if (r->failed || (r->path != NULL && end_path(r) != 0))
        return request_no_memory(r->request);
    metrics_count_tokens(r->request->service->metrics, METRICS_DREAM, r->tokens, 0);
    json_t *json =
        json_pack("{s:I, s:o}", "tokens", (json_int_t)r->tokens, "slots", slots_to_json(r, handle));
    if (json != NULL && r->path != NULL)
        json_object_set(json, "path", r->path);
    return request_reply(r->request, json);
}

int own_read(struct request *request) {
    struct reading_request r = {.request = request};
    enum resident_layer layer;
    struct handle handle;
    struct error error;
    if (request_model(request, &r.model, &layer) || read_body(&r) ||
        (r.by_token && count_tokens(&r)))
        return -1;
    if (handle_create(&handle, r.model->model, &error))
        return problem_internal(&request->problem, "reading", &error);
    text_filter_start(&r.filter, NULL, 0);
    r.path = r.by_token ? json_array() : NULL;
    int result = read_all(&r, &handle);
    json_decref(r.path);
    text_filter_free(&r.filter);
    free(r.step);
    handle_free(&handle);
    return result;
}
