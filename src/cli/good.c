/* trine good: trains the good author, and measures it. */
#include <getopt.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "good/attack.h"
#include "good/good_report.h"
#include "good/good_train.h"
#include "good/guard.h"
#include "math/matmul.h"

static const char HELP[] =
    "usage: trine good train --model MODEL --examples FILE --pairs FILE --out GOOD.gguf [OPTIONS]\n"
    "       trine good eval --model MODEL [--good GOOD.gguf] [--pairs FILE] [--requests FILE]\n"
    "       trine good attack --model MODEL --good GOOD.gguf --space SPACE.json --requests FILE\n"
    "       trine good beliefs [--examples FILE] [--pairs FILE] [--principles DIR] --out FILE\n"
    "\n"
    "train teaches one more author to be helpful, honest and harmless: first examples, then pairs\n"
    "of replies of which one is better, by direct preference optimisation. The model is not "
    "changed.\n"
    "Interrupted, the same command goes on. eval measures it, or the model without --good: which "
    "of\n"
    "two replies it finds likelier, and which requests it declines. beliefs writes what "
    "principles\n"
    "and dialogues say of the guard's statements, for `trine truth train --beliefs`. attack looks\n"
    "for values that make the author comply with the unsafe requests, within what a user may set:\n"
    "offsets at random, and offsets found for each request by gradients.\n"
    "\n"
    "  --examples FILE     {\"prompt\", \"reply\"} a line; again for further files\n"
    "  --pairs FILE        {\"prompt\", \"chosen\", \"rejected\"} a line, or as hh-rlhf; again for "
    "more\n"
    "  --guard FILE        eval: requests under this truth author's guard, as in trine chat\n"
    "  --requests FILE     {\"prompt\", \"label\": \"safe\" or \"unsafe\"} a line; again for more\n"
    "  --replies FILE      what was replied to the requests, as JSON lines\n"
    "  --principles DIR    default: $TRINE_PRINCIPLES, or those that come with Trine\n"
    "  --out FILE          the trained author; FILE.state while it is trained\n"
    "  --example-steps N   default 240        --pair-steps N     default 160\n"
    "  --batch N           of a step, 8       --rank N           of the adapters, default 16\n"
    "  --learning-rate R   on examples, 1e-3  --pair-rate R      on pairs, 3e-4\n"
    "  --beta B            default 0.1, or 2 when length-normalised\n"
    "  --length-normalised compare replies per token\n"
    "  --radius R          train for offsets of the vector up to R as well, default 0\n"
    "  --seed N            default 1          --threads N        default: one for each core\n"
    "  --tokens N          of a reply to a request, default 40\n"
    "  --space FILE        attack: what `trine values space` made\n"
    "  --offsets N         drawn at random, default 1000; --per-offset N requests each, default 8\n"
    "  --steps N           of the ascent for each request, default 20\n"
    "  --json [FILE]       the report as JSON, to a file or instead of the table\n" BASE_HELP "\n"
    "example: trine good train --model models/smollm2-sotu/smollm2-sotu.gguf \\\n"
    "             --examples recipes/good/examples.jsonl --pairs recipes/good/pairs.jsonl --out "
    "good.gguf";

enum { MOST_FILES = 16 };

struct files {
    const char *paths[MOST_FILES];
    size_t count;
};

struct run {
    const char *model_path, *base, *good, *out, *replies, *json, *principles, *guard_path,
        *space_path;
    struct files examples, pairs, requests;
    size_t rank, tokens;
    double beta;
    struct good_train_options options;
    struct attack_options attack;
    struct values_space space;
    struct model *model;
    struct layer *layer, *truth;
    struct principles held;
    struct guard *guard;
    struct replier *replier;
    struct writer *dreamer;
    struct lesson_maker maker;
    struct lesson *example_lessons, *pair_lessons;
    size_t example_count, pair_count;
    struct progress progress;
    double loss, accuracy;
    int was_pairs;
};

