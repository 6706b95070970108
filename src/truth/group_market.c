#include "truth/group_market.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { ROUNDS = 40 };

struct group_trade {
    uint32_t account, place, feature; /* place among the group's traded sentences */
};

/* One group with the features that its trades are made of. */
struct group_market {
    uint32_t *sentences; /* [count], those that are traded */
    size_t count;
    struct group_trade *trades;
    size_t trade_count, trade_capacity;
    struct feature_pool pool;
    const double *shares; /* [accounts]: the firm's, held */
    double *jacobian;     /* [count, count], kept from round to round */
};

struct group_markets {
    const struct trading_firm *firm;
    struct group_market *groups; /* [group_count] of the firm's worlds */
    uint32_t *place;             /* [sentences], within the group */
    double *shares, *values, *best, *active, *demand;
};

static int demand_of_group(const void *context, const double *prices, double *demand) {
    const struct group_market *g = context;
    double room[1000], *values = room;
    if (g->pool.count > sizeof room / sizeof *room &&
        (values = malloc(g->pool.count * sizeof *values)) == NULL)
        return -1;
    memset(demand, 0, g->count * sizeof *demand);
    if (g->pool.count > 0)
        feature_pool_evaluate(&g->pool, prices, values);
    for (size_t i = 0; i < g->trade_count; i++) {
        const struct group_trade *t = &g->trades[i];
        demand[t->place] += g->shares[t->account] * (t->feature > 0 ? values[t->feature] : 0);
    }
    if (values != room)
        free(values);
    return 0;
}

static void free_groups(struct group_markets *m) {
    for (size_t i = 0; m->groups != NULL && i < m->firm->worlds->group_count; i++) {
        memory_free(m->groups[i].sentences);
        memory_free(m->groups[i].jacobian);
        free(m->groups[i].trades);
        feature_pool_free(&m->groups[i].pool);
    }
    memory_free(m->groups);
    memory_free(m->place);
    memory_free(m->shares);
}

static int list_sentences(struct group_markets *m, struct error *error) {
    const struct trading_firm *f = m->firm;
    for (size_t g = 0; g < f->worlds->group_count; g++) {
        m->groups[g].sentences =
            memory_allocate(f->worlds->groups[g].count, sizeof(uint32_t), error);
        if (m->groups[g].sentences == NULL)
            return -1;
        m->groups[g].shares = m->shares;
    }
    for (size_t i = 0; i < f->active_count; i++) {
        struct group_market *g = &m->groups[f->worlds->group_of[f->active[i]]];
        m->place[f->active[i]] = (uint32_t)g->count;
        g->sentences[g->count++] = f->active[i];
    }
    for (size_t g = 0; g < f->worlds->group_count; g++) {
        struct group_market *group = &m->groups[g];
        group->jacobian = memory_allocate(group->count * group->count, sizeof(double), error);
        if (group->jacobian == NULL)
            return -1;
    }
    return 0;
}

static int allocate(struct group_markets *m, struct error *error) {
    const struct trading_firm *f = m->firm;
    size_t count = f->sentence_count, room = f->account_count + f->pool.count + 1 + 3 * count;
    m->groups = memory_allocate(f->worlds->group_count, sizeof *m->groups, error);
    m->place = memory_allocate(count, sizeof *m->place, error);
    m->shares = memory_allocate(room, sizeof *m->shares, error);
    if (m->groups == NULL || m->place == NULL || m->shares == NULL)
        return -1;
    m->values = m->shares + f->account_count;
    m->best = m->values + f->pool.count + 1;
    m->active = m->best + count;
    m->demand = m->active + count;
    return list_sentences(m, error);
}

static int add_trade(struct group_market *g, struct group_trade trade, struct error *error) {
    if (memory_grow(&g->trades, &g->trade_capacity, g->trade_count + 1, sizeof *g->trades, error))
        return -1;
    g->trades[g->trade_count++] = trade;
    return 0;
}

