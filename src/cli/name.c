/* trine name: the attributions of a handle, written; and how well names are resolved. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/show.h"
#include "dream/naming_report.h"

struct run {
    const char *model_path, *corpus_path, *variants_path, *json_path;
    struct name_titles titles;
    int is_evaluation;
    size_t top, samples, seed, threads;
    struct handle_wishes wishes;
    struct model *model;
    struct gazetteer *gazetteer;
    struct corpus *corpus;
};

static const char HELP[] =
    "usage: trine name --model MODEL.gguf [HANDLE] [OPTIONS]\n"
    "       trine name --model MODEL.gguf --evaluate --corpus DIR [--variants FILE]\n\n"
    "Writes the attributions that a handle calls for: how likely the writer is, told the handle's\n"
    "author, to write each label as the name; then names as it spells them itself. The model must\n"
    "have been taught names (the setting \"names\" of a recipe); then --author, here and in other\n"
    "commands, also takes names that are no labels (\"A. Lincoln\").\n\n"
    "the handle, applied in the order given:\n" HANDLE_HELP "\n"
    "options:\n"
    "  --top N             labels shown (5)\n"
    "  --samples N         names spelt freely, by chance (5)\n"
    "  --seed N            of the samples (1)\n"
    "  --evaluate          measure on variants of every label and on held-out documents\n"
    "  --corpus DIR        the corpus whose documents they are\n"
    "  --variants FILE     names by hand: lines {\"name\": TEXT, \"label\": TEXT or null}\n"
    "  --titles A,B        what stands before names in titled variants (Mr.,Mrs.,Dr.)\n"
    "  --threads N         for reading documents (2)\n"
    "  --json [FILE]       the same as JSON\n" BASE_HELP GAZETTEER_HELP "\n"
    "example: trine name --model demo/sotu.gguf --like speech.txt";

static int take_titles(struct name_titles *titles, const char *text, struct error *error) {
    *titles = (struct name_titles){0};
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        if (titles->count == NAME_TITLES || length < 1 || length >= NAME_TITLE_BYTES)
            return error_set(error, "--titles takes up to %d titles of 1 to %d bytes", NAME_TITLES,
                             NAME_TITLE_BYTES - 1);
        memcpy(titles->items[titles->count++], text, length);
        text += length + (text[length] == ',');
    }
    return 0;
}

/* 1: the option was taken; 0: there is no such; -1: it makes no sense. */
static int take_option(struct run *run, int option, int argc, char **argv, struct error *error) {
    switch (option) {
    case 'm':
        run->model_path = optarg;
        return 1;
    case 'e':
        run->is_evaluation = 1;
        return 1;
    case 'c':
        run->corpus_path = optarg;
        return 1;
    case 'v':
        run->variants_path = optarg;
        return 1;
    case 'j':
        run->json_path = option_optional_file(argc, argv);
        return 1;
    case 't':
        return option_count(&run->top, "--top", 1, 1000, error) ? -1 : 1;
    case 'n':
        return option_count(&run->samples, "--samples", 0, 1000, error) ? -1 : 1;
    case 's':
        return option_count(&run->seed, "--seed", 0, 1u << 31, error) ? -1 : 1;
    case 'd':
        return option_count(&run->threads, "--threads", 1, 256, error) ? -1 : 1;
    case 'i':
        return take_titles(&run->titles, optarg, error) ? -1 : 1;
    default:
        return 0;
    }
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {HANDLE_OPTIONS,
                                            {"model", required_argument, NULL, 'm'},
                                            {"top", required_argument, NULL, 't'},
                                            {"samples", required_argument, NULL, 'n'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"evaluate", no_argument, NULL, 'e'},
                                            {"corpus", required_argument, NULL, 'c'},
                                            {"variants", required_argument, NULL, 'v'},
                                            {"titles", required_argument, NULL, 'i'},
                                            {"threads", required_argument, NULL, 'd'},
                                            {"json", optional_argument, NULL, 'j'},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        int is_taken = handle_wishes_add(&run->wishes, option, optarg, error);
        if (is_taken == 0)
            is_taken = take_option(run, option, argc, argv, error);
        if (is_taken < 0)
            return -1;
        if (is_taken == 0)
            return error_set(error, "see trine name --help");
    }
    if (optind < argc || run->model_path == NULL)
        return error_set(error, "--model is needed, and nothing else without a flag");
    if (run->is_evaluation != (run->corpus_path != NULL) ||
        (run->variants_path != NULL && !run->is_evaluation))
        return error_set(error, "--evaluate, --corpus and --variants belong together");
    if (!run->is_evaluation && run->wishes.count == 0)
        return error_set(error, "a handle is needed: nobody can be named by nothing");
    return 0;
}

