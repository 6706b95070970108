/* GGUF files: reads versions 2 and 3, writes version 3 (layout: ggml's docs/gguf.md).
 *
 * A GGUF file is a list of typed keys followed by named tensors. The reader maps the file
 * read-only, checks every length in it before anything is used, and hands out pointers into the
 * map that live until gguf_close. After gguf_open a `struct gguf` never changes, so any number of
 * threads may read it. A writer belongs to one thread. */
#ifndef TRINE_FILE_GGUF_H
#define TRINE_FILE_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "math/quant.h"

enum { TRINE_GGUF_DIMENSIONS = 4, TRINE_GGUF_NAME_BYTES = 64 };

/* Bytes of a string in the file: counted, not NUL-terminated, not necessarily UTF-8. */
struct gguf_string {
    const char *data;
    size_t length;
};

struct gguf_tensor {
    char name[TRINE_GGUF_NAME_BYTES];
    size_t dimension_count;
    size_t dimensions[TRINE_GGUF_DIMENSIONS]; /* fastest first; those not in the file are 1 */
    size_t element_count;
    enum tensor_type type;
    const void *data; /* in a mapped file aligned to at least 8 bytes; else only as the memory is */
    size_t bytes;
};

struct gguf;

/* Opens and checks a file; the caller closes. Errors name the file and the byte or the key. */
int gguf_open(struct gguf **file, const char *path, struct error *error);

/* The same for bytes in memory, which must outlive the result. `name` stands in for the path in
 * messages. */
int gguf_open_memory(struct gguf **file, const void *data, size_t bytes, const char *name,
                     struct error *error);

void gguf_close(struct gguf *file); /* NULL is fine */

/* Gives back the memory of what was read so far; what is asked for again is read again. For after
 * a load: a tokenizer's keys are megabytes. */
void gguf_release(const struct gguf *file);

/* The path, for messages. */
const char *gguf_name(const struct gguf *file);

bool gguf_has(const struct gguf *file, const char *key);

/* Values by key. An error says when the key is absent, of another type, or out of range. Integers
 * are accepted from any integer type that holds them; f64 also from f32. */
int gguf_get_u32(const struct gguf *file, const char *key, uint32_t *value, struct error *error);
int gguf_get_u64(const struct gguf *file, const char *key, uint64_t *value, struct error *error);
int gguf_get_f32(const struct gguf *file, const char *key, float *value, struct error *error);
int gguf_get_f64(const struct gguf *file, const char *key, double *value, struct error *error);
int gguf_get_bool(const struct gguf *file, const char *key, bool *value, struct error *error);

/* The string stays in the file. */
int gguf_get_string(const struct gguf *file, const char *key, struct gguf_string *value,
                    struct error *error);

bool gguf_string_is(struct gguf_string string, const char *text);

/* Arrays by key: a copy, which the caller frees with memory_free. Conversions as above; the bytes
 * of strings stay in the file. */
int gguf_get_u32_array(const struct gguf *file, const char *key, uint32_t **values, size_t *count,
                       struct error *error);
int gguf_get_i32_array(const struct gguf *file, const char *key, int32_t **values, size_t *count,
                       struct error *error);
int gguf_get_f32_array(const struct gguf *file, const char *key, float **values, size_t *count,
                       struct error *error);
int gguf_get_f64_array(const struct gguf *file, const char *key, double **values, size_t *count,
                       struct error *error);
int gguf_get_string_array(const struct gguf *file, const char *key, struct gguf_string **values,
                          size_t *count, struct error *error);

/* Tensors, in file order or by name (NULL when absent). They live until gguf_close. */
size_t gguf_tensor_count(const struct gguf *file);
const struct gguf_tensor *gguf_tensor_at(const struct gguf *file, size_t index);
const struct gguf_tensor *gguf_find_tensor(const struct gguf *file, const char *name);

/* The tensor's element_count values as floats into `out`, in file order; a type that cannot be
 * read is an error that names it. */
int gguf_read_floats(const struct gguf_tensor *tensor, float *out, struct error *error);

/* Collects keys and tensors, then writes them all at once. */
struct gguf_writer;

int gguf_writer_create(struct gguf_writer **writer, struct error *error);
void gguf_writer_destroy(struct gguf_writer *writer); /* NULL is fine */

/* Adds a key; keys and values are copied. A repeated, empty or over-long key is an error, and so is
 * general.alignment, which the writer leaves at its default of 32. After an error the writer is
 * as it was before the call. */
int gguf_writer_add_u32(struct gguf_writer *writer, const char *key, uint32_t value,
                        struct error *error);
int gguf_writer_add_u64(struct gguf_writer *writer, const char *key, uint64_t value,
                        struct error *error);
int gguf_writer_add_f32(struct gguf_writer *writer, const char *key, float value,
                        struct error *error);
int gguf_writer_add_f64(struct gguf_writer *writer, const char *key, double value,
                        struct error *error);
int gguf_writer_add_bool(struct gguf_writer *writer, const char *key, bool value,
                         struct error *error);
int gguf_writer_add_string(struct gguf_writer *writer, const char *key, const char *value,
                           struct error *error);
int gguf_writer_add_u32_array(struct gguf_writer *writer, const char *key, const uint32_t *values,
                              size_t count, struct error *error);
int gguf_writer_add_i32_array(struct gguf_writer *writer, const char *key, const int32_t *values,
                              size_t count, struct error *error);
int gguf_writer_add_f32_array(struct gguf_writer *writer, const char *key, const float *values,
                              size_t count, struct error *error);
int gguf_writer_add_f64_array(struct gguf_writer *writer, const char *key, const double *values,
                              size_t count, struct error *error);
int gguf_writer_add_string_array(struct gguf_writer *writer, const char *key,
                                 const struct gguf_string *values, size_t count,
                                 struct error *error);

/* Adds a tensor of a writable type; floats are converted at commit. `dimensions` has
 * `dimension_count` (1 to 4) entries, fastest first. The name is copied; `data` is borrowed until
 * gguf_writer_commit. */
int gguf_writer_add_tensor(struct gguf_writer *writer, const char *name, const size_t *dimensions,
                           size_t dimension_count, enum tensor_type type, const float *data,
                           struct error *error);

/* The same for blocks that are of the type already, which are written as they are. */
int gguf_writer_add_blocks(struct gguf_writer *writer, const char *name, const size_t *dimensions,
                           size_t dimension_count, enum tensor_type type, const void *blocks,
                           struct error *error);

/* Writes everything to `path`, wholly or not at all. May be called again. */
int gguf_writer_commit(const struct gguf_writer *writer, const char *path, struct error *error);

#endif
