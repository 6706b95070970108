/* trine truth: trains and measures the truth author; trine judge: asks it. */
#include <getopt.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/memory.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "text/jsonl.h"
#include "truth/layer_train.h"
#include "truth/report.h"

static const char TRUTH_HELP[] =
    "usage: trine truth train --model MODEL --examples FILE --out TRUTH.gguf [OPTIONS]\n"
    "       trine truth eval --model MODEL [--truth TRUTH.gguf] --examples FILE [--json [FILE]]\n"
    "\n"
    "train teaches one more author, who holds statements true or false: a vector and adapters that "
    "are\n"
    "on while this author is asked. The model itself is not changed. eval measures it on other\n"
    "statements; without --truth, the model as it is.\n"
    "\n"
    "  --examples FILE     JSON lines: {\"statement\": TEXT, \"label\": true|false} or \"target\": "
    "0..1\n"
    "  --calibrate FILE    such lines, apart from the others, to fit the probabilities on\n"
    "  --out FILE          the trained layer\n"
    "  --truth FILE        such a layer\n"
    "  --steps N           default 400        --batch N          default 16\n"
    "  --learning-rate R   default 0.0005     --rank N           of the adapters, default 8\n"
    "  --seed N            default 1          --threads N        default: one for each "
    "core\n" BASE_HELP;

static const char JUDGE_HELP[] =
    "usage: trine judge --model MODEL --truth TRUTH.gguf STATEMENT...\n"
    "\n"
    "Prints the probability that the truth author gives each statement.\n" BASE_HELP;

struct statements {
    char **texts;
    double *targets;
    size_t count, text_capacity, target_capacity;
};

struct run {
    const char *model_path, *base, *examples, *calibrate, *out, *truth, *json;
    struct layer_train_options options;
    size_t rank;
    struct model *model;
    struct layer *layer;
    struct asking asking;
    struct statements training, calibration;
    struct progress progress;
    double loss;
};

static void statements_free(struct statements *s) {
    for (size_t i = 0; i < s->count; i++)
        free(s->texts[i]);
    free(s->texts);
    free(s->targets);
    *s = (struct statements){0};
}

static int keep_statement(struct statements *s, const struct jsonl_line *line, const char *path,
                          struct error *error) {
    json_error_t problem;
    json_t *json = line->is_too_long ? NULL : json_loadb(line->data, line->bytes, 0, &problem);
    const char *text = json_string_value(json_object_get(json, "statement"));
    const json_t *label = json_object_get(json, "label"), *target = json_object_get(json, "target");
    double value = json_is_boolean(label) ? json_is_true(label) : json_number_value(target);
    int is_sound = text != NULL && *text != '\0' && value >= 0 && value <= 1 &&
                   json_is_boolean(label) + json_is_number(target) == 1;
    int result = 0;
    if (!is_sound)
        result = error_set(error,
                           "%s:%zu: a line wants \"statement\", and \"label\" (true or false) or "
                           "\"target\" (0 to 1)",
                           path, line->number);
    else if (memory_grow(&s->texts, &s->text_capacity, s->count + 1, sizeof *s->texts, error) ||
             memory_grow(&s->targets, &s->target_capacity, s->count + 1, sizeof *s->targets, error))
        result = -1;
    else if ((s->texts[s->count] = strdup(text)) == NULL)
        result = error_set(error, "out of memory for statements");
    else
        s->targets[s->count++] = value;
    json_decref(json);
    return result;
}

static int read_statements(struct statements *s, const char *path, struct error *error) {
    struct jsonl_source source = {.name = path, .descriptor = -1};
    struct jsonl_reader *reader;
    struct jsonl_line line = {.data = ""};
    if (jsonl_open(&reader, &source, 1, 0, error))
        return -1;
    int result = 0;
    while (result == 0 && (result = jsonl_next(reader, &line, error)) == 0 && line.data != NULL)
        if (line.bytes > 0)
            result = keep_statement(s, &line, path, error);
    jsonl_close(reader);
    if (result == 0 && s->count == 0)
        result = error_set(error, "%s holds no statement", path);
    return result;
}

