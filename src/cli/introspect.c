/* trine introspect: teaches the truth author to write as anyone who is named in words. */
#include <getopt.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "math/matmul.h"
#include "text/corpus.h"
#include "truth/introspection_report.h"
#include "truth/layer_train.h"

static const char HELP[] =
    "usage: trine introspect train --model MODEL --corpus DIR --out TRUTH.gguf [OPTIONS]\n"
    "       trine introspect eval --model MODEL --truth TRUTH.gguf --corpus DIR [OPTIONS]\n"
    "\n"
    "train teaches the truth author to write as any author, in any year, when told so in words\n"
    "(\"Write as Abraham Lincoln, 1862.\"); the model told the same as a handle is its teacher, "
    "and\n"
    "is not changed. eval compares the two on documents that were held out.\n"
    "\n"
    "  --corpus DIR        documents with authors and dates\n"
    "  --truth FILE        the author to begin with (train), or to measure\n"
    "  --out FILE          the trained one\n"
    "  --steps N           default 1500       --batch N          texts, default 16\n"
    "  --learning-rate R   default 0.005      --rank N           of the adapters, default 32\n"
    "  --seed N            default 1          --threads N        default: one for each core\n"
    "  --time N            tokens of a text; as many as fit the context with the longest name\n"
    "  --pieces N          of each document, spread over it, are measured (8); 0: all\n"
    "  --split NAME        held-out (default), or validation: training documents kept apart\n"
    "  --validation-every N  which those are; as in training (16)\n"
    "  --json [FILE]       the report as JSON, to a file or instead of the table\n" BASE_HELP "\n"
    "example: trine introspect train --model demo/sotu.gguf --corpus demo/corpus --out truth.gguf";

struct run {
    const char *model_path, *base, *corpus_path, *truth, *out, *json;
    enum dataset_split split;
    size_t rank, time, pieces, validation_every;
    struct layer_train_options options;
    struct corpus *corpus;
    struct model *model;
    struct layer *layer;
    struct dataset dataset;
    struct progress progress;
    double loss;
};

static int take_path(struct run *run, int option, int argc, char **argv) {
    const char **paths[] = {['m'] = &run->model_path, ['B'] = &run->base, ['c'] = &run->corpus_path,
                            ['t'] = &run->truth,      ['o'] = &run->out,  ['j'] = &run->json};
    if (option < 0 || option >= (int)(sizeof paths / sizeof *paths) || paths[option] == NULL)
        return 0;
    *paths[option] = option == 'j' ? option_optional_file(argc, argv) : optarg;
    return 1;
}

static int take_option(struct run *run, int option, int argc, char **argv, struct error *error) {
    size_t seed;
    if (take_path(run, option, argc, argv))
        return 0;
    switch (option) {
    case 's':
        return option_count(&run->options.steps, "--steps", 1, 1000000, error);
    case 'b':
        return option_count(&run->options.batch, "--batch", 1, 4096, error);
    case 'l':
        return option_number(&run->options.learning_rate, "--learning-rate", 1e-8, 1, error);
    case 'r':
        return option_count(&run->rank, "--rank", 1, MAXIMUM_RANK, error);
    case 'T':
        return option_count(&run->options.threads, "--threads", 1, 64, error);
    case 'i':
        return option_count(&run->time, "--time", 1, 1 << 20, error);
    case 'p':
        return option_count(&run->pieces, "--pieces", 0, 1 << 20, error);
    case 'v':
        return option_count(&run->validation_every, "--validation-every", 0, 1 << 20, error);
    case 'S':
        if (option_count(&seed, "--seed", 0, 1u << 30, error))
            return -1;
        run->options.seed = seed;
        return 0;
    case 'P':
        run->split = strcmp(optarg, "validation") == 0 ? DATASET_VALIDATION : DATASET_HELD_OUT;
        if (run->split == DATASET_VALIDATION || strcmp(optarg, "held-out") == 0)
            return 0;
        return error_set(error, "--split is '%.40s'; it must be held-out or validation", optarg);
    default:
        return error_set(error, "see trine introspect --help");
    }
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {{"model", required_argument, NULL, 'm'},
                                            {"base", required_argument, NULL, 'B'},
                                            {"corpus", required_argument, NULL, 'c'},
                                            {"truth", required_argument, NULL, 't'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"json", optional_argument, NULL, 'j'},
                                            {"steps", required_argument, NULL, 's'},
                                            {"batch", required_argument, NULL, 'b'},
                                            {"rank", required_argument, NULL, 'r'},
                                            {"learning-rate", required_argument, NULL, 'l'},
                                            {"threads", required_argument, NULL, 'T'},
                                            {"time", required_argument, NULL, 'i'},
                                            {"pieces", required_argument, NULL, 'p'},
                                            {"validation-every", required_argument, NULL, 'v'},
                                            {"seed", required_argument, NULL, 'S'},
                                            {"split", required_argument, NULL, 'P'},
                                            {NULL, 0, NULL, 0}};
    int option;
    run->options = layer_train_options_default();
    run->options.threads = (size_t)omp_get_max_threads();
    run->options.steps = 1500;
    run->options.learning_rate = 5e-3;
    run->rank = 32;
    run->pieces = 8;
    run->validation_every = 16;
    run->split = DATASET_HELD_OUT;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (take_option(run, option, argc, argv, error))
            return -1;
    if (run->model_path == NULL || run->corpus_path == NULL)
        return error_set(error, "--model FILE and --corpus DIR are wanted");
    return 0;
}

