/* trine values: what a user may change about the good author, and what becomes of a wish. */
#include <getopt.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "good/good_train.h"
#include "good/profile.h"
#include "good/values_effect.h"

static const char HELP[] =
    "usage: trine values space --model M --good G --pairs FILE --space SPACE.json [OPTIONS]\n"
    "       trine values new NAME --model M --good G --space SPACE.json --high FILE --low FILE\n"
    "       trine values effect NAME --model M --good G --space SPACE.json --high FILE --low FILE\n"
    "       trine values show --model M --good G --space SPACE.json [PROFILE.json]\n"
    "       trine values set --model M --good G --space SPACE.json --out PROFILE.json "
    "NAME=NUMBER...\n"
    "       trine values mix --model M --good G --space SPACE.json --out PROFILE.json "
    "FILE:SHARE...\n"
    "\n"
    "space is the operator's: it finds what must not be moved, from pairs in which a request is\n"
    "declined and complied with. new finds a direction from replies at its two ends, and shows "
    "what\n"
    "turning it as far as is granted does to both ends' replies and to every principle: how much\n"
    "likelier declining is than what breaks it. effect shows the same on other replies. show "
    "lists\n"
    "directions, and what is granted of a profile. set and mix make profiles, for trine chat\n"
    "--values; 1 is as far as a value may go by itself, -1 as far the other way.\n"
    "\n"
    "  --pairs FILE        {\"prompt\", \"chosen\", \"rejected\"} a line; those of kind "
    "\"refusal\" "
    "count\n"
    "  --high FILE, --low FILE  {\"prompt\", \"reply\"} a line\n"
    "  --radius R          the longest offset that is granted; default 1, as `good train "
    "--radius`\n"
    "  --share S           of what moves the pairs is protected; default 0.95\n"
    "  --principles DIR    whose effect is shown; default: as trine chat\n"
    "  --name NAME         of the profile\n" BASE_HELP "\n"
    "example: trine values set --model m.gguf --good good.gguf --space space.json --out me.json "
    "warm-cool=1";

struct run {
    const char *model_path, *base, *good, *space_path, *pairs, *high, *low, *out, *name,
        *principles_path;
    double radius, share;
    size_t threads;
    char **arguments;
    size_t argument_count;
    struct model *model;
    struct layer *layer;
    struct lesson_maker maker;
    struct values_space space;
    struct principles principles;
};

static int take_option(struct run *run, int option, struct error *error) {
    const char **paths[] = {['m'] = &run->model_path, ['B'] = &run->base,
                            ['g'] = &run->good,       ['s'] = &run->space_path,
                            ['p'] = &run->pairs,      ['h'] = &run->high,
                            ['l'] = &run->low,        ['o'] = &run->out,
                            ['n'] = &run->name,       ['P'] = &run->principles_path};
    if (option > 0 && option < (int)(sizeof paths / sizeof *paths) && paths[option] != NULL) {
        *paths[option] = optarg;
        return 0;
    }
    switch (option) {
    case 'r':
        return option_number(&run->radius, "--radius", 0, 1000, error);
    case 'S':
        return option_number(&run->share, "--share", 0, 1, error);
    case 'T':
        return option_count(&run->threads, "--threads", 1, 64, error);
    default:
        return error_set(error, "see trine values --help");
    }
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {
        {"model", required_argument, NULL, 'm'},   {"base", required_argument, NULL, 'B'},
        {"good", required_argument, NULL, 'g'},    {"space", required_argument, NULL, 's'},
        {"pairs", required_argument, NULL, 'p'},   {"high", required_argument, NULL, 'h'},
        {"low", required_argument, NULL, 'l'},     {"out", required_argument, NULL, 'o'},
        {"name", required_argument, NULL, 'n'},    {"principles", required_argument, NULL, 'P'},
        {"radius", required_argument, NULL, 'r'},  {"share", required_argument, NULL, 'S'},
        {"threads", required_argument, NULL, 'T'}, {NULL, 0, NULL, 0}};
    int option;
    run->radius = 1;
    run->share = 0.95;
    run->threads = (size_t)omp_get_max_threads();
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (take_option(run, option, error))
            return -1;
    if (run->model_path == NULL || run->good == NULL || run->space_path == NULL)
        return error_set(error, "--model FILE, --good FILE and --space FILE are wanted");
    if (optind == argc)
        return error_set(error, "space, new, effect, show, set or mix is wanted");
    run->arguments = argv + optind + 1;
    run->argument_count = (size_t)(argc - optind - 1);
    return 0;
}

