#include "file/safetensors.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

enum { SHARD_LIMIT = 1024 };

struct shard {
    struct file_map map;
    json_t *header; /* names live here */
};

struct safetensors {
    struct shard *shards;
    size_t shard_count, shard_capacity;
    struct safetensors_tensor *tensors; /* sorted by name */
    size_t count, capacity;
};

static const struct {
    const char *name;
    size_t bytes;
    int type; /* enum tensor_type, or -1 */
} TYPES[] = {{"F32", 4, TENSOR_F32}, {"F16", 2, TENSOR_F16}, {"BF16", 2, TENSOR_BF16},
             {"F64", 8, -1},         {"I64", 8, -1},         {"I32", 4, -1},
             {"I16", 2, -1},         {"I8", 1, -1},          {"U64", 8, -1},
             {"U32", 4, -1},         {"U16", 2, -1},         {"U8", 1, -1},
             {"BOOL", 1, -1},        {"F8_E4M3", 1, -1},     {"F8_E5M2", 1, -1}};
enum { TYPE_COUNT = sizeof TYPES / sizeof *TYPES };

/* What one file is while it is read. */
struct source {
    const char *name;
    const unsigned char *data;
    size_t bytes, start; /* of the file; where the tensors begin */
    struct error *error;
};

static int read_shape(struct safetensors_tensor *tensor, const json_t *shape,
                      const struct source *from) {
    tensor->element_count = 1;
    tensor->dimension_count = json_array_size(shape);
    if (!json_is_array(shape) || tensor->dimension_count > SAFETENSORS_DIMENSIONS)
        return error_set(from->error, "%s: the shape of %.200s is not sound", from->name,
                         tensor->name);
    for (size_t i = 0; i < tensor->dimension_count; i++) {
        const json_t *size = json_array_get(shape, i);
        if (!json_is_integer(size) || json_integer_value(size) < 0)
            return error_set(from->error, "%s: the shape of %.200s is not sound", from->name,
                             tensor->name);
        tensor->dimensions[i] = (size_t)json_integer_value(size);
        if (__builtin_mul_overflow(tensor->element_count, tensor->dimensions[i],
                                   &tensor->element_count))
            return error_set(from->error, "%s: %.200s is too large", from->name, tensor->name);
    }
    return 0;
}

static int read_place(struct safetensors_tensor *tensor, const json_t *offsets, size_t size,
                      const struct source *from) {
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    size_t room = from->bytes - from->start, wanted;
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last) ||
        json_integer_value(first) < 0 || json_integer_value(last) < json_integer_value(first) ||
        (uint64_t)json_integer_value(last) > room)
        return error_set(from->error, "%s: the data_offsets of %.200s are not within the file",
                         from->name, tensor->name);
    tensor->data = from->data + from->start + (size_t)json_integer_value(first);
    tensor->bytes = (size_t)(json_integer_value(last) - json_integer_value(first));
    if (__builtin_mul_overflow(tensor->element_count, size, &wanted) || wanted != tensor->bytes)
        return error_set(from->error, "%s: %.200s has %zu bytes for %zu elements of %s", from->name,
                         tensor->name, tensor->bytes, tensor->element_count, tensor->type);
    return 0;
}

static int read_tensor(struct safetensors *file, const char *name, const json_t *entry,
                       const struct source *from) {
    struct safetensors_tensor tensor = {.name = name};
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    size_t k = 0;
    while (k < TYPE_COUNT && (type == NULL || strcmp(type, TYPES[k].name) != 0))
        k++;
    if (k == TYPE_COUNT)
        return error_set(from->error, "%s: tensor %.200s has the unknown type %.20s", from->name,
                         name, type != NULL ? type : "(none)");
    tensor.type = TYPES[k].name;
    if (read_shape(&tensor, json_object_get(entry, "shape"), from) ||
        read_place(&tensor, json_object_get(entry, "data_offsets"), TYPES[k].bytes, from) ||
        memory_grow(&file->tensors, &file->capacity, file->count + 1, sizeof *file->tensors,
                    from->error))
        return -1;
    file->tensors[file->count++] = tensor;
    return 0;
}

static int compare_places(const void *a, const void *b) {
    const struct safetensors_tensor *x = a, *y = b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes); /* empty ones first */
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const struct safetensors_tensor *)a)->name,
                  ((const struct safetensors_tensor *)b)->name);
}

/* The tensors of one file, those from `first` on, lie one after the other up to its end. */
static int check_places(struct safetensors *file, size_t first, const struct source *from) {
    const unsigned char *at = from->data + from->start;
    if (file->count > first)
        qsort(file->tensors + first, file->count - first, sizeof *file->tensors, compare_places);
    for (size_t i = first; i < file->count; i++) {
        const struct safetensors_tensor *tensor = &file->tensors[i];
        if ((const unsigned char *)tensor->data != at)
            return error_set(from->error, "%s: %.200s %s", from->name, tensor->name,
                             (const unsigned char *)tensor->data < at ? "overlaps another tensor"
                                                                      : "follows a hole");
        at += tensor->bytes;
    }
    size_t end = (size_t)(at - from->data);
    return end == from->bytes ? 0
                              : error_set(from->error, "%s: %zu bytes follow the last tensor",
                                          from->name, from->bytes - end);
}

