#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "file/safetensors.h"
#include "file/tokenizer_json.h"
#include "latent/export.h"
#include "latent/export_rows.h"

struct exporter {
    const struct model *model;
    struct export_options options;
    struct safetensors_writer *writer;
    void **owned; /* what the writer borrows until it commits */
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

static int add_rows(struct exporter *e, const struct export_rows *rows, const char *name) {
    size_t bytes = tensor_type_bytes(e->options.type);
    char *data = own(e, rows->count * rows->columns * bytes);
    float *row = data == NULL ? NULL : memory_allocate(rows->columns, sizeof *row, e->error);
    int result = row == NULL ? -1 : 0;
    for (size_t i = 0; i < rows->count && result == 0; i++) {
        result = export_row(rows, i, row, e->error);
        if (result == 0)
            quantise(data + i * rows->columns * bytes, row, e->options.type, rows->columns);
    }
    memory_free(row);
    return result ||
           safetensors_writer_add(e->writer, name, (size_t[2]){rows->count, rows->columns}, 2,
                                  e->options.type, data, e->error);
}

static int add_vector(struct exporter *e, const real *values, size_t count, const char *name) {
    char *data = own(e, count * sizeof(float));
    if (data == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        quantise(data + i * tensor_type_bytes(e->options.type), &(float){(float)values[i]},
                 e->options.type, 1);
    return safetensors_writer_add(e->writer, name, &count, 1, e->options.type, data, e->error);
}

static const char *block_name(char name[128], size_t l, const char *field) {
    snprintf(name, 128, "model.layers.%zu.%s", l, field);
    return name;
}

static int add_block(struct exporter *e, size_t l) {
    const struct model *model = e->model;
    const struct config *c = &model->config;
    struct weights weights = model_weights(model);
    struct block_view view;
    char name[128];
    weights_block(&weights, l, &view);
    size_t queries = c->heads * c->head_width, shared = c->key_value_heads * c->head_width;
    const struct {
        enum adapter_target target;
        size_t first, count;
        int is_rotated;
        const char *name;
    } MATRICES[] = {{ADAPT_QKV, 0, queries, 1, "self_attn.q_proj.weight"},
                    {ADAPT_QKV, queries, shared, 1, "self_attn.k_proj.weight"},
                    {ADAPT_QKV, queries + shared, shared, 0, "self_attn.v_proj.weight"},
                    {ADAPT_ATTENTION_OUT, 0, c->width, 0, "self_attn.o_proj.weight"},
                    {ADAPT_GATE_UP, 0, c->inner, 0, "mlp.gate_proj.weight"},
                    {ADAPT_GATE_UP, c->inner, c->inner, 0, "mlp.up_proj.weight"},
                    {ADAPT_DOWN, 0, c->width, 0, "mlp.down_proj.weight"}};
    if (add_vector(e, view.attention_norm, c->width,
                   block_name(name, l, "input_layernorm.weight")) ||
        add_vector(e, view.feed_norm, c->width,
                   block_name(name, l, "post_attention_layernorm.weight")))
        return -1;
    for (size_t i = 0; i < sizeof MATRICES / sizeof *MATRICES; i++) {
        struct export_rows rows = export_rows_of(
            model, &view.products[MATRICES[i].target], MATRICES[i].first, MATRICES[i].count,
            MATRICES[i].is_rotated, ROPE_HALVES, e->options.leaves_adapter);
        if (add_rows(e, &rows, block_name(name, l, MATRICES[i].name)))
            return -1;
    }
    if (view.qkv_bias == NULL)
        return 0;
    return add_vector(e, view.qkv_bias, queries, block_name(name, l, "self_attn.q_proj.bias")) ||
           add_vector(e, view.qkv_bias + queries, shared,
                      block_name(name, l, "self_attn.k_proj.bias")) ||
           add_vector(e, view.qkv_bias + queries + shared, shared,
                      block_name(name, l, "self_attn.v_proj.bias"));
}

static int is_untied(const struct model *model) {
    return model->base != NULL && model->base->output.data != model->base->embedding.data;
}

static int add_tensors(struct exporter *e) {
    const struct config *c = &e->model->config;
    struct weights weights = model_weights(e->model);
    struct matrix embedding = weights_embedding(&weights);
    struct export_rows rows = export_rows_of_matrix(&embedding);
    if (add_rows(e, &rows, "model.embed_tokens.weight") ||
        add_vector(e, weights_final_norm(&weights), c->width, "model.norm.weight"))
        return -1;
    if (is_untied(e->model)) {
        struct export_rows output = export_rows_of_matrix(&e->model->base->output);
        if (add_rows(e, &output, "lm_head.weight"))
            return -1;
    }
    for (size_t l = 0; l < c->blocks; l++)
        if (add_block(e, l))
            return -1;
    return 0;
}

static json_t *describe(const struct exporter *e) {
    const struct model *model = e->model;
    const struct config *c = &model->config;
    int is_qwen = model->base != NULL && strcmp(model->base->architecture, "qwen2") == 0;
    size_t context = model->base != NULL ? model->base->config.context : c->context;
    const char *type = e->options.type == TENSOR_F32   ? "float32"
                       : e->options.type == TENSOR_F16 ? "float16"
                                                       : "bfloat16";
    json_t *json = json_pack(
        "{s:[s], s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:b, s:b, s:b}",
        "architectures", is_qwen ? "Qwen2ForCausalLM" : "LlamaForCausalLM", "model_type",
        is_qwen ? "qwen2" : "llama", "hidden_act", "silu", "torch_dtype", type, "hidden_size",
        (json_int_t)c->width, "intermediate_size", (json_int_t)c->inner, "num_hidden_layers",
        (json_int_t)c->blocks, "num_attention_heads", (json_int_t)c->heads, "num_key_value_heads",
        (json_int_t)c->key_value_heads, "head_dim", (json_int_t)c->head_width, "vocab_size",
        (json_int_t)c->vocabulary, "max_position_embeddings", (json_int_t)context, "rms_norm_eps",
        c->epsilon, "rope_theta", c->rope_base, "tie_word_embeddings", !is_untied(model),
        "attention_bias", 0, "mlp_bias", 0);
    uint32_t begin = tokenizer_end_of_text(model->tokenizer), end = tokenizer_end(model->tokenizer);
    if (json != NULL && begin != UINT32_MAX)
        json_object_set_new(json, "bos_token_id", json_integer(begin));
    if (json != NULL && end != UINT32_MAX)
        json_object_set_new(json, "eos_token_id", json_integer(end));
    return json;
}

static int save_config(const struct exporter *e, const char *path) {
    json_t *json = describe(e);
    char *text = json == NULL ? NULL : json_dumps(json, JSON_INDENT(2));
    struct file_writer file;
    json_decref(json);
    if (text == NULL)
        return error_set(e->error, "out of memory");
    int result = file_writer_open(&file, path, e->error);
    if (result == 0) {
        fprintf(file.stream, "%s\n", text);
        result = file_writer_commit(&file, e->error);
    }
    free(text);
    return result;
}

int export_huggingface(const struct model *model, const struct export_options *options,
                       const char *directory, struct error *error) {
    struct exporter e = {.model = model, .options = *options, .error = error};
    char path[4096];
    if (options->type != TENSOR_F32 && options->type != TENSOR_F16 && options->type != TENSOR_BF16)
        return error_set(error, "transformers read f32, f16 and bf16 here, not %s",
                         tensor_type_name(options->type));
    if (model->base != NULL && model->base->rope_divisors != NULL)
        return error_set(error, "a base with stretched positions cannot be exported so yet");
    int result = safetensors_writer_create(&e.writer, error) || add_tensors(&e) ||
                 file_make_directory(directory, error);
    if (result == 0) {
        snprintf(path, sizeof path, "%s/model.safetensors", directory);
        result = safetensors_writer_commit(e.writer, path, error);
    }
    if (result == 0) {
        snprintf(path, sizeof path, "%s/tokenizer.json", directory);
        result = tokenizer_json_save(model->tokenizer, path, error);
    }
    if (result == 0) {
        snprintf(path, sizeof path, "%s/config.json", directory);
        result = save_config(&e, path);
    }
    safetensors_writer_destroy(e.writer);
    for (size_t i = 0; i < e.owned_count; i++)
        memory_free(e.owned[i]);
    free(e.owned);
    return result ? -1 : 0;
}
