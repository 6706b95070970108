/* The readers behind checkpoint_open; included by checkpoint*.c only. */
#ifndef TRINE_MODEL_CHECKPOINT_READ_H
#define TRINE_MODEL_CHECKPOINT_READ_H

#include "model/checkpoint.h"

/* Each fills a zeroed checkpoint; what it holds after an error is freed by checkpoint_close. */
int checkpoint_read_gguf(struct checkpoint *checkpoint, struct tokenizer **tokenizer,
                         const char *path, struct error *error);
int checkpoint_read_huggingface(struct checkpoint *checkpoint, struct tokenizer **tokenizer,
                                const char *directory, struct error *error);

/* Checks the sizes in config, completes them, and makes room for the blocks. */
int checkpoint_prepare(struct checkpoint *checkpoint, const char *path, struct error *error);

/* A tensor as a file has it. */
struct checkpoint_tensor {
    const void *data;
    int type; /* enum tensor_type, or -1 for one that cannot be read */
    const char *type_name;
    size_t dimension_count, rows, columns; /* of a matrix */
    size_t count;                          /* of all elements */
};

/* What a kind of file calls the tensors; those of blocks follow "BLOCK.N.". */
struct checkpoint_names {
    const char *embedding, *final_norm, *output;
    const char *attention_norm, *feed_norm;
    const char *query, *key, *value, *attention_out, *gate, *up, *down;
    const char *query_bias, *key_bias, *value_bias;
};

struct checkpoint_source {
    const char *name; /* of the file, for messages */
    const char *block;
    const struct checkpoint_names *names;
    const void *file;
    /* Returns 0 when there is no such tensor. */
    int (*find)(const void *file, const char *name, struct checkpoint_tensor *out);
};

/* All of a prepared checkpoint's tensors; the output layer is the embedding when they are tied or
 * the file has none. */
int checkpoint_read_tensors(struct checkpoint *checkpoint, const struct checkpoint_source *source,
                            int is_tied, struct error *error);

/* A hash over one more tensor: its name, size, type and first bytes. Enough to tell checkpoints
 * apart without reading all of them. */
uint64_t checkpoint_fingerprint(uint64_t hash, const char *name, uint64_t type, const void *data,
                                size_t bytes);

#endif
