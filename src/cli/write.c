/* trine write: text or a picture under a handle, as it comes, or along a path of handles. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/panels.h"
#include "dream/write.h"
#include "text/text_filter.h"
#include "truth/telling.h"

enum { SWEEP_LIMIT = 1000, SCALE_LIMIT = 64 };

/* "date=1800..2000:25", or "author=A..B:0.25" where the steps are shares of B. */
struct sweep {
    char slot[64], from[128], to[128];
    double step;
};

struct run {
    const char *model_path, *json_path, *truth_path, *as, *out_path;
    int is_image;
    size_t scale;
    struct panels panels;
    struct handle_wishes wishes;
    struct sweep sweep;
    struct write_options options;
    struct model *model;
    struct gazetteer *gazetteer;
    struct layer *truth;
    char instruction[TELLING_BYTES];
    json_t *texts;
};

static const char HELP[] =
    "usage: trine write --model MODEL.gguf [HANDLE] [OPTIONS]\n"
    "       trine write --model MODEL.gguf --image --out FILE [HANDLE] [OPTIONS]\n\n"
    "Writes text as anyone, anywhen. Nothing told, the text finds its own author and date.\n\n"
    "the handle, applied in the order given:\n" HANDLE_HELP "\n"
    "options:\n"
    "  --prompt TEXT       the text begins so\n"
    "  --chat              the prompt is a message to an assistant, in the checkpoint's format\n"
    "  --tokens N          at most so many tokens (200)\n"
    "  --lean              a long prompt takes no more memory than writing does, and longer\n"
    "  --temperature T     0: always the likeliest token (0.8)\n"
    "  --top-p P           keep the likeliest tokens that hold this share (0.95)\n"
    "  --min-p P           drop tokens below this share of the likeliest one (0)\n"
    "  --seed N            same seed, same text (1)\n"
    "  --truth FILE        the truth author writes (from trine truth or trine introspect)\n"
    "  --as TEXT           and is told in words as whom: 'Abraham Lincoln, 1862', '1862',\n"
    "                      '60% Abraham Lincoln, 40% Barack Obama'\n"
    "  --sweep SLOT=FROM..TO:STEP  the same prompt and seed along a path: years of a date\n"
    "                      (date=1800..2000:25), shares between two labels\n"
    "                      (author=Abraham Lincoln..John F. Kennedy:0.25), or of the way\n"
    "                      between two places (place=Boston..Denver:0.25)\n"
    "  --image             a picture, after the prompt, in place of a text; with --sweep a strip\n"
    "  --out FILE          where the picture goes, as PNG (- for standard output); also -o FILE\n"
    "  --width N           pixels, a multiple of 4 up to 64 (as the model likes)\n"
    "  --height N          the same\n"
    "  --scale N           N pixels by N for each (1)\n"
    "  --json [FILE]       texts, or pictures, with their handles as JSON\n" BASE_HELP
        GAZETTEER_HELP "\n"
    "example: trine write --model demo/sotu.gguf --date 1863 --author Lincoln --prompt 'The war'";

static int parse_sweep(struct sweep *sweep, const char *text, struct error *error) {
    const char *equals = strchr(text, '='), *colon = strrchr(text, ':');
    const char *dots = equals != NULL ? strstr(equals, "..") : NULL;
    char *end = NULL;
    if (colon != NULL)
        sweep->step = strtod(colon + 1, &end);
    if (equals == NULL || dots == NULL || colon == NULL || colon < dots || end == colon + 1 ||
        *end != '\0' || !isfinite(sweep->step) || sweep->step <= 0)
        return error_set(error,
                         "--sweep is '%.80s'; it must be SLOT=FROM..TO:STEP with a step "
                         "above 0",
                         text);
    snprintf(sweep->slot, sizeof sweep->slot, "%.*s", (int)(equals - text), text);
    snprintf(sweep->from, sizeof sweep->from, "%.*s", (int)(dots - equals - 1), equals + 1);
    snprintf(sweep->to, sizeof sweep->to, "%.*s", (int)(colon - dots - 2), dots + 2);
    return 0;
}

