#include "truth/trader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

double market_view_price(const struct market_view *view, uint32_t sentence, size_t days) {
    if (days == 0 || days >= view->day)
        return 0.5;
    return view->history[(view->day - 1 - days) * view->sentence_count + sentence];
}

/* One struct for the simple traders below; each uses what it needs. */
struct simple_trader {
    struct trader trader;
    char name[120];
    size_t part, parts, window;
    double strength, low, high, most;
    uint32_t family;
    const double *beliefs;
};

static void destroy(struct trader *trader) {
    memory_free(trader);
}

static struct simple_trader *make(struct trader **out, const char *name,
                                  int (*trade)(struct trader *, const struct market_view *,
                                               struct feature_pool *, uint32_t *, struct error *),
                                  struct error *error) {
    struct simple_trader *t = memory_allocate(1, sizeof *t, error);
    *out = NULL;
    if (t == NULL)
        return NULL;
    snprintf(t->name, sizeof t->name, "%s", name);
    t->trader = (struct trader){.name = t->name, .trade = trade, .destroy = destroy};
    *out = &t->trader;
    return t;
}

/* strength * (target - price) */
static uint32_t toward(struct feature_pool *pool, uint32_t sentence, double target,
                       double strength) {
    return feature_scale(
        pool, feature_subtract(pool, feature_constant(pool, target), feature_price(pool, sentence)),
        strength);
}

/* The same with strength `most`, slower the nearer the holding is to `most` shares bought or sold.
 */
static uint32_t toward_up_to(struct feature_pool *pool, const struct market_view *view,
                             uint32_t sentence, double target, double most) {
    uint32_t gap =
        feature_subtract(pool, feature_constant(pool, target), feature_price(pool, sentence));
    uint32_t lack = feature_positive(pool, gap),
             excess = feature_positive(pool, feature_scale(pool, gap, -1));
    double held = view->holding[sentence];
    return feature_subtract(pool, feature_scale(pool, lack, fmax(0, most - held)),
                            feature_scale(pool, excess, fmax(0, most + held)));
}

static int trade_proofs(struct trader *trader, const struct market_view *view,
                        struct feature_pool *pool, uint32_t *coefficients, struct error *error) {
    (void)trader, (void)error;
    for (uint32_t i = 0; i < view->sentence_count; i++)
        if (view->known[i] != VERDICT_UNKNOWN)
            coefficients[i] = toward(pool, i, view->known[i] == VERDICT_TRUE, 1);
    return 0;
}

int trader_of_proofs(struct trader **out, struct error *error) {
    return make(out, "proofs", trade_proofs, error) == NULL ? -1 : 0;
}

static int trade_coherence(struct trader *trader, const struct market_view *view,
                           struct feature_pool *pool, uint32_t *coefficients, struct error *error) {
    struct simple_trader *t = (struct simple_trader *)trader;
    (void)error;
    for (size_t i = t->part; i < view->facet_count; i += t->parts) {
        const struct facet *facet = &view->facets[i];
        uint32_t excess = feature_constant(pool, -facet->bound);
        for (int j = 0; j < facet->count; j++)
            excess = feature_add(pool, excess,
                                 feature_scale(pool, feature_price(pool, facet->sentence[j]),
                                               facet->coefficient[j]));
        if (!facet->is_equality)
            excess = feature_positive(pool, excess);
        for (int j = 0; j < facet->count; j++)
            coefficients[facet->sentence[j]] =
                feature_add(pool, coefficients[facet->sentence[j]],
                            feature_scale(pool, excess, -t->strength * facet->coefficient[j]));
    }
    return 0;
}

int trader_of_coherence(struct trader **out, size_t part, size_t parts, double strength,
                        struct error *error) {
    char name[40];
    snprintf(name, sizeof name, parts > 1 ? "coherence %zu of %zu" : "coherence", part + 1, parts);
    struct simple_trader *t = make(out, name, trade_coherence, error);
    if (t == NULL)
        return -1;
    t->part = part;
    t->parts = parts;
    t->strength = strength;
    return 0;
}

enum { SOFTNESS = 20 }; /* an edge is 1/20 wide */

/* 1 inside of [low, high], 0 at 1/20 outside, a slope between. */
static double inside(const struct simple_trader *t, double price) {
    double depth = fmin(price - t->low, t->high - price) * SOFTNESS + 1;
    return fmax(0, fmin(1, depth));
}

static uint32_t inside_today(const struct simple_trader *t, struct feature_pool *pool,
                             uint32_t sentence) {
    uint32_t price = feature_price(pool, sentence);
    uint32_t depth =
        feature_minimum(pool, feature_subtract(pool, price, feature_constant(pool, t->low)),
                        feature_subtract(pool, feature_constant(pool, t->high), price));
    depth = feature_add(pool, feature_scale(pool, depth, SOFTNESS), feature_constant(pool, 1));
    return feature_clamp(pool, depth, 0, 1);
}

