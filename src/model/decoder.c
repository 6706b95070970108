#include "model/decoder.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "math/exponential.h"
#include "math/norm.h"
#include "math/rope.h"

struct decoder {
    struct weights weights;
    size_t position;     /* tokens in the cache */
    uint32_t *history;   /* [context] */
    void *keys, *values; /* [L,context,KE] operands */
    real *cosine, *sine;
    real *stream, *normed, *packed, *attended, *inner, *scores, *row, *logits;
    real *told, *told_mask, *latent; /* [Z] */
    real *precision, *information, *mean, *raw;
    void *blocks[24];
    size_t block_count;
};

static int take(struct decoder *d, void *slot, size_t count, size_t size, struct error *error) {
    void *block = memory_allocate(count, size, error);
    if (block == NULL)
        return -1;
    d->blocks[d->block_count++] = block;
    memcpy(slot, &block, sizeof block);
    return 0;
}

static int take_all(struct decoder *d, struct error *error) {
    const struct config *c = d->weights.config;
    size_t attention = c->heads * c->head_width, shared = c->key_value_heads * c->head_width;
    size_t bytes = operand_bytes(d->weights.precision), half = c->head_width / 2;
    size_t widest = c->width > attention ? c->width : attention;
    return take(d, &d->history, c->context, sizeof *d->history, error) ||
           take(d, &d->keys, c->blocks * c->context * shared, bytes, error) ||
           take(d, &d->values, c->blocks * c->context * shared, bytes, error) ||
           take(d, &d->cosine, c->context * half, sizeof(real), error) ||
           take(d, &d->sine, c->context * half, sizeof(real), error) ||
           take(d, &d->stream, c->width, sizeof(real), error) ||
           take(d, &d->normed, c->width, sizeof(real), error) ||
           take(d, &d->packed, attention + 2 * shared, sizeof(real), error) ||
           take(d, &d->attended, attention, sizeof(real), error) ||
           take(d, &d->inner, 2 * c->inner, sizeof(real), error) ||
           take(d, &d->scores, c->context, sizeof(real), error) ||
           take(d, &d->row, widest > c->latent_width ? widest : c->latent_width, sizeof(real),
                error) ||
           take(d, &d->logits, c->vocabulary, sizeof(real), error) ||
           take(d, &d->told, c->latent_width, sizeof(real), error) ||
           take(d, &d->told_mask, c->latent_width, sizeof(real), error) ||
           take(d, &d->latent, c->latent_width, sizeof(real), error) ||
           take(d, &d->precision, c->latent_width, sizeof(real), error) ||
           take(d, &d->information, c->latent_width, sizeof(real), error) ||
           take(d, &d->mean, c->latent_width, sizeof(real), error) ||
           take(d, &d->raw, 2 * c->latent_width, sizeof(real), error);
}

int decoder_create(struct decoder **out, const struct weights *weights, struct error *error) {
    *out = NULL;
    struct decoder *d = memory_allocate(1, sizeof *d, error);
    if (d == NULL)
        return -1;
    d->weights = *weights;
    if (take_all(d, error)) {
        decoder_destroy(d);
        return -1;
    }
    rope_table(d->cosine, d->sine, weights->config->context, weights->config->head_width,
               weights->config->rope_base);
    decoder_start(d, &(struct pass_handle){0});
    *out = d;
    return 0;
}

void decoder_destroy(struct decoder *d) {
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->block_count; i++)
        memory_free(d->blocks[i]);
    memory_free(d);
}

void decoder_start(struct decoder *d, const struct pass_handle *handle) {
    d->position = 0;
    for (size_t i = 0; i < d->weights.config->latent_width; i++) {
        d->told[i] = handle->told != NULL ? handle->told[i] : 0;
        d->told_mask[i] = handle->told_mask != NULL ? handle->told_mask[i] : 0;
        d->precision[i] = handle->start_precision != NULL ? handle->start_precision[i] : 1;
        d->information[i] = handle->start_information != NULL ? handle->start_information[i] : 0;
        d->mean[i] = d->information[i] / d->precision[i];
    }
}

VECTOR_CLONES static real dot_real(const real *a, const real *b, size_t n) {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

VECTOR_CLONES static real dot_bf16(const real *a, const uint16_t *b, size_t n) {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)b[i] << 16;
        float value;
        __builtin_memcpy(&value, &bits, sizeof value);
        sum += a[i] * (real)value;
    }
    return sum;
}

static real dot(const real *a, const void *b, size_t n, enum precision precision) {
    return precision == PRECISION_BF16 ? dot_bf16(a, b, n) : dot_real(a, b, n);
}

/* out[rows] (+)= W[rows,columns] x, W at `offset` of the flat parameters. */
static void multiply(const struct decoder *d, real *out, const real *x, size_t offset, size_t rows,
                     size_t columns, int accumulate) {
    enum precision precision = d->weights.precision;
    for (size_t i = 0; i < rows; i++) {
        real sum = dot(x, operand_at(d->weights.operands, offset + i * columns, precision), columns,
                       precision);
        out[i] = accumulate ? out[i] + sum : sum;
    }
}

static void normalise(struct decoder *d, size_t gain) {
    real inverse;
    rmsnorm_forward(d->normed, &inverse, d->stream, d->weights.values + gain, 1,
                    d->weights.config->width, (real)d->weights.config->epsilon, PRECISION_REAL,
                    d->row);
}

VECTOR_CLONES static void add_weighted(real *restrict out, const real *restrict x, real weight,
                                       size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] += weight * x[i];
}

