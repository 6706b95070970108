#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "file/gguf.h"
#include "file/tokenizer_gguf.h"
#include "model/checkpoint_read.h"

struct reader {
    struct checkpoint *out;
    const struct gguf *file;
    struct error *error;
};

struct key {
    char text[96];
};

/* "llama.block_count" and so on: keys begin with the architecture. */
static const char *key_of(const struct reader *r, struct key *key, const char *field) {
    snprintf(key->text, sizeof key->text, "%s.%s", r->out->architecture, field);
    return key->text;
}

static int read_size(struct reader *r, const char *field, size_t *out, size_t absent) {
    struct key key;
    uint64_t value;
    key_of(r, &key, field);
    *out = absent;
    if (absent > 0 && !gguf_has(r->file, key.text))
        return 0;
    if (gguf_get_u64(r->file, key.text, &value, r->error))
        return -1;
    *out = value;
    return 0;
}

static int read_number(struct reader *r, const char *field, double *out, double absent) {
    struct key key;
    key_of(r, &key, field);
    *out = absent;
    return absent > 0 && !gguf_has(r->file, key.text)
               ? 0
               : gguf_get_f64(r->file, key.text, out, r->error);
}

static int read_architecture(struct reader *r) {
    struct gguf_string name;
    if (gguf_get_string(r->file, "general.architecture", &name, r->error))
        return -1;
    if (!gguf_string_is(name, "llama") && !gguf_string_is(name, "qwen2"))
        return error_set(r->error,
                         "%s is a model of architecture %.*s; llama and qwen2 can be read",
                         gguf_name(r->file), (int)(name.length < 64 ? name.length : 64), name.data);
    snprintf(r->out->architecture, sizeof r->out->architecture, "%.*s", (int)name.length,
             name.data);
    /* Files of architecture llama have the rows of queries and keys in the order of pairs. */
    r->out->rope_pairs = gguf_string_is(name, "llama") ? ROPE_NEIGHBOURS : ROPE_HALVES;
    return 0;
}

static int read_config(struct reader *r) {
    struct config *c = &r->out->config;
    const struct gguf_tensor *embedding = gguf_find_tensor(r->file, "token_embd.weight");
    size_t rotary, key_width, value_width;
    if (embedding == NULL)
        return error_set(r->error, "%s has no tensor token_embd.weight", gguf_name(r->file));
    c->vocabulary = embedding->dimensions[1];
    if (read_size(r, "context_length", &c->context, 0) ||
        read_size(r, "embedding_length", &c->width, 0) ||
        read_size(r, "block_count", &c->blocks, 0) ||
        read_size(r, "feed_forward_length", &c->inner, 0) ||
        read_size(r, "attention.head_count", &c->heads, 0) ||
        read_size(r, "attention.head_count_kv", &c->key_value_heads, c->heads) ||
        read_number(r, "attention.layer_norm_rms_epsilon", &c->epsilon, 0) ||
        read_number(r, "rope.freq_base", &c->rope_base, 10000))
        return -1;
    if (c->heads == 0 || c->width % c->heads != 0)
        return error_set(r->error, "%s: a width of %zu cannot be shared by %zu heads",
                         gguf_name(r->file), c->width, c->heads);
    if (read_size(r, "attention.key_length", &key_width, c->width / c->heads) ||
        read_size(r, "attention.value_length", &value_width, key_width) ||
        read_size(r, "rope.dimension_count", &rotary, key_width))
        return -1;
    if (rotary != key_width || value_width != key_width)
        return error_set(r->error,
                         "%s: heads of %zu, of which %zu are rotated, with values of %zu; only "
                         "heads that are rotated whole can be read",
                         gguf_name(r->file), key_width, rotary, value_width);
    c->head_width = key_width;
    return checkpoint_prepare(r->out, gguf_name(r->file), r->error);
}

static int read_scaling(struct reader *r) {
    const struct config *c = &r->out->config;
    const struct gguf_tensor *factors = gguf_find_tensor(r->file, "rope_freqs.weight");
    struct gguf_string kind = {"none", 4};
    struct key key;
    size_t half = c->head_width / 2, original;
    double factor;
    key_of(r, &key, "rope.scaling.type");
    if (gguf_has(r->file, key.text) && gguf_get_string(r->file, key.text, &kind, r->error))
        return -1;
    if (factors == NULL && gguf_string_is(kind, "none"))
        return 0;
    r->out->rope_divisors = memory_allocate(half, sizeof(double), r->error);
    float *loaded = memory_allocate(half, sizeof *loaded, r->error);
    double *divisors = r->out->rope_divisors;
    int result = -1;
    if (divisors == NULL || loaded == NULL || read_number(r, "rope.scaling.factor", &factor, 1) ||
        read_size(r, "rope.scaling.original_context_length", &original, c->context))
        goto done;
    if (!(factor >= 1 && factor <= 4096)) {
        error_set(r->error, "%s: rope.scaling.factor is %g", gguf_name(r->file), factor);
        goto done;
    }
    for (size_t i = 0; i < half; i++)
        divisors[i] = gguf_string_is(kind, "linear") ? factor : 1;
    if (gguf_string_is(kind, "yarn")) {
        rope_divisors_yarn(divisors, c->head_width, c->rope_base, factor, (double)original, 32, 1);
        r->out->rope_magnitude = 1 + 0.1 * log(factor);
    } else if (!gguf_string_is(kind, "linear") && !gguf_string_is(kind, "none")) {
        error_set(r->error, "%s: rope.scaling.type is \"%.*s\"; none, linear and yarn can be read",
                  gguf_name(r->file), (int)(kind.length < 32 ? kind.length : 32), kind.data);
        goto done;
    }
    if (factors != NULL) {
        if (factors->element_count != half || gguf_read_floats(factors, loaded, r->error)) {
            error_set(r->error, "%s: rope_freqs.weight does not fit heads of %zu",
                      gguf_name(r->file), c->head_width);
            goto done;
        }
        for (size_t i = 0; i < half; i++)
            divisors[i] *= (double)loaded[i];
    }
    result = 0;
    for (size_t i = 0; i < half && result == 0; i++)
        if (!(divisors[i] > 1e-6 && divisors[i] < 1e6))
            result = error_set(r->error, "%s: rotary factor %zu is %g", gguf_name(r->file), i,
                               divisors[i]);
done:
    memory_free(loaded);
    return result;
}

