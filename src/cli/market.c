/* trine market: runs markets over belief bases, and looks into them. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/chart.h"
#include "base/memory.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "truth/facet.h"
#include "truth/market_run.h"
#include "truth/standard.h"

static const char HELP[] =
    "usage: trine market import --beliefs FILE --corpus DIR\n"
    "       trine market run (--beliefs FILE | --corpus DIR) --out FILE [OPTIONS]\n"
    "       trine market show FILE\n"
    "       trine market explain FILE SENTENCE\n"
    "       trine market plot FILE --picture FILE [SENTENCE...]\n"
    "\n"
    "Prices statements by a market of traders. A belief base has a JSON object a line:\n"
    "  {\"id\": \"lagos\", \"sentence\": \"Lagos is a city in Nigeria\", \"verdict\": true, "
    "\"day\": 3}\n"
    "  {\"id\": \"both\", \"formula\": \"lagos and not abuja\"}\n"
    "  {\"constraint\": \"lagos implies africa\"}\n"
    "import keeps one in a corpus; run trades day by day and records prices; show, explain and\n"
    "plot tell what happened.\n"
    "\n"
    "  --beliefs FILE        the base; or --corpus DIR, one that is kept there; or\n"
    "  --standard NAME       that of a standard of truth\n"
    "  --engine exact|kelly  exact: the logical inductor, for hundreds of sentences; kelly: "
    "wealth-\n"
    "                        weighted prices made coherent, for 100,000 (default: by their "
    "number)\n"
    "  --days N              default: ten days after the last verdict\n"
    "  --opinions FILE       traders' beliefs: {\"trader\": ..., \"sentence\": ..., \"belief\": "
    "0.9, "
    "\"day\": 1}\n"
    "  --strategy FILE       a trader in the language of doc/market.md; may be repeated\n"
    "  --without KIND        proofs, coherence, calibration, frequency or doubt; may be repeated\n"
    "  --weight W            verdicts and laws of sources trusted less than W are not used\n"
    "  --published-weights   trader k weighs 2^-k, from day k on, instead of 1/(k (k+1))\n"
    "  --seed N              default 1\n"
    "  --picture FILE        .svg or .png; of some sentences, or of the incoherence over the "
    "days\n";

enum { EXACT_LIMIT = 1000, PLOTTED = 12 };

struct run {
    const char *beliefs, *corpus, *standard_name, *out, *picture, *engine;
    struct market_run_options options;
    struct belief_base base;
    struct opinions opinions;
    const char *opinion_files[16];
    size_t opinion_count;
    struct market_record record;
    struct progress progress;
};

static int add_without(struct run *run, const char *kind, struct error *error) {
    static const char *const KINDS[] = {"proofs", "coherence", "calibration", "frequency", "doubt"};
    for (unsigned i = 0; i < 5; i++)
        if (strcmp(kind, KINDS[i]) == 0) {
            run->options.without |= 1u << i;
            return 0;
        }
    return error_set(error,
                     "--without is '%.40s'; it must be proofs, coherence, calibration, "
                     "frequency or doubt",
                     kind);
}

static int add_file(const char **files, size_t *count, size_t most, const char *option,
                    struct error *error) {
    if (*count == most)
        return error_set(error, "%s is given more than %zu times", option, most);
    files[(*count)++] = optarg;
    return 0;
}

static int take_option(struct run *run, int option, struct error *error) {
    size_t seed;
    switch (option) {
    case 'b':
        run->beliefs = optarg;
        return 0;
    case 'c':
        run->corpus = optarg;
        return 0;
    case 'D':
        run->standard_name = optarg;
        return 0;
    case 'o':
        run->out = optarg;
        return 0;
    case 'p':
        run->picture = optarg;
        return 0;
    case 'e':
        run->engine = optarg;
        if (strcmp(optarg, "exact") == 0 || strcmp(optarg, "kelly") == 0)
            return 0;
        return error_set(error, "--engine is '%.40s'; it must be exact or kelly", optarg);
    case 'd':
        return option_count(&run->options.days, "--days", 1, LAST_DAY, error);
    case 'O':
        return add_file(run->opinion_files, &run->opinion_count, 16, "--opinions", error);
    case 's':
        return add_file(run->options.strategies, &run->options.strategy_count, MOST_STRATEGIES,
                        "--strategy", error);
    case 'w':
        return add_without(run, optarg, error);
    case 'W':
        return option_number(&run->options.verdict_weight, "--weight", 0, 1, error);
    case 'P':
        run->options.has_published_weights = 1;
        return 0;
    case 'S':
        if (option_count(&seed, "--seed", 0, 1u << 30, error))
            return -1;
        run->options.seed = seed;
        return 0;
    default:
        return error_set(error, "see trine market --help");
    }
}

static int parse(struct run *run, int argc, char **argv, struct error *error) {
    static const struct option OPTIONS[] = {
        {"beliefs", required_argument, NULL, 'b'},  {"corpus", required_argument, NULL, 'c'},
        {"standard", required_argument, NULL, 'D'}, {"out", required_argument, NULL, 'o'},
        {"picture", required_argument, NULL, 'p'},  {"engine", required_argument, NULL, 'e'},
        {"days", required_argument, NULL, 'd'},     {"opinions", required_argument, NULL, 'O'},
        {"strategy", required_argument, NULL, 's'}, {"without", required_argument, NULL, 'w'},
        {"weight", required_argument, NULL, 'W'},   {"published-weights", no_argument, NULL, 'P'},
        {"seed", required_argument, NULL, 'S'},     {NULL, 0, NULL, 0}};
    int option;
    run->options.seed = 1;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        if (take_option(run, option, error))
            return -1;
    return 0;
}

static int open_base(struct run *run, struct error *error) {
    int sources = (run->beliefs != NULL) + (run->corpus != NULL) + (run->standard_name != NULL);
    if (sources != 1)
        return error_set(error,
                         "one of --beliefs FILE, --corpus DIR and --standard NAME is wanted");
    if (run->standard_name != NULL)
        return standard_take_base(&run->base, run->standard_name, error);
    return run->beliefs != NULL ? belief_base_read(&run->base, run->beliefs, error)
                                : belief_base_load(&run->base, run->corpus, error);
}

static int import(struct run *run, struct error *error) {
    if (run->beliefs == NULL || run->corpus == NULL)
        return error_set(error, "--beliefs FILE and --corpus DIR are wanted");
    if (belief_base_read(&run->base, run->beliefs, error) ||
        belief_base_check(&run->base, 0, error) ||
        belief_base_store(&run->base, run->corpus, error))
        return -1;
    printf("%zu beliefs kept in %s\n", run->base.count, run->corpus);
    return 0;
}

static int show_progress(void *context, const struct market_run_summary *summary,
                         double incoherence) {
    struct run *run = context;
    progress_show(&run->progress, summary->days, summary->days == run->options.days,
                  "incoherence %.4f", incoherence);
    return progress_stop_wanted();
}

static void print_summary(const struct run *run, const struct market_run_summary *s) {
    printf("%s market of %zu sentences and %zu traders, %zu days\n", run->record.engine,
           run->record.sentence_count, run->record.trader_count, s->days);
    if (strcmp(run->record.engine, "exact") == 0)
        printf("certificate above the tolerance on %zu days, at worst %.2f times\n", s->days_over,
               s->worst);
    if (s->split_groups > 0)
        printf("%zu groups of sentences have too many worlds to list; their traders' budgets are "
               "kept in more worlds than needed\n",
               s->split_groups);
    if (s->resolved > 0)
        printf("prices the day before %zu verdicts: Brier score %.4f, log loss %.4f\n", s->resolved,
               s->brier, s->log_loss);
}

static int run_market(struct run *run, struct error *error) {
    struct market_run_summary summary;
    uint32_t last = 0;
    if (run->out == NULL)
        return error_set(error, "--out FILE is wanted");
    if (open_base(run, error) || belief_base_check(&run->base, run->options.verdict_weight, error))
        return -1;
    for (size_t i = 0; i < run->opinion_count; i++)
        if (opinions_read(&run->opinions, run->opinion_files[i], &run->base, error))
            return -1;
    for (size_t i = 0; i < run->base.count; i++)
        if (run->base.items[i].verdict != VERDICT_UNKNOWN && run->base.items[i].day > last)
            last = run->base.items[i].day;
    if (run->options.days == 0)
        run->options.days = (size_t)last + 10;
    run->options.is_kelly =
        run->engine != NULL ? strcmp(run->engine, "kelly") == 0 : run->base.count > EXACT_LIMIT;
    if (run->options.is_kelly && run->options.strategy_count > 0)
        return error_set(error, "strategies trade in the exact market: --engine exact");
    progress_catch_signals();
    progress_start(&run->progress, 0, run->options.days);
    int result = market_run(&run->record, &summary, &run->base, &run->opinions, &run->options,
                            show_progress, run, error);
    progress_finish(&run->progress);
    if (result != 0 || market_record_save(&run->record, run->out, error))
        return -1;
    print_summary(run, &summary);
    return 0;
}

static double last_price(const struct market_record *r, size_t sentence) {
    return r->day_count > 0 ? r->prices[(r->day_count - 1) * r->sentence_count + sentence] : NAN;
}

static const char *verdict_word(const struct market_sentence *s) {
    return s->is_constraint              ? "law"
           : s->verdict == VERDICT_TRUE  ? "true"
           : s->verdict == VERDICT_FALSE ? "false"
                                         : "";
}

static int print_history(const struct market_record *r, size_t sentence, size_t width,
                         struct error *error) {
    double *prices = memory_allocate(r->day_count, sizeof *prices, error);
    if (prices == NULL)
        return -1;
    for (size_t d = 0; d < r->day_count; d++)
        prices[d] = r->prices[d * r->sentence_count + sentence];
    int result = chart_sparkline_print(stdout, prices, r->day_count, width, error);
    memory_free(prices);
    return result;
}

static int print_record(const struct market_record *r, struct error *error) {
    int is_exact = strcmp(r->engine, "exact") == 0;
    printf("%s market, %zu days\n\n", r->engine, r->day_count);
    for (size_t i = 0; i < r->sentence_count; i++) {
        printf("%6.4f  ", last_price(r, i));
        if (print_history(r, i, 24, error))
            return -1;
        printf("  %-5s  %s\n", verdict_word(&r->sentences[i]), r->sentences[i].text);
    }
    printf("\n%-28s %s\n", "trader",
           is_exact ? "budgets left   worth of its trades, at worst and at best"
                    : "wealth   nats lost by it, and by the market on the same sentences");
    for (size_t j = 0; j < r->trader_count; j++) {
        const struct market_trader *t = &r->traders[j];
        printf(is_exact ? "%-28s %12.4f   %10.3f %10.3f\n" : "%-28s %6.4f   %10.3f %10.3f\n",
               t->name, t->weight, t->least, t->most);
    }
    return 0;
}

static int load_record(struct run *run, int argc, char **argv, struct error *error) {
    if (optind + 1 >= argc)
        return error_set(error, "the record of a market is wanted: trine market show FILE");
    return market_record_load(&run->record, argv[optind + 1], error);
}

static int find_sentence(const struct run *run, const char *name, size_t *sentence,
                         struct error *error) {
    *sentence = market_record_find(&run->record, name);
    return *sentence != SIZE_MAX
               ? 0
               : error_set(error, "no sentence is called, or reads, \"%.200s\"", name);
}

/* Who is for it, who against, and how much. */
static void print_sides(const struct market_record *r, size_t sentence) {
    int is_exact = strcmp(r->engine, "exact") == 0;
    for (size_t j = 0; j < r->trader_count; j++) {
        const struct market_trader *t = &r->traders[j];
        double held = t->holding[sentence];
        if (!isfinite(held) || (is_exact && fabs(held) < 1e-6))
            continue;
        if (is_exact)
            printf("  %-28s %s %.4f shares; its budgets: %.4f left\n", t->name,
                   held > 0 ? "bought" : "sold", fabs(held), t->weight);
        else
            printf("  %-28s believes %.4f; its wealth: %.4f\n", t->name, held, t->weight);
    }
}

