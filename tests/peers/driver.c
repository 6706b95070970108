/* What the comparisons with other programs ask of the library: tokens and logits as raw files.
 *   driver tokens MODEL TEXT OUT
 *   driver logits MODEL IDS OUT CHUNK [SLOT=LABEL]...     IDS: u32 tokens; OUT: f32 [count,V]
 *   driver memory MODEL IDS [PROMPT [lean]]               prints the peak, and file and cache, in
 * bytes CHUNK tokens at a time; with labels, every slot is told: those not named the prior's mean.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "latent/handle.h"
#include "model/decoder.h"

struct sink {
    FILE *file;
    size_t vocabulary;
    float *row;
};

static void put_row(void *context, size_t token, const real *logits) {
    struct sink *sink = context;
    (void)token;
    for (size_t v = 0; v < sink->vocabulary; v++)
        sink->row[v] = (float)logits[v];
    fwrite(sink->row, sizeof *sink->row, sink->vocabulary, sink->file);
}

static int write_tokens(const struct model *model, char **argv, struct error *error) {
    struct tokenizer_cache *cache;
    struct token_list list = {0};
    struct file_writer out;
    char *text;
    size_t bytes;
    if (file_read_all(argv[0], 1 << 28, &text, &bytes, error) ||
        tokenizer_cache_create(&cache, error) ||
        tokenizer_encode(model->tokenizer, cache, text, bytes, &list, error) ||
        file_writer_open(&out, argv[1], error))
        return -1;
    fwrite(list.ids, sizeof *list.ids, list.count, out.stream);
    tokenizer_cache_destroy(cache);
    free(list.ids);
    free(text);
    return file_writer_commit(&out, error);
}

static int tell(struct handle *handle, char **labels, int count, struct error *error) {
    for (int i = 0; i < count; i++) {
        char *equals = strchr(labels[i], '=');
        if (equals == NULL)
            return error_set(error, "'%s' is not SLOT=LABEL", labels[i]);
        *equals = '\0';
        if (handle_tell(handle, labels[i], equals + 1, error))
            return -1;
    }
    return 0;
}

static int write_logits(const struct model *model, int argc, char **argv, struct error *error) {
    struct decoder *decoder;
    struct handle handle;
    struct file_writer out;
    char *ids;
    size_t bytes, width = model->config.latent_width;
    size_t chunk = (size_t)strtoul(argv[2], NULL, 10);
    struct weights weights = model_weights(model);
    real *mask = memory_allocate(width, sizeof *mask, error);
    if (mask == NULL || handle_create(&handle, model, error) ||
        tell(&handle, argv + 3, argc - 3, error) ||
        file_read_all(argv[0], 1 << 28, &ids, &bytes, error) ||
        decoder_create(&decoder, &weights, NULL, error) || file_writer_open(&out, argv[1], error))
        return -1;
    size_t count = bytes / sizeof(uint32_t);
    struct sink sink = {.file = out.stream,
                        .vocabulary = model->config.vocabulary,
                        .row = memory_allocate(model->config.vocabulary, sizeof(float), error)};
    for (size_t i = 0; argc > 3 && i < width; i++)
        mask[i] = 1;
    decoder_start(decoder, &(struct pass_handle){.told = handle.mean, .told_mask = mask});
    int result = sink.row == NULL || chunk == 0 ? error_set(error, "no memory, or no chunk") : 0;
    for (size_t at = 0; at < count && result == 0; at += chunk)
        result =
            decoder_prompt_visit(decoder, (const uint32_t *)(const void *)ids + at,
                                 count - at < chunk ? count - at : chunk, put_row, &sink, error);
    decoder_destroy(decoder);
    handle_free(&handle);
    memory_free(sink.row);
    memory_free(mask);
    free(ids);
    if (result != 0) {
        file_writer_abort(&out);
        return -1;
    }
    return file_writer_commit(&out, error);
}

/* A prompt, then the other tokens one by one. */
static int print_memory(const struct model *model, char **argv, size_t prompt, int is_lean,
                        struct error *error) {
    struct decoder *decoder;
    char *ids;
    size_t bytes;
    struct weights weights = model_weights(model);
    const struct config *c = &model->config;
    if (file_read_all(argv[0], 1 << 28, &ids, &bytes, error))
        return -1;
    const uint32_t *tokens = (const uint32_t *)(const void *)ids;
    size_t count = bytes / sizeof *tokens;
    if (decoder_create(&decoder, &weights,
                       &(struct decoder_options){.context = count, .is_lean = is_lean}, error))
        return -1;
    int result = count > prompt ? 0 : error_set(error, "too few tokens");
    if (result == 0 && decoder_prompt(decoder, tokens, prompt, error) == NULL)
        result = -1;
    for (size_t i = prompt; result == 0 && i < count; i++)
        decoder_step(decoder, tokens[i]);
    size_t cache = 4 * count * c->blocks * c->key_value_heads * c->head_width;
    printf("%zu %zu\n", memory_peak(), model->base->file_bytes + cache);
    decoder_destroy(decoder);
    free(ids);
    return result;
}

int main(int argc, char **argv) {
    struct error error = {
        "usage: driver tokens|logits|memory MODEL INPUT [OUT [CHUNK [SLOT=LABEL]...]]"};
    struct model *model = NULL;
    int result = -1;
    if (argc >= 4 && model_load(&model, argv[2], PRECISION_BF16, &error) == 0) {
        if (strcmp(argv[1], "memory") == 0 && model->base != NULL)
            result = print_memory(model, argv + 3, argc > 4 ? strtoul(argv[4], NULL, 10) : 16,
                                  argc > 5, &error);
        else if (strcmp(argv[1], "tokens") == 0 && argc >= 5)
            result = write_tokens(model, argv + 3, &error);
        else if (strcmp(argv[1], "logits") == 0 && argc >= 6)
            result = write_logits(model, argc - 3, argv + 3, &error);
    }
    if (result != 0)
        fprintf(stderr, "driver: %s\n", error.message);
    model_destroy(model);
    return result != 0;
}
