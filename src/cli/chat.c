/* trine chat: a dialogue with the good author, under the principles. */
#include <getopt.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "good/assistant.h"
#include "good/profile.h"

static const char HELP[] =
    "usage: trine chat --model MODEL --good GOOD.gguf --guard TRUTH.gguf [OPTIONS]\n"
    "\n"
    "Talks with the good author: a line is a message, and the end of the input ends the dialogue.\n"
    "Requests and replies are held to the principles, which the truth author of --guard prices.\n"
    "\n"
    "  --good FILE         the good author (trine good train)\n"
    "  --guard FILE        the truth author that was trained on the principles' statements\n"
    "  --principles DIR    default: $TRINE_PRINCIPLES, or those that come with Trine\n"
    "  --key FILE          the operator's public key; default: $TRINE_OPERATOR_KEY, or Trine's\n"
    "  --research          principles that are not verified are taken, and every reply says so\n"
    "  --space FILE        what may be tuned (trine values)\n"
    "  --values FILE       a profile of values; what is granted of it is said first\n"
    "  --prompt TEXT       one message, one reply\n"
    "  --odds FILE         says after answers how sure it is (trine odds)\n"
    "  --truth FILE        who prices the claims of a reply (the standard's own truth author)\n"
    "  --standard NAME     of truth; default plain\n"
    "  --corpus DIR        is read for the claims of a reply, and cited (trine corpus)\n"
    "  --hear MODEL        this model is heard, too, beside the truth author\n"
    "  --no-dream          fiction as somebody is the good author's own, for comparison\n"
    "  --why               what the guard found, after each reply, on standard error\n"
    "  --tokens N          of a reply, at most; default 160\n"
    "  --temperature T     default 0: always the likeliest token\n"
    "  --seed N            default 1\n" BASE_HELP "\n"
    "example: trine chat --model models/smollm2-sotu/smollm2-sotu.gguf --good good.gguf --guard "
    "guard.gguf";

struct run {
    const char *model_path, *base, *good, *guard_path, *principles_path, *key_path, *prompt;
    const char *space_path, *profile_path, *odds_path;
    struct judge_options judging;
    int is_research, explains, has_no_dream;
    struct reply_options options;
    struct model *model;
    struct layer *layer, *truth;
    struct principles principles;
    struct guard *guard;
    struct judge *judge;
    struct odds odds;
    struct values_space space;
    real *offset; /* [Z] granted, or NULL */
    struct replier *replier;
    struct writer *dreamer;
    struct assistant assistant;
    struct chat_message messages[DIALOGUE_TURNS];
    size_t count;
};

