#include "model/block.h"

#include <string.h>

void block_load(struct block_operands *o, const struct weights *w, size_t l,
                struct block_scratch *s) {
    weights_block(w, l, &o->view);
    for (int target = 0; target < ADAPTER_TARGETS; target++) {
        const struct product *p = &o->view.products[target];
        const struct matrix *only = &p->parts[0];
        if (w->unpacked != NULL) {
            o->weights[target] = w->unpacked->matrices[l][target];
            continue;
        }
        if (w->base == NULL && p->adapter_count == 0) {
            o->weights[target] = only->data;
            continue;
        }
        o->weights[target] = s->weights[target];
        for (size_t first = 0; first < p->out; first += BLOCK_WEIGHT_ROWS) {
            size_t count = p->out - first < BLOCK_WEIGHT_ROWS ? p->out - first : BLOCK_WEIGHT_ROWS;
            void *room = operand_at(s->weights[target], first * p->in, w->precision);
            const void *rows =
                product_operands(p, first, count, w->precision, room, s->weight_rows);
            if (rows != room)
                memcpy(room, rows, count * p->in * operand_bytes(w->precision));
        }
    }
}

/* stream += x W^T. */
static void add_projection(struct matmul *matmul, real *stream, const void *x, const void *weight,
                           size_t rows, size_t in, size_t out) {
    struct matmul_shape shape = {.m = (int)rows,
                                 .n = (int)out,
                                 .k = (int)in,
                                 .a_stride = (int)in,
                                 .b_stride = (int)in,
                                 .c_stride = (int)out,
                                 .b_transposed = 1,
                                 .accumulate = 1};
    matmul_run(matmul, &shape, stream, x, weight);
}

/* Adds the bias (NULL: none), rotates the query and key heads of every row and writes the row as
 * operands. */
static void rotate_rows(void *out, real *rows, const real *bias, const struct block_scratch *s,
                        int direction, enum precision precision) {
    const struct attention_shape *shape = &s->attention_shape;
    size_t turned = shape->heads + shape->key_value_heads, half = shape->head_width / 2;
    size_t packed = (turned + shape->key_value_heads) * shape->head_width;
    for (size_t r = 0; r < shape->sequences * shape->time; r++) {
        size_t t = r % shape->time;
        for (size_t i = 0; bias != NULL && i < packed; i++)
            rows[r * packed + i] += bias[i];
        rope_rotate(rows + r * packed, s->cosine + t * half, s->sine + t * half, turned,
                    shape->head_width, s->rope_pairs, direction);
        operand_store(operand_at(out, r * packed, precision), rows + r * packed, packed, precision);
    }
}

void block_forward(struct matmul *matmul, const struct weights *w, const struct block_operands *o,
                   real *stream, struct block_activations *a, struct block_scratch *s) {
    const struct config *c = w->config;
    enum precision precision = w->precision;
    size_t rows = s->attention_shape.sequences * s->attention_shape.time;
    size_t attention = c->heads * c->head_width;
    size_t packed = attention + 2 * c->key_value_heads * c->head_width;

    memcpy(a->input, stream, rows * c->width * sizeof(real));
    rmsnorm_forward(a->attention_normed, a->attention_inverse, stream, o->view.attention_norm, rows,
                    c->width, (real)c->epsilon, precision, s->row);
    matmul_linear(matmul, s->wide, 0, a->attention_normed, o->weights[ADAPT_QKV], (int)rows,
                  (int)c->width, (int)packed);
    rotate_rows(a->qkv, s->wide, o->view.qkv_bias, s, 1, precision);
    attention_forward(matmul, a->attention, a->log_sum, a->qkv, &s->attention_shape, s->attention);
    add_projection(matmul, stream, a->attention, o->weights[ADAPT_ATTENTION_OUT], rows, attention,
                   c->width);

    memcpy(a->middle, stream, rows * c->width * sizeof(real));
    rmsnorm_forward(a->feed_normed, a->feed_inverse, stream, o->view.feed_norm, rows, c->width,
                    (real)c->epsilon, precision, s->row);
    matmul_linear(matmul, a->gate_up, 1, a->feed_normed, o->weights[ADAPT_GATE_UP], (int)rows,
                  (int)c->width, (int)(2 * c->inner));
    swiglu_forward(a->inner, a->gate_up, rows, c->inner, precision, s->row);
    add_projection(matmul, stream, a->inner, o->weights[ADAPT_DOWN], rows, c->inner, c->width);
}

/* What backward adds gradients to. */
struct backward {
    struct matmul *matmul;
    const struct weights *weights;
    const struct block_operands *operands;
    const struct block_layout *at;
    size_t block;
    real *gradient;
    struct block_scratch *scratch;
    size_t rows;
};

static void scale_values(real *values, real factor, size_t n) {
    for (size_t i = 0; i < n; i++)
        values[i] *= factor;
}

/* Of y = x (W + scale B A)^T with W fixed: dB += scale dy^T (x A^T), dA += scale (dy B)^T x. The
 * last adapter of a product is the one that is trained; it lies at `at` in `operands` and in the
 * gradient. */
