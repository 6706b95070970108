/* trine same: whether one author wrote two texts, or which of several texts; and what its odds are
 * worth, fitted on texts of known authors. */
#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "dream/document.h"
#include "dream/read.h"
#include "dream/same_odds.h"

enum { LEAST_TOKENS = 100 };

struct run {
    const char *model_path, *base_path, *json_path, *slot, *fit_path, *out_path, *odds_path;
    char **paths;
    size_t count;
    struct model *model;
    struct same_space space;
    struct same_odds odds;
    struct known_passages known;
    struct same_text *texts; /* [count] */
    size_t *tokens;          /* [count] */
};

static const char HELP[] =
    "usage: trine same --model MODEL.gguf TEXT TEXT... [--odds FILE] [OPTIONS]\n"
    "       trine same --model MODEL.gguf --fit TEXTS.jsonl --out FILE [OPTIONS]\n\n"
    "Tells of every two texts how likely it is that one author wrote both, with even odds to\n"
    "begin with: by where the reader puts them among the authors, also when the author is nobody\n"
    "that the model knows. Without --odds it is too sure of itself (recipes/ebooks/README.md):\n"
    "the order of its percentages can be relied on, their size cannot.\n\n"
    "--fit reads texts of known authors, JSON lines with \"text\", \"author\" and, where several\n"
    "are parts of one work, \"work\" (such pairs do not count), and fits the odds to them. The\n"
    "texts should be as long as those that will be compared.\n\n"
    "options:\n"
    "  --odds FILE         what the odds are worth, from --fit\n"
    "  --slot NAME         the slot that is compared (author)\n"
    "  --json [FILE]       {\"texts\": [{\"file\", \"tokens\"}], \"pairs\": [{\"one\", \"other\",\n"
    "                      \"probability\", \"log_odds\"}]}, texts by their number from "
    "0\n" BASE_HELP "\n"
    "example: trine same --model demo/sotu.gguf one.txt other.txt";

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {
        {"model", required_argument, NULL, 'm'}, {"base", required_argument, NULL, 'B'},
        {"slot", required_argument, NULL, 's'},  {"json", optional_argument, NULL, 'j'},
        {"fit", required_argument, NULL, 'f'},   {"out", required_argument, NULL, 'o'},
        {"odds", required_argument, NULL, 'O'},  {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        if (option == 'm')
            run->model_path = optarg;
        else if (option == 'B')
            run->base_path = optarg;
        else if (option == 's')
            run->slot = optarg;
        else if (option == 'j')
            run->json_path = option_optional_file(argc, argv);
        else if (option == 'f')
            run->fit_path = optarg;
        else if (option == 'o')
            run->out_path = optarg;
        else if (option == 'O')
            run->odds_path = optarg;
        else
            return error_set(error, "see trine same --help");
    }
    run->paths = argv + optind;
    run->count = (size_t)(argc - optind);
    if ((run->fit_path != NULL) != (run->out_path != NULL))
        return error_set(error, "--fit and --out belong together");
    if (run->fit_path != NULL) {
        if (run->count > 0 || run->odds_path != NULL || run->json_path != NULL)
            return error_set(error, "--fit takes neither texts nor --odds nor --json");
        return run->model_path != NULL ? 0 : error_set(error, "--model is needed");
    }
    if (run->model_path == NULL || run->count < 2)
        return error_set(error, "--model and at least two texts are needed");
    return 0;
}

static int place_document(struct run *run, size_t i, const struct token_list *list,
                          struct error *error) {
    struct handle handle;
    if (handle_create(&handle, run->model, error))
        return -1;
    int result = read_document(&handle, &run->tokens[i], run->model, list, NULL, NULL, error);
    if (result == 0)
        same_text_place(&run->texts[i], &run->space, &handle);
    handle_free(&handle);
    return result;
}

static int read_one(struct run *run, size_t i, struct error *error) {
    struct token_list list = {0};
    const char *known = run->fit_path != NULL ? run->known.items[i].text : NULL;
    int result = known != NULL ? document_encode_text(&list, run->model->tokenizer, known,
                                                      strlen(known), error)
                               : option_document(&list, run->model, run->paths[i], NULL, 1, error);
    if (result == 0)
        result = place_document(run, i, &list, error);
    free(list.ids);
    if (known != NULL)
        return result;
    if (result == 0 && run->tokens[i] < LEAST_TOKENS)
        fprintf(stderr, "trine same: %s has %zu tokens: too few to tell much\n", run->paths[i],
                run->tokens[i]);
    return result;
}

static int read_all(struct run *run, struct error *error) {
    struct progress progress = {0};
    int result = 0;
    run->texts = memory_allocate(run->count, sizeof *run->texts, error);
    run->tokens = memory_allocate(run->count, sizeof *run->tokens, error);
    if (run->texts == NULL || run->tokens == NULL)
        return -1;
    progress_start(&progress, 0, run->count);
    for (size_t i = 0; result == 0 && i < run->count; i++) {
        result = read_one(run, i, error);
        if (run->count > 2)
            progress_show(&progress, i + 1, 0, "texts read");
    }
    progress_finish(&progress);
    return result;
}