static int take_option(struct run *run, int option, struct error *error) {
    const char **paths[] = {['m'] = &run->model_path,
                            ['B'] = &run->base,
                            ['g'] = &run->good,
                            ['t'] = &run->guard_path,
                            ['P'] = &run->principles_path,
                            ['k'] = &run->key_path,
                            ['p'] = &run->prompt,
                            ['s'] = &run->space_path,
                            ['v'] = &run->profile_path,
                            ['o'] = &run->odds_path,
                            ['u'] = &run->judging.truth,
                            ['d'] = &run->judging.standard,
                            ['h'] = &run->judging.hear,
                            ['c'] = &run->judging.corpus};
    size_t seed;
    if (option > 0 && option < (int)(sizeof paths / sizeof *paths) && paths[option] != NULL) {
        *paths[option] = optarg;
        return 0;
    }
    switch (option) {
    case 'R':
        run->is_research = 1;
        return 0;
    case 'D':
        run->has_no_dream = 1;
        return 0;
    case 'w':
        run->explains = 1;
        return 0;
    case 'n':
        return option_count(&run->options.tokens, "--tokens", 1, DECODER_CONTEXT / 2, error);
    case 'T':
        return option_number(&run->options.sampling.temperature, "--temperature", 0, 10, error);
    case 'S':
        if (option_count(&seed, "--seed", 0, 1u << 30, error))
            return -1;
        run->options.seed = seed;
        return 0;
    default:
        return error_set(error, "see trine chat --help");
    }
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {{"model", required_argument, NULL, 'm'},
                                            {"base", required_argument, NULL, 'B'},
                                            {"good", required_argument, NULL, 'g'},
                                            {"guard", required_argument, NULL, 't'},
                                            {"principles", required_argument, NULL, 'P'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"space", required_argument, NULL, 's'},
                                            {"values", required_argument, NULL, 'v'},
                                            {"prompt", required_argument, NULL, 'p'},
                                            {"odds", required_argument, NULL, 'o'},
                                            {"truth", required_argument, NULL, 'u'},
                                            {"standard", required_argument, NULL, 'd'},
                                            {"hear", required_argument, NULL, 'h'},
                                            {"corpus", required_argument, NULL, 'c'},
                                            {"research", no_argument, NULL, 'R'},
                                            {"why", no_argument, NULL, 'w'},
                                            {"no-dream", no_argument, NULL, 'D'},
                                            {"tokens", required_argument, NULL, 'n'},
                                            {"temperature", required_argument, NULL, 'T'},
                                            {"seed", required_argument, NULL, 'S'},
                                            {NULL, 0, NULL, 0}};
    int option;
    run->options.seed = 1;
    run->options.sampling.top_p = 0.95;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (take_option(run, option, error))
            return -1;
    if (run->model_path == NULL || run->good == NULL || run->guard_path == NULL)
        return error_set(error, "--model FILE, --good FILE and --guard FILE are wanted");
    if (run->odds_path == NULL && (run->judging.truth != NULL || run->judging.standard != NULL ||
                                   run->judging.hear != NULL || run->judging.corpus != NULL))
        return error_set(error,
                         "--truth, --standard, --corpus and --hear want --odds FILE (trine odds)");
    return 0;
}

static int load_layer(struct layer **layer, const struct run *run, const char *path,
                      const char *kind, struct error *error) {
    if (layer_load(layer, run->model, path, error))
        return -1;
    if (strcmp((*layer)->kind, kind) != 0)
        return error_set(error, "%s is a layer of the kind \"%s\"; \"%s\" is wanted", path,
                         (*layer)->kind, kind);
    return 0;
}

static int open_principles(struct run *run, struct error *error) {
    char path[4096];
    struct public_key key;
    int has_key = 1;
    if (principles_find(path, sizeof path, run->principles_path, error))
        return -1;
    if (principles_find_key(&key, run->key_path, error)) {
        if (!run->is_research)
            return -1;
        has_key = 0;
    }
    return principles_open(&run->principles, path, has_key ? &key : NULL, run->is_research, error);
}

/* The guard is asked by the truth author's own vector; the offset goes to the good author alone. */
static int open_values(struct run *run, struct error *error) {
    struct profile profile;
    struct values_grant grant;
    if (run->profile_path == NULL)
        return 0;
    if (run->space_path == NULL)
        return error_set(error, "--values FILE wants --space FILE, of the good author");
    if (values_space_load(&run->space, run->layer, run->space_path, error) ||
        profile_load(&profile, &run->space, run->profile_path, error))
        return -1;
    real *wish = memory_allocate(run->space.width, sizeof *wish, error);
    run->offset = memory_allocate(run->space.width, sizeof *run->offset, error);
    if (wish != NULL && run->offset != NULL) {
        profile_wish(&profile, &run->space, wish);
        values_grant(&run->space, wish, run->offset, &grant);
        fprintf(stderr, "values \"%s\": %.0f %% honoured%s%s\n", profile.name, 100 * grant.honoured,
                grant.is_projected ? "; what would move the principles was taken out" : "",
                grant.is_shortened ? "; shortened to the radius" : "");
    }
    run->options.offset = run->offset;
    profile_free(&profile);
    int failed = wish == NULL || run->offset == NULL;
    memory_free(wish);
    return failed ? -1 : 0;
}

static int open_odds(struct run *run, struct error *error) {
    if (run->odds_path == NULL)
        return 0;
    run->judging.model = run->model_path;
    run->judging.base = run->base;
    run->judging.loaded = run->model;
    run->judging.threads = (size_t)omp_get_max_threads();
    return odds_load(&run->odds, run->layer, run->odds_path, error) ||
                   judge_open(&run->judge, &run->judging, error)
               ? -1
               : 0;
}

