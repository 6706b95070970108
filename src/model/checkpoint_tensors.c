/* What all kinds of checkpoint files have in common: tensors with names and shapes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "model/checkpoint_read.h"

/* What is read, from where, and into what. */
struct reader {
    struct checkpoint *out;
    const struct checkpoint_source *source;
    struct error *error;
};

struct key {
    char text[128];
};

/* `block` is SIZE_MAX for tensors outside the blocks. Returns 0 when there is no such tensor. */
static int find(const struct reader *r, struct key *key, const char *name, size_t block,
                struct checkpoint_tensor *out) {
    if (block == SIZE_MAX)
        snprintf(key->text, sizeof key->text, "%s", name);
    else
        snprintf(key->text, sizeof key->text, "%s.%zu.%s", r->source->block, block, name);
    return r->source->find(r->source->file, key->text, out);
}

static int read_matrix(const struct reader *r, struct matrix *out, const char *name, size_t block,
                       size_t rows, size_t columns) {
    struct checkpoint_tensor tensor;
    struct key key;
    if (!find(r, &key, name, block, &tensor))
        return error_set(r->error, "%s has no tensor %s", r->source->name, key.text);
    if (tensor.dimension_count != 2 || tensor.rows != rows || tensor.columns != columns)
        return error_set(r->error, "%s: tensor %s is [%zu,%zu]; [%zu,%zu] was expected",
                         r->source->name, key.text, tensor.rows, tensor.columns, rows, columns);
    if (tensor.type < 0)
        return error_set(r->error, "%s: tensor %s is of type %s, which cannot be read",
                         r->source->name, key.text, tensor.type_name);
    *out = (struct matrix){.data = tensor.data,
                           .type = (enum tensor_type)tensor.type,
                           .rows = rows,
                           .columns = columns};
    return 0;
}

static int read_vector(const struct reader *r, real *out, const char *name, size_t block,
                       size_t width) {
    struct checkpoint_tensor tensor;
    struct key key;
    if (!find(r, &key, name, block, &tensor))
        return error_set(r->error, "%s has no tensor %s", r->source->name, key.text);
    if (tensor.count != width || tensor.type < 0)
        return error_set(r->error, "%s: tensor %s has %zu numbers of %s; %zu were expected",
                         r->source->name, key.text, tensor.count, tensor.type_name, width);
    float *values = memory_allocate(width, sizeof *values, r->error);
    if (values == NULL)
        return -1;
    dequantise(values, tensor.data, (enum tensor_type)tensor.type, width);
    int result = 0;
    for (size_t i = 0; i < width && result == 0; i++) {
        out[i] = (real)values[i];
        if (!isfinite(values[i]))
            result = error_set(r->error, "%s: tensor %s holds numbers that are not finite",
                               r->source->name, key.text);
    }
    memory_free(values);
    return result;
}

static int allocate_reals(real **out, size_t count, struct error *error) {
    *out = memory_allocate(count, sizeof **out, error);
    return *out != NULL ? 0 : -1;
}

static int read_bias(const struct reader *r, struct checkpoint_block *block, size_t l) {
    const struct config *c = &r->out->config;
    const struct checkpoint_names *names = r->source->names;
    size_t queries = c->heads * c->head_width, shared = c->key_value_heads * c->head_width;
    struct checkpoint_tensor ignored;
    struct key key;
    if (!find(r, &key, names->query_bias, l, &ignored))
        return 0;
    return allocate_reals(&block->qkv_bias, queries + 2 * shared, r->error) ||
           read_vector(r, block->qkv_bias, names->query_bias, l, queries) ||
           read_vector(r, block->qkv_bias + queries, names->key_bias, l, shared) ||
           read_vector(r, block->qkv_bias + queries + shared, names->value_bias, l, shared);
}

static int read_block(const struct reader *r, struct checkpoint_block *block, size_t l) {
    const struct config *c = &r->out->config;
    const struct checkpoint_names *names = r->source->names;
    size_t queries = c->heads * c->head_width, shared = c->key_value_heads * c->head_width;
    return allocate_reals(&block->attention_norm, c->width, r->error) ||
           allocate_reals(&block->feed_norm, c->width, r->error) ||
           read_vector(r, block->attention_norm, names->attention_norm, l, c->width) ||
           read_vector(r, block->feed_norm, names->feed_norm, l, c->width) ||
           read_matrix(r, &block->qkv[0], names->query, l, queries, c->width) ||
           read_matrix(r, &block->qkv[1], names->key, l, shared, c->width) ||
           read_matrix(r, &block->qkv[2], names->value, l, shared, c->width) ||
           read_matrix(r, &block->attention_out, names->attention_out, l, c->width, queries) ||
           read_matrix(r, &block->gate_up[0], names->gate, l, c->inner, c->width) ||
           read_matrix(r, &block->gate_up[1], names->up, l, c->inner, c->width) ||
           read_matrix(r, &block->down, names->down, l, c->width, c->inner) ||
           read_bias(r, block, l);
}

int checkpoint_read_tensors(struct checkpoint *out, const struct checkpoint_source *source,
                            int is_tied, struct error *error) {
    const struct reader r = {out, source, error};
    const struct config *c = &out->config;
    const struct checkpoint_names *names = source->names;
    struct checkpoint_tensor ignored;
    struct key key;
    is_tied = is_tied || !find(&r, &key, names->output, SIZE_MAX, &ignored);
    if (allocate_reals(&out->final_norm, c->width, error) ||
        read_vector(&r, out->final_norm, names->final_norm, SIZE_MAX, c->width) ||
        read_matrix(&r, &out->embedding, names->embedding, SIZE_MAX, c->vocabulary, c->width) ||
        read_matrix(&r, &out->output, is_tied ? names->embedding : names->output, SIZE_MAX,
                    c->vocabulary, c->width))
        return -1;
    for (size_t l = 0; l < c->blocks; l++)
        if (read_block(&r, &out->blocks[l], l))
            return -1;
    return 0;
}

uint64_t checkpoint_fingerprint(uint64_t hash, const char *name, uint64_t type, const void *data,
                                size_t bytes) {
    enum { SAMPLE = 4096 };
    hash = random_mix(hash ^ random_hash(name, strlen(name)));
    hash = random_mix(hash ^ bytes);
    hash = random_mix(hash ^ type);
    return random_mix(hash ^ random_hash(data, bytes < SAMPLE ? bytes : SAMPLE));
}
