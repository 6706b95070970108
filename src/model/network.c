#include "model/network.h"

#include <string.h>

#include "base/memory.h"
#include "math/classifier.h"
#include "model/block.h"
#include "model/checkpoint.h"

struct pass {
    struct weights weights;
    size_t sequences, time, rows;
    struct matmul *matmul;
    struct block_scratch scratch;
    struct block_activations *blocks; /* [L] */
    struct block_operands operands;   /* of the block that runs */
    size_t lowest;                    /* the first block that backward must reach */
    const void *head;                 /* [V,D] operands of the output layer */
    real *residual;                   /* [R,D] the stream between blocks */
    real *split_residual;             /* [R,D] the stream between reader and writer */
    real *norm_inverse;               /* [R] final norm */
    void *normed;                     /* [R,D] operands: final norm's output */
    real *classifier_scratch;
    /* evidence */
    int32_t *tokens;        /* [R] */
    uint32_t *ngram_rows;   /* [R,orders] */
    real *evidence_inverse; /* [R] */
    void *evidence_normed;  /* [R,D] operands */
    real *raw;              /* [R,2Z] */
    struct evidence_buffers evidence;
    void *latent; /* [R,Z] operands: what the writer is given */
    /* gradients */
    real *dresidual, *dlatent, *draw;
    void *draw_operand;
    void **owned; /* every block above that came from memory_allocate */
    size_t owned_count;
};

enum { OWNED_LIMIT = 96 + 16 * MAXIMUM_BLOCKS };

static int take(struct pass *pass, void *slot, size_t count, size_t size, struct error *error) {
    void *block = memory_allocate(count, size, error);
    if (block == NULL)
        return -1;
    pass->owned[pass->owned_count++] = block;
    memcpy(slot, &block, sizeof block);
    return 0;
}

static int take_block(struct pass *pass, struct block_activations *a, struct error *error) {
    const struct config *c = pass->weights.config;
    size_t rows = pass->rows, bytes = operand_bytes(pass->weights.precision);
    size_t attention = c->heads * c->head_width;
    size_t packed = attention + 2 * c->key_value_heads * c->head_width;
    return take(pass, &a->input, rows * c->width, sizeof(real), error) ||
           take(pass, &a->attention_inverse, rows, sizeof(real), error) ||
           take(pass, &a->attention_normed, rows * c->width, bytes, error) ||
           take(pass, &a->qkv, rows * packed, bytes, error) ||
           take(pass, &a->log_sum, rows * c->heads, sizeof(real), error) ||
           take(pass, &a->attention, rows * attention, bytes, error) ||
           take(pass, &a->middle, rows * c->width, sizeof(real), error) ||
           take(pass, &a->feed_inverse, rows, sizeof(real), error) ||
           take(pass, &a->feed_normed, rows * c->width, bytes, error) ||
           take(pass, &a->gate_up, rows * 2 * c->inner, bytes, error) ||
           take(pass, &a->inner, rows * c->inner, bytes, error);
}

static int take_scratch(struct pass *pass, struct error *error) {
    const struct config *c = pass->weights.config;
    struct block_scratch *s = &pass->scratch;
    size_t attention = c->heads * c->head_width, half = c->head_width / 2;
    size_t packed = attention + 2 * c->key_value_heads * c->head_width;
    size_t widest = packed > 2 * c->inner ? packed : 2 * c->inner;
    widest = widest > c->width ? widest : c->width;
    s->attention_shape = (struct attention_shape){pass->sequences, pass->time, c->heads,
                                                  c->key_value_heads, c->head_width};
    size_t rows = pass->rows, bytes = operand_bytes(pass->weights.precision);
    if (take(pass, &s->wide, rows * widest, sizeof(real), error) ||
        take(pass, &s->wide_operand, rows * widest, bytes, error) ||
        take(pass, &s->narrow, rows * c->width, sizeof(real), error) ||
        take(pass, &s->narrow_operand, rows * (c->width > attention ? c->width : attention), bytes,
             error) ||
        take(pass, &s->residual_operand, rows * c->width, bytes, error) ||
        take(pass, &s->row, 4 * c->inner + 2 * c->width + packed, sizeof(real), error) ||
        take(pass, &s->attention, attention_scratch_size(&s->attention_shape), sizeof(real),
             error) ||
        take(pass, &s->cosine, pass->time * half, sizeof(real), error) ||
        take(pass, &s->sine, pass->time * half, sizeof(real), error))
        return -1;
    s->rope_pairs = weights_rope(&pass->weights, s->cosine, s->sine, pass->time);
    return 0;
}

