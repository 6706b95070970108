/* trine judge: how likely statements are to be true; trine ask: answers with odds. */
#include <getopt.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "truth/judge.h"

#define COMMON_HELP                                                                                \
    "  --model MODEL       the model whose truth author is asked\n"                                \
    "  --standard NAME     of truth: a directory, or the name of one (plain)\n"                    \
    "  --truth FILE        the truth author, when it is not the standard's own\n"                  \
    "  --hear MODEL        this model is heard, too, beside the truth author\n"                    \
    "  --corpus DIR        documents to be read for what they say\n"                               \
    "  --json [FILE]       for programs\n"                                                         \
    "  --threads N         default: one for each core\n" BASE_HELP

static const char JUDGE_HELP[] =
    "usage: trine judge --model MODEL [--standard NAME] [OPTIONS] STATEMENT...\n"
    "\n"
    "Tells how likely each statement is to be true, what that rests on, and who disagrees.\n"
    "\n"
    "  --formula           statements are formulas over texts in quotes: \"A\" and not \"B\"\n"
    "  --authors N         so many authors are asked whether they disagree (4)\n" COMMON_HELP "\n"
    "example: trine judge --model adapted.gguf --standard plain \"Lagos is a city in Nigeria.\"\n";

static const char ASK_HELP[] =
    "usage: trine ask --model MODEL [--standard NAME] [OPTIONS] QUESTION...\n"
    "\n"
    "Answers with odds and sources, or says that it does not know.\n"
    "\n"
    "  --candidates N      so many answers are thought of (8)\n"
    "  --seed N            of drawing them (1)\n" COMMON_HELP "\n"
    "example: trine ask --model adapted.gguf \"What is the capital of France?\"\n";

struct run {
    struct judge_options options;
    const char *json_path;
    int is_formula;
    size_t candidates, seed;
    struct judge *judge;
    json_t *results;
};

static int take_option(struct run *run, int option, int argc, char **argv, struct error *error) {
    struct judge_options *o = &run->options;
    switch (option) {
    case 'm':
        o->model = optarg;
        return 0;
    case 'B':
        o->base = optarg;
        return 0;
    case 'd':
        o->standard = optarg;
        return 0;
    case 't':
        o->truth = optarg;
        return 0;
    case 'h':
        o->hear = optarg;
        return 0;
    case 'C':
        o->corpus = optarg;
        return 0;
    case 'j':
        run->json_path = option_optional_file(argc, argv);
        return 0;
    case 'f':
        run->is_formula = 1;
        return 0;
    case 'a':
        return option_count(&o->authors, "--authors", 0, MOST_DISSENTERS, error);
    case 'c':
        return option_count(&run->candidates, "--candidates", 1, MOST_CANDIDATES, error);
    case 'S':
        return option_count(&run->seed, "--seed", 0, 1u << 30, error);
    case 'T':
        return option_count(&o->threads, "--threads", 1, 64, error);
    default:
        return error_set(error, "see trine %s --help", argv[0]);
    }
}

/* The options of judge, or of ask. */
static int parse(struct run *run, int is_ask, int argc, char **argv, struct error *error) {
    static const struct option JUDGE[] = {{"model", required_argument, NULL, 'm'},
                                          {"base", required_argument, NULL, 'B'},
                                          {"standard", required_argument, NULL, 'd'},
                                          {"truth", required_argument, NULL, 't'},
                                          {"corpus", required_argument, NULL, 'C'},
                                          {"hear", required_argument, NULL, 'h'},
                                          {"json", optional_argument, NULL, 'j'},
                                          {"threads", required_argument, NULL, 'T'},
                                          {"formula", no_argument, NULL, 'f'},
                                          {"authors", required_argument, NULL, 'a'},
                                          {NULL, 0, NULL, 0}};
    static const struct option ASK[] = {{"model", required_argument, NULL, 'm'},
                                        {"base", required_argument, NULL, 'B'},
                                        {"standard", required_argument, NULL, 'd'},
                                        {"truth", required_argument, NULL, 't'},
                                        {"corpus", required_argument, NULL, 'C'},
                                        {"hear", required_argument, NULL, 'h'},
                                        {"json", optional_argument, NULL, 'j'},
                                        {"threads", required_argument, NULL, 'T'},
                                        {"seed", required_argument, NULL, 'S'},
                                        {"candidates", required_argument, NULL, 'c'},
                                        {NULL, 0, NULL, 0}};
    int option;
    run->options.threads = (size_t)omp_get_max_threads();
    run->options.authors = is_ask ? 0 : 4;
    run->candidates = 8;
    run->seed = 1;
    while ((option = getopt_long(argc, argv, "", is_ask ? ASK : JUDGE, NULL)) != -1)
        if (take_option(run, option, argc, argv, error))
            return -1;
    if (run->options.model == NULL || optind == argc)
        return error_set(error, "--model FILE and a %s are wanted",
                         is_ask ? "question" : "statement");
    return 0;
}

static void print_testimony(const struct testimony *t) {
    for (size_t i = 0; i < t->citation_count; i++) {
        const struct citation *c = &t->citations[i];
        printf("    %s  %s", c->support > 0 ? "for    " : "against",
               c->author != NULL ? c->author : c->document);
        if (isfinite(c->year))
            printf(", %.0f", c->year);
        printf(": %s\n", c->text);
    }
}

