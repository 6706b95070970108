#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "file/gguf_format.h"

struct written_tensor {
    char name[TRINE_GGUF_NAME_BYTES];
    size_t dimensions[TRINE_GGUF_DIMENSIONS];
    size_t dimension_count;
    size_t element_count;
    size_t bytes;
    enum tensor_type type;
    const void *data; /* borrowed: floats, or blocks of the type */
    bool is_blocks;
};

struct gguf_writer {
    unsigned char *keys; /* as they will stand in the file */
    size_t key_bytes, key_capacity;
    size_t *key_starts; /* where each begins in `keys`, for finding duplicates */
    size_t key_count, key_starts_capacity;
    struct written_tensor *tensors;
    size_t tensor_count, tensor_capacity;
};

int gguf_writer_create(struct gguf_writer **writer, struct error *error) {
    *writer = memory_allocate(1, sizeof **writer, error);
    return *writer != NULL ? 0 : -1;
}

void gguf_writer_destroy(struct gguf_writer *writer) {
    if (writer == NULL)
        return;
    free(writer->keys);
    free(writer->key_starts);
    free(writer->tensors);
    memory_free(writer);
}

static int append(struct gguf_writer *writer, const void *data, size_t bytes, struct error *error) {
    size_t needed;
    if (__builtin_add_overflow(writer->key_bytes, bytes, &needed))
        needed = SIZE_MAX;
    if (memory_grow(&writer->keys, &writer->key_capacity, needed, 1, error) != 0)
        return -1;
    if (bytes > 0)
        memcpy(writer->keys + writer->key_bytes, data, bytes);
    writer->key_bytes = needed;
    return 0;
}

static int append_string(struct gguf_writer *writer, struct gguf_string string,
                         struct error *error) {
    uint64_t length = string.length;
    if (length > GGUF_LENGTH_LIMIT)
        return error_set(error, "a GGUF string of %zu bytes is over the limit of %d", string.length,
                         GGUF_LENGTH_LIMIT);
    if (append(writer, &length, sizeof length, error) != 0)
        return -1;
    return append(writer, string.data, string.length, error);
}

static int check_name(const char *name, size_t limit, const char *what, struct error *error) {
    size_t length = strnlen(name, limit + 1);
    if (length == 0)
        return error_set(error, "a GGUF %s is empty", what);
    if (length > limit)
        return error_set(error, "the GGUF %s %.40s... has more than %zu bytes", what, name, limit);
    for (size_t i = 0; i < length; i++)
        if (name[i] < ' ' || name[i] > '~')
            return error_set(error, "a GGUF %s is not printable ASCII at byte %zu", what, i);
    return 0;
}

static bool has_key(const struct gguf_writer *writer, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < writer->key_count; i++) {
        const unsigned char *start = writer->keys + writer->key_starts[i];
        uint64_t other;
        memcpy(&other, start, sizeof other);
        if (other == length && memcmp(start + sizeof other, name, length) == 0)
            return true;
    }
    return false;
}

/* Appends a key's name and type. The key counts only from end_key on. */
static int begin_key(struct gguf_writer *writer, const char *name, enum gguf_value_type type,
                     struct error *error) {
    if (check_name(name, GGUF_KEY_BYTES_LIMIT, "key", error) != 0)
        return -1;
    if (has_key(writer, name))
        return error_set(error, "the GGUF key %.120s is given twice", name);
    if (strcmp(name, "general.alignment") == 0)
        return error_set(error, "the GGUF key general.alignment is the writer's own");
    if (memory_grow(&writer->key_starts, &writer->key_starts_capacity, writer->key_count + 1,
                    sizeof *writer->key_starts, error) != 0)
        return -1;
    writer->key_starts[writer->key_count] = writer->key_bytes;
    uint32_t number = type;
    if (append_string(writer, (struct gguf_string){name, strlen(name)}, error) != 0)
        return -1;
    return append(writer, &number, sizeof number, error);
}

/* Counts the key, or undoes it when a part of it failed. `start` is key_bytes before it. */
static int end_key(struct gguf_writer *writer, size_t start, int result) {
    if (result == 0)
        writer->key_count++;
    else
        writer->key_bytes = start;
    return result;
}

static int add_scalar(struct gguf_writer *writer, const char *key, enum gguf_value_type type,
                      const void *value, size_t bytes, struct error *error) {
    size_t start = writer->key_bytes;
    int result = begin_key(writer, key, type, error);
    if (result == 0)
        result = append(writer, value, bytes, error);
    return end_key(writer, start, result);
}

static int begin_array(struct gguf_writer *writer, const char *key, enum gguf_value_type type,
                       size_t count, struct error *error) {
    struct gguf_array_header header = {type, count};
    if (begin_key(writer, key, VALUE_ARRAY, error) != 0)
        return -1;
    if (count > GGUF_LENGTH_LIMIT)
        return error_set(error, "the GGUF array %.120s has %zu elements; the limit is %d", key,
                         count, GGUF_LENGTH_LIMIT);
    return append(writer, &header, sizeof header, error);
}

