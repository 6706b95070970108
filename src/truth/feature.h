/* Expressible features (Garrabrant et al. 2016, definition 3.4.1): what a trader may let a trade
 * depend on. Rational constants, today's prices, +, *, max and 1/max(1, .): continuous in the
 * prices, whatever they are, and defined everywhere.
 *
 * Prices of days past are constants by the time a feature is made, and are folded as such. A pool
 * holds the features of one day; each is a number. Feature 0 is the constant 0. */
#ifndef TRINE_TRUTH_FEATURE_H
#define TRINE_TRUTH_FEATURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct feature;

/* Starts as zeros. When memory ends, `has_failed` is set and every feature is 0 from then on, so
 * that makers of features need not check each. */
struct feature_pool {
    struct feature *items;
    size_t count, capacity;
    int has_failed;
};

void feature_pool_free(struct feature_pool *pool);
/* Forgets all features; prices and memory may be used again. */
void feature_pool_clear(struct feature_pool *pool);

uint32_t feature_constant(struct feature_pool *pool, double value);
/* Today's price of a sentence. */
uint32_t feature_price(struct feature_pool *pool, uint32_t sentence);
uint32_t feature_add(struct feature_pool *pool, uint32_t a, uint32_t b);
uint32_t feature_multiply(struct feature_pool *pool, uint32_t a, uint32_t b);
uint32_t feature_maximum(struct feature_pool *pool, uint32_t a, uint32_t b);
/* 1 / max(1, a) */
uint32_t feature_share(struct feature_pool *pool, uint32_t a);

/* What these give in words: a - b, min(a, b), |a|, max(0, a), a held between two bounds. */
uint32_t feature_subtract(struct feature_pool *pool, uint32_t a, uint32_t b);
uint32_t feature_minimum(struct feature_pool *pool, uint32_t a, uint32_t b);
uint32_t feature_magnitude(struct feature_pool *pool, uint32_t a);
uint32_t feature_positive(struct feature_pool *pool, uint32_t a);
uint32_t feature_clamp(struct feature_pool *pool, uint32_t a, double low, double high);
uint32_t feature_scale(struct feature_pool *pool, uint32_t a, double factor);

/* Adds copies of a feature and of all that it is made of to another pool; prices of sentences s
 * with place[s] == UINT32_MAX become the constants prices[s], the others today's price of sentence
 * place[s]. copies[from->count] says what has a copy already (0: not yet). Returns the copy. */
uint32_t feature_extract(struct feature_pool *to, const struct feature_pool *from, uint32_t feature,
                         const uint32_t *place, const double *prices, uint32_t *copies);

/* values[count] <- every feature at today's prices. */
void feature_pool_evaluate(const struct feature_pool *pool, const double *prices, double *values);

#endif
