#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "file/safetensors.h"
#include "file/tokenizer_json.h"
#include "model/checkpoint_read.h"

struct reader {
    struct checkpoint *out;
    const char *directory;
    json_t *config;
    const struct safetensors *file;
    struct error *error;
};

static void path_in(char path[4096], const char *directory, const char *name) {
    snprintf(path, 4096, "%s/%s", directory, name);
}

/* NULL with the error, or when the file is absent and that is fine. */
static json_t *load_json(const struct reader *r, const char *name, int may_be_absent) {
    char path[4096];
    json_error_t problem;
    path_in(path, r->directory, name);
    if (may_be_absent && access(path, F_OK) != 0)
        return NULL;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);
    if (json == NULL)
        error_set(r->error, "%s:%d: %.200s", path, problem.line, problem.text);
    return json;
}

/* A size of config.json; `absent` > 0 stands in for one that is missing or null. */
static int read_size(const struct reader *r, const char *key, size_t *out, size_t absent) {
    const json_t *value = json_object_get(r->config, key);
    *out = absent;
    if (absent > 0 && (value == NULL || json_is_null(value)))
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return error_set(r->error, "%s/config.json: %s is no size", r->directory, key);
    *out = (size_t)json_integer_value(value);
    return 0;
}

static double number_of(const json_t *object, const char *key, double absent) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : absent;
}

static int read_scaling(struct reader *r) {
    struct config *c = &r->out->config;
    const json_t *scaling = json_object_get(r->config, "rope_scaling");
    const json_t *parameters = json_object_get(r->config, "rope_parameters"); /* newer files */
    if (!json_is_object(scaling))
        scaling = parameters;
    const char *kind = json_string_value(json_object_get(scaling, "rope_type"));
    if (kind == NULL)
        kind = json_string_value(json_object_get(scaling, "type"));
    c->rope_base = number_of(r->config, "rope_theta", number_of(scaling, "rope_theta", 10000));
    if (kind == NULL || strcmp(kind, "default") == 0)
        return 0;
    double factor = number_of(scaling, "factor", 1);
    double original = number_of(scaling, "original_max_position_embeddings", (double)c->context);
    double *divisors = memory_allocate(c->head_width / 2, sizeof *divisors, r->error);
    r->out->rope_divisors = divisors;
    if (divisors == NULL)
        return -1;
    if (!(factor >= 1 && factor <= 4096) || !(original >= 1))
        return error_set(r->error, "%s/config.json: rope_scaling makes no sense", r->directory);
    if (strcmp(kind, "linear") == 0) {
        for (size_t i = 0; i < c->head_width / 2; i++)
            divisors[i] = factor;
    } else if (strcmp(kind, "llama3") == 0) {
        rope_divisors_llama3(divisors, c->head_width, c->rope_base, factor, original,
                             number_of(scaling, "low_freq_factor", 1),
                             number_of(scaling, "high_freq_factor", 4));
    } else if (strcmp(kind, "yarn") == 0) {
        rope_divisors_yarn(divisors, c->head_width, c->rope_base, factor, original,
                           number_of(scaling, "beta_fast", 32), number_of(scaling, "beta_slow", 1));
        r->out->rope_magnitude = number_of(scaling, "attention_factor", 1 + 0.1 * log(factor));
        if (!(r->out->rope_magnitude > 0 && r->out->rope_magnitude <= 100))
            return error_set(r->error, "%s/config.json: attention_factor makes no sense",
                             r->directory);
    } else {
        return error_set(r->error,
                         "%s/config.json: rope_scaling \"%.30s\"; linear, llama3 and yarn can be "
                         "read",
                         r->directory, kind);
    }
    return 0;
}

static int read_config(struct reader *r) {
    struct config *c = &r->out->config;
    const char *type = json_string_value(json_object_get(r->config, "model_type"));
    const char *activation = json_string_value(json_object_get(r->config, "hidden_act"));
    if (type == NULL || (strcmp(type, "llama") != 0 && strcmp(type, "qwen2") != 0))
        return error_set(r->error, "%s is a model of type %.40s; llama and qwen2 can be read",
                         r->directory, type != NULL ? type : "(none)");
    if (activation != NULL && strcmp(activation, "silu") != 0)
        return error_set(r->error, "%s/config.json: hidden_act %.30s; only silu can be read",
                         r->directory, activation);
    if (json_is_true(json_object_get(r->config, "use_sliding_window")))
        return error_set(r->error, "%s/config.json: sliding windows cannot be read", r->directory);
    snprintf(r->out->architecture, sizeof r->out->architecture, "%s", type);
    r->out->rope_pairs = ROPE_HALVES;
    c->epsilon = number_of(r->config, "rms_norm_eps", 1e-6);
    if (read_size(r, "vocab_size", &c->vocabulary, 0) ||
        read_size(r, "hidden_size", &c->width, 0) ||
        read_size(r, "num_hidden_layers", &c->blocks, 0) ||
        read_size(r, "intermediate_size", &c->inner, 0) ||
        read_size(r, "num_attention_heads", &c->heads, 0) ||
        read_size(r, "num_key_value_heads", &c->key_value_heads, c->heads) ||
        read_size(r, "max_position_embeddings", &c->context, 0))
        return -1;
    if (c->heads == 0)
        return error_set(r->error, "%s/config.json: there are no heads", r->directory);
    if (read_size(r, "head_dim", &c->head_width, c->width / c->heads))
        return -1;
    c->rope_base = 10000; /* until read_scaling, so that the sizes can be checked first */
    return checkpoint_prepare(r->out, r->directory, r->error) ? -1 : read_scaling(r);
}