static int add_array(struct gguf_writer *writer, const char *key, enum gguf_value_type type,
                     const void *values, size_t count, size_t size, struct error *error) {
    size_t start = writer->key_bytes;
    int result = begin_array(writer, key, type, count, error);
    if (result == 0)
        result = append(writer, values, count * size, error); /* count is capped by now */
    return end_key(writer, start, result);
}

int gguf_writer_add_u32(struct gguf_writer *writer, const char *key, uint32_t value,
                        struct error *error) {
    return add_scalar(writer, key, VALUE_U32, &value, sizeof value, error);
}

int gguf_writer_add_u64(struct gguf_writer *writer, const char *key, uint64_t value,
                        struct error *error) {
    return add_scalar(writer, key, VALUE_U64, &value, sizeof value, error);
}

int gguf_writer_add_f32(struct gguf_writer *writer, const char *key, float value,
                        struct error *error) {
    return add_scalar(writer, key, VALUE_F32, &value, sizeof value, error);
}

int gguf_writer_add_f64(struct gguf_writer *writer, const char *key, double value,
                        struct error *error) {
    return add_scalar(writer, key, VALUE_F64, &value, sizeof value, error);
}

int gguf_writer_add_bool(struct gguf_writer *writer, const char *key, bool value,
                         struct error *error) {
    unsigned char byte = value;
    return add_scalar(writer, key, VALUE_BOOL, &byte, sizeof byte, error);
}

int gguf_writer_add_string(struct gguf_writer *writer, const char *key, const char *value,
                           struct error *error) {
    size_t start = writer->key_bytes;
    int result = begin_key(writer, key, VALUE_STRING, error);
    if (result == 0)
        result = append_string(writer, (struct gguf_string){value, strlen(value)}, error);
    return end_key(writer, start, result);
}

int gguf_writer_add_u32_array(struct gguf_writer *writer, const char *key, const uint32_t *values,
                              size_t count, struct error *error) {
    return add_array(writer, key, VALUE_U32, values, count, sizeof *values, error);
}

int gguf_writer_add_i32_array(struct gguf_writer *writer, const char *key, const int32_t *values,
                              size_t count, struct error *error) {
    return add_array(writer, key, VALUE_I32, values, count, sizeof *values, error);
}

int gguf_writer_add_f32_array(struct gguf_writer *writer, const char *key, const float *values,
                              size_t count, struct error *error) {
    return add_array(writer, key, VALUE_F32, values, count, sizeof *values, error);
}

int gguf_writer_add_f64_array(struct gguf_writer *writer, const char *key, const double *values,
                              size_t count, struct error *error) {
    return add_array(writer, key, VALUE_F64, values, count, sizeof *values, error);
}

int gguf_writer_add_string_array(struct gguf_writer *writer, const char *key,
                                 const struct gguf_string *values, size_t count,
                                 struct error *error) {
    size_t start = writer->key_bytes;
    int result = begin_array(writer, key, VALUE_STRING, count, error);
    for (size_t i = 0; result == 0 && i < count; i++)
        result = append_string(writer, values[i], error);
    return end_key(writer, start, result);
}

/* Fills in element_count and bytes; both must be sound before anything is added. */
static int measure(struct written_tensor *tensor, struct error *error) {
    size_t block = tensor_type_block(tensor->type);
    tensor->element_count = 1;
    bool overflows = false;
    for (size_t i = 0; i < tensor->dimension_count; i++)
        overflows |= __builtin_mul_overflow(tensor->element_count, tensor->dimensions[i],
                                            &tensor->element_count);
    if (tensor->dimensions[0] % block != 0)
        return error_set(error, "the GGUF tensor %s: rows of %zu are no whole blocks of %s (%zu)",
                         tensor->name, tensor->dimensions[0], tensor_type_name(tensor->type),
                         block);
    overflows |= __builtin_mul_overflow(tensor->element_count / block,
                                        tensor_type_bytes(tensor->type), &tensor->bytes);
    if (overflows || tensor->bytes > SIZE_MAX / 2)
        return error_set(error, "the GGUF tensor %s is too large", tensor->name);
    return 0;
}

