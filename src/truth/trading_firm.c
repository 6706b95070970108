#include "truth/trading_firm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { DINKELBACH_STEPS = 100 };

/* Room for the losses of one trader's trades. */
struct scratch {
    const double *values; /* of features */
    double *loss;         /* [worlds of all groups] */
    uint32_t *groups;
};

/* loss[world] <- what today's trades lose in each world of the groups they touch; scratch->groups
 * lists those and the groups that are held. */
static size_t weigh_losses(const struct trading_firm *f, const struct account *a,
                           const double *prices, struct scratch *scratch) {
    size_t group_count = 0;
    for (size_t i = 0; i < a->trade_count;) {
        uint32_t group = f->worlds->group_of[a->trades[i].sentence];
        const struct world_group *g = &f->worlds->groups[group];
        double *loss = scratch->loss + f->first_world[group];
        memset(loss, 0, g->world_count * sizeof *loss);
        for (; i < a->trade_count && f->worlds->group_of[a->trades[i].sentence] == group; i++) {
            uint32_t sentence = a->trades[i].sentence, at = f->worlds->place_of[sentence];
            double shares = scratch->values[a->trades[i].feature], price = prices[sentence];
            for (size_t w = 0; w < g->world_count; w++)
                loss[w] -= shares * (g->worlds[w * g->count + at] - price);
        }
        scratch->groups[group_count++] = group;
    }
    size_t traded = group_count, next = 0;
    for (uint32_t group = 0; group < f->worlds->group_count; group++) {
        if (next < traded && scratch->groups[next] == group) {
            next++;
        } else if (a->is_held[group]) {
            size_t first = f->first_world[group], end = f->first_world[group + 1];
            memset(scratch->loss + first, 0, (end - first) * sizeof *scratch->loss);
            scratch->groups[group_count++] = group;
        }
    }
    return group_count;
}

