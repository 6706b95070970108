/* trine serve: models over HTTP, for programs and for a browser. */
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "serve/server.h"

enum { MOST_WORKERS = 64, MOST_QUEUE = 4096, LEAST_CONTEXT = 16, LAST_SECONDS = 4 };

static const char HELP[] =
    "usage: trine serve --model MODEL [LAYERS] [--model MODEL [LAYERS]]... [OPTIONS]\n"
    "\n"
    "Serves models over HTTP: as OpenAI's API does (/v1/models, /v1/completions,\n"
    "/v1/chat/completions, /v1/embeddings), what is Trine's own (/v1/read, /v1/atlas, /v1/judge,\n"
    "/v1/ask, /v1/values, /v1/conversations) and a page for the browser (/). /openapi.json\n"
    "describes all of it. A model is called NAME/dream, NAME/truth or NAME/good.\n"
    "\n"
    "  --model FILE        a model; may be given again, and what follows is of the last one:\n"
    "  --base PATH         the checkpoint that it stands on, when it is not beside it or here\n"
    "  --name NAME         what it is called; default: as its file says\n"
    "  --good FILE         the good author (trine good train), under\n"
    "  --guard FILE        the truth author that was trained on the principles' statements, and\n"
    "  --principles DIR    default: $TRINE_PRINCIPLES, or those that come with Trine\n"
    "  --key FILE          the operator's public key; default: $TRINE_OPERATOR_KEY, or Trine's\n"
    "  --research          principles that are not verified are taken, and every reply says so\n"
    "  --space FILE        which values users may set (trine values)\n"
    "  --profile FILE      values to choose at once (trine values set); may be given again\n"
    "  --odds FILE         answers say how sure they are (trine odds)\n"
    "  --truth FILE        the truth author of the standard that it was trained for\n"
    "  --standard NAME     of truth; may be given again; default plain, with --truth, --odds or\n"
    "                      --market\n"
    "  --market FILE       a market's record (trine market run): its prices beside what is judged\n"
    "  --corpus DIR        is read and cited for what is judged\n"
    "\n"
    "  --address ADDRESS   to listen on (127.0.0.1); others want --keys\n"
    "  --port N            0: the system chooses (8080)\n"
    "  --keys FILE         whoever asks shows one of these keys (trine key); without, only this\n"
    "                      machine is served\n"
    "  --local-scope S     what this machine may do without a key: good, truth or dream (good\n"
    "                      without --keys, nothing with it). Not for use behind a proxy\n"
    "  --conversations FILE  keeps conversations for those who ask for it\n"
    "  --jobs DIR          shows how far the commands are that keep notes there; default: "
    "$TRINE_JOBS\n"
    "  --gazetteer FILE    where names of places are found (else TRINE_GAZETTEER, else the\n"
    "                      installed one)\n"
    "  --workers N         requests that are worked on at a time (8)\n"
    "  --queue N           requests that may wait (64)\n"
    "  --context N         tokens of a prompt and what is written, at most (4096)\n"
    "\n"
    "example: trine serve --model demo/sotu.gguf --local-scope dream";

struct run {
    struct resident_model_options models[RESIDENT_MODELS_MOST];
    struct server_options options;
    size_t model_count, port;
};

/* What belongs to a model stands after it. */
static struct resident_model_options *last_model(struct run *run, struct error *error) {
    if (run->model_count > 0)
        return &run->models[run->model_count - 1];
    error_set(error, "what belongs to a model stands after its --model");
    return NULL;
}

static int add_model(struct run *run, struct error *error) {
    if (run->model_count == RESIDENT_MODELS_MOST)
        return error_set(error, "at most %d models are served", RESIDENT_MODELS_MOST);
    run->models[run->model_count++].model = optarg;
    return 0;
}

static int add_standard(struct resident_model_options *model, struct error *error) {
    if (model->standard_count == RESIDENT_STANDARDS_MOST)
        return error_set(error, "a model has at most %d standards", RESIDENT_STANDARDS_MOST);
    model->standards[model->standard_count++] = optarg;
    return 0;
}

static int add_profile(struct resident_model_options *model, struct error *error) {
    if (model->profile_count == MODEL_PROFILES_MOST)
        return error_set(error, "a model offers at most %d profiles", MODEL_PROFILES_MOST);
    model->profiles[model->profile_count++] = optarg;
    return 0;
}

static int take_model_option(struct run *run, int option, struct error *error) {
    struct resident_model_options *m = last_model(run, error);
    if (m == NULL)
        return -1;
    const char **paths[] = {
        ['B'] = &m->base,       ['N'] = &m->name, ['g'] = &m->good,  ['t'] = &m->guard,
        ['s'] = &m->space,      ['o'] = &m->odds, ['u'] = &m->truth, ['c'] = &m->corpus,
        ['P'] = &m->principles, ['k'] = &m->key,  ['M'] = &m->market};
    if (option == 'd')
        return add_standard(m, error);
    if (option == 'f')
        return add_profile(m, error);
    if (option == 'R')
        m->is_research = 1;
    else
        *paths[option] = optarg;
    return 0;
}