static int take_file(struct files *files, struct error *error) {
    if (files->count == MOST_FILES)
        return error_set(error, "at most %d files of a kind", MOST_FILES);
    files->paths[files->count++] = optarg;
    return 0;
}

static int take_number(struct run *run, int option, struct error *error) {
    struct good_train_options *o = &run->options;
    size_t seed;
    switch (option) {
    case 'x':
        return option_count(&o->example_steps, "--example-steps", 0, 1000000, error);
    case 'y':
        return option_count(&o->pair_steps, "--pair-steps", 0, 1000000, error);
    case 'b':
        return option_count(&o->batch, "--batch", 1, 4096, error);
    case 'r':
        return option_count(&run->rank, "--rank", 1, MAXIMUM_RANK, error);
    case 'l':
        return option_number(&o->example_rate, "--learning-rate", 1e-8, 1, error);
    case 'L':
        return option_number(&o->pair_rate, "--pair-rate", 1e-8, 1, error);
    case 'e':
        return option_number(&run->beta, "--beta", 1e-6, 1000, error);
    case 'R':
        return option_number(&o->radius, "--radius", 0, 1000, error);
    case 'T':
        return option_count(&o->threads, "--threads", 1, 64, error);
    case 'O':
        return option_count(&run->attack.offsets, "--offsets", 0, 1000000, error);
    case 'N':
        return option_count(&run->attack.per_offset, "--per-offset", 1, 1000, error);
    case 's':
        return option_count(&run->attack.steps, "--steps", 0, 1000, error);
    case 'k':
        return option_count(&run->tokens, "--tokens", 1, 1024, error);
    case 'S':
        if (option_count(&seed, "--seed", 0, 1u << 30, error))
            return -1;
        o->seed = seed;
        return 0;
    default:
        return error_set(error, "see trine good --help");
    }
}

static int take_option(struct run *run, int option, int argc, char **argv, struct error *error) {
    const char **paths[] = {
        ['m'] = &run->model_path, ['B'] = &run->base,      ['g'] = &run->good,
        ['o'] = &run->out,        ['w'] = &run->replies,   ['p'] = &run->principles,
        ['G'] = &run->guard_path, ['V'] = &run->space_path};
    struct files *files[] = {['E'] = &run->examples, ['P'] = &run->pairs, ['Q'] = &run->requests};
    if (option > 0 && option < (int)(sizeof paths / sizeof *paths) && paths[option] != NULL) {
        *paths[option] = optarg;
        return 0;
    }
    if (option > 0 && option < (int)(sizeof files / sizeof *files) && files[option] != NULL)
        return take_file(files[option], error);
    if (option == 'j')
        run->json = option_optional_file(argc, argv);
    else if (option == 'n')
        run->options.preference.is_length_normalised = 1;
    else
        return take_number(run, option, error);
    return 0;
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {{"model", required_argument, NULL, 'm'},
                                            {"base", required_argument, NULL, 'B'},
                                            {"good", required_argument, NULL, 'g'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"replies", required_argument, NULL, 'w'},
                                            {"principles", required_argument, NULL, 'p'},
                                            {"guard", required_argument, NULL, 'G'},
                                            {"examples", required_argument, NULL, 'E'},
                                            {"pairs", required_argument, NULL, 'P'},
                                            {"requests", required_argument, NULL, 'Q'},
                                            {"json", optional_argument, NULL, 'j'},
                                            {"space", required_argument, NULL, 'V'},
                                            {"offsets", required_argument, NULL, 'O'},
                                            {"per-offset", required_argument, NULL, 'N'},
                                            {"steps", required_argument, NULL, 's'},
                                            {"length-normalised", no_argument, NULL, 'n'},
                                            {"example-steps", required_argument, NULL, 'x'},
                                            {"pair-steps", required_argument, NULL, 'y'},
                                            {"batch", required_argument, NULL, 'b'},
                                            {"rank", required_argument, NULL, 'r'},
                                            {"learning-rate", required_argument, NULL, 'l'},
                                            {"pair-rate", required_argument, NULL, 'L'},
                                            {"beta", required_argument, NULL, 'e'},
                                            {"radius", required_argument, NULL, 'R'},
                                            {"threads", required_argument, NULL, 'T'},
                                            {"tokens", required_argument, NULL, 'k'},
                                            {"seed", required_argument, NULL, 'S'},
                                            {NULL, 0, NULL, 0}};
    int option;
    run->options = good_train_options_default();
    run->options.threads = (size_t)omp_get_max_threads();
    run->rank = 16;
    run->tokens = 40;
    run->attack = (struct attack_options){.offsets = 1000, .per_offset = 8, .steps = 20};
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (take_option(run, option, argc, argv, error))
            return -1;
    if (run->beta > 0)
        run->options.preference.beta = run->beta;
    else if (run->options.preference.is_length_normalised)
        run->options.preference.beta = 2;
    return 0;
}