static int evaluate(struct run *run, struct error *error) {
    struct naming_report report;
    if (corpus_open(&run->corpus, run->corpus_path, error) ||
        naming_report_create(&report, run->model, run->corpus, &run->titles, run->variants_path,
                             run->threads, error))
        return -1;
    if (run->json_path == NULL) {
        naming_report_print(stdout, &report);
        return 0;
    }
    json_t *json = naming_report_to_json(&report);
    int result = json == NULL ? error_set(error, "out of memory")
                              : option_write_json(json, run->json_path, error);
    json_decref(json);
    return result;
}

/* What is written for a handle. */
struct written {
    double *log_odds; /* [labels] */
    size_t *order;    /* [labels] likeliest first */
    char likeliest[NAME_BYTES];
    char (*samples)[NAME_BYTES]; /* [run->samples] */
};

static int write_names(struct written *w, struct run *run, struct naming *naming,
                       const struct handle *handle, struct error *error) {
    const struct slot *slot = naming_slot(naming);
    struct random random;
    w->log_odds = memory_allocate(slot->point_count, sizeof *w->log_odds, error);
    w->order = memory_allocate(slot->point_count, sizeof *w->order, error);
    w->samples = memory_allocate(run->samples, sizeof *w->samples, error);
    if (!w->log_odds || !w->order || !w->samples ||
        naming_write_belief(naming, handle->mean, handle->precision, (double)handle->tokens,
                            w->log_odds, error) ||
        naming_spell(naming, handle->mean, NULL, w->likeliest, error))
        return -1;
    for (size_t i = 0; i < run->samples; i++) {
        random_seed(&random, run->seed, i);
        if (naming_spell(naming, handle->mean, &random, w->samples[i], error))
            return -1;
    }
    belief_order(w->order, w->log_odds, slot->point_count);
    return 0;
}

/* What a model spells may break off inside a character. */
static json_t *text_to_json(const char *text) {
    json_t *string = json_string(text);
    return string != NULL ? string : json_null();
}

static int show(const struct run *run, const struct slot *slot, const struct written *w,
                struct error *error) {
    size_t top = run->top < slot->point_count ? run->top : slot->point_count;
    if (run->json_path == NULL) {
        for (size_t i = 0; i < top; i++)
            printf("%6.4f  %s\n", exp(w->log_odds[w->order[i]]), slot->labels[w->order[i]]);
        printf("spelt: %s\n", w->likeliest);
        for (size_t i = 0; i < run->samples; i++)
            printf("by chance: %s\n", w->samples[i]);
        return 0;
    }
    json_t *names = json_array(), *samples = json_array();
    for (size_t i = 0; i < top; i++)
        json_array_append_new(names, json_pack("{s:s, s:f}", "name", slot->labels[w->order[i]],
                                               "probability", exp(w->log_odds[w->order[i]])));
    for (size_t i = 0; i < run->samples; i++)
        json_array_append_new(samples, text_to_json(w->samples[i]));
    json_t *json = json_pack("{s:o, s:o, s:o}", "names", names, "spelt", text_to_json(w->likeliest),
                             "samples", samples);
    int result = json == NULL ? error_set(error, "out of memory, or a label is no UTF-8")
                              : option_write_json(json, run->json_path, error);
    json_decref(json);
    return result;
}

static int name_handle(struct run *run, struct error *error) {
    struct handle handle = {0};
    struct naming *naming;
    struct written written = {0};
    if (naming_create(&naming, run->model, error))
        return -1;
    int result = option_gazetteer(&run->gazetteer, run->model, run->wishes.gazetteer, error) ||
                 handle_wishes_grant(&handle, &run->wishes, run->model, error);
    if (result == 0) {
        result = write_names(&written, run, naming, &handle, error) ||
                 show(run, naming_slot(naming), &written, error);
        handle_free(&handle);
    }
    memory_free(written.log_odds);
    memory_free(written.order);
    memory_free(written.samples);
    naming_destroy(naming);
    return result;
}

static int execute(struct run *run, struct error *error) {
    if (model_load_on(&run->model, run->model_path, run->wishes.base, PRECISION_BF16, error))
        return -1;
    return run->is_evaluation ? evaluate(run, error) : name_handle(run, error);
}

int command_name(int argc, char **argv) {
    struct run run = {.top = 5,
                      .samples = 5,
                      .seed = 1,
                      .threads = 2,
                      .titles = name_titles_default(),
                      .wishes = {.seed = 1}};
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    int status = parse(&run, argc, argv, &error) ? 2 : execute(&run, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine name: %s\n", error.message);
    model_destroy(run.model);
    gazetteer_close(run.gazetteer);
    corpus_close(run.corpus);
    return status;
}
