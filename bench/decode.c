/* One run of a checkpoint: time to the first token, prompt and decoding rates, peak memory, and the
 * bandwidth of memory as it is read by as many threads.
 *   decode MODEL IDS PROMPT TOKENS THREADS
 * IDS: u32 tokens, of which the first PROMPT are the prompt and the next TOKENS are decoded.
 * Prints one JSON object. Times are seconds of the monotonic clock. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/progress.h"
#include "latent/model.h"
#include "model/decoder.h"

/* GB/s of reading 512 MB, the best of five. */
static double bandwidth(int threads) {
    enum { COUNT = 512 << 17 };
    struct error error;
    uint64_t *data = memory_allocate(COUNT, sizeof *data, &error), sum = 0;
    double best = 0;
    for (int run = 0; run < 5 && data != NULL; run++) {
        double start = progress_clock();
#pragma omp parallel for simd num_threads(threads) reduction(+ : sum) schedule(static)
        for (size_t i = 0; i < COUNT; i++)
            sum += data[i];
        double rate = COUNT * sizeof *data / (progress_clock() - start) / 1e9;
        best = rate > best ? rate : best;
    }
    memory_free(data);
    return sum == 1 ? 0 : best; /* the sum must be computed */
}

/* Bytes of weights that one token reads: all matrices, of the embedding only as an output layer. */
static double bytes_per_token(const struct model *model) {
    struct weights weights = model_weights(model);
    struct matrix output = weights_output(&weights);
    size_t bytes = output.rows * matrix_row_bytes(&output);
    for (size_t l = 0; l < model->config.blocks; l++) {
        struct block_view view;
        weights_block(&weights, l, &view);
        for (int target = 0; target < ADAPTER_TARGETS; target++)
            for (size_t i = 0; i < view.products[target].part_count; i++) {
                const struct matrix *part = &view.products[target].parts[i];
                bytes += part->rows * matrix_row_bytes(part);
            }
    }
    return (double)bytes;
}

/* Keys and values in two bytes each. */
static double cache_bytes(const struct model *model, size_t context) {
    const struct config *c = &model->config;
    return (double)(4 * context * c->blocks * c->key_value_heads * c->head_width);
}

int main(int argc, char **argv) {
    struct error error;
    struct model *model;
    struct decoder *decoder;
    char *ids;
    size_t bytes;
    if (argc != 6 && argc != 7)
        return 2;
    size_t prompt = strtoul(argv[3], NULL, 10), count = strtoul(argv[4], NULL, 10);
    int threads = atoi(argv[5]);
    omp_set_num_threads(threads);
    struct decoder_options options = {
        .context = prompt + count + 8, .threads = (size_t)threads, .is_lean = argc == 7};
    if (model_load(&model, argv[1], PRECISION_BF16, &error) ||
        file_read_all(argv[2], 1 << 24, &ids, &bytes, &error)) {
        fprintf(stderr, "decode: %s\n", error.message);
        return 1;
    }
    const uint32_t *tokens = (const uint32_t *)(const void *)ids;
    struct weights weights = model_weights(model);
    double before = progress_clock();
    if (bytes / sizeof *tokens < prompt + count ||
        decoder_create(&decoder, &weights, &options, &error) ||
        decoder_prompt(decoder, tokens, prompt, &error) == NULL)
        return 1;
    double first = progress_clock();
    for (size_t i = 0; i < count; i++)
        decoder_step(decoder, tokens[prompt + i]);
    double last = progress_clock();
    size_t peak = memory_peak();
    /* A second prompt, when everything is in place. */
    decoder_start(decoder, &(struct pass_handle){0});
    double again = progress_clock();
    if (decoder_prompt(decoder, tokens, prompt, &error) == NULL)
        return 1;
    double warm = progress_clock();
    printf("{\"first_token_at\": %.6f, \"prompt\": %.2f, \"warm_prompt\": %.2f, \"decode\": %.2f, "
           "\"peak_mb\": %.1f, \"cache_mb\": %.1f, \"bandwidth\": %.2f, \"bytes_per_token\": %.0f, "
           "\"kernels\": "
           "\"%s\"}\n",
           first, (double)prompt / (first - before), (double)prompt / (warm - again),
           (double)count / (last - first), (double)peak / 1e6,
           cache_bytes(model, options.context) / 1e6, bandwidth(threads), bytes_per_token(model),
           quant_product_kernels());
    decoder_destroy(decoder);
    model_destroy(model);
    free(ids);
    return 0;
}