static void adapter_gradient(const struct backward *b, const struct product *p,
                             const struct adapter_layout *at, const void *operands, const void *dy,
                             const void *x) {
    const struct weights *w = b->weights;
    const struct adapter *adapter = &p->adapters[p->adapter_count - 1];
    struct block_scratch *s = b->scratch;
    int rows = (int)b->rows, rank = (int)adapter->rank, in = (int)p->in, out = (int)p->out;
    size_t count = b->rows * adapter->rank;
    matmul_linear(b->matmul, s->low, 0, x, operand_at(operands, at->a, w->precision), rows, in,
                  rank);
    scale_values(s->low, adapter->scale, count);
    operand_store(s->low_operand, s->low, count, w->precision);
    matmul_linear_weight_gradient(b->matmul, b->gradient + at->b, dy, s->low_operand, rows, rank,
                                  out);
    matmul_linear_input_gradient(b->matmul, s->low, 0, dy,
                                 operand_at(operands, at->b, w->precision), rows, rank, out);
    scale_values(s->low, adapter->scale, count);
    operand_store(s->low_operand, s->low, count, w->precision);
    matmul_linear_weight_gradient(b->matmul, b->gradient + at->a, s->low_operand, x, rows, in,
                                  rank);
}

/* The gradient by a matrix, or by what adapts it; dy[R,out] and x[R,in] are operands. */
static void weight_gradient(const struct backward *b, enum adapter_target target, const void *dy,
                            const void *x) {
    const struct product *p = &b->operands->view.products[target];
    const size_t own[ADAPTER_TARGETS] = {b->at->qkv, b->at->attention_out, b->at->gate_up,
                                         b->at->down};
    const struct weights *w = b->weights;
    if (w->overlay != NULL) {
        if (overlay_is_adapted(&w->overlay->config, b->block, target))
            adapter_gradient(b, p, &w->overlay->layout.adapters[b->block][target],
                             w->overlay->operands, dy, x);
    } else if (w->base == NULL) {
        matmul_linear_weight_gradient(b->matmul, b->gradient + own[target], dy, x, (int)b->rows,
                                      (int)p->in, (int)p->out);
    } else if (p->adapter_count > 0) {
        adapter_gradient(b, p, &b->at->adapters[target], w->operands, dy, x);
    }
}

/* Where the gradient by a gain goes. */
static real *gain_gradient(const struct backward *b, size_t offset) {
    int is_trained = b->weights->base == NULL && b->weights->overlay == NULL;
    return is_trained ? b->gradient + offset : b->scratch->unused_gain;
}

static void feed_backward(const struct backward *b, real *dstream,
                          const struct block_activations *a) {
    const struct config *c = b->weights->config;
    struct block_scratch *s = b->scratch;
    int count = (int)b->rows, width = (int)c->width, inner = (int)c->inner;
    weight_gradient(b, ADAPT_DOWN, s->residual_operand, a->inner);
    matmul_linear_input_gradient(b->matmul, s->wide, 0, s->residual_operand,
                                 b->operands->weights[ADAPT_DOWN], count, inner, width);
    swiglu_backward(s->wide_operand, s->wide, a->gate_up, b->rows, c->inner, b->weights->precision,
                    s->row);
    weight_gradient(b, ADAPT_GATE_UP, s->wide_operand, a->feed_normed);
    matmul_linear_input_gradient(b->matmul, s->narrow, 0, s->wide_operand,
                                 b->operands->weights[ADAPT_GATE_UP], count, width, 2 * inner);
    rmsnorm_backward(dstream, gain_gradient(b, b->at->feed_norm), s->narrow, a->middle,
                     b->operands->view.feed_norm, a->feed_inverse, b->rows, c->width);
}

static void attention_part_backward(const struct backward *b, real *dstream,
                                    const struct block_activations *a) {
    const struct config *c = b->weights->config;
    struct block_scratch *s = b->scratch;
    int count = (int)b->rows, width = (int)c->width, attention = (int)(c->heads * c->head_width);
    int packed = attention + (int)(2 * c->key_value_heads * c->head_width);
    weight_gradient(b, ADAPT_ATTENTION_OUT, s->residual_operand, a->attention);
    struct matmul_shape shape = {.m = count,
                                 .n = attention,
                                 .k = width,
                                 .a_stride = width,
                                 .b_stride = attention,
                                 .c_stride = attention,
                                 .c_is_operand = 1};
    matmul_run(b->matmul, &shape, s->narrow_operand, s->residual_operand,
               b->operands->weights[ADAPT_ATTENTION_OUT]);
    attention_backward(b->matmul, s->wide, s->narrow_operand, a->attention, a->log_sum, a->qkv,
                       &s->attention_shape, s->attention);
    rotate_rows(s->wide_operand, s->wide, NULL, s, -1, b->weights->precision);
    weight_gradient(b, ADAPT_QKV, s->wide_operand, a->attention_normed);
    matmul_linear_input_gradient(b->matmul, s->narrow, 0, s->wide_operand,
                                 b->operands->weights[ADAPT_QKV], count, width, packed);
    rmsnorm_backward(dstream, gain_gradient(b, b->at->attention_norm), s->narrow, a->input,
                     b->operands->view.attention_norm, a->attention_inverse, b->rows, c->width);
}

void block_backward(struct matmul *matmul, const struct weights *w, const struct block_operands *o,
                    size_t l, real *dstream, real *gradient, const struct block_activations *a,
                    struct block_scratch *s) {
    struct backward b = {.matmul = matmul,
                         .weights = w,
                         .operands = o,
                         .at = &w->layout->blocks[l],
                         .block = l,
                         .gradient = gradient,
                         .scratch = s,
                         .rows = s->attention_shape.sequences * s->attention_shape.time};
    feed_backward(&b, dstream, a);
    operand_store(s->residual_operand, dstream, b.rows * w->config->width, w->precision);
    attention_part_backward(&b, dstream, a);
}