/* Room for what is made of adapted matrices, a block at a time. */
static int take_adapted(struct pass *pass, struct error *error) {
    const struct config *c = pass->weights.config;
    struct block_scratch *s = &pass->scratch;
    size_t bytes = operand_bytes(pass->weights.precision), widest = 0, in, out;
    size_t rank = c->adapter_rank;
    if (pass->weights.overlay != NULL && pass->weights.overlay->config.rank > rank)
        rank = pass->weights.overlay->config.rank;
    for (int target = 0; target < ADAPTER_TARGETS; target++) {
        config_target_size(c, (enum adapter_target)target, &in, &out);
        widest = in > widest ? in : widest;
        if (take(pass, &s->weights[target], in * out, bytes, error))
            return -1;
    }
    return take(pass, &s->weight_rows, BLOCK_WEIGHT_ROWS * widest, sizeof(real), error) ||
           take(pass, &s->low, pass->rows * rank, sizeof(real), error) ||
           take(pass, &s->low_operand, pass->rows * rank, bytes, error) ||
           take(pass, &s->unused_gain, c->width, sizeof(real), error);
}

/* The first block whose parameters are trained, or that leads to some: of a base only what is
 * adapted, what is injected and what the evidence head asks for. */
static size_t lowest_trained(const struct weights *w) {
    const struct config *c = w->config;
    if (w->overlay != NULL)
        return c->latent_width > 0 ? c->split : w->overlay->config.first;
    if (!c->has_base)
        return 0;
    size_t lowest = c->latent_width > 0 ? c->split : c->blocks;
    return c->adapter_rank > 0 && c->adapter_targets != 0 && c->adapter_first < lowest
               ? c->adapter_first
               : lowest;
}

static int find_head(struct pass *pass, struct error *error) {
    const struct weights *w = &pass->weights;
    pass->head = w->base != NULL ? checkpoint_head(w->base, w->precision, error)
                                 : operand_at(w->operands, w->layout->embedding, w->precision);
    return pass->head != NULL ? 0 : -1;
}

static int take_evidence(struct pass *pass, struct error *error) {
    const struct config *c = pass->weights.config;
    size_t rows = pass->rows, width = c->latent_width;
    size_t bytes = operand_bytes(pass->weights.precision);
    return take(pass, &pass->ngram_rows, rows * c->ngram_orders, sizeof(uint32_t), error) ||
           take(pass, &pass->evidence_inverse, rows, sizeof(real), error) ||
           take(pass, &pass->evidence_normed, rows * c->width, bytes, error) ||
           take(pass, &pass->raw, rows * 2 * width, sizeof(real), error) ||
           take(pass, &pass->evidence.lambda, rows * width, sizeof(real), error) ||
           take(pass, &pass->evidence.mu, rows * width, sizeof(real), error) ||
           take(pass, &pass->evidence.precision, rows * width, sizeof(real), error) ||
           take(pass, &pass->evidence.mean, rows * width, sizeof(real), error) ||
           take(pass, &pass->latent, rows * width, bytes, error) ||
           take(pass, &pass->dlatent, rows * width, sizeof(real), error) ||
           take(pass, &pass->draw, rows * 2 * width, sizeof(real), error) ||
           take(pass, &pass->draw_operand, rows * 2 * width, bytes, error);
}

static size_t largest_scratch(const struct config *c) {
    size_t own = classifier_scratch_size(c->width, c->vocabulary);
    size_t distilling = classifier_distill_scratch_size(c->width, c->vocabulary);
    return own > distilling ? own : distilling;
}