static int take_option(struct run *run, int option, int argc, char **argv, struct error *error) {
    size_t seed;
    switch (option) {
    case 'm':
        run->model_path = optarg;
        return 0;
    case 'B':
        run->base = optarg;
        return 0;
    case 'e':
        run->examples = optarg;
        return 0;
    case 'c':
        run->calibrate = optarg;
        return 0;
    case 'o':
        run->out = optarg;
        return 0;
    case 't':
        run->truth = optarg;
        return 0;
    case 'j':
        run->json = option_optional_file(argc, argv);
        return 0;
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
    case 'S':
        if (option_count(&seed, "--seed", 0, 1u << 30, error))
            return -1;
        run->options.seed = seed;
        return 0;
    default:
        return error_set(error, "see trine %s --help", argv[0]);
    }
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {
        {"model", required_argument, NULL, 'm'},    {"base", required_argument, NULL, 'B'},
        {"examples", required_argument, NULL, 'e'}, {"calibrate", required_argument, NULL, 'c'},
        {"out", required_argument, NULL, 'o'},      {"truth", required_argument, NULL, 't'},
        {"json", optional_argument, NULL, 'j'},     {"steps", required_argument, NULL, 's'},
        {"batch", required_argument, NULL, 'b'},    {"learning-rate", required_argument, NULL, 'l'},
        {"rank", required_argument, NULL, 'r'},     {"threads", required_argument, NULL, 'T'},
        {"seed", required_argument, NULL, 'S'},     {NULL, 0, NULL, 0}};
    int option;
    run->options = layer_train_options_default();
    run->options.threads = (size_t)omp_get_max_threads();
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (take_option(run, option, argc, argv, error))
            return -1;
    if (run->model_path == NULL)
        return error_set(error, "--model FILE is wanted");
    return 0;
}

static int open_model(struct run *run, struct error *error) {
    if (model_load_on(&run->model, run->model_path, run->base, PRECISION_BF16, error) ||
        asking_create(&run->asking, run->model, error))
        return -1;
    return run->truth != NULL ? layer_load(&run->layer, run->model, run->truth, error) : 0;
}

static int show_progress(void *context, const struct layer_train_report *report) {
    struct run *run = context;
    run->loss = run->loss == 0 ? report->loss : 0.95 * run->loss + 0.05 * report->loss;
    progress_show(&run->progress, report->step, report->step == run->options.steps,
                  "loss %.3f nats per answer", run->loss);
    return progress_stop_wanted();
}

/* The model as it is (layer NULL) or the layer on some statements. */
static int ask(struct run *run, const struct statements *s, double *log_odds, struct error *error) {
    struct asked asked = {.layer = run->layer};
    return asking_log_odds(&run->asking, &asked, (const char *const *)s->texts, s->count,
                           run->options.threads, log_odds, error);
}

static int calibrate(struct run *run, const struct statements *s, double *calibration,
                     struct error *error) {
    double *log_odds = memory_allocate(s->count, sizeof *log_odds, error);
    uint8_t *labels = memory_allocate(s->count, 1, error);
    int result = log_odds == NULL || labels == NULL ? -1 : ask(run, s, log_odds, error);
    for (size_t i = 0; result == 0 && i < s->count; i++)
        labels[i] = s->targets[i] > 0.5;
    if (result == 0)
        asking_calibrate(log_odds, labels, s->count, calibration);
    memory_free(log_odds);
    memory_free(labels);
    return result;
}

static int train(struct run *run, struct error *error) {
    struct overlay_config overlay = {0};
    if (run->examples == NULL || run->out == NULL)
        return error_set(error, "--examples FILE and --out FILE are wanted");
    if (read_statements(&run->training, run->examples, error) ||
        (run->calibrate != NULL && read_statements(&run->calibration, run->calibrate, error)) ||
        open_model(run, error))
        return -1;
    if (run->rank > 0)
        overlay = (struct overlay_config){
            .rank = run->rank, .first = run->model->config.split, .targets = 15, .scale = 2};
    struct example *examples = memory_allocate(run->training.count, sizeof *examples, error);
    int result =
        examples == NULL || layer_create(&run->layer, run->model, "truth", run->model->name,
                                         &overlay, run->options.seed, error)
            ? -1
            : 0;
    for (size_t i = 0; result == 0 && i < run->training.count; i++)
        examples[i] = (struct example){run->training.texts[i], run->training.targets[i]};
    if (result == 0) {
        fprintf(stderr, "%zu statements; %zu numbers to train; %zu steps of %zu\n",
                run->training.count, run->layer->count, run->options.steps, run->options.batch);
        progress_catch_signals();
        progress_start(&run->progress, 0, run->options.steps);
        result = layer_train(run->layer, &run->asking, examples, run->training.count, &run->options,
                             show_progress, run, error);
        progress_finish(&run->progress);
    }
    memory_free(examples);
    if (result == 0 && run->calibration.count > 0)
        result = calibrate(run, &run->calibration, run->layer->calibration, error);
    return result || layer_save(run->layer, run->out, error) ? -1 : 0;
}

