#include "truth/exact_market.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "truth/group_market.h"

static const double DEFAULT_TOLERANCE = 0x1p-32, FIRST_AIM = 0x1p-20;

struct exact_market {
    const struct belief_base *base;
    struct trader *const *traders;
    size_t trader_count;
    struct exact_market_options options;
    struct worlds worlds;
    struct market_view view;
    struct facet *facets;
    uint8_t *known, *is_told; /* [sentences]; [beliefs] */
    uint32_t *known_since, *family, *member;
    double *history;
    size_t history_capacity;
    struct trading_firm firm;
    double *jacobian;        /* of the firm's demand, kept while the same sentences are traded */
    uint32_t *former_active; /* those of yesterday */
    size_t former_active_count;
    uint32_t *coefficients;
};

static int collect_trades(struct exact_market *m, struct error *error) {
    size_t count = m->view.sentence_count;
    feature_pool_clear(&m->firm.pool);
    for (size_t k = 0; k < m->trader_count; k++) {
        const struct account *a = &m->firm.accounts[k];
        memset(m->coefficients, 0, count * sizeof *m->coefficients);
        m->view.holding = a->holding;
        if (m->view.day >= a->start &&
            m->traders[k]->trade(m->traders[k], &m->view, &m->firm.pool, m->coefficients, error))
            return -1;
        trading_firm_take(&m->firm, k, m->coefficients);
    }
    if (m->firm.pool.has_failed)
        return error_set(error, "out of memory for the traders' features");
    trading_firm_close_orders(&m->firm);
    return 0;
}

/* What became known by today. */
static int learn(struct exact_market *m, struct error *error) {
    struct claim *claims = memory_allocate(m->base->count, sizeof *claims, error);
    size_t count = 0;
    if (claims == NULL)
        return -1;
    for (size_t i = 0; i < m->base->count; i++) {
        const struct belief *b = &m->base->items[i];
        if (m->is_told[i] || b->verdict == VERDICT_UNKNOWN || b->day > m->view.day ||
            b->weight < m->options.verdict_weight || m->options.knows_nothing)
            continue;
        m->is_told[i] = 1;
        m->known[b->sentence] = (uint8_t)b->verdict;
        m->known_since[b->sentence] = (uint32_t)m->view.day;
        claims[count++] = (struct claim){b->sentence, b->verdict == VERDICT_TRUE};
    }
    int result = worlds_learn(&m->worlds, claims, count, error);
    memory_free(claims);
    return result;
}

static int is_as_yesterday(const struct exact_market *m) {
    return m->firm.active_count == m->former_active_count &&
           memcmp(m->firm.active, m->former_active,
                  m->firm.active_count * sizeof *m->firm.active) == 0;
}

