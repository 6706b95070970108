/* trine corpus build, trine corpus show. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "latent/model.h"
#include "text/corpus.h"
#include "text/corpus_build.h"

static const char HELP[] =
    "usage: trine corpus build --manifest FILE --out DIR [OPTIONS] FILE...|-\n"
    "       trine corpus show DIR [--json]\n"
    "\n"
    "build makes a corpus of JSON lines (plain, .gz or .zst; - is standard input):\n"
    "  --manifest FILE      which fields are the text, the labels, the id; what is held out\n"
    "  --out DIR            the corpus; it appears complete or not at all\n"
    "  --vocabulary N       tokens to learn, in place of the manifest's\n"
    "  --tokenizer FROM     take the tokenizer of another corpus or of a model (a GGUF file, a\n"
    "                       checkpoint's directory): for `trine adapt`, that of its base\n"
    "  --gazetteer FILE     where names of places are found (else TRINE_GAZETTEER, else the\n"
    "                       installed one)\n"
    "  --on-error WHAT      bad lines: fail (after all are reported; the default) or skip\n"
    "  --duplicates WHAT    texts that occur again: drop (the default) or keep\n"
    "  --force              replace an existing corpus\n"
    "  --json               print the summary as JSON\n"
    "\n"
    "show prints what a corpus holds.\n"
    "\n"
    "example: trine corpus build --manifest sotu.json --out sotu.corpus speeches.jsonl.zst\n";

enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number) {
    (void)number;
    is_interrupted = 1;
}

/* A second Ctrl-C ends the program at once. */
static void watch_signals(void) {
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

struct progress {
    const char *what;
    double began, shown;
    int is_terminal, has_line;
};

static void clear_line(struct progress *p) {
    if (p->has_line)
        fputs("\r\033[K", stderr);
    p->has_line = 0;
}

static void show_report(void *context, const char *message) {
    clear_line(context);
    fprintf(stderr, "%s\n", message);
}

/* A line that is rewritten in a terminal, now and then a line of its own elsewhere. */
static void show_progress(void *context, const char *what, size_t bytes) {
    struct progress *p = context;
    double now = seconds_now();
    if (p->what != what) {
        p->what = what;
        p->began = p->shown = now;
    }
    if (now - p->shown < (p->is_terminal ? 0.2 : 10))
        return;
    p->shown = now;
    double megabytes = (double)bytes / 1e6;
    fprintf(stderr, "%s%s: %.0f MB, %.1f MB/s%s", p->is_terminal ? "\r" : "", what, megabytes,
            megabytes / (now - p->began), p->is_terminal ? "\033[K" : "\n");
    p->has_line = p->is_terminal;
}

static int usage_error(const char *what, const char *value) {
    fprintf(stderr, "trine corpus: %s%s%s; `trine corpus --help` tells more\n", what,
            value == NULL ? "" : " ", value == NULL ? "" : value);
    return STATUS_USAGE;
}

static int print_json(json_t *object) {
    int failed = object == NULL || json_dumpf(object, stdout, JSON_INDENT(2)) != 0 ||
                 putchar('\n') == EOF || fflush(stdout) != 0;
    json_decref(object);
    if (failed)
        fprintf(stderr, "trine corpus: cannot write to standard output\n");
    return failed ? STATUS_FAILED : STATUS_DONE;
}

static size_t count_bad_lines(const struct corpus_build_summary *s) {
    size_t bad = 0;
    for (size_t kind = RECORD_TOO_LONG; kind < RECORD_FAULT_COUNT; kind++)
        bad += s->faults[kind];
    return bad;
}

static int print_summary_json(const char *out, const struct corpus_build_summary *s) {
    json_t *bad = json_object();
    for (size_t kind = RECORD_TOO_LONG; kind < RECORD_FAULT_COUNT; kind++)
        json_object_set_new(bad, record_fault_name((enum record_fault)kind),
                            json_integer((json_int_t)s->faults[kind]));
    return print_json(
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "corpus", out,
                  "training_documents", (json_int_t)s->training_documents, "held_out_documents",
                  (json_int_t)s->held_out_documents, "tokens", (json_int_t)s->tokens, "text_bytes",
                  (json_int_t)s->text_bytes, "vocabulary", (json_int_t)s->vocabulary, "shards",
                  (json_int_t)s->shards, "duplicates", (json_int_t)s->duplicates,
                  "dropped_because_held_out", (json_int_t)s->leaks, "pictures",
                  (json_int_t)s->pictures, "patches", (json_int_t)s->patches, "bad_lines", bad));
}