/* Each group's features, with other groups' prices as they are now. */
static int extract(struct group_markets *m, const double *prices, struct error *error) {
    const struct trading_firm *f = m->firm;
    uint32_t *copies = memory_allocate(f->pool.count + 1, sizeof *copies, error);
    uint32_t *place = memory_allocate(f->sentence_count, sizeof *place, error);
    size_t *next = memory_allocate(f->account_count, sizeof *next, error);
    int result = copies == NULL || place == NULL || next == NULL ? -1 : 0;
    if (result == 0)
        memset(place, 0xff, f->sentence_count * sizeof *place);
    for (uint32_t group = 0; result == 0 && group < f->worlds->group_count; group++) {
        struct group_market *g = &m->groups[group];
        feature_pool_clear(&g->pool);
        g->trade_count = 0;
        for (size_t i = 0; i < g->count; i++)
            place[g->sentences[i]] = (uint32_t)i;
        for (uint32_t k = 0; result == 0 && k < f->account_count; k++) {
            const struct account *a = &f->accounts[k];
            for (; result == 0 && next[k] < a->trade_count &&
                   f->worlds->group_of[a->trades[next[k]].sentence] == group;
                 next[k]++) {
                struct trade t = a->trades[next[k]];
                struct group_trade own = {
                    k, m->place[t.sentence],
                    feature_extract(&g->pool, &f->pool, t.feature, place, prices, copies)};
                result = add_trade(g, own, error);
            }
        }
        for (size_t i = 0; i < g->count; i++)
            place[g->sentences[i]] = UINT32_MAX;
        /* Copies are of one pool only. */
        memset(copies, 0, (f->pool.count + 1) * sizeof *copies);
        if (result == 0 && g->pool.has_failed)
            result = error_set(error, "out of memory for the features of a group");
    }
    memory_free(copies);
    memory_free(place);
    memory_free(next);
    return result;
}

static int solve_group(struct group_market *g, double tolerance, uint64_t seed, double *prices,
                       size_t *evaluations, struct error *error) {
    struct market_problem problem = {.demand = demand_of_group,
                                     .context = g,
                                     .count = g->count,
                                     .tolerance = tolerance,
                                     .seed = seed};
    struct market_solution solution;
    double *own = memory_allocate(g->count, sizeof *own, error);
    if (own == NULL)
        return -1;
    for (size_t i = 0; i < g->count; i++)
        own[i] = prices[g->sentences[i]];
    int result = market_solve(&problem, own, g->jacobian, &solution, error);
    for (size_t i = 0; i < g->count; i++)
        prices[g->sentences[i]] = own[i];
    *evaluations += solution.evaluations * g->count;
    memory_free(own);
    return result;
}

static int solve_groups(struct group_markets *m, double tolerance, uint64_t seed, double *prices,
                        size_t *evaluations, struct error *error) {
    size_t group_count = m->firm->worlds->group_count, traded = 0, made = 0;
    int failed = 0;
    for (size_t g = 0; g < group_count; g++)
        traded += m->groups[g].count > 0;
#pragma omp parallel for schedule(dynamic, 1) reduction(+ : made)
    for (size_t g = 0; g < group_count; g++) {
        struct error own;
        if (m->groups[g].count > 0 && solve_group(&m->groups[g], tolerance / (2 * (double)traded),
                                                  seed + g, prices, &made, &own)) {
#pragma omp critical(group_market_error)
            {
                failed = 1;
                *error = own;
            }
        }
    }
    *evaluations += made / (m->firm->active_count + 1);
    return failed ? -1 : 0;
}

/* The firm's certificate, with budgets as these prices leave them. */
static int certify(struct group_markets *m, const double *prices, double *gain,
                   struct error *error) {
    const struct trading_firm *f = m->firm;
    if (trading_firm_shares(f, prices, m->values, m->shares))
        return error_set(error, "out of memory for the firm's budgets");
    for (size_t i = 0; i < f->active_count; i++) {
        m->active[i] = prices[f->active[i]];
        m->demand[i] = 0;
    }
    for (size_t k = 0; k < f->account_count; k++) {
        const struct account *a = &f->accounts[k];
        for (size_t i = 0; i < a->trade_count; i++)
            m->demand[f->place[a->trades[i].sentence]] +=
                m->shares[k] * m->values[a->trades[i].feature];
    }
    *gain = market_gain(m->active, m->demand, f->active_count);
    return 0;
}

int group_market_solve(const struct trading_firm *firm, double tolerance, uint64_t seed,
                       double *prices, double *gain, size_t *evaluations, struct error *error) {
    struct group_markets m = {.firm = firm};
    double best = INFINITY;
    int result = allocate(&m, error);
    for (int round = 0; result == 0 && round < ROUNDS; round++) {
        double now = INFINITY;
        result = certify(&m, prices, &now, error);
        if (result == 0 && now < best) {
            best = now;
            memcpy(m.best, prices, firm->sentence_count * sizeof *prices);
        }
        if (result != 0 || best <= tolerance)
            break;
        result = extract(&m, prices, error) ||
                 solve_groups(&m, tolerance, seed, prices, evaluations, error);
    }
    if (result == 0 && best < INFINITY)
        memcpy(prices, m.best, firm->sentence_count * sizeof *prices);
    *gain = best;
    free_groups(&m);
    return result ? -1 : 0;
}