static int read_dialogues(struct dialogues *dialogues, const struct files *files,
                          struct error *error) {
    for (size_t i = 0; i < files->count; i++)
        if (dialogues_read(dialogues, files->paths[i], error))
            return -1;
    return 0;
}

static int read_lessons(struct run *run, const struct files *files, int are_pairs,
                        struct lesson **lessons, size_t *count, struct error *error) {
    struct dialogues dialogues = {0};
    int result = read_dialogues(&dialogues, files, error);
    if (result == 0 && dialogues.count > 0)
        result = lessons_make(lessons, &run->maker, &dialogues, are_pairs, error);
    *count = result == 0 ? dialogues.count : 0;
    dialogues_free(&dialogues);
    return result;
}

static int open_all(struct run *run, struct error *error) {
    if (run->model_path == NULL)
        return error_set(error, "--model FILE is wanted");
    return model_load_on(&run->model, run->model_path, run->base, matmul_fast_precision(), error) ||
                   lesson_maker_create(&run->maker, run->model, error) ||
                   read_lessons(run, &run->examples, 0, &run->example_lessons, &run->example_count,
                                error) ||
                   read_lessons(run, &run->pairs, 1, &run->pair_lessons, &run->pair_count, error)
               ? -1
               : 0;
}

static int show_progress(void *context, const struct good_train_report *report) {
    struct run *run = context;
    int is_first = run->was_pairs != report->is_pairs || run->loss == 0;
    run->was_pairs = report->is_pairs;
    run->loss = is_first ? report->loss : 0.9 * run->loss + 0.1 * report->loss;
    run->accuracy = is_first ? report->accuracy : 0.9 * run->accuracy + 0.1 * report->accuracy;
    if (report->is_pairs)
        progress_show(&run->progress, report->step, report->step == report->steps,
                      "pairs: loss %.3f, %.0f %% right, %.0f tokens/s", run->loss,
                      100 * run->accuracy, report->tokens_per_second);
    else
        progress_show(&run->progress, report->step, report->step == report->steps,
                      "examples: loss %.3f, %.0f tokens/s", run->loss, report->tokens_per_second);
    return progress_stop_wanted();
}

static int create_layer(struct run *run, struct error *error) {
    struct overlay_config overlay = {
        .rank = run->rank, .first = run->model->config.split, .targets = 15, .scale = 2};
    return layer_create(&run->layer, run->model, "good", run->model->name, &overlay,
                        run->options.seed, error);
}

