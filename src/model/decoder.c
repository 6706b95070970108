#include "model/decoder.h"

#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "math/norm.h"
#include "model/checkpoint.h"
#include "model/decoder_block.h"

enum { WIDE_CHUNK = 256, FEW_FOR_HEAD = PRODUCT_ROWS };

static int take(struct decoder *d, void *slot, size_t count, size_t size, struct error *error) {
    void *block = memory_allocate(count, size, error);
    if (block == NULL)
        return -1;
    d->blocks[d->block_count++] = block;
    memcpy(slot, &block, sizeof block);
    return 0;
}

/* The widest rows that products read. */
static size_t widest_input(const struct config *c) {
    size_t attention = c->heads * c->head_width;
    size_t widest = c->inner > c->width ? c->inner : c->width;
    return widest > attention ? widest : attention;
}

static void buffers_free(struct decoder_buffers *b) {
    memory_free(b->stream);
    memory_free(b->packed);
    memory_free(b->attended);
    memory_free(b->inner);
    memory_free(b->latent);
    *b = (struct decoder_buffers){0};
}

/* Buffers whose size is the number of tokens in a chunk. */
static int buffers_create(struct decoder_buffers *b, const struct config *c, size_t rows,
                          struct error *error) {
    size_t attention = c->heads * c->head_width;
    size_t packed = attention + 2 * c->key_value_heads * c->head_width;
    *b = (struct decoder_buffers){.rows = rows};
    b->stream = memory_allocate(rows * c->width, sizeof(real), error);
    b->packed = memory_allocate(rows * packed, sizeof(real), error);
    b->attended = memory_allocate(rows * attention, sizeof(real), error);
    b->inner = memory_allocate(rows * 2 * c->inner, sizeof(real), error);
    b->latent = memory_allocate(rows * c->latent_width, sizeof(real), error);
    if (b->stream && b->packed && b->attended && b->inner && b->latent)
        return 0;
    buffers_free(b);
    return -1;
}

static int take_all(struct decoder *d, struct error *error) {
    const struct config *c = d->weights.config;
    size_t shared = c->key_value_heads * c->head_width, half = c->head_width / 2;
    size_t bytes = d->cache_is_real ? sizeof(real) : sizeof(uint16_t), width = c->latent_width;
    return take(d, &d->history, d->context, sizeof *d->history, error) ||
           take(d, &d->keys, c->blocks * d->context * shared, bytes, error) ||
           take(d, &d->values, c->blocks * d->context * shared, bytes, error) ||
           take(d, &d->cosine, d->context * half, sizeof(real), error) ||
           take(d, &d->sine, d->context * half, sizeof(real), error) ||
           take(d, &d->logits, PRODUCT_ROWS * c->vocabulary, sizeof(real), error) ||
           take(d, &d->told, width, sizeof(real), error) ||
           take(d, &d->told_mask, width, sizeof(real), error) ||
           take(d, &d->precision, width, sizeof(real), error) ||
           take(d, &d->information, width, sizeof(real), error) ||
           take(d, &d->mean, width, sizeof(real), error) ||
           take(d, &d->marked, 3 * width, sizeof(real), error) ||
           take(d, &d->lanes, d->threads, sizeof *d->lanes, error) ||
           buffers_create(&d->few, c, PRODUCT_ROWS, error);
}

static int lane_create(struct decoder *d, struct decoder_lane *lane, struct error *error) {
    const struct config *c = d->weights.config;
    size_t widest = widest_input(c);
    widest = widest > c->latent_width ? widest : c->latent_width;
    lane->scratch_size = cached_attention_scratch_size(c->head_width, d->context);
    size_t least = (PRODUCT_ROWS + 2) * (widest + 2 * c->latent_width + MAXIMUM_RANK);
    lane->scratch_size = lane->scratch_size > least ? lane->scratch_size : least;
    lane->scratch = memory_allocate(lane->scratch_size, sizeof(real), error);
    return lane->scratch == NULL || activations_create(&lane->x, widest, error) ? -1 : 0;
}

