#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "file/gguf.h"
#include "file/tokenizer_gguf.h"
#include "latent/export.h"
#include "latent/export_rows.h"

struct exporter {
    const struct model *model;
    struct export_options options;
    struct gguf_writer *writer;
    const char *architecture;
    enum rope_pairs wanted_pairs; /* of queries and keys in the file */
    void **owned;                 /* what the writer borrows until it commits */
    size_t owned_count, owned_capacity;
    struct error *error;
};

static void *own(struct exporter *e, size_t bytes) {
    void *block = memory_allocate(bytes, 1, e->error);
    if (block == NULL || memory_grow(&e->owned, &e->owned_capacity, e->owned_count + 1,
                                     sizeof *e->owned, e->error)) {
        memory_free(block);
        return NULL;
    }
    e->owned[e->owned_count++] = block;
    return block;
}

/* Rows that are no whole blocks, and embeddings, are stored in more bits. */
static enum tensor_type stored_type(const struct exporter *e, size_t columns, int is_embedding) {
    enum tensor_type type = e->options.type;
    if (is_embedding && tensor_type_block(type) > 1)
        type = TENSOR_Q8_0;
    if (columns % tensor_type_block(type) != 0)
        type = TENSOR_Q8_0;
    return columns % tensor_type_block(type) != 0 ? TENSOR_F16 : type;
}

static int add_rows(struct exporter *e, const struct export_rows *rows, const char *name,
                    int is_embedding) {
    enum tensor_type type = stored_type(e, rows->columns, is_embedding);
    size_t row_bytes = rows->columns / tensor_type_block(type) * tensor_type_bytes(type);
    char *blocks = own(e, rows->count * row_bytes);
    float *row = blocks == NULL ? NULL : memory_allocate(rows->columns, sizeof *row, e->error);
    if (row == NULL)
        return -1;
    int result = 0;
    for (size_t i = 0; i < rows->count && result == 0; i++) {
        result = export_row(rows, i, row, e->error);
        if (result == 0)
            quantise(blocks + i * row_bytes, row, type, rows->columns);
    }
    memory_free(row);
    size_t dimensions[2] = {rows->columns, rows->count};
    return result || gguf_writer_add_blocks(e->writer, name, dimensions, 2, type, blocks, e->error);
}