/* Of a failed build too, but then to stderr: what was wrong, by kind. */
static void print_faults(FILE *stream, const struct corpus_build_summary *s) {
    for (size_t kind = RECORD_TOO_LONG; kind < RECORD_FAULT_COUNT; kind++)
        if (s->faults[kind] > 0)
            fprintf(stream, "bad lines, %s: %zu\n", record_fault_name((enum record_fault)kind),
                    s->faults[kind]);
    if (s->duplicates > 0)
        fprintf(stream, "duplicates: %zu\n", s->duplicates);
    if (s->leaks > 0)
        fprintf(stream, "dropped from training because their text is held out: %zu\n", s->leaks);
}

static int print_summary(const char *out, const struct corpus_build_summary *s) {
    printf("%s: %zu training documents, %zu held out\n", out, s->training_documents,
           s->held_out_documents);
    printf("%zu tokens of a vocabulary of %zu, ", s->tokens, s->vocabulary);
    if (s->text_tokens > 0)
        printf("%.2f bytes each%s, ", (double)s->text_bytes / (double)s->text_tokens,
               s->pictures > 0 ? " of text" : "");
    printf("in %zu %s\n", s->shards, s->shards == 1 ? "shard" : "shards");
    if (s->patches > 0)
        printf("%zu pictures, drawn with %zu patches\n", s->pictures, s->patches);
    print_faults(stdout, s);
    return fflush(stdout) == 0 ? STATUS_DONE : STATUS_FAILED;
}

/* One of two words: 0 for the first, 1 for the second, -1 for another. */
static int choose(const char *word, const char *first, const char *second) {
    return strcmp(word, first) == 0 ? 0 : strcmp(word, second) == 0 ? 1 : -1;
}

static int parse_count(const char *text, size_t *count) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    *count = (size_t)value;
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && value > 0 ? 0 : -1;
}

/* Returns -1 when the program can go on, else the exit status. */
static int parse_build(int argc, char **argv, struct corpus_build_options *o,
                       const char **tokenizer, const char **gazetteer, int *is_json) {
    enum {
        MANIFEST = 1,
        OUT,
        VOCABULARY,
        TOKENIZER,
        ON_ERROR,
        DUPLICATES,
        FORCE,
        JSON,
        HELP_,
        GAZETTEER
    };
    static const struct option OPTIONS[] = {
        {"gazetteer", required_argument, NULL, GAZETTEER},
        {"manifest", required_argument, NULL, MANIFEST},
        {"out", required_argument, NULL, OUT},
        {"vocabulary", required_argument, NULL, VOCABULARY},
        {"tokenizer", required_argument, NULL, TOKENIZER},
        {"on-error", required_argument, NULL, ON_ERROR},
        {"duplicates", required_argument, NULL, DUPLICATES},
        {"force", no_argument, NULL, FORCE},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP_},
        {NULL, 0, NULL, 0},
    };
    int choice;
    for (int option; (option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;)
        switch (option) {
        case MANIFEST:
            o->manifest_path = optarg;
            break;
        case OUT:
            o->out_directory = optarg;
            break;
        case VOCABULARY:
            if (parse_count(optarg, &o->vocabulary))
                return usage_error("--vocabulary takes a number, not", optarg);
            break;
        case TOKENIZER:
            *tokenizer = optarg;
            break;
        case GAZETTEER:
            *gazetteer = optarg;
            break;
        case ON_ERROR:
            if ((choice = choose(optarg, "fail", "skip")) < 0)
                return usage_error("--on-error takes skip or fail, not", optarg);
            o->skips_bad_lines = choice;
            break;
        case DUPLICATES:
            if ((choice = choose(optarg, "drop", "keep")) < 0)
                return usage_error("--duplicates takes keep or drop, not", optarg);
            o->keeps_duplicates = choice;
            break;
        case FORCE:
            o->is_forced = 1;
            break;
        case JSON:
            *is_json = 1;
            break;
        case HELP_:
            fputs(HELP, stdout);
            return STATUS_DONE;
        default:
            return STATUS_USAGE; /* getopt_long has said why */
        }
    o->files = (const char *const *)argv + optind;
    o->file_count = (size_t)(argc - optind);
    if (o->manifest_path == NULL || o->out_directory == NULL || o->file_count == 0)
        return usage_error("build needs --manifest, --out and files", NULL);
    if (*tokenizer != NULL && o->vocabulary > 0)
        return usage_error("--tokenizer and --vocabulary exclude each other", NULL);
    return -1;
}

