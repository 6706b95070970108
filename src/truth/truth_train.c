#include "truth/truth_train.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "truth/polarity.h"
#include "truth/witness.h"

/* A price nearer to 1/2 than this many times 1/2 leaves doubt, at 1/2 MOST_DOUBT of it. */
static const double DOUBT_SPAN = 0.5, MOST_DOUBT = 0.7;
/* A price that moved by this much in its last days counts for nothing. */
static const double UNSTABLE = 0.5;
enum { DEFAULT_ROUNDS = 2, STABLE_DAYS = 3 };

#define TRADER_NAME "truth"

struct training {
    struct layer *layer;
    struct asking *asking;
    const struct belief_base *base;
    struct opinions *opinions;
    const struct truth_train_options *options;
    struct base_texts texts;
    int *signs; /* [texts.count] -1: the text denies */
    struct example *examples;
    size_t example_count, step; /* step: of all rounds */
    layer_train_callback *callback;
    void *context;
    int is_stopped;
    struct truth_train_report *report;
    struct error *error;
};

static uint32_t last_day(const struct belief_base *base) {
    uint32_t last = 1;
    for (size_t i = 0; i < base->count; i++)
        if (base->items[i].verdict != VERDICT_UNKNOWN && base->items[i].day > last)
            last = base->items[i].day;
    return last;
}

static int is_known(const struct training *t, const struct belief *belief, size_t day) {
    return belief->verdict != VERDICT_UNKNOWN && belief->day <= day &&
           belief->weight >= t->options->verdict_weight;
}

/* How much a price moved in its last days. */
static double range_of(const struct market_record *r, size_t place) {
    double least = 1, most = 0;
    size_t days = r->day_count < STABLE_DAYS ? r->day_count : STABLE_DAYS;
    for (size_t d = r->day_count - days; d < r->day_count; d++) {
        double price = r->prices[d * r->sentence_count + place];
        least = fmin(least, price);
        most = fmax(most, price);
    }
    return most - least;
}

static struct example priced_example(const struct market_record *r, size_t place) {
    double price = r->prices[(r->day_count - 1) * r->sentence_count + place];
    double sure = fabs(2 * price - 1);
    return (struct example){.target = price,
                            .doubt = fmax(0, MOST_DOUBT * (1 - sure / DOUBT_SPAN)),
                            .weight = fmax(0, 1 - range_of(r, place) / UNSTABLE)};
}

static void add_example(struct training *t, size_t text, struct example example) {
    example.statement = t->texts.texts[text];
    example.sign = t->signs[text];
    t->examples[t->example_count++] = example;
}

/* How often each verdict is taken, so that verdicts are drawn as often as prices: where few are
 * known, prices hardly better than even odds would drown them. */
static size_t copies_of_verdicts(const struct training *t, size_t day, int has_prices) {
    size_t known = 0;
    for (size_t i = 0; i < t->texts.count; i++)
        known += is_known(t, &t->base->items[t->texts.places[i]], day) ? 1 : 0;
    size_t priced = has_prices ? t->texts.count - known : 0;
    return known > 0 && priced > known ? priced / known : 1;
}

/* `record` NULL: no market. */
static void set_examples(struct training *t, const struct market_record *record, size_t day) {
    size_t copies = copies_of_verdicts(t, day, record != NULL);
    t->example_count = t->report->known = t->report->priced = 0;
    for (size_t i = 0; i < t->texts.count; i++) {
        const struct belief *b = &t->base->items[t->texts.places[i]];
        if (is_known(t, b, day)) {
            for (size_t k = 0; k < copies; k++)
                add_example(t, i,
                            (struct example){.target = b->verdict == VERDICT_TRUE, .weight = 1});
            t->report->known++;
        } else if (record != NULL) {
            add_example(t, i, priced_example(record, t->texts.places[i]));
            t->report->priced++;
        }
    }
}

static int pass_on(void *context, const struct layer_train_report *report) {
    struct training *t = context;
    struct layer_train_report of_all = *report;
    of_all.step += t->step;
    t->is_stopped = t->callback != NULL && t->callback(t->context, &of_all) != 0;
    return t->is_stopped;
}