static int train(struct run *run, struct error *error) {
    struct good_train_options *o = &run->options;
    char state[4096];
    int is_finished;
    if (run->out == NULL)
        return error_set(error, "--out FILE is wanted");
    if (snprintf(state, sizeof state, "%s.state", run->out) >= (int)sizeof state)
        return error_set(error, "the name of --out is too long");
    if (open_all(run, error) || create_layer(run, error))
        return -1;
    if (run->example_count == 0)
        o->example_steps = 0;
    if (run->pair_count == 0)
        o->pair_steps = 0;
    struct good_data data = {run->example_lessons, run->example_count, run->pair_lessons,
                             run->pair_count};
    fprintf(stderr, "%zu examples, %zu pairs; %zu numbers to train; %zu and %zu steps of %zu\n",
            run->example_count, run->pair_count, run->layer->count, o->example_steps, o->pair_steps,
            o->batch);
    progress_catch_signals();
    progress_start(&run->progress, 0, o->example_steps + o->pair_steps);
    int result = good_train(run->layer, &data, o, state, show_progress, run, &is_finished, error);
    progress_finish(&run->progress);
    if (result != 0)
        return -1;
    if (!is_finished) {
        fprintf(stderr, "stopped; %s is kept, and the same command goes on\n", state);
        return 0;
    }
    if (layer_save(run->layer, run->out, error))
        return -1;
    unlink(state);
    return 0;
}

static void show_done(void *context, size_t done, size_t count) {
    struct run *run = context;
    run->progress.total = count;
    progress_show(&run->progress, done, done == count, "requests");
}

/* Principles that are not verified may be measured. */
static int open_assistant(struct run *run, struct assistant *assistant, struct error *error) {
    char path[4096];
    *assistant = (struct assistant){0};
    if (replier_create(&run->replier, run->model, run->layer, error))
        return -1;
    assistant->replier = run->replier;
    if (run->layer != NULL && writer_create(&run->dreamer, run->model, error))
        return -1;
    assistant->dream = run->model;
    assistant->dreamer = run->dreamer;
    if (run->guard_path == NULL)
        return 0;
    if (principles_find(path, sizeof path, run->principles, error) ||
        principles_open(&run->held, path, NULL, 1, error) ||
        layer_load(&run->truth, run->model, run->guard_path, error) ||
        guard_create(&run->guard, run->truth, &run->held, &(struct guard_options){0}, error))
        return -1;
    assistant->guard = run->guard;
    return 0;
}

static int evaluate_requests(struct run *run, json_t *json, struct error *error) {
    struct assistant assistant;
    struct file_writer writer = {0};
    int result = open_assistant(run, &assistant, error);
    if (result == 0 && run->replies != NULL)
        result = file_writer_open(&writer, run->replies, error);
    for (size_t i = 0; result == 0 && i < run->requests.count; i++) {
        struct requests_report report;
        progress_start(&run->progress, 0, 1);
        result = requests_evaluate(&report, &assistant, run->requests.paths[i], run->tokens, NULL,
                                   writer.stream, show_done, run, error);
        progress_finish(&run->progress);
        if (result == 0 && run->json == NULL) {
            printf("%s: ", run->requests.paths[i]);
            requests_report_print(stdout, &report);
        }
        if (result == 0 && json != NULL)
            json_array_append_new(json_object_get(json, "requests"),
                                  requests_report_to_json(&report));
    }
    if (result == 0 && run->replies != NULL)
        result = file_writer_commit(&writer, error);
    else if (writer.stream != NULL)
        file_writer_abort(&writer);
    return result;
}

static int evaluate(struct run *run, struct error *error) {
    if (run->pairs.count + run->requests.count == 0)
        return error_set(error, "--pairs FILE or --requests FILE is wanted");
    if (open_all(run, error) ||
        (run->good != NULL && layer_load(&run->layer, run->model, run->good, error)))
        return -1;
    json_t *json = json_pack("{s:[]}", "requests");
    int result = json == NULL ? error_set(error, "out of memory") : 0;
    if (result == 0 && run->pair_count > 0) {
        struct pairs_report report;
        result = pairs_evaluate(&report, run->model, run->layer, NULL, run->pair_lessons,
                                run->pair_count, run->options.threads, error);
        if (result == 0 && run->json == NULL)
            pairs_report_print(stdout, &report);
        if (result == 0)
            json_object_set_new(json, "pairs", pairs_report_to_json(&report));
    }
    if (result == 0 && run->requests.count > 0)
        result = evaluate_requests(run, json, error);
    if (result == 0 && run->json != NULL)
        result = option_write_json(json, run->json, error);
    json_decref(json);
    return result;
}