/* Of another corpus, or of a model. */
static int load_tokenizer(struct tokenizer **tokenizer, const char *from, struct error *error) {
    char catalogue[4096];
    struct stat status;
    snprintf(catalogue, sizeof catalogue, "%s/catalogue.sqlite", from);
    if (stat(from, &status) != 0 || !S_ISDIR(status.st_mode) || access(catalogue, F_OK) != 0)
        return model_load_tokenizer(tokenizer, from, error);
    struct corpus *corpus;
    if (corpus_open(&corpus, from, error))
        return -1;
    int result = corpus_copy_tokenizer(corpus, tokenizer, error);
    corpus_close(corpus);
    return result;
}

/* Only of a manifest that may ask for names; a manifest that cannot be read is reported later. */
static int load_gazetteer(struct gazetteer **gazetteer, const char *manifest_path, const char *path,
                          struct error *error) {
    struct manifest manifest;
    int is_wanted =
        manifest_read(&manifest, manifest_path, error) == 0 && manifest_names_places(&manifest);
    manifest_free(&manifest);
    path = option_gazetteer_path(path);
    if (!is_wanted || path == NULL)
        return 0;
    return gazetteer_open(gazetteer, path, error) || gazetteer_index(*gazetteer, error) ? -1 : 0;
}

static int build(int argc, char **argv) {
    struct progress progress = {.is_terminal = isatty(STDERR_FILENO)};
    struct corpus_build_options options = {
        .is_cancelled = &is_interrupted,
        .report = show_report,
        .progress = show_progress,
        .context = &progress,
    };
    int is_json = 0;
    const char *from = NULL, *gazetteer_path = NULL;
    int status = parse_build(argc, argv, &options, &from, &gazetteer_path, &is_json);
    if (status >= 0)
        return status;
    watch_signals();
    struct corpus_build_summary summary = {0};
    struct error error;
    struct tokenizer *tokenizer = NULL;
    struct gazetteer *gazetteer = NULL;
    int result = from != NULL ? load_tokenizer(&tokenizer, from, &error) : 0;
    if (result == 0)
        result = load_gazetteer(&gazetteer, options.manifest_path, gazetteer_path, &error);
    options.tokenizer = tokenizer;
    options.gazetteer = gazetteer;
    if (result == 0)
        result = corpus_build(&options, &summary, &error);
    tokenizer_destroy(tokenizer);
    gazetteer_close(gazetteer);
    clear_line(&progress);
    if (result != 0) {
        if (count_bad_lines(&summary) > 0)
            print_faults(stderr, &summary);
        fprintf(stderr, "trine corpus: %s\n", error.message);
        return STATUS_FAILED;
    }
    return is_json ? print_summary_json(options.out_directory, &summary)
                   : print_summary(options.out_directory, &summary);
}

/* What `show` says of one slot. */
struct slot_count {
    size_t given, distinct;
    double low[2], high[2];
};

static int compare_pointers(const void *a, const void *b) {
    const char *left = *(const char *const *)a, *right = *(const char *const *)b;
    return (left > right) - (left < right);
}