/* The laws and formulas that name it. */
static void print_relatives(const struct market_record *r, size_t sentence) {
    const char *text = r->sentences[sentence].text;
    size_t length = strlen(text);
    char *quoted = malloc(length + 3);
    if (quoted == NULL)
        return;
    snprintf(quoted, length + 3, "\"%s\"", text);
    for (size_t i = 0; i < r->sentence_count; i++)
        if (i != sentence && strstr(r->sentences[i].text, quoted) != NULL)
            printf("  %6.4f  %-5s  %s\n", last_price(r, i), verdict_word(&r->sentences[i]),
                   r->sentences[i].text);
    free(quoted);
}

static int explain(struct run *run, int argc, char **argv, struct error *error) {
    size_t sentence;
    if (load_record(run, argc, argv, error))
        return -1;
    if (optind + 2 >= argc)
        return error_set(error, "which sentence? trine market explain FILE SENTENCE");
    if (find_sentence(run, argv[optind + 2], &sentence, error))
        return -1;
    const struct market_sentence *s = &run->record.sentences[sentence];
    printf("%s\n  price %.4f  ", s->text, last_price(&run->record, sentence));
    if (print_history(&run->record, sentence, 48, error))
        return -1;
    printf("\n");
    if (s->verdict != VERDICT_UNKNOWN)
        printf("  known to be %s since day %u\n", s->verdict == VERDICT_TRUE ? "true" : "false",
               s->day);
    printf("traders\n");
    print_sides(&run->record, sentence);
    printf("bound to\n");
    print_relatives(&run->record, sentence);
    return 0;
}

