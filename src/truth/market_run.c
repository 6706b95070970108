#include "truth/market_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "truth/exact_market.h"
#include "truth/kelly_market.h"
#include "truth/strategy.h"

enum { OWN_TRADERS = 14, COHERENCE_PARTS = 4, CALIBRATION_BUCKETS = 5, FREQUENCY_WINDOW = 16 };

struct run {
    struct market_record *record;
    struct market_run_summary *summary;
    const struct belief_base *base;
    struct opinions *opinions;
    const struct market_run_options *options;
    market_run_callback *callback;
    void *context;
    struct trader **traders;
    size_t trader_count;
    uint8_t *known;     /* [sentences] enum verdict, as far as traders may see it */
    uint32_t *families; /* [sentences] from 1; 0: none */
    size_t family_count;
    struct error *error;
};

/* What becomes known on this day. */
static void learn(struct run *r, size_t day) {
    for (size_t i = 0; i < r->base->count; i++) {
        const struct belief *b = &r->base->items[i];
        if (b->verdict != VERDICT_UNKNOWN && b->day <= day &&
            b->weight >= r->options->verdict_weight)
            r->known[b->sentence] = (uint8_t)b->verdict;
    }
}

/* What is believed today, by what was known yesterday. */
static int set_opinions(struct run *r, size_t day) {
    return opinions_set_day(r->opinions, day, r->known, r->families, r->family_count, r->error);
}

static int prepare(struct run *r) {
    size_t count = sentences_count(r->base->sentences);
    uint32_t *family = memory_allocate(r->base->count, sizeof *family, r->error);
    r->known = memory_allocate(count, 1, r->error);
    r->families = memory_allocate(count, sizeof *r->families, r->error);
    int result = family == NULL || r->known == NULL || r->families == NULL ||
                         belief_base_number_families(r->base, family, &r->family_count, r->error)
                     ? -1
                     : opinions_start(r->opinions, r->base, r->error);
    for (size_t i = 0; result == 0 && i < r->base->count; i++)
        if (family[i] != 0)
            r->families[r->base->items[i].sentence] = family[i];
    if (result == 0)
        memset(r->known, VERDICT_UNKNOWN, count);
    memory_free(family);
    return result;
}

/* How yesterday's prices fared on what becomes known today. */
static void score(struct run *r, size_t day) {
    const struct market_record *record = r->record;
    for (size_t i = 0; i < record->sentence_count; i++) {
        const struct market_sentence *s = &record->sentences[i];
        if (s->is_constraint || s->verdict == VERDICT_UNKNOWN || s->day != day || day < 2)
            continue;
        double price = record->prices[(day - 2) * record->sentence_count + i];
        double outcome = s->verdict == VERDICT_TRUE;
        double bounded = fmin(1 - 1e-6, fmax(1e-6, price));
        r->summary->brier += (price - outcome) * (price - outcome);
        r->summary->log_loss -= log(outcome > 0 ? bounded : 1 - bounded);
        r->summary->resolved++;
    }
}

/* The record's row of a day from prices of all sentences. */
static int finish_day(struct run *r, size_t day, const double *prices) {
    struct market_record *record = r->record;
    for (size_t i = 0; i < record->sentence_count; i++)
        record->prices[(day - 1) * record->sentence_count + i] = prices[r->base->items[i].sentence];
    score(r, day);
    r->summary->days = day;
    return r->callback != NULL &&
           r->callback(r->context, r->summary, record->days[day - 1].incoherence);
}

static struct trader **next(struct run *r) {
    return &r->traders[r->trader_count++];
}

/* A trader that could not be made does not count. */
static int made(struct run *r, int failed) {
    r->trader_count -= failed != 0;
    return failed;
}

static int add_own_traders(struct run *r) {
    unsigned without = r->options->without;
    int failed = 0;
    if (!(without & MARKET_PROOFS))
        failed = made(r, trader_of_proofs(next(r), r->error));
    for (size_t part = 0; !failed && !(without & MARKET_COHERENCE) && part < COHERENCE_PARTS;
         part++)
        failed = made(r, trader_of_coherence(next(r), part, COHERENCE_PARTS, 1, r->error));
    if (!failed && !(without & MARKET_FREQUENCY))
        failed = made(r, trader_of_frequency(next(r), FREQUENCY_WINDOW, 0.5, r->error));
    if (!failed && !(without & MARKET_DOUBT))
        failed = made(r, trader_of_doubt(next(r), 0.01, r->error));
    for (int i = 0; !failed && !(without & MARKET_CALIBRATION) && i < CALIBRATION_BUCKETS; i++)
        failed =
            made(r, trader_of_calibration(next(r), i / (double)CALIBRATION_BUCKETS,
                                          (i + 1) / (double)CALIBRATION_BUCKETS, 0.2, r->error));
    return failed;
}

