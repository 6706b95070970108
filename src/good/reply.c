#include "good/reply.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "math/exponential.h"

enum { USUAL_TOKENS = 160, CONTEXT_STEP = 256 };

struct replier {
    const struct model *model;
    const struct layer *layer;
    struct lesson_maker maker;
    struct decoder *decoder;
    size_t context, tokens;
    double log_probability; /* of the last reply */
    size_t written;
    uint8_t *banned; /* special tokens other than the end */
    double *probabilities;
    uint32_t *order;
    real *told;    /* [Z] */
    real *room;    /* [2,Z] of handle_pass, or the mask */
    size_t prompt; /* tokens of it that were read */
    real *logits;  /* [V] after the prompt */
};

int replier_create(struct replier **out, const struct model *model, const struct layer *layer,
                   struct error *error) {
    *out = NULL;
    struct replier *r = memory_allocate(1, sizeof *r, error);
    if (r == NULL)
        return -1;
    size_t vocabulary = model->config.vocabulary, width = model->config.latent_width;
    r->model = model;
    r->layer = layer;
    r->banned = memory_allocate(vocabulary, 1, error);
    r->probabilities = memory_allocate(vocabulary, sizeof *r->probabilities, error);
    r->order = memory_allocate(vocabulary, sizeof *r->order, error);
    r->told = memory_allocate(3 * width, sizeof *r->told, error);
    r->logits = memory_allocate(vocabulary, sizeof *r->logits, error);
    if (!r->banned || !r->probabilities || !r->order || !r->told || !r->logits ||
        lesson_maker_create(&r->maker, model, error)) {
        replier_destroy(r);
        return -1;
    }
    r->room = r->told + width;
    for (uint32_t v = 0; v < vocabulary; v++)
        r->banned[v] = (uint8_t)(tokenizer_is_special(model->tokenizer, v) &&
                                 !tokenizer_is_end(model->tokenizer, v));
    *out = r;
    return 0;
}

void replier_destroy(struct replier *r) {
    if (r == NULL)
        return;
    decoder_destroy(r->decoder);
    lesson_maker_free(&r->maker);
    memory_free(r->banned);
    memory_free(r->probabilities);
    memory_free(r->order);
    memory_free(r->told);
    memory_free(r->logits);
    memory_free(r);
}

static int prepare_decoder(struct replier *r, size_t tokens, struct error *error) {
    struct weights weights = r->layer != NULL ? layer_weights(r->layer) : model_weights(r->model);
    size_t context = (tokens + CONTEXT_STEP - 1) / CONTEXT_STEP * CONTEXT_STEP;
    if (r->decoder != NULL && r->context >= context)
        return 0;
    decoder_destroy(r->decoder);
    r->decoder = NULL;
    r->context = context;
    return decoder_create(&r->decoder, &weights, &(struct decoder_options){.context = context},
                          error);
}

/* The layer's author moved by the offset, or the handle under which the model replies as it is. */
static void take_handle(struct replier *r, const struct reply_options *options) {
    size_t width = r->model->config.latent_width;
    struct pass_handle handle = {0};
    if (r->layer == NULL && options->handle != NULL)
        handle = handle_pass(options->handle, r->room);
    for (size_t i = 0; r->layer != NULL && i < width; i++) {
        r->told[i] = layer_vector(r->layer)[i] + (options->offset != NULL ? options->offset[i] : 0);
        r->room[i] = 1;
    }
    if (r->layer != NULL)
        handle = (struct pass_handle){.told = r->told, .told_mask = r->room};
    decoder_start(r->decoder, &handle);
}

/* The latest of the prompt that fit beside the reply. */
static int read_prompt(struct replier *r, size_t tokens, const struct reply_options *options,
                       struct error *error) {
    size_t room = DECODER_CONTEXT - tokens;
    const struct token_list *list = &r->maker.list;
    size_t dropped = list->count > room ? list->count - room : 0;
    if (prepare_decoder(r, list->count - dropped + tokens, error))
        return -1;
    take_handle(r, options);
    const real *logits =
        decoder_prompt(r->decoder, list->ids + dropped, list->count - dropped, error);
    if (logits == NULL)
        return -1;
    r->prompt = list->count - dropped;
    r->tokens += r->prompt;
    memcpy(r->logits, logits, r->model->config.vocabulary * sizeof *r->logits);
    decoder_mark(r->decoder);
    return 0;
}

static double log_probability_of(const real *logits, size_t count, uint32_t token) {
    double most = (double)logits[token], sum = 0;
    for (size_t v = 0; v < count; v++)
        most = (double)logits[v] > most ? (double)logits[v] : most;
    for (size_t v = 0; v < count; v++)
        sum += (double)exponential(logits[v] - (real)most);
    return (double)logits[token] - most - log(sum);
}

/* Tells the watch, if there is one, of the token that was chosen by these logits. Not 0: stop. */
static int tell_watch(const struct replier *r, const struct token_watch *watch, uint32_t token,
                      const real *logits, size_t tokens) {
    if (watch == NULL)
        return 0;
    struct token_report report = {.id = token,
                                  .bytes = tokenizer_token(r->model->tokenizer, token),
                                  .tokens = tokens,
                                  .mean = decoder_mean(r->decoder),
                                  .precision = decoder_precision(r->decoder)};
    token_report_weigh(&report, watch, logits, r->model->config.vocabulary);
    return watch->visit(watch->context, &report);
}

