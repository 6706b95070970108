#include <string.h>
#include <time.h>

#include "serve/openai_routes.h"
#include "serve/request_handle.h"
#include "serve/request_json.h"
#include "serve/writing.h"

enum {
    PROMPTS_MOST = 32,
    CHOICES_MOST = 64, /* of all prompts together */
    PROMPT_LIMIT = 1 << 20,
    TOKENS_USUAL = 16, /* OpenAI's default */
    TOP_MOST = 5
};

struct completion {
    struct request *request;
    const struct resident_model *model;
    enum resident_layer layer;
    struct writing_wish wish;
    const char *prompts[PROMPTS_MOST];
    size_t prompt_count, n, top;
    int echoes;
    struct write_options options;
    struct handle handle;
    struct writer *writer;
    char id[64];
    int64_t created;
    size_t index; /* of the choice that is being written */
    size_t read, written;
    json_t *choices;
};

static int read_counts(struct completion *c, const json_t *body, struct problem *problem) {
    static const char *const REFUSED[] = {"suffix", "logit_bias", "presence_penalty",
                                          "frequency_penalty"};
    size_t best_of = 1;
    c->n = 1;
    c->options.tokens = TOKENS_USUAL;
    if (writing_refuse(body, REFUSED, sizeof REFUSED / sizeof *REFUSED, problem) ||
        request_count(body, "max_tokens", 0, c->request->service->resident->context,
                      &c->options.tokens, problem) ||
        request_count(body, "n", 1, CHOICES_MOST, &c->n, problem) ||
        request_count(body, "best_of", 1, CHOICES_MOST, &best_of, problem) ||
        request_flag(body, "echo", &c->echoes, problem) ||
        request_flag(body, "reading", &c->wish.has_reading, problem))
        return -1;
    if (best_of > c->n)
        return problem_set(problem, 400, "unsupported_field", "best_of",
                           "\"best_of\" above \"n\" asks for what this server does not do");
    if (c->n * c->prompt_count > CHOICES_MOST)
        return problem_field(problem, "n", "%zu prompts times %zu texts are too many: at most %d",
                             c->prompt_count, c->n, CHOICES_MOST);
    return 0;
}

static int read_body(struct completion *c) {
    const json_t *body = c->request->body;
    struct problem *problem = &c->request->problem;
    const json_t *logprobs = request_field(body, "logprobs");
    c->prompts[0] = "";
    c->prompt_count = 1;
    const json_t *prompt = request_field(body, "prompt");
    int is_empty = json_is_string(prompt) && json_string_length(prompt) == 0;
    if (writing_read_wish(&c->wish, body, problem) ||
        (!is_empty && request_texts(body, "prompt", PROMPT_LIMIT, PROMPTS_MOST, c->prompts,
                                    &c->prompt_count, problem)) ||
        read_counts(c, body, problem) ||
        writing_read_sampling(&c->options.sampling, &c->options.seed, 1, body, problem) ||
        request_count(body, "logprobs", 0, TOP_MOST, &c->wish.top, problem))
        return -1;
    c->wish.has_log_probabilities = logprobs != NULL;
    return request_handle(&c->handle, c->model, request_field(body, "handle"), problem);
}

/* {"tokens", "token_logprobs", "top_logprobs", "text_offset"}, or null. */
static json_t *logprobs_to_json(const json_t *entries) {
    json_t *tokens = json_array(), *logprobs = json_array(), *tops = json_array(),
           *offsets = json_array(), *entry, *item;
    size_t i, k;
    json_array_foreach((json_t *)entries, i, entry) {
        json_t *top = json_object();
        json_array_foreach(json_object_get(entry, "top"), k, item)
            json_object_set(top, json_string_value(json_object_get(item, "token")),
                            json_object_get(item, "logprob"));
        json_array_append(tokens, json_object_get(entry, "token"));
        json_array_append(logprobs, json_object_get(entry, "logprob"));
        json_array_append_new(tops, top);
        json_array_append(offsets, json_object_get(entry, "offset"));
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "tokens", tokens, "token_logprobs", logprobs,
                     "top_logprobs", tops, "text_offset", offsets);
}

static json_t *choice_to_json(const struct completion *c, const char *text, size_t bytes,
                              const json_t *tokens, const char *finish_reason) {
    return json_pack("{s:i, s:o, s:o, s:s?}", "index", (int)c->index, "text",
                     json_stringn(text, bytes), "logprobs",
                     tokens != NULL ? logprobs_to_json(tokens) : json_null(), "finish_reason",
                     finish_reason);
}

/* The object around choices, of a whole reply or of one event. */
static json_t *envelope(const struct completion *c, json_t *choices) {
    return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "id", c->id, "object", "text_completion",
                     "created", (json_int_t)c->created, "model",
                     openai_model_name(c->model, c->layer), "system_fingerprint",
                     openai_fingerprint(c->model), "choices", choices);
}