static int add_traders(struct run *r) {
    size_t most = OWN_TRADERS + r->opinions->trader_count + r->options->strategy_count;
    r->traders = memory_allocate(most, sizeof *r->traders, r->error);
    if (r->traders == NULL || add_own_traders(r))
        return -1;
    for (size_t j = 0; j < r->opinions->trader_count; j++)
        if (made(r, trader_of_opinion(next(r), r->opinions->traders[j].name,
                                      r->opinions->beliefs + j * r->opinions->sentence_count, 0.5,
                                      r->error)))
            return -1;
    for (size_t i = 0; i < r->options->strategy_count; i++)
        if (made(r, strategy_read(next(r), r->options->strategies[i], r->base, r->error)))
            return -1;
    return 0;
}

static int name_trader(struct run *r, size_t j, const char *name) {
    r->record->traders[j].name = strdup(name);
    return r->record->traders[j].name != NULL ? 0 : error_set(r->error, "out of memory");
}

static int record_exact_traders(struct run *r, const struct exact_market *market) {
    for (size_t j = 0; j < r->trader_count; j++) {
        struct market_trader *t = &r->record->traders[j];
        if (name_trader(r, j, r->traders[j]->name))
            return -1;
        t->weight = exact_market_trust(market, j);
        exact_market_worth(market, j, &t->least, &t->most);
        for (size_t i = 0; i < r->base->count; i++)
            t->holding[i] = exact_market_holding(market, j, r->base->items[i].sentence);
    }
    return 0;
}

static int run_exact_days(struct run *r, struct exact_market *market) {
    size_t count = sentences_count(r->base->sentences);
    for (size_t day = 1; day <= r->options->days; day++) {
        struct exact_market_day report;
        if (set_opinions(r, day) || exact_market_run_day(market, &report, r->error))
            return -1;
        learn(r, day);
        r->record->days[day - 1] =
            (struct market_day){report.gain, report.tolerance, report.incoherence};
        r->summary->days_over += report.gain > report.tolerance;
        r->summary->worst = fmax(r->summary->worst, report.gain / report.tolerance);
        r->summary->split_groups = report.unproved_groups;
        if (finish_day(r, day, exact_market_history(market) + (day - 1) * count))
            break;
    }
    return 0;
}

static int run_exact(struct run *r) {
    struct exact_market *market = NULL;
    struct exact_market_options options = {.seed = r->options->seed,
                                           .verdict_weight = r->options->verdict_weight,
                                           .has_published_weights =
                                               r->options->has_published_weights};
    int result =
        add_traders(r) ||
        market_record_create(r->record, "exact", r->base, r->trader_count, r->options->days,
                             r->error) ||
        exact_market_create(&market, r->base, r->traders, r->trader_count, &options, r->error) ||
        run_exact_days(r, market) || record_exact_traders(r, market);
    exact_market_destroy(market);
    for (size_t j = 0; j < r->trader_count; j++)
        r->traders[j]->destroy(r->traders[j]);
    memory_free(r->traders);
    return result ? -1 : 0;
}

/* Beliefs of the Kelly market's traders: those of the file, one at even odds, and one that goes by
 * how often each family came true. */
struct kelly_run {
    struct kelly_market *market;
    size_t trader_count, count;
    float **beliefs;
    double *prices;
    double *counts; /* [2, family_count + 1]: known, and true, by family */
};

static void set_family_beliefs(const struct run *r, const struct kelly_run *k, float *beliefs) {
    memset(k->counts, 0, 2 * (r->family_count + 1) * sizeof *k->counts);
    double *true_ones = k->counts + r->family_count + 1;
    for (size_t i = 0; i < k->count; i++) {
        k->counts[r->families[i]] += r->known[i] <= 1;
        true_ones[r->families[i]] += r->known[i] == 1;
    }
    for (size_t i = 0; i < k->count; i++)
        if (r->families[i] > 0)
            beliefs[i] = (float)((true_ones[r->families[i]] + 1) / (k->counts[r->families[i]] + 2));
}

static int set_beliefs(struct run *r, struct kelly_run *k, size_t day) {
    size_t from_file = r->opinions->trader_count;
    if (set_opinions(r, day))
        return -1;
    for (size_t j = 0; j < from_file; j++)
        for (size_t i = 0; i < k->count; i++)
            k->beliefs[j][i] = (float)r->opinions->beliefs[j * k->count + i];
    set_family_beliefs(r, k, k->beliefs[from_file + 1]);
    learn(r, day);
    return 0;
}

