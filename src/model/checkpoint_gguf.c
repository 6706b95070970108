#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/random.h"
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

static const struct gguf_tensor *find(struct reader *r, struct key *key, const char *name,
                                      size_t block) {
    if (block == SIZE_MAX)
        snprintf(key->text, sizeof key->text, "%s", name);
    else
        snprintf(key->text, sizeof key->text, "blk.%zu.%s", block, name);
    return gguf_find_tensor(r->file, key->text);
}

/* `block` is SIZE_MAX for tensors outside the blocks. */
static int read_matrix(struct reader *r, struct matrix *out, const char *name, size_t block,
                       size_t rows, size_t columns) {
    struct key key;
    const struct gguf_tensor *tensor = find(r, &key, name, block);
    if (tensor == NULL)
        return error_set(r->error, "%s has no tensor %s", gguf_name(r->file), key.text);
    if (tensor->dimension_count != 2 || tensor->dimensions[0] != columns ||
        tensor->dimensions[1] != rows)
        return error_set(r->error, "%s: tensor %s is [%zu,%zu]; [%zu,%zu] was expected",
                         gguf_name(r->file), key.text, tensor->dimensions[1], tensor->dimensions[0],
                         rows, columns);
    if (!tensor_type_is_readable(tensor->type))
        return error_set(r->error, "%s: tensor %s is of type %s, which cannot be read",
                         gguf_name(r->file), key.text, tensor_type_name(tensor->type));
    *out = (struct matrix){
        .data = tensor->data, .type = tensor->type, .rows = rows, .columns = columns};
    return 0;
}

static int read_vector(struct reader *r, real *out, const char *name, size_t block, size_t width) {
    struct key key;
    const struct gguf_tensor *tensor = find(r, &key, name, block);
    if (tensor == NULL)
        return error_set(r->error, "%s has no tensor %s", gguf_name(r->file), key.text);
    if (tensor->element_count != width)
        return error_set(r->error, "%s: tensor %s has %zu numbers; %zu were expected",
                         gguf_name(r->file), key.text, tensor->element_count, width);
    float *values = memory_allocate(width, sizeof *values, r->error);
    int result = values == NULL || gguf_read_floats(tensor, values, r->error) ? -1 : 0;
    for (size_t i = 0; result == 0 && i < width; i++) {
        out[i] = (real)values[i];
        if (!isfinite(values[i]))
            result = error_set(r->error, "%s: tensor %s holds numbers that are not finite",
                               gguf_name(r->file), key.text);
    }
    memory_free(values);
    return result;
}

static int allocate_reals(real **out, size_t count, struct error *error) {
    *out = memory_allocate(count, sizeof **out, error);
    return *out != NULL ? 0 : -1;
}

static int read_bias(struct reader *r, struct checkpoint_block *block, size_t l) {
    const struct config *c = &r->out->config;
    size_t queries = c->heads * c->head_width, shared = c->key_value_heads * c->head_width;
    struct key key;
    if (find(r, &key, "attn_q.bias", l) == NULL)
        return 0;
    return allocate_reals(&block->qkv_bias, queries + 2 * shared, r->error) ||
           read_vector(r, block->qkv_bias, "attn_q.bias", l, queries) ||
           read_vector(r, block->qkv_bias + queries, "attn_k.bias", l, shared) ||
           read_vector(r, block->qkv_bias + queries + shared, "attn_v.bias", l, shared);
}

static int read_block(struct reader *r, struct checkpoint_block *block, size_t l) {
    const struct config *c = &r->out->config;
    size_t queries = c->heads * c->head_width, shared = c->key_value_heads * c->head_width;
    return allocate_reals(&block->attention_norm, c->width, r->error) ||
           allocate_reals(&block->feed_norm, c->width, r->error) ||
           read_vector(r, block->attention_norm, "attn_norm.weight", l, c->width) ||
           read_vector(r, block->feed_norm, "ffn_norm.weight", l, c->width) ||
           read_matrix(r, &block->qkv[0], "attn_q.weight", l, queries, c->width) ||
           read_matrix(r, &block->qkv[1], "attn_k.weight", l, shared, c->width) ||
           read_matrix(r, &block->qkv[2], "attn_v.weight", l, shared, c->width) ||
           read_matrix(r, &block->attention_out, "attn_output.weight", l, c->width, queries) ||
           read_matrix(r, &block->gate_up[0], "ffn_gate.weight", l, c->inner, c->width) ||
           read_matrix(r, &block->gate_up[1], "ffn_up.weight", l, c->inner, c->width) ||
           read_matrix(r, &block->down, "ffn_down.weight", l, c->width, c->inner) ||
           read_bias(r, block, l);
}

static int read_tensors(struct reader *r) {
    struct checkpoint *out = r->out;
    const struct config *c = &out->config;
    int is_tied = gguf_find_tensor(r->file, "output.weight") == NULL;
    if (allocate_reals(&out->final_norm, c->width, r->error) ||
        read_vector(r, out->final_norm, "output_norm.weight", SIZE_MAX, c->width) ||
        read_matrix(r, &out->embedding, "token_embd.weight", SIZE_MAX, c->vocabulary, c->width) ||
        read_matrix(r, &out->output, is_tied ? "token_embd.weight" : "output.weight", SIZE_MAX,
                    c->vocabulary, c->width))
        return -1;
    for (size_t l = 0; l < c->blocks; l++)
        if (read_block(r, &out->blocks[l], l))
            return -1;
    return 0;
}

/* Of names, shapes, types and the first bytes of every tensor: enough to tell checkpoints apart
 * without reading all of them. */
static uint64_t fingerprint(const struct gguf *file) {
    enum { SAMPLE = 4096 };
    uint64_t hash = gguf_tensor_count(file);
    for (size_t i = 0; i < gguf_tensor_count(file); i++) {
        const struct gguf_tensor *tensor = gguf_tensor_at(file, i);
        hash = random_mix(hash ^ random_hash(tensor->name, strlen(tensor->name)));
        hash = random_mix(hash ^ tensor->bytes);
        hash = random_mix(hash ^ (uint64_t)tensor->type);
        hash = random_mix(
            hash ^ random_hash(tensor->data, tensor->bytes < SAMPLE ? tensor->bytes : SAMPLE));
    }
    return hash;
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
    c->fingerprint = fingerprint(c->gguf);
    c->file_bytes = stat(path, &status) == 0 ? (size_t)status.st_size : 0;
    if (tokenizer == NULL)
        return 0;
    if (tokenizer_gguf_load(tokenizer, c->gguf, error))
        return -1;
    size_t count = tokenizer_vocabulary_size(*tokenizer);
    if (count == c->config.vocabulary)
        return 0;
    tokenizer_destroy(*tokenizer);
    *tokenizer = NULL;
    return error_set(error, "%s: %zu tokens for an embedding of %zu", path, count,
                     c->config.vocabulary);
}
