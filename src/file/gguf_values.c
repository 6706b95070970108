/* Values out of a GGUF file that gguf.c has checked: keys by type, tensors as floats. */
#include <string.h>

#include "base/memory.h"
#include "file/gguf_format.h"

static const char *const type_names[VALUE_TYPE_COUNT] = {
    "u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64",
};

static const struct gguf_key *find(const struct gguf *file, const char *name, bool is_array,
                                   struct error *error) {
    const struct gguf_key *key = gguf_find_key(file, name);
    if (key == NULL) {
        error_set(error, "%s: has no key %s", gguf_name(file), name);
        return NULL;
    }
    if (key->is_array != is_array) {
        error_set(error, "%s: key %s is %s array", gguf_name(file), name,
                  key->is_array ? "an" : "no");
        return NULL;
    }
    return key;
}

static int wrong_type(const struct gguf *file, const char *name, const struct gguf_key *key,
                      const char *wanted, struct error *error) {
    return error_set(error, "%s: key %s holds %s%s, not %s", gguf_name(file), name,
                     key->is_array ? "an array of " : "", type_names[key->type], wanted);
}

/* An integer of any width and sign. */
struct integer {
    bool is_negative;
    uint64_t bits; /* two's complement when negative */
};

static struct integer from_signed(int64_t value) {
    return (struct integer){value < 0, (uint64_t)value};
}

#define LOAD(type, variable)                                                                       \
    type variable;                                                                                 \
    memcpy(&variable, key->data + index * sizeof variable, sizeof variable)

/* False when the key does not hold integers. */
static bool load_integer(const struct gguf_key *key, size_t index, struct integer *out) {
    switch (key->type) {
    case VALUE_U8: {
        LOAD(uint8_t, value);
        *out = (struct integer){false, value};
        return true;
    }
    case VALUE_I8: {
        LOAD(int8_t, value);
        *out = from_signed(value);
        return true;
    }
    case VALUE_U16: {
        LOAD(uint16_t, value);
        *out = (struct integer){false, value};
        return true;
    }
    case VALUE_I16: {
        LOAD(int16_t, value);
        *out = from_signed(value);
        return true;
    }
    case VALUE_U32: {
        LOAD(uint32_t, value);
        *out = (struct integer){false, value};
        return true;
    }
    case VALUE_I32: {
        LOAD(int32_t, value);
        *out = from_signed(value);
        return true;
    }
    case VALUE_U64: {
        LOAD(uint64_t, value);
        *out = (struct integer){false, value};
        return true;
    }
    case VALUE_I64: {
        LOAD(int64_t, value);
        *out = from_signed(value);
        return true;
    }
    default:
        return false;
    }
}

/* Each get_x below stores element `index` of a key, or says why it cannot. */

static int get_unsigned(const struct gguf *file, const char *name, const struct gguf_key *key,
                        size_t index, uint64_t limit, uint64_t *value, struct error *error) {
    struct integer integer;
    if (!load_integer(key, index, &integer))
        return wrong_type(file, name, key, "an unsigned integer", error);
    if (integer.is_negative || integer.bits > limit)
        return error_set(error, "%s: key %s: %s is out of the range 0 to %llu", gguf_name(file),
                         name, integer.is_negative ? "a negative number" : "the number",
                         (unsigned long long)limit);
    *value = integer.bits;
    return 0;
}

static int get_i32(const struct gguf *file, const char *name, const struct gguf_key *key,
                   size_t index, int32_t *value, struct error *error) {
    struct integer integer;
    if (!load_integer(key, index, &integer))
        return wrong_type(file, name, key, "an integer", error);
    bool fits = integer.is_negative ? (int64_t)integer.bits >= INT32_MIN
                                    : integer.bits <= (uint64_t)INT32_MAX;
    if (!fits)
        return error_set(error, "%s: key %s: the number does not fit 32 bits", gguf_name(file),
                         name);
    *value = (int32_t)(int64_t)integer.bits;
    return 0;
}

static int get_f32(const struct gguf *file, const char *name, const struct gguf_key *key,
                   size_t index, float *value, struct error *error) {
    if (key->type != VALUE_F32)
        return wrong_type(file, name, key, "f32", error);
    LOAD(float, loaded);
    *value = loaded;
    return 0;
}

static int get_f64(const struct gguf *file, const char *name, const struct gguf_key *key,
                   size_t index, double *value, struct error *error) {
    if (key->type == VALUE_F32) {
        LOAD(float, loaded);
        *value = (double)loaded;
        return 0;
    }
    if (key->type != VALUE_F64)
        return wrong_type(file, name, key, "f64", error);
    LOAD(double, loaded);
    *value = loaded;
    return 0;
}

int gguf_get_u32(const struct gguf *file, const char *key, uint32_t *value, struct error *error) {
    const struct gguf_key *found = find(file, key, false, error);
    uint64_t wide = 0;
    if (found == NULL || get_unsigned(file, key, found, 0, UINT32_MAX, &wide, error) != 0)
        return -1;
    *value = (uint32_t)wide;
    return 0;
}

int gguf_get_u64(const struct gguf *file, const char *key, uint64_t *value, struct error *error) {
    const struct gguf_key *found = find(file, key, false, error);
    return found != NULL ? get_unsigned(file, key, found, 0, UINT64_MAX, value, error) : -1;
}

