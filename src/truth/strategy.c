#include "truth/strategy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "truth/strategy_parse.h"

/* (true + 1) / (known + 2) of each family. */
static double *count_frequencies(const struct market_view *view, struct error *error) {
    double *counts = memory_allocate(2 * (view->family_count + 1), sizeof *counts, error);
    if (counts == NULL)
        return NULL;
    double *known = counts + view->family_count + 1;
    for (uint32_t i = 0; i < view->sentence_count; i++)
        if (view->family[i] > 0 && view->known[i] != VERDICT_UNKNOWN) {
            known[view->family[i]]++;
            counts[view->family[i]] += view->known[i] == VERDICT_TRUE;
        }
    for (size_t f = 0; f <= view->family_count; f++)
        counts[f] = (counts[f] + 1) / (known[f] + 2);
    return counts;
}

struct setting {
    const struct market_view *view;
    struct feature_pool *pool;
    const double *frequencies;
    uint32_t *features; /* of the nodes, for the present sentence */
};

static double mean_price(const struct market_view *view, uint32_t sentence, double days) {
    double sum = 0;
    for (size_t k = 1; k <= (size_t)days; k++)
        sum += market_view_price(view, sentence, k);
    return sum / days;
}

static uint32_t known_node(const struct setting *s, const struct strategy_node *node,
                           uint32_t sentence) {
    const struct market_view *view = s->view;
    double value = node->value;
    switch (node->operation) {
    case STRATEGY_AVERAGE:
        value = mean_price(view, sentence, node->value);
        break;
    case STRATEGY_HELD:
        value = view->holding[sentence];
        break;
    case STRATEGY_KNOWN:
        value = view->known[sentence] != VERDICT_UNKNOWN;
        break;
    case STRATEGY_VERDICT:
        value = view->known[sentence] == VERDICT_UNKNOWN ? 0.5 : view->known[sentence];
        break;
    case STRATEGY_FREQUENCY:
        value = view->family[sentence] > 0 ? s->frequencies[view->family[sentence]] : 0.5;
        break;
    case STRATEGY_DAY:
        value = (double)view->day;
        break;
    default:
        break;
    }
    return feature_constant(s->pool, value);
}

static uint32_t price_node(const struct setting *s, const struct strategy_node *node,
                           uint32_t sentence) {
    uint32_t of = node->sentence == UINT32_MAX ? sentence : node->sentence;
    if (node->value == 0)
        return feature_price(s->pool, of);
    return feature_constant(s->pool, market_view_price(s->view, of, (size_t)node->value));
}

static uint32_t make_node(const struct setting *s, const struct strategy_node *node,
                          uint32_t sentence) {
    uint32_t a = s->features[node->a], b = s->features[node->b];
    switch (node->operation) {
    case STRATEGY_PRICE:
        return price_node(s, node, sentence);
    case STRATEGY_ADD:
        return feature_add(s->pool, a, b);
    case STRATEGY_SUBTRACT:
        return feature_subtract(s->pool, a, b);
    case STRATEGY_MULTIPLY:
        return feature_multiply(s->pool, a, b);
    case STRATEGY_MINIMUM:
        return feature_minimum(s->pool, a, b);
    case STRATEGY_MAXIMUM:
        return feature_maximum(s->pool, a, b);
    case STRATEGY_MAGNITUDE:
        return feature_magnitude(s->pool, a);
    case STRATEGY_CLAMP:
        return feature_clamp(s->pool, a, node->value, node->high);
    case STRATEGY_RAMP:
        a = feature_subtract(s->pool, a, feature_constant(s->pool, node->value));
        return feature_clamp(s->pool, feature_scale(s->pool, a, 1 / (node->high - node->value)), 0,
                             1);
    case STRATEGY_SHARE:
        return feature_share(s->pool, a);
    default:
        return known_node(s, node, sentence);
    }
}

static int is_about(const struct strategy_rule *rule, const struct market_view *view,
                    uint32_t sentence) {
    if (rule->scope == STRATEGY_SENTENCE)
        return rule->sentence == sentence;
    return rule->scope == STRATEGY_EVERY || view->family[rule->sentence] == view->family[sentence];
}

static int trade(struct trader *trader, const struct market_view *view, struct feature_pool *pool,
                 uint32_t *coefficients, struct error *error) {
    struct strategy *s = (struct strategy *)trader;
    double *frequencies = count_frequencies(view, error);
    uint32_t *features = memory_allocate(s->node_count + 1, sizeof *features, error);
    struct setting setting = {view, pool, frequencies, features};
    int result = frequencies == NULL || features == NULL ? -1 : 0;
    for (size_t r = 0; result == 0 && r < s->rule_count; r++) {
        const struct strategy_rule *rule = &s->rules[r];
        size_t first = r > 0 ? s->rules[r - 1].root + 1 : 0;
        for (uint32_t i = 0; i < view->sentence_count; i++) {
            if (!is_about(rule, view, i))
                continue;
            for (size_t n = first; n <= rule->root; n++)
                features[n] = make_node(&setting, &s->nodes[n], i);
            coefficients[i] = feature_add(pool, coefficients[i], features[rule->root]);
        }
    }
    memory_free(frequencies);
    memory_free(features);
    return result;
}

static void destroy(struct trader *trader) {
    struct strategy *s = (struct strategy *)trader;
    free(s->nodes);
    free(s->rules);
    memory_free(s);
}

int strategy_parse(struct trader **out, const char *text, const char *source,
                   const struct belief_base *base, struct error *error) {
    *out = NULL;
    struct strategy *s = memory_allocate(1, sizeof *s, error);
    if (s == NULL)
        return -1;
    snprintf(s->name, sizeof s->name, "%s", source);
    s->trader = (struct trader){.name = s->name, .trade = trade, .destroy = destroy};
    if (strategy_read_rules(s, text, source, base, error)) {
        destroy(&s->trader);
        return -1;
    }
    *out = &s->trader;
    return 0;
}

int strategy_read(struct trader **out, const char *path, const struct belief_base *base,
                  struct error *error) {
    char *text;
    size_t bytes;
    *out = NULL;
    if (file_read_all(path, STRATEGY_BYTES_LIMIT, &text, &bytes, error))
        return -1;
    int result = strlen(text) == bytes ? strategy_parse(out, text, path, base, error)
                                       : error_set(error, "%s: this is no text", path);
    free(text);
    return result;
}