static int send_choice(const struct completion *c, json_t *choice, json_t *reading) {
    json_t *event = envelope(c, json_pack("[o]", choice));
    if (event != NULL && reading != NULL)
        json_object_set(event, "reading", reading);
    return request_stream_send(c->request, event);
}

static int deliver(void *context, const struct writing_piece *piece) {
    const struct completion *c = context;
    return send_choice(c, choice_to_json(c, piece->text, piece->bytes, piece->tokens, NULL),
                       piece->reading);
}

/* Whether the prompts have room, before anything is sent. */
static int check_lengths(struct completion *c) {
    struct error error;
    size_t most = c->request->service->resident->context;
    for (size_t i = 0; i < c->prompt_count; i++) {
        size_t tokens;
        c->options.prompt = c->prompts[i];
        if (writer_count(c->writer, &c->options, &tokens, &error))
            return problem_content(&c->request->problem, "prompt", &error);
        if (tokens > most || c->options.tokens > most - tokens)
            return problem_set(&c->request->problem, 400, "context_length_exceeded", "prompt",
                               "the prompt has %zu tokens and %zu are to be written; together "
                               "there is room for %zu",
                               tokens, c->options.tokens, most);
    }
    return 0;
}

static int end_choice(struct completion *c, struct writing *w) {
    if (writing_finish(w))
        return -1;
    c->written += w->outcome.written;
    metrics_count_tokens(c->request->service->metrics, METRICS_DREAM, w->outcome.prompt,
                         w->outcome.written);
    if (w->first_seconds > 0)
        metrics_count_first_token(c->request->service->metrics, METRICS_DREAM, w->first_seconds);
    const char *reason = writing_finish_reason(w);
    if (c->wish.is_stream)
        w->is_gone |= send_choice(c, choice_to_json(c, "", 0, NULL, reason), w->reading) != 0;
    else
        json_array_append_new(c->choices, choice_to_json(c, w->text != NULL ? w->text : "",
                                                         w->text_bytes, w->tokens, reason));
    return 0;
}

/* One text; 1: nobody listens any more. */
static int write_choice(struct completion *c, const char *prompt, uint64_t seed) {
    struct writing w;
    struct error error;
    struct write_options options = c->options;
    writing_start(&w, c->request, c->model, &c->wish);
    w.handle = &c->handle;
    w.echo = c->echoes ? prompt : NULL;
    w.deliver = c->wish.is_stream ? deliver : NULL;
    w.context = c;
    w.watch.visits_prompt = c->echoes && c->wish.has_log_probabilities;
    options.prompt = prompt;
    options.seed = seed;
    options.watch = &w.watch;
    options.outcome = &w.outcome;
    int result = writer_write(c->writer, &c->handle, &options, writing_hear, &w, &error);
    if (result != 0)
        result = problem_internal(&c->request->problem, "writing", &error);
    else
        result = end_choice(c, &w);
    int is_gone = w.is_gone;
    c->read += result == 0 ? w.outcome.prompt : 0;
    writing_free(&w);
    return result ? -1 : is_gone;
}

static int write_all(struct completion *c) {
    for (size_t p = 0; p < c->prompt_count; p++) {
        size_t read = c->read;
        for (size_t i = 0; i < c->n; i++) {
            c->read = read; /* a prompt counts once, however many texts it gets */
            if (http_is_gone(c->request->exchange)) /* nobody notices where nothing is written */
                return 1;
            int result = write_choice(c, c->prompts[p], c->options.seed + i);
            if (result != 0)
                return result;
            c->index++;
        }
    }
    return 0;
}

static int reply(struct completion *c) {
    json_t *usage = writing_usage(c->read, c->written);
    if (!c->wish.is_stream) {
        json_t *json = envelope(c, c->choices);
        c->choices = NULL;
        if (json != NULL)
            json_object_set_new(json, "usage", usage);
        else
            json_decref(usage);
        return request_reply(c->request, json);
    }
    if (c->wish.has_usage) {
        json_t *event = envelope(c, json_array());
        if (event != NULL)
            json_object_set(event, "usage", usage);
        request_stream_send(c->request, event);
    }
    json_decref(usage);
    request_stream_end(c->request);
    return 0;
}

static int complete(struct completion *c) {
    struct error error;
    c->writer = pool_take(c->model->writers, &error);
    if (c->writer == NULL)
        return problem_internal(&c->request->problem, "making a writer", &error);
    c->choices = json_array();
    int result = check_lengths(c);
    if (result == 0 && c->wish.is_stream)
        result = request_stream_begin(c->request);
    if (result == 0)
        result = write_all(c);
    pool_give(c->model->writers, c->writer);
    /* Whoever left gets the end of what there is: the reply must be ended all the same. */
    if (result >= 0)
        result = reply(c);
    json_decref(c->choices);
    return result;
}

int openai_complete(struct request *request) {
    struct completion c = {.request = request, .created = (int64_t)time(NULL)};
    if (request_model(request, &c.model, &c.layer) || read_body(&c))
        return -1;
    request_new_id(c.id, sizeof c.id, "cmpl-");
    int result = complete(&c);
    handle_free(&c.handle);
    return result;
}