static int parse_option(struct run *run, int option, int argc, char **argv, struct error *error) {
    struct sampling *sampling = &run->options.sampling;
    double seed = 0;
    int is_wish = handle_wishes_add(&run->wishes, option, optarg, error);
    if (is_wish != 0)
        return is_wish < 0 ? -1 : 0;
    switch (option) {
    case 'm':
        run->model_path = optarg;
        return 0;
    case 'p':
        run->options.prompt = optarg;
        return 0;
    case 'c':
        run->options.is_chat = 1;
        return 0;
    case 'j':
        run->json_path = option_optional_file(argc, argv);
        return 0;
    case 'u':
        run->truth_path = optarg;
        return 0;
    case 'a':
        run->as = optarg;
        return 0;
    case 'z':
        run->options.is_lean = 1;
        return 0;
    case 'w':
        return parse_sweep(&run->sweep, optarg, error);
    case 'n':
        return option_count(&run->options.tokens, "--tokens", 1, 1 << 20, error);
    case 't':
        return option_number(&sampling->temperature, "--temperature", 0, 100, error);
    case 'O':
    case 'o':
        run->out_path = optarg;
        return 0;
    case 'I':
        run->is_image = 1;
        return 0;
    case 'W':
        return option_count(&run->panels.width, "--width", PATCH_SIDE, RASTER_READ_LIMIT, error);
    case 'h':
        return option_count(&run->panels.height, "--height", PATCH_SIDE, RASTER_READ_LIMIT, error);
    case 'S':
        return option_count(&run->scale, "--scale", 1, SCALE_LIMIT, error);
    case 'q':
        return option_number(&sampling->top_p, "--top-p", 0, 1, error);
    case 'i':
        return option_number(&sampling->min_p, "--min-p", 0, 1, error);
    case 's':
        if (option_number(&seed, "--seed", 0, 0x1p53, error))
            return -1;
        run->options.seed = run->wishes.seed = (uint64_t)seed;
        return 0;
    default:
        return error_set(error, "see trine write --help");
    }
}

/* A picture is the dream's, and goes to a file or into the JSON. */
static int check_image(struct run *run, struct error *error) {
    const struct panels *panels = &run->panels;
    if (!run->is_image &&
        (run->out_path != NULL || panels->width > 0 || panels->height > 0 || run->scale > 0))
        return error_set(error, "--out, --width, --height and --scale are for a picture: --image");
    if (!run->is_image)
        return 0;
    if (run->truth_path != NULL || run->options.is_chat)
        return error_set(error, "%s and --image exclude each other",
                         run->truth_path != NULL ? "--truth" : "--chat");
    if (run->out_path == NULL && run->json_path == NULL)
        return error_set(error, "--image needs --out FILE, or --json");
    if (run->out_path != NULL && run->json_path != NULL && strcmp(run->out_path, "-") == 0 &&
        strcmp(run->json_path, "-") == 0)
        return error_set(error, "--out and --json cannot both be standard output");
    if (panels->width % PATCH_SIDE != 0 || panels->height % PATCH_SIDE != 0)
        return error_set(error, "--width and --height are multiples of %d", PATCH_SIDE);
    return 0;
}

/* The truth author is told in words alone. */
static int check_truth(struct run *run, struct error *error) {
    if (run->as != NULL && run->truth_path == NULL)
        return error_set(error, "--as is for the truth author: it wants --truth FILE");
    if (run->truth_path != NULL && (run->wishes.count > 0 || run->sweep.step > 0))
        return error_set(error, "the truth author takes no handle and no sweep; tell it with --as");
    if (run->as != NULL && run->options.is_chat)
        return error_set(error, "--as and --chat exclude each other");
    if (run->as != NULL) {
        telling_words_of(run->instruction, run->as);
        run->options.instruction = run->instruction;
    }
    return 0;
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {HANDLE_OPTIONS,
                                            {"model", required_argument, NULL, 'm'},
                                            {"prompt", required_argument, NULL, 'p'},
                                            {"chat", no_argument, NULL, 'c'},
                                            {"tokens", required_argument, NULL, 'n'},
                                            {"lean", no_argument, NULL, 'z'},
                                            {"temperature", required_argument, NULL, 't'},
                                            {"top-p", required_argument, NULL, 'q'},
                                            {"min-p", required_argument, NULL, 'i'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"truth", required_argument, NULL, 'u'},
                                            {"as", required_argument, NULL, 'a'},
                                            {"sweep", required_argument, NULL, 'w'},
                                            {"image", no_argument, NULL, 'I'},
                                            {"out", required_argument, NULL, 'O'},
                                            {"width", required_argument, NULL, 'W'},
                                            {"height", required_argument, NULL, 'h'},
                                            {"scale", required_argument, NULL, 'S'},
                                            {"json", optional_argument, NULL, 'j'},
                                            {0}};
    int option;
    run->options = (struct write_options){
        .tokens = 200, .seed = 1, .sampling = {.temperature = 0.8, .top_p = 0.95}};
    while ((option = getopt_long(argc, argv, "o:", OPTIONS, NULL)) != -1)
        if (parse_option(run, option, argc, argv, error))
            return -1;
    if (optind < argc)
        return error_set(error, "'%.80s' is no option; a prompt goes after --prompt", argv[optind]);
    if (run->model_path == NULL)
        return error_set(error, "--model is needed; see trine write --help");
    return check_image(run, error) || check_truth(run, error) ? -1 : 0;
}