static int find_tensor(const void *file, const char *name, struct checkpoint_tensor *out) {
    const struct safetensors_tensor *tensor = safetensors_find(file, name);
    if (tensor == NULL)
        return 0;
    *out = (struct checkpoint_tensor){.data = tensor->data,
                                      .type = safetensors_type(tensor),
                                      .type_name = tensor->type,
                                      .dimension_count = tensor->dimension_count,
                                      .rows = tensor->dimensions[0],
                                      .columns = tensor->dimensions[1],
                                      .count = tensor->element_count};
    return 1;
}

static int read_tensors(struct reader *r) {
    static const struct checkpoint_names NAMES = {.embedding = "model.embed_tokens.weight",
                                                  .final_norm = "model.norm.weight",
                                                  .output = "lm_head.weight",
                                                  .attention_norm = "input_layernorm.weight",
                                                  .feed_norm = "post_attention_layernorm.weight",
                                                  .query = "self_attn.q_proj.weight",
                                                  .key = "self_attn.k_proj.weight",
                                                  .value = "self_attn.v_proj.weight",
                                                  .attention_out = "self_attn.o_proj.weight",
                                                  .gate = "mlp.gate_proj.weight",
                                                  .up = "mlp.up_proj.weight",
                                                  .down = "mlp.down_proj.weight",
                                                  .query_bias = "self_attn.q_proj.bias",
                                                  .key_bias = "self_attn.k_proj.bias",
                                                  .value_bias = "self_attn.v_proj.bias"};
    const struct checkpoint_source source = {.name = r->directory,
                                             .block = "model.layers",
                                             .names = &NAMES,
                                             .file = r->file,
                                             .find = find_tensor};
    if (checkpoint_read_tensors(r->out, &source,
                                json_is_true(json_object_get(r->config, "tie_word_embeddings")),
                                r->error))
        return -1;
    uint64_t hash = safetensors_count(r->file);
    for (size_t i = 0; i < safetensors_count(r->file); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(r->file, i);
        hash = checkpoint_fingerprint(hash, tensor->name, (uint64_t)safetensors_type(tensor),
                                      tensor->data, tensor->bytes);
    }
    r->out->fingerprint = hash;
    return 0;
}

static int read_template(struct reader *r) {
    struct error inner;
    struct reader quiet = *r;
    quiet.error = &inner;
    json_t *json = load_json(&quiet, "tokenizer_config.json", 1);
    const char *text = json_string_value(json_object_get(json, "chat_template"));
    int result = 0;
    if (text != NULL) {
        r->out->chat_template = memory_allocate(strlen(text) + 1, 1, r->error);
        if (r->out->chat_template != NULL)
            memcpy(r->out->chat_template, text, strlen(text));
        else
            result = -1;
    }
    json_decref(json);
    return result;
}

/* An id of config.json, or the first of a list of them; UINT32_MAX when there is none. */
static uint32_t id_of(const struct reader *r, const char *key) {
    const json_t *value = json_object_get(r->config, key);
    if (json_is_array(value))
        value = json_array_get(value, 0);
    int is_id = json_is_integer(value) && json_integer_value(value) >= 0 &&
                (uint64_t)json_integer_value(value) < r->out->config.vocabulary;
    return is_id ? (uint32_t)json_integer_value(value) : UINT32_MAX;
}

static int read_tokenizer(struct reader *r, struct tokenizer **tokenizer) {
    char path[4096];
    path_in(path, r->directory, "tokenizer.json");
    if (tokenizer_json_load(tokenizer, path, r->out->config.vocabulary, r->error))
        return -1;
    size_t count = tokenizer_vocabulary_size(*tokenizer);
    if (count != r->out->config.vocabulary) {
        tokenizer_destroy(*tokenizer);
        *tokenizer = NULL;
        return error_set(r->error, "%s: %zu tokens for an embedding of %zu", path, count,
                         r->out->config.vocabulary);
    }
    uint32_t text = tokenizer_find_special(*tokenizer, "<|endoftext|>", 13);
    uint32_t end = id_of(r, "eos_token_id");
    tokenizer_set_ends(*tokenizer, text != UINT32_MAX ? text : id_of(r, "bos_token_id"),
                       end != UINT32_MAX ? end : text);
    return 0;
}

static int open_tensors(struct reader *r) {
    char path[4096];
    struct stat status;
    path_in(path, r->directory, "model.safetensors");
    if (access(path, R_OK) != 0)
        path_in(path, r->directory, "model.safetensors.index.json");
    if (safetensors_open(&r->out->safetensors, path, r->error))
        return -1;
    r->file = r->out->safetensors;
    r->out->file_bytes = stat(path, &status) == 0 ? (size_t)status.st_size : 0;
    return 0;
}

int checkpoint_read_huggingface(struct checkpoint *c, struct tokenizer **tokenizer,
                                const char *directory, struct error *error) {
    struct reader r = {.out = c, .directory = directory, .error = error};
    r.config = load_json(&r, "config.json", 0);
    if (r.config == NULL)
        return -1;
    const char *slash = strrchr(directory, '/');
    snprintf(c->name, sizeof c->name, "%.100s",
             slash != NULL && slash[1] != '\0' ? slash + 1 : directory);
    int result = read_config(&r) || open_tensors(&r) || read_tensors(&r) || read_template(&r) ||
                 (tokenizer != NULL && read_tokenizer(&r, tokenizer));
    json_decref(r.config);
    return result ? -1 : 0;
}
