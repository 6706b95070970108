#include "model/decoder_block.h"

#include <string.h>

#include "math/exponential.h"
#include "math/half.h"
#include "math/norm.h"

/* A share of n items. */
struct range {
    size_t first, last;
};

static struct range share(const struct decoder_team *team, size_t n) {
    return (struct range){n * team->id / team->threads, n * (team->id + 1) / team->threads};
}

/* The same in multiples of 16 but for the last: whole cache lines of results. */
static struct range share_lines(const struct decoder_team *team, size_t n) {
    size_t lines = (n + 15) / 16;
    struct range r = {lines * team->id / team->threads * 16,
                      lines * (team->id + 1) / team->threads * 16};
    r.first = r.first < n ? r.first : n;
    r.last = r.last < n ? r.last : n;
    return r;
}

static int is_wide(size_t count) {
    return count > PRODUCT_ROWS;
}

/* What the next product reads, from x[count,columns]. Of a few rows every thread quantises all for
 * itself, which is quicker than to wait for each other; of many each does its share. */
static void set_input(struct decoder *d, const struct decoder_team *team, const real *x,
                      size_t count, size_t columns) {
    if (!is_wide(count)) {
        activations_set(&team->lane->x, x, count, columns);
        return;
    }
    struct range r = share(team, count);
    operand_store(operand_at(d->wide_operands, r.first * columns, d->weights.precision),
                  x + r.first * columns, (r.last - r.first) * columns, d->weights.precision);
    barrier_wait(&d->barrier, team->threads);
}

/* The same from the normalised rows of the stream. */
static void set_normed_input(struct decoder *d, const struct decoder_team *team,
                             struct decoder_buffers *b, const real *gain, size_t count) {
    const struct config *c = d->weights.config;
    real inverse[PRODUCT_ROWS], *scratch = team->lane->scratch;
    if (!is_wide(count)) {
        rmsnorm_forward(scratch + c->width, inverse, b->stream, gain, count, c->width,
                        (real)c->epsilon, PRECISION_REAL, scratch);
        activations_set(&team->lane->x, scratch + c->width, count, c->width);
        return;
    }
    struct range r = share(team, count);
    for (size_t t = r.first; t < r.last; t++)
        rmsnorm_forward(operand_at(d->wide_operands, t * c->width, d->weights.precision), inverse,
                        b->stream + t * c->width, gain, 1, c->width, (real)c->epsilon,
                        d->weights.precision, scratch);
    barrier_wait(&d->barrier, team->threads);
}

/* out[m * stride + r] += scale B[r] . (A x[m]) for rows r of the share. */
static void add_adapter(const struct product *p, const struct adapter *adapter,
                        const struct activations *x, real *out, size_t stride, struct range r,
                        real *scratch) {
    size_t rank = adapter->rank;
    struct activations low = {.count = x->count, .columns = rank, .values = scratch};
    struct matrix a = {.data = adapter->a, .is_real = 1, .rows = rank, .columns = p->in};
    struct matrix b = {.data = adapter->b, .is_real = 1, .rows = p->out, .columns = rank};
    quant_product(scratch, rank, 0, &a, 0, rank, x);
    for (size_t i = 0; i < x->count * rank; i++)
        scratch[i] *= adapter->scale;
    quant_product(out + r.first, stride, 1, &b, r.first, r.last, &low);
}

static void few_product(const struct decoder_team *team, const struct product *p, real *out,
                        size_t stride, int accumulate, struct range r) {
    const struct activations *x = &team->lane->x;
    for (size_t i = 0, start = 0; i < p->part_count; start += p->parts[i++].rows) {
        size_t end = start + p->parts[i].rows;
        size_t from = r.first > start ? r.first : start, to = r.last < end ? r.last : end;
        if (from < to)
            quant_product(out + from, stride, accumulate, &p->parts[i], from - start, to - start,
                          x);
    }
    for (size_t i = 0; i < p->adapter_count && r.first < r.last; i++)
        add_adapter(p, &p->adapters[i], x, out, stride, r, team->lane->scratch);
}

