#include "dream/write.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "text/chat.h"

struct writer {
    const struct model *model;
    const struct layer *layer; /* whose author writes, or NULL */
    struct decoder *decoder;   /* made when the length of the text is known */
    size_t context;            /* of the decoder */
    int is_lean;               /* the decoder */
    struct tokenizer_cache *cache;
    struct token_list prompt;
    uint8_t *banned;  /* special tokens other than the end */
    uint8_t *undrawn; /* [V] what a picture may not go on with; made when it is first needed */
    double *probabilities;
    uint32_t *order;
    real *room;   /* of handle_pass */
    real *logits; /* [V] after a prompt that was watched; made when it is first needed */
};

static int create(struct writer **out, const struct model *model, const struct layer *layer,
                  struct error *error) {
    *out = NULL;
    struct writer *w = memory_allocate(1, sizeof *w, error);
    if (w == NULL)
        return -1;
    size_t vocabulary = model->config.vocabulary, width = model->config.latent_width;
    w->model = model;
    w->layer = layer;
    w->banned = memory_allocate(vocabulary, 1, error);
    w->probabilities = memory_allocate(vocabulary, sizeof *w->probabilities, error);
    w->order = memory_allocate(vocabulary, sizeof *w->order, error);
    w->room = memory_allocate(2 * width, sizeof(real), error);
    if (!w->banned || !w->probabilities || !w->order || !w->room ||
        tokenizer_cache_create(&w->cache, error)) {
        writer_destroy(w);
        return -1;
    }
    for (uint32_t v = 0; v < vocabulary; v++)
        w->banned[v] = (uint8_t)(tokenizer_is_special(model->tokenizer, v) &&
                                 !tokenizer_is_end(model->tokenizer, v));
    *out = w;
    return 0;
}

int writer_create(struct writer **out, const struct model *model, struct error *error) {
    return create(out, model, NULL, error);
}

int writer_create_as(struct writer **out, const struct layer *layer, struct error *error) {
    return create(out, layer->model, layer, error);
}

void writer_destroy(struct writer *w) {
    if (w == NULL)
        return;
    decoder_destroy(w->decoder);
    tokenizer_cache_destroy(w->cache);
    free(w->prompt.ids);
    memory_free(w->banned);
    memory_free(w->undrawn);
    memory_free(w->probabilities);
    memory_free(w->order);
    memory_free(w->room);
    memory_free(w->logits);
    memory_free(w);
}

/* A decoder with room for so many tokens, as far as decoders go: a cache for the longest texts
 * takes as much memory as a small model. */
static int prepare_decoder(struct writer *w, size_t tokens, int is_lean, struct error *error) {
    enum { STEP = 128 };
    struct weights weights = w->layer != NULL ? layer_weights(w->layer) : model_weights(w->model);
    size_t context = tokens < DECODER_CONTEXT ? (tokens + STEP - 1) / STEP * STEP : DECODER_CONTEXT;
    if (w->decoder != NULL && w->context >= context && w->is_lean == is_lean)
        return 0;
    decoder_destroy(w->decoder);
    w->context = context;
    w->is_lean = is_lean;
    return decoder_create(&w->decoder, &weights,
                          &(struct decoder_options){.context = context, .is_lean = is_lean}, error);
}

static void take_handle(struct writer *w, const struct handle *handle) {
    struct pass_handle start = handle_pass(handle, w->room);
    for (size_t i = 0; w->layer != NULL && i < w->model->config.latent_width; i++)
        w->room[i] = 1; /* all is told: the layer's author */
    if (w->layer != NULL)
        start.told = layer_vector(w->layer);
    decoder_start(w->decoder, &start);
}