int decoder_create(struct decoder **out, const struct weights *weights,
                   const struct decoder_options *options, struct error *error) {
    *out = NULL;
    struct decoder *d = memory_allocate(1, sizeof *d, error);
    if (d == NULL)
        return -1;
    size_t context =
        weights->base != NULL ? weights->base->config.context : weights->config->context;
    size_t wanted = options != NULL ? options->context : 0;
    d->weights = *weights;
    d->context = wanted > 0 && wanted < context             ? wanted
                 : wanted == 0 && context > DECODER_CONTEXT ? DECODER_CONTEXT
                                                            : context;
    d->threads =
        options != NULL && options->threads > 0 ? options->threads : (size_t)omp_get_num_procs();
    d->is_lean = options != NULL && options->is_lean;
    d->cache_is_real = weights->base == NULL && weights->precision == PRECISION_REAL;
    int failed = take_all(d, error) != 0;
    for (size_t i = 0; !failed && i < d->threads; i++)
        failed = lane_create(d, &d->lanes[i], error) != 0;
    if (failed) {
        decoder_destroy(d);
        return -1;
    }
    d->rope_pairs = weights_rope(weights, d->cosine, d->sine, d->context);
    decoder_start(d, &(struct pass_handle){0});
    *out = d;
    return 0;
}

