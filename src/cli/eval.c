/* trine eval: what a model knows of the documents it never saw. */
#include <getopt.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "dream/evaluate.h"
#include "dream/paths.h"
#include "math/matmul.h"
#include "text/corpus.h"

struct run {
    const char *model_path, *base_path, *plain_path, *corpus_path, *json_path, *pieces_path;
    int is_validation, with_paths;
    size_t validation_every, candidates;
    struct corpus *corpus;
    struct model *model, *plain;
    struct dataset validation, dataset;
    struct evaluation evaluation;
    struct path_report paths;
    double plain_nats, seconds;
};

static const char HELP[] =
    "usage: trine eval --model MODEL.gguf --corpus DIR [OPTIONS]\n\n"
    "Reads the held-out documents of a corpus and reports nats per token (nothing told, labels\n"
    "told, another document's labels told), and how well each slot is read: from whole documents\n"
    "and from their beginnings of 32 to 256 tokens.\n\n"
    "  --plain FILE          a model trained with --no-latents, or a checkpoint, to compare with\n"
    "  --decide N            let the writer decide among the reader's N likeliest labels\n"
    "  --paths               also write along dates and between authors and read that back\n"
    "  --split NAME          held-out (default), or validation: training documents kept apart\n"
    "  --validation-every N  which those are; as in training (16)\n"
    "  --pieces FILE         write the pieces that were judged, as JSON lines\n"
    "  --json [FILE]         the report as JSON, to a file or instead of the table\n" BASE_HELP "\n"
    "example: trine eval --model demo/sotu.gguf --corpus demo/corpus --plain demo/plain.gguf";

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {{"model", required_argument, NULL, 'm'},
                                            {"base", required_argument, NULL, 'B'},
                                            {"plain", required_argument, NULL, 'p'},
                                            {"corpus", required_argument, NULL, 'c'},
                                            {"split", required_argument, NULL, 's'},
                                            {"json", optional_argument, NULL, 'j'},
                                            {"validation-every", required_argument, NULL, 'v'},
                                            {"pieces", required_argument, NULL, 'i'},
                                            {"decide", required_argument, NULL, 'd'},
                                            {"paths", no_argument, NULL, 'a'},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        if (option == 'm')
            run->model_path = optarg;
        else if (option == 'B')
            run->base_path = optarg;
        else if (option == 'p')
            run->plain_path = optarg;
        else if (option == 'c')
            run->corpus_path = optarg;
        else if (option == 'i')
            run->pieces_path = optarg;
        else if (option == 'a')
            run->with_paths = 1;
        else if (option == 'j')
            run->json_path = option_optional_file(argc, argv);
        else if (option == 'v') {
            if (option_count(&run->validation_every, "--validation-every", 0, 1 << 20, error))
                return -1;
        } else if (option == 'd') {
            if (option_count(&run->candidates, "--decide", 2, 64, error))
                return -1;
        } else if (option == 's' && strcmp(optarg, "validation") == 0)
            run->is_validation = 1;
        else if (option != 's' || strcmp(optarg, "held-out") != 0)
            return error_set(error, "see trine eval --help");
    }
    if (optind < argc || run->model_path == NULL || run->corpus_path == NULL)
        return error_set(error, "--model and --corpus are needed; see trine eval --help");
    return 0;
}

static size_t thread_count(void) {
    return (size_t)omp_get_max_threads();
}

static int measure_plain(struct run *run, struct error *error) {
    struct reading reading;
    struct evaluation evaluation;
    if (model_load_on(&run->plain, run->plain_path, run->base_path, matmul_fast_precision(),
                      error) ||
        corpus_check_tokenizer(run->corpus, run->plain->tokenizer, error))
        return -1;
    if (run->plain->slots.count > 0)
        return error_set(error, "%s is no plain model: it has slots", run->plain_path);
    if (reading_create(&reading, run->plain, &run->dataset, run->model->config.context,
                       thread_count(), 1, error))
        return -1;
    int result = evaluate_reading(&evaluation, run->plain, &run->dataset, &reading, NULL, error);
    run->plain_nats = evaluation.nats[CONDITION_UNTOLD];
    reading_free(&reading);
    return result;
}

