#include "truth/exact_market.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Budgets above 2^-64 of the firm are below what a double can add to it. */
enum { MOST_BUDGETS = 64, DINKELBACH_STEPS = 100 };
static const double DEFAULT_TOLERANCE = 0x1p-32;

struct trade {
    uint32_t sentence, feature;
};

/* What one trader wants today, and has from the days before. */
struct account {
    struct trade *trades; /* of today, by ascending groups; room for every sentence */
    size_t trade_count;
    double *holding;  /* [sentences] */
    double *past;     /* [worlds of all groups]: what the holdings of a group are worth */
    uint8_t *is_held; /* [groups]: past is not all zeros */
    double cash;
    double least, most; /* today's worth, over all worlds */
    double lowest;      /* the least of all days so far */
    double weight;
    size_t start; /* its first day */
};

struct exact_market {
    const struct belief_base *base;
    struct trader *const *traders;
    size_t trader_count;
    struct exact_market_options options;
    struct worlds worlds;
    size_t *first_world; /* [groups + 1]: where a group's worlds begin in account.past */
    size_t group_room;
    struct market_view view;
    struct facet *facets;
    uint8_t *known, *is_told; /* [sentences]; [beliefs] */
    uint32_t *known_since, *family, *member;
    double *history;
    size_t history_capacity;
    struct feature_pool pool;
    struct account *accounts;
    uint32_t *active, *former_active, *place; /* sentences with a trade, and their inverse */
    size_t active_count, former_active_count;
    double *jacobian;
    uint32_t *coefficients;
};

/* Room for one evaluation of the demand. */
struct scratch {
    double *values; /* of features */
    double *loss;   /* [worlds of all groups], of one trader */
    uint32_t *groups;
};

static size_t world_count(const struct exact_market *m) {
    return m->first_world[m->worlds.group_count];
}

/* loss[world] <- what today's trades lose in each world of the groups they touch; scratch->groups
 * lists those and the groups that are held. */
static size_t weigh_losses(const struct exact_market *m, const struct account *a,
                           const double *prices, struct scratch *scratch) {
    size_t group_count = 0;
    for (size_t i = 0; i < a->trade_count;) {
        uint32_t group = m->worlds.group_of[a->trades[i].sentence];
        const struct world_group *g = &m->worlds.groups[group];
        double *loss = scratch->loss + m->first_world[group];
        memset(loss, 0, g->world_count * sizeof *loss);
        for (; i < a->trade_count && m->worlds.group_of[a->trades[i].sentence] == group; i++) {
            uint32_t sentence = a->trades[i].sentence, at = m->worlds.place_of[sentence];
            double shares = scratch->values[a->trades[i].feature], price = prices[sentence];
            for (size_t w = 0; w < g->world_count; w++)
                loss[w] -= shares * (g->worlds[w * g->count + at] - price);
        }
        scratch->groups[group_count++] = group;
    }
    size_t traded = group_count, next = 0;
    for (uint32_t group = 0; group < m->worlds.group_count; group++) {
        if (next < traded && scratch->groups[next] == group) {
            next++;
        } else if (a->is_held[group]) {
            size_t first = m->first_world[group], end = m->first_world[group + 1];
            memset(scratch->loss + first, 0, (end - first) * sizeof *scratch->loss);
            scratch->groups[group_count++] = group;
        }
    }
    return group_count;
}

/* Over worlds, the loss and the worth where loss - ratio * worth is largest. */
static void find_worst(const struct exact_market *m, const struct account *a,
                       const struct scratch *scratch, size_t group_count, double ratio,
                       double *loss, double *worth) {
    *loss = *worth = 0;
    for (size_t i = 0; i < group_count; i++) {
        size_t first = m->first_world[scratch->groups[i]],
               end = m->first_world[scratch->groups[i] + 1], best = first;
        double largest = -INFINITY;
        for (size_t w = first; w < end; w++) {
            double value = scratch->loss[w] - ratio * a->past[w];
            if (value > largest) {
                largest = value;
                best = w;
            }
        }
        *loss += scratch->loss[best];
        *worth += a->past[best];
    }
}

/* The least 1 / max(1, loss / (budget + worth so far)) over worlds. */
static double budget_factor(const struct exact_market *m, const struct account *a,
                            const struct scratch *scratch, size_t group_count, double budget) {
    double ratio = 1;
    for (int i = 0; i < DINKELBACH_STEPS; i++) {
        double loss, worth;
        find_worst(m, a, scratch, group_count, ratio, &loss, &worth);
        worth += budget + a->cash;
        if (worth <= 1e-12 * budget)
            return 0;
        if (loss - ratio * worth <= 1e-14 * (fabs(loss) + worth) || loss / worth <= ratio)
            break;
        ratio = loss / worth;
    }
    return 1 / ratio;
}