/* Equal texts of a corpus are one pointer. */
static int count_distinct(const struct corpus *corpus, size_t slot, size_t *distinct) {
    size_t count = corpus_document_count(corpus), given = 0;
    const char **texts = calloc(count, sizeof *texts);
    if (texts == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (corpus_document(corpus, i)->labels[slot].is_given)
            texts[given++] = corpus_document(corpus, i)->labels[slot].text;
    qsort(texts, given, sizeof *texts, compare_pointers);
    *distinct = given > 0;
    for (size_t i = 1; i < given; i++)
        *distinct += texts[i] != texts[i - 1];
    free(texts);
    return 0;
}

static int count_slot(const struct corpus *corpus, size_t slot, struct slot_count *count) {
    *count = (struct slot_count){0};
    for (size_t i = 0; i < corpus_document_count(corpus); i++) {
        const struct corpus_label *label = &corpus_document(corpus, i)->labels[slot];
        if (!label->is_given)
            continue;
        for (int axis = 0; axis < 2; axis++) {
            double value = label->number[axis];
            if (count->given == 0 || value < count->low[axis])
                count->low[axis] = value;
            if (count->given == 0 || value > count->high[axis])
                count->high[axis] = value;
        }
        count->given++;
    }
    return corpus_slot(corpus, slot)->kind == SLOT_CATEGORICAL
               ? count_distinct(corpus, slot, &count->distinct)
               : 0;
}

static json_t *slot_json(const struct corpus_slot *slot, const struct slot_count *count) {
    json_t *object = json_pack("{s:s, s:s, s:I}", "name", slot->name, "kind",
                               slot_kind_name(slot->kind), "given", (json_int_t)count->given);
    if (slot->kind == SLOT_CATEGORICAL)
        json_object_set_new(object, "values", json_integer((json_int_t)count->distinct));
    else if (count->given > 0 && slot->kind == SLOT_DATE)
        json_object_set_new(object, "range", json_pack("[f, f]", count->low[0], count->high[0]));
    else if (count->given > 0)
        json_object_set_new(object, "range",
                            json_pack("[[f, f], [f, f]]", count->low[0], count->low[1],
                                      count->high[0], count->high[1]));
    return object;
}

static void print_slot(const struct corpus_slot *slot, const struct slot_count *count) {
    printf("slot %s (%s): %zu given", slot->name, slot_kind_name(slot->kind), count->given);
    if (slot->kind == SLOT_CATEGORICAL)
        printf(", %zu values", count->distinct);
    else if (count->given > 0 && slot->kind == SLOT_DATE)
        printf(", %.10g to %.10g", count->low[0], count->high[0]);
    else if (count->given > 0)
        printf(", latitude %g to %g, longitude %g to %g", count->low[0], count->high[0],
               count->low[1], count->high[1]);
    printf("\n");
}

static int print_corpus(const struct corpus *corpus, int is_json) {
    size_t documents = corpus_document_count(corpus), held_out = 0, tokens = 0;
    for (size_t i = 0; i < documents; i++) {
        held_out += corpus_document(corpus, i)->is_held_out != 0;
        tokens += corpus_document(corpus, i)->token_count;
    }
    size_t vocabulary = tokenizer_vocabulary_size(corpus_tokenizer(corpus));
    if (!is_json)
        printf("%s: %zu documents, %zu of them held out\n%zu tokens of a vocabulary of %zu\n",
               corpus_name(corpus), documents, held_out, tokens, vocabulary);
    json_t *slots = json_array();
    for (size_t i = 0; i < corpus_slot_count(corpus); i++) {
        struct slot_count count;
        if (count_slot(corpus, i, &count)) {
            fprintf(stderr, "trine corpus: out of memory\n");
            json_decref(slots);
            return STATUS_FAILED;
        }
        if (is_json)
            json_array_append_new(slots, slot_json(corpus_slot(corpus, i), &count));
        else
            print_slot(corpus_slot(corpus, i), &count);
    }
    if (is_json)
        return print_json(json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}", "name", corpus_name(corpus),
                                    "documents", (json_int_t)documents, "held_out_documents",
                                    (json_int_t)held_out, "tokens", (json_int_t)tokens,
                                    "vocabulary", (json_int_t)vocabulary, "slots", slots));
    json_decref(slots);
    return fflush(stdout) == 0 ? STATUS_DONE : STATUS_FAILED;
}

static int show(int argc, char **argv) {
    enum { JSON = 1, HELP_ };
    static const struct option OPTIONS[] = {
        {"json", no_argument, NULL, JSON}, {"help", no_argument, NULL, HELP_}, {NULL, 0, NULL, 0}};
    int is_json = 0;
    for (int option; (option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (option == HELP_) {
            fputs(HELP, stdout);
            return STATUS_DONE;
        }
        if (option != JSON)
            return STATUS_USAGE;
        is_json = 1;
    }
    if (argc - optind != 1)
        return usage_error("show takes one directory", NULL);
    struct corpus *corpus;
    struct error error;
    if (corpus_open(&corpus, argv[optind], &error)) {
        fprintf(stderr, "trine corpus: %s\n", error.message);
        return STATUS_FAILED;
    }
    int status = print_corpus(corpus, is_json);
    corpus_close(corpus);
    return status;
}

int command_corpus(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        fputs(HELP, stdout);
        return STATUS_DONE;
    }
    if (argc >= 2 && strcmp(argv[1], "build") == 0)
        return build(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "show") == 0)
        return show(argc - 1, argv + 1);
    return usage_error("the verbs are build and show", NULL);
}
