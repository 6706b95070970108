#include "model/decoder.h"

#include <string.h>

#include "base/cancellation.h"
#include "base/memory.h"
#include "model/batcher.h"
#include "model/checkpoint.h"
#include "model/decoder_machine.h"

static int take(struct decoder *d, void *slot, size_t count, size_t size, struct error *error) {
    void *block = memory_allocate(count, size, error);
    if (block == NULL)
        return -1;
    d->blocks[d->block_count++] = block;
    memcpy(slot, &block, sizeof block);
    return 0;
}

/* What only a text that others may take over from has. */
static int take_shared(struct decoder *d, struct error *error) {
    const struct config *c = d->weights.config;
    return take(d, &d->logits, c->vocabulary, sizeof(real), error) ||
           take(d, &d->start, 4 * c->latent_width, sizeof(real), error) ||
           take(d, &d->snapshots, d->context / PREFIX_BLOCK * 3 * c->latent_width, sizeof(real),
                error);
}

static int take_all(struct decoder *d, struct error *error) {
    const struct config *c = d->weights.config;
    size_t shared = c->key_value_heads * c->head_width, half = c->head_width / 2;
    size_t bytes = d->machine->cache_is_real ? sizeof(real) : sizeof(uint16_t);
    size_t width = c->latent_width;
    return take(d, &d->history, d->context, sizeof *d->history, error) ||
           take(d, &d->keys, c->blocks * d->context * shared, bytes, error) ||
           take(d, &d->values, c->blocks * d->context * shared, bytes, error) ||
           take(d, &d->cosine, d->context * half, sizeof(real), error) ||
           take(d, &d->sine, d->context * half, sizeof(real), error) ||
           take(d, &d->told, width, sizeof(real), error) ||
           take(d, &d->told_mask, width, sizeof(real), error) ||
           take(d, &d->precision, width, sizeof(real), error) ||
           take(d, &d->information, width, sizeof(real), error) ||
           take(d, &d->mean, width, sizeof(real), error) ||
           take(d, &d->marked, 3 * width, sizeof(real), error) ||
           (d->batcher != NULL && take_shared(d, error));
}

static size_t context_of(const struct weights *weights, size_t wanted) {
    size_t most = weights->base != NULL ? weights->base->config.context : weights->config->context;
    if (wanted == 0)
        return most < DECODER_CONTEXT ? most : DECODER_CONTEXT;
    return wanted < most ? wanted : most;
}

int decoder_create(struct decoder **out, const struct weights *weights,
                   const struct decoder_options *options, struct error *error) {
    static const struct decoder_options USUAL = {0};
    *out = NULL;
    options = options != NULL ? options : &USUAL;
    struct decoder *d = memory_allocate(1, sizeof *d, error);
    if (d == NULL)
        return -1;
    d->weights = *weights;
    d->context = context_of(weights, options->context);
    d->is_lean = options->is_lean;
    d->batcher = weights->batcher;
    int failed = 0;
    if (d->batcher != NULL)
        d->machine = batcher_machine(d->batcher);
    else
        failed = machine_create(&d->machine, weights, options->threads, d->context, error);
    if (failed || take_all(d, error)) {
        decoder_destroy(d);
        return -1;
    }
    if (d->batcher != NULL)
        batcher_join(d->batcher, d);
    else
        d->logits = d->machine->logits;
    d->rope_pairs = weights_rope(weights, d->cosine, d->sine, d->context);
    decoder_start(d, &(struct pass_handle){0});
    *out = d;
    return 0;
}