static int read_header(struct safetensors *file, struct shard *shard, struct source *from) {
    uint64_t length;
    if (from->bytes < sizeof length)
        return error_set(from->error, "%s: %zu bytes are no safetensors file", from->name,
                         from->bytes);
    memcpy(&length, from->data, sizeof length);
    if (length > SAFETENSORS_HEADER_LIMIT || length > from->bytes - sizeof length || length < 2 ||
        from->data[sizeof length] != '{')
        return error_set(from->error, "%s: no header of %llu bytes can be in a file of %zu",
                         from->name, (unsigned long long)length, from->bytes);
    json_error_t problem;
    shard->header = json_loadb((const char *)from->data + sizeof length, length,
                               JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(shard->header))
        return error_set(from->error, "%s: its header is no JSON object: %.200s", from->name,
                         shard->header == NULL ? problem.text : "");
    from->start = sizeof length + length;
    size_t first = file->count;
    const char *name;
    json_t *entry;
    json_object_foreach(shard->header, name, entry) {
        if (strcmp(name, "__metadata__") != 0 && read_tensor(file, name, entry, from))
            return -1;
    }
    return check_places(file, first, from);
}

static int add_file(struct safetensors *file, struct file_map map, const void *data, size_t bytes,
                    const char *name, struct error *error) {
    if (memory_grow(&file->shards, &file->shard_capacity, file->shard_count + 1,
                    sizeof *file->shards, error)) {
        file_map_close(&map);
        return -1;
    }
    struct shard *shard = &file->shards[file->shard_count++];
    *shard = (struct shard){.map = map};
    struct source from = {.name = name,
                          .data = bytes > 0 ? data : (const unsigned char *)"",
                          .bytes = bytes,
                          .error = error};
    return read_header(file, shard, &from);
}

/* By name, and no name twice. */
static int finish(struct safetensors *file, const char *name, struct error *error) {
    if (file->count > 0)
        qsort(file->tensors, file->count, sizeof *file->tensors, compare_names);
    for (size_t i = 1; i < file->count; i++)
        if (strcmp(file->tensors[i - 1].name, file->tensors[i].name) == 0)
            return error_set(error, "%s: tensor %.200s is there twice", name,
                             file->tensors[i].name);
    return 0;
}

static int add_path(struct safetensors *file, const char *path, struct error *error) {
    struct file_map map;
    if (file_map_open(&map, path, error))
        return -1;
    return add_file(file, map, map.data, map.bytes, path, error);
}

/* An index names a file for each tensor; all files that it names are opened once. */
static int add_index(struct safetensors *file, const char *path, struct error *error) {
    json_error_t problem;
    json_t *index = json_load_file(path, JSON_REJECT_DUPLICATES, &problem), *value;
    const char *names[SHARD_LIMIT], *name;
    size_t count = 0;
    int result = 0;
    if (index == NULL)
        return error_set(error, "%s:%d: %s", path, problem.line, problem.text);
    const char *slash = strrchr(path, '/');
    json_object_foreach(json_object_get(index, "weight_map"), name, value) {
        const char *shard = json_string_value(value);
        size_t known = 0;
        while (known < count && shard != NULL && strcmp(names[known], shard) != 0)
            known++;
        if (result != 0 || (shard != NULL && known < count))
            continue;
        if (shard == NULL || *shard == '\0' || strchr(shard, '/') != NULL || shard[0] == '.' ||
            count == SHARD_LIMIT) {
            result = error_set(error, "%s: %.200s is in no file of this directory", path, name);
            continue;
        }
        names[count++] = shard;
        char full[4096];
        snprintf(full, sizeof full, "%.*s%s", slash != NULL ? (int)(slash + 1 - path) : 0, path,
                 shard);
        result = add_path(file, full, error);
    }
    if (result == 0 && count == 0)
        result = error_set(error, "%s: its weight_map names no file", path);
    json_decref(index);
    return result;
}

int safetensors_open_memory(struct safetensors **out, const void *data, size_t bytes,
                            const char *name, struct error *error) {
    *out = memory_allocate(1, sizeof **out, error);
    if (*out == NULL)
        return -1;
    if (add_file(*out, (struct file_map){0}, data, bytes, name, error) ||
        finish(*out, name, error)) {
        safetensors_close(*out);
        *out = NULL;
        return -1;
    }
    return 0;
}

int safetensors_open(struct safetensors **out, const char *path, struct error *error) {
    size_t length = strlen(path);
    int is_index = length > 5 && strcmp(path + length - 5, ".json") == 0;
    *out = memory_allocate(1, sizeof **out, error);
    if (*out == NULL)
        return -1;
    if ((is_index ? add_index : add_path)(*out, path, error) || finish(*out, path, error)) {
        safetensors_close(*out);
        *out = NULL;
        return -1;
    }
    return 0;
}

void safetensors_close(struct safetensors *file) {
    if (file == NULL)
        return;
    for (size_t i = 0; i < file->shard_count; i++) {
        json_decref(file->shards[i].header);
        file_map_close(&file->shards[i].map);
    }
    free(file->shards);
    free(file->tensors);
    memory_free(file);
}

size_t safetensors_count(const struct safetensors *file) {
    return file->count;
}

const struct safetensors_tensor *safetensors_at(const struct safetensors *file, size_t index) {
    return &file->tensors[index];
}

const struct safetensors_tensor *safetensors_find(const struct safetensors *file,
                                                  const char *name) {
    struct safetensors_tensor wanted = {.name = name};
    return file->count == 0
               ? NULL
               : bsearch(&wanted, file->tensors, file->count, sizeof *file->tensors, compare_names);
}

int safetensors_type(const struct safetensors_tensor *tensor) {
    for (size_t k = 0; k < TYPE_COUNT; k++)
        if (strcmp(tensor->type, TYPES[k].name) == 0)
            return TYPES[k].type;
    return -1;
}

int safetensors_read_floats(const struct safetensors_tensor *tensor, float *out,
                            struct error *error) {
    int type = safetensors_type(tensor);
    if (type < 0)
        return error_set(error, "tensor %.200s is of type %s; F32, F16 and BF16 can be read",
                         tensor->name, tensor->type);
    dequantise(out, tensor->data, (enum tensor_type)type, tensor->element_count);
    return 0;
}
