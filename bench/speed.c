/* Speed of the network: training with slots and without (steps of the two alternate, so that a
 * disturbance hits both), the peak of matrix products on this machine, reading and writing. One
 * JSON object on standard output.
 *
 * Operations are counted as 2 for each multiply-add: a trained token costs 6 for each weight of a
 * matrix, the output layer included, and 12 L T H E / 2 for causal attention. */
#include <jansson.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/progress.h"
#include "dream/reading.h"
#include "dream/write.h"
#include "text/tokenizer_train.h"
#include "train/trainer.h"

enum { DOCUMENTS = 60, DOCUMENT_TOKENS = 4000, AUTHORS = 40 };

static const struct config SHAPE = {.vocabulary = 2048,
                                    .width = 192,
                                    .blocks = 6,
                                    .split = 2,
                                    .heads = 3,
                                    .key_value_heads = 3,
                                    .head_width = 64,
                                    .inner = 512,
                                    .context = 256,
                                    .ngram_orders = 3,
                                    .ngram_rows = 65536,
                                    .rope_base = 10000,
                                    .epsilon = 1e-5};

static void die(const struct error *error) {
    fprintf(stderr, "speed: %s\n", error->message);
    exit(1);
}

/* A tokenizer of the right size, learned from made-up words. */
static struct tokenizer *make_tokenizer(struct error *error) {
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer = NULL;
    struct random random;
    char text[4000];
    random_seed(&random, 1, 0);
    if (tokenizer_trainer_create(&trainer, error))
        return NULL;
    for (int i = 0; i < 200; i++) {
        for (size_t c = 0; c < sizeof text; c++)
            text[c] = random_below(&random, 6) == 0 ? ' ' : (char)('a' + random_below(&random, 20));
        if (tokenizer_trainer_add(trainer, text, sizeof text, error))
            return NULL;
    }
    if (tokenizer_trainer_finish(trainer, SHAPE.vocabulary, &tokenizer, error))
        tokenizer = NULL;
    tokenizer_trainer_destroy(trainer);
    return tokenizer;
}

static struct model *make_model(int is_plain, struct error *error) {
    static char names[AUTHORS][16];
    const char *labels[AUTHORS];
    double counts[AUTHORS];
    struct slots slots = {0};
    struct model *model;
    for (int i = 0; i < AUTHORS; i++) {
        snprintf(names[i], sizeof names[i], "author %d", i);
        labels[i] = names[i];
        counts[i] = 1;
    }
    struct tokenizer *tokenizer = make_tokenizer(error);
    if (tokenizer == NULL ||
        (!is_plain &&
         (slots_add_categorical(&slots, "author", 48, labels, counts, AUTHORS, error) ||
          slots_add_date(&slots, "date", 8, 1790, 2020, error) ||
          slots_add_categorical(&slots, "party", 4, labels, counts, 8, error))) ||
        model_create(&model, SHAPE, &slots, tokenizer, PRECISION_BF16, 1, error))
        die(error);
    return model;
}

static struct dataset make_dataset(struct error *error) {
    struct dataset dataset = {.count = DOCUMENTS};
    struct random random;
    random_seed(&random, 2, 0);
    dataset.documents = memory_allocate(DOCUMENTS, sizeof *dataset.documents, error);
    dataset.texts = memory_allocate(DOCUMENTS, sizeof *dataset.texts, error);
    uint32_t *tokens = memory_allocate((size_t)DOCUMENTS * DOCUMENT_TOKENS, sizeof *tokens, error);
    if (!dataset.documents || !dataset.texts || !tokens)
        die(error);
    for (size_t i = 0; i < (size_t)DOCUMENTS * DOCUMENT_TOKENS; i++)
        tokens[i] = (uint32_t)random_below(&random, SHAPE.vocabulary);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        struct dataset_document *document = &dataset.documents[i];
        dataset.texts[i] = (struct sampler_document){tokens + i * DOCUMENT_TOKENS, DOCUMENT_TOKENS};
        document->text = dataset.texts[i];
        for (int s = 0; s < 3; s++) {
            document->is_given[s] = 1;
            document->target[s] = (struct slot_target){{i % 8}, {1}};
            document->year[s] = 1800;
        }
    }
    return dataset;
}