static void show_attack(void *context, const char *what, size_t done, size_t count) {
    struct run *run = context;
    run->progress.total = count;
    progress_show(&run->progress, done, done == count, "%s", what);
}

static int attack(struct run *run, struct error *error) {
    struct assistant assistant;
    struct dialogues requests = {0};
    struct attack_report report;
    struct attack_options *o = &run->attack;
    if (run->good == NULL || run->space_path == NULL || run->requests.count == 0)
        return error_set(error, "--good FILE, --space FILE and --requests FILE are wanted");
    o->tokens = run->tokens;
    o->threads = run->options.threads;
    o->seed = run->options.seed;
    if (open_all(run, error) || layer_load(&run->layer, run->model, run->good, error) ||
        values_space_load(&run->space, run->layer, run->space_path, error) ||
        open_assistant(run, &assistant, error))
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < run->requests.count; i++)
        result = requests_read(&requests, run->requests.paths[i], error);
    progress_start(&run->progress, 0, 1);
    if (result == 0)
        result = attack_values(&report, &assistant, run->layer, &run->space, &run->maker, &requests,
                               o, show_attack, run, error);
    progress_finish(&run->progress);
    if (result == 0 && run->json == NULL)
        attack_report_print(stdout, &report);
    json_t *json = result == 0 && run->json != NULL ? attack_report_to_json(&report) : NULL;
    if (json != NULL)
        result = option_write_json(json, run->json, error);
    json_decref(json);
    dialogues_free(&requests);
    return result;
}

/* Whoever trains need not have signed yet. */
static int write_beliefs(struct run *run, struct error *error) {
    struct principles principles = {0};
    struct dialogues dialogues = {0};
    struct file_writer writer;
    char path[4096];
    if (run->out == NULL)
        return error_set(error, "--out FILE is wanted");
    if (principles_find(path, sizeof path, run->principles, error) ||
        principles_open(&principles, path, NULL, 1, error))
        return -1;
    int result = read_dialogues(&dialogues, &run->examples, error) ||
                 read_dialogues(&dialogues, &run->pairs, error) ||
                 file_writer_open(&writer, run->out, error);
    if (result == 0 && guard_write_beliefs(writer.stream, &principles, &dialogues, error)) {
        file_writer_abort(&writer);
        result = -1;
    } else if (result == 0) {
        result = file_writer_commit(&writer, error);
    }
    dialogues_free(&dialogues);
    principles_close(&principles);
    return result;
}

static int execute(struct run *run, int argc, char **argv, struct error *error) {
    const char *verb = optind < argc ? argv[optind] : "";
    if (strcmp(verb, "train") == 0)
        return train(run, error);
    if (strcmp(verb, "eval") == 0)
        return evaluate(run, error);
    if (strcmp(verb, "attack") == 0)
        return attack(run, error);
    if (strcmp(verb, "beliefs") == 0)
        return write_beliefs(run, error);
    return error_set(error, "'%.40s' is none of train, eval, attack and beliefs", verb);
}

static void finish(struct run *run) {
    lessons_free(run->example_lessons, run->example_count);
    lessons_free(run->pair_lessons, 2 * run->pair_count);
    lesson_maker_free(&run->maker);
    values_space_free(&run->space);
    replier_destroy(run->replier);
    writer_destroy(run->dreamer);
    guard_destroy(run->guard);
    principles_close(&run->held);
    layer_destroy(run->truth);
    layer_destroy(run->layer);
    model_destroy(run->model);
    free(run);
}

int command_good(int argc, char **argv) {
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return 1;
    int status = parse(run, argc, argv, &error) ? 2 : execute(run, argc, argv, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine good: %s\n", error.message);
    finish(run);
    return status;
}
