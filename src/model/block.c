#include "model/block.h"

#include <string.h>

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

/* Rotates the query and key heads of every row and writes the row as operands. */
static void rotate_rows(void *out, real *rows, const struct block_scratch *s, int direction,
                        enum precision precision) {
    const struct attention_shape *shape = &s->attention_shape;
    size_t turned = shape->heads + shape->key_value_heads, half = shape->head_width / 2;
    size_t packed = (turned + shape->key_value_heads) * shape->head_width;
    for (size_t r = 0; r < shape->sequences * shape->time; r++) {
        size_t t = r % shape->time;
        rope_rotate(rows + r * packed, s->cosine + t * half, s->sine + t * half, turned,
                    shape->head_width, direction);
        operand_store(operand_at(out, r * packed, precision), rows + r * packed, packed, precision);
    }
}

void block_forward(struct matmul *matmul, const struct weights *w, size_t l, real *stream,
                   struct block_activations *a, struct block_scratch *s) {
    const struct config *c = w->config;
    const struct block_layout *at = &w->layout->blocks[l];
    enum precision precision = w->precision;
    size_t rows = s->attention_shape.sequences * s->attention_shape.time;
    size_t attention = c->heads * c->head_width;
    size_t packed = attention + 2 * c->key_value_heads * c->head_width;

    memcpy(a->input, stream, rows * c->width * sizeof(real));
    rmsnorm_forward(a->attention_normed, a->attention_inverse, stream,
                    w->values + at->attention_norm, rows, c->width, (real)c->epsilon, precision,
                    s->row);
    matmul_linear(matmul, s->wide, 0, a->attention_normed,
                  operand_at(w->operands, at->qkv, precision), (int)rows, (int)c->width,
                  (int)packed);
    rotate_rows(a->qkv, s->wide, s, 1, precision);
    attention_forward(matmul, a->attention, a->log_sum, a->qkv, &s->attention_shape, s->attention);
    add_projection(matmul, stream, a->attention,
                   operand_at(w->operands, at->attention_out, precision), rows, attention,
                   c->width);

    memcpy(a->middle, stream, rows * c->width * sizeof(real));
    rmsnorm_forward(a->feed_normed, a->feed_inverse, stream, w->values + at->feed_norm, rows,
                    c->width, (real)c->epsilon, precision, s->row);
    matmul_linear(matmul, a->gate_up, 1, a->feed_normed,
                  operand_at(w->operands, at->gate_up, precision), (int)rows, (int)c->width,
                  (int)(2 * c->inner));
    swiglu_forward(a->inner, a->gate_up, rows, c->inner, precision, s->row);
    add_projection(matmul, stream, a->inner, operand_at(w->operands, at->down, precision), rows,
                   c->inner, c->width);
}

static void feed_backward(struct matmul *matmul, const struct weights *w,
                          const struct block_layout *at, real *dstream, real *gradient,
                          const struct block_activations *a, struct block_scratch *s, size_t rows) {
    const struct config *c = w->config;
    enum precision precision = w->precision;
    int count = (int)rows, width = (int)c->width, inner = (int)c->inner;
    matmul_linear_weight_gradient(matmul, gradient + at->down, s->residual_operand, a->inner, count,
                                  inner, width);
    matmul_linear_input_gradient(matmul, s->wide, 0, s->residual_operand,
                                 operand_at(w->operands, at->down, precision), count, inner, width);
    swiglu_backward(s->wide_operand, s->wide, a->gate_up, rows, c->inner, precision, s->row);
    matmul_linear_weight_gradient(matmul, gradient + at->gate_up, s->wide_operand, a->feed_normed,
                                  count, width, 2 * inner);
    matmul_linear_input_gradient(matmul, s->narrow, 0, s->wide_operand,
                                 operand_at(w->operands, at->gate_up, precision), count, width,
                                 2 * inner);
    rmsnorm_backward(dstream, gradient + at->feed_norm, s->narrow, a->middle,
                     w->values + at->feed_norm, a->feed_inverse, rows, c->width);
}

static void attention_part_backward(struct matmul *matmul, const struct weights *w,
                                    const struct block_layout *at, real *dstream, real *gradient,
                                    const struct block_activations *a, struct block_scratch *s,
                                    size_t rows) {
    const struct config *c = w->config;
    enum precision precision = w->precision;
    int count = (int)rows, width = (int)c->width, attention = (int)(c->heads * c->head_width);
    int packed = attention + (int)(2 * c->key_value_heads * c->head_width);
    matmul_linear_weight_gradient(matmul, gradient + at->attention_out, s->residual_operand,
                                  a->attention, count, attention, width);
    struct matmul_shape shape = {.m = count,
                                 .n = attention,
                                 .k = width,
                                 .a_stride = width,
                                 .b_stride = attention,
                                 .c_stride = attention,
                                 .c_is_operand = 1};
    matmul_run(matmul, &shape, s->narrow_operand, s->residual_operand,
               operand_at(w->operands, at->attention_out, precision));
    attention_backward(matmul, s->wide, s->narrow_operand, a->attention, a->log_sum, a->qkv,
                       &s->attention_shape, s->attention);
    rotate_rows(s->wide_operand, s->wide, s, -1, precision);
    matmul_linear_weight_gradient(matmul, gradient + at->qkv, s->wide_operand, a->attention_normed,
                                  count, width, packed);
    matmul_linear_input_gradient(matmul, s->narrow, 0, s->wide_operand,
                                 operand_at(w->operands, at->qkv, precision), count, width, packed);
    rmsnorm_backward(dstream, gradient + at->attention_norm, s->narrow, a->input,
                     w->values + at->attention_norm, a->attention_inverse, rows, c->width);
}

void block_backward(struct matmul *matmul, const struct weights *w, size_t l, real *dstream,
                    real *gradient, const struct block_activations *a, struct block_scratch *s) {
    const struct block_layout *at = &w->layout->blocks[l];
    size_t rows = s->attention_shape.sequences * s->attention_shape.time;
    feed_backward(matmul, w, at, dstream, gradient, a, s, rows);
    operand_store(s->residual_operand, dstream, rows * w->config->width, w->precision);
    attention_part_backward(matmul, w, at, dstream, gradient, a, s, rows);
}