static int open_all(struct run *run, int has_space, struct error *error) {
    if (model_load_on(&run->model, run->model_path, run->base, PRECISION_BF16, error) ||
        layer_load(&run->layer, run->model, run->good, error) ||
        lesson_maker_create(&run->maker, run->model, error))
        return -1;
    return has_space ? values_space_load(&run->space, run->layer, run->space_path, error)
                     : values_space_create(&run->space, run->layer, run->radius, error);
}

/* Lessons of a file's dialogues; of pairs only those whose request is to be declined. */
static int read_lessons(struct run *run, const char *path, int are_pairs, struct lesson **lessons,
                        size_t *count, struct error *error) {
    struct dialogues all = {0}, kept = {0};
    int result = dialogues_read(&all, path, error);
    *lessons = NULL;
    if (result == 0) {
        kept.items = memory_allocate(all.count, sizeof *kept.items, error);
        result = kept.items == NULL ? -1 : 0;
    }
    for (size_t i = 0; result == 0 && i < all.count; i++)
        if (!are_pairs || strcmp(all.items[i].kind, "refusal") == 0)
            kept.items[kept.count++] = all.items[i];
    if (result == 0 && kept.count == 0)
        result = error_set(error, "%s has no pairs of the kind \"refusal\"", path);
    if (result == 0)
        result = lessons_make(lessons, &run->maker, &kept, are_pairs, error);
    *count = kept.count;
    memory_free(kept.items);
    dialogues_free(&all);
    return result;
}

static int make_space(struct run *run, struct error *error) {
    struct lesson *pairs;
    size_t count;
    if (run->pairs == NULL)
        return error_set(error, "--pairs FILE is wanted");
    if (open_all(run, 0, error) || read_lessons(run, run->pairs, 1, &pairs, &count, error))
        return -1;
    int result =
        values_protect(&run->space, run->layer, pairs, count, run->share, run->threads, error);
    lessons_free(pairs, 2 * count);
    if (result || values_space_save(&run->space, run->space_path, error))
        return -1;
    printf("%zu of %zu dimensions are protected, by %zu pairs; offsets are granted up to %g\n",
           run->space.protected_count, run->space.width, count, run->radius);
    return 0;
}

static double mean_loss(const double *log_probabilities, const struct lesson *lessons,
                        size_t count) {
    double sum = 0, tokens = 0;
    for (size_t i = 0; i < count; i++) {
        sum -= log_probabilities[i];
        tokens += (double)(lessons[i].count - lessons[i].reply);
    }
    return sum / tokens;
}

/* The offset that is granted when a direction is turned fully down, not at all, or fully up. */
static void turn(const struct run *run, size_t direction, int how_far, real *wish, real *offset,
                 struct values_grant *grant) {
    for (size_t d = 0; d < run->space.width; d++)
        wish[d] = (real)(how_far * run->space.radius *
                         (double)run->space.directions[direction].vector[d]);
    values_grant(&run->space, wish, offset, grant);
}

/* Nats per token of both ends' replies with the direction turned fully down, not, and fully up. */
static int show_effect(struct run *run, size_t direction, const struct lesson *high,
                       size_t high_count, const struct lesson *low, size_t low_count,
                       struct error *error) {
    size_t width = run->space.width, most = high_count > low_count ? high_count : low_count;
    real *wish = memory_allocate(2 * width, sizeof *wish, error);
    double *scores = memory_allocate(most, sizeof *scores, error);
    int result = wish == NULL || scores == NULL ? -1 : 0;
    struct values_grant grant;
    printf("turned to   nats per token of the high replies, the low ones   granted\n");
    for (int how_far = -1; result == 0 && how_far <= 1; how_far++) {
        turn(run, direction, how_far, wish, wish + width, &grant);
        result = good_log_probabilities(scores, run->model, run->layer, wish + width, high,
                                        high_count, run->threads, error);
        double of_high = result == 0 ? mean_loss(scores, high, high_count) : 0;
        if (result == 0)
            result = good_log_probabilities(scores, run->model, run->layer, wish + width, low,
                                            low_count, run->threads, error);
        if (result == 0)
            printf("%+9.2f   %.4f   %.4f   %.0f %%\n", how_far * run->space.radius, of_high,
                   mean_loss(scores, low, low_count), 100 * grant.honoured);
    }
    memory_free(wish);
    memory_free(scores);
    return result;
}

