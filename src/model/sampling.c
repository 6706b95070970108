#include "model/sampling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/exponential.h"

static int compare_descending(const void *a, const void *b, void *probabilities) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    const double *p = probabilities;
    if (p[x] != p[y])
        return p[x] > p[y] ? -1 : 1;
    return x < y ? -1 : 1; /* ties by id, so that equal seeds agree everywhere */
}

VECTOR_CLONES static real largest_of(const real *restrict logits, const uint8_t *banned,
                                     size_t count) {
    real largest = -(real)INFINITY;
    if (banned == NULL) {
#pragma omp simd reduction(max : largest)
        for (size_t v = 0; v < count; v++)
            largest = logits[v] > largest ? logits[v] : largest;
        return largest;
    }
#pragma omp simd reduction(max : largest)
    for (size_t v = 0; v < count; v++) {
        real allowed = banned[v] ? -(real)INFINITY : logits[v];
        largest = allowed > largest ? allowed : largest;
    }
    return largest;
}

/* The first of the largest; of logits that are no numbers the first allowed. */
static size_t likeliest(const real *logits, const uint8_t *banned, size_t count) {
    real largest = largest_of(logits, banned, count);
    size_t first = count;
    for (size_t v = 0; v < count; v++) {
        if (banned != NULL && banned[v])
            continue;
        if (logits[v] == largest)
            return v;
        first = first == count ? v : first;
    }
    return first;
}

VECTOR_CLONES static void weigh(double *restrict out, const real *restrict logits, real largest,
                                real inverse, size_t count) {
    for (size_t v = 0; v < count; v++)
        out[v] = (double)exponential((logits[v] - largest) * inverse);
}

/* Probabilities of about the same size: what they share is their exponent and three bits. */
enum { SIZES = 1 << 12 };

static size_t size_of(double probability) {
    float rounded = (float)probability;
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    return bits >> 20 & (SIZES - 1);
}

/* Keeps of order[count] the tokens that can be among the likeliest which hold `share` of the total,
 * by adding up sizes from the largest on, and one size more than it takes. Sorting all would take
 * longer than the network. */
static size_t drop_rare(uint32_t *order, size_t count, const double *probabilities, double total,
                        double share) {
    double sums[SIZES] = {0}, held = 0;
    size_t kept = 0, least = SIZES;
    for (size_t i = 0; i < count; i++)
        sums[size_of(probabilities[order[i]])] += probabilities[order[i]];
    while (least > 0 && held < share * total)
        held += sums[--least];
    while (least > 0 && sums[--least] == 0)
        ;
    for (size_t i = 0; i < count; i++)
        if (size_of(probabilities[order[i]]) >= least)
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
