/* The markets at the sizes they are meant for.
 *
 *   market exact SENTENCES TRADERS DAYS     the logical inductor
 *   market kelly SENTENCES CONSTRAINTS TRADERS DAYS
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "base/progress.h"
#include "base/random.h"
#include "truth/exact_market.h"
#include "truth/kelly_market.h"

static void fail(const struct error *error) {
    fprintf(stderr, "market: %s\n", error->message);
    exit(1);
}

static size_t number(const char *text) {
    return (size_t)strtoul(text, NULL, 10);
}

static double peak_megabytes(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

/* Atoms by threes with formulas over them; half of all become known, a few a day. */
static void make_base(struct belief_base *base, size_t sentences, size_t days,
                      struct random *random) {
    struct error error;
    static const enum sentence_kind KINDS[] = {SENTENCE_AND, SENTENCE_OR, SENTENCE_IMPLIES,
                                               SENTENCE_NOT};
    uint8_t *world = calloc(sentences, 1);
    *base = (struct belief_base){0};
    if (sentences_create(&base->sentences, &error))
        fail(&error);
    while (base->count < sentences) {
        struct belief b = {.weight = 1, .verdict = VERDICT_UNKNOWN, .family = "all"};
        size_t place = base->count % 6, first = base->count - place;
        char text[40];
        int failed;
        snprintf(text, sizeof text, "statement %zu", base->count);
        uint32_t left = (uint32_t)(first + place % 3), right = (uint32_t)(first + (place + 1) % 3);
        if (place < 3)
            failed = sentences_add_atom(base->sentences, text, &b.sentence, &error);
        else
            failed = sentences_add_formula(base->sentences, KINDS[base->count % 4], left, right,
                                           &b.sentence, &error);
        if (failed)
            fail(&error);
        world[b.sentence] =
            place < 3 ? random_below(random, 2) != 0
                      : (uint8_t)sentence_truth(KINDS[base->count % 4], world[left], world[right]);
        if (random_below(random, 2)) {
            b.verdict = world[b.sentence] ? VERDICT_TRUE : VERDICT_FALSE;
            b.day = 1 + (uint32_t)random_below(random, days);
        }
        if (belief_base_add(base, &b, &error))
            fail(&error);
    }
    free(world);
}

static void run_exact(size_t sentences, size_t trader_count, size_t days) {
    struct belief_base base;
    struct error error;
    struct random random;
    struct exact_market *market;
    struct exact_market_day report;
    random_seed(&random, 1, 0);
    make_base(&base, sentences, days, &random);
    size_t count = sentences_count(base.sentences), missed = 0, restarts = 0, evaluations = 0;
    double *opinions = calloc(trader_count * count, sizeof *opinions), worst = 0;
    struct trader **traders = calloc(trader_count, sizeof *traders);
    for (size_t k = 0; k < trader_count; k++) {
        char name[30];
        int failed;
        snprintf(name, sizeof name, "opinion %zu", k);
        for (size_t i = 0; i < count; i++)
            opinions[k * count + i] = random_uniform(&random);
        if (k == 0)
            failed = trader_of_proofs(&traders[k], &error);
        else if (k < 5)
            failed = trader_of_coherence(&traders[k], k - 1, 4, 1, &error);
        else if (k < 10)
            failed = trader_of_calibration(&traders[k], 0.2 * (double)(k - 5),
                                           0.2 * (double)(k - 4), 0.2, &error);
        else
            failed = trader_of_opinion(&traders[k], name, opinions + k * count, 0.2, &error);
        if (failed)
            fail(&error);
    }
    struct exact_market_options options = {.seed = 1};
    double start = progress_clock(), last = start;
    if (exact_market_create(&market, &base, traders, trader_count, &options, &error))
        fail(&error);
    for (size_t day = 1; day <= days; day++) {
        if (exact_market_run_day(market, &report, &error))
            fail(&error);
        missed += report.gain > report.tolerance;
        worst = fmax(worst, report.gain / report.tolerance);
        restarts += report.restarts;
        evaluations += report.evaluations;
        if (day % (days / 10 > 0 ? days / 10 : 1) == 0) {
            printf("day %zu: %.1f s, certificate %.2e of %.2e, incoherence %.4f, %zu evaluations\n",
                   day, progress_clock() - last, report.gain, report.tolerance, report.incoherence,
                   report.evaluations);
            fflush(stdout);
            last = progress_clock();
        }
    }
    printf("exact: %zu sentences, %zu traders, %zu days: %.1f s, %.0f MB; %zu days over the "
           "tolerance (worst "
           "%.1f times), %zu restarts, %zu evaluations\n",
           count, trader_count, days, progress_clock() - start, peak_megabytes(), missed, worst,
           restarts, evaluations);
    exact_market_destroy(market);
}