/* How much likelier declining is than breaking each principle, at the same three turns. */
static int show_principles(struct run *run, size_t direction, struct error *error) {
    size_t width = run->space.width;
    double margins[3][PRINCIPLES_MOST];
    struct values_grant grant;
    real *wish = memory_allocate(2 * width, sizeof *wish, error);
    int result = wish == NULL ? -1 : 0;
    for (int how_far = -1; result == 0 && how_far <= 1; how_far++) {
        turn(run, direction, how_far, wish, wish + width, &grant);
        result = values_margins(margins[how_far + 1], run->layer, wish + width, &run->principles,
                                &run->maker, run->threads, error);
    }
    if (result == 0)
        printf("declining likelier than breaking, nats per token: turned down, not, up\n");
    for (size_t i = 0; result == 0 && i < run->principles.count; i++)
        printf("  %-32s %+.3f  %+.3f  %+.3f\n", run->principles.items[i].name, margins[0][i],
               margins[1][i], margins[2][i]);
    memory_free(wish);
    return result;
}

/* Whoever makes values need not have signed the principles. */
static int open_principles(struct run *run, struct error *error) {
    char path[4096];
    return principles_find(path, sizeof path, run->principles_path, error) ||
                   principles_open(&run->principles, path, NULL, 1, error)
               ? -1
               : 0;
}