/* One query head over the cache of its shared key/value head. */
static void attend_head(struct decoder *d, size_t l, size_t h) {
    const struct config *c = d->weights.config;
    enum precision precision = d->weights.precision;
    size_t shared = c->key_value_heads * c->head_width, count = d->position + 1;
    size_t offset = l * c->context * shared + h / (c->heads / c->key_value_heads) * c->head_width;
    const real *query = d->packed + h * c->head_width;
    real *out = d->attended + h * c->head_width, maximum = -INFINITY, sum = 0;
    real scale = (real)(1 / sqrt((double)c->head_width));
    for (size_t t = 0; t < count; t++) {
        d->scores[t] = scale * dot(query, operand_at(d->keys, offset + t * shared, precision),
                                   c->head_width, precision);
        maximum = d->scores[t] > maximum ? d->scores[t] : maximum;
    }
    memset(out, 0, c->head_width * sizeof *out);
    for (size_t t = 0; t < count; t++) {
        real weight = exponential(d->scores[t] - maximum);
        sum += weight;
        operand_load(d->row, operand_at(d->values, offset + t * shared, precision), c->head_width,
                     precision);
        add_weighted(out, d->row, weight, c->head_width);
    }
    for (size_t i = 0; i < c->head_width; i++)
        out[i] /= sum;
}

static void run_block(struct decoder *d, size_t l) {
    const struct config *c = d->weights.config;
    const struct block_layout *at = &d->weights.layout->blocks[l];
    enum precision precision = d->weights.precision;
    size_t attention = c->heads * c->head_width, shared = c->key_value_heads * c->head_width;
    size_t half = c->head_width / 2, slot = (l * c->context + d->position) * shared;
    normalise(d, at->attention_norm);
    multiply(d, d->packed, d->normed, at->qkv, attention + 2 * shared, c->width, 0);
    rope_rotate(d->packed, d->cosine + d->position * half, d->sine + d->position * half,
                c->heads + c->key_value_heads, c->head_width, 1);
    operand_store(operand_at(d->keys, slot, precision), d->packed + attention, shared, precision);
    operand_store(operand_at(d->values, slot, precision), d->packed + attention + shared, shared,
                  precision);
    for (size_t h = 0; h < c->heads; h++)
        attend_head(d, l, h);
    multiply(d, d->stream, d->attended, at->attention_out, c->width, attention, 1);
    normalise(d, at->feed_norm);
    multiply(d, d->inner, d->normed, at->gate_up, 2 * c->inner, c->width, 0);
    for (size_t i = 0; i < c->inner; i++)
        d->inner[i] *= sigmoid(d->inner[i]) * d->inner[c->inner + i];
    multiply(d, d->stream, d->inner, at->down, c->width, c->inner, 1);
}

/* The evidence of the present token, added to the running handle. */
static void read_token(struct decoder *d) {
    const struct config *c = d->weights.config;
    const struct layout *layout = d->weights.layout;
    normalise(d, layout->evidence_norm);
    multiply(d, d->raw, d->normed, layout->evidence_weight, 2 * c->latent_width, c->width, 0);
    for (size_t i = 0; i < 2 * c->latent_width; i++)
        d->raw[i] += d->weights.values[layout->evidence_bias + i];
    int32_t recent[MAXIMUM_NGRAM_ORDERS];
    uint32_t rows[MAXIMUM_NGRAM_ORDERS * MAXIMUM_NGRAM_ORDERS];
    size_t known = d->position + 1 < c->ngram_orders ? d->position + 1 : c->ngram_orders;
    for (size_t i = 0; i < known; i++)
        recent[i] = (int32_t)d->history[d->position + 1 - known + i];
    ngram_rows(rows, recent, known, c);
    struct evidence_buffers one = {
        .lambda = d->latent, .mu = d->row, .precision = d->precision, .mean = d->mean};
    real before[4096];
    memcpy(before, d->precision, c->latent_width * sizeof *before);
    evidence_forward(&one, d->raw, known > 0 ? rows + (known - 1) * c->ngram_orders : rows,
                     d->weights.ngrams, before, d->information, 1, 1, c);
    for (size_t i = 0; i < c->latent_width; i++)
        d->information[i] = d->mean[i] * d->precision[i];
}

static void forward(struct decoder *d, uint32_t token, int with_evidence) {
    const struct config *c = d->weights.config;
    const struct layout *layout = d->weights.layout;
    d->history[d->position] = token;
    memcpy(d->stream, d->weights.values + layout->embedding + (size_t)token * c->width,
           c->width * sizeof(real));
    for (size_t l = 0; l < c->split; l++)
        run_block(d, l);
    if (c->latent_width > 0) {
        if (with_evidence)
            read_token(d);
        for (size_t i = 0; i < c->latent_width; i++)
            d->latent[i] = d->told_mask[i] != 0 ? d->told[i] : d->mean[i];
    }
    for (size_t l = c->split; l < c->blocks; l++) {
        run_block(d, l);
        if (c->latent_width > 0)
            multiply(d, d->stream, d->latent, layout->blocks[l].injection, c->width,
                     c->latent_width, 1);
    }
    d->position++;
}

const real *decoder_step(struct decoder *d, uint32_t token) {
    const struct config *c = d->weights.config;
    if (d->position == c->context) {
        /* Positions are part of the cached keys, so the kept half is run again from zero. */
        size_t kept = c->context / 2, start = c->context - kept;
        d->position = 0;
        for (size_t i = 0; i < kept; i++)
            forward(d, d->history[start + i], 0);
    }
    forward(d, token, 1);
    normalise(d, d->weights.layout->final_norm);
    multiply(d, d->logits, d->normed, d->weights.layout->embedding, c->vocabulary, c->width, 0);
    return d->logits;
}

const real *decoder_mean(const struct decoder *d) {
    return d->mean;
}

const real *decoder_precision(const struct decoder *d) {
    return d->precision;
}