/* Over worlds, the loss and the worth where loss - ratio * worth is largest. */
static void find_worst(const struct trading_firm *f, const struct account *a,
                       const struct scratch *scratch, size_t group_count, double ratio,
                       double *loss, double *worth) {
    *loss = *worth = 0;
    for (size_t i = 0; i < group_count; i++) {
        size_t first = f->first_world[scratch->groups[i]],
               end = f->first_world[scratch->groups[i] + 1], best = first;
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
static double budget_factor(const struct trading_firm *f, const struct account *a,
                            const struct scratch *scratch, size_t group_count, double budget) {
    double ratio = 1;
    for (int i = 0; i < DINKELBACH_STEPS; i++) {
        double loss, worth;
        find_worst(f, a, scratch, group_count, ratio, &loss, &worth);
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
static double firm_share(const struct trading_firm *f, const struct account *a,
                         const double *prices, struct scratch *scratch) {
    if (f->has_no_budgets)
        return 1;
    size_t group_count = weigh_losses(f, a, prices, scratch);
    double share = 0;
    for (int b = 1; b <= MOST_BUDGETS; b++) {
        if (a->lowest <= -b)
            continue;
        double factor = budget_factor(f, a, scratch, group_count, b);
        if (factor >= 1)
            return share + ldexp(1, 1 - b); /* as for all larger budgets */
        share += ldexp(factor, -b);
    }
    return share;
}

static int has_trades(const struct account *a, const double *values) {
    for (size_t i = 0; i < a->trade_count; i++)
        if (values[a->trades[i].feature] != 0)
            return 1;
    return 0;
}

int trading_firm_shares(const struct trading_firm *f, const double *prices, double *values,
                        double *shares) {
    struct scratch scratch = {.values = values};
    scratch.loss = malloc((f->first_world[f->worlds->group_count] + 1) * sizeof *scratch.loss);
    scratch.groups = malloc((f->worlds->group_count + 1) * sizeof *scratch.groups);
    int result = scratch.loss == NULL || scratch.groups == NULL ? -1 : 0;
    if (result == 0) {
        feature_pool_evaluate(&f->pool, prices, values);
        for (size_t k = 0; k < f->account_count; k++) {
            const struct account *a = &f->accounts[k];
            shares[k] = has_trades(a, values) ? a->weight * firm_share(f, a, prices, &scratch) : 0;
        }
    }
    free(scratch.loss);
    free(scratch.groups);
    return result;
}

int trading_firm_demand(const void *context, const double *active_prices, double *demand) {
    const struct trading_firm *f = context;
    double *prices =
        malloc((f->sentence_count + f->pool.count + f->account_count + 1) * sizeof *prices);
    if (prices == NULL)
        return -1;
    double *values = prices + f->sentence_count, *shares = values + f->pool.count + 1;
    for (size_t i = 0; i < f->active_count; i++) {
        prices[f->active[i]] = active_prices[i];
        demand[i] = 0;
    }
    int result = trading_firm_shares(f, prices, values, shares);
    for (size_t k = 0; result == 0 && k < f->account_count; k++) {
        const struct account *a = &f->accounts[k];
        for (size_t i = 0; shares[k] > 0 && i < a->trade_count; i++)
            demand[f->place[a->trades[i].sentence]] += shares[k] * values[a->trades[i].feature];
    }
    free(prices);
    return result;
}

/* Traders hand in coefficients by sentence; they are kept by groups. */
static int compare_by_group(const void *x, const void *y, void *context) {
    const struct trade *a = x, *b = y;
    const uint32_t *group_of = context;
    uint32_t p = group_of[a->sentence], q = group_of[b->sentence];
    return p != q ? (p > q) - (p < q) : (a->sentence > b->sentence) - (a->sentence < b->sentence);
}

void trading_firm_take(struct trading_firm *f, size_t account, const uint32_t *coefficients) {
    struct account *a = &f->accounts[account];
    a->trade_count = 0;
    for (uint32_t i = 0; i < f->sentence_count; i++)
        if (coefficients[i] != 0)
            a->trades[a->trade_count++] = (struct trade){i, coefficients[i]};
    qsort_r(a->trades, a->trade_count, sizeof *a->trades, compare_by_group, f->worlds->group_of);
}

void trading_firm_close_orders(struct trading_firm *f) {
    memset(f->place, 0, f->sentence_count * sizeof *f->place); /* at first: has a trade */
    for (size_t k = 0; k < f->account_count; k++)
        for (size_t i = 0; i < f->accounts[k].trade_count; i++)
            f->place[f->accounts[k].trades[i].sentence] = 1;
    f->active_count = 0;
    for (uint32_t i = 0; i < f->sentence_count; i++)
        if (f->place[i]) {
            f->place[i] = (uint32_t)f->active_count;
            f->active[f->active_count++] = i;
        }
}

static int value_account(struct trading_firm *f, struct account *a, struct error *error) {
    memory_free(a->past);
    a->past = memory_allocate(f->first_world[f->worlds->group_count] + 1, sizeof *a->past, error);
    if (a->past == NULL)
        return -1;
    a->least = a->most = a->cash;
    for (size_t g = 0; g < f->worlds->group_count; g++) {
        const struct world_group *group = &f->worlds->groups[g];
        double *past = a->past + f->first_world[g], least = INFINITY, most = -INFINITY;
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
    return 0;
}

int trading_firm_value(struct trading_firm *f, struct error *error) {
    for (size_t g = 0; g < f->worlds->group_count; g++)
        f->first_world[g + 1] = f->first_world[g] + f->worlds->groups[g].world_count;
    for (size_t k = 0; k < f->account_count; k++)
        if (value_account(f, &f->accounts[k], error))
            return -1;
    return 0;
}

int trading_firm_settle(struct trading_firm *f, const double *prices, struct error *error) {
    double *values = memory_allocate(f->pool.count + 1, sizeof *values, error);
    if (values == NULL)
        return -1;
    feature_pool_evaluate(&f->pool, prices, values);
    for (size_t k = 0; k < f->account_count; k++) {
        struct account *a = &f->accounts[k];
        for (size_t i = 0; i < a->trade_count; i++) {
            double shares = values[a->trades[i].feature];
            a->holding[a->trades[i].sentence] += shares;
            a->cash -= shares * prices[a->trades[i].sentence];
        }
    }
    memory_free(values);
    if (trading_firm_value(f, error))
        return -1;
    for (size_t k = 0; k < f->account_count; k++)
        f->accounts[k].lowest = fmin(f->accounts[k].lowest, f->accounts[k].least);
    return 0;
}

int trading_firm_create(struct trading_firm *f, const struct worlds *worlds, size_t sentence_count,
                        size_t account_count, struct error *error) {
    /* Groups can fall apart into single sentences, no further. */
    size_t most_groups = sentence_count + 1;
    *f = (struct trading_firm){
        .worlds = worlds, .sentence_count = sentence_count, .account_count = account_count};
    f->first_world = memory_allocate(most_groups + 1, sizeof *f->first_world, error);
    f->accounts = memory_allocate(account_count, sizeof *f->accounts, error);
    f->active = memory_allocate(sentence_count, sizeof *f->active, error);
    f->place = memory_allocate(sentence_count, sizeof *f->place, error);
    int result =
        f->first_world == NULL || f->accounts == NULL || f->active == NULL || f->place == NULL ? -1
                                                                                               : 0;
    for (size_t k = 0; result == 0 && k < account_count; k++) {
        struct account *a = &f->accounts[k];
        a->trades = memory_allocate(sentence_count, sizeof *a->trades, error);
        a->holding = memory_allocate(sentence_count, sizeof *a->holding, error);
        a->is_held = memory_allocate(most_groups, 1, error);
        result = a->trades == NULL || a->holding == NULL || a->is_held == NULL ? -1 : 0;
    }
    return result;
}

void trading_firm_free(struct trading_firm *f) {
    for (size_t k = 0; f->accounts != NULL && k < f->account_count; k++) {
        memory_free(f->accounts[k].trades);
        memory_free(f->accounts[k].holding);
        memory_free(f->accounts[k].past);
        memory_free(f->accounts[k].is_held);
    }
    memory_free(f->accounts);
    memory_free(f->first_world);
    memory_free(f->active);
    memory_free(f->place);
    feature_pool_free(&f->pool);
    *f = (struct trading_firm){0};
}