/* Rounded up, so that few different shapes are asked of oneDNN; what is in the rows beyond is
 * never looked at. */
static size_t rounded_rows(size_t count, size_t room) {
    size_t rounded = (count + 31) / 32 * 32;
    return rounded < room ? rounded : room;
}

static void wide_product(struct decoder *d, const struct decoder_team *team,
                         const struct product *p, real *out, size_t stride, int accumulate,
                         struct range r, size_t rows) {
    struct decoder_lane *lane = team->lane;
    for (size_t first = r.first; first < r.last; first += WEIGHT_ROWS) {
        size_t count = r.last - first < WEIGHT_ROWS ? r.last - first : WEIGHT_ROWS;
        const void *weights =
            product_operands(p, first, count, d->weights.precision, lane->operands, lane->reals);
        struct matmul_shape shape = {.m = (int)rows,
                                     .n = (int)count,
                                     .k = (int)p->in,
                                     .a_stride = (int)p->in,
                                     .b_stride = (int)p->in,
                                     .c_stride = (int)stride,
                                     .b_transposed = 1,
                                     .accumulate = accumulate};
        matmul_run(lane->matmul, &shape, out + first, d->wide_operands, weights);
    }
}

/* This thread's share of out[count,out] (+)= x W^T, x being what was set last. */
static void multiply(struct decoder *d, const struct decoder_team *team, const struct product *p,
                     real *out, size_t stride, int accumulate, struct range r,
                     const struct decoder_buffers *b, size_t count) {
    if (is_wide(count))
        wide_product(d, team, p, out, stride, accumulate, r, rounded_rows(count, b->rows));
    else
        few_product(team, p, out, stride, accumulate, r);
}

static void store_cache(struct decoder *d, void *cache, size_t at, const real *row, size_t n) {
    if (d->cache_is_real)
        memcpy((real *)cache + at, row, n * sizeof *row);
    else
        half_store((uint16_t *)cache + at, row, n);
}

/* Bias and rotation of the packed rows; keys and values go to the cache. Each thread takes heads,
 * as it takes heads of the attention. */
static void rotate_heads(struct decoder *d, const struct decoder_team *team,
                         const struct block_view *view, struct decoder_buffers *b, size_t l,
                         size_t count) {
    const struct config *c = d->weights.config;
    size_t width = c->head_width, half = width / 2, shared = c->key_value_heads * width;
    size_t queries = c->heads * width, packed = queries + 2 * shared;
    struct range r = share(team, c->heads + 2 * c->key_value_heads);
    for (size_t t = 0; t < count; t++) {
        size_t position = d->position + t, slot = (l * d->context + position) * shared;
        for (size_t h = r.first; h < r.last; h++) {
            real *row = b->packed + t * packed + h * width;
            for (size_t i = 0; view->qkv_bias != NULL && i < width; i++)
                row[i] += view->qkv_bias[h * width + i];
            if (h < c->heads + c->key_value_heads)
                rope_rotate(row, d->cosine + position * half, d->sine + position * half, 1, width,
                            d->rope_pairs, 1);
            if (h >= c->heads + c->key_value_heads)
                store_cache(d, d->values, slot + (h - c->heads - c->key_value_heads) * width, row,
                            width);
            else if (h >= c->heads)
                store_cache(d, d->keys, slot + (h - c->heads) * width, row, width);
        }
    }
}

static void *cache_at(const struct decoder *d, void *cache, size_t index) {
    return (char *)cache + index * (d->cache_is_real ? sizeof(real) : sizeof(uint16_t));
}

static void attend(struct decoder *d, const struct decoder_team *team, struct decoder_buffers *b,
                   size_t l, size_t count) {
    const struct config *c = d->weights.config;
    size_t width = c->head_width, shared = c->key_value_heads * width;
    size_t queries = c->heads * width, packed = queries + 2 * shared;
    struct range r = share(team, c->heads);
    for (size_t h = r.first; h < r.last; h++) {
        size_t offset = l * d->context * shared + h / (c->heads / c->key_value_heads) * width;
        struct cached_head head = {.queries = b->packed + h * width,
                                   .out = b->attended + h * width,
                                   .keys = cache_at(d, d->keys, offset),
                                   .values = cache_at(d, d->values, offset),
                                   .query_stride = packed,
                                   .out_stride = queries,
                                   .cache_stride = shared,
                                   .head_width = width,
                                   .first = d->position,
                                   .time = count,
                                   .cache_is_real = d->cache_is_real};
        cached_attention(&head, team->lane->scratch);
    }
}

