#include "truth/coherence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "truth/facet.h"
#include "truth/projection.h"

const char *law_kind_name(enum law_kind kind) {
    static const char *const NAMES[LAW_KINDS] = {"not", "and", "or", "exclusion", "other"};
    return NAMES[kind];
}

/* What a law says the price of a formula is, from the top down: of `c iff F`, F has c's. */
static void set_price(const struct sentences *sentences, uint32_t id, double price,
                      double *prices) {
    const struct sentence *s = sentences_get(sentences, id);
    if (s->kind == SENTENCE_ATOM)
        return;
    prices[id] = price;
    if (s->kind == SENTENCE_NOT)
        set_price(sentences, s->left, 1 - price, prices);
    if (s->kind != SENTENCE_IFF || price != 1)
        return;
    int left_is_atom = sentences_get(sentences, s->left)->kind == SENTENCE_ATOM;
    int right_is_atom = sentences_get(sentences, s->right)->kind == SENTENCE_ATOM;
    if (left_is_atom && !right_is_atom)
        set_price(sentences, s->right, prices[s->left], prices);
    if (right_is_atom && !left_is_atom)
        set_price(sentences, s->left, prices[s->right], prices);
}

static enum law_kind kind_of(const struct sentences *sentences, uint32_t law) {
    const struct sentence *s = sentences_get(sentences, law);
    if (s->kind == SENTENCE_NOT)
        return sentences_get(sentences, s->left)->kind == SENTENCE_AND ? LAW_EXCLUSION : LAW_OTHER;
    if (s->kind != SENTENCE_IFF)
        return LAW_OTHER;
    const struct sentence *left = sentences_get(sentences, s->left);
    const struct sentence *formula =
        left->kind == SENTENCE_ATOM ? sentences_get(sentences, s->right) : left;
    return formula->kind == SENTENCE_NOT   ? LAW_NOT
           : formula->kind == SENTENCE_AND ? LAW_AND
           : formula->kind == SENTENCE_OR  ? LAW_OR
                                           : LAW_OTHER;
}

/* Forgets what another law said of a law's parts. */
static void forget(const struct sentences *sentences, uint32_t id, double *prices) {
    const struct sentence *s = sentences_get(sentences, id);
    if (s->kind == SENTENCE_ATOM)
        return;
    prices[id] = NAN;
    forget(sentences, s->left, prices);
    if (s->right != s->left)
        forget(sentences, s->right, prices);
}

struct facets {
    struct facet *items; /* in order of the formulas, which are their first sentences */
    size_t count;
};

static size_t first_facet(const struct facets *facets, uint32_t formula) {
    size_t low = 0, high = facets->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (facets->items[middle].sentence[0] < formula)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The larger of `most` (NAN: nothing yet) and a facet's violation, if all its prices are given. */
static double take_violation(double most, const struct facet *facet, const double *prices) {
    for (int i = 0; i < facet->count; i++)
        if (isnan(prices[facet->sentence[i]]))
            return most;
    double violation = facet_violation(facet, prices);
    return most >= violation ? most : violation;
}

static double largest_violation(const struct sentences *sentences, uint32_t id,
                                const struct facets *facets, const double *prices, double most) {
    const struct sentence *s = sentences_get(sentences, id);
    if (s->kind == SENTENCE_ATOM)
        return most;
    for (size_t i = first_facet(facets, id);
         i < facets->count && facets->items[i].sentence[0] == id; i++)
        most = take_violation(most, &facets->items[i], prices);
    most = largest_violation(sentences, s->left, facets, prices, most);
    return s->right != s->left ? largest_violation(sentences, s->right, facets, prices, most)
                               : most;
}

static void add_law(struct coherence_report *report, const struct sentences *sentences,
                    uint32_t law, const struct facets *facets, double *prices) {
    forget(sentences, law, prices);
    set_price(sentences, law, 1, prices);
    double violation = largest_violation(sentences, law, facets, prices, NAN);
    if (isnan(violation))
        return;
    enum law_kind kind = kind_of(sentences, law);
    report->counts[kind]++;
    report->violations[kind] += violation;
    report->count++;
    report->violation += violation;
}

int coherence_report_make(struct coherence_report *report, const struct belief_base *base,
                          const double *prices, struct error *error) {
    size_t count = sentences_count(base->sentences);
    struct facets facets = {0};
    double *own = memory_allocate(count, sizeof *own, error);
    *report = (struct coherence_report){0};
    if (own == NULL || facets_collect(base->sentences, &facets.items, &facets.count, error)) {
        memory_free(own);
        return -1;
    }
    memcpy(own, prices, count * sizeof *own);
    for (size_t i = 0; i < base->count; i++)
        if (base->items[i].is_constraint)
            add_law(report, base->sentences, base->items[i].sentence, &facets, own);
    for (size_t kind = 0; kind < LAW_KINDS; kind++)
        if (report->counts[kind] > 0)
            report->violations[kind] /= (double)report->counts[kind];
    if (report->count > 0)
        report->violation /= (double)report->count;
    free(facets.items);
    memory_free(own);
    return 0;
}

/* How much a formula that nobody was asked about resists being moved: little, but not so little
 * that cyclic projections need long. */
static const double FORMULA_WEIGHT = 0.1;

/* What a formula would be if its parts were independent: where to begin. */
static double independent(const struct sentence *s, const double *prices) {
    double a = prices[s->left], b = prices[s->right];
    switch (s->kind) {
    case SENTENCE_NOT:
        return 1 - a;
    case SENTENCE_AND:
        return a * b;
    case SENTENCE_OR:
        return a + b - a * b;
    case SENTENCE_IMPLIES:
        return 1 - a + a * b;
    case SENTENCE_IFF:
        return a * b + (1 - a) * (1 - b);
    case SENTENCE_XOR:
        return a + b - 2 * a * b;
    default:
        return 0.5; /* a text that nobody was asked about */
    }
}

int coherent_prices(double *prices, const uint8_t *fixed, const struct sentences *sentences,
                    struct error *error) {
    size_t count = sentences_count(sentences);
    struct projection *projection = NULL;
    struct projection_report report;
    double *weights = memory_allocate(count, sizeof *weights, error);
    int result = weights == NULL || projection_create(&projection, sentences, NULL, error) ? -1 : 0;
    for (uint32_t i = 0; result == 0 && i < count; i++) {
        weights[i] = isnan(prices[i]) ? FORMULA_WEIGHT : 1;
        if (fixed[i] <= VERDICT_TRUE)
            prices[i] = fixed[i];
        else if (isnan(prices[i]))
            prices[i] = independent(sentences_get(sentences, i), prices);
    }
    if (result == 0)
        result = projection_run(projection, prices, fixed, weights, &report, error);
    projection_destroy(projection);
    memory_free(weights);
    return result;
}