static double operations_per_token(const struct config *c) {
    double matrices = (double)c->vocabulary * (double)c->width;
    double attention = (double)(c->heads * c->head_width);
    matrices += (double)c->blocks * (double)c->width * (4 * attention + 3 * (double)c->inner);
    return 6 * matrices + 6 * (double)c->blocks * (double)c->context * attention;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

/* GFLOP/s of 2048 x 1536 x 576 bf16 products, a matrix of its own for each thread. */
static double measure_peak(int threads) {
    enum { M = 2048, N = 1536, K = 576, ROUNDS = 12 };
    double best = 0;
    for (int round = 0; round < 5; round++) {
        double start = 0, seconds = 0;
#pragma omp parallel num_threads(threads)
        {
            struct error error;
            struct matmul *matmul;
            uint16_t *a = memory_allocate(M * K, 2, &error), *b = memory_allocate(N * K, 2, &error);
            float *c = memory_allocate((size_t)M * N, 4, &error);
            if (!a || !b || !c ||
                matmul_create(&matmul, matmul_has_bf16() ? PRECISION_BF16 : PRECISION_REAL, &error))
                die(&error);
            matmul_linear(matmul, c, 0, a, b, M, K, N);
#pragma omp barrier
#pragma omp single
            start = progress_clock();
            for (int i = 0; i < ROUNDS; i++)
                matmul_linear(matmul, c, 0, a, b, M, K, N);
#pragma omp barrier
#pragma omp single
            seconds = progress_clock() - start;
            matmul_destroy(matmul);
            memory_free(a);
            memory_free(b);
            memory_free(c);
        }
        double rate = 2.0 * M * N * K * ROUNDS * threads / seconds / 1e9;
        best = rate > best ? rate : best;
    }
    return best;
}

static int count_tokens(void *context, const char *text, size_t length) {
    (void)text;
    (void)length;
    ++*(size_t *)context;
    return 0;
}

static double measure_writing(const struct model *model, struct error *error) {
    struct writer *writer;
    struct handle handle;
    double best = 0;
    if (writer_create(&writer, model, error) || handle_create(&handle, model, error))
        die(error);
    for (int i = 0; i < 5; i++) {
        struct write_options options = {
            .tokens = 250, .seed = (uint64_t)i, .sampling = {.temperature = 1, .top_p = 1}};
        size_t tokens = 0;
        double start = progress_clock();
        if (writer_write(writer, &handle, &options, count_tokens, &tokens, error))
            die(error);
        double rate = (double)tokens / (progress_clock() - start);
        best = rate > best ? rate : best;
    }
    handle_free(&handle);
    writer_destroy(writer);
    return best;
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 20;
    int threads = omp_get_max_threads();
    struct error error;
    struct model *models[2] = {make_model(0, &error), make_model(1, &error)};
    struct dataset dataset = make_dataset(&error);
    struct trainer *trainers[2];
    enum { LIMIT = 100000 };
    double *times[2], start;
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        struct train_options options = train_options_default();
        struct train_report report;
        options.steps = LIMIT;
        options.threads = (size_t)threads;
        options.batch = 16;
        options.time = SHAPE.context;
        times[i] = memory_allocate(LIMIT, sizeof(double), &error);
        if (times[i] == NULL || trainer_create(&trainers[i], models[i], &dataset, &options, &error))
            die(&error);
        for (int warm_up = 0; warm_up < 3; warm_up++)
            if (trainer_step(trainers[i], &report, &error))
                die(&error);
    }
    double peak = measure_peak(threads);
    for (start = progress_clock(); progress_clock() - start < seconds && count < LIMIT; count++)
        for (int i = 0; i < 2; i++) {
            struct train_report report;
            double begin = progress_clock();
            if (trainer_step(trainers[i], &report, &error))
                die(&error);
            times[i][count] = progress_clock() - begin;
        }
    double tokens = 16.0 * (double)SHAPE.context;
    double with = tokens / median(times[0], count), without = tokens / median(times[1], count);
    double gflops = with * operations_per_token(&SHAPE) / 1e9;
    struct reading reading;
    start = progress_clock();
    if (reading_create(&reading, models[0], &dataset, SHAPE.context, (size_t)threads, 0, &error))
        die(&error);
    double read = (double)(DOCUMENTS * DOCUMENT_TOKENS) / (progress_clock() - start);
    double writing = measure_writing(models[0], &error);
    json_t *json = json_pack(
        "{s:i, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "threads", threads,
        "precision", models[0]->precision == PRECISION_BF16 ? "bf16" : "f32",
        "train_tokens_per_second", with, "train_best_tokens_per_second", tokens / times[0][0],
        "train_plain_tokens_per_second", without, "slots_cost_percent", 100 * (without / with - 1),
        "operations_per_token", operations_per_token(&SHAPE), "train_gflops", gflops,
        "matmul_peak_gflops", peak, "share_of_peak", gflops / peak, "read_tokens_per_second", read,
        "write_tokens_per_second", writing);
    json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(5));
    putchar('\n');
    return 0;
}