static int trade_calibration(struct trader *trader, const struct market_view *view,
                             struct feature_pool *pool, uint32_t *coefficients,
                             struct error *error) {
    struct simple_trader *t = (struct simple_trader *)trader;
    (void)error;
    double weight = 0, surplus = 0;
    for (uint32_t i = 0; i < view->sentence_count; i++) {
        if (view->known[i] == VERDICT_UNKNOWN || view->known_since[i] < 2)
            continue;
        double price = market_view_price(view, i, view->day - view->known_since[i] + 1);
        double share = inside(t, price);
        weight += share;
        surplus += share * ((view->known[i] == VERDICT_TRUE) - price);
    }
    /* Ten made-up sentences without surplus, so that it does not bet on a few. */
    double correction = surplus / (weight + 10);
    if (fabs(correction) < 1e-6)
        return 0;
    for (uint32_t i = 0; i < view->sentence_count; i++)
        if (view->known[i] == VERDICT_UNKNOWN)
            coefficients[i] = feature_scale(
                pool, inside_today(t, pool, i),
                correction *
                    fmax(0, t->most - copysign(view->holding[i], correction * view->holding[i])));
    return 0;
}

int trader_of_calibration(struct trader **out, double low, double high, double most,
                          struct error *error) {
    char name[60];
    snprintf(name, sizeof name, "calibration %.2f to %.2f", low, high);
    struct simple_trader *t = make(out, name, trade_calibration, error);
    if (t == NULL)
        return -1;
    t->low = low;
    t->high = high;
    t->most = most;
    return 0;
}

static int trade_frequency(struct trader *trader, const struct market_view *view,
                           struct feature_pool *pool, uint32_t *coefficients, struct error *error) {
    struct simple_trader *t = (struct simple_trader *)trader;
    double *known = memory_allocate(2 * (view->family_count + 1), sizeof *known, error);
    if (known == NULL)
        return -1;
    double *true_ones = known + view->family_count + 1;
    for (uint32_t i = 0; i < view->sentence_count; i++)
        if (view->family[i] > 0 && view->known[i] != VERDICT_UNKNOWN) {
            known[view->family[i]]++;
            true_ones[view->family[i]] += view->known[i] == VERDICT_TRUE;
        }
    double *open = known; /* from here on: members that are undecided, counted as they come */
    for (uint32_t family = 1; family <= view->family_count; family++) {
        true_ones[family] = known[family] > 0 ? (true_ones[family] + 1) / (known[family] + 2) : NAN;
        open[family] = 0;
    }
    for (uint32_t i = 0; i < view->sentence_count; i++) {
        uint32_t family = view->family[i];
        if (family == 0 || view->known[i] != VERDICT_UNKNOWN || isnan(true_ones[family]) ||
            open[family]++ >= (double)t->window)
            continue;
        coefficients[i] = toward_up_to(pool, view, i, true_ones[family], t->most);
    }
    memory_free(known);
    return 0;
}

int trader_of_frequency(struct trader **out, size_t window, double most, struct error *error) {
    struct simple_trader *t = make(out, "frequency", trade_frequency, error);
    if (t == NULL)
        return -1;
    t->window = window;
    t->most = most;
    return 0;
}

static int trade_doubt(struct trader *trader, const struct market_view *view,
                       struct feature_pool *pool, uint32_t *coefficients, struct error *error) {
    double margin = ((struct simple_trader *)trader)->low;
    (void)error;
    for (uint32_t i = 0; i < view->sentence_count; i++) {
        if (view->known[i] != VERDICT_UNKNOWN)
            continue;
        uint32_t price = feature_price(pool, i);
        uint32_t cheap =
            feature_positive(pool, feature_subtract(pool, feature_constant(pool, margin), price));
        uint32_t dear = feature_positive(
            pool, feature_subtract(pool, price, feature_constant(pool, 1 - margin)));
        coefficients[i] = feature_scale(pool, feature_subtract(pool, cheap, dear), 1 / margin);
    }
    return 0;
}

int trader_of_doubt(struct trader **out, double margin, struct error *error) {
    struct simple_trader *t = make(out, "doubt", trade_doubt, error);
    if (t == NULL)
        return -1;
    t->low = margin;
    return 0;
}

static int trade_pattern(struct trader *trader, const struct market_view *view,
                         struct feature_pool *pool, uint32_t *coefficients, struct error *error) {
    struct simple_trader *t = (struct simple_trader *)trader;
    (void)error;
    for (uint32_t i = 0; i < view->sentence_count; i++)
        if (view->family[i] == t->family)
            coefficients[i] = toward_up_to(pool, view, i, 1, t->most);
    return 0;
}

int trader_of_pattern(struct trader **out, const char *name, uint32_t family, double most,
                      struct error *error) {
    struct simple_trader *t = make(out, name, trade_pattern, error);
    if (t == NULL)
        return -1;
    t->family = family;
    t->most = most;
    return 0;
}

static int trade_opinion(struct trader *trader, const struct market_view *view,
                         struct feature_pool *pool, uint32_t *coefficients, struct error *error) {
    struct simple_trader *t = (struct simple_trader *)trader;
    (void)error;
    for (uint32_t i = 0; i < view->sentence_count; i++)
        if (isfinite(t->beliefs[i]))
            coefficients[i] = toward(pool, i, t->beliefs[i], t->strength);
    return 0;
}

int trader_of_opinion(struct trader **out, const char *name, const double *beliefs, double strength,
                      struct error *error) {
    struct simple_trader *t = make(out, name, trade_opinion, error);
    if (t == NULL)
        return -1;
    t->beliefs = beliefs;
    t->strength = strength;
    return 0;
}