/* The prompt as a user's message, laid out as the checkpoint's chats are. */
static int encode_chat(struct writer *w, const char *prompt, struct error *error) {
    const struct model *model = w->model;
    const struct chat_format *format;
    struct chat_message message = {CHAT_USER, prompt != NULL ? prompt : ""};
    char *text;
    if (model->base == NULL || model->base->chat_template == NULL)
        return error_set(error, "%s was not made for chats", model->name);
    if (chat_format_recognise(&format, model->base->chat_template, error) ||
        chat_render(&text, format, &message, 1, 1, error))
        return -1;
    w->prompt.count = chat_format_begins(format) ? w->prompt.count : 0;
    int result =
        tokenizer_encode_marked(model->tokenizer, w->cache, text, strlen(text), &w->prompt, error);
    free(text);
    return result;
}

static int begin_picture(struct writer *w, const struct drawing *drawing, struct error *error) {
    if (w->undrawn == NULL)
        w->undrawn = memory_allocate(w->model->config.vocabulary, 1, error);
    if (w->undrawn == NULL || memory_grow(&w->prompt.ids, &w->prompt.capacity, w->prompt.count + 1,
                                          sizeof *w->prompt.ids, error))
        return -1;
    w->prompt.ids[w->prompt.count++] = drawing->pictures->image;
    return 0;
}

/* w->prompt <- the token that begins documents, the instruction, then the prompt. */
static int encode_prompt(struct writer *w, const struct write_options *options,
                         struct error *error) {
    const struct tokenizer *tokenizer = w->model->tokenizer;
    const char *prompt = options->prompt;
    uint32_t end = tokenizer_end_of_text(tokenizer);
    if (memory_grow(&w->prompt.ids, &w->prompt.capacity, 1, sizeof *w->prompt.ids, error))
        return -1;
    w->prompt.count = 0;
    if (end != UINT32_MAX)
        w->prompt.ids[w->prompt.count++] = end;
    int result = 0;
    /* Cut by itself, as introspection does: the same tokens whatever follows. */
    if (options->instruction != NULL)
        result = tokenizer_encode(tokenizer, w->cache, options->instruction,
                                  strlen(options->instruction), &w->prompt, error);
    if (result == 0 && options->is_chat)
        result = encode_chat(w, prompt, error);
    else if (result == 0 && prompt != NULL)
        result = tokenizer_encode(tokenizer, w->cache, prompt, strlen(prompt), &w->prompt, error);
    if (result == 0 && options->drawing != NULL)
        result = begin_picture(w, options->drawing, error);
    if (result == 0 && w->prompt.count == 0)
        result =
            error_set(error, "this model's tokenizer has no token that begins a document; give "
                             "a prompt");
    return result;
}

int writer_count(struct writer *w, const struct write_options *options, size_t *tokens,
                 struct error *error) {
    if (encode_prompt(w, options, error))
        return -1;
    *tokens = w->prompt.count;
    return 0;
}

/* What a watched prompt's visits need. */
struct prompt_watch {
    struct writer *writer;
    const struct token_watch *watch;
};

static void visit_prompt_token(const struct prompt_watch *p, size_t at, const real *logits) {
    struct writer *w = p->writer;
    struct token_report report = {.id = w->prompt.ids[at],
                                  .bytes = tokenizer_token(w->model->tokenizer, w->prompt.ids[at]),
                                  .is_prompt = 1,
                                  .tokens = at};
    token_report_weigh(&report, p->watch, logits, w->model->config.vocabulary);
    (void)p->watch->visit(p->watch->context, &report);
}

/* The logits after each token of the prompt are those of the next. */
static void take_logits(void *context, size_t at, const real *logits) {
    const struct prompt_watch *p = context;
    if (at + 1 < p->writer->prompt.count)
        visit_prompt_token(p, at + 1, logits);
    else
        memcpy(p->writer->logits, logits,
               p->writer->model->config.vocabulary * sizeof *p->writer->logits);
}