static int train_layer(struct training *t, size_t round, size_t rounds) {
    struct layer_train_options options = t->options->training;
    options.steps = t->options->training.steps * (round + 1) / rounds - t->step;
    options.seed += round << 32;
    if (options.steps == 0)
        return 0;
    int result = layer_train(t->layer, t->asking, t->examples, t->example_count, &options, pass_on,
                             t, t->error);
    t->step += options.steps;
    return result;
}

/* Of what the author says when asked and what is heard of it. */
static double wealth_of(const struct market_record *r) {
    double wealth = NAN;
    for (size_t j = 0; j < r->trader_count; j++)
        if (strncmp(r->traders[j].name, TRADER_NAME ",", sizeof TRADER_NAME) == 0)
            wealth = r->traders[j].weight + (isnan(wealth) ? 0 : wealth);
    return wealth;
}

static int run_market(struct training *t, size_t days, struct market_record *record) {
    struct market_run_options options = {.is_kelly = 1,
                                         .days = days,
                                         .without = t->options->without,
                                         .seed = t->options->training.seed,
                                         .verdict_weight = t->options->verdict_weight};
    if (market_run(record, &t->report->market, t->base, t->opinions, &options, NULL, NULL,
                   t->error))
        return -1;
    t->report->wealth = wealth_of(record);
    return 0;
}

/* The market until `day` has been run on, and the training toward it. Prices are those of the
 * morning after, when all that the day brought is known. */
static int run_round(struct training *t, size_t round, size_t rounds, size_t day) {
    struct market_record record = {0};
    int result = t->options->is_plain ? 0 : run_market(t, day + 1, &record);
    if (result == 0) {
        t->report->days = day;
        set_examples(t, t->options->is_plain ? NULL : &record, day);
        result = train_layer(t, round, rounds);
    }
    market_record_free(&record);
    if (result != 0 || t->is_stopped || round + 1 == rounds || t->options->is_plain)
        return result;
    struct asked asked = {.layer = t->layer};
    int ways = WITNESS_ASKED | (t->options->training.asked_every == 1 ? 0 : WITNESS_HEARD);
    return witness_testify(t->opinions, TRADER_NAME, ways, t->asking, &asked, t->base,
                           (uint32_t)day + 1, t->options->training.threads, t->error);
}

static int find_signs(struct training *t) {
    struct polarity *polarity;
    t->signs = memory_allocate(t->texts.count, sizeof *t->signs, t->error);
    if (t->signs == NULL || polarity_create(&polarity, t->error))
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < t->texts.count; i++)
        result = polarity_of(polarity, t->texts.texts[i], &t->signs[i], t->error);
    polarity_destroy(polarity);
    return result;
}

int truth_train(struct layer *layer, struct asking *asking, const struct belief_base *base,
                struct opinions *opinions, const struct truth_train_options *options,
                layer_train_callback *callback, void *context, struct truth_train_report *report,
                struct error *error) {
    struct training t = {.layer = layer,
                         .asking = asking,
                         .base = base,
                         .opinions = opinions,
                         .options = options,
                         .callback = callback,
                         .context = context,
                         .report = report,
                         .error = error};
    size_t last = last_day(base), rounds = options->rounds > 0 ? options->rounds : DEFAULT_ROUNDS;
    if (options->is_plain || rounds > last)
        rounds = options->is_plain ? 1 : last;
    *report = (struct truth_train_report){.wealth = NAN};
    if (base_texts_collect(&t.texts, base, error))
        return -1;
    t.examples = memory_allocate(2 * t.texts.count, sizeof *t.examples, error);
    int result = t.examples == NULL || find_signs(&t) ? -1 : 0;
    for (size_t round = 0; result == 0 && !t.is_stopped && round < rounds; round++)
        result = run_round(&t, round, rounds, last * (round + 1) / rounds);
    memory_free(t.examples);
    memory_free(t.signs);
    base_texts_free(&t.texts);
    return result;
}
