#include "file/gguf.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "file/gguf_format.h"

struct gguf {
    char name[512]; /* of the file, for messages: cut when longer */
    struct file_map map;
    const unsigned char *data;
    size_t bytes;
    struct gguf_key *keys; /* sorted by name */
    size_t key_count;
    struct gguf_tensor *tensors; /* in file order */
    size_t tensor_count;
    const struct gguf_tensor **by_name; /* sorted */
};

/* A place in a file that is being checked. */
struct cursor {
    const struct gguf *file;
    size_t at;
    struct error *error;
};

static const size_t value_type_bytes[VALUE_TYPE_COUNT] = {
    1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8, /* strings and arrays vary */
};

static const unsigned char *take(struct cursor *cursor, size_t bytes, const char *what) {
    const struct gguf *file = cursor->file;
    if (bytes > file->bytes - cursor->at) {
        error_set(cursor->error, "%s: ends at byte %zu, inside %s that needs %zu bytes from %zu on",
                  file->name, file->bytes, what, bytes, cursor->at);
        return NULL;
    }
    const unsigned char *data = file->data + cursor->at;
    cursor->at += bytes;
    return data;
}

static int take_copy(struct cursor *cursor, void *out, size_t bytes, const char *what) {
    const unsigned char *data = take(cursor, bytes, what);
    if (data == NULL)
        return -1;
    memcpy(out, data, bytes);
    return 0;
}

static int take_string(struct cursor *cursor, struct gguf_string *string, size_t limit,
                       const char *what) {
    uint64_t length;
    size_t start = cursor->at;
    if (take_copy(cursor, &length, sizeof length, what) != 0)
        return -1;
    if (length > limit)
        return error_set(cursor->error, "%s: %s at byte %zu has %llu bytes; the limit is %zu",
                         cursor->file->name, what, start, (unsigned long long)length, limit);
    *string = (struct gguf_string){NULL, (size_t)length};
    string->data = (const char *)take(cursor, string->length, what);
    return string->data != NULL ? 0 : -1;
}

/* Names go into messages and onto terminals: only printable ASCII, as the format asks of keys. */
static int take_name(struct cursor *cursor, struct gguf_string *name, size_t limit,
                     const char *what) {
    size_t start = cursor->at;
    if (take_string(cursor, name, limit, what) != 0)
        return -1;
    if (name->length == 0)
        return error_set(cursor->error, "%s: %s at byte %zu is empty", cursor->file->name, what,
                         start);
    for (size_t i = 0; i < name->length; i++)
        if (name->data[i] < ' ' || name->data[i] > '~')
            return error_set(cursor->error, "%s: %s at byte %zu is not printable ASCII",
                             cursor->file->name, what, start);
    return 0;
}

static int check_bools(struct cursor *cursor, const struct gguf_key *key) {
    for (size_t i = 0; i < key->count; i++)
        if (key->data[i] > 1)
            return error_set(cursor->error, "%s: key %.*s holds a bool that is neither 0 nor 1",
                             cursor->file->name, gguf_shown(key->name.length), key->name.data);
    return 0;
}

/* Walks over key->count values of key->type. */
static int take_values(struct cursor *cursor, struct gguf_key *key) {
    key->data = cursor->file->data + cursor->at;
    if (key->type == VALUE_STRING) {
        struct gguf_string string;
        for (size_t i = 0; i < key->count; i++)
            if (take_string(cursor, &string, GGUF_LENGTH_LIMIT, "a string") != 0)
                return -1;
        return 0;
    }
    size_t bytes;
    if (__builtin_mul_overflow(key->count, value_type_bytes[key->type], &bytes))
        bytes = SIZE_MAX;
    if (take(cursor, bytes, "a value") == NULL)
        return -1;
    return key->type == VALUE_BOOL ? check_bools(cursor, key) : 0;
}