int gguf_get_f32(const struct gguf *file, const char *key, float *value, struct error *error) {
    const struct gguf_key *found = find(file, key, false, error);
    return found != NULL ? get_f32(file, key, found, 0, value, error) : -1;
}

int gguf_get_f64(const struct gguf *file, const char *key, double *value, struct error *error) {
    const struct gguf_key *found = find(file, key, false, error);
    return found != NULL ? get_f64(file, key, found, 0, value, error) : -1;
}

int gguf_get_bool(const struct gguf *file, const char *key, bool *value, struct error *error) {
    const struct gguf_key *found = find(file, key, false, error);
    if (found == NULL)
        return -1;
    if (found->type != VALUE_BOOL)
        return wrong_type(file, key, found, "bool", error);
    *value = found->data[0] != 0;
    return 0;
}

/* Returns what follows the string at `data`; its length was checked by gguf_open. */
static const unsigned char *next_string(const unsigned char *data, struct gguf_string *string) {
    uint64_t length;
    memcpy(&length, data, sizeof length);
    *string = (struct gguf_string){(const char *)data + sizeof length, (size_t)length};
    return data + sizeof length + length;
}

int gguf_get_string(const struct gguf *file, const char *key, struct gguf_string *value,
                    struct error *error) {
    const struct gguf_key *found = find(file, key, false, error);
    if (found == NULL)
        return -1;
    if (found->type != VALUE_STRING)
        return wrong_type(file, key, found, "string", error);
    next_string(found->data, value);
    return 0;
}

bool gguf_string_is(struct gguf_string string, const char *text) {
    return string.length == strlen(text) && memcmp(string.data, text, string.length) == 0;
}

/* Finds an array and makes room for a copy of it; the two results are set together. */
static void *begin_array(const struct gguf *file, const char *name, size_t size,
                         const struct gguf_key **key, struct error *error) {
    *key = find(file, name, true, error);
    return *key != NULL ? memory_allocate((*key)->count, size, error) : NULL;
}

/* Hands the copy to the caller, or takes it back when an element could not be had. */
static int end_array(void *copy, void *values, size_t *count, const struct gguf_key *key,
                     int result) {
    if (result != 0) {
        memory_free(copy);
        return -1;
    }
    memcpy(values, &copy, sizeof copy);
    *count = key->count;
    return 0;
}

int gguf_get_u32_array(const struct gguf *file, const char *key, uint32_t **values, size_t *count,
                       struct error *error) {
    const struct gguf_key *found;
    uint32_t *copy = begin_array(file, key, sizeof *copy, &found, error);
    int result = copy != NULL ? 0 : -1;
    for (size_t i = 0; result == 0 && i < found->count; i++) {
        uint64_t wide = 0;
        result = get_unsigned(file, key, found, i, UINT32_MAX, &wide, error);
        copy[i] = (uint32_t)wide;
    }
    return end_array(copy, values, count, found, result);
}

int gguf_get_i32_array(const struct gguf *file, const char *key, int32_t **values, size_t *count,
                       struct error *error) {
    const struct gguf_key *found;
    int32_t *copy = begin_array(file, key, sizeof *copy, &found, error);
    int result = copy != NULL ? 0 : -1;
    for (size_t i = 0; result == 0 && i < found->count; i++)
        result = get_i32(file, key, found, i, &copy[i], error);
    return end_array(copy, values, count, found, result);
}

int gguf_get_f32_array(const struct gguf *file, const char *key, float **values, size_t *count,
                       struct error *error) {
    const struct gguf_key *found;
    float *copy = begin_array(file, key, sizeof *copy, &found, error);
    int result = copy != NULL ? 0 : -1;
    for (size_t i = 0; result == 0 && i < found->count; i++)
        result = get_f32(file, key, found, i, &copy[i], error);
    return end_array(copy, values, count, found, result);
}

int gguf_get_f64_array(const struct gguf *file, const char *key, double **values, size_t *count,
                       struct error *error) {
    const struct gguf_key *found;
    double *copy = begin_array(file, key, sizeof *copy, &found, error);
    int result = copy != NULL ? 0 : -1;
    for (size_t i = 0; result == 0 && i < found->count; i++)
        result = get_f64(file, key, found, i, &copy[i], error);
    return end_array(copy, values, count, found, result);
}

int gguf_get_string_array(const struct gguf *file, const char *key, struct gguf_string **values,
                          size_t *count, struct error *error) {
    const struct gguf_key *found;
    struct gguf_string *copy = begin_array(file, key, sizeof *copy, &found, error);
    if (copy == NULL)
        return -1;
    if (found->type != VALUE_STRING)
        return end_array(copy, values, count, found,
                         wrong_type(file, key, found, "strings", error));
    const unsigned char *data = found->data;
    for (size_t i = 0; i < found->count; i++)
        data = next_string(data, &copy[i]);
    return end_array(copy, values, count, found, 0);
}

int gguf_read_floats(const struct gguf_tensor *tensor, float *out, struct error *error) {
    if (!tensor_type_is_readable(tensor->type))
        return error_set(error, "tensor %s is of type %s, which cannot be read", tensor->name,
                         tensor_type_name(tensor->type));
    dequantise(out, tensor->data, tensor->type, tensor->element_count);
    return 0;
}