VECTOR_CLONES static void gate_rows(real *restrict gate, const real *restrict up, size_t n) {
    for (size_t i = 0; i < n; i++)
        gate[i] *= sigmoid(gate[i]) * up[i];
}

/* Gate and up of the same inner units by the same thread; the result replaces the gate, and rows
 * are packed to F. */
static void feed_forward(struct decoder *d, const struct decoder_team *team,
                         const struct block_view *view, struct decoder_buffers *b, size_t count) {
    const struct config *c = d->weights.config;
    struct range gate = share_lines(team, c->inner);
    struct range up = {gate.first + c->inner, gate.last + c->inner};
    const struct product *p = &view->products[ADAPT_GATE_UP];
    set_normed_input(d, team, b, view->feed_norm, count);
    multiply(d, team, p, b->inner, 2 * c->inner, 0, gate, b, count);
    multiply(d, team, p, b->inner, 2 * c->inner, 0, up, b, count);
    for (size_t t = 0; t < count; t++) {
        real *row = b->inner + t * 2 * c->inner;
        gate_rows(row + gate.first, row + up.first, gate.last - gate.first);
    }
    barrier_wait(&d->barrier, team->threads);
}

/* Rows of `inner` have room for gate and up; the product reads the gate's half. */
static void set_inner_input(struct decoder *d, const struct decoder_team *team,
                            struct decoder_buffers *b, size_t count) {
    const struct config *c = d->weights.config;
    if (!is_wide(count)) {
        for (size_t t = 0; t < count; t++)
            memcpy(team->lane->scratch + t * c->inner, b->inner + t * 2 * c->inner,
                   c->inner * sizeof(real));
        activations_set(&team->lane->x, team->lane->scratch, count, c->inner);
        return;
    }
    struct range r = share(team, count);
    for (size_t t = r.first; t < r.last; t++)
        operand_store(operand_at(d->wide_operands, t * c->inner, d->weights.precision),
                      b->inner + t * 2 * c->inner, c->inner, d->weights.precision);
    barrier_wait(&d->barrier, team->threads);
}

static void run_block(struct decoder *d, const struct decoder_team *team, struct decoder_buffers *b,
                      size_t l, size_t count) {
    const struct config *c = d->weights.config;
    size_t attention = c->heads * c->head_width;
    size_t packed = attention + 2 * c->key_value_heads * c->head_width;
    struct block_view view;
    weights_block(&d->weights, l, &view);
    set_normed_input(d, team, b, view.attention_norm, count);
    multiply(d, team, &view.products[ADAPT_QKV], b->packed, packed, 0, share_lines(team, packed), b,
             count);
    barrier_wait(&d->barrier, team->threads);
    rotate_heads(d, team, &view, b, l, count);
    barrier_wait(&d->barrier, team->threads);
    attend(d, team, b, l, count);
    barrier_wait(&d->barrier, team->threads);
    set_input(d, team, b->attended, count, attention);
    multiply(d, team, &view.products[ADAPT_ATTENTION_OUT], b->stream, c->width, 1,
             share_lines(team, c->width), b, count);
    barrier_wait(&d->barrier, team->threads);
    feed_forward(d, team, &view, b, count);
    set_inner_input(d, team, b, count);
    multiply(d, team, &view.products[ADAPT_DOWN], b->stream, c->width, 1,
             share_lines(team, c->width), b, count);
    barrier_wait(&d->barrier, team->threads);
}

