#include "truth/facet.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* Coefficients of the formula itself, its left and its right part. */
struct shape {
    signed char whole, left, right, bound, is_equality;
};

enum { MOST_FACETS = 4 };

static const struct shape SHAPES[][MOST_FACETS] = {
    [SENTENCE_NOT] = {{1, 1, 0, 1, 1}},
    [SENTENCE_AND] = {{1, -1, 0, 0, 0}, {1, 0, -1, 0, 0}, {-1, 1, 1, 1, 0}},
    [SENTENCE_OR] = {{-1, 1, 0, 0, 0}, {-1, 0, 1, 0, 0}, {1, -1, -1, 0, 0}},
    [SENTENCE_IMPLIES] = {{-1, -1, 0, -1, 0}, {-1, 0, 1, 0, 0}, {1, 1, -1, 1, 0}},
    [SENTENCE_IFF] = {{-1, -1, -1, -1, 0}, {1, 1, -1, 1, 0}, {1, -1, 1, 1, 0}, {-1, 1, 1, 1, 0}},
    [SENTENCE_XOR] = {{1, -1, -1, 0, 0}, {-1, 1, -1, 0, 0}, {-1, -1, 1, 0, 0}, {1, 1, 1, 2, 0}},
};

static void add_term(struct facet *facet, uint32_t sentence, int coefficient) {
    for (int i = 0; i < facet->count; i++)
        if (facet->sentence[i] == sentence) {
            facet->coefficient[i] = (signed char)(facet->coefficient[i] + coefficient);
            return;
        }
    if (coefficient != 0) {
        facet->sentence[facet->count] = sentence;
        facet->coefficient[facet->count++] = (signed char)coefficient;
    }
}

static int has_terms(const struct facet *facet) {
    for (int i = 0; i < facet->count; i++)
        if (facet->coefficient[i] != 0)
            return 1;
    return 0;
}

int facets_collect(const struct sentences *sentences, struct facet **facets, size_t *count,
                   struct error *error) {
    size_t capacity = 0, total = sentences_count(sentences);
    *facets = NULL;
    *count = 0;
    for (uint32_t id = 0; id < total; id++) {
        const struct sentence *s = sentences_get(sentences, id);
        if (s->kind == SENTENCE_ATOM)
            continue;
        if (memory_grow(facets, &capacity, *count + MOST_FACETS, sizeof **facets, error)) {
            free(*facets);
            *facets = NULL;
            return -1;
        }
        for (const struct shape *shape = SHAPES[s->kind];
             shape < SHAPES[s->kind] + MOST_FACETS && shape->whole != 0; shape++) {
            struct facet *facet = &(*facets)[*count];
            *facet = (struct facet){.bound = shape->bound,
                                    .is_equality = (unsigned char)shape->is_equality};
            add_term(facet, id, shape->whole);
            add_term(facet, s->left, shape->left);
            add_term(facet, s->right, shape->right);
            *count += (size_t)has_terms(facet);
        }
    }
    return 0;
}

double facet_violation(const struct facet *facet, const double *prices) {
    double sum = -facet->bound;
    for (int i = 0; i < facet->count; i++)
        sum += facet->coefficient[i] * prices[facet->sentence[i]];
    return facet->is_equality ? fabs(sum) : fmax(0, sum);
}