static int open_all(struct run *run, struct error *error) {
    if (open_principles(run, error) ||
        model_load_on(&run->model, run->model_path, run->base, PRECISION_BF16, error) ||
        load_layer(&run->layer, run, run->good, "good", error) ||
        load_layer(&run->truth, run, run->guard_path, "truth", error) || open_values(run, error) ||
        open_odds(run, error) ||
        guard_create(&run->guard, run->truth, &run->principles,
                     &(struct guard_options){.explains = run->explains}, error) ||
        replier_create(&run->replier, run->model, run->layer, error) ||
        (!run->has_no_dream && writer_create(&run->dreamer, run->model, error)))
        return -1;
    run->assistant = (struct assistant){.replier = run->replier,
                                        .guard = run->guard,
                                        .principles = &run->principles,
                                        .pricer = claims_pricer_of(run->judge),
                                        .odds = &run->odds,
                                        .dream = run->model,
                                        .dreamer = run->dreamer};
    return 0;
}

static int print_piece(void *context, const char *text, size_t length) {
    (void)context;
    fwrite(text, 1, length, stdout);
    return fflush(stdout) != 0;
}

/* The oldest two turns go when there is no room. */
static void forget_oldest(struct run *run) {
    for (int i = 0; i < 2; i++)
        free((char *)run->messages[i].content);
    run->count -= 2;
    memmove(run->messages, run->messages + 2, run->count * sizeof *run->messages);
}

static int answer(struct run *run, const char *message, struct error *error) {
    struct assistant_trace trace;
    char *copy = strdup(message);
    if (copy == NULL)
        return error_set(error, "out of memory");
    if (run->count + 2 > DIALOGUE_TURNS)
        forget_oldest(run);
    run->messages[run->count++] = (struct chat_message){CHAT_USER, copy};
    int result = assistant_answer(&run->assistant, run->messages, run->count, &run->options,
                                  print_piece, NULL, &trace, error);
    if (result != 0) { /* what could not be answered was not said */
        free(copy);
        run->count--;
        return -1;
    }
    printf("\n");
    fflush(stdout);
    if (run->explains)
        assistant_trace_print(stderr, &run->assistant, &trace);
    claims_free(&trace.claims);
    if (trace.outcome == ASSISTANT_DECLINED_REQUEST) {
        /* Forgotten: with it in the dialogue whatever is asked next would be declined as well. */
        free(copy);
        run->count--;
        assistant_trace_free(&trace);
        return 0;
    }
    run->messages[run->count++] = (struct chat_message){CHAT_ASSISTANT, trace.text};
    return 0;
}

/* A message that cannot be answered is told of, and the dialogue goes on. */
static int converse(struct run *run) {
    struct error error;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    int shows_prompt = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO), failed = 0;
    for (;;) {
        if (shows_prompt) {
            printf("> ");
            fflush(stdout);
        }
        if ((length = getline(&line, &capacity, stdin)) < 0)
            break;
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
            line[--length] = '\0';
        if (length > 0 && answer(run, line, &error)) {
            failed = 1;
            fprintf(stderr, "trine chat: %s\n", error.message);
        }
    }
    free(line);
    return failed;
}

static void finish(struct run *run) {
    for (size_t i = 0; i < run->count; i++)
        free((char *)run->messages[i].content);
    replier_destroy(run->replier);
    writer_destroy(run->dreamer);
    guard_destroy(run->guard);
    judge_close(run->judge);
    memory_free(run->offset);
    values_space_free(&run->space);
    layer_destroy(run->truth);
    layer_destroy(run->layer);
    principles_close(&run->principles);
    model_destroy(run->model);
    free(run);
}

int command_chat(int argc, char **argv) {
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return 1;
    int status = parse(run, argc, argv, &error) ? 2 : 0;
    if (status == 0)
        status = open_all(run, &error) || (run->prompt != NULL && answer(run, run->prompt, &error));
    if (status != 0)
        fprintf(stderr, "trine chat: %s\n", error.message);
    else if (run->prompt == NULL)
        status = converse(run);
    finish(run);
    return status;
}