static double mean_violation(const struct facet *facets, size_t count, const double *prices) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += facet_violation(&facets[i], prices);
    return count > 0 ? sum / (double)count : 0;
}

static int run_kelly_days(struct run *r, struct kelly_run *k) {
    struct facet *facets;
    size_t facet_count;
    if (facets_collect(r->base->sentences, &facets, &facet_count, r->error))
        return -1;
    int result = 0;
    for (size_t day = 1; result == 0 && day <= r->options->days; day++) {
        struct kelly_day report;
        result = set_beliefs(r, k, day) ||
                 kelly_market_run_day(k->market, (const float *const *)k->beliefs, r->known,
                                      k->prices, &report, r->error) ||
                 kelly_market_check_regret(k->market, r->error);
        if (result != 0)
            break;
        r->record->days[day - 1].incoherence = mean_violation(facets, facet_count, k->prices);
        if (finish_day(r, day, k->prices))
            break;
    }
    free(facets);
    return result ? -1 : 0;
}

static int record_kelly_traders(struct run *r, const struct kelly_run *k) {
    for (size_t j = 0; j < k->trader_count; j++) {
        struct market_trader *t = &r->record->traders[j];
        size_t own = j - r->opinions->trader_count;
        if (name_trader(r, j,
                        j < r->opinions->trader_count ? r->opinions->traders[j].name
                        : own == 0                    ? "even odds"
                                                      : "frequency"))
            return -1;
        t->weight = kelly_market_wealth(k->market, j);
        kelly_market_losses(k->market, j, &t->least, &t->most);
        for (size_t i = 0; i < r->base->count; i++)
            t->holding[i] = (double)k->beliefs[j][r->base->items[i].sentence];
    }
    return 0;
}

static int run_kelly(struct run *r) {
    struct kelly_run k = {.trader_count = r->opinions->trader_count + 2,
                          .count = sentences_count(r->base->sentences)};
    struct kelly_options options = {.is_not_projected =
                                        (r->options->without & MARKET_COHERENCE) != 0};
    float *room = memory_allocate(k.trader_count * k.count, sizeof *room, r->error);
    k.beliefs = memory_allocate(k.trader_count, sizeof *k.beliefs, r->error);
    k.prices = memory_allocate(k.count, sizeof *k.prices, r->error);
    k.counts = memory_allocate(2 * (r->family_count + 1), sizeof *k.counts, r->error);
    int result = room == NULL || k.beliefs == NULL || k.prices == NULL || k.counts == NULL ? -1 : 0;
    if (result == 0) {
        for (size_t j = 0; j < k.trader_count; j++)
            k.beliefs[j] = room + j * k.count;
        for (size_t i = 0; i < k.count; i++) {
            k.beliefs[k.trader_count - 2][i] = NAN;
            k.beliefs[k.trader_count - 1][i] = NAN;
        }
        for (size_t i = 0; i < r->base->count; i++)
            if (!r->base->items[i].is_constraint)
                k.beliefs[k.trader_count - 2][r->base->items[i].sentence] = 0.5f;
        result = market_record_create(r->record, "kelly", r->base, k.trader_count, r->options->days,
                                      r->error) ||
                 kelly_market_create(&k.market, r->base->sentences, k.trader_count, &options,
                                     r->error) ||
                 run_kelly_days(r, &k) || record_kelly_traders(r, &k);
    }
    kelly_market_destroy(k.market);
    memory_free(room);
    memory_free(k.beliefs);
    memory_free(k.prices);
    memory_free(k.counts);
    return result ? -1 : 0;
}

int market_run(struct market_record *record, struct market_run_summary *summary,
               const struct belief_base *base, struct opinions *opinions,
               const struct market_run_options *options, market_run_callback *callback,
               void *context, struct error *error) {
    struct run r = {.record = record,
                    .summary = summary,
                    .base = base,
                    .opinions = opinions,
                    .options = options,
                    .callback = callback,
                    .context = context,
                    .error = error};
    *record = (struct market_record){0};
    *summary = (struct market_run_summary){0};
    if (base->count == 0)
        return error_set(error, "a market wants at least one sentence");
    int result = prepare(&r) || (options->is_kelly ? run_kelly(&r) : run_exact(&r));
    memory_free(r.known);
    memory_free(r.families);
    if (result != 0) {
        market_record_free(record);
        return -1;
    }
    /* A market that was stopped has fewer days than there was room for. */
    record->day_count = summary->days;
    summary->brier = summary->resolved > 0 ? summary->brier / (double)summary->resolved : NAN;
    summary->log_loss = summary->resolved > 0 ? summary->log_loss / (double)summary->resolved : NAN;
    return 0;
}
