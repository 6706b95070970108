/* safetensors files: a JSON header of names, types, shapes and places, then the tensors' bytes
 * (format: the README and the reference reader of huggingface/safetensors).
 *
 * The reader maps the file read-only and makes the reference's checks before anything is used:
 * header and tensors fill the file exactly, without holes or overlaps. Parsing takes memory in
 * proportion to the header, which is at most SAFETENSORS_HEADER_LIMIT bytes. */
#ifndef TRINE_FILE_SAFETENSORS_H
#define TRINE_FILE_SAFETENSORS_H

#include <stddef.h>

#include "base/error.h"
#include "math/quant.h"

enum { SAFETENSORS_DIMENSIONS = 8, SAFETENSORS_HEADER_LIMIT = 1 << 26 };

struct safetensors_tensor {
    const char *name, *type; /* "F32", "BF16", ... */
    size_t dimension_count;
    size_t dimensions[SAFETENSORS_DIMENSIONS]; /* slowest first */
    size_t element_count;
    const void *data;
    size_t bytes;
};

struct safetensors;

/* Opens a .safetensors file, or all the files that a model.safetensors.index.json names. Tensors
 * live until safetensors_close. */
int safetensors_open(struct safetensors **out, const char *path, struct error *error);

/* The same for bytes in memory, which must outlive the result; `name` stands in for the path. */
int safetensors_open_memory(struct safetensors **out, const void *data, size_t bytes,
                            const char *name, struct error *error);
void safetensors_close(struct safetensors *file); /* NULL is fine */

size_t safetensors_count(const struct safetensors *file);
const struct safetensors_tensor *safetensors_at(const struct safetensors *file, size_t index);
const struct safetensors_tensor *safetensors_find(const struct safetensors *file, const char *name);

/* The tensor's type as one that dequantise() reads (F32, F16, BF16); -1 for any other. */
int safetensors_type(const struct safetensors_tensor *tensor);

/* out[element_count]; of the types above, else the error names it. */
int safetensors_read_floats(const struct safetensors_tensor *tensor, float *out,
                            struct error *error);

/* Collects tensors, then writes them all at once, wholly or not at all. */
struct safetensors_writer;
int safetensors_writer_create(struct safetensors_writer **out, struct error *error);
void safetensors_writer_destroy(struct safetensors_writer *writer);

/* `data` are elements of `type` (F32, F16 or BF16), borrowed until the commit; dimensions slowest
 * first. */
int safetensors_writer_add(struct safetensors_writer *writer, const char *name,
                           const size_t *dimensions, size_t dimension_count, enum tensor_type type,
                           const void *data, struct error *error);
int safetensors_writer_commit(const struct safetensors_writer *writer, const char *path,
                              struct error *error);

#endif