/* sum over budgets b of 2^-b times the budgeter's factor; 1 when no budget binds. */
static double firm_share(const struct exact_market *m, const struct account *a,
                         const double *prices, struct scratch *scratch) {
    if (m->options.has_no_budgets)
        return 1;
    size_t group_count = weigh_losses(m, a, prices, scratch);
    double share = 0;
    for (int b = 1; b <= MOST_BUDGETS; b++) {
        if (a->lowest <= -b)
            continue;
        double factor = budget_factor(m, a, scratch, group_count, b);
        if (factor >= 1)
            return share + ldexp(1, 1 - b); /* as for all larger budgets */
        share += ldexp(factor, -b);
    }
    return share;
}

static int scratch_make(struct scratch *scratch, const struct exact_market *m) {
    size_t values = m->pool.count + 1, worlds = world_count(m);
    scratch->values = malloc((values + worlds) * sizeof(double));
    scratch->groups = malloc((m->worlds.group_count + 1) * sizeof *scratch->groups);
    if (scratch->values == NULL || scratch->groups == NULL) {
        free(scratch->values);
        free(scratch->groups);
        return -1;
    }
    scratch->loss = scratch->values + values;
    return 0;
}

static void scratch_free(struct scratch *scratch) {
    free(scratch->values);
    free(scratch->groups);
}

static int has_trades(const struct account *a, const double *values) {
    for (size_t i = 0; i < a->trade_count; i++)
        if (values[a->trades[i].feature] != 0)
            return 1;
    return 0;
}

/* The firm's demand for the sentences in m->active, at their prices. */
static int demand(const void *context, const double *active_prices, double *out) {
    const struct exact_market *m = context;
    struct scratch scratch;
    double *prices = malloc((m->view.sentence_count + 1) * sizeof *prices);
    if (prices == NULL || scratch_make(&scratch, m)) {
        free(prices);
        return -1;
    }
    for (size_t i = 0; i < m->active_count; i++) {
        prices[m->active[i]] = active_prices[i];
        out[i] = 0;
    }
    feature_pool_evaluate(&m->pool, prices, scratch.values);
    for (size_t k = 0; k < m->trader_count; k++) {
        const struct account *a = &m->accounts[k];
        if (!has_trades(a, scratch.values))
            continue;
        double share = a->weight * firm_share(m, a, prices, &scratch);
        for (size_t i = 0; i < a->trade_count; i++)
            out[m->place[a->trades[i].sentence]] += share * scratch.values[a->trades[i].feature];
    }
    scratch_free(&scratch);
    free(prices);
    return 0;
}

/* Traders hand in coefficients by sentence; they are kept by groups. */
static int compare_by_group(const void *x, const void *y, void *context) {
    const struct trade *a = x, *b = y;
    const uint32_t *group_of = context;
    uint32_t p = group_of[a->sentence], q = group_of[b->sentence];
    return p != q ? (p > q) - (p < q) : (a->sentence > b->sentence) - (a->sentence < b->sentence);
}