static int take_all(struct pass *pass, int is_training, struct error *error) {
    const struct config *c = pass->weights.config;
    size_t rows = pass->rows, bytes = operand_bytes(pass->weights.precision);
    if (take(pass, &pass->blocks, c->blocks, sizeof *pass->blocks, error))
        return -1;
    for (size_t l = 0; l < c->blocks; l++) {
        /* Blocks that no backward pass reaches share one set of activations. */
        if (l > 0 && (!is_training || l < pass->lowest))
            pass->blocks[l] = pass->blocks[0];
        else if (take_block(pass, &pass->blocks[l], error))
            return -1;
    }
    if (take_scratch(pass, error) || take(pass, &pass->tokens, rows, sizeof(int32_t), error) ||
        take(pass, &pass->residual, rows * c->width, sizeof(real), error) ||
        take(pass, &pass->split_residual, rows * c->width, sizeof(real), error) ||
        take(pass, &pass->norm_inverse, rows, sizeof(real), error) ||
        take(pass, &pass->normed, rows * c->width, bytes, error) ||
        take(pass, &pass->dresidual, rows * c->width, sizeof(real), error) ||
        take(pass, &pass->classifier_scratch, largest_scratch(c), sizeof(real), error))
        return -1;
    if ((pass->weights.base != NULL || pass->weights.overlay != NULL) && take_adapted(pass, error))
        return -1;
    return c->latent_width > 0 ? take_evidence(pass, error) : 0;
}

int pass_create(struct pass **out, const struct weights *weights, size_t sequences, size_t time,
                int is_training, struct error *error) {
    *out = NULL;
    struct pass *pass = memory_allocate(1, sizeof *pass, error);
    if (pass == NULL)
        return -1;
    pass->weights = *weights;
    pass->sequences = sequences;
    pass->time = time;
    pass->rows = sequences * time;
    pass->lowest = lowest_trained(weights);
    pass->owned = memory_allocate(OWNED_LIMIT, sizeof *pass->owned, error);
    if (pass->owned == NULL || matmul_create(&pass->matmul, weights->precision, error) ||
        find_head(pass, error) || take_all(pass, is_training, error)) {
        pass_destroy(pass);
        return -1;
    }
    *out = pass;
    return 0;
}

void pass_destroy(struct pass *pass) {
    if (pass == NULL)
        return;
    for (size_t i = 0; i < pass->owned_count; i++)
        memory_free(pass->owned[i]);
    memory_free(pass->owned);
    matmul_destroy(pass->matmul);
    memory_free(pass);
}

const real *pass_mean(const struct pass *pass) {
    return pass->evidence.mean;
}

const real *pass_precision(const struct pass *pass) {
    return pass->evidence.precision;
}

const uint32_t *pass_ngram_rows(const struct pass *pass) {
    return pass->ngram_rows;
}

const void *pass_output(const struct pass *pass) {
    return pass->normed;
}

struct matmul *pass_matmul(struct pass *pass) {
    return pass->matmul;
}

static void read_evidence(struct pass *pass, const struct pass_handle *handle) {
    const struct config *c = pass->weights.config;
    const struct layout *layout = pass->weights.layout;
    const real *values = pass->weights.values, *bias = values + layout->evidence_bias;
    size_t width = c->latent_width;
    rmsnorm_forward(pass->evidence_normed, pass->evidence_inverse, pass->residual,
                    values + layout->evidence_norm, pass->rows, c->width, (real)c->epsilon,
                    pass->weights.precision, pass->scratch.row);
    matmul_linear(
        pass->matmul, pass->raw, 0, pass->evidence_normed,
        operand_at(pass->weights.operands, layout->evidence_weight, pass->weights.precision),
        (int)pass->rows, (int)c->width, (int)(2 * width));
    for (size_t r = 0; r < pass->rows; r++)
        for (size_t i = 0; i < 2 * width; i++)
            pass->raw[r * 2 * width + i] += bias[i];
    for (size_t b = 0; b < pass->sequences; b++)
        ngram_rows(pass->ngram_rows + b * pass->time * c->ngram_orders,
                   pass->tokens + b * pass->time, pass->time, c);
    evidence_forward(&pass->evidence, pass->raw, pass->ngram_rows, pass->weights.ngrams,
                     handle->start_precision, handle->start_information, pass->sequences,
                     pass->time, c);
}

