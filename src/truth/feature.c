#include "truth/feature.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum operation { CONSTANT, PRICE, ADD, MULTIPLY, MAXIMUM, SHARE };

struct feature {
    enum operation operation;
    uint32_t a, b; /* PRICE: a is the sentence */
    double value;  /* of constants */
};

void feature_pool_free(struct feature_pool *pool) {
    free(pool->items);
    *pool = (struct feature_pool){0};
}

void feature_pool_clear(struct feature_pool *pool) {
    pool->count = 0;
    pool->has_failed = 0;
}

static uint32_t add(struct feature_pool *pool, struct feature feature) {
    struct error error;
    size_t needed = pool->count + 1 + (pool->count == 0);
    if (pool->has_failed || needed > UINT32_MAX / 2 ||
        memory_grow(&pool->items, &pool->capacity, needed, sizeof *pool->items, &error)) {
        pool->has_failed = 1;
        return 0;
    }
    if (pool->count == 0)
        pool->items[pool->count++] = (struct feature){.operation = CONSTANT};
    pool->items[pool->count] = feature;
    return (uint32_t)pool->count++;
}

static const struct feature *constant_of(const struct feature_pool *pool, uint32_t a) {
    static const struct feature ZERO = {.operation = CONSTANT};
    if (a == 0 || a >= pool->count)
        return &ZERO;
    return pool->items[a].operation == CONSTANT ? &pool->items[a] : NULL;
}

/* Sums and products stop at +-10^12: no chain of them leaves the numbers, and clamping is
 * continuous. */
static inline double saturate(double value) {
    const double most = 1e12;
    return value < most ? (value > -most ? value : -most) : most;
}

uint32_t feature_constant(struct feature_pool *pool, double value) {
    if (value == 0 || isnan(value))
        return 0;
    value = saturate(value);
    return add(pool, (struct feature){.operation = CONSTANT, .value = value});
}

uint32_t feature_price(struct feature_pool *pool, uint32_t sentence) {
    return add(pool, (struct feature){.operation = PRICE, .a = sentence});
}

uint32_t feature_add(struct feature_pool *pool, uint32_t a, uint32_t b) {
    const struct feature *x = constant_of(pool, a), *y = constant_of(pool, b);
    if (x != NULL && y != NULL)
        return feature_constant(pool, x->value + y->value);
    if (x != NULL && x->value == 0)
        return b;
    if (y != NULL && y->value == 0)
        return a;
    return add(pool, (struct feature){.operation = ADD, .a = a, .b = b});
}

uint32_t feature_multiply(struct feature_pool *pool, uint32_t a, uint32_t b) {
    const struct feature *x = constant_of(pool, a), *y = constant_of(pool, b);
    if (x != NULL && y != NULL)
        return feature_constant(pool, x->value * y->value);
    if ((x != NULL && x->value == 0) || (y != NULL && y->value == 0))
        return 0;
    if (x != NULL && x->value == 1)
        return b;
    if (y != NULL && y->value == 1)
        return a;
    return add(pool, (struct feature){.operation = MULTIPLY, .a = a, .b = b});
}

uint32_t feature_maximum(struct feature_pool *pool, uint32_t a, uint32_t b) {
    const struct feature *x = constant_of(pool, a), *y = constant_of(pool, b);
    if (x != NULL && y != NULL)
        return feature_constant(pool, fmax(x->value, y->value));
    return add(pool, (struct feature){.operation = MAXIMUM, .a = a, .b = b});
}

uint32_t feature_share(struct feature_pool *pool, uint32_t a) {
    const struct feature *x = constant_of(pool, a);
    if (x != NULL)
        return feature_constant(pool, 1 / fmax(1, x->value));
    return add(pool, (struct feature){.operation = SHARE, .a = a});
}

uint32_t feature_scale(struct feature_pool *pool, uint32_t a, double factor) {
    return feature_multiply(pool, feature_constant(pool, factor), a);
}

uint32_t feature_subtract(struct feature_pool *pool, uint32_t a, uint32_t b) {
    return feature_add(pool, a, feature_scale(pool, b, -1));
}

uint32_t feature_minimum(struct feature_pool *pool, uint32_t a, uint32_t b) {
    return feature_scale(
        pool, feature_maximum(pool, feature_scale(pool, a, -1), feature_scale(pool, b, -1)), -1);
}

uint32_t feature_magnitude(struct feature_pool *pool, uint32_t a) {
    return feature_maximum(pool, a, feature_scale(pool, a, -1));
}

uint32_t feature_positive(struct feature_pool *pool, uint32_t a) {
    return feature_maximum(pool, a, 0);
}

uint32_t feature_clamp(struct feature_pool *pool, uint32_t a, double low, double high) {
    return feature_minimum(pool, feature_maximum(pool, a, feature_constant(pool, low)),
                           feature_constant(pool, high));
}

uint32_t feature_extract(struct feature_pool *to, const struct feature_pool *from, uint32_t feature,
                         const uint32_t *place, const double *prices, uint32_t *copies) {
    if (feature == 0 || copies[feature] != 0)
        return feature == 0 ? 0 : copies[feature];
    struct feature f = from->items[feature];
    if (f.operation == CONSTANT)
        return feature_constant(to, f.value);
    if (f.operation == PRICE) {
        if (place[f.a] == UINT32_MAX)
            return feature_constant(to, prices[f.a]);
        f.a = place[f.a];
    } else {
        f.a = feature_extract(to, from, f.a, place, prices, copies);
        f.b = feature_extract(to, from, f.b, place, prices, copies);
    }
    return copies[feature] = add(to, f);
}

void feature_pool_evaluate(const struct feature_pool *pool, const double *prices, double *values) {
    values[0] = 0;
    for (size_t i = 1; i < pool->count; i++) {
        const struct feature *f = &pool->items[i];
        double a = f->operation == CONSTANT || f->operation == PRICE ? 0 : values[f->a];
        switch (f->operation) {
        case CONSTANT:
            values[i] = f->value;
            break;
        case PRICE:
            values[i] = prices[f->a];
            break;
        case ADD:
            values[i] = saturate(a + values[f->b]);
            break;
        case MULTIPLY:
            values[i] = saturate(a * values[f->b]);
            break;
        case MAXIMUM:
            values[i] = a > values[f->b] ? a : values[f->b];
            break;
        case SHARE:
            values[i] = 1 / (a > 1 ? a : 1);
            break;
        }
    }
}
