#include "truth/kelly_market.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { UNKNOWN = 2 };

struct kelly_market {
    const struct sentences *sentences;
    struct kelly_options options;
    struct projection *projection;
    size_t trader_count, day;
    double *wealth, *loss, *market_loss; /* [traders] */
    uint8_t *known;                      /* [sentences], as of yesterday */
    double *raw;                         /* [sentences]: prices before projection */
};

int kelly_market_create(struct kelly_market **out, const struct sentences *sentences,
                        size_t trader_count, const struct kelly_options *options,
                        struct error *error) {
    size_t count = sentences_count(sentences);
    *out = NULL;
    if (trader_count == 0)
        return error_set(error, "a market wants at least one trader");
    struct kelly_market *m = memory_allocate(1, sizeof *m, error);
    if (m == NULL)
        return -1;
    m->sentences = sentences;
    m->options = *options;
    m->trader_count = trader_count;
    m->wealth = memory_allocate(trader_count, sizeof *m->wealth, error);
    m->loss = memory_allocate(trader_count, sizeof *m->loss, error);
    m->market_loss = memory_allocate(trader_count, sizeof *m->market_loss, error);
    m->known = memory_allocate(count, 1, error);
    m->raw = memory_allocate(count, sizeof *m->raw, error);
    if (m->wealth == NULL || m->loss == NULL || m->market_loss == NULL || m->known == NULL ||
        m->raw == NULL ||
        projection_create(&m->projection, sentences, &options->projection, error)) {
        kelly_market_destroy(m);
        return -1;
    }
    for (size_t j = 0; j < trader_count; j++)
        m->wealth[j] = 1 / (double)trader_count;
    memset(m->known, UNKNOWN, count);
    *out = m;
    return 0;
}

void kelly_market_destroy(struct kelly_market *m) {
    if (m == NULL)
        return;
    memory_free(m->wealth);
    memory_free(m->loss);
    memory_free(m->market_loss);
    memory_free(m->known);
    memory_free(m->raw);
    projection_destroy(m->projection);
    memory_free(m);
}

static double belief_of(const float *const *beliefs, size_t trader, size_t sentence) {
    double q = (double)beliefs[trader][sentence];
    return isnan(q) ? NAN : fmin(1 - KELLY_EDGE, fmax(KELLY_EDGE, q));
}

/* The wealth-weighted mean of those who have an opinion; NAN when nobody has. */
static double clearing_price(const struct kelly_market *m, const float *const *beliefs,
                             size_t sentence) {
    double sum = 0, wealth = 0;
    for (size_t j = 0; j < m->trader_count; j++) {
        double q = belief_of(beliefs, j, sentence);
        if (isnan(q))
            continue;
        sum += m->wealth[j] * q;
        wealth += m->wealth[j];
    }
    return wealth > 0 ? sum / wealth : NAN;
}

/* A formula without an opinion costs as if its parts were independent; an atom, 1/2. */
static double default_price(const struct kelly_market *m, uint32_t id) {
    const struct sentence *s = sentences_get(m->sentences, id);
    if (s->kind == SENTENCE_ATOM)
        return 0.5;
    double a = m->raw[s->left], b = m->raw[s->right], sum = 0;
    for (int left = 0; left <= 1; left++)
        for (int right = 0; right <= 1; right++)
            if (sentence_truth(s->kind, left, right))
                sum += (left ? a : 1 - a) * (right ? b : 1 - b);
    return s->kind == SENTENCE_NOT ? 1 - a : sum;
}

static void clear(struct kelly_market *m, const float *const *beliefs) {
    size_t count = sentences_count(m->sentences);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++)
        m->raw[i] = m->known[i] <= 1 ? m->known[i] : clearing_price(m, beliefs, i);
    for (uint32_t i = 0; i < count; i++)
        if (isnan(m->raw[i]))
            m->raw[i] = default_price(m, i);
}

static double log_loss(double price, int outcome) {
    return -log(outcome ? price : 1 - price);
}

/* Every opinion is paid at the market's price, which moves as wealth does. */
static void resolve(struct kelly_market *m, const float *const *beliefs, size_t sentence,
                    int outcome) {
    double price = clearing_price(m, beliefs, sentence);
    if (isnan(price))
        return;
    for (size_t j = 0; j < m->trader_count; j++) {
        double q = belief_of(beliefs, j, sentence);
        if (isnan(q))
            continue;
        m->wealth[j] *= outcome ? q / price : (1 - q) / (1 - price);
        m->loss[j] += log_loss(q, outcome);
        m->market_loss[j] += log_loss(price, outcome);
    }
}

static void spread_wealth(struct kelly_market *m) {
    double total = 0;
    for (size_t j = 0; j < m->trader_count; j++)
        total += m->wealth[j];
    for (size_t j = 0; j < m->trader_count; j++)
        m->wealth[j] = (1 - m->options.switching) * m->wealth[j] / total +
                       m->options.switching / (double)m->trader_count;
}

int kelly_market_run_day(struct kelly_market *m, const float *const *beliefs, const uint8_t *known,
                         double *prices, struct kelly_day *report, struct error *error) {
    size_t count = sentences_count(m->sentences);
    *report = (struct kelly_day){.day = ++m->day};
    clear(m, beliefs);
    memcpy(prices, m->raw, count * sizeof *prices);
    if (!m->options.is_not_projected &&
        projection_run(m->projection, prices, m->known, NULL, &report->projection, error))
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (m->known[i] <= 1 || known[i] > 1)
            continue;
        double raw = fmin(1 - 1e-6, fmax(1e-6, m->raw[i]));
        report->gain_of_coherence +=
            log_loss(raw, known[i]) - log_loss(fmin(1 - 1e-6, fmax(1e-6, prices[i])), known[i]);
        resolve(m, beliefs, i, known[i]);
        m->known[i] = known[i];
        report->resolved++;
    }
    if (m->options.switching > 0)
        spread_wealth(m);
    return 0;
}

double kelly_market_wealth(const struct kelly_market *m, size_t trader) {
    return m->wealth[trader];
}

void kelly_market_losses(const struct kelly_market *m, size_t trader, double *own,
                         double *market_loss) {
    *own = m->loss[trader];
    *market_loss = m->market_loss[trader];
}

int kelly_market_check_regret(const struct kelly_market *m, struct error *error) {
    double bound = log((double)m->trader_count);
    if (m->options.switching > 0)
        return 0; /* the bound is another one then */
    for (size_t j = 0; j < m->trader_count; j++) {
        double regret = m->market_loss[j] - m->loss[j];
        if (!(regret <= bound + 1e-9 * (1 + fabs(m->loss[j]))))
            return error_set(error,
                             "the market lost %.6f nats more than trader %zu, over the bound of "
                             "%.6f: its bookkeeping is wrong",
                             regret, j + 1, bound);
    }
    return 0;
}