static int take_option(struct run *run, int option, struct error *error) {
    struct server_options *o = &run->options;
    switch (option) {
    case 'm':
        return add_model(run, error);
    case 'a':
        o->address = optarg;
        return 0;
    case 'p':
        return option_count(&run->port, "--port", 0, 65535, error);
    case 'K':
        o->keys = optarg;
        return 0;
    case 'l':
        return scope_from_name(&o->local_scope, optarg, error);
    case 'C':
        o->conversations = optarg;
        return 0;
    case 'j':
        o->jobs = optarg;
        return 0;
    case 'G':
        o->resident.gazetteer = optarg;
        return 0;
    case 'w':
        return option_count(&o->resident.workers, "--workers", 1, MOST_WORKERS, error);
    case 'q':
        return option_count(&o->queue, "--queue", 1, MOST_QUEUE, error);
    case 'x':
        return option_count(&o->resident.context, "--context", LEAST_CONTEXT, RESIDENT_CONTEXT,
                            error);
    case '?':
        return error_set(error, "see trine serve --help");
    default:
        return take_model_option(run, option, error);
    }
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {{"model", required_argument, NULL, 'm'},
                                            {"base", required_argument, NULL, 'B'},
                                            {"name", required_argument, NULL, 'N'},
                                            {"good", required_argument, NULL, 'g'},
                                            {"guard", required_argument, NULL, 't'},
                                            {"principles", required_argument, NULL, 'P'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"research", no_argument, NULL, 'R'},
                                            {"space", required_argument, NULL, 's'},
                                            {"profile", required_argument, NULL, 'f'},
                                            {"odds", required_argument, NULL, 'o'},
                                            {"truth", required_argument, NULL, 'u'},
                                            {"standard", required_argument, NULL, 'd'},
                                            {"market", required_argument, NULL, 'M'},
                                            {"corpus", required_argument, NULL, 'c'},
                                            {"address", required_argument, NULL, 'a'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"keys", required_argument, NULL, 'K'},
                                            {"local-scope", required_argument, NULL, 'l'},
                                            {"conversations", required_argument, NULL, 'C'},
                                            {"jobs", required_argument, NULL, 'j'},
                                            {"gazetteer", required_argument, NULL, 'G'},
                                            {"workers", required_argument, NULL, 'w'},
                                            {"queue", required_argument, NULL, 'q'},
                                            {"context", required_argument, NULL, 'x'},
                                            {NULL, 0, NULL, 0}};
    int option;
    run->port = 8080;
    run->options.jobs = getenv(PROGRESS_JOBS);
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (take_option(run, option, error))
            return -1;
    if (optind < argc)
        return error_set(error, "'%.80s' is no option; see trine serve --help", argv[optind]);
    if (run->model_count == 0)
        return error_set(error, "--model FILE is wanted");
    run->options.port = (uint16_t)run->port;
    run->options.resident.models = run->models;
    run->options.resident.model_count = run->model_count;
    run->options.resident.gazetteer = option_gazetteer_path(run->options.resident.gazetteer);
    return 0;
}

/* What was acknowledged is on the disk, so whatever is worked on for longer may be given up. */
static void give_up(int number) {
    static const char TEXT[] = "trine serve: did not wait for a request that takes long\n";
    (void)number;
    (void)!write(STDERR_FILENO, TEXT, sizeof TEXT - 1);
    _exit(0);
}

static void end_soon(void) {
    const struct sigaction action = {.sa_handler = give_up};
    sigaction(SIGALRM, &action, NULL);
    alarm(LAST_SECONDS);
}

/* Threads inherit the mask: a signal comes to this one alone, and only while it waits. */
static void hold_signals(sigset_t *before) {
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &held, before);
}

static void wait_for_signal(const sigset_t *before) {
    while (!progress_stop_wanted())
        (void)ppoll(NULL, 0, NULL, before);
    pthread_sigmask(SIG_SETMASK, before, NULL); /* a second one kills */
}

static int execute(struct run *run, struct error *error) {
    struct server *server;
    sigset_t before;
    const char *address = run->options.address != NULL ? run->options.address : "127.0.0.1";
    int is_six = strchr(address, ':') != NULL;
    progress_catch_signals();
    hold_signals(&before);
    signal(SIGPIPE, SIG_IGN);
    memory_share();
    if (server_start(&server, &run->options, error))
        return -1;
    printf("listening on http://%s%s%s:%u\n", is_six ? "[" : "", address, is_six ? "]" : "",
           (unsigned)server_port(server));
    fflush(stdout);
    wait_for_signal(&before);
    end_soon();
    server_stop(server);
    alarm(0);
    return 0;
}

int command_serve(int argc, char **argv) {
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return 1;
    int status = parse(run, argc, argv, &error) ? 2 : execute(run, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine serve: %s\n", error.message);
    free(run);
    return status;
}