static int draw(struct run *run, const size_t *sentences, size_t count, struct error *error) {
    const struct market_record *r = &run->record;
    struct chart_series series[PLOTTED];
    double *room = memory_allocate((PLOTTED + 1) * r->day_count, sizeof *room, error);
    if (room == NULL)
        return -1;
    for (size_t d = 0; d < r->day_count; d++)
        room[d] = (double)d + 1;
    for (size_t i = 0; i < (count > 0 ? count : 1); i++) {
        double *y = room + (i + 1) * r->day_count;
        for (size_t d = 0; d < r->day_count; d++)
            y[d] = count > 0 ? r->prices[d * r->sentence_count + sentences[i]]
                             : r->days[d].incoherence;
        series[i] = (struct chart_series){.name = count > 0 ? r->sentences[sentences[i]].text
                                                            : "mean violation of a facet",
                                          .x = room,
                                          .y = y,
                                          .count = r->day_count};
    }
    struct chart_lines chart = {.title = count > 0 ? "Prices" : "Incoherence",
                                .x_title = "day",
                                .y_title = count > 0 ? "price" : "violation",
                                .series = series,
                                .series_count = count > 0 ? count : 1};
    int result = chart_lines_write(run->picture, &chart, error);
    memory_free(room);
    return result;
}