static int add_vector(struct exporter *e, const real *values, size_t count, const char *name) {
    float *copy = own(e, count * sizeof *copy);
    if (copy == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        copy[i] = (float)values[i];
    return gguf_writer_add_tensor(e->writer, name, &count, 1, TENSOR_F32, copy, e->error);
}

static const char *block_name(char name[64], size_t l, const char *field) {
    snprintf(name, 64, "blk.%zu.%s", l, field);
    return name;
}

static int add_block(struct exporter *e, size_t l) {
    const struct model *model = e->model;
    const struct config *c = &model->config;
    struct weights weights = model_weights(model);
    struct block_view view;
    char name[64];
    weights_block(&weights, l, &view);
    size_t queries = c->heads * c->head_width, shared = c->key_value_heads * c->head_width;
    const struct {
        enum adapter_target target;
        size_t first, count;
        int is_rotated;
        const char *name;
    } MATRICES[] = {{ADAPT_QKV, 0, queries, 1, "attn_q.weight"},
                    {ADAPT_QKV, queries, shared, 1, "attn_k.weight"},
                    {ADAPT_QKV, queries + shared, shared, 0, "attn_v.weight"},
                    {ADAPT_ATTENTION_OUT, 0, c->width, 0, "attn_output.weight"},
                    {ADAPT_GATE_UP, 0, c->inner, 0, "ffn_gate.weight"},
                    {ADAPT_GATE_UP, c->inner, c->inner, 0, "ffn_up.weight"},
                    {ADAPT_DOWN, 0, c->width, 0, "ffn_down.weight"}};
    if (add_vector(e, view.attention_norm, c->width, block_name(name, l, "attn_norm.weight")) ||
        add_vector(e, view.feed_norm, c->width, block_name(name, l, "ffn_norm.weight")))
        return -1;
    for (size_t i = 0; i < sizeof MATRICES / sizeof *MATRICES; i++) {
        struct export_rows rows = export_rows_of(
            model, &view.products[MATRICES[i].target], MATRICES[i].first, MATRICES[i].count,
            MATRICES[i].is_rotated, e->wanted_pairs, e->options.leaves_adapter);
        if (add_rows(e, &rows, block_name(name, l, MATRICES[i].name), 0))
            return -1;
    }
    if (view.qkv_bias == NULL)
        return 0;
    return add_vector(e, view.qkv_bias, queries, block_name(name, l, "attn_q.bias")) ||
           add_vector(e, view.qkv_bias + queries, shared, block_name(name, l, "attn_k.bias")) ||
           add_vector(e, view.qkv_bias + queries + shared, shared,
                      block_name(name, l, "attn_v.bias"));
}

static int add_divisors(struct exporter *e) {
    size_t half = e->model->config.head_width / 2;
    float *divisors = own(e, half * sizeof *divisors);
    if (divisors == NULL)
        return -1;
    for (size_t i = 0; i < half; i++)
        divisors[i] = (float)e->model->base->rope_divisors[i];
    return gguf_writer_add_tensor(e->writer, "rope_freqs.weight", &half, 1, TENSOR_F32, divisors,
                                  e->error);
}

static int add_tensors(struct exporter *e) {
    const struct config *c = &e->model->config;
    struct weights weights = model_weights(e->model);
    struct matrix embedding = weights_embedding(&weights);
    struct export_rows rows = export_rows_of_matrix(&embedding);
    if (add_rows(e, &rows, "token_embd.weight", 1) ||
        add_vector(e, weights_final_norm(&weights), c->width, "output_norm.weight"))
        return -1;
    if (e->model->base != NULL && e->model->base->output.data != e->model->base->embedding.data) {
        struct export_rows output = export_rows_of_matrix(&e->model->base->output);
        if (add_rows(e, &output, "output.weight", 1))
            return -1;
    }
    for (size_t l = 0; l < c->blocks; l++)
        if (add_block(e, l))
            return -1;
    /* Divisors hold whatever stretched the base. */
    return e->model->base != NULL && e->model->base->rope_divisors != NULL ? add_divisors(e) : 0;
}

static int add_size(struct exporter *e, const char *field, size_t value) {
    char key[96];
    snprintf(key, sizeof key, "%s.%s", e->architecture, field);
    return gguf_writer_add_u32(e->writer, key, (uint32_t)value, e->error);
}

static int add_number(struct exporter *e, const char *field, double value) {
    char key[96];
    snprintf(key, sizeof key, "%s.%s", e->architecture, field);
    return gguf_writer_add_f32(e->writer, key, (float)value, e->error);
}

/* llama.cpp's numbers for general.file_type. */
static uint32_t file_type(enum tensor_type type) {
    switch (type) {
    case TENSOR_F32:
        return 0;
    case TENSOR_F16:
        return 1;
    case TENSOR_Q4_0:
        return 2;
    case TENSOR_Q4_1:
        return 3;
    case TENSOR_Q8_0:
        return 7;
    case TENSOR_Q4_K:
        return 14;
    default:
        return 32; /* BF16 */
    }
}

static int add_keys(struct exporter *e) {
    const struct model *model = e->model;
    const struct config *c = &model->config;
    size_t context = model->base != NULL ? model->base->config.context : c->context;
    if (gguf_writer_add_string(e->writer, "general.architecture", e->architecture, e->error) ||
        gguf_writer_add_string(e->writer, "general.type", "model", e->error) ||
        gguf_writer_add_string(e->writer, "general.name", model->name, e->error) ||
        gguf_writer_add_u32(e->writer, "general.file_type", file_type(e->options.type), e->error) ||
        gguf_writer_add_u32(e->writer, "general.quantization_version", 2, e->error) ||
        add_size(e, "vocab_size", c->vocabulary) || add_size(e, "context_length", context) ||
        add_size(e, "embedding_length", c->width) || add_size(e, "block_count", c->blocks) ||
        add_size(e, "feed_forward_length", c->inner) ||
        add_size(e, "attention.head_count", c->heads) ||
        add_size(e, "attention.head_count_kv", c->key_value_heads) ||
        add_size(e, "attention.key_length", c->head_width) ||
        add_size(e, "attention.value_length", c->head_width) ||
        add_size(e, "rope.dimension_count", c->head_width) ||
        add_number(e, "rope.freq_base", c->rope_base) ||
        add_number(e, "attention.layer_norm_rms_epsilon", c->epsilon))
        return -1;
    if (model->base != NULL && model->base->chat_template != NULL &&
        gguf_writer_add_string(e->writer, "tokenizer.chat_template", model->base->chat_template,
                               e->error))
        return -1;
    return tokenizer_gguf_save(e->writer, model->tokenizer, e->error);
}

static void release(struct exporter *e) {
    gguf_writer_destroy(e->writer);
    for (size_t i = 0; i < e->owned_count; i++)
        memory_free(e->owned[i]);
    free(e->owned);
}

int export_gguf(const struct model *model, const struct export_options *options, const char *path,
                struct error *error) {
    int is_qwen = model->base != NULL && strcmp(model->base->architecture, "qwen2") == 0;
    struct exporter e = {.model = model,
                         .options = *options,
                         .architecture = is_qwen ? "qwen2" : "llama",
                         .wanted_pairs = is_qwen ? ROPE_HALVES : ROPE_NEIGHBOURS,
                         .error = error};
    if (!tensor_type_is_writable(options->type))
        return error_set(error, "%s cannot be written", tensor_type_name(options->type));
    if (model->base != NULL && model->base->rope_magnitude != 1)
        return error_set(error, "a base that was stretched by YaRN cannot be exported to GGUF yet");
    int result = gguf_writer_create(&e.writer, error) || add_keys(&e) || add_tensors(&e) ||
                 gguf_writer_commit(e.writer, path, error);
    release(&e);
    return result ? -1 : 0;
}

/* One target's two factors, for the rows of one tensor of the base. */
static int add_factors(struct exporter *e, const struct product *p, size_t first, size_t count,
                       size_t l, const char *field) {
    char name[64], full[64];
    block_name(name, l, field);
    const struct adapter *lora = &p->adapters[0];
    float *a = own(e, lora->rank * p->in * sizeof *a), *b = own(e, count * lora->rank * sizeof *b);
    if (a == NULL || b == NULL)
        return -1;
    for (size_t i = 0; i < lora->rank * p->in; i++)
        a[i] = (float)lora->a[i];
    for (size_t i = 0; i < count * lora->rank; i++)
        b[i] = (float)lora->b[first * lora->rank + i];
    size_t a_size[2] = {p->in, lora->rank}, b_size[2] = {lora->rank, count};
    snprintf(full, sizeof full, "%.50s.lora_a", name);
    if (gguf_writer_add_tensor(e->writer, full, a_size, 2, TENSOR_F32, a, e->error))
        return -1;
    snprintf(full, sizeof full, "%.50s.lora_b", name);
    return gguf_writer_add_tensor(e->writer, full, b_size, 2, TENSOR_F32, b, e->error);
}

static int add_block_factors(struct exporter *e, size_t l) {
    const struct config *c = &e->model->config;
    struct weights weights = model_weights(e->model);
    struct block_view view;
    weights_block(&weights, l, &view);
    size_t queries = c->heads * c->head_width, shared = c->key_value_heads * c->head_width;
    const struct product *p = view.products;
    if (p[ADAPT_QKV].adapter_count > 0 &&
        (add_factors(e, &p[ADAPT_QKV], 0, queries, l, "attn_q.weight") ||
         add_factors(e, &p[ADAPT_QKV], queries, shared, l, "attn_k.weight") ||
         add_factors(e, &p[ADAPT_QKV], queries + shared, shared, l, "attn_v.weight")))
        return -1;
    if (p[ADAPT_ATTENTION_OUT].adapter_count > 0 &&
        add_factors(e, &p[ADAPT_ATTENTION_OUT], 0, c->width, l, "attn_output.weight"))
        return -1;
    if (p[ADAPT_GATE_UP].adapter_count > 0 &&
        (add_factors(e, &p[ADAPT_GATE_UP], 0, c->inner, l, "ffn_gate.weight") ||
         add_factors(e, &p[ADAPT_GATE_UP], c->inner, c->inner, l, "ffn_up.weight")))
        return -1;
    return p[ADAPT_DOWN].adapter_count > 0 &&
           add_factors(e, &p[ADAPT_DOWN], 0, c->width, l, "ffn_down.weight");
}

int export_lora(const struct model *model, const char *path, struct error *error) {
    const struct config *c = &model->config;
    struct exporter e = {.model = model, .error = error};
    if (model->base == NULL || c->adapter_rank == 0 || c->adapter_targets == 0)
        return error_set(error, "%s has no adapter", model->name);
    if (model->base->gguf == NULL)
        return error_set(error,
                         "this adapter's base is no GGUF file: rows of its queries and keys "
                         "lie in another order than in llama.cpp's; export the merged model");
    float alpha = (float)(c->adapter_scale * (double)c->adapter_rank);
    int result = gguf_writer_create(&e.writer, error) ||
                 gguf_writer_add_string(e.writer, "general.architecture", model->base->architecture,
                                        error) ||
                 gguf_writer_add_string(e.writer, "general.type", "adapter", error) ||
                 gguf_writer_add_string(e.writer, "general.name", model->name, error) ||
                 gguf_writer_add_string(e.writer, "adapter.type", "lora", error) ||
                 gguf_writer_add_f32(e.writer, "adapter.lora.alpha", alpha, error);
    for (size_t l = 0; l < c->blocks && !result; l++)
        result = add_block_factors(&e, l);
    result = result || gguf_writer_commit(e.writer, path, error);
    release(&e);
    return result ? -1 : 0;
}

static int add_direction(struct exporter *e, const struct handle *handle, size_t l) {
    const struct config *c = &e->model->config;
    const real *injection = e->model->values + e->model->layout.blocks[l].injection;
    float *direction = own(e, c->width * sizeof *direction);
    char name[64];
    if (direction == NULL)
        return -1;
    for (size_t i = 0; i < c->width; i++) {
        double sum = 0;
        for (size_t d = 0; d < c->latent_width; d++)
            sum += (double)injection[i * c->latent_width + d] * (double)handle->mean[d];
        direction[i] = (float)sum;
    }
    snprintf(name, sizeof name, "direction.%zu", l);
    return gguf_writer_add_tensor(e->writer, name, &c->width, 1, TENSOR_F32, direction, e->error);
}

int export_control_vector(const struct model *model, const struct handle *handle, const char *path,
                          struct error *error) {
    const struct config *c = &model->config;
    struct exporter e = {.model = model, .error = error};
    if (c->latent_width == 0 || c->split == c->blocks)
        return error_set(error, "%s has no slots that steer its writing", model->name);
    int result = gguf_writer_create(&e.writer, error) ||
                 gguf_writer_add_string(e.writer, "general.architecture", "controlvector", error) ||
                 gguf_writer_add_string(e.writer, "controlvector.model_hint", "llama", error) ||
                 gguf_writer_add_u32(e.writer, "controlvector.layer_count",
                                     (uint32_t)(c->blocks - c->split), error);
    /* config_check keeps split >= 1, and the file's directions begin at 1. */
    for (size_t l = c->split; l < c->blocks && !result; l++)
        result = add_direction(&e, handle, l);
    result = result || gguf_writer_commit(e.writer, path, error);
    release(&e);
    return result ? -1 : 0;
}