/* {"document": ..., "start": ..., "text": ...} for each piece of the model's full context. */
static int write_pieces(const struct run *run, const struct reading *reading, struct error *error) {
    struct file_writer writer;
    if (file_writer_open(&writer, run->pieces_path, error))
        return -1;
    for (size_t i = 0; i < reading->piece_count; i++) {
        const struct piece_reading *piece = &reading->pieces[i];
        const struct dataset_document *document = &run->dataset.documents[piece->document];
        char text[1 << 16];
        size_t length = 0;
        if (piece->count < run->model->config.context)
            continue;
        for (size_t t = 0; t < piece->count; t++) {
            struct token_bytes bytes =
                tokenizer_token(run->model->tokenizer, document->text.tokens[piece->start + t]);
            if (length + bytes.length > sizeof text ||
                tokenizer_is_special(run->model->tokenizer,
                                     document->text.tokens[piece->start + t]))
                continue;
            memcpy(text + length, bytes.data, bytes.length);
            length += bytes.length;
        }
        /* A piece may begin or end inside a character: those bytes are left out. */
        json_t *json = NULL;
        for (size_t skip = 0; skip < 4 && json == NULL && skip < length; skip++)
            for (size_t cut = 0; cut < 4 && json == NULL && skip + cut < length; cut++)
                json =
                    json_pack("{s:s, s:I, s:s%}", "document", document->name, "start",
                              (json_int_t)piece->start, "text", text + skip, length - skip - cut);
        if (json != NULL) {
            json_dumpf(json, writer.stream, JSON_COMPACT);
            fputc('\n', writer.stream);
        }
        json_decref(json);
    }
    return file_writer_commit(&writer, error);
}

/* The first categorical slot; MAXIMUM_SLOTS if there is none. */
static size_t decided_slot(const struct model *model) {
    for (size_t s = 0; s < model->slots.count; s++)
        if (model->slots.slots[s].kind == LATENT_CATEGORICAL)
            return s;
    return MAXIMUM_SLOTS;
}

static int measure(struct run *run, struct error *error) {
    struct reading reading;
    struct decisions decisions = {0};
    double start = progress_clock();
    if (reading_create(&reading, run->model, &run->dataset, run->model->config.context,
                       thread_count(), CONDITION_COUNT, error))
        return -1;
    run->seconds = progress_clock() - start;
    size_t decided = decided_slot(run->model);
    int is_decided = run->candidates > 0 && decided < MAXIMUM_SLOTS;
    int result = is_decided && decisions_create(&decisions, run->model, &run->dataset, &reading,
                                                decided, run->candidates, thread_count(), error);
    if (result == 0)
        result = evaluate_reading(&run->evaluation, run->model, &run->dataset, &reading,
                                  is_decided ? &decisions : NULL, error);
    if (result == 0 && run->pieces_path != NULL)
        result = write_pieces(run, &reading, error);
    decisions_free(&decisions);
    reading_free(&reading);
    return result ? -1 : 0;
}

static json_t *report(const struct run *run) {
    json_t *json = evaluation_to_json(&run->evaluation, run->model);
    json_object_set_new(json, "model", json_string(run->model->name));
    json_object_set_new(json, "tokens_trained",
                        json_integer((json_int_t)run->model->tokens_trained));
    json_object_set_new(json, "split", json_string(run->is_validation ? "validation" : "held-out"));
    json_object_set_new(json, "documents", json_integer((json_int_t)run->dataset.count));
    if (run->plain != NULL)
        json_object_set_new(json_object_get(json, "nats_per_token"), "plain",
                            json_real(run->plain_nats));
    if (run->with_paths)
        json_object_set_new(json, "paths", path_report_to_json(&run->paths));
    return json;
}

static void print(const struct run *run) {
    if (run->plain != NULL)
        printf("the plain model of the same size: %.4f nats per token; untold is %+.2f %%\n",
               run->plain_nats,
               100 * (run->evaluation.nats[CONDITION_UNTOLD] / run->plain_nats - 1));
    evaluation_print(stdout, &run->evaluation, run->model);
    if (run->with_paths)
        path_report_print(stdout, &run->paths);
}

static int evaluate(struct run *run, struct error *error) {
    if (corpus_open(&run->corpus, run->corpus_path, error) ||
        model_load_on(&run->model, run->model_path, run->base_path, matmul_fast_precision(),
                      error) ||
        corpus_check_tokenizer(run->corpus, run->model->tokenizer, error) ||
        dataset_create(&run->dataset, run->corpus, &run->model->slots,
                       run->is_validation ? DATASET_VALIDATION : DATASET_HELD_OUT,
                       run->validation_every, error))
        return -1;
    if (run->dataset.count == 0)
        return error_set(error, "%s has no %s documents", run->corpus_path,
                         run->is_validation ? "validation" : "held-out");
    if ((run->plain_path != NULL && measure_plain(run, error)) || measure(run, error) ||
        (run->with_paths && path_report_create(&run->paths, run->model, thread_count(), error)))
        return -1;
    json_t *json = report(run);
    int result = 0;
    if (json == NULL)
        result = error_set(error, "out of memory");
    else if (run->json_path != NULL)
        result = option_write_json(json, run->json_path, error);
    if (run->json_path == NULL || strcmp(run->json_path, "-") != 0)
        print(run);
    json_decref(json);
    return result;
}

int command_eval(int argc, char **argv) {
    struct run run = {.validation_every = 16};
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    int status = parse(&run, argc, argv, &error) ? 2 : evaluate(&run, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine eval: %s\n", error.message);
    path_report_free(&run.paths);
    dataset_free(&run.dataset);
    model_destroy(run.model);
    model_destroy(run.plain);
    corpus_close(run.corpus);
    return status;
}
