#include "model/decoder_machine.h"

#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "math/norm.h"

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

static int lane_create(struct decoder_machine *m, struct decoder_lane *lane, size_t context,
                       struct error *error) {
    const struct config *c = m->weights.config;
    size_t widest = widest_input(c);
    widest = widest > c->latent_width ? widest : c->latent_width;
    lane->scratch_size = cached_attention_scratch_size(c->head_width, context);
    size_t least = (PRODUCT_ROWS + 2) * (widest + 2 * c->latent_width + MAXIMUM_RANK);
    lane->scratch_size = lane->scratch_size > least ? lane->scratch_size : least;
    lane->scratch = memory_allocate(lane->scratch_size, sizeof(real), error);
    return lane->scratch == NULL || activations_create(&lane->x, widest, error) ? -1 : 0;
}

int machine_create(struct decoder_machine **out, const struct weights *weights, size_t threads,
                   size_t context, struct error *error) {
    *out = NULL;
    struct decoder_machine *m = memory_allocate(1, sizeof *m, error);
    if (m == NULL)
        return -1;
    m->weights = *weights;
    m->weights.overlay = NULL;
    m->has_adapters =
        weights->config->adapter_rank > 0 || weights->overlay != NULL || weights->batcher != NULL;
    m->threads = threads > 0 ? threads : (size_t)omp_get_num_procs();
    m->cache_is_real = weights->base == NULL && weights->precision == PRECISION_REAL;
    m->logits = memory_allocate(PRODUCT_ROWS * weights->config->vocabulary, sizeof(real), error);
    m->lanes = memory_allocate(m->threads, sizeof *m->lanes, error);
    int failed = m->logits == NULL || m->lanes == NULL ||
                 buffers_create(&m->few, weights->config, PRODUCT_ROWS, error);
    for (size_t i = 0; !failed && i < m->threads; i++)
        failed = lane_create(m, &m->lanes[i], context, error) != 0;
    if (failed) {
        machine_destroy(m);
        return -1;
    }
    *out = m;
    return 0;
}

void machine_destroy(struct decoder_machine *m) {
    if (m == NULL)
        return;
    for (size_t i = 0; m->lanes != NULL && i < m->threads; i++) {
        activations_free(&m->lanes[i].x);
        matmul_destroy(m->lanes[i].matmul);
        memory_free(m->lanes[i].scratch);
        memory_free(m->lanes[i].operands);
        memory_free(m->lanes[i].reals);
    }
    buffers_free(&m->few);
    buffers_free(&m->wide);
    memory_free(m->wide_operands);
    memory_free(m->lanes);
    memory_free(m->logits);
    memory_free(m);
}

/* Each lane's room for weights as operands, made when the first long chunk comes. */
static int prepare_lanes(struct decoder_machine *m, struct error *error) {
    size_t count = WEIGHT_ROWS * widest_input(m->weights.config);
    size_t bytes = operand_bytes(m->weights.precision);
    for (size_t i = 0; i < m->threads; i++) {
        struct decoder_lane *lane = &m->lanes[i];
        if (lane->matmul != NULL)
            continue;
        lane->operands = memory_allocate(count, bytes, error);
        /* Only adapters are added in full precision. */
        lane->reals = memory_allocate(m->has_adapters ? count : 0, sizeof(real), error);
        if (lane->operands == NULL || lane->reals == NULL ||
            matmul_create(&lane->matmul, m->weights.precision, error))
            return -1;
    }
    return 0;
}

int machine_prepare_wide(struct decoder_machine *m, size_t count, struct error *error) {
    const struct config *c = m->weights.config;
    size_t rows = count < WIDE_CHUNK ? (count + 31) / 32 * 32 : WIDE_CHUNK;
    if (m->wide.rows >= rows)
        return 0;
    buffers_free(&m->wide);
    memory_free(m->wide_operands);
    m->wide_operands =
        memory_allocate(rows * widest_input(c), operand_bytes(m->weights.precision), error);
    return m->wide_operands == NULL || prepare_lanes(m, error) ||
                   buffers_create(&m->wide, c, rows, error)
               ? -1
               : 0;
}

void chunk_add(struct decoder_chunk *chunk, struct decoder *decoder, const uint32_t *tokens,
               size_t count) {
    struct decoder_group *group = &chunk->groups[chunk->group_count - (chunk->group_count > 0)];
    memcpy(decoder->history + decoder->position, tokens, count * sizeof *tokens);
    if (chunk->group_count == 0 || group->weights->overlay != decoder->weights.overlay)
        group = &chunk->groups[chunk->group_count++];
    if (group->count == 0)
        *group = (struct decoder_group){.weights = &decoder->weights, .first = chunk->rows};
    group->count += count;
    chunk->parts[chunk->part_count++] = (struct decoder_part){decoder, chunk->rows, count};
    chunk->rows += count;
}

/* One thread's share of the logits of rows from .. from+count-1 of the stream. Each thread
 * normalises all of them for itself. */
static void head_share(struct decoder_machine *m, const struct decoder_team *team,
                       const struct decoder_buffers *b, size_t from, size_t count) {
    const struct config *c = m->weights.config;
    struct matrix output = weights_output(&m->weights);
    struct activations *x = &team->lane->x;
    real inverse[PRODUCT_ROWS], *scratch = team->lane->scratch;
    size_t first = c->vocabulary * team->id / team->threads;
    size_t last = c->vocabulary * (team->id + 1) / team->threads;
    rmsnorm_forward(scratch + c->width, inverse, b->stream + from * c->width,
                    weights_final_norm(&m->weights), count, c->width, (real)c->epsilon,
                    PRECISION_REAL, scratch);
    activations_set(x, scratch + c->width, count, c->width);
    quant_product(m->logits + first, c->vocabulary, 0, &output, first, last, x);
}

static struct decoder_team team_member(struct decoder_machine *m) {
    size_t id = (size_t)omp_get_thread_num();
    return (struct decoder_team){id, (size_t)omp_get_num_threads(), &m->lanes[id]};
}

void machine_head(struct decoder_machine *m, const struct decoder_buffers *b, size_t from,
                  size_t count) {
#pragma omp parallel num_threads((int)m->threads)
    {
        struct decoder_team team = team_member(m);
        head_share(m, &team, b, from, count);
    }
}

static void load_embeddings(struct decoder_machine *m, struct decoder_buffers *b,
                            const struct decoder_chunk *chunk) {
    struct matrix embedding = weights_embedding(&m->weights);
    size_t width = m->weights.config->width;
    for (size_t i = 0; i < chunk->part_count; i++) {
        const struct decoder_part *part = &chunk->parts[i];
        const uint32_t *tokens = part->decoder->history + part->decoder->position;
        for (size_t t = 0; t < part->count; t++)
            matrix_load_row(b->stream + (part->first + t) * width, &embedding, tokens[t]);
    }
}

struct decoder_buffers *machine_run(struct decoder_machine *m, struct decoder_chunk *chunk,
                                    enum chunk_logits logits) {
    struct decoder_buffers *b = chunk->is_wide ? &m->wide : &m->few;
    size_t from = logits == LOGITS_LAST ? chunk->rows - 1 : 0;
    load_embeddings(m, b, chunk);
#pragma omp parallel num_threads((int)m->threads)
    {
        struct decoder_team team = team_member(m);
        decoder_blocks(m, &team, b, chunk);
        if (logits != LOGITS_NONE)
            head_share(m, &team, b, from, chunk->rows - from);
    }
    for (size_t i = 0; i < chunk->part_count; i++)
        chunk->parts[i].decoder->position += chunk->parts[i].count;
    return b;
}