static int collect_trades(struct exact_market *m, struct error *error) {
    size_t count = m->view.sentence_count;
    feature_pool_clear(&m->pool);
    memset(m->place, 0, count * sizeof *m->place); /* here: has a trade */
    for (size_t k = 0; k < m->trader_count; k++) {
        struct account *a = &m->accounts[k];
        a->trade_count = 0;
        if (m->view.day < a->start)
            continue;
        m->view.holding = a->holding;
        memset(m->coefficients, 0, count * sizeof *m->coefficients);
        if (m->traders[k]->trade(m->traders[k], &m->view, &m->pool, m->coefficients, error))
            return -1;
        for (uint32_t i = 0; i < count; i++)
            if (m->coefficients[i] != 0) {
                a->trades[a->trade_count++] = (struct trade){i, m->coefficients[i]};
                m->place[i] = 1;
            }
        qsort_r(a->trades, a->trade_count, sizeof *a->trades, compare_by_group, m->worlds.group_of);
    }
    if (m->pool.has_failed)
        return error_set(error, "out of memory for the traders' features");
    m->active_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (m->place[i]) {
            m->place[i] = (uint32_t)m->active_count;
            m->active[m->active_count++] = i;
        }
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

/* Where each group's worlds lie, and what every holding is worth in each. */
static int value_holdings(struct exact_market *m, struct error *error) {
    size_t groups = m->worlds.group_count;
    if (groups > m->group_room)
        return error_set(error, "more groups of sentences than sentences");
    for (size_t g = 0; g < groups; g++)
        m->first_world[g + 1] = m->first_world[g] + m->worlds.groups[g].world_count;
    for (size_t k = 0; k < m->trader_count; k++) {
        struct account *a = &m->accounts[k];
        memory_free(a->past);
        a->past = memory_allocate(world_count(m) + 1, sizeof *a->past, error);
        if (a->past == NULL)
            return -1;
        a->least = a->most = a->cash;
        for (size_t g = 0; g < groups; g++) {
            const struct world_group *group = &m->worlds.groups[g];
            double *past = a->past + m->first_world[g], least = INFINITY, most = -INFINITY;
            a->is_held[g] = 0;
            for (size_t i = 0; i < group->count; i++) {
                double shares = a->holding[group->sentences[i]];
                if (shares == 0)
                    continue;
                a->is_held[g] = 1;
                for (size_t w = 0; w < group->world_count; w++)
                    past[w] += shares * group->worlds[w * group->count + i];
            }
            for (size_t w = 0; w < group->world_count; w++) {
                least = fmin(least, past[w]);
                most = fmax(most, past[w]);
            }
            a->least += least;
            a->most += most;
        }
    }
    return 0;
}

static int is_as_yesterday(const struct exact_market *m) {
    return m->active_count == m->former_active_count &&
           memcmp(m->active, m->former_active, m->active_count * sizeof *m->active) == 0;
}

/* prices[sentences] <- today's: yesterday's where nobody trades. */
static int find_prices(struct exact_market *m, double *prices, struct exact_market_day *report,
                       struct error *error) {
    size_t count = m->view.sentence_count;
    for (uint32_t i = 0; i < count; i++)
        prices[i] = market_view_price(&m->view, i, 1);
    double *active = memory_allocate(count + 1, sizeof *active, error);
    if (active == NULL)
        return -1;
    for (size_t i = 0; i < m->active_count; i++)
        active[i] = prices[m->active[i]];
    if (!is_as_yesterday(m))
        memset(m->jacobian, 0, m->active_count * m->active_count * sizeof *m->jacobian);
    struct market_problem problem = {.demand = demand,
                                     .context = m,
                                     .count = m->active_count,
                                     .tolerance = report->tolerance,
                                     .seed = m->options.seed + m->view.day};
    struct market_solution solution = {0};
    int result = m->options.imposed != NULL
                     ? 0
                     : market_solve(&problem, active, m->jacobian, &solution, error);
    for (size_t i = 0; i < m->active_count; i++)
        prices[m->active[i]] = active[i];
    for (uint32_t i = 0; i < count; i++) {
        if (m->options.imposed != NULL)
            prices[i] = m->options.imposed[i];
        prices[i] = fmax(0, fmin(1, prices[i] + m->options.price_error));
    }
    memory_free(active);
    memcpy(m->former_active, m->active, m->active_count * sizeof *m->active);
    m->former_active_count = m->active_count;
    report->evaluations = solution.evaluations;
    report->restarts = solution.restarts;
    return result;
}

/* The certificate, made anew from the prices as they are published. */
static int certify(struct exact_market *m, const double *prices, struct exact_market_day *report,
                   struct error *error) {
    double *active = memory_allocate(2 * m->active_count + 1, sizeof *active, error);
    if (active == NULL)
        return -1;
    double *wanted = active + m->active_count;
    for (size_t i = 0; i < m->active_count; i++)
        active[i] = prices[m->active[i]];
    int result = demand(m, active, wanted);
    report->gain = market_gain(active, wanted, m->active_count);
    memory_free(active);
    return result ? error_set(error, "out of memory for the certificate") : 0;
}

/* Every trader buys at today's prices. */
static int settle(struct exact_market *m, const double *prices, struct error *error) {
    double *values = memory_allocate(m->pool.count + 1, sizeof *values, error);
    if (values == NULL)
        return -1;
    feature_pool_evaluate(&m->pool, prices, values);
    for (size_t k = 0; k < m->trader_count; k++) {
        struct account *a = &m->accounts[k];
        for (size_t i = 0; i < a->trade_count; i++) {
            double shares = values[a->trades[i].feature];
            a->holding[a->trades[i].sentence] += shares;
            a->cash -= shares * prices[a->trades[i].sentence];
        }
    }
    memory_free(values);
    if (value_holdings(m, error))
        return -1;
    for (size_t k = 0; k < m->trader_count; k++)
        m->accounts[k].lowest = fmin(m->accounts[k].lowest, m->accounts[k].least);
    return 0;
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
    if (learn(m, error) || value_holdings(m, error) || collect_trades(m, error) ||
        find_prices(m, prices, report, error) || certify(m, prices, report, error) ||
        settle(m, prices, error))
        return -1;
    report->incoherence = mean_violation(m, prices);
    report->unproved_groups = m->worlds.split_count;
    return 0;
}

/* Families get numbers in the order in which the base names them. */
static int number_families(struct exact_market *m, struct error *error) {
    const char **names = memory_allocate(m->base->count + 1, sizeof *names, error);
    uint32_t *sizes = memory_allocate(m->base->count + 1, sizeof *sizes, error);
    int result = names == NULL || sizes == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < m->base->count; i++) {
        const struct belief *b = &m->base->items[i];
        uint32_t family = 1;
        if (*b->family == '\0' || m->family[b->sentence] > 0)
            continue;
        while (family <= m->view.family_count && strcmp(names[family], b->family) != 0)
            family++;
        if (family > m->view.family_count)
            names[++m->view.family_count] = b->family;
        m->family[b->sentence] = family;
        m->member[b->sentence] = sizes[family]++;
    }
    memory_free(names);
    memory_free(sizes);
    return result;
}