static void run_block(struct pass *pass, size_t l) {
    block_load(&pass->operands, &pass->weights, l, &pass->scratch);
    block_forward(pass->matmul, &pass->weights, &pass->operands, pass->residual, &pass->blocks[l],
                  &pass->scratch);
}

void pass_read(struct pass *pass, const int32_t *tokens, const struct pass_handle *handle) {
    const struct config *c = pass->weights.config;
    memcpy(pass->tokens, tokens, pass->rows * sizeof *tokens);
    struct matrix embedding = weights_embedding(&pass->weights);
    for (size_t r = 0; r < pass->rows; r++)
        matrix_load_row(pass->residual + r * c->width, &embedding, (size_t)tokens[r]);
    for (size_t l = 0; l < c->split; l++)
        run_block(pass, l);
    memcpy(pass->split_residual, pass->residual, pass->rows * c->width * sizeof(real));
    if (c->latent_width > 0)
        read_evidence(pass, handle);
}

/* latent[R,Z] <- the told vector where it is told, the running mean elsewhere. */
static void resolve_latent(struct pass *pass, const struct pass_handle *handle) {
    size_t width = pass->weights.config->latent_width;
    real row[4096];
    for (size_t r = 0; r < pass->rows; r++) {
        size_t b = r / pass->time;
        for (size_t d = 0; d < width; d++) {
            real told = handle->told_mask == NULL ? 0 : handle->told_mask[b * width + d];
            row[d] = told != 0 ? handle->told[b * width + d] : pass->evidence.mean[r * width + d];
        }
        operand_store(operand_at(pass->latent, r * width, pass->weights.precision), row, width,
                      pass->weights.precision);
    }
}

static void run_writer(struct pass *pass, const struct pass_handle *handle) {
    const struct config *c = pass->weights.config;
    const struct layout *layout = pass->weights.layout;
    /* From where the reader left off, so that a text may be written more than once. */
    memcpy(pass->residual, pass->split_residual, pass->rows * c->width * sizeof(real));
    if (c->latent_width > 0)
        resolve_latent(pass, handle);
    for (size_t l = c->split; l < c->blocks; l++) {
        run_block(pass, l);
        if (c->latent_width > 0) {
            struct matmul_shape shape = {.m = (int)pass->rows,
                                         .n = (int)c->width,
                                         .k = (int)c->latent_width,
                                         .a_stride = (int)c->latent_width,
                                         .b_stride = (int)c->latent_width,
                                         .c_stride = (int)c->width,
                                         .b_transposed = 1,
                                         .accumulate = 1};
            matmul_run(pass->matmul, &shape, pass->residual, pass->latent,
                       operand_at(pass->weights.operands, layout->blocks[l].injection,
                                  pass->weights.precision));
        }
    }
    rmsnorm_forward(pass->normed, pass->norm_inverse, pass->residual,
                    weights_final_norm(&pass->weights), pass->rows, c->width, (real)c->epsilon,
                    pass->weights.precision, pass->scratch.row);
}

void pass_write(struct pass *pass, const struct pass_handle *handle, const int32_t *targets,
                real *losses) {
    const struct config *c = pass->weights.config;
    run_writer(pass, handle);
    if (targets != NULL)
        classifier_forward(pass->matmul, losses, pass->normed, pass->head, targets, pass->rows,
                           c->width, c->vocabulary, pass->classifier_scratch);
}

/* dW_l += dx^T z (not under an overlay), dz += dx W_l. Leaves dx as operands in the scratch, as
 * block_backward wants. */
