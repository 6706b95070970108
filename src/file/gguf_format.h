/* What the parts of the GGUF module share: gguf.c (the checked reader), gguf_values.c (values out
 * of it), gguf_writer.c. Included by those only. */
#ifndef TRINE_FILE_GGUF_FORMAT_H
#define TRINE_FILE_GGUF_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file/gguf.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "GGUF is copied as little-endian");
_Static_assert(sizeof(float) == 4 && sizeof(double) == 8, "GGUF floats are IEEE");

enum gguf_value_type {
    VALUE_U8,
    VALUE_I8,
    VALUE_U16,
    VALUE_I16,
    VALUE_U32,
    VALUE_I32,
    VALUE_F32,
    VALUE_BOOL,
    VALUE_STRING,
    VALUE_ARRAY,
    VALUE_U64,
    VALUE_I64,
    VALUE_F64,
    VALUE_TYPE_COUNT
};

struct gguf_header {
    char magic[4];
    uint32_t version;
    uint64_t tensor_count;
    uint64_t key_count;
};
_Static_assert(sizeof(struct gguf_header) == 24, "the header is 24 bytes in the file");

/* What follows a tensor's name and dimensions; not aligned in the file, hence packed. */
struct __attribute__((packed)) gguf_tensor_place {
    uint32_t type;
    uint64_t offset; /* from the start of the data section */
};
_Static_assert(sizeof(struct gguf_tensor_place) == 12, "packed as in the file");

struct __attribute__((packed)) gguf_array_header {
    uint32_t element_type;
    uint64_t count;
};
_Static_assert(sizeof(struct gguf_array_header) == 12, "packed as in the file");

enum {
    GGUF_DEFAULT_ALIGNMENT = 32,
    GGUF_KEY_BYTES_LIMIT = 65535,
    GGUF_LENGTH_LIMIT = 1 << 30, /* of strings and arrays, as ggml has it */
};

/* A key and where its value lies; for arrays `type` is the element's. */
struct gguf_key {
    struct gguf_string name;
    enum gguf_value_type type;
    bool is_array;
    size_t count;
    const unsigned char *data;
};

/* NULL when absent. */
const struct gguf_key *gguf_find_key(const struct gguf *file, const char *name);

/* Names of keys in messages: printable, and cut so that the rest of the message has room. */
static inline int gguf_shown(size_t length) {
    return length < 120 ? (int)length : 120;
}

#endif