int replier_again(struct replier *r, const struct reply_options *options, reply_callback *callback,
                  void *context, struct error *error) {
    struct random random;
    struct token_outcome outcome = {.end = TOKENS_FULL, .prompt = r->prompt};
    size_t tokens = options->tokens > 0 ? options->tokens : USUAL_TOKENS;
    const real *logits = r->logits;
    if (r->decoder == NULL)
        return error_set(error, "there was no reply yet");
    random_seed(&random, options->seed, 0x7265706c79);
    decoder_return(r->decoder);
    r->log_probability = 0;
    r->written = 0;
    while (outcome.written < tokens && outcome.end == TOKENS_FULL) {
        uint32_t token = sample_token(logits, r->banned, r->model->config.vocabulary,
                                      &options->sampling, &random, r->probabilities, r->order);
        r->tokens++;
        r->log_probability += log_probability_of(logits, r->model->config.vocabulary, token);
        r->written++;
        if (tokenizer_is_end(r->model->tokenizer, token)) {
            outcome.end = TOKENS_ENDED;
            break;
        }
        struct token_bytes bytes = tokenizer_token(r->model->tokenizer, token);
        size_t before = r->prompt + outcome.written++;
        if (tell_watch(r, options->watch, token, logits, before) ||
            callback(context, bytes.data, bytes.length) != 0)
            outcome.end = TOKENS_STOPPED;
        else if (outcome.written < tokens)
            logits = decoder_step(r->decoder, token);
    }
    if (options->outcome != NULL)
        *options->outcome = outcome;
    return 0;
}

/* The messages and nothing else, where a lesson's have GOOD_SYSTEM before them. */
static int make_plain_prompt(struct replier *r, const struct chat_message *messages, size_t count,
                             struct error *error) {
    struct lesson_maker *m = &r->maker;
    const struct tokenizer *tokenizer = r->model->tokenizer;
    uint32_t begin = tokenizer_end_of_text(tokenizer);
    char *text;
    if (memory_grow(&m->list.ids, &m->list.capacity, 1, sizeof *m->list.ids, error) ||
        chat_render(&text, m->format, messages, count, 1, error))
        return -1;
    m->list.count = 0;
    if (chat_format_begins(m->format) && begin != UINT32_MAX)
        m->list.ids[m->list.count++] = begin;
    int result = tokenizer_encode_marked(tokenizer, m->cache, text, strlen(text), &m->list, error);
    free(text);
    return result;
}

static int make_prompt(struct replier *r, const struct chat_message *messages, size_t count,
                       const struct reply_options *options, struct error *error) {
    return options->is_plain ? make_plain_prompt(r, messages, count, error)
                             : lesson_make_prompt(&r->maker, messages, count, error);
}

int replier_count(struct replier *r, const struct chat_message *messages, size_t count,
                  const struct reply_options *options, size_t *tokens, struct error *error) {
    if (make_prompt(r, messages, count, options, error))
        return -1;
    *tokens = r->maker.list.count;
    return 0;
}

int replier_reply(struct replier *r, const struct chat_message *messages, size_t count,
                  const char *begun, const struct reply_options *options, reply_callback *callback,
                  void *context, struct error *error) {
    size_t tokens = options->tokens > 0 ? options->tokens : USUAL_TOKENS;
    if (tokens > DECODER_CONTEXT / 2)
        return error_set(error, "a reply of %zu tokens is too long: at most %d", tokens,
                         DECODER_CONTEXT / 2);
    if (make_prompt(r, messages, count, options, error) ||
        (begun != NULL && tokenizer_encode(r->model->tokenizer, r->maker.cache, begun,
                                           strlen(begun), &r->maker.list, error)) ||
        read_prompt(r, tokens, options, error))
        return -1;
    return replier_again(r, options, callback, context, error);
}

static int add_text(void *context, const char *text, size_t length) {
    return fwrite(text, 1, length, context) != length;
}

/* messages NULL: another to the same dialogue. */
static int gather(struct replier *r, const struct chat_message *messages, size_t count,
                  const struct reply_options *options, char **text, struct error *error) {
    size_t bytes;
    FILE *stream = open_memstream(text, &bytes);
    if (stream == NULL)
        return error_set(error, "out of memory");
    int result = messages == NULL
                     ? replier_again(r, options, add_text, stream, error)
                     : replier_reply(r, messages, count, NULL, options, add_text, stream, error);
    fclose(stream);
    if (result != 0) {
        free(*text);
        *text = NULL;
    }
    return result;
}

int replier_again_text(struct replier *r, const struct reply_options *options, char **text,
                       struct error *error) {
    return gather(r, NULL, 0, options, text, error);
}

int replier_reply_text(struct replier *r, const struct chat_message *messages, size_t count,
                       const struct reply_options *options, char **text, struct error *error) {
    return gather(r, messages, count, options, text, error);
}

double replier_certainty(const struct replier *r) {
    return r->written > 0 ? r->log_probability / (double)r->written : 0;
}

size_t replier_tokens(const struct replier *r) {
    return r->tokens;
}