static int make_account(struct exact_market *m, size_t k, struct error *error) {
    struct account *a = &m->accounts[k];
    size_t count = m->view.sentence_count;
    double number = (double)k + 1;
    a->weight =
        m->options.has_published_weights ? ldexp(1, -(int)k - 1) : 1 / (number * (number + 1));
    a->start = m->options.has_published_weights ? k + 1 : 1;
    a->trades = memory_allocate(count, sizeof *a->trades, error);
    a->holding = memory_allocate(count, sizeof *a->holding, error);
    a->is_held = memory_allocate(m->group_room, 1, error);
    return a->trades == NULL || a->holding == NULL || a->is_held == NULL ? -1 : 0;
}

static int allocate(struct exact_market *m, struct error *error) {
    size_t count = m->view.sentence_count = sentences_count(m->base->sentences);
    m->group_room = count + 1;
    m->first_world = memory_allocate(m->group_room + 1, sizeof *m->first_world, error);
    m->known = memory_allocate(count, 1, error);
    m->is_told = memory_allocate(m->base->count, 1, error);
    m->known_since = memory_allocate(count, sizeof *m->known_since, error);
    m->family = memory_allocate(count, sizeof *m->family, error);
    m->member = memory_allocate(count, sizeof *m->member, error);
    m->accounts = memory_allocate(m->trader_count, sizeof *m->accounts, error);
    m->active = memory_allocate(count, sizeof *m->active, error);
    m->former_active = memory_allocate(count, sizeof *m->former_active, error);
    m->place = memory_allocate(count, sizeof *m->place, error);
    m->jacobian = memory_allocate(count * count, sizeof *m->jacobian, error);
    m->coefficients = memory_allocate(count, sizeof *m->coefficients, error);
    if (m->first_world == NULL || m->known == NULL || m->is_told == NULL ||
        m->known_since == NULL || m->family == NULL || m->member == NULL || m->accounts == NULL ||
        m->active == NULL || m->former_active == NULL || m->place == NULL || m->jacobian == NULL ||
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
    int result = allocate(m, error) || worlds_create(&m->worlds, base->sentences, error) ||
                 facets_collect(base->sentences, &m->facets, &m->view.facet_count, error) ||
                 number_families(m, error);
    for (size_t k = 0; result == 0 && k < trader_count; k++)
        result = make_account(m, k, error);
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
    for (size_t k = 0; m->accounts != NULL && k < m->trader_count; k++) {
        memory_free(m->accounts[k].trades);
        memory_free(m->accounts[k].holding);
        memory_free(m->accounts[k].past);
        memory_free(m->accounts[k].is_held);
    }
    void *blocks[] = {m->first_world, m->known,    m->is_told,  m->known_since,
                      m->family,      m->member,   m->active,   m->former_active,
                      m->place,       m->jacobian, m->accounts, m->coefficients};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        memory_free(blocks[i]);
    free(m->facets);
    free(m->history);
    feature_pool_free(&m->pool);
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
    *least = m->accounts[trader].least;
    *most = m->accounts[trader].most;
}

double exact_market_trust(const struct exact_market *m, size_t trader) {
    double trust = 0;
    for (int b = 1; b <= MOST_BUDGETS; b++)
        if (m->accounts[trader].lowest > -b)
            trust += ldexp(1, -b);
    return trust;
}

double exact_market_holding(const struct exact_market *m, size_t trader, uint32_t sentence) {
    return m->accounts[trader].holding[sentence];
}