static int find_direction(const struct run *run, const char *name) {
    for (size_t i = 0; i < run->space.direction_count; i++)
        if (strcmp(run->space.directions[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* new: finds the direction, and shows its effect on the lists it was found from. effect: shows that
 * of one that is there on any lists. */
static int make_direction(struct run *run, int is_new, struct error *error) {
    struct lesson *high = NULL, *low = NULL;
    size_t high_count = 0, low_count = 0;
    if (run->argument_count != 1 || run->high == NULL || run->low == NULL)
        return error_set(error, "%s wants NAME, --high FILE and --low FILE",
                         is_new ? "new" : "effect");
    const char *name = run->arguments[0];
    int result = open_principles(run, error) || open_all(run, 1, error) ||
                 read_lessons(run, run->high, 0, &high, &high_count, error) ||
                 read_lessons(run, run->low, 0, &low, &low_count, error);
    if (result == 0 && is_new)
        result = values_add_direction(&run->space, run->layer, name, high, high_count, low,
                                      low_count, run->threads, error) ||
                 values_space_save(&run->space, run->space_path, error);
    int direction = result == 0 ? find_direction(run, name) : -1;
    if (result == 0 && direction < 0)
        result = error_set(error, "%s has no direction \"%.64s\"", run->space_path, name);
    if (result == 0)
        result = show_effect(run, (size_t)direction, high, high_count, low, low_count, error) ||
                 show_principles(run, (size_t)direction, error);
    lessons_free(high, high_count);
    lessons_free(low, low_count);
    return result ? -1 : 0;
}

static void print_grant(const struct run *run, const struct values_grant *grant) {
    printf("asked for %.3f, granted %.3f: %.0f %% of the wish is honoured\n", grant->asked,
           grant->allowed, 100 * grant->honoured);
    if (grant->is_projected)
        printf("  what would move the principles was taken out of it\n");
    if (grant->is_shortened)
        printf("  it was shortened to the radius, %g\n", run->space.radius);
}

static int grant_wish(const struct run *run, const real *wish, struct error *error) {
    struct values_grant grant;
    real *offset = memory_allocate(run->space.width, sizeof *offset, error);
    if (offset == NULL)
        return -1;
    values_grant(&run->space, wish, offset, &grant);
    print_grant(run, &grant);
    memory_free(offset);
    return 0;
}

static int show(struct run *run, struct error *error) {
    struct values_grant grant;
    struct profile profile;
    if (run->argument_count > 1)
        return error_set(error, "show wants one profile, or none");
    if (open_all(run, 1, error))
        return -1;
    real *room = memory_allocate(run->space.width, sizeof *room, error);
    if (room == NULL)
        return -1;
    printf("author %s; %zu of %zu dimensions protected; radius %g\n", run->space.author,
           run->space.protected_count, run->space.width, run->space.radius);
    for (size_t i = 0; i < run->space.direction_count; i++) {
        values_grant(&run->space, run->space.directions[i].vector, room, &grant);
        printf("  %-32s %3.0f %% of it is free\n", run->space.directions[i].name,
               100 * grant.allowed * grant.allowed);
    }
    int result = 0;
    if (run->argument_count == 1) {
        result = profile_load(&profile, &run->space, run->arguments[0], error);
        if (result == 0) {
            profile_wish(&profile, &run->space, room);
            printf("%s: ", profile.name);
            result = grant_wish(run, room, error);
            profile_free(&profile);
        }
    }
    memory_free(room);
    return result;
}

/* FILE:SHARE */
static int add_profile(struct run *run, struct profile *sum, const char *argument,
                       struct error *error) {
    struct profile profile;
    char path[4096], *end;
    const char *colon = strrchr(argument, ':');
    double share = colon != NULL ? strtod(colon + 1, &end) : 0;
    if (colon == NULL || end == colon + 1 || *end != '\0' || !(fabs(share) <= 100) ||
        (size_t)(colon - argument) >= sizeof path)
        return error_set(error, "'%.100s' is not FILE:SHARE", argument);
    snprintf(path, sizeof path, "%.*s", (int)(colon - argument), argument);
    if (profile_load(&profile, &run->space, path, error))
        return -1;
    profile_add(sum, &run->space, &profile, share);
    profile_free(&profile);
    return 0;
}

static int make_profile(struct run *run, int is_mixed, struct error *error) {
    struct profile profile;
    if (run->out == NULL || run->argument_count == 0)
        return error_set(error, "--out FILE and %s are wanted",
                         is_mixed ? "FILE:SHARE..." : "NAME=NUMBER...");
    if (open_all(run, 1, error) ||
        profile_create(&profile, &run->space, run->name != NULL ? run->name : "mine", error))
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < run->argument_count; i++)
        result = is_mixed ? add_profile(run, &profile, run->arguments[i], error)
                          : profile_set(&profile, &run->space, run->arguments[i], error);
    real *wish = result == 0 ? memory_allocate(run->space.width, sizeof *wish, error) : NULL;
    if (wish != NULL) {
        profile_wish(&profile, &run->space, wish);
        result =
            grant_wish(run, wish, error) || profile_save(&profile, &run->space, run->out, error);
    }
    memory_free(wish);
    profile_free(&profile);
    return result || wish == NULL ? -1 : 0;
}

static int execute(struct run *run, const char *verb, struct error *error) {
    if (strcmp(verb, "space") == 0)
        return make_space(run, error);
    if (strcmp(verb, "new") == 0)
        return make_direction(run, 1, error);
    if (strcmp(verb, "effect") == 0)
        return make_direction(run, 0, error);
    if (strcmp(verb, "show") == 0)
        return show(run, error);
    if (strcmp(verb, "set") == 0 || strcmp(verb, "mix") == 0)
        return make_profile(run, strcmp(verb, "mix") == 0, error);
    return error_set(error, "'%.40s' is none of space, new, effect, show, set and mix", verb);
}

static void finish(struct run *run) {
    principles_close(&run->principles);
    values_space_free(&run->space);
    lesson_maker_free(&run->maker);
    layer_destroy(run->layer);
    model_destroy(run->model);
}

int command_values(int argc, char **argv) {
    struct error error;
    struct run run = {0};
    if (option_wants_help(argc, argv, HELP))
        return 0;
    int status = parse(&run, argc, argv, &error)            ? 2
                 : execute(&run, run.arguments[-1], &error) ? 1
                                                            : 0;
    if (status != 0)
        fprintf(stderr, "trine values: %s\n", error.message);
    finish(&run);
    return status;
}