static void injection_backward(struct pass *pass, size_t l, real *gradient) {
    const struct config *c = pass->weights.config;
    size_t at = pass->weights.layout->blocks[l].injection;
    if (pass->weights.overlay == NULL)
        matmul_linear_weight_gradient(pass->matmul, gradient + at, pass->scratch.residual_operand,
                                      pass->latent, (int)pass->rows, (int)c->latent_width,
                                      (int)c->width);
    matmul_linear_input_gradient(pass->matmul, pass->dlatent, 1, pass->scratch.residual_operand,
                                 operand_at(pass->weights.operands, at, pass->weights.precision),
                                 (int)pass->rows, (int)c->latent_width, (int)c->width);
}

/* Shares dlatent between the told vectors and the running means. */
static void latent_backward(struct pass *pass, const struct pass_handle *handle,
                            const struct pass_gradients *g) {
    size_t width = pass->weights.config->latent_width;
    memset(g->dtold, 0, pass->sequences * width * sizeof(real));
    for (size_t r = 0; r < pass->rows; r++) {
        size_t b = r / pass->time;
        for (size_t d = 0; d < width; d++) {
            int is_told = handle->told_mask != NULL && handle->told_mask[b * width + d] != 0;
            if (is_told)
                g->dtold[b * width + d] += pass->dlatent[r * width + d];
            else
                g->dmean[r * width + d] += g->handle_gradient * pass->dlatent[r * width + d];
        }
    }
}

static void evidence_head_backward(struct pass *pass, const struct pass_gradients *g) {
    const struct config *c = pass->weights.config;
    const struct layout *layout = pass->weights.layout;
    enum precision precision = pass->weights.precision;
    int rows = (int)pass->rows, width = (int)c->width, out = (int)(2 * c->latent_width);
    evidence_backward(pass->draw, g->dinformation, g->dmean, g->dprecision, &pass->evidence,
                      pass->raw, pass->sequences, pass->time, c);
    real *dbias = g->gradient + layout->evidence_bias;
    for (size_t r = 0; r < pass->rows; r++)
        for (size_t i = 0; i < 2 * c->latent_width; i++)
            dbias[i] += pass->draw[r * 2 * c->latent_width + i];
    operand_store(pass->draw_operand, pass->draw, pass->rows * 2 * c->latent_width, precision);
    matmul_linear_weight_gradient(pass->matmul, g->gradient + layout->evidence_weight,
                                  pass->draw_operand, pass->evidence_normed, rows, width, out);
    matmul_linear_input_gradient(
        pass->matmul, pass->scratch.narrow, 0, pass->draw_operand,
        operand_at(pass->weights.operands, layout->evidence_weight, precision), rows, width, out);
    /* The norm's own gain gets the whole gradient, the reader a share. */
    real *dstream = pass->scratch.wide;
    memset(dstream, 0, pass->rows * c->width * sizeof(real));
    rmsnorm_backward(dstream, g->gradient + layout->evidence_norm, pass->scratch.narrow,
                     pass->split_residual, pass->weights.values + layout->evidence_norm,
                     pass->evidence_inverse, pass->rows, c->width);
    for (size_t i = 0; i < pass->rows * c->width; i++)
        pass->dresidual[i] += g->evidence_gradient * dstream[i];
}

static void embedding_backward(struct pass *pass, real *gradient) {
    size_t width = pass->weights.config->width;
    real *table = gradient + pass->weights.layout->embedding;
    for (size_t r = 0; r < pass->rows; r++) {
        real *row = table + (size_t)pass->tokens[r] * width;
        for (size_t i = 0; i < width; i++)
            row[i] += pass->dresidual[r * width + i];
    }
}

static int is_output_trained(const struct pass *pass) {
    return pass->weights.base == NULL && pass->weights.overlay == NULL;
}

/* Gradient by the stream behind the last block, from that by the final norm's output, which must be
 * in the scratch; the last gain's own, where it is trained. */
