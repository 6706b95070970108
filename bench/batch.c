/* Texts decoded together: tokens/s of one text without a batcher, and of 1, 2, 4, ... texts with
 * one, on a model as it is; and that every text became what it becomes alone.
 *   batch MODEL PROMPT TOKENS THREADS MOST
 * Prints one line of JSON for each number of texts. */
#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/progress.h"
#include "latent/model.h"
#include "model/batcher.h"
#include "model/decoder.h"
#include "model/sampling.h"

enum { MOST_TEXTS = 64, MOST_TOKENS = 1024 };

struct text {
    const struct model *model;
    size_t prompt, tokens, place;
    uint32_t written[MOST_TOKENS];
    double first; /* seconds until the first token */
};

/* As clients do: by chance, with the whole vocabulary to choose from. */
static void *write_text(void *context) {
    struct text *t = context;
    struct error error;
    struct decoder *decoder;
    struct random random;
    struct weights weights = model_weights(t->model);
    struct sampling sampling = {.temperature = 0.8, .top_p = 0.95};
    size_t vocabulary = t->model->config.vocabulary;
    uint32_t *prompt = malloc((t->prompt + vocabulary) * sizeof *prompt);
    double *probabilities = malloc(vocabulary * sizeof *probabilities);
    double start = progress_clock();
    random_seed(&random, t->place, 1);
    if (prompt == NULL || probabilities == NULL ||
        decoder_create(&decoder, &weights,
                       &(struct decoder_options){.context = t->prompt + t->tokens + 1}, &error))
        exit(1);
    for (size_t i = 0; i < t->prompt; i++)
        prompt[i] = (uint32_t)(1000 + 37 * i + 11 * t->place * (i + 1)) % (uint32_t)vocabulary;
    const real *logits = decoder_prompt(decoder, prompt, t->prompt, &error);
    t->first = progress_clock() - start;
    for (size_t i = 0; i < t->tokens && logits != NULL; i++) {
        t->written[i] = sample_token(logits, NULL, vocabulary, &sampling, &random, probabilities,
                                     prompt + t->prompt);
        logits = decoder_step(decoder, t->written[i]);
    }
    decoder_destroy(decoder);
    free(prompt);
    free(probabilities);
    return NULL;
}

static struct text texts[MOST_TEXTS], alone[MOST_TEXTS];

static void report(const char *what, size_t count, size_t tokens, double seconds, int is_same) {
    double first = 0;
    for (size_t i = 0; i < count; i++)
        first = texts[i].first > first ? texts[i].first : first;
    printf("{\"what\": \"%s\", \"texts\": %zu, \"tokens_per_second\": %.1f, \"last_first_token\": "
           "%.3f, \"as_alone\": %s}\n",
           what, count, (double)(count * tokens) / seconds, first, is_same ? "true" : "false");
    fflush(stdout);
}

static void run_together(struct model *model, size_t count, size_t prompt, size_t tokens) {
    pthread_t threads[MOST_TEXTS];
    int is_same = 1;
    double start = progress_clock();
    for (size_t i = 0; i < count; i++) {
        texts[i] = (struct text){model, prompt, tokens, i, {0}, 0};
        pthread_create(&threads[i], NULL, write_text, &texts[i]);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    double seconds = progress_clock() - start;
    for (size_t i = 0; i < count; i++)
        is_same &= memcmp(texts[i].written, alone[i].written, tokens * sizeof(uint32_t)) == 0;
    report("batcher", count, tokens, seconds, is_same);
}

int main(int argc, char **argv) {
    struct error error;
    struct model *model;
    if (argc != 6)
        return 2;
    size_t prompt = strtoul(argv[2], NULL, 10), tokens = strtoul(argv[3], NULL, 10);
    size_t threads = strtoul(argv[4], NULL, 10), most = strtoul(argv[5], NULL, 10);
    if (tokens > MOST_TOKENS || most > MOST_TEXTS)
        return 2;
    omp_set_num_threads((int)threads);
    if (model_load(&model, argv[1], PRECISION_BF16, &error)) {
        fprintf(stderr, "batch: %s\n", error.message);
        return 1;
    }
    texts[0] = (struct text){model, prompt, tokens, 0, {0}, 0};
    double start = progress_clock();
    write_text(&texts[0]);
    report("one decoder", 1, tokens, progress_clock() - start, 1);
    struct weights weights = model_weights(model);
    if (batcher_create(&model->batcher, &weights, threads, &error)) {
        fprintf(stderr, "batch: %s\n", error.message);
        return 1;
    }
    for (size_t i = 0; i < most; i++) {
        alone[i] = (struct text){model, prompt, tokens, i, {0}, 0};
        write_text(&alone[i]);
    }
    for (size_t count = 1; count <= most; count *= 2)
        run_together(model, count, prompt, tokens);
    batcher_destroy(model->batcher);
    model_destroy(model);
    return 0;
}
