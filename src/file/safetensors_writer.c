#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "file/safetensors.h"

struct written {
    char *name;
    size_t dimensions[SAFETENSORS_DIMENSIONS], dimension_count;
    enum tensor_type type;
    const void *data;
    size_t bytes;
};

struct safetensors_writer {
    struct written *tensors;
    size_t count, capacity;
};

int safetensors_writer_create(struct safetensors_writer **out, struct error *error) {
    *out = memory_allocate(1, sizeof **out, error);
    return *out != NULL ? 0 : -1;
}

void safetensors_writer_destroy(struct safetensors_writer *writer) {
    if (writer == NULL)
        return;
    for (size_t i = 0; i < writer->count; i++)
        free(writer->tensors[i].name);
    free(writer->tensors);
    memory_free(writer);
}

int safetensors_writer_add(struct safetensors_writer *writer, const char *name,
                           const size_t *dimensions, size_t dimension_count, enum tensor_type type,
                           const void *data, struct error *error) {
    if (type != TENSOR_F32 && type != TENSOR_F16 && type != TENSOR_BF16)
        return error_set(error, "safetensors hold F32, F16 and BF16 here, not %s",
                         tensor_type_name(type));
    if (dimension_count > SAFETENSORS_DIMENSIONS)
        return error_set(error, "%.200s has %zu dimensions; %d are possible", name, dimension_count,
                         SAFETENSORS_DIMENSIONS);
    struct written tensor = {.dimension_count = dimension_count,
                             .type = type,
                             .data = data,
                             .bytes = tensor_type_bytes(type)};
    for (size_t i = 0; i < dimension_count; i++) {
        tensor.dimensions[i] = dimensions[i];
        if (__builtin_mul_overflow(tensor.bytes, dimensions[i], &tensor.bytes))
            return error_set(error, "%.200s is too large", name);
    }
    for (size_t i = 0; i < writer->count; i++)
        if (strcmp(writer->tensors[i].name, name) == 0)
            return error_set(error, "the tensor %.200s is given twice", name);
    if (memory_grow(&writer->tensors, &writer->capacity, writer->count + 1, sizeof tensor, error))
        return -1;
    tensor.name = strdup(name);
    if (tensor.name == NULL)
        return error_set(error, "out of memory");
    writer->tensors[writer->count++] = tensor;
    return 0;
}

/* The largest elements first, so that every tensor is aligned; then by name. */
static int compare_written(const void *a, const void *b) {
    const struct written *x = *(const struct written *const *)a;
    const struct written *y = *(const struct written *const *)b;
    size_t p = tensor_type_bytes(x->type), q = tensor_type_bytes(y->type);
    return p != q ? (p < q) - (p > q) : strcmp(x->name, y->name);
}

static json_t *describe(const struct written *tensor, size_t offset) {
    json_t *shape = json_array();
    for (size_t i = 0; i < tensor->dimension_count; i++)
        json_array_append_new(shape, json_integer((json_int_t)tensor->dimensions[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensor_type_name(tensor->type), "shape",
                     shape, "data_offsets", (json_int_t)offset,
                     (json_int_t)(offset + tensor->bytes));
}

static char *make_header(const struct written *const *sorted, size_t count) {
    json_t *header = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    size_t offset = 0;
    for (size_t i = 0; i < count; offset += sorted[i++]->bytes)
        json_object_set_new(header, sorted[i]->name, describe(sorted[i], offset));
    char *text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    return text;
}

int safetensors_writer_commit(const struct safetensors_writer *writer, const char *path,
                              struct error *error) {
    const struct written **sorted = memory_allocate(writer->count, sizeof *sorted, error);
    if (sorted == NULL)
        return -1;
    for (size_t i = 0; i < writer->count; i++)
        sorted[i] = &writer->tensors[i];
    qsort(sorted, writer->count, sizeof *sorted, compare_written);
    char *header = make_header(sorted, writer->count);
    struct file_writer file;
    int result =
        header == NULL ? error_set(error, "out of memory") : file_writer_open(&file, path, error);
    if (result == 0) {
        uint64_t length = strlen(header), padded = (length + 7) / 8 * 8;
        fwrite(&padded, sizeof padded, 1, file.stream);
        fprintf(file.stream, "%s%*s", header, (int)(padded - length), "");
        for (size_t i = 0; i < writer->count; i++)
            if (sorted[i]->bytes > 0)
                fwrite(sorted[i]->data, 1, sorted[i]->bytes, file.stream);
        result = file_writer_commit(&file, error); /* notices a failed write */
    }
    free(header);
    memory_free(sorted);
    return result;
}
