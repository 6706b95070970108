/* A checkpoint small enough for finite differences, with random weights. */
#ifndef TRINE_TESTS_TINY_CHECKPOINT_H
#define TRINE_TESTS_TINY_CHECKPOINT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "cmocka_all.h"
#include "file/gguf.h"
#include "model/checkpoint.h"

struct tiny_options {
    const char *architecture;  /* "llama" or "qwen2"; the latter has biases */
    enum tensor_type type;     /* of the matrices */
    size_t width, inner;       /* 0: 12 and 10; block types want multiples of 32 */
    size_t vocabulary, blocks; /* 0: 19 and 3 */
    int is_untied;
    const char *scaling; /* rope.scaling.type or NULL */
};

struct tiny {
    struct gguf_writer *writer;
    struct random random;
    float *tensors[64];
    size_t count;
};

static inline void tiny_tensor(struct tiny *t, enum tensor_type type, size_t columns, size_t rows,
                               double centre, double scale, const char *format, size_t l) {
    struct error error;
    char name[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(name, sizeof name, format, l);
#pragma GCC diagnostic pop
    size_t count = columns * (rows > 0 ? rows : 1), dimensions[2] = {columns, rows};
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(centre + scale * random_normal(&t->random));
    t->tensors[t->count++] = values;
    assert_int_equal(gguf_writer_add_tensor(t->writer, name, dimensions, rows > 0 ? 2 : 1,
                                            rows > 0 ? type : TENSOR_F32, values, &error),
                     0);
}

static inline void tiny_size(struct tiny *t, const char *architecture, const char *field,
                             size_t value) {
    struct error error;
    char key[96];
    snprintf(key, sizeof key, "%s.%s", architecture, field);
    assert_int_equal(gguf_writer_add_u32(t->writer, key, (uint32_t)value, &error), 0);
}

/* Heads: 4 queries of 4, or of width / 4; 2 keys and values. */
static inline void tiny_write(const char *path, const struct tiny_options *o) {
    struct error error;
    struct tiny t = {0};
    size_t width = o->width > 0 ? o->width : 12, inner = o->inner > 0 ? o->inner : 10;
    size_t head = o->width > 0 ? width / 4 : 4, vocabulary = o->vocabulary > 0 ? o->vocabulary : 19;
    size_t blocks = o->blocks > 0 ? o->blocks : 3;
    double scale = width > 32 ? 0.15 : 0.4;
    random_seed(&t.random, 11, width);
    assert_int_equal(gguf_writer_create(&t.writer, &error), 0);
    gguf_writer_add_string(t.writer, "general.architecture", o->architecture, &error);
    gguf_writer_add_string(t.writer, "general.name", "tiny", &error);
    tiny_size(&t, o->architecture, "context_length", 64);
    tiny_size(&t, o->architecture, "embedding_length", width);
    tiny_size(&t, o->architecture, "block_count", blocks);
    tiny_size(&t, o->architecture, "feed_forward_length", inner);
    tiny_size(&t, o->architecture, "attention.head_count", 4);
    tiny_size(&t, o->architecture, "attention.head_count_kv", 2);
    tiny_size(&t, o->architecture, "attention.key_length", head);
    char key[96];
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", o->architecture);
    gguf_writer_add_f32(t.writer, key, 1e-5f, &error);
    if (o->scaling != NULL) {
        snprintf(key, sizeof key, "%s.rope.scaling.type", o->architecture);
        gguf_writer_add_string(t.writer, key, o->scaling, &error);
        snprintf(key, sizeof key, "%s.rope.scaling.factor", o->architecture);
        gguf_writer_add_f32(t.writer, key, 4, &error);
        tiny_size(&t, o->architecture, "rope.scaling.original_context_length", 16);
    }
    tiny_tensor(&t, o->type, width, vocabulary, 0, scale, "token_embd.weight", 0);
    if (o->is_untied)
        tiny_tensor(&t, o->type, width, vocabulary, 0, scale, "output.weight", 0);
    tiny_tensor(&t, o->type, width, 0, 1, 0.2, "output_norm.weight", 0);
    for (size_t l = 0; l < blocks; l++) {
        tiny_tensor(&t, o->type, width, 0, 1, 0.2, "blk.%zu.attn_norm.weight", l);
        tiny_tensor(&t, o->type, width, 4 * head, 0, scale, "blk.%zu.attn_q.weight", l);
        tiny_tensor(&t, o->type, width, 2 * head, 0, scale, "blk.%zu.attn_k.weight", l);
        tiny_tensor(&t, o->type, width, 2 * head, 0, scale, "blk.%zu.attn_v.weight", l);
        tiny_tensor(&t, o->type, 4 * head, width, 0, scale, "blk.%zu.attn_output.weight", l);
        tiny_tensor(&t, o->type, width, 0, 1, 0.2, "blk.%zu.ffn_norm.weight", l);
        tiny_tensor(&t, o->type, width, inner, 0, scale, "blk.%zu.ffn_gate.weight", l);
        tiny_tensor(&t, o->type, width, inner, 0, scale, "blk.%zu.ffn_up.weight", l);
        tiny_tensor(&t, o->type, inner, width, 0, scale, "blk.%zu.ffn_down.weight", l);
        if (strcmp(o->architecture, "qwen2") == 0) {
            tiny_tensor(&t, o->type, 4 * head, 0, 0, 0.3, "blk.%zu.attn_q.bias", l);
            tiny_tensor(&t, o->type, 2 * head, 0, 0, 0.3, "blk.%zu.attn_k.bias", l);
            tiny_tensor(&t, o->type, 2 * head, 0, 0, 0.3, "blk.%zu.attn_v.bias", l);
        }
    }
    assert_int_equal(gguf_writer_commit(t.writer, path, &error), 0);
    gguf_writer_destroy(t.writer);
    for (size_t i = 0; i < t.count; i++)
        free(t.tensors[i]);
}

/* Written, opened and unlinked. */
static inline struct checkpoint *tiny_open(const struct tiny_options *o) {
    struct error error;
    struct checkpoint *checkpoint;
    char path[64];
    snprintf(path, sizeof path, "/tmp/trine-tiny-%ld.gguf", (long)getpid());
    tiny_write(path, o);
    if (checkpoint_open(&checkpoint, NULL, path, &error))
        fail_msg("%s", error.message);
    unlink(path);
    return checkpoint;
}

#endif