static int open_all(struct run *run, enum dataset_split split, struct error *error) {
    if (model_load_on(&run->model, run->model_path, run->base, matmul_fast_precision(), error) ||
        corpus_open(&run->corpus, run->corpus_path, error) ||
        corpus_check_tokenizer(run->corpus, run->model->tokenizer, error) ||
        dataset_create(&run->dataset, run->corpus, &run->model->slots, split, run->validation_every,
                       error))
        return -1;
    if (run->dataset.count == 0)
        return error_set(error, "%s has no such documents", run->corpus_path);
    return run->truth != NULL ? layer_load(&run->layer, run->model, run->truth, error) : 0;
}

/* A new author begins where a handle says nothing. */
static int create_layer(struct run *run, struct error *error) {
    const struct model *model = run->model;
    struct overlay_config overlay = {
        .rank = run->rank, .first = model->config.split, .targets = 15, .scale = 2};
    real mask[4096];
    if (layer_create(&run->layer, model, "truth", model->name, &overlay, run->options.seed,
                     error) ||
        telling_nothing(run->layer->values + run->layer->overlay.layout.count, mask, model, error))
        return -1;
    layer_refresh_operands(run->layer);
    return 0;
}

static int show_progress(void *context, const struct layer_train_report *report) {
    struct run *run = context;
    run->loss = run->loss == 0 ? report->loss : 0.95 * run->loss + 0.05 * report->loss;
    progress_show(&run->progress, report->step, report->step == run->options.steps,
                  "KL %.4f nats per token", run->loss);
    return progress_stop_wanted();
}

static int train(struct run *run, struct error *error) {
    struct introspection_options options = introspection_options_default();
    struct introspection *introspection;
    if (run->out == NULL)
        return error_set(error, "--out FILE is wanted");
    if (open_all(run, DATASET_TRAIN, error) || (run->layer == NULL && create_layer(run, error)))
        return -1;
    options.time = run->time;
    options.batch = run->options.batch;
    options.threads = run->options.threads;
    options.seed = run->options.seed;
    if (introspection_create(&introspection, run->layer, &run->dataset, &options, error))
        return -1;
    run->options.introspection = introspection;
    run->options.introspection_every = 1;
    fprintf(stderr, "%zu documents; %zu numbers to train; %zu steps of %zu texts\n",
            run->dataset.count, run->layer->count, run->options.steps, run->options.batch);
    progress_catch_signals();
    progress_start(&run->progress, 0, run->options.steps);
    int result = layer_train(run->layer, NULL, NULL, 0, &run->options, show_progress, run, error);
    progress_finish(&run->progress);
    introspection_destroy(introspection);
    return result || layer_save(run->layer, run->out, error) ? -1 : 0;
}

static int evaluate(struct run *run, struct error *error) {
    struct introspection_report report;
    struct introspection_report_options options = {.time = run->time,
                                                   .pieces = run->pieces,
                                                   .threads = run->options.threads,
                                                   .seed = run->options.seed};
    if (run->truth == NULL)
        return error_set(error, "--truth FILE is wanted");
    if (open_all(run, run->split, error) ||
        introspection_evaluate(&report, run->layer, &run->dataset, &options, error))
        return -1;
    if (run->json == NULL) {
        introspection_report_print(stdout, &report);
        return 0;
    }
    json_t *json = introspection_report_to_json(&report);
    int result = json == NULL ? error_set(error, "out of memory")
                              : option_write_json(json, run->json, error);
    json_decref(json);
    return result;
}

static int execute(struct run *run, int argc, char **argv, struct error *error) {
    const char *verb = optind < argc ? argv[optind] : "";
    if (strcmp(verb, "train") == 0)
        return train(run, error);
    if (strcmp(verb, "eval") == 0)
        return evaluate(run, error);
    return error_set(error, "'%.40s' is neither train nor eval", verb);
}

static void finish(struct run *run) {
    layer_destroy(run->layer);
    dataset_free(&run->dataset);
    model_destroy(run->model);
    corpus_close(run->corpus);
    free(run);
}

int command_introspect(int argc, char **argv) {
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return 1;
    int status = parse(run, argc, argv, &error) ? 2 : execute(run, argc, argv, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine introspect: %s\n", error.message);
    finish(run);
    return status;
}
