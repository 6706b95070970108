#include "model/sampling.h"

#include <math.h>
#include <stdlib.h>

#include "math/exponential.h"

static int compare_descending(const void *a, const void *b, void *probabilities) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    const double *p = probabilities;
    if (p[x] != p[y])
        return p[x] > p[y] ? -1 : 1;
    return x < y ? -1 : 1; /* ties by id, so that equal seeds agree everywhere */
}

static size_t likeliest(const real *logits, const uint8_t *banned, size_t count) {
    size_t best = count;
    for (size_t v = 0; v < count; v++)
        if ((banned == NULL || !banned[v]) && (best == count || logits[v] > logits[best]))
            best = v;
    return best;
}

VECTOR_CLONES static void weigh(double *restrict out, const real *restrict logits, real largest,
                                real inverse, size_t count) {
    for (size_t v = 0; v < count; v++)
        out[v] = (double)exponential((logits[v] - largest) * inverse);
}

/* Keeps of order[count] the tokens that can be among the likeliest which hold `share` of the total:
 * all others together have less than the rest. Sorting them all would take longer than the
 * network. */
static size_t drop_rare(uint32_t *order, size_t count, const double *probabilities, double total,
                        double share) {
    double least = (1 - share) * total / (double)count;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (probabilities[order[i]] >= least)
            order[kept++] = order[i];
    return kept;
}

uint32_t sample_token(const real *logits, const uint8_t *banned, size_t vocabulary,
                      const struct sampling *s, struct random *random, double *probabilities,
                      uint32_t *order) {
    size_t best = likeliest(logits, banned, vocabulary), kept = 0;
    if (s->temperature <= 0)
        return (uint32_t)best;
    double total = 0, sum = 0;
    weigh(probabilities, logits, logits[best], (real)(1 / s->temperature), vocabulary);
    for (size_t v = 0; v < vocabulary; v++) {
        double p = probabilities[v]; /* the likeliest allowed one has 1 */
        if ((banned != NULL && banned[v]) || !(p > 0 && p >= s->min_p))
            continue;
        order[kept++] = (uint32_t)v;
        total += p;
    }
    if (kept == 0) /* logits that are no numbers */
        return (uint32_t)best;
    if (s->top_p < 1) {
        kept = drop_rare(order, kept, probabilities, total, s->top_p);
        qsort_r(order, kept, sizeof *order, compare_descending, probabilities);
        size_t within = 0;
        while (within < kept && sum < s->top_p * total)
            sum += probabilities[order[within++]];
        kept = within > 0 ? within : 1;
        total = within > 0 ? sum : probabilities[order[0]];
    }
    double at = random_uniform(random) * total;
    for (size_t i = 0; i + 1 < kept; i++) {
        at -= probabilities[order[i]];
        if (at < 0)
            return order[i];
    }
    return order[kept - 1];
}