static json_t *testimony_to_json(const struct testimony *t) {
    json_t *list = json_array();
    for (size_t i = 0; i < t->citation_count; i++) {
        const struct citation *c = &t->citations[i];
        json_t *item = json_pack("{s:s, s:s*, s:s, s:f}", "document", c->document, "author",
                                 c->author, "text", c->text, "support", c->support);
        if (item != NULL && isfinite(c->year))
            json_object_set_new(item, "year", json_real(c->year));
        json_array_append_new(list, item);
    }
    return list;
}

static void print_ruling(const struct run *run, const char *statement, const struct ruling *r) {
    const struct standard *s = judge_standard(run->judge);
    double better = r->probability > 0.5 ? r->probability : 1 - r->probability;
    printf("%.3f  %s\n", r->probability, statement);
    if (r->decided != 0)
        printf("  %s by what the standard \"%s\" holds\n", r->decided > 0 ? "proved" : "refuted",
               s->name);
    else
        printf("  %s under the standard \"%s\"; the truth author's doubt: %.2f\n",
               better >= s->known     ? (r->probability > 0.5 ? "true" : "false")
               : better >= s->unknown ? (r->probability > 0.5 ? "likely true" : "likely false")
                                      : "not known",
               s->name, r->doubt);
    if (r->testimony.citation_count > 0)
        printf("  documents\n");
    print_testimony(&r->testimony);
    if (r->dissenter_count > 0)
        printf("  who disagrees\n");
    for (size_t i = 0; i < r->dissenter_count; i++)
        printf("    %.3f  %s\n", r->dissenters[i].probability, r->dissenters[i].author);
}

static json_t *ruling_to_json(const char *statement, const struct ruling *r) {
    json_t *dissenters = json_array();
    for (size_t i = 0; i < r->dissenter_count; i++)
        json_array_append_new(dissenters, json_pack("{s:s, s:f}", "author", r->dissenters[i].author,
                                                    "probability", r->dissenters[i].probability));
    return json_pack("{s:s, s:f, s:f, s:s, s:o, s:o, s:f}", "statement", statement, "probability",
                     r->probability, "doubt", r->doubt, "decided",
                     r->decided > 0   ? "proved"
                     : r->decided < 0 ? "refuted"
                                      : "open",
                     "documents", testimony_to_json(&r->testimony), "dissenters", dissenters,
                     "seconds", r->seconds);
}

static int judge_one(struct run *run, const char *statement, struct error *error) {
    struct ruling ruling;
    if (judge_statement(run->judge, statement, run->is_formula, &ruling, error))
        return -1;
    if (run->json_path != NULL)
        json_array_append_new(run->results, ruling_to_json(statement, &ruling));
    else
        print_ruling(run, statement, &ruling);
    ruling_free(&ruling);
    return 0;
}

static void print_answer(const struct run *run, const struct answer_to *a) {
    const struct standard *s = judge_standard(run->judge);
    if (a->count == 0)
        printf("I do not know.\n");
    else if (!a->is_known)
        printf("I do not know. My best guess is %s, with a probability of %.2f.\n",
               a->candidates[0].text, a->candidates[0].probability);
    else if (a->candidates[0].probability < s->known)
        printf("I am about %.0f %% sure: %s.\n", 100 * a->candidates[0].probability,
               a->candidates[0].text);
    else
        printf("%s.\n", a->candidates[0].text);
    for (size_t i = 0; i < a->count; i++)
        printf("  %.3f  %s\n", a->candidates[i].probability, a->candidates[i].text);
    if (a->testimony.citation_count > 0)
        printf("  documents\n");
    print_testimony(&a->testimony);
}

static json_t *answer_to_json(const char *question, const struct answer_to *a) {
    json_t *candidates = json_array();
    for (size_t i = 0; i < a->count; i++)
        json_array_append_new(candidates, json_pack("{s:s, s:f}", "text", a->candidates[i].text,
                                                    "probability", a->candidates[i].probability));
    return json_pack("{s:s, s:b, s:o, s:o}", "question", question, "known", a->is_known, "answers",
                     candidates, "documents", testimony_to_json(&a->testimony));
}

static int ask_one(struct run *run, const char *question, struct error *error) {
    struct answer_to answer;
    if (judge_answer(run->judge, question, run->candidates, run->seed, &answer, error))
        return -1;
    if (run->json_path != NULL)
        json_array_append_new(run->results, answer_to_json(question, &answer));
    else
        print_answer(run, &answer);
    answer_free(&answer);
    return 0;
}

static int execute(struct run *run, int is_ask, int argc, char **argv, struct error *error) {
    run->results = json_array();
    if (run->results == NULL)
        return error_set(error, "out of memory");
    if (judge_open(&run->judge, &run->options, error))
        return -1;
    for (int i = optind; i < argc; i++)
        if (is_ask ? ask_one(run, argv[i], error) : judge_one(run, argv[i], error))
            return -1;
    return run->json_path != NULL ? option_write_json(run->results, run->json_path, error) : 0;
}

static int command(int is_ask, int argc, char **argv) {
    struct error error;
    struct run run = {.judge = NULL};
    if (option_wants_help(argc, argv, is_ask ? ASK_HELP : JUDGE_HELP))
        return 0;
    int status = parse(&run, is_ask, argc, argv, &error)     ? 2
                 : execute(&run, is_ask, argc, argv, &error) ? 1
                                                             : 0;
    if (status != 0)
        fprintf(stderr, "trine %s: %s\n", is_ask ? "ask" : "judge", error.message);
    judge_close(run.judge);
    json_decref(run.results);
    return status;
}

int command_judge(int argc, char **argv) {
    return command(0, argc, argv);
}

int command_ask(int argc, char **argv) {
    return command(1, argc, argv);
}
