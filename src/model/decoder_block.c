#include "model/decoder_machine.h"

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

/* A block of one chunk, as one thread of the team sees it. */
struct run {
    struct decoder_machine *m;
    const struct decoder_team *team;
    struct decoder_buffers *b;
    const struct decoder_chunk *chunk;
    size_t l, count;                       /* the block; rows of the chunk */
    struct block_view views[PRODUCT_ROWS]; /* of the block, for each group of rows */
};

static void wait(const struct run *run) {
    barrier_wait(&run->m->barrier, run->team->threads);
}

static int is_wide(const struct run *run) {
    return run->chunk->is_wide;
}

/* What the next product reads, from x[count,columns]. Of a few rows every thread quantises all for
 * itself, which is quicker than to wait for each other; of many each does its share. */
static void set_input(const struct run *run, const real *x, size_t columns) {
    struct decoder_machine *m = run->m;
    if (!is_wide(run)) {
        activations_set(&run->team->lane->x, x, run->count, columns);
        return;
    }
    struct range r = share(run->team, run->count);
    operand_store(operand_at(m->wide_operands, r.first * columns, m->weights.precision),
                  x + r.first * columns, (r.last - r.first) * columns, m->weights.precision);
    wait(run);
}

/* The same from the normalised rows of the stream. */
static void set_normed_input(const struct run *run, const real *gain) {
    struct decoder_machine *m = run->m;
    const struct config *c = m->weights.config;
    real inverse[PRODUCT_ROWS], *scratch = run->team->lane->scratch;
    if (!is_wide(run)) {
        rmsnorm_forward(scratch + c->width, inverse, run->b->stream, gain, run->count, c->width,
                        (real)c->epsilon, PRECISION_REAL, scratch);
        activations_set(&run->team->lane->x, scratch + c->width, run->count, c->width);
        return;
    }
    struct range r = share(run->team, run->count);
    for (size_t t = r.first; t < r.last; t++)
        rmsnorm_forward(operand_at(m->wide_operands, t * c->width, m->weights.precision), inverse,
                        run->b->stream + t * c->width, gain, 1, c->width, (real)c->epsilon,
                        m->weights.precision, scratch);
    wait(run);
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

/* The weights are read once for all rows; then each group of rows gets what its adapters add. */
static void few_product(const struct run *run, enum adapter_target target, real *out, size_t stride,
                        int accumulate, struct range r) {
    const struct activations *x = &run->team->lane->x;
    const struct product *p = &run->views[0].products[target];
    for (size_t i = 0, start = 0; i < p->part_count; start += p->parts[i++].rows) {
        size_t end = start + p->parts[i].rows;
        size_t from = r.first > start ? r.first : start, to = r.last < end ? r.last : end;
        if (from < to)
            quant_product(out + from, stride, accumulate, &p->parts[i], from - start, to - start,
                          x);
    }
    for (size_t g = 0; g < run->chunk->group_count && r.first < r.last; g++) {
        const struct decoder_group *group = &run->chunk->groups[g];
        struct activations rows = {.count = group->count,
                                   .columns = x->columns,
                                   .values = x->values + group->first * x->columns};
        p = &run->views[g].products[target];
        for (size_t i = 0; i < p->adapter_count; i++)
            add_adapter(p, &p->adapters[i], &rows, out + group->first * stride, stride, r,
                        run->team->lane->scratch);
    }
}

/* Rounded up, so that few different shapes are asked of oneDNN; what is in the rows beyond is
 * never looked at. */
static size_t rounded_rows(size_t count, size_t room) {
    size_t rounded = (count + 31) / 32 * 32;
    return rounded < room ? rounded : room;
}

static void wide_product(const struct run *run, const struct product *p, real *out, size_t stride,
                         int accumulate, struct range r) {
    struct decoder_lane *lane = run->team->lane;
    for (size_t first = r.first; first < r.last; first += WEIGHT_ROWS) {
        size_t count = r.last - first < WEIGHT_ROWS ? r.last - first : WEIGHT_ROWS;
        const void *weights = product_operands(p, first, count, run->m->weights.precision,
                                               lane->operands, lane->reals);
        struct matmul_shape shape = {.m = (int)rounded_rows(run->count, run->b->rows),
                                     .n = (int)count,
                                     .k = (int)p->in,
                                     .a_stride = (int)p->in,
                                     .b_stride = (int)p->in,
                                     .c_stride = (int)stride,
                                     .b_transposed = 1,
                                     .accumulate = accumulate};
        matmul_run(lane->matmul, &shape, out + first, run->m->wide_operands, weights);
    }
}

/* This thread's share of out[count,out] (+)= x W^T, x being what was set last. */
static void multiply(const struct run *run, enum adapter_target target, real *out, size_t stride,
                     int accumulate, struct range r) {
    if (is_wide(run))
        wide_product(run, &run->views[0].products[target], out, stride, accumulate, r);
    else
        few_product(run, target, out, stride, accumulate, r);
}

static void store_cache(const struct decoder *d, void *cache, size_t at, const real *row,
                        size_t n) {
    if (d->machine->cache_is_real)
        memcpy((real *)cache + at, row, n * sizeof *row);
    else
        half_store((uint16_t *)cache + at, row, n);
}

/* Rotates one packed row; its keys and values go to the cache of its text. */
static void rotate_row(const struct run *run, struct decoder *d, size_t position, real *row,
                       struct range heads) {
    const struct config *c = run->m->weights.config;
    const real *bias = run->views[0].qkv_bias;
    size_t width = c->head_width, half = width / 2, shared = c->key_value_heads * width;
    size_t slot = (run->l * d->context + position) * shared, keys = c->heads;
    size_t values = keys + c->key_value_heads;
    for (size_t h = heads.first; h < heads.last; h++) {
        real *head = row + h * width;
        for (size_t i = 0; bias != NULL && i < width; i++)
            head[i] += bias[h * width + i];
        if (h < values)
            rope_rotate(head, d->cosine + position * half, d->sine + position * half, 1, width,
                        d->rope_pairs, 1);
        if (h >= values)
            store_cache(d, d->values, slot + (h - values) * width, head, width);
        else if (h >= keys)
            store_cache(d, d->keys, slot + (h - keys) * width, head, width);
    }
}

/* Each thread takes heads, as it takes heads of the attention. */
static void rotate_heads(const struct run *run) {
    const struct config *c = run->m->weights.config;
    size_t packed = (c->heads + 2 * c->key_value_heads) * c->head_width;
    struct range r = share(run->team, c->heads + 2 * c->key_value_heads);
    for (size_t i = 0; i < run->chunk->part_count; i++) {
        const struct decoder_part *part = &run->chunk->parts[i];
        for (size_t t = 0; t < part->count; t++)
            rotate_row(run, part->decoder, part->decoder->position + t,
                       run->b->packed + (part->first + t) * packed, r);
    }
}

static void *cache_at(const struct decoder *d, void *cache, size_t index) {
    return (char *)cache + index * (d->machine->cache_is_real ? sizeof(real) : sizeof(uint16_t));
}

static void attend_head(const struct run *run, const struct decoder_part *part, size_t h) {
    const struct config *c = run->m->weights.config;
    struct decoder *d = part->decoder;
    size_t width = c->head_width, shared = c->key_value_heads * width;
    size_t queries = c->heads * width, packed = queries + 2 * shared;
    size_t offset = run->l * d->context * shared + h / (c->heads / c->key_value_heads) * width;
    struct cached_head head = {.queries = run->b->packed + part->first * packed + h * width,
                               .out = run->b->attended + part->first * queries + h * width,
                               .keys = cache_at(d, d->keys, offset),
                               .values = cache_at(d, d->values, offset),
                               .query_stride = packed,
                               .out_stride = queries,
                               .cache_stride = shared,
                               .head_width = width,
                               .first = d->position,
                               .time = part->count,
                               .cache_is_real = run->m->cache_is_real,
                               .is_tiled = run->chunk->is_wide};
    cached_attention(&head, run->team->lane->scratch);
}

/* Texts differ in length: each thread takes the same heads of all. */
static void attend(const struct run *run) {
    struct range r = share(run->team, run->m->weights.config->heads);
    for (size_t i = 0; i < run->chunk->part_count; i++)
        for (size_t h = r.first; h < r.last; h++)
            attend_head(run, &run->chunk->parts[i], h);
}

VECTOR_CLONES static void gate_rows(real *restrict gate, const real *restrict up, size_t n) {
    for (size_t i = 0; i < n; i++)
        gate[i] *= sigmoid(gate[i]) * up[i];
}

/* Gate and up of the same inner units by the same thread; the result replaces the gate, and rows
 * are packed to F. */
static void feed_forward(const struct run *run) {
    const struct config *c = run->m->weights.config;
    struct range gate = share_lines(run->team, c->inner);
    struct range up = {gate.first + c->inner, gate.last + c->inner};
    set_normed_input(run, run->views[0].feed_norm);
    multiply(run, ADAPT_GATE_UP, run->b->inner, 2 * c->inner, 0, gate);
    multiply(run, ADAPT_GATE_UP, run->b->inner, 2 * c->inner, 0, up);
    for (size_t t = 0; t < run->count; t++) {
        real *row = run->b->inner + t * 2 * c->inner;
        gate_rows(row + gate.first, row + up.first, gate.last - gate.first);
    }
    wait(run);
}

/* Rows of `inner` have room for gate and up; the product reads the gate's half. */
static void set_inner_input(const struct run *run) {
    struct decoder_machine *m = run->m;
    struct decoder_lane *lane = run->team->lane;
    const real *gates = run->b->inner;
    size_t inner = m->weights.config->inner;
    if (!is_wide(run)) {
        for (size_t t = 0; t < run->count; t++)
            memcpy(lane->scratch + t * inner, gates + t * 2 * inner, inner * sizeof(real));
        activations_set(&lane->x, lane->scratch, run->count, inner);
        return;
    }
    struct range r = share(run->team, run->count);
    for (size_t t = r.first; t < r.last; t++)
        operand_store(operand_at(m->wide_operands, t * inner, m->weights.precision),
                      gates + t * 2 * inner, inner, m->weights.precision);
    wait(run);
}

static void run_block(struct run *run) {
    const struct config *c = run->m->weights.config;
    struct decoder_buffers *b = run->b;
    size_t attention = c->heads * c->head_width;
    size_t packed = attention + 2 * c->key_value_heads * c->head_width;
    for (size_t g = 0; g < run->chunk->group_count; g++)
        weights_block(run->chunk->groups[g].weights, run->l, &run->views[g]);
    set_normed_input(run, run->views[0].attention_norm);
    multiply(run, ADAPT_QKV, b->packed, packed, 0, share_lines(run->team, packed));
    wait(run);
    rotate_heads(run);
    wait(run);
    attend(run);
    wait(run);
    set_input(run, b->attended, attention);
    multiply(run, ADAPT_ATTENTION_OUT, b->stream, c->width, 1, share_lines(run->team, c->width));
    wait(run);
    feed_forward(run);
    set_inner_input(run);
    multiply(run, ADAPT_DOWN, b->stream, c->width, 1, share_lines(run->team, c->width));
    wait(run);
}

/* The evidence of one token, added to the running handle. */
static void read_token(struct decoder *d, const real *stream, size_t position,
                       struct decoder_lane *lane) {
    const struct config *c = d->weights.config;
    const struct layout *layout = d->weights.layout;
    size_t width = c->latent_width;
    real inverse, *normed = lane->scratch, *raw = lane->scratch + 2 * c->width;
    rmsnorm_forward(normed, &inverse, stream, d->weights.values + layout->evidence_norm, 1,
                    c->width, (real)c->epsilon, PRECISION_REAL, normed + c->width);
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

/* Keeps the running handle where another text may take over from. */
static void keep_snapshot(struct decoder *d, size_t position) {
    size_t width = d->weights.config->latent_width, bytes = width * sizeof(real);
    if (d->snapshots == NULL || (position + 1) % PREFIX_BLOCK != 0)
        return;
    real *at = d->snapshots + position / PREFIX_BLOCK * 3 * width;
    memcpy(at, d->precision, bytes);
    memcpy(at + width, d->information, bytes);
    memcpy(at + 2 * width, d->mean, bytes);
}

/* latent[count,Z] <- what is told, and the running handle after each token of the part. */
static void read_tokens(const struct run *run, const struct decoder_part *part) {
    struct decoder *d = part->decoder;
    size_t width = d->weights.config->latent_width, columns = d->weights.config->width;
    for (size_t t = 0; t < part->count; t++) {
        real *latent = run->b->latent + (part->first + t) * width;
        if (run->chunk->with_evidence) {
            read_token(d, run->b->stream + (part->first + t) * columns, d->position + t,
                       run->team->lane);
            keep_snapshot(d, d->position + t);
        }
        for (size_t i = 0; i < width; i++)
            latent[i] = d->told_mask[i] != 0 ? d->told[i] : d->mean[i];
    }
}

static void read_parts(const struct run *run) {
    for (size_t i = run->team->id; i < run->chunk->part_count; i += run->team->threads)
        read_tokens(run, &run->chunk->parts[i]);
    wait(run);
}

/* stream += W_l z, of this thread's share of the width. */
static void inject(const struct run *run) {
    const struct weights *weights = &run->m->weights;
    const struct config *c = weights->config;
    struct range r = share_lines(run->team, c->width);
    struct matrix injection =
        weights_own(weights, weights->layout->blocks[run->l].injection, c->width, c->latent_width);
    for (size_t t = 0; t < run->count; t += PRODUCT_ROWS) {
        size_t left = run->count - t;
        struct activations z = {.count = left < PRODUCT_ROWS ? left : PRODUCT_ROWS,
                                .columns = c->latent_width,
                                .values = run->b->latent + t * c->latent_width};
        quant_product(run->b->stream + t * c->width + r.first, c->width, 1, &injection, r.first,
                      r.last, &z);
    }
    wait(run);
}

void decoder_blocks(struct decoder_machine *m, const struct decoder_team *team,
                    struct decoder_buffers *b, const struct decoder_chunk *chunk) {
    const struct config *c = m->weights.config;
    struct run run = {.m = m, .team = team, .b = b, .chunk = chunk, .count = chunk->rows};
    for (run.l = 0; run.l < c->blocks; run.l++) {
        if (run.l == c->split && c->latent_width > 0)
            read_parts(&run);
        run_block(&run);
        if (run.l >= c->split && c->latent_width > 0)
            inject(&run);
    }
    /* split == blocks: nothing writes, but the handle is read. */
    if (c->split == c->blocks && c->latent_width > 0)
        read_parts(&run);
}
