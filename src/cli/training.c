#include "cli/training.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/progress.h"
#include "dream/evaluate.h"
#include "dream/naming.h"
#include "math/matmul.h"
#include "text/corpus.h"
#include "train/conditions_gather.h"
#include "train/recipe.h"

/* Pieces of unseen text that a look at the loss costs: half a second of two cores. */
enum { LOOK_TOKENS = 24 * 256 };

struct run {
    const struct training_kind *kind;
    struct recipe recipe;
    const char *corpus_path, *base_path, *out;
    char state_path[4096];
    int is_fresh;
    struct corpus *corpus;
    struct model *model;
    struct dataset training, validation, look;
    struct trainer *trainer;
};

static void print_help(const struct training_kind *kind) {
    struct recipe recipe;
    kind->set_defaults(&recipe);
    puts(kind->help);
    const char *name, *meaning;
    char value[32], flag[64];
    for (size_t i = 0; (name = recipe_setting(&recipe, i, &meaning, value)) != NULL; i++) {
        if (!recipe_setting_applies(name, kind->takes_base))
            continue;
        snprintf(flag, sizeof flag, "--%s", name);
        for (char *c = flag; *c != '\0'; c++)
            *c = *c == '_' ? '-' : *c;
        printf("  %-20s %s (%s)\n", flag, meaning, value);
    }
    puts(kind->example);
}

/* Every setting of a recipe is a flag of the same name, so getopt's table is made here. */
static int parse(struct run *run, int argc, char **argv, struct error *error) {
    enum { FIXED = 6, LIMIT = 96 };
    struct option options[LIMIT] = {
        {"corpus", required_argument, NULL, 'c'},     {"out", required_argument, NULL, 'o'},
        {"recipe", required_argument, NULL, 'r'},     {"fresh", no_argument, NULL, 'f'},
        {"slot-width", required_argument, NULL, 'w'}, {"base", required_argument, NULL, 'b'}};
    static char names[LIMIT][64];
    const char *name, *meaning, *values[LIMIT] = {0};
    char value[32];
    size_t count = 0;
    run->kind->set_defaults(&run->recipe);
    for (; (name = recipe_setting(&run->recipe, count, &meaning, value)) != NULL; count++) {
        snprintf(names[count], sizeof names[count], "%s", name);
        for (char *c = names[count]; *c != '\0'; c++)
            *c = *c == '_' ? '-' : *c;
        int is_switch = strcmp(value, "yes") == 0 || strcmp(value, "no") == 0;
        options[FIXED + count] = (struct option){
            names[count], is_switch ? no_argument : required_argument, NULL, 1000 + (int)count};
    }
    const char *recipe = NULL, *widths[MAXIMUM_WIDTHS];
    size_t width_count = 0;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'c')
            run->corpus_path = optarg;
        else if (option == 'o')
            run->out = optarg;
        else if (option == 'r')
            recipe = optarg;
        else if (option == 'f')
            run->is_fresh = 1;
        else if (option == 'b' && run->kind->takes_base)
            run->base_path = optarg;
        else if (option == 'w' && width_count < MAXIMUM_WIDTHS)
            widths[width_count++] = optarg;
        else if (option >= 1000)
            values[option - 1000] = optarg != NULL ? optarg : "1";
        else
            return error_set(error, "see trine %s --help", run->kind->name);
    }
    if (optind < argc || run->corpus_path == NULL || run->out == NULL)
        return error_set(error, "--corpus and --out are needed, and nothing else without a flag");
    if (run->kind->takes_base && run->base_path == NULL)
        return error_set(error, "--base is needed: the checkpoint to adapt");
    if (recipe != NULL && recipe_load(&run->recipe, recipe, error))
        return -1;
    for (size_t i = 0; i < count; i++) /* flags win over the recipe */
        if (values[i] != NULL && recipe_set(&run->recipe, names[i], values[i], error))
            return -1;
    for (size_t i = 0; i < width_count; i++)
        if (recipe_set_width(&run->recipe, widths[i], error))
            return -1;
    return 0;
}

/* A fixed handful of documents' beginnings, unseen by training, for the progress line. */
static void shorten(struct dataset *look, size_t time) {
    size_t share = look->count > 0 ? LOOK_TOKENS / look->count / time * time + 1 : 0;
    if (share < time + 1)
        share = time + 1;
    for (size_t i = 0; i < look->count; i++)
        if (look->texts[i].count > share)
            look->texts[i].count = share;
}

/* A new model of the recipe's sizes; takes over the slots on success. */
static int make_model(struct run *run, struct slots *slots, struct error *error) {
    struct recipe *recipe = &run->recipe;
    struct tokenizer *tokenizer = NULL;
    if (corpus_copy_tokenizer(run->corpus, &tokenizer, error))
        return -1;
    recipe->config.vocabulary = tokenizer_vocabulary_size(tokenizer);
    if (model_create(&run->model, recipe->config, slots, tokenizer,
                     recipe->is_f32 ? PRECISION_REAL : matmul_fast_precision(),
                     recipe->options.seed, error)) {
        tokenizer_destroy(tokenizer);
        return -1;
    }
    return 0;
}