static int find_tensor(const void *file, const char *name, struct checkpoint_tensor *out) {
    const struct gguf_tensor *tensor = gguf_find_tensor(file, name);
    if (tensor == NULL)
        return 0;
    *out = (struct checkpoint_tensor){
        .data = tensor->data,
        .type = tensor_type_is_readable(tensor->type) ? (int)tensor->type : -1,
        .type_name = tensor_type_name(tensor->type),
        .dimension_count = tensor->dimension_count,
        .rows = tensor->dimensions[1],
        .columns = tensor->dimensions[0],
        .count = tensor->element_count};
    return 1;
}

static int read_tensors(struct reader *r) {
    static const struct checkpoint_names NAMES = {.embedding = "token_embd.weight",
                                                  .final_norm = "output_norm.weight",
                                                  .output = "output.weight",
                                                  .attention_norm = "attn_norm.weight",
                                                  .feed_norm = "ffn_norm.weight",
                                                  .query = "attn_q.weight",
                                                  .key = "attn_k.weight",
                                                  .value = "attn_v.weight",
                                                  .attention_out = "attn_output.weight",
                                                  .gate = "ffn_gate.weight",
                                                  .up = "ffn_up.weight",
                                                  .down = "ffn_down.weight",
                                                  .query_bias = "attn_q.bias",
                                                  .key_bias = "attn_k.bias",
                                                  .value_bias = "attn_v.bias"};
    const struct checkpoint_source source = {.name = gguf_name(r->file),
                                             .block = "blk",
                                             .names = &NAMES,
                                             .file = r->file,
                                             .find = find_tensor};
    if (checkpoint_read_tensors(r->out, &source, 0, r->error))
        return -1;
    uint64_t hash = gguf_tensor_count(r->file);
    for (size_t i = 0; i < gguf_tensor_count(r->file); i++) {
        const struct gguf_tensor *tensor = gguf_tensor_at(r->file, i);
        hash = checkpoint_fingerprint(hash, tensor->name, (uint64_t)tensor->type, tensor->data,
                                      tensor->bytes);
    }
    r->out->fingerprint = hash;
    return 0;
}

static int read_texts(struct reader *r) {
    struct gguf_string text;
    if (gguf_has(r->file, "general.name")) {
        if (gguf_get_string(r->file, "general.name", &text, r->error))
            return -1;
        snprintf(r->out->name, sizeof r->out->name, "%.*s",
                 (int)(text.length < 120 ? text.length : 120), text.data);
    }
    if (!gguf_has(r->file, "tokenizer.chat_template"))
        return 0;
    if (gguf_get_string(r->file, "tokenizer.chat_template", &text, r->error))
        return -1;
    r->out->chat_template = memory_allocate(text.length + 1, 1, r->error);
    if (r->out->chat_template == NULL)
        return -1;
    memcpy(r->out->chat_template, text.data, text.length);
    return 0;
}

int checkpoint_is_gguf(const struct gguf *file) {
    struct gguf_string name;
    struct error ignored;
    return gguf_get_string(file, "general.architecture", &name, &ignored) == 0 &&
           !gguf_string_is(name, "trine");
}

int checkpoint_read_gguf(struct checkpoint *c, struct tokenizer **tokenizer, const char *path,
                         struct error *error) {
    struct reader r = {.out = c, .error = error};
    struct stat status;
    if (gguf_open(&c->gguf, path, error))
        return -1;
    r.file = c->gguf;
    if (read_architecture(&r) || read_config(&r) || read_scaling(&r) || read_tensors(&r) ||
        read_texts(&r))
        return -1;
    c->file_bytes = stat(path, &status) == 0 ? (size_t)status.st_size : 0;
    if (tokenizer != NULL && tokenizer_gguf_load(tokenizer, c->gguf, error))
        return -1;
    size_t count = tokenizer != NULL ? tokenizer_vocabulary_size(*tokenizer) : c->config.vocabulary;
    if (count == c->config.vocabulary) {
        gguf_release(c->gguf);
        return 0;
    }
    tokenizer_destroy(*tokenizer);
    *tokenizer = NULL;
    return error_set(error, "%s: %zu tokens for an embedding of %zu", path, count,
                     c->config.vocabulary);
}