static int take_array_header(struct cursor *cursor, struct gguf_key *key) {
    struct gguf_array_header header;
    if (take_copy(cursor, &header, sizeof header, "an array") != 0)
        return -1;
    const char *file = cursor->file->name;
    if (header.element_type >= VALUE_TYPE_COUNT || header.element_type == VALUE_ARRAY)
        return error_set(cursor->error, "%s: key %.*s is an array of %s (type %u)", file,
                         gguf_shown(key->name.length), key->name.data,
                         header.element_type == VALUE_ARRAY ? "arrays" : "an unknown type",
                         header.element_type);
    if (header.count > GGUF_LENGTH_LIMIT)
        return error_set(cursor->error, "%s: key %.*s has %llu elements; the limit is %d", file,
                         gguf_shown(key->name.length), key->name.data,
                         (unsigned long long)header.count, GGUF_LENGTH_LIMIT);
    key->type = (enum gguf_value_type)header.element_type;
    key->count = (size_t)header.count;
    return 0;
}

static int take_key(struct cursor *cursor, struct gguf_key *key) {
    uint32_t type;
    if (take_name(cursor, &key->name, GGUF_KEY_BYTES_LIMIT, "a key") != 0 ||
        take_copy(cursor, &type, sizeof type, "a key's type") != 0)
        return -1;
    if (type >= VALUE_TYPE_COUNT)
        return error_set(cursor->error, "%s: key %.*s has the unknown type %u", cursor->file->name,
                         gguf_shown(key->name.length), key->name.data, type);
    key->type = (enum gguf_value_type)type;
    key->count = 1;
    key->is_array = type == VALUE_ARRAY;
    if (key->is_array && take_array_header(cursor, key) != 0)
        return -1;
    return take_values(cursor, key);
}

static int take_shape(struct cursor *cursor, struct gguf_tensor *tensor) {
    uint32_t count;
    if (take_copy(cursor, &count, sizeof count, "a tensor's dimension count") != 0)
        return -1;
    if (count > TRINE_GGUF_DIMENSIONS)
        return error_set(cursor->error, "%s: tensor %s has %u dimensions; the limit is %d",
                         cursor->file->name, tensor->name, count, TRINE_GGUF_DIMENSIONS);
    tensor->dimension_count = count;
    tensor->element_count = 1;
    bool is_too_large = false;
    for (size_t i = 0; i < TRINE_GGUF_DIMENSIONS; i++) {
        uint64_t dimension = 1;
        if (i < count && take_copy(cursor, &dimension, sizeof dimension, "a dimension") != 0)
            return -1;
        tensor->dimensions[i] = (size_t)dimension;
        is_too_large |= dimension > INT64_MAX ||
                        __builtin_mul_overflow(tensor->element_count, tensor->dimensions[i],
                                               &tensor->element_count);
    }
    if (is_too_large)
        return error_set(cursor->error, "%s: tensor %s: the product of its dimensions overflows",
                         cursor->file->name, tensor->name);
    return 0;
}

/* Reads one tensor's entry; *offset is where its data begin in the data section. */
static int take_tensor(struct cursor *cursor, struct gguf_tensor *tensor, uint64_t *offset) {
    const char *file = cursor->file->name;
    struct gguf_string name;
    struct gguf_tensor_place place;
    if (take_name(cursor, &name, TRINE_GGUF_NAME_BYTES - 1, "a tensor name") != 0)
        return -1;
    memcpy(tensor->name, name.data, name.length); /* zeroed before: ends in NUL */
    if (take_shape(cursor, tensor) != 0 ||
        take_copy(cursor, &place, sizeof place, "a tensor's type and offset") != 0)
        return -1;
    size_t block = tensor_type_block((enum tensor_type)place.type);
    if (block == 0)
        return error_set(cursor->error, "%s: tensor %s has the unknown type %u", file, tensor->name,
                         place.type);
    tensor->type = (enum tensor_type)place.type;
    if (tensor->dimensions[0] % block != 0)
        return error_set(cursor->error,
                         "%s: tensor %s has rows of %zu, which is no multiple of %zu "
                         "as %s needs",
                         file, tensor->name, tensor->dimensions[0], block,
                         tensor_type_name(tensor->type));
    if (__builtin_mul_overflow(tensor->element_count / block, tensor_type_bytes(tensor->type),
                               &tensor->bytes))
        return error_set(cursor->error, "%s: tensor %s is too large", file, tensor->name);
    *offset = place.offset;
    return 0;
}