/* log_odds and is_same of all pairs of known texts that say anything; *count of them. */
static void known_pairs(const struct run *run, double *log_odds, uint8_t *is_same, size_t *count) {
    *count = 0;
    for (size_t i = 0; i < run->count; i++)
        for (size_t j = i + 1; j < run->count; j++) {
            const struct known_passage *one = &run->known.items[i], *other = &run->known.items[j];
            if (!known_passages_are_apart(one, other))
                continue;
            log_odds[*count] = same_log_odds(&run->space, &run->texts[i], &run->texts[j]);
            is_same[(*count)++] = strcmp(one->author, other->author) == 0;
        }
}

static int fit(struct run *run, struct error *error) {
    if (known_passages_read(&run->known, run->fit_path, error))
        return -1;
    run->count = run->known.count;
    if (run->count < 2)
        return error_set(error, "%s: at least two texts are needed", run->fit_path);
    size_t most = run->count * (run->count - 1) / 2, pairs;
    double *log_odds = memory_allocate(most, sizeof *log_odds, error);
    uint8_t *is_same = memory_allocate(most, 1, error);
    int result = log_odds == NULL || is_same == NULL || read_all(run, error) ? -1 : 0;
    if (result == 0) {
        known_pairs(run, log_odds, is_same, &pairs);
        result = same_odds_fit(&run->odds, log_odds, is_same, pairs, error) ||
                         same_odds_save(&run->odds, &run->space, run->out_path, error)
                     ? -1
                     : 0;
    }
    memory_free(log_odds);
    memory_free(is_same);
    if (result == 0)
        printf("%zu texts, %zu pairs of one author and %zu of two: log odds times %.3f plus %.2f\n",
               run->count, run->odds.same, run->odds.different, run->odds.scale, run->odds.shift);
    return result;
}

static double pair_log_odds(const struct run *run, size_t i, size_t j) {
    return same_odds_apply(&run->odds, same_log_odds(&run->space, &run->texts[i], &run->texts[j]));
}

static double probability_of(double log_odds) {
    return 1 / (1 + exp(-log_odds));
}

/* What is beyond these cannot be told from certainty by any pair of texts. */
static void show(const struct run *run) {
    for (size_t i = 0; i < run->count; i++)
        for (size_t j = i + 1; j < run->count; j++) {
            double log_odds = pair_log_odds(run, i, j);
            double percent = 100 * probability_of(log_odds);
            printf("%s%5.1f %%  %s  %s\n",
                   percent > 99.9  ? ">"
                   : percent < 0.1 ? "<"
                                   : " ",
                   fmin(fmax(percent, 0.1), 99.9), run->paths[i], run->paths[j]);
        }
}

static json_t *to_json(const struct run *run) {
    json_t *texts = json_array(), *pairs = json_array();
    for (size_t i = 0; i < run->count; i++)
        json_array_append_new(texts, json_pack("{s:s, s:I}", "file", run->paths[i], "tokens",
                                               (json_int_t)run->tokens[i]));
    for (size_t i = 0; i < run->count; i++)
        for (size_t j = i + 1; j < run->count; j++) {
            double log_odds = pair_log_odds(run, i, j);
            json_array_append_new(pairs, json_pack("{s:I, s:I, s:f, s:f}", "one", (json_int_t)i,
                                                   "other", (json_int_t)j, "probability",
                                                   probability_of(log_odds), "log_odds", log_odds));
        }
    return json_pack("{s:o, s:o}", "texts", texts, "pairs", pairs);
}

static int execute(struct run *run, struct error *error) {
    if (model_load_on(&run->model, run->model_path, run->base_path, PRECISION_BF16, error) ||
        same_space_create(&run->space, run->model, run->slot, error))
        return -1;
    if (run->fit_path != NULL)
        return fit(run, error);
    if ((run->odds_path != NULL &&
         same_odds_load(&run->odds, &run->space, run->odds_path, error)) ||
        read_all(run, error))
        return -1;
    if (run->json_path == NULL) {
        show(run);
        return 0;
    }
    json_t *json = to_json(run);
    int result = json == NULL ? error_set(error, "out of memory, or the name of a file is no UTF-8")
                              : option_write_json(json, run->json_path, error);
    json_decref(json);
    return result;
}

int command_same(int argc, char **argv) {
    struct run run = {.slot = "author", .odds = {.scale = 1}};
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    int status = parse(&run, argc, argv, &error) ? 2 : execute(&run, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine same: %s\n", error.message);
    memory_free(run.texts);
    memory_free(run.tokens);
    known_passages_free(&run.known);
    model_destroy(run.model);
    return status;
}