/* The base with adapters, injections and slots added to it. */
static int make_adapted(struct run *run, struct slots *slots, struct error *error) {
    struct recipe *recipe = &run->recipe;
    struct checkpoint *base;
    struct tokenizer *tokenizer;
    if (checkpoint_open(&base, &tokenizer, run->base_path, error))
        return -1;
    if (recipe->config.split == 0)
        recipe->config.split = base->config.blocks / 3 > 0 ? base->config.blocks / 3 : 1;
    struct config config = recipe_adapter_config(recipe);
    if (corpus_check_tokenizer(run->corpus, tokenizer, error) ||
        model_create_on(&run->model, base, config, slots, tokenizer,
                        recipe->is_f32 ? PRECISION_REAL : matmul_fast_precision(),
                        recipe->options.seed, error)) {
        tokenizer_destroy(tokenizer);
        checkpoint_close(base);
        return -1;
    }
    const char *slash = strrchr(run->base_path, '/');
    snprintf(run->model->base_file, sizeof run->model->base_file, "%s",
             slash != NULL ? slash + 1 : run->base_path);
    return 0;
}

static int prepare(struct run *run, struct error *error) {
    struct recipe *recipe = &run->recipe;
    struct slots slots = {0};
    if (corpus_open(&run->corpus, run->corpus_path, error) ||
        (!recipe->is_plain &&
         dataset_slots(&slots, run->corpus, recipe->widths, recipe->width_count, error)) ||
        (run->kind->takes_base ? make_adapted(run, &slots, error)
                               : make_model(run, &slots, error))) {
        slots_free(&slots);
        return -1;
    }
    snprintf(run->model->name, sizeof run->model->name, "%s", recipe->name);
    recipe->options.time = recipe->config.context;
    const struct slots *own = &run->model->slots;
    size_t every = recipe->validation_every;
    if (dataset_create(&run->training, run->corpus, own, DATASET_TRAIN, every, error) ||
        dataset_create(&run->validation, run->corpus, own, DATASET_VALIDATION, every, error) ||
        dataset_create(&run->look, run->corpus, own,
                       run->validation.count > 0 ? DATASET_VALIDATION : DATASET_HELD_OUT, every,
                       error))
        return -1;
    shorten(&run->look, recipe->config.context);
    return trainer_create(&run->trainer, run->model, &run->training, &recipe->options, error);
}

static void print_plan(const struct run *run) {
    const struct config *c = &run->model->config;
    fprintf(stderr,
            "%zu documents of %zu tokens to train on, %zu for calibration; %zu parameters "
            "to train, a network of %zu without the embedding, %zu in n-gram tables; %zu steps of "
            "%zu tokens, %zu "
            "threads, %s; %.0f MB\n",
            run->training.count, run->training.token_count, run->validation.count,
            run->model->layout.count, config_inner_parameter_count(c), config_ngram_count(c),
            run->recipe.options.steps, run->recipe.options.batch * run->recipe.options.time,
            run->recipe.options.threads, run->model->precision == PRECISION_BF16 ? "bf16" : "f32",
            (double)memory_bytes_in_use() / 1e6);
}

static int look_at_unseen(const struct run *run, double *nats, struct error *error) {
    struct reading reading;
    size_t tokens = 0;
    *nats = 0;
    if (run->look.count == 0)
        return 0;
    if (reading_create(&reading, run->model, &run->look, run->recipe.config.context,
                       run->recipe.options.threads, 1, error))
        return -1;
    for (size_t i = 0; i < reading.piece_count; i++) {
        *nats += reading.pieces[i].loss[CONDITION_UNTOLD];
        tokens += reading.pieces[i].count;
    }
    *nats /= (double)tokens;
    reading_free(&reading);
    return 0;
}

/* " author 1.25 date 3.40 names 0.52": the running means of each slot's score, and of names if they
 * are taught (else NAN). */
static void describe_scores(char *out, size_t size, const struct slots *slots, const double *scores,
                            double names) {
    size_t length = 0;
    out[0] = '\0';
    for (size_t s = 0; s < slots->count && length < size; s++)
        length += (size_t)snprintf(out + length, size - length, " %s %.2f", slots->slots[s].name,
                                   scores[s]);
    if (isfinite(names) && length < size)
        snprintf(out + length, size - length, " names %.2f", names);
}