static int plot(struct run *run, int argc, char **argv, struct error *error) {
    size_t sentences[PLOTTED], count = 0;
    if (load_record(run, argc, argv, error))
        return -1;
    if (run->picture == NULL)
        return error_set(error, "--picture FILE is wanted");
    for (int i = optind + 2; i < argc; i++) {
        if (count == PLOTTED)
            return error_set(error, "more than %d sentences in one picture", PLOTTED);
        if (find_sentence(run, argv[i], &sentences[count++], error))
            return -1;
    }
    return draw(run, sentences, count, error);
}

static int show(struct run *run, int argc, char **argv, struct error *error) {
    return load_record(run, argc, argv, error) || print_record(&run->record, error) ? -1 : 0;
}

static int execute(struct run *run, int argc, char **argv, struct error *error) {
    const char *verb = optind < argc ? argv[optind] : "";
    if (strcmp(verb, "import") == 0)
        return import(run, error);
    if (strcmp(verb, "run") == 0)
        return run_market(run, error);
    if (strcmp(verb, "show") == 0)
        return show(run, argc, argv, error);
    if (strcmp(verb, "explain") == 0)
        return explain(run, argc, argv, error);
    if (strcmp(verb, "plot") == 0)
        return plot(run, argc, argv, error);
    return error_set(error, "'%.40s' is none of import, run, show, explain, plot", verb);
}

int command_market(int argc, char **argv) {
    struct error error;
    if (option_wants_help(argc, argv, HELP))
        return 0;
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return 1;
    int status = parse(run, argc, argv, &error) ? 2 : execute(run, argc, argv, &error) ? 1 : 0;
    if (status != 0)
        fprintf(stderr, "trine market: %s\n", error.message);
    market_record_free(&run->record);
    opinions_free(&run->opinions);
    belief_base_free(&run->base);
    free(run);
    return status;
}