static int add_tensor(struct gguf_writer *writer, const char *name, const size_t *dimensions,
                      size_t dimension_count, enum tensor_type type, const void *data,
                      bool is_blocks, struct error *error) {
    if (check_name(name, TRINE_GGUF_NAME_BYTES - 1, "tensor name", error) != 0)
        return -1;
    for (size_t i = 0; i < writer->tensor_count; i++)
        if (strcmp(writer->tensors[i].name, name) == 0)
            return error_set(error, "the GGUF tensor %s is given twice", name);
    if (is_blocks ? !tensor_type_is_readable(type) : !tensor_type_is_writable(type))
        return error_set(error, "the GGUF tensor %s: cannot write type %s", name,
                         tensor_type_name(type));
    if (dimension_count < 1 || dimension_count > TRINE_GGUF_DIMENSIONS)
        return error_set(error, "the GGUF tensor %s has %zu dimensions; 1 to %d are possible", name,
                         dimension_count, TRINE_GGUF_DIMENSIONS);
    struct written_tensor tensor = {
        .dimension_count = dimension_count, .type = type, .data = data, .is_blocks = is_blocks};
    memcpy(tensor.dimensions, dimensions, dimension_count * sizeof *dimensions);
    memcpy(tensor.name, name, strlen(name));
    if (measure(&tensor, error) != 0 ||
        memory_grow(&writer->tensors, &writer->tensor_capacity, writer->tensor_count + 1,
                    sizeof *writer->tensors, error) != 0)
        return -1;
    writer->tensors[writer->tensor_count++] = tensor;
    return 0;
}

int gguf_writer_add_tensor(struct gguf_writer *writer, const char *name, const size_t *dimensions,
                           size_t dimension_count, enum tensor_type type, const float *data,
                           struct error *error) {
    return add_tensor(writer, name, dimensions, dimension_count, type, data, false, error);
}

int gguf_writer_add_blocks(struct gguf_writer *writer, const char *name, const size_t *dimensions,
                           size_t dimension_count, enum tensor_type type, const void *blocks,
                           struct error *error) {
    return add_tensor(writer, name, dimensions, dimension_count, type, blocks, true, error);
}

/* Writing the file. stdio remembers any failure, and file_writer_commit looks for it. */

static void put(FILE *stream, const void *data, size_t bytes) {
    if (bytes > 0)
        fwrite(data, 1, bytes, stream);
}

static size_t padding(size_t bytes) {
    return (GGUF_DEFAULT_ALIGNMENT - bytes % GGUF_DEFAULT_ALIGNMENT) % GGUF_DEFAULT_ALIGNMENT;
}

static void put_padding(FILE *stream, size_t bytes) {
    static const unsigned char zeros[GGUF_DEFAULT_ALIGNMENT];
    put(stream, zeros, padding(bytes));
}

/* Writes a tensor's entry and returns how many bytes that took. */
static size_t put_entry(FILE *stream, const struct written_tensor *tensor, uint64_t offset) {
    uint64_t length = strlen(tensor->name);
    uint32_t dimension_count = (uint32_t)tensor->dimension_count;
    struct gguf_tensor_place place = {(uint32_t)tensor->type, offset};
    put(stream, &length, sizeof length);
    put(stream, tensor->name, length);
    put(stream, &dimension_count, sizeof dimension_count);
    for (size_t i = 0; i < tensor->dimension_count; i++) {
        uint64_t dimension = tensor->dimensions[i];
        put(stream, &dimension, sizeof dimension);
    }
    put(stream, &place, sizeof place);
    return sizeof length + length + sizeof dimension_count +
           tensor->dimension_count * sizeof(uint64_t) + sizeof place;
}

static void put_tensor(FILE *stream, const struct written_tensor *tensor) {
    enum { CHUNK = 8 * QUANT_BLOCK_LIMIT };
    unsigned char blocks[CHUNK * sizeof(float)];
    size_t block = tensor_type_block(tensor->type), bytes = tensor_type_bytes(tensor->type);
    if (tensor->is_blocks)
        put(stream, tensor->data, tensor->bytes);
    for (size_t at = 0; !tensor->is_blocks && at < tensor->element_count; at += CHUNK) {
        size_t left = tensor->element_count - at, count = left < CHUNK ? left : CHUNK;
        quantise(blocks, (const float *)tensor->data + at, tensor->type, count);
        put(stream, blocks, count / block * bytes);
    }
    put_padding(stream, tensor->bytes);
}

static void put_all(FILE *stream, const struct gguf_writer *writer) {
    struct gguf_header header = {{'G', 'G', 'U', 'F'}, 3, writer->tensor_count, writer->key_count};
    put(stream, &header, sizeof header);
    put(stream, writer->keys, writer->key_bytes);
    size_t at = sizeof header + writer->key_bytes;
    uint64_t offset = 0;
    for (size_t i = 0; i < writer->tensor_count; i++) {
        at += put_entry(stream, &writer->tensors[i], offset);
        offset += writer->tensors[i].bytes + padding(writer->tensors[i].bytes);
    }
    put_padding(stream, at);
    for (size_t i = 0; i < writer->tensor_count; i++)
        put_tensor(stream, &writer->tensors[i]);
}

int gguf_writer_commit(const struct gguf_writer *writer, const char *path, struct error *error) {
    struct file_writer file;
    if (file_writer_open(&file, path, error) != 0)
        return -1;
    put_all(file.stream, writer);
    return file_writer_commit(&file, error);
}