static void run_kelly(size_t sentence_count, size_t constraints, size_t trader_count, size_t days) {
    struct sentences *sentences;
    struct error error;
    struct random random;
    struct kelly_market *market;
    struct kelly_options options = {0};
    random_seed(&random, 1, 0);
    if (sentences_create(&sentences, &error))
        fail(&error);
    for (size_t i = 0; i < sentence_count; i++) {
        char text[40];
        uint32_t id;
        snprintf(text, sizeof text, "statement %zu", i);
        if (sentences_add_atom(sentences, text, &id, &error))
            fail(&error);
    }
    /* Laws that hold in a hidden world, so that they are consistent. */
    uint8_t *world = calloc(sentence_count + constraints, 1);
    uint8_t *known = malloc(sentence_count + constraints);
    for (size_t i = 0; i < sentence_count; i++)
        world[i] = random_below(&random, 2) != 0;
    memset(known, 2, sentence_count + constraints);
    for (size_t made = 0; made < constraints;) {
        static const enum sentence_kind KINDS[] = {SENTENCE_IMPLIES, SENTENCE_OR, SENTENCE_XOR};
        uint32_t a = (uint32_t)random_below(&random, sentence_count),
                 b = (uint32_t)random_below(&random, sentence_count), id;
        enum sentence_kind kind = KINDS[random_below(&random, 20) % 3];
        if (a == b || !sentence_truth(kind, world[a], world[b]))
            continue;
        size_t before = sentences_count(sentences);
        if (sentences_add_formula(sentences, kind, a, b, &id, &error))
            fail(&error);
        made += sentences_count(sentences) - before;
        known[id] = 1;
    }
    size_t count = sentences_count(sentences);
    float **beliefs = calloc(trader_count, sizeof *beliefs);
    for (size_t j = 0; j < trader_count; j++) {
        beliefs[j] = malloc(count * sizeof **beliefs);
        double skill = random_uniform(&random);
        for (size_t i = 0; i < count; i++)
            beliefs[j][i] = i >= sentence_count
                                ? NAN
                                : (float)(skill * world[i % sentence_count] * 0.8 +
                                          (1 - skill * 0.8) * random_uniform(&random));
    }
    double *prices = malloc(count * sizeof *prices), start = progress_clock();
    if (kelly_market_create(&market, sentences, trader_count, &options, &error))
        fail(&error);
    printf("made in %.1f s\n", progress_clock() - start);
    for (size_t day = 1; day <= days; day++) {
        struct kelly_day report;
        for (size_t i = 0; i < sentence_count / 100; i++) {
            size_t which = random_below(&random, sentence_count);
            known[which] = world[which];
        }
        start = progress_clock();
        if (kelly_market_run_day(market, (const float *const *)beliefs, known, prices, &report,
                                 &error) ||
            kelly_market_check_regret(market, &error))
            fail(&error);
        double wrong = 0;
        for (size_t i = 0; i < sentence_count; i++)
            wrong += (prices[i] - world[i]) * (prices[i] - world[i]);
        printf("kelly day %zu: %.2f s, %zu sentences, %zu groups, violation %.2g to %.2g, %zu "
               "sweeps, %zu "
               "resolved, Brier score %.4f, coherence gained %.1f nats, %.0f MB\n",
               day, progress_clock() - start, count, report.projection.groups,
               report.projection.before, report.projection.after, report.projection.sweeps,
               report.resolved, wrong / (double)sentence_count, report.gain_of_coherence,
               peak_megabytes());
    }
    kelly_market_destroy(market);
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "exact") == 0)
        run_exact(number(argv[2]), number(argv[3]), number(argv[4]));
    else if (argc == 6 && strcmp(argv[1], "kelly") == 0)
        run_kelly(number(argv[2]), number(argv[3]), number(argv[4]), number(argv[5]));
    else
        return fprintf(stderr, "usage: market exact SENTENCES TRADERS DAYS\n"
                               "       market kelly SENTENCES CONSTRAINTS TRADERS DAYS\n"),
               2;
    return 0;
}