/* All prices at once, for days on which groups one by one do not get there. */
static int solve_jointly(struct exact_market *m, double *prices, struct exact_market_day *report,
                         struct error *error) {
    size_t count = m->firm.active_count;
    double *active = memory_allocate(count + 1, sizeof *active, error);
    if (active == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        active[i] = prices[m->firm.active[i]];
    if (!is_as_yesterday(m))
        memset(m->jacobian, 0, count * count * sizeof *m->jacobian);
    struct market_problem problem = {.demand = trading_firm_demand,
                                     .context = &m->firm,
                                     .count = count,
                                     .tolerance = report->tolerance,
                                     .restarts = 2,
                                     .seed = m->options.seed + m->view.day};
    struct market_solution solution;
    int result = market_solve(&problem, active, m->jacobian, &solution, error);
    for (size_t i = 0; i < count; i++)
        prices[m->firm.active[i]] = active[i];
    memory_free(active);
    memcpy(m->former_active, m->firm.active, count * sizeof *m->firm.active);
    m->former_active_count = count;
    report->evaluations += solution.evaluations;
    report->restarts += solution.restarts;
    return result;
}

/* prices[sentences] <- today's: yesterday's where nobody trades. */
static int find_prices(struct exact_market *m, double *prices, struct exact_market_day *report,
                       struct error *error) {
    size_t count = m->view.sentence_count;
    /* The first days may err by much; prices that do not are better ones. */
    double gain = 0, aim = fmax(m->options.least_tolerance, fmin(report->tolerance, FIRST_AIM));
    for (uint32_t i = 0; i < count; i++)
        prices[i] = market_view_price(&m->view, i, 1);
    if (m->options.imposed == NULL) {
        if (group_market_solve(&m->firm, aim, m->options.seed + m->view.day, prices, &gain,
                               &report->evaluations, error) ||
            (gain > report->tolerance && solve_jointly(m, prices, report, error)))
            return -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (m->options.imposed != NULL)
            prices[i] = m->options.imposed[i];
        prices[i] = fmax(0, fmin(1, prices[i] + m->options.price_error));
    }
    return 0;
}

/* The certificate, made anew from the prices as they are published. */
static int certify(struct exact_market *m, const double *prices, struct exact_market_day *report,
                   struct error *error) {
    double *active = memory_allocate(2 * m->firm.active_count + 1, sizeof *active, error);
    if (active == NULL)
        return -1;
    double *wanted = active + m->firm.active_count;
    for (size_t i = 0; i < m->firm.active_count; i++)
        active[i] = prices[m->firm.active[i]];
    int result = trading_firm_demand(&m->firm, active, wanted);
    report->gain = market_gain(active, wanted, m->firm.active_count);
    memory_free(active);
    return result ? error_set(error, "out of memory for the certificate") : 0;
}

static double mean_violation(const struct exact_market *m, const double *prices) {
    double sum = 0;
    for (size_t i = 0; i < m->view.facet_count; i++)
        sum += facet_violation(&m->facets[i], prices);
    return m->view.facet_count > 0 ? sum / (double)m->view.facet_count : 0;
}

int exact_market_run_day(struct exact_market *m, struct exact_market_day *report,
                         struct error *error) {
    size_t count = m->view.sentence_count, day = ++m->view.day;
    *report = (struct exact_market_day){
        .day = day,
        .tolerance = fmax(ldexp(1, -(int)fmin(1000, (double)day)), m->options.least_tolerance)};
    if (memory_grow(&m->history, &m->history_capacity, day * count + 1, sizeof *m->history, error))
        return -1;
    m->view.history = m->history;
    double *prices = m->history + (day - 1) * count;
    if (learn(m, error) || trading_firm_value(&m->firm, error) || collect_trades(m, error) ||
        find_prices(m, prices, report, error) || certify(m, prices, report, error) ||
        trading_firm_settle(&m->firm, prices, error))
        return -1;
    report->incoherence = mean_violation(m, prices);
    report->unproved_groups = m->worlds.split_count;
    return 0;
}

/* A sentence is of the first family that the base puts it in. */
static int number_families(struct exact_market *m, struct error *error) {
    uint32_t *numbers = memory_allocate(m->base->count, sizeof *numbers, error);
    uint32_t *sizes = memory_allocate(m->base->count + 1, sizeof *sizes, error);
    int result = numbers == NULL || sizes == NULL ||
                         belief_base_number_families(m->base, numbers, &m->view.family_count, error)
                     ? -1
                     : 0;
    for (size_t i = 0; result == 0 && i < m->base->count; i++) {
        uint32_t sentence = m->base->items[i].sentence;
        if (numbers[i] == 0 || m->family[sentence] > 0)
            continue;
        m->family[sentence] = numbers[i];
        m->member[sentence] = sizes[numbers[i]]++;
    }
    memory_free(numbers);
    memory_free(sizes);
    return result;
}

static void set_weight(struct exact_market *m, size_t k) {
    struct account *a = &m->firm.accounts[k];
    double number = (double)k + 1;
    a->weight =
        m->options.has_published_weights ? ldexp(1, -(int)k - 1) : 1 / (number * (number + 1));
    a->start = m->options.has_published_weights ? k + 1 : 1;
}

static int allocate(struct exact_market *m, struct error *error) {
    size_t count = m->view.sentence_count = sentences_count(m->base->sentences);
    m->known = memory_allocate(count, 1, error);
    m->is_told = memory_allocate(m->base->count, 1, error);
    m->known_since = memory_allocate(count, sizeof *m->known_since, error);
    m->family = memory_allocate(count, sizeof *m->family, error);
    m->member = memory_allocate(count, sizeof *m->member, error);
    m->former_active = memory_allocate(count, sizeof *m->former_active, error);
    m->jacobian = memory_allocate(count * count, sizeof *m->jacobian, error);
    m->coefficients = memory_allocate(count, sizeof *m->coefficients, error);
    if (m->known == NULL || m->is_told == NULL || m->known_since == NULL || m->family == NULL ||
        m->member == NULL || m->former_active == NULL || m->jacobian == NULL ||
        m->coefficients == NULL)
        return -1;
    memset(m->known, VERDICT_UNKNOWN, count);
    return 0;
}

enum { MOST_SENTENCES = 5000 };

int exact_market_create(struct exact_market **out, const struct belief_base *base,
                        struct trader *const *traders, size_t trader_count,
                        const struct exact_market_options *options, struct error *error) {
    *out = NULL;
    if (base->sentences == NULL || sentences_count(base->sentences) > MOST_SENTENCES)
        return error_set(error,
                         "the exact market wants 1 to %d sentences, parts of formulas "
                         "included; more are for the market at scale",
                         MOST_SENTENCES);
    struct exact_market *m = memory_allocate(1, sizeof *m, error);
    if (m == NULL)
        return -1;
    m->base = base;
    m->traders = traders;
    m->trader_count = trader_count;
    m->options = *options;
    if (m->options.least_tolerance <= 0)
        m->options.least_tolerance = DEFAULT_TOLERANCE;
    int result =
        allocate(m, error) || worlds_create(&m->worlds, base->sentences, error) ||
        facets_collect(base->sentences, &m->facets, &m->view.facet_count, error) ||
        number_families(m, error) ||
        trading_firm_create(&m->firm, &m->worlds, m->view.sentence_count, trader_count, error);
    m->firm.has_no_budgets = m->options.has_no_budgets;
    for (size_t k = 0; result == 0 && k < trader_count; k++)
        set_weight(m, k);
    if (result != 0) {
        exact_market_destroy(m);
        return -1;
    }
    m->view.sentences = base->sentences;
    m->view.known = m->known;
    m->view.known_since = m->known_since;
    m->view.family = m->family;
    m->view.member = m->member;
    m->view.facets = m->facets;
    *out = m;
    return 0;
}

void exact_market_destroy(struct exact_market *m) {
    if (m == NULL)
        return;
    void *blocks[] = {m->known,  m->is_told,       m->known_since, m->family,
                      m->member, m->former_active, m->jacobian,    m->coefficients};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        memory_free(blocks[i]);
    free(m->facets);
    free(m->history);
    trading_firm_free(&m->firm);
    worlds_free(&m->worlds);
    memory_free(m);
}

const double *exact_market_history(const struct exact_market *m) {
    return m->history;
}

const struct market_view *exact_market_view(const struct exact_market *m) {
    return &m->view;
}

void exact_market_worth(const struct exact_market *m, size_t trader, double *least, double *most) {
    *least = m->firm.accounts[trader].least;
    *most = m->firm.accounts[trader].most;
}

double exact_market_trust(const struct exact_market *m, size_t trader) {
    double trust = 0;
    for (int b = 1; b <= MOST_BUDGETS; b++)
        if (m->firm.accounts[trader].lowest > -b)
            trust += ldexp(1, -b);
    return trust;
}

double exact_market_holding(const struct exact_market *m, size_t trader, uint32_t sentence) {
    return m->firm.accounts[trader].holding[sentence];
}