/* Where the written bytes go: to the terminal as they come, or kept for JSON. */
struct sink {
    FILE *stream; /* NULL: kept */
    char *text;
    size_t length, capacity;
    struct error *error;
    int failed;
};

static int receive(void *context, const char *text, size_t length) {
    struct sink *sink = context;
    if (sink->stream != NULL) {
        fwrite(text, 1, length, sink->stream);
        sink->failed =
            fflush(sink->stream) != 0 ? error_set(sink->error, "cannot write the text") : 0;
        return sink->failed || progress_stop_wanted();
    }
    sink->failed = memory_grow(&sink->text, &sink->capacity, sink->length + length, 1, sink->error);
    if (!sink->failed) {
        memcpy(sink->text + sink->length, text, length);
        sink->length += length;
    }
    return sink->failed || progress_stop_wanted();
}

static int keep_json(struct run *run, json_t *item, struct error *error) {
    if (item == NULL || json_array_append_new(run->texts, item) != 0)
        return error_set(error, "out of memory");
    return 0;
}

static int draw_one(struct run *run, struct writer *writer, const struct handle *handle,
                    const char *title, struct error *error) {
    const char *prompt = run->options.prompt != NULL ? run->options.prompt : "";
    int state = panels_draw(&run->panels, writer, handle, &run->options, error);
    if (state != 0)
        return state < 0 ? -1 : 0;
    if (run->json_path != NULL) {
        const struct raster *raster = &run->panels.items[run->panels.count - 1];
        return keep_json(run,
                         json_pack("{s:s, s:s, s:I, s:I, s:o, s:I, s:o}", "title", title, "prompt",
                                   prompt, "width", (json_int_t)raster->width, "height",
                                   (json_int_t)raster->height, "pixels",
                                   panels_last_to_json(&run->panels), "seed",
                                   (json_int_t)run->options.seed, "handle", handle_to_json(handle)),
                         error);
    }
    if (*title != '\0' && strcmp(run->out_path, "-") != 0)
        printf("%s\n", title);
    return 0;
}

static int write_one(struct run *run, struct writer *writer, const struct handle *handle,
                     const char *title, struct error *error) {
    if (run->is_image)
        return draw_one(run, writer, handle, title, error);
    struct sink sink = {.stream = run->json_path == NULL ? stdout : NULL, .error = error};
    const char *prompt = run->options.prompt != NULL ? run->options.prompt : "";
    if (sink.stream != NULL)
        printf("%s%s%s%s", title, *title != '\0' ? "\n" : "", prompt, "");
    int result = writer_write(writer, handle, &run->options, receive, &sink, error);
    result = result || sink.failed ? -1 : 0;
    if (result == 0 && sink.stream != NULL)
        printf("%s", *title != '\0' ? "\n\n" : "\n");
    else if (result == 0) {
        json_t *item = json_pack("{s:s, s:s, s:o, s:I, s:o}", "title", title, "prompt", prompt,
                                 "text", text_to_json(sink.text, sink.length), "seed",
                                 (json_int_t)run->options.seed, "handle", handle_to_json(handle));
        if (item != NULL && run->as != NULL)
            json_object_set_new(item, "as", json_string(run->as));
        result = keep_json(run, item, error);
    }
    free(sink.text);
    return result;
}

/* Along the great circle. */
static int sweep_place(struct handle *handle, const struct slot *slot, const struct sweep *sweep,
                       double share, char *title, size_t title_size, struct error *error) {
    const struct gazetteer *gazetteer = handle->model->gazetteer;
    struct location from, to;
    if (share > 1 + 1e-9)
        return 1;
    if (gazetteer_resolve(gazetteer, sweep->from, &from, NULL, error) ||
        gazetteer_resolve(gazetteer, sweep->to, &to, NULL, error))
        return -1;
    struct location at = location_between(from, to, share);
    snprintf(title, title_size, "--- %s %.4g,%.4g", slot->name, at.latitude, at.longitude);
    return handle_tell_place(handle, slot->name, at, error);
}