/* Reads the prompt and tells of its tokens on the way, but for the one that begins documents. */
static const real *read_watched(struct writer *w, const struct token_watch *watch,
                                struct error *error) {
    struct prompt_watch p = {w, watch};
    if (w->logits == NULL)
        w->logits = memory_allocate(w->model->config.vocabulary, sizeof *w->logits, error);
    if (w->logits == NULL)
        return NULL;
    if (w->prompt.ids[0] != tokenizer_end_of_text(w->model->tokenizer))
        visit_prompt_token(&p, 0, NULL);
    return decoder_prompt_visit(w->decoder, w->prompt.ids, w->prompt.count, take_logits, &p, error)
               ? NULL
               : w->logits;
}

/* Reads the prompt; gives the next logits. */
static int feed_prompt(struct writer *w, const struct handle *handle,
                       const struct write_options *options, const real **logits,
                       struct error *error) {
    const struct token_watch *watch = options->watch;
    size_t written = options->tokens < DECODER_CONTEXT ? options->tokens : DECODER_CONTEXT;
    if (encode_prompt(w, options, error) ||
        prepare_decoder(w, w->prompt.count + written, options->is_lean, error))
        return -1;
    take_handle(w, handle);
    *logits = watch != NULL && watch->visits_prompt
                  ? read_watched(w, watch, error)
                  : decoder_prompt(w->decoder, w->prompt.ids, w->prompt.count, error);
    return *logits == NULL ? -1 : 0;
}

/* Tells the watch, if there is one, of the token that was chosen by these logits. Not 0: stop. */
static int tell_watch(const struct writer *w, const struct token_watch *watch, uint32_t token,
                      const real *logits, size_t tokens) {
    if (watch == NULL)
        return 0;
    struct token_report report = {.id = token,
                                  .bytes = tokenizer_token(w->model->tokenizer, token),
                                  .tokens = tokens,
                                  .mean = decoder_mean(w->decoder),
                                  .precision = decoder_precision(w->decoder)};
    token_report_weigh(&report, watch, logits, w->model->config.vocabulary);
    return watch->visit(watch->context, &report);
}

static uint32_t choose(struct writer *w, const struct write_options *options, const real *logits,
                       struct random *random) {
    size_t vocabulary = w->model->config.vocabulary;
    const uint8_t *banned = w->banned;
    if (options->drawing != NULL) {
        drawing_ban(options->drawing, w->model->tokenizer, w->undrawn, vocabulary);
        banned = w->undrawn;
    }
    return sample_token(logits, banned, vocabulary, &options->sampling, random, w->probabilities,
                        w->order);
}

/* Whether the picture, if one is drawn, is complete with this token. */
static int completes(const struct write_options *options, uint32_t token) {
    if (options->drawing == NULL)
        return 0;
    drawing_take(options->drawing, token);
    return drawing_is_complete(options->drawing);
}

int writer_write(struct writer *w, const struct handle *handle, const struct write_options *options,
                 write_callback *callback, void *context, struct error *error) {
    const real *logits = NULL;
    struct random random;
    struct token_outcome outcome = {.end = TOKENS_FULL};
    random_seed(&random, options->seed, 0x3717e);
    if (feed_prompt(w, handle, options, &logits, error))
        return -1;
    outcome.prompt = w->prompt.count;
    while (outcome.written < options->tokens && outcome.end == TOKENS_FULL) {
        uint32_t token = choose(w, options, logits, &random);
        if (tokenizer_is_end(w->model->tokenizer, token)) {
            outcome.end = TOKENS_ENDED;
            break;
        }
        struct token_bytes bytes = tokenizer_token(w->model->tokenizer, token);
        size_t tokens = outcome.prompt + outcome.written++;
        if (tell_watch(w, options->watch, token, logits, tokens) ||
            callback(context, bytes.data, bytes.length) != 0)
            outcome.end = TOKENS_STOPPED;
        else if (completes(options, token))
            outcome.end = TOKENS_ENDED;
        else if (outcome.written < options->tokens)
            logits = decoder_step(w->decoder, token);
    }
    if (options->outcome != NULL)
        *options->outcome = outcome;
    return 0;
}