void decoder_destroy(struct decoder *d) {
    if (d == NULL)
        return;
    for (size_t i = 0; d->lanes != NULL && i < d->threads; i++) {
        activations_free(&d->lanes[i].x);
        matmul_destroy(d->lanes[i].matmul);
        memory_free(d->lanes[i].scratch);
        memory_free(d->lanes[i].operands);
        memory_free(d->lanes[i].reals);
    }
    buffers_free(&d->few);
    buffers_free(&d->wide);
    memory_free(d->wide_operands);
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

/* Each lane's room for weights as operands, made when the first long chunk comes. */
static int prepare_lanes(struct decoder *d, struct error *error) {
    const struct config *c = d->weights.config;
    size_t count = WEIGHT_ROWS * widest_input(c), bytes = operand_bytes(d->weights.precision);
    for (size_t i = 0; i < d->threads; i++) {
        struct decoder_lane *lane = &d->lanes[i];
        if (lane->matmul != NULL)
            continue;
        lane->operands = memory_allocate(count, bytes, error);
        /* Only adapters are added in full precision. */
        lane->reals = memory_allocate(c->adapter_rank > 0 || d->weights.overlay != NULL ? count : 0,
                                      sizeof(real), error);
        if (lane->operands == NULL || lane->reals == NULL ||
            matmul_create(&lane->matmul, d->weights.precision, error))
            return -1;
    }
    return 0;
}

/* Buffers for chunks of a prompt of `count` tokens. */
static int prepare_wide(struct decoder *d, size_t count, struct error *error) {
    const struct config *c = d->weights.config;
    size_t rows = count < WIDE_CHUNK ? (count + 31) / 32 * 32 : WIDE_CHUNK;
    if (d->wide.rows >= rows)
        return 0;
    buffers_free(&d->wide);
    memory_free(d->wide_operands);
    d->wide_operands =
        memory_allocate(rows * widest_input(c), operand_bytes(d->weights.precision), error);
    return d->wide_operands == NULL || prepare_lanes(d, error) ||
                   buffers_create(&d->wide, c, rows, error)
               ? -1
               : 0;
}

/* One thread's share of the logits of rows from .. from+count-1 of the stream, at most
 * FEW_FOR_HEAD. Each thread normalises all of them for itself. */
static void head_share(struct decoder *d, const struct decoder_team *team,
                       const struct decoder_buffers *b, size_t from, size_t count) {
    const struct config *c = d->weights.config;
    struct matrix output = weights_output(&d->weights);
    struct activations *x = &team->lane->x;
    real inverse[PRODUCT_ROWS], *scratch = team->lane->scratch;
    size_t first = c->vocabulary * team->id / team->threads;
    size_t last = c->vocabulary * (team->id + 1) / team->threads;
    rmsnorm_forward(scratch + c->width, inverse, b->stream + from * c->width,
                    weights_final_norm(&d->weights), count, c->width, (real)c->epsilon,
                    PRECISION_REAL, scratch);
    activations_set(x, scratch + c->width, count, c->width);
    quant_product(d->logits + first, c->vocabulary, 0, &output, first, last, x);
}

static struct decoder_team team_member(struct decoder *d) {
    size_t id = (size_t)omp_get_thread_num();
    return (struct decoder_team){id, (size_t)omp_get_num_threads(), &d->lanes[id]};
}

static void run_head(struct decoder *d, const struct decoder_buffers *b, size_t from,
                     size_t count) {
#pragma omp parallel num_threads((int)d->threads)
    {
        struct decoder_team team = team_member(d);
        head_share(d, &team, b, from, count);
    }
}

/* Runs tokens[count], which fit the cache and the buffers, through the blocks; then the logits of
 * the last, if they are wanted. */
static struct decoder_buffers *run_chunk(struct decoder *d, const uint32_t *tokens, size_t count,
                                         int with_evidence, int with_logits) {
    const struct config *c = d->weights.config;
    struct decoder_buffers *b = count <= PRODUCT_ROWS ? &d->few : &d->wide;
    struct matrix embedding = weights_embedding(&d->weights);
    memcpy(d->history + d->position, tokens, count * sizeof *tokens);
    for (size_t t = 0; t < count; t++)
        matrix_load_row(b->stream + t * c->width, &embedding, tokens[t]);
#pragma omp parallel num_threads((int)d->threads)
    {
        struct decoder_team team = team_member(d);
        decoder_blocks(d, &team, b, count, with_evidence);
        if (with_logits)
            head_share(d, &team, b, count - 1, 1);
    }
    d->position += count;
    return b;
}

/* Makes room when the cache is full: positions are part of the cached keys, so the kept half is
 * run again from zero. */
static void forget_half(struct decoder *d) {
    size_t kept = d->context / 2, start = d->context - kept;
    memmove(d->history, d->history + start, kept * sizeof *d->history);
    d->position = 0;
    while (d->position < kept) {
        size_t left = kept - d->position;
        uint32_t tokens[PRODUCT_ROWS];
        size_t count = left < PRODUCT_ROWS ? left : PRODUCT_ROWS;
        memcpy(tokens, d->history + d->position, count * sizeof *tokens);
        run_chunk(d, tokens, count, 0, 0);
    }
}

const real *decoder_step(struct decoder *d, uint32_t token) {
    if (d->position == d->context)
        forget_half(d);
    run_chunk(d, &token, 1, 1, 1);
    return d->logits;
}

/* How many of `left` tokens the next chunk takes. */
static size_t chunk_size(struct decoder *d, size_t left) {
    if (d->position == d->context)
        forget_half(d);
    size_t room = d->context - d->position, count = left < WIDE_CHUNK ? left : WIDE_CHUNK;
    count = count < room ? count : room;
    /* Between the two kinds of product, several small chunks are faster than a large one. */
    int is_small = count < LEAST_WIDE || d->is_lean;
    return is_small && count > PRODUCT_ROWS ? PRODUCT_ROWS : count;
}

static void visit_chunk(struct decoder *d, struct decoder_buffers *b, size_t first, size_t count,
                        decoder_visit *visit, void *context) {
    for (size_t at = 0; at < count; at += FEW_FOR_HEAD) {
        size_t rows = count - at < FEW_FOR_HEAD ? count - at : FEW_FOR_HEAD;
        run_head(d, b, at, rows);
        for (size_t i = 0; i < rows; i++)
            visit(context, first + at + i, d->logits + i * d->weights.config->vocabulary);
    }
}

int decoder_prompt_visit(struct decoder *d, const uint32_t *tokens, size_t count,
                         decoder_visit *visit, void *context, struct error *error) {
    if (count >= LEAST_WIDE && !d->is_lean && prepare_wide(d, count, error))
        return -1;
    for (size_t at = 0; at < count;) {
        size_t chunk = chunk_size(d, count - at);
        int is_last = visit == NULL && at + chunk == count;
        struct decoder_buffers *b = run_chunk(d, tokens + at, chunk, 1, is_last);
        if (visit != NULL)
            visit_chunk(d, b, at, chunk, visit, context);
        at += chunk;
    }
    return 0;
}

const real *decoder_prompt(struct decoder *d, const uint32_t *tokens, size_t count,
                           struct error *error) {
    return decoder_prompt_visit(d, tokens, count, NULL, NULL, error) ? NULL : d->logits;
}

void decoder_mark(struct decoder *d) {
    size_t width = d->weights.config->latent_width, bytes = width * sizeof(real);
    memcpy(d->marked, d->precision, bytes);
    memcpy(d->marked + width, d->information, bytes);
    memcpy(d->marked + 2 * width, d->mean, bytes);
    d->marked_position = d->position;
}

void decoder_return(struct decoder *d) {
    size_t width = d->weights.config->latent_width, bytes = width * sizeof(real);
    memcpy(d->precision, d->marked, bytes);
    memcpy(d->information, d->marked + width, bytes);
    memcpy(d->mean, d->marked + 2 * width, bytes);
    d->position = d->marked_position;
}

void decoder_rewind(struct decoder *d, size_t position) {
    d->position = position < d->position ? position : d->position;
}

size_t decoder_position(const struct decoder *d) {
    return d->position;
}

const real *decoder_mean(const struct decoder *d) {
    return d->mean;
}

const real *decoder_precision(const struct decoder *d) {
    return d->precision;
}