/* Tells the handle the sweep's point that is `at` steps along. Returns 1 past its end. */
static int sweep_point(struct handle *handle, const struct sweep *sweep, size_t at, char *title,
                       size_t title_size, struct error *error) {
    const struct slot *slot = slots_find(&handle->model->slots, sweep->slot);
    if (slot == NULL)
        return error_set(error, "the model has no slot '%s' to sweep", sweep->slot);
    double share = (double)at * sweep->step;
    if (slot->kind == LATENT_CATEGORICAL) {
        char mixture[400];
        if (share > 1 + 1e-9)
            return 1;
        snprintf(mixture, sizeof mixture, "%s:%g,%s:%g", sweep->from, 1 - share, sweep->to, share);
        snprintf(title, title_size, "--- %s: %g %s, %g %s", slot->name, 1 - share, sweep->from,
                 share, sweep->to);
        return handle_tell_mixture(handle, slot->name, mixture, error);
    }
    if (slot->kind == LATENT_PLACE)
        return sweep_place(handle, slot, sweep, share, title, title_size, error);
    char *end_from, *end_to;
    double from = strtod(sweep->from, &end_from), to = strtod(sweep->to, &end_to);
    if (end_from == sweep->from || *end_from != '\0' || end_to == sweep->to || *end_to != '\0')
        return error_set(error, "--sweep of %s goes from '%s' to '%s': those must be years",
                         slot->name, sweep->from, sweep->to);
    if (share > fabs(to - from) + 1e-9)
        return 1;
    double year = from < to ? from + share : from - share;
    int result = handle_tell_year(handle, slot->name, year, error);
    snprintf(title, title_size, "--- %s %g%s", slot->name, year,
             result == 0 && handle->is_loose[slot - handle->model->slots.slots] ? " (loosely)"
                                                                                : "");
    return result;
}

static int write_sweep(struct run *run, struct writer *writer, struct handle *handle,
                       struct error *error) {
    for (size_t at = 0; !progress_stop_wanted(); at++) {
        char title[400];
        if (at >= SWEEP_LIMIT)
            return error_set(error, "the sweep has more than %d steps", SWEEP_LIMIT);
        int state = sweep_point(handle, &run->sweep, at, title, sizeof title, error);
        if (state != 0)
            return state < 0 ? -1 : 0;
        if (write_one(run, writer, handle, title, error))
            return -1;
    }
    return 0;
}

static int execute(struct run *run, struct error *error) {
    struct handle handle = {0};
    struct writer *writer = NULL;
    if (model_load_on(&run->model, run->model_path, run->wishes.base, PRECISION_BF16, error) ||
        option_gazetteer(&run->gazetteer, run->model, run->wishes.gazetteer, error) ||
        (run->is_image && panels_create(&run->panels, run->model, error)) ||
        handle_wishes_grant(&handle, &run->wishes, run->model, error))
        return -1;
    progress_catch_signals();
    run->texts = json_array();
    int result = 0;
    if (run->truth_path != NULL)
        result = layer_load(&run->truth, run->model, run->truth_path, error) ||
                         writer_create_as(&writer, run->truth, error)
                     ? -1
                     : 0;
    else
        result = writer_create(&writer, run->model, error);
    if (result == 0 && run->sweep.step > 0)
        result = write_sweep(run, writer, &handle, error);
    else if (result == 0)
        result = write_one(run, writer, &handle, "", error);
    if (result == 0 && run->out_path != NULL && !progress_stop_wanted())
        result = panels_write(&run->panels, run->scale > 0 ? run->scale : 1, run->out_path, error);
    if (result == 0 && run->json_path != NULL)
        result = option_write_json(run->texts, run->json_path, error);
    writer_destroy(writer);
    handle_free(&handle);
    return result;
}

int command_write(int argc, char **argv) {
    struct run run = {.wishes = {.seed = 1}};
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    int status = parse(&run, argc, argv, &error) ? 2 : execute(&run, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine write: %s\n", error.message);
    json_decref(run.texts);
    panels_free(&run.panels);
    layer_destroy(run.truth);
    model_destroy(run.model);
    gazetteer_close(run.gazetteer);
    return status != 0 ? status : progress_stop_wanted() ? 130 : 0;
}