void decoder_destroy(struct decoder *d) {
    if (d == NULL)
        return;
    if (d->batcher != NULL)
        batcher_leave(d->batcher, d);
    else
        machine_destroy(d->machine);
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

/* Tokens of one text that fit its cache and the buffers, run by themselves. */
struct piece {
    struct decoder *decoder;
    const uint32_t *tokens;
    size_t count, first; /* first: of the prompt, for the visitor */
    int with_evidence, is_prompt;
    enum chunk_logits logits;
    decoder_visit *visit; /* or NULL */
    void *context;
};

static void visit_rows(const struct piece *piece, struct decoder_buffers *b) {
    struct decoder_machine *m = piece->decoder->machine;
    for (size_t at = 0; at < piece->count; at += PRODUCT_ROWS) {
        size_t rows = piece->count - at < PRODUCT_ROWS ? piece->count - at : PRODUCT_ROWS;
        machine_head(m, b, at, rows);
        for (size_t i = 0; i < rows; i++)
            piece->visit(piece->context, piece->first + at + i,
                         m->logits + i * m->weights.config->vocabulary);
    }
}

static void run_piece(void *context) {
    const struct piece *piece = context;
    struct decoder *d = piece->decoder;
    struct decoder_chunk chunk = {.with_evidence = piece->with_evidence};
    size_t start = d->position;
    d->prefix = d->prefix < start ? d->prefix : start;
    chunk.is_wide = piece->count > PRODUCT_ROWS || (d->batcher != NULL && piece->is_prompt);
    chunk_add(&chunk, d, piece->tokens, piece->count);
    struct decoder_buffers *b = machine_run(d->machine, &chunk, piece->logits);
    if (piece->visit != NULL)
        visit_rows(piece, b);
    if (d->batcher == NULL)
        return;
    if (d->prefix == start && piece->is_prompt)
        d->prefix = d->position / PREFIX_BLOCK * PREFIX_BLOCK;
    if (piece->logits == LOGITS_LAST)
        memcpy(d->logits, d->machine->logits, d->weights.config->vocabulary * sizeof(real));
}

static void run(struct piece piece) {
    batcher_alone(piece.decoder->batcher, run_piece, &piece);
}

/* Nobody else may be looking at the text meanwhile. */
static void forget_start(void *context) {
    struct decoder *d = context;
    size_t kept = d->context / 2, start = d->context - kept;
    memmove(d->history, d->history + start, kept * sizeof *d->history);
    d->position = d->prefix = 0;
}

/* Makes room when the cache is full: positions are part of the cached keys, so the kept half is
 * run again from zero. */
static void forget_half(struct decoder *d) {
    size_t kept = d->context / 2;
    batcher_alone(d->batcher, forget_start, d);
    while (d->position < kept) {
        size_t left = kept - d->position;
        uint32_t tokens[PRODUCT_ROWS];
        size_t count = left < PRODUCT_ROWS ? left : PRODUCT_ROWS;
        memcpy(tokens, d->history + d->position, count * sizeof *tokens);
        run((struct piece){.decoder = d, .tokens = tokens, .count = count});
    }
}

const real *decoder_step(struct decoder *d, uint32_t token) {
    if (d->position == d->context)
        forget_half(d);
    if (d->batcher != NULL)
        batcher_step(d->batcher, d, token);
    else
        run((struct piece){
            .decoder = d, .tokens = &token, .count = 1, .with_evidence = 1, .logits = LOGITS_LAST});
    return d->logits;
}

/* Under a batcher all of a prompt goes through oneDNN, so that a row is the same wherever the
 * reading begins, and taking over a part of a prompt changes no bit. Chunks end where blocks do. */
static size_t shared_chunk_size(const struct decoder *d, size_t left) {
    size_t most = d->is_lean ? PRODUCT_ROWS : SHARED_CHUNK - d->position % PREFIX_BLOCK;
    return left < most ? left : most;
}

/* How many of `left` tokens the next chunk takes. */
static size_t chunk_size(struct decoder *d, size_t left) {
    if (d->position == d->context)
        forget_half(d);
    size_t room = d->context - d->position;
    left = left < room ? left : room;
    if (d->batcher != NULL)
        return shared_chunk_size(d, left);
    size_t count = left < WIDE_CHUNK ? left : WIDE_CHUNK;
    /* Between the two kinds of product, several small chunks are faster than a large one. */
    int is_small = count < LEAST_WIDE || d->is_lean;
    return is_small && count > PRODUCT_ROWS ? PRODUCT_ROWS : count;
}

int decoder_prompt_visit(struct decoder *d, const uint32_t *tokens, size_t count,
                         decoder_visit *visit, void *context, struct error *error) {
    size_t at = 0;
    if (d->batcher == NULL && count >= LEAST_WIDE && !d->is_lean &&
        machine_prepare_wide(d->machine, count, error))
        return -1;
    /* Whoever wants to see every token's logits takes over nothing. */
    if (d->batcher != NULL && d->position == 0)
        at = batcher_adopt(d->batcher, d, tokens, visit == NULL ? count : 0);
    while (at < count) {
        if (cancellation_check(error))
            return -1;
        size_t chunk = chunk_size(d, count - at);
        int is_last = visit == NULL && at + chunk == count;
        run((struct piece){.decoder = d,
                           .tokens = tokens + at,
                           .count = chunk,
                           .first = at,
                           .with_evidence = 1,
                           .is_prompt = !d->is_lean,
                           .logits = is_last ? LOGITS_LAST : LOGITS_NONE,
                           .visit = visit,
                           .context = context});
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