static int evaluate(struct run *run, struct error *error) {
    double calibration[2] = {1, 0};
    struct judgement_report report;
    if (run->examples == NULL)
        return error_set(error, "--examples FILE is wanted");
    if (read_statements(&run->training, run->examples, error) ||
        (run->calibrate != NULL && read_statements(&run->calibration, run->calibrate, error)) ||
        open_model(run, error))
        return -1;
    if (run->layer != NULL)
        memcpy(calibration, run->layer->calibration, sizeof calibration);
    if (run->calibration.count > 0 && calibrate(run, &run->calibration, calibration, error))
        return -1;
    size_t count = run->training.count;
    double *p = memory_allocate(count, sizeof *p, error);
    if (p == NULL)
        return -1;
    int result = ask(run, &run->training, p, error);
    for (size_t i = 0; i < count; i++)
        p[i] = asking_probability(p[i], calibration);
    if (result == 0)
        result = judgement_report_make(&report, p, run->training.targets, count, error);
    memory_free(p);
    if (result != 0)
        return -1;
    if (run->json == NULL) {
        judgement_report_print(stdout, &report);
        return 0;
    }
    json_t *json = judgement_report_to_json(&report);
    result = json == NULL ? error_set(error, "out of memory")
                          : option_write_json(json, run->json, error);
    json_decref(json);
    return result;
}

static void finish(struct run *run) {
    statements_free(&run->training);
    statements_free(&run->calibration);
    asking_free(&run->asking);
    layer_destroy(run->layer);
    model_destroy(run->model);
    free(run);
}

static int execute_truth(struct run *run, int argc, char **argv, struct error *error) {
    const char *verb = optind < argc ? argv[optind] : "";
    if (strcmp(verb, "train") == 0)
        return train(run, error);
    if (strcmp(verb, "eval") == 0)
        return evaluate(run, error);
    return error_set(error, "'%.40s' is neither train nor eval", verb);
}

int command_truth(int argc, char **argv) {
    struct error error;
    if (option_wants_help(argc, argv, TRUTH_HELP))
        return 0;
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return 1;
    int status = parse(run, argc, argv, &error)           ? 2
                 : execute_truth(run, argc, argv, &error) ? 1
                                                          : 0;
    if (status != 0)
        fprintf(stderr, "trine truth: %s\n", error.message);
    finish(run);
    return status;
}

static int execute_judge(struct run *run, int argc, char **argv, struct error *error) {
    size_t count = (size_t)(argc - optind);
    if (run->truth == NULL || count == 0)
        return error_set(error, "--truth FILE and a statement are wanted");
    if (open_model(run, error))
        return -1;
    double *log_odds = memory_allocate(count, sizeof *log_odds, error);
    if (log_odds == NULL)
        return -1;
    struct asked asked = {.layer = run->layer};
    int result = asking_log_odds(&run->asking, &asked, (const char *const *)argv + optind, count,
                                 run->options.threads, log_odds, error);
    for (size_t i = 0; result == 0 && i < count; i++)
        printf("%.3f  %s\n", asking_probability(log_odds[i], run->layer->calibration),
               argv[optind + (int)i]);
    memory_free(log_odds);
    return result;
}

int command_judge(int argc, char **argv) {
    struct error error;
    if (option_wants_help(argc, argv, JUDGE_HELP))
        return 0;
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return 1;
    int status = parse(run, argc, argv, &error)           ? 2
                 : execute_judge(run, argc, argv, &error) ? 1
                                                          : 0;
    if (status != 0)
        fprintf(stderr, "trine judge: %s\n", error.message);
    finish(run);
    return status;
}
