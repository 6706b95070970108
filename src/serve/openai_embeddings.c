#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "dream/read.h"
#include "serve/openai_routes.h"
#include "serve/request_json.h"
#include "serve/writing.h"

enum { INPUTS_MOST = 256, INPUT_LIMIT = 1 << 20 };

struct embedding_request {
    struct request *request;
    const struct resident_model *model;
    const struct slot *slot;
    const char *inputs[INPUTS_MOST];
    size_t count, tokens;
    int is_base64;
};

static int read_body(struct embedding_request *e) {
    const json_t *body = e->request->body;
    struct problem *problem = &e->request->problem;
    const char *format = "float";
    size_t width = 0;
    e->slot = resident_author_slot(e->model);
    if (e->slot == NULL)
        return problem_set(problem, 400, "wrong_layer", "model",
                           "\"%.100s\" knows no authors: it cannot embed", e->model->name);
    width = e->slot->width;
    if (request_needs(body, "input", problem) ||
        request_texts(body, "input", INPUT_LIMIT, INPUTS_MOST, e->inputs, &e->count, problem) ||
        request_text(body, "encoding_format", 16, &format, problem) ||
        request_count(body, "dimensions", e->slot->width, e->slot->width, &width, problem))
        return -1;
    e->is_base64 = strcmp(format, "base64") == 0;
    if (!e->is_base64 && strcmp(format, "float") != 0)
        return problem_field(problem, "encoding_format",
                             "\"encoding_format\" must be \"float\" or \"base64\"");
    return 0;
}

/* Little-endian floats of 32 bits, as OpenAI's clients take them. */
static json_t *numbers_as_base64(const real *numbers, size_t count) {
    float values[MAXIMUM_SLOT_WIDTH];
    char text[sodium_base64_ENCODED_LEN(sizeof values, sodium_base64_VARIANT_ORIGINAL)];
    for (size_t i = 0; i < count; i++)
        values[i] = (float)numbers[i];
    sodium_bin2base64(text, sizeof text, (const unsigned char *)values, count * sizeof *values,
                      sodium_base64_VARIANT_ORIGINAL);
    return json_string(text);
}

static json_t *numbers_as_list(const real *numbers, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_real((double)numbers[i]));
    return list;
}

/* What the reader takes the text's author for: the mean of the author's slot. */
static int embed(struct embedding_request *e, size_t index, json_t *data) {
    struct error error;
    struct handle handle;
    size_t tokens = 0;
    const char *text = e->inputs[index];
    if (handle_create(&handle, e->model->model, &error))
        return problem_internal(&e->request->problem, "embedding", &error);
    int result =
        read_text(&handle, &tokens, e->model->model, text, strlen(text), NULL, NULL, &error);
    if (result != 0) {
        result = problem_internal(&e->request->problem, "embedding", &error);
    } else {
        const real *mean = handle.mean + e->slot->first;
        json_t *vector = e->is_base64 ? numbers_as_base64(mean, e->slot->width)
                                      : numbers_as_list(mean, e->slot->width);
        json_array_append_new(data, json_pack("{s:s, s:i, s:o}", "object", "embedding", "index",
                                              (int)index, "embedding", vector));
        e->tokens += tokens;
        metrics_count_tokens(e->request->service->metrics, METRICS_DREAM, tokens, 0);
    }
    handle_free(&handle);
    return result;
}

int openai_embed(struct request *request) {
    struct embedding_request e = {.request = request};
    enum resident_layer layer;
    if (request_model(request, &e.model, &layer) || read_body(&e))
        return -1;
    json_t *data = json_array();
    int result = 0;
    for (size_t i = 0; result == 0 && i < e.count; i++)
        result = embed(&e, i, data);
    if (result != 0) {
        json_decref(data);
        return -1;
    }
    return request_reply(
        request, json_pack("{s:s, s:o, s:o, s:{s:I, s:I}}", "object", "list", "data", data, "model",
                           openai_model_name(e.model, layer), "usage", "prompt_tokens",
                           (json_int_t)e.tokens, "total_tokens", (json_int_t)e.tokens));
}