static void final_norm_backward(struct pass *pass, real *gradient) {
    const struct config *c = pass->weights.config;
    memset(pass->dresidual, 0, pass->rows * c->width * sizeof(real));
    rmsnorm_backward(pass->dresidual,
                     is_output_trained(pass) ? gradient + pass->weights.layout->final_norm
                                             : pass->scratch.unused_gain,
                     pass->scratch.narrow, pass->residual, weights_final_norm(&pass->weights),
                     pass->norm_inverse, pass->rows, c->width);
}

/* Block l, whose gradient of the stream must be in the scratch as operands. */
static void backward_through(struct pass *pass, size_t l, real *gradient) {
    block_load(&pass->operands, &pass->weights, l, &pass->scratch);
    block_backward(pass->matmul, &pass->weights, &pass->operands, l, pass->dresidual, gradient,
                   &pass->blocks[l], &pass->scratch);
}

/* From the split down to the first block that is trained. */
static void reader_backward(struct pass *pass, real *gradient) {
    const struct config *c = pass->weights.config;
    for (size_t l = c->split; l-- > pass->lowest;) {
        operand_store(pass->scratch.residual_operand, pass->dresidual, pass->rows * c->width,
                      pass->weights.precision);
        backward_through(pass, l, gradient);
    }
    if (is_output_trained(pass))
        embedding_backward(pass, gradient);
}

/* After the writer ran, and the gradient by its output is in the scratch. */
static void written_backward(struct pass *pass, const struct pass_handle *handle,
                             const struct pass_gradients *g) {
    const struct config *c = pass->weights.config;
    size_t lowest_written = pass->lowest > c->split ? pass->lowest : c->split;
    final_norm_backward(pass, g->gradient);
    if (c->latent_width > 0)
        memset(pass->dlatent, 0, pass->rows * c->latent_width * sizeof(real));
    for (size_t l = c->blocks; l-- > lowest_written;) {
        operand_store(pass->scratch.residual_operand, pass->dresidual, pass->rows * c->width,
                      pass->weights.precision);
        if (c->latent_width > 0)
            injection_backward(pass, l, g->gradient);
        backward_through(pass, l, g->gradient);
    }
    if (c->latent_width > 0) {
        latent_backward(pass, handle, g);
        if (pass->weights.overlay == NULL)
            evidence_head_backward(pass, g);
    }
    reader_backward(pass, g->gradient);
}

void pass_write_backward(struct pass *pass, const struct pass_handle *handle,
                         const int32_t *targets, real *losses, const struct pass_gradients *g) {
    const struct config *c = pass->weights.config;
    if (!g->is_written)
        run_writer(pass, handle);
    classifier_forward_backward(
        pass->matmul, losses, pass->scratch.narrow,
        is_output_trained(pass) ? g->gradient + pass->weights.layout->embedding : NULL,
        pass->normed, pass->head, targets, g->scale, g->row_scales, pass->rows, c->width,
        c->vocabulary, pass->classifier_scratch);
    written_backward(pass, handle, g);
}

void pass_compare(struct pass *pass, const struct pass_lesson *lesson, real *losses) {
    const struct config *c = pass->weights.config;
    classifier_distill_forward(pass->matmul, losses, pass->normed, lesson->rows, lesson->teachers,
                               pass->head, pass->rows, c->width, c->vocabulary,
                               pass->classifier_scratch);
}

void pass_teach_backward(struct pass *pass, const struct pass_handle *handle,
                         const struct pass_lesson *lesson, real *losses,
                         const struct pass_gradients *g) {
    const struct config *c = pass->weights.config;
    run_writer(pass, handle);
    classifier_distill_forward_backward(
        pass->matmul, losses, pass->scratch.narrow, pass->normed, lesson->rows, lesson->teachers,
        pass->head, g->scale, pass->rows, c->width, c->vocabulary, pass->classifier_scratch);
    written_backward(pass, handle, g);
}

void pass_read_backward(struct pass *pass, const struct pass_gradients *g) {
    memset(pass->dresidual, 0, pass->rows * pass->weights.config->width * sizeof(real));
    evidence_head_backward(pass, g);
    reader_backward(pass, g->gradient);
}
