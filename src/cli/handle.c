/* trine handle: a handle made from labels, dates, texts, mixtures or vectors; shown or stored. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/show.h"

struct run {
    const char *model_path, *json_path;
    struct handle_wishes wishes;
    struct model *model;
    struct gazetteer *gazetteer;
};

static const char HELP[] =
    "usage: trine handle --model MODEL.gguf [HANDLE] [--json [FILE]]\n\n"
    "Makes a handle and shows what it amounts to: the labels each slot is nearest to.\n\n"
    "the handle, applied in the order given:\n" HANDLE_HELP "\n"
    "options:\n"
    "  --json [FILE]       the handle itself, for --handle of other commands\n" BASE_HELP
        GAZETTEER_HELP "\n"
    "example: trine handle --model demo/sotu.gguf --like speech.txt --date 1950 --json h.json";

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {HANDLE_OPTIONS,
                                            {"model", required_argument, NULL, 'm'},
                                            {"json", optional_argument, NULL, 'j'},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        int is_wish = handle_wishes_add(&run->wishes, option, optarg, error);
        if (is_wish < 0)
            return -1;
        if (option == 'm')
            run->model_path = optarg;
        else if (option == 'j')
            run->json_path = option_optional_file(argc, argv);
        else if (!is_wish)
            return error_set(error, "see trine handle --help");
    }
    if (optind < argc || run->model_path == NULL)
        return error_set(error, "--model is needed, and nothing else without a flag");
    return 0;
}

static int execute(struct run *run, struct error *error) {
    struct handle handle = {0};
    if (model_load_on(&run->model, run->model_path, run->wishes.base, PRECISION_BF16, error) ||
        option_gazetteer(&run->gazetteer, run->model, run->wishes.gazetteer, error) ||
        handle_wishes_grant(&handle, &run->wishes, run->model, error))
        return -1;
    int result = 0;
    if (run->json_path != NULL) {
        json_t *json = handle_to_json(&handle);
        result = json == NULL ? error_set(error, "out of memory")
                              : option_write_json(json, run->json_path, error);
        json_decref(json);
    } else {
        result = show_handle(stdout, &handle, 5, error);
    }
    handle_free(&handle);
    return result;
}

int command_handle(int argc, char **argv) {
    struct run run = {.wishes = {.seed = 1}};
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    int status = parse(&run, argc, argv, &error) ? 2 : execute(&run, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine handle: %s\n", error.message);
    model_destroy(run.model);
    gazetteer_close(run.gazetteer);
    return status;
}