static int compare_strings(struct gguf_string a, struct gguf_string b) {
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static int compare_keys(const void *a, const void *b) {
    return compare_strings(((const struct gguf_key *)a)->name, ((const struct gguf_key *)b)->name);
}

static int compare_tensors(const void *a, const void *b) {
    const struct gguf_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* A count can only be true when the file has room for that many of the smallest entries. */
static int check_count(struct cursor *cursor, uint64_t count, size_t smallest, const char *what) {
    size_t left = cursor->file->bytes - cursor->at;
    if (count > left / smallest)
        return error_set(cursor->error, "%s: claims %llu %s but has only %zu bytes left for them",
                         cursor->file->name, (unsigned long long)count, what, left);
    return 0;
}

static int read_keys(struct gguf *file, struct cursor *cursor, uint64_t count) {
    if (check_count(cursor, count, 8 + 1 + 4 + 1, "keys") != 0)
        return -1;
    file->keys = memory_allocate((size_t)count, sizeof *file->keys, cursor->error);
    if (file->keys == NULL)
        return -1;
    file->key_count = (size_t)count;
    for (size_t i = 0; i < file->key_count; i++)
        if (take_key(cursor, &file->keys[i]) != 0)
            return -1;
    qsort(file->keys, file->key_count, sizeof *file->keys, compare_keys);
    for (size_t i = 1; i < file->key_count; i++)
        if (compare_keys(&file->keys[i - 1], &file->keys[i]) == 0)
            return error_set(cursor->error, "%s: key %.*s occurs twice", file->name,
                             gguf_shown(file->keys[i].name.length), file->keys[i].name.data);
    return 0;
}

static int sort_tensors(struct gguf *file, struct error *error) {
    file->by_name = memory_allocate(file->tensor_count, sizeof *file->by_name, error);
    if (file->by_name == NULL)
        return -1;
    for (size_t i = 0; i < file->tensor_count; i++)
        file->by_name[i] = &file->tensors[i];
    qsort(file->by_name, file->tensor_count, sizeof *file->by_name, compare_tensors);
    for (size_t i = 1; i < file->tensor_count; i++)
        if (compare_tensors(&file->by_name[i - 1], &file->by_name[i]) == 0)
            return error_set(error, "%s: tensor %s occurs twice", file->name,
                             file->by_name[i]->name);
    return 0;
}

/* Leaves *alignment alone when the file does not say. */
static int read_alignment(const struct gguf *file, size_t *alignment, struct error *error) {
    uint32_t value = 0;
    if (!gguf_has(file, "general.alignment"))
        return 0;
    if (gguf_get_u32(file, "general.alignment", &value, error) != 0)
        return -1;
    if (value < 8 || (value & (value - 1)) != 0)
        return error_set(error, "%s: general.alignment is %u, not a power of two of at least 8",
                         file->name, value);
    *alignment = value;
    return 0;
}

static size_t padding(size_t bytes, size_t alignment) {
    return (alignment - bytes % alignment) % alignment;
}

/* The data section: `offsets` must be the running sum of the padded sizes, as ggml demands. */
static int place_tensors(struct gguf *file, struct cursor *cursor, const uint64_t *offsets,
                         size_t alignment) {
    if (file->tensor_count == 0)
        return 0; /* then the padding before the data may be missing as well */
    if (take(cursor, padding(cursor->at, alignment), "the padding before the tensors") == NULL)
        return -1;
    size_t start = cursor->at;
    for (size_t i = 0; i < file->tensor_count; i++) {
        struct gguf_tensor *tensor = &file->tensors[i];
        if (offsets[i] != cursor->at - start)
            return error_set(cursor->error,
                             "%s: tensor %s begins at %llu in the data, not at %zu where the one "
                             "before it ends",
                             file->name, tensor->name, (unsigned long long)offsets[i],
                             cursor->at - start);
        tensor->data = take(cursor, tensor->bytes, tensor->name);
        if (tensor->data == NULL ||
            take(cursor, padding(tensor->bytes, alignment), "the padding of a tensor") == NULL)
            return -1;
    }
    return 0;
}

static int read_tensors(struct gguf *file, struct cursor *cursor, uint64_t count) {
    size_t alignment = GGUF_DEFAULT_ALIGNMENT;
    if (check_count(cursor, count, 8 + 1 + 4 + 4 + 8, "tensors") != 0 ||
        read_alignment(file, &alignment, cursor->error) != 0)
        return -1;
    uint64_t *offsets = memory_allocate((size_t)count, sizeof *offsets, cursor->error);
    if (offsets == NULL)
        return -1;
    int result = -1;
    file->tensors = memory_allocate((size_t)count, sizeof *file->tensors, cursor->error);
    if (file->tensors == NULL)
        goto done;
    file->tensor_count = (size_t)count;
    for (size_t i = 0; i < file->tensor_count; i++)
        if (take_tensor(cursor, &file->tensors[i], &offsets[i]) != 0)
            goto done;
    if (sort_tensors(file, cursor->error) == 0)
        result = place_tensors(file, cursor, offsets, alignment);
done:
    memory_free(offsets);
    return result;
}

static int read_file(struct gguf *file, struct error *error) {
    struct cursor cursor = {file, 0, error};
    struct gguf_header header;
    if (take_copy(&cursor, &header, sizeof header, "the header") != 0)
        return -1;
    if (memcmp(header.magic, "GGUF", sizeof header.magic) != 0)
        return error_set(error, "%s: not a GGUF file: it does not begin with \"GGUF\"", file->name);
    if ((header.version & 0xffff) == 0)
        return error_set(error, "%s: a big-endian GGUF file; convert it to little-endian first",
                         file->name);
    if (header.version != 2 && header.version != 3)
        return error_set(error, "%s: GGUF version %u; versions 2 and 3 are supported", file->name,
                         header.version);
    if (read_keys(file, &cursor, header.key_count) != 0)
        return -1;
    return read_tensors(file, &cursor, header.tensor_count);
}

/* Takes over the map, also on failure. */
static int open_map(struct gguf **result, struct file_map map, const void *data, size_t bytes,
                    const char *name, struct error *error) {
    struct gguf *file = memory_allocate(1, sizeof *file, error);
    if (file == NULL) {
        file_map_close(&map);
        return -1;
    }
    size_t length = strnlen(name, sizeof file->name - 1);
    memcpy(file->name, name, length);
    file->map = map;
    /* An empty file has no address; give it one so that no arithmetic meets NULL. */
    file->data = bytes > 0 ? data : (const unsigned char *)"";
    file->bytes = bytes;
    if (read_file(file, error) != 0) {
        gguf_close(file);
        return -1;
    }
    *result = file;
    return 0;
}

int gguf_open_memory(struct gguf **file, const void *data, size_t bytes, const char *name,
                     struct error *error) {
    *file = NULL;
    return open_map(file, (struct file_map){0}, data, bytes, name, error);
}

int gguf_open(struct gguf **file, const char *path, struct error *error) {
    struct file_map map;
    *file = NULL;
    if (file_map_open(&map, path, error) != 0)
        return -1;
    return open_map(file, map, map.data, map.bytes, path, error);
}

void gguf_close(struct gguf *file) {
    if (file == NULL)
        return;
    memory_free(file->by_name);
    memory_free(file->tensors);
    memory_free(file->keys);
    file_map_close(&file->map);
    memory_free(file);
}

void gguf_release(const struct gguf *file) {
    file_map_release(&file->map);
}

const char *gguf_name(const struct gguf *file) {
    return file->name;
}

const struct gguf_key *gguf_find_key(const struct gguf *file, const char *name) {
    struct gguf_key wanted = {.name = {name, strlen(name)}};
    return bsearch(&wanted, file->keys, file->key_count, sizeof *file->keys, compare_keys);
}

bool gguf_has(const struct gguf *file, const char *key) {
    return gguf_find_key(file, key) != NULL;
}

size_t gguf_tensor_count(const struct gguf *file) {
    return file->tensor_count;
}

const struct gguf_tensor *gguf_tensor_at(const struct gguf *file, size_t index) {
    return &file->tensors[index];
}

const struct gguf_tensor *gguf_find_tensor(const struct gguf *file, const char *name) {
    size_t low = 0, high = file->tensor_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, file->by_name[middle]->name);
        if (order == 0)
            return file->by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