/* The evidence of one token, added to the running handle. */
static void read_token(struct decoder *d, struct decoder_buffers *b, size_t t,
                       struct decoder_lane *lane) {
    const struct config *c = d->weights.config;
    const struct layout *layout = d->weights.layout;
    size_t width = c->latent_width, position = d->position + t;
    real inverse, *normed = lane->scratch, *raw = lane->scratch + 2 * c->width;
    rmsnorm_forward(normed, &inverse, b->stream + t * c->width,
                    d->weights.values + layout->evidence_norm, 1, c->width, (real)c->epsilon,
                    PRECISION_REAL, normed + c->width);
    struct matrix head = weights_own(&d->weights, layout->evidence_weight, 2 * width, c->width);
    struct activations x = {.count = 1, .columns = c->width, .values = normed};
    quant_product(raw, 2 * width, 0, &head, 0, 2 * width, &x);
    for (size_t i = 0; i < 2 * width; i++)
        raw[i] += d->weights.values[layout->evidence_bias + i];
    int32_t recent[MAXIMUM_NGRAM_ORDERS];
    uint32_t rows[MAXIMUM_NGRAM_ORDERS * MAXIMUM_NGRAM_ORDERS];
    size_t known = position + 1 < c->ngram_orders ? position + 1 : c->ngram_orders;
    for (size_t i = 0; i < known; i++)
        recent[i] = (int32_t)d->history[position + 1 - known + i];
    ngram_rows(rows, recent, known, c);
    real before[4096], lambda[4096], mu[4096];
    struct evidence_buffers one = {
        .lambda = lambda, .mu = mu, .precision = d->precision, .mean = d->mean};
    memcpy(before, d->precision, width * sizeof *before);
    evidence_forward(&one, raw, known > 0 ? rows + (known - 1) * c->ngram_orders : rows,
                     d->weights.ngrams, before, d->information, 1, 1, c);
    for (size_t i = 0; i < width; i++)
        d->information[i] = d->mean[i] * d->precision[i];
}

/* latent[count,Z] <- what is told, and the running handle after each token. */
static void read_tokens(struct decoder *d, struct decoder_buffers *b, size_t count,
                        struct decoder_lane *lane, int with_evidence) {
    size_t width = d->weights.config->latent_width;
    for (size_t t = 0; t < count; t++) {
        if (with_evidence)
            read_token(d, b, t, lane);
        for (size_t i = 0; i < width; i++)
            b->latent[t * width + i] = d->told_mask[i] != 0 ? d->told[i] : d->mean[i];
    }
}

/* stream += W_l z, of this thread's share of the width. */
static void inject(struct decoder *d, const struct decoder_team *team, struct decoder_buffers *b,
                   size_t l, size_t count) {
    const struct config *c = d->weights.config;
    struct range r = share_lines(team, c->width);
    struct matrix injection =
        weights_own(&d->weights, d->weights.layout->blocks[l].injection, c->width, c->latent_width);
    for (size_t t = 0; t < count; t += PRODUCT_ROWS) {
        struct activations z = {.count = count - t < PRODUCT_ROWS ? count - t : PRODUCT_ROWS,
                                .columns = c->latent_width,
                                .values = b->latent + t * c->latent_width};
        quant_product(b->stream + t * c->width + r.first, c->width, 1, &injection, r.first, r.last,
                      &z);
    }
    barrier_wait(&d->barrier, team->threads);
}

void decoder_blocks(struct decoder *d, const struct decoder_team *team, struct decoder_buffers *b,
                    size_t count, int with_evidence) {
    const struct config *c = d->weights.config;
    for (size_t l = 0; l < c->blocks; l++) {
        if (l == c->split && c->latent_width > 0) {
            if (team->id == 0)
                read_tokens(d, b, count, team->lane, with_evidence);
            barrier_wait(&d->barrier, team->threads);
        }
        run_block(d, team, b, l, count);
        if (l >= c->split && c->latent_width > 0)
            inject(d, team, b, l, count);
    }
    /* split == blocks: nothing writes, but the handle is read. */
    if (c->split == c->blocks && c->latent_width > 0) {
        if (team->id == 0)
            read_tokens(d, b, count, team->lane, with_evidence);
        barrier_wait(&d->barrier, team->threads);
    }
}