/* 0 when all steps are done, 1 when interrupted, -1 on failure. */
static int train(struct run *run, struct error *error) {
    const struct recipe *recipe = &run->recipe;
    size_t steps = recipe->options.steps, step = trainer_step_count(run->trainer);
    struct progress progress;
    double loss = 0, names = 0, scores[MAXIMUM_SLOTS] = {0}, unseen = 0, weight = 0,
           mark = progress_clock(), rate = 0;
    size_t mark_tokens = 0;
    progress_start(&progress, step, steps);
    for (; step < steps && !progress_stop_wanted(); step++) {
        struct train_report report;
        if (trainer_step(run->trainer, &report, error))
            return -1;
        weight = 0.98 * weight + 0.02; /* a running mean that starts unbiased */
        loss += (report.loss - loss) * 0.02 / weight;
        names += (report.names - names) * 0.02 / weight;
        for (size_t s = 0; s < MAXIMUM_SLOTS; s++)
            scores[s] += (report.score[s] - scores[s]) * 0.02 / weight;
        mark_tokens += report.tokens;
        int is_look = (step + 1) % recipe->report_every == 0 || step + 1 == steps;
        if (is_look && look_at_unseen(run, &unseen, error))
            return -1;
        double now = progress_clock();
        if (now - mark > 2 || rate == 0) {
            rate = (double)mark_tokens / (now - mark);
            mark = now;
            mark_tokens = 0;
        }
        char read[256];
        describe_scores(read, sizeof read, &run->model->slots, scores,
                        recipe->options.names.count > 0 ? names : NAN);
        progress_show(&progress, step + 1, is_look,
                      "%.0f tokens/s  loss %.3f  held-out %.3f  reading%s", rate, loss, unseen,
                      *read != '\0' ? read : " -");
        if ((step + 1) % recipe->save_every == 0 && step + 1 < steps &&
            trainer_save(run->trainer, run->state_path, error))
            return -1;
    }
    progress_finish(&progress);
    if (trainer_save(run->trainer, run->state_path, error))
        return -1;
    return step < steps;
}

/* Fits on documents that no step saw how far the reader, and the writer where it decides, are to
 * be believed. */
static int calibrate(struct run *run, struct error *error) {
    const struct recipe *recipe = &run->recipe;
    struct reading reading;
    struct decisions decisions = {0};
    size_t threads = recipe->options.threads, slot = 0;
    if (reading_create(&reading, run->model, &run->validation, recipe->config.context, threads, 0,
                       error))
        return -1;
    const struct slots *slots = &run->model->slots;
    while (slot < slots->count && slots->slots[slot].kind != LATENT_CATEGORICAL)
        slot++;
    int is_decided = recipe->candidates > 0 && slot < slots->count;
    int result = is_decided && decisions_create(&decisions, run->model, &run->validation, &reading,
                                                slot, recipe->candidates, threads, error);
    if (result == 0)
        result = evaluate_calibrate(run->model, &run->validation, &reading,
                                    is_decided ? &decisions : NULL, error);
    decisions_free(&decisions);
    reading_free(&reading);
    return result ? -1 : 0;
}

static int finish(struct run *run, struct error *error) {
    if (run->validation.count > 0 && run->model->slots.count > 0 && calibrate(run, error))
        return -1;
    if (conditions_gather(run->model, &run->training, error))
        return -1;
    const struct name_options *names = &run->recipe.options.names;
    if (names->count > 0 && run->model->slots.count > 0 &&
        naming_calibrate(run->model, &names->titles, error))
        return -1;
    return model_save(run->model, run->out, error);
}

static void release(struct run *run) {
    trainer_destroy(run->trainer);
    dataset_free(&run->training);
    dataset_free(&run->validation);
    dataset_free(&run->look);
    model_destroy(run->model);
    corpus_close(run->corpus);
}

static int execute(struct run *run, struct error *error) {
    snprintf(run->state_path, sizeof run->state_path, "%s.state", run->out);
    if (prepare(run, error))
        return 1;
    print_plan(run);
    if (!run->is_fresh && access(run->state_path, F_OK) == 0) {
        if (trainer_restore(run->trainer, run->state_path, error))
            return 1;
        size_t step = trainer_step_count(run->trainer);
        if (step == run->recipe.options.steps && access(run->out, F_OK) == 0) {
            fprintf(stderr, "%s is already trained (%zu steps); --fresh trains it anew\n", run->out,
                    step);
            return 0;
        }
        fprintf(stderr, "going on from step %zu\n", step);
    }
    progress_catch_signals();
    int result = train(run, error);
    if (result == 1) {
        error_set(error, "interrupted at step %zu; the same command goes on from there",
                  trainer_step_count(run->trainer));
        return 130;
    }
    return result != 0 || finish(run, error) ? 1 : 0;
}

int training_command(const struct training_kind *kind, int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        print_help(kind);
        return 0;
    }
    struct run *run = calloc(1, sizeof *run);
    struct error error;
    if (run == NULL)
        return 1;
    run->kind = kind;
    int status = parse(run, argc, argv, &error) ? 2 : execute(run, &error);
    if (status != 0)
        fprintf(stderr, "trine %s: %s\n", kind->name, error.message);
    release(run);
    free(run);
    return status;
}
