/* trine odds: how sure the good author may say that it is, fitted and measured on questions. */
#include <getopt.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "good/odds_report.h"

static const char HELP[] =
    "usage: trine odds fit --model M --good G --truth T --questions FILE --out ODDS.json "
    "[OPTIONS]\n"
    "       trine odds eval --model M --good G --truth T --questions FILE --odds ODDS.json "
    "[OPTIONS]\n"
    "\n"
    "Asks the good author questions whose answers are known. fit learns from them how sure it may "
    "be\n"
    "of a reply, by what the truth layer makes of its claims and how likely it found its own "
    "words;\n"
    "trine chat --odds says so. eval measures on other questions whether that holds.\n"
    "\n"
    "  --questions FILE    {\"question\", \"answers\": [...]} a line; again for more\n"
    "  --truth FILE        the truth author that prices claims\n"
    "  --standard NAME     of truth; default plain\n"
    "  --hear MODEL        this model is heard, too, beside the truth author\n"
    "  --tokens N          of a reply, at most; default 40\n"
    "  --candidates N      fit: of so many replies the one whose claims are likeliest is chosen, "
    "in\n"
    "                      trine chat, too; default 1\n"
    "  --replies FILE      what was replied, as JSON lines\n"
    "  --threads N         default: one for each core\n"
    "  --json [FILE]       the report as JSON, to a file or instead of the table\n" BASE_HELP "\n"
    "example: trine odds fit --model models/smollm2-sotu/smollm2-sotu.gguf --good good.gguf "
    "--truth\n"
    "             truth.gguf --questions recipes/good/questions.jsonl --out odds.json";

struct run {
    struct judge_options judging;
    const char *good, *out, *odds_path, *replies, *json;
    size_t tokens, candidates;
    struct questions questions;
    struct model *model;
    struct layer *layer;
    struct replier *replier;
    struct judge *judge;
    struct answered answered;
    struct odds odds;
    struct progress progress;
};

static int take_option(struct run *run, int option, int argc, char **argv, struct error *error) {
    const char **paths[] = {['m'] = &run->judging.model, ['B'] = &run->judging.base,
                            ['u'] = &run->judging.truth, ['d'] = &run->judging.standard,
                            ['h'] = &run->judging.hear,  ['g'] = &run->good,
                            ['o'] = &run->out,           ['O'] = &run->odds_path,
                            ['w'] = &run->replies};
    if (option > 0 && option < (int)(sizeof paths / sizeof *paths) && paths[option] != NULL) {
        *paths[option] = optarg;
        return 0;
    }
    switch (option) {
    case 'q':
        return questions_read(&run->questions, optarg, error);
    case 'n':
        return option_count(&run->candidates, "--candidates", 1, CANDIDATES_MOST, error);
    case 'k':
        return option_count(&run->tokens, "--tokens", 1, 1024, error);
    case 'T':
        return option_count(&run->judging.threads, "--threads", 1, 64, error);
    case 'j':
        run->json = option_optional_file(argc, argv);
        return 0;
    default:
        return error_set(error, "see trine odds --help");
    }
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {{"model", required_argument, NULL, 'm'},
                                            {"base", required_argument, NULL, 'B'},
                                            {"good", required_argument, NULL, 'g'},
                                            {"truth", required_argument, NULL, 'u'},
                                            {"standard", required_argument, NULL, 'd'},
                                            {"hear", required_argument, NULL, 'h'},
                                            {"questions", required_argument, NULL, 'q'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"odds", required_argument, NULL, 'O'},
                                            {"replies", required_argument, NULL, 'w'},
                                            {"tokens", required_argument, NULL, 'k'},
                                            {"candidates", required_argument, NULL, 'n'},
                                            {"threads", required_argument, NULL, 'T'},
                                            {"json", optional_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    int option;
    run->tokens = 40;
    run->candidates = 1;
    run->judging.threads = (size_t)omp_get_max_threads();
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (take_option(run, option, argc, argv, error))
            return -1;
    if (run->judging.model == NULL || run->good == NULL || run->questions.count == 0)
        return error_set(error, "--model FILE, --good FILE and --questions FILE are wanted");
    return 0;
}

static void show_done(void *context, size_t done, size_t count) {
    struct run *run = context;
    progress_show(&run->progress, done, done == count, "questions");
}

static int ask(struct run *run, struct error *error) {
    if (model_load_on(&run->model, run->judging.model, run->judging.base, PRECISION_BF16, error))
        return -1;
    run->judging.loaded = run->model;
    if (layer_load(&run->layer, run->model, run->good, error) ||
        (run->odds_path != NULL && odds_load(&run->odds, run->layer, run->odds_path, error)) ||
        judge_open(&run->judge, &run->judging, error) ||
        replier_create(&run->replier, run->model, run->layer, error))
        return -1;
    struct questions_options options = {
        run->tokens, run->odds_path != NULL ? odds_candidates(&run->odds) : run->candidates};
    progress_start(&run->progress, 0, run->questions.count);
    int result = questions_ask(&run->answered, &run->questions, run->replier, run->judge, &options,
                               show_done, run, error);
    progress_finish(&run->progress);
    return result;
}

static int report(struct run *run, struct error *error) {
    struct odds_report report;
    if (odds_report_make(&report, &run->odds, &run->answered, error) ||
        (run->replies != NULL &&
         answered_write(&run->answered, &run->questions, &run->odds, run->replies, error)))
        return -1;
    if (run->json == NULL) {
        odds_report_print(stdout, &report);
        return 0;
    }
    json_t *json = odds_report_to_json(&report);
    int result = option_write_json(json, run->json, error);
    json_decref(json);
    return result;
}

static int fit(struct run *run, struct error *error) {
    if (run->out == NULL)
        return error_set(error, "--out FILE is wanted");
    if (ask(run, error) || odds_fit(&run->odds, run->layer, run->answered.evidence,
                                    run->answered.is_right, run->answered.count, error))
        return -1;
    run->odds.candidates = run->candidates;
    return odds_save(&run->odds, run->out, error) || report(run, error) ? -1 : 0;
}

static int evaluate(struct run *run, struct error *error) {
    if (run->odds_path == NULL)
        return error_set(error, "--odds FILE is wanted");
    return ask(run, error) || report(run, error) ? -1 : 0;
}

static int execute(struct run *run, int argc, char **argv, struct error *error) {
    const char *verb = optind < argc ? argv[optind] : "";
    if (strcmp(verb, "fit") == 0)
        return fit(run, error);
    if (strcmp(verb, "eval") == 0)
        return evaluate(run, error);
    return error_set(error, "'%.40s' is neither fit nor eval", verb);
}

static void finish(struct run *run) {
    answered_free(&run->answered);
    questions_free(&run->questions);
    replier_destroy(run->replier);
    judge_close(run->judge);
    layer_destroy(run->layer);
    model_destroy(run->model);
    free(run);
}

int command_odds(int argc, char **argv) {
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return 1;
    int status = parse(run, argc, argv, &error) ? 2 : execute(run, argc, argv, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine odds: %s\n", error.message);
    finish(run);
    return status;
}
