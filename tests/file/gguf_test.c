#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "file/gguf.h"

static char directory[] = "/tmp/trine-gguf-XXXXXX";
static char path[256];

static const float matrix[6] = {1, -2.5f, 3e-3f, 0, 65504, -1};
static const float vector[3] = {1.00390625f, 1.01171875f, -0.1f};

static int make_directory(void **state) {
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/small.gguf", directory);
    return 0;
}

static int remove_directory(void **state) {
    (void)state;
    unlink(path);
    return rmdir(directory);
}

/* One key of every kind the writer has, two tensors. Returns -1 at the first failure. */
static int write_sample(const char *to, struct error *error) {
    static const uint32_t u32s[] = {0, 7, UINT32_MAX};
    static const int32_t i32s[] = {INT32_MIN, -1, 3};
    static const float f32s[] = {0.5f, -1};
    static const double f64s[] = {0.1, 1e300};
    static const struct gguf_string strings[] = {{"a b", 3}, {"", 0}, {"\0x", 2}};
    static const size_t matrix_size[] = {3, 2}, vector_size[] = {3};
    struct gguf_writer *writer;
    if (gguf_writer_create(&writer, error) != 0)
        return -1;
    int result =
        gguf_writer_add_string(writer, "general.architecture", "llama", error) ||
        gguf_writer_add_u32(writer, "a.u32", 42, error) ||
        gguf_writer_add_u64(writer, "a.u64", UINT64_MAX, error) ||
        gguf_writer_add_f32(writer, "a.f32", 0.25f, error) ||
        gguf_writer_add_f64(writer, "a.f64", 0.1, error) ||
        gguf_writer_add_bool(writer, "a.bool", true, error) ||
        gguf_writer_add_u32_array(writer, "b.u32", u32s, 3, error) ||
        gguf_writer_add_i32_array(writer, "b.i32", i32s, 3, error) ||
        gguf_writer_add_f32_array(writer, "b.f32", f32s, 2, error) ||
        gguf_writer_add_f64_array(writer, "b.f64", f64s, 2, error) ||
        gguf_writer_add_string_array(writer, "b.string", strings, 3, error) ||
        gguf_writer_add_u32_array(writer, "b.empty", NULL, 0, error) ||
        gguf_writer_add_tensor(writer, "matrix", matrix_size, 2, TENSOR_F32, matrix, error) ||
        gguf_writer_add_tensor(writer, "vector", vector_size, 1, TENSOR_BF16, vector, error);
    if (result == 0)
        result = gguf_writer_commit(writer, to, error);
    gguf_writer_destroy(writer);
    return result != 0 ? -1 : 0;
}

/* The sample as bytes; the caller frees. */
static char *sample_bytes(size_t *bytes) {
    struct error error;
    char *data;
    assert_int_equal(write_sample(path, &error), 0);
    assert_int_equal(file_read_all(path, 1 << 20, &data, bytes, &error), 0);
    return data;
}

static void check_scalars(const struct gguf *file) {
    struct error error;
    uint32_t u32;
    uint64_t u64;
    float f32;
    double f64;
    bool truth = false;
    struct gguf_string string;
    assert_int_equal(gguf_get_u32(file, "a.u32", &u32, &error), 0);
    assert_int_equal(u32, 42);
    assert_int_equal(gguf_get_u64(file, "a.u64", &u64, &error), 0);
    assert_true(u64 == UINT64_MAX);
    assert_int_equal(gguf_get_u32(file, "a.u64", &u32, &error), -1);
    assert_non_null(strstr(error.message, "a.u64"));
    assert_non_null(strstr(error.message, path));
    assert_int_equal(gguf_get_f32(file, "a.f32", &f32, &error), 0);
    assert_true(f32 == 0.25f);
    assert_int_equal(gguf_get_f64(file, "a.f32", &f64, &error), 0);
    assert_true(f64 == 0.25);
    assert_int_equal(gguf_get_f64(file, "a.f64", &f64, &error), 0);
    assert_true(f64 == 0.1);
    assert_int_equal(gguf_get_f32(file, "a.f64", &f32, &error), -1);
    assert_int_equal(gguf_get_bool(file, "a.bool", &truth, &error), 0);
    assert_true(truth);
    assert_int_equal(gguf_get_string(file, "general.architecture", &string, &error), 0);
    assert_true(gguf_string_is(string, "llama"));
    assert_false(gguf_string_is(string, "llam"));
}

static void check_arrays(const struct gguf *file) {
    struct error error;
    size_t count;
    uint32_t *u32s;
    int32_t *i32s;
    float *f32s;
    double *f64s;
    struct gguf_string *strings;
    assert_int_equal(gguf_get_u32_array(file, "b.u32", &u32s, &count, &error), 0);
    assert_int_equal(count, 3);
    assert_true(u32s[2] == UINT32_MAX);
    memory_free(u32s);
    assert_int_equal(gguf_get_u32_array(file, "b.i32", &u32s, &count, &error), -1);
    assert_int_equal(gguf_get_i32_array(file, "b.i32", &i32s, &count, &error), 0);
    assert_int_equal(i32s[0], INT32_MIN);
    assert_int_equal(i32s[2], 3);
    memory_free(i32s);
    assert_int_equal(gguf_get_i32_array(file, "b.u32", &i32s, &count, &error), -1);
    assert_int_equal(gguf_get_f32_array(file, "b.f32", &f32s, &count, &error), 0);
    assert_true(count == 2 && f32s[0] == 0.5f && f32s[1] == -1);
    memory_free(f32s);
    assert_int_equal(gguf_get_f64_array(file, "b.f64", &f64s, &count, &error), 0);
    assert_true(count == 2 && f64s[0] == 0.1 && f64s[1] == 1e300);
    memory_free(f64s);
    assert_int_equal(gguf_get_string_array(file, "b.string", &strings, &count, &error), 0);
    assert_true(count == 3 && gguf_string_is(strings[0], "a b") && strings[1].length == 0);
    assert_memory_equal(strings[2].data, "\0x", 2);
    memory_free(strings);
    assert_int_equal(gguf_get_string_array(file, "b.f32", &strings, &count, &error), -1);
    assert_int_equal(gguf_get_u32_array(file, "b.empty", &u32s, &count, &error), 0);
    assert_int_equal(count, 0);
    memory_free(u32s);
    assert_int_equal(gguf_get_f32_array(file, "a.f32", &f32s, &count, &error), -1);
    assert_non_null(strstr(error.message, "no array"));
}

static void check_tensors(const struct gguf *file) {
    struct error error;
    float values[6];
    assert_int_equal(gguf_tensor_count(file), 2);
    const struct gguf_tensor *tensor = gguf_find_tensor(file, "matrix");
    assert_ptr_equal(tensor, gguf_tensor_at(file, 0));
    assert_int_equal(tensor->dimension_count, 2);
    assert_int_equal(tensor->dimensions[0], 3);
    assert_int_equal(tensor->dimensions[1], 2);
    assert_int_equal(tensor->dimensions[3], 1);
    assert_int_equal(tensor->bytes, 24);
    assert_int_equal(gguf_read_floats(tensor, values, &error), 0);
    assert_memory_equal(values, matrix, sizeof matrix);
    tensor = gguf_find_tensor(file, "vector");
    assert_int_equal(tensor->type, TENSOR_BF16);
    assert_int_equal(gguf_read_floats(tensor, values, &error), 0);
    assert_true(values[0] == 1.0f);      /* half way: to the even one below */
    assert_true(values[1] == 1.015625f); /* half way: to the even one above */
    assert_true(fabsf(values[2] + 0.1f) < 1e-3f);
    assert_null(gguf_find_tensor(file, "matri"));
    assert_null(gguf_find_tensor(file, "z"));
}

static void test_round_trip(void **state) {
    (void)state;
    struct error error;
    struct gguf *file;
    assert_int_equal(write_sample(path, &error), 0);
    assert_int_equal(gguf_open(&file, path, &error), 0);
    assert_true(gguf_has(file, "b.empty"));
    assert_false(gguf_has(file, "b.empt"));
    check_scalars(file);
    check_arrays(file);
    check_tensors(file);
    uint32_t value;
    assert_int_equal(gguf_get_u32(file, "absent", &value, &error), -1);
    assert_non_null(strstr(error.message, "absent"));
    gguf_close(file);
    assert_int_equal(gguf_open(&file, directory, &error), -1);
    assert_null(file);
}

static void test_half_floats(void **state) {
    (void)state;
    static const uint16_t halves[] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x8400, 0x7c00, 0x7e00};
    struct gguf_tensor tensor = {.name = "t",
                                 .element_count = 7,
                                 .type = TENSOR_F16,
                                 .data = halves,
                                 .bytes = sizeof halves};
    float values[7];
    struct error error;
    assert_int_equal(gguf_read_floats(&tensor, values, &error), 0);
    assert_true(values[0] == 1 && values[1] == -2 && values[2] == 65504);
    assert_true(values[3] == 0x1p-24f && values[4] == -0x1p-14f);
    assert_true(isinf(values[5]) && isnan(values[6]));
    tensor.type = (enum tensor_type)10;
    assert_int_equal(gguf_read_floats(&tensor, values, &error), -1);
    assert_non_null(strstr(error.message, "Q2_K"));
}

/* Opens a copy of exactly `bytes` bytes, so that a sanitizer sees any read beyond them. */
static int open_copy(const char *data, size_t bytes) {
    struct error error;
    struct gguf *file;
    char *copy = malloc(bytes + (bytes == 0));
    assert_non_null(copy);
    memcpy(copy, data, bytes);
    error.message[0] = '\0';
    int result = gguf_open_memory(&file, copy, bytes, "memory", &error);
    if (result == 0) {
        float values[64];
        size_t count;
        struct gguf_string *strings;
        for (size_t i = 0; i < gguf_tensor_count(file); i++)
            if (gguf_tensor_at(file, i)->element_count <= 64)
                gguf_read_floats(gguf_tensor_at(file, i), values, &error);
        if (gguf_get_string_array(file, "b.string", &strings, &count, &error) == 0)
            memory_free(strings);
    } else {
        assert_true(error.message[0] != '\0');
        assert_null(file);
    }
    gguf_close(file);
    free(copy);
    return result;
}

static void test_truncation(void **state) {
    (void)state;
    size_t bytes;
    char *data = sample_bytes(&bytes);
    assert_int_equal(open_copy(data, bytes), 0);
    for (size_t length = 0; length < bytes; length++)
        assert_int_equal(open_copy(data, length), -1);
    free(data);
}

static void test_changed_bytes(void **state) {
    (void)state;
    static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff, 9};
    size_t bytes, in_use = memory_bytes_in_use();
    char *data = sample_bytes(&bytes);
    for (size_t i = 0; i < bytes; i++) {
        char kept = data[i];
        for (size_t j = 0; j < sizeof values; j++) {
            data[i] = (char)values[j];
            open_copy(data, bytes);
        }
        for (int bit = 0; bit < 8; bit++) {
            data[i] = (char)(kept ^ 1 << bit);
            open_copy(data, bytes);
        }
        data[i] = kept;
    }
    free(data);
    assert_int_equal(memory_bytes_in_use(), in_use);
}

static void test_writer_refuses(void **state) {
    (void)state;
    struct error error;
    struct gguf_writer *writer;
    static const size_t size[] = {3}, huge[] = {SIZE_MAX / 2, 4};
    static const struct gguf_string too_long[] = {{"fine", 4}, {"", (size_t)1 << 31}};
    char name[128];
    memset(name, 'n', sizeof name);
    name[64] = '\0';
    assert_int_equal(gguf_writer_create(&writer, &error), 0);
    assert_int_equal(gguf_writer_add_u32(writer, "k", 1, &error), 0);
    assert_int_equal(gguf_writer_add_bool(writer, "k", true, &error), -1);
    assert_int_equal(gguf_writer_add_u32(writer, "", 1, &error), -1);
    assert_int_equal(gguf_writer_add_u32(writer, "new\nline", 1, &error), -1);
    assert_int_equal(gguf_writer_add_u32(writer, "general.alignment", 64, &error), -1);
    assert_int_equal(gguf_writer_add_string_array(writer, "s", too_long, 2, &error), -1);
    assert_int_equal(gguf_writer_add_tensor(writer, "t", size, 1, TENSOR_F32, vector, &error), 0);
    assert_int_equal(gguf_writer_add_tensor(writer, "t", size, 1, TENSOR_F32, vector, &error), -1);
    assert_int_equal(gguf_writer_add_tensor(writer, name, size, 1, TENSOR_F32, vector, &error), -1);
    assert_int_equal(gguf_writer_add_tensor(writer, "q", size, 1, TENSOR_Q8_0, vector, &error), -1);
    assert_int_equal(gguf_writer_add_tensor(writer, "h", huge, 2, TENSOR_F32, vector, &error), -1);
    assert_int_equal(gguf_writer_add_tensor(writer, "z", size, 0, TENSOR_F32, vector, &error), -1);
    /* What was refused left no trace. */
    assert_int_equal(gguf_writer_commit(writer, path, &error), 0);
    struct gguf *file;
    assert_int_equal(gguf_open(&file, path, &error), 0);
    assert_int_equal(gguf_tensor_count(file), 1);
    assert_true(gguf_has(file, "k"));
    assert_false(gguf_has(file, "s"));
    gguf_close(file);
    assert_int_equal(gguf_writer_commit(writer, "/nonexistent/directory/x.gguf", &error), -1);
    gguf_writer_destroy(writer);
}

/* Files made by hand, for what our writer would not write. */
struct bytes {
    char data[1024];
    size_t count;
};

static void put(struct bytes *out, const void *data, size_t count) {
    memcpy(out->data + out->count, data, count);
    out->count += count;
}

static void put_u32(struct bytes *out, uint32_t value) {
    put(out, &value, sizeof value);
}

static void put_u64(struct bytes *out, uint64_t value) {
    put(out, &value, sizeof value);
}

static void put_string(struct bytes *out, const char *text) {
    put_u64(out, strlen(text));
    put(out, text, strlen(text));
}

static void put_header(struct bytes *out, uint32_t version, uint64_t tensors, uint64_t keys) {
    out->count = 0;
    put(out, "GGUF", 4);
    put_u32(out, version);
    put_u64(out, tensors);
    put_u64(out, keys);
}

static void put_u32_key(struct bytes *out, const char *name, uint32_t value) {
    put_string(out, name);
    put_u32(out, 4);
    put_u32(out, value);
}

static void put_entry(struct bytes *out, const char *name, uint64_t size, uint32_t type,
                      uint64_t offset) {
    put_string(out, name);
    put_u32(out, 1);
    put_u64(out, size);
    put_u32(out, type);
    put_u64(out, offset);
}

static void pad(struct bytes *out, size_t alignment) {
    while (out->count % alignment != 0)
        put(out, "", 1);
}

static void expect(const struct bytes *bytes, const char *part_of_message) {
    struct error error;
    struct gguf *file;
    int result = gguf_open_memory(&file, bytes->data, bytes->count, "hand-made", &error);
    if (part_of_message == NULL) {
        assert_int_equal(result, 0);
    } else {
        assert_int_equal(result, -1);
        if (strstr(error.message, part_of_message) == NULL)
            fail_msg("expected \"%s\" in: %s", part_of_message, error.message);
    }
    gguf_close(file);
}

static void test_headers(void **state) {
    (void)state;
    struct bytes bytes;
    put_header(&bytes, 2, 0, 0);
    expect(&bytes, NULL);
    put_header(&bytes, 1, 0, 0);
    expect(&bytes, "version 1");
    put_header(&bytes, 3u << 24, 0, 0);
    expect(&bytes, "big-endian");
    put_header(&bytes, 3, 0, UINT64_MAX);
    expect(&bytes, "keys");
    put_header(&bytes, 3, UINT64_MAX, 0);
    expect(&bytes, "tensors");
    bytes.data[0] = 'g';
    expect(&bytes, "not a GGUF file");
}

static void test_keys(void **state) {
    (void)state;
    struct bytes bytes;
    put_header(&bytes, 3, 0, 2);
    put_u32_key(&bytes, "k", 1);
    put_u32_key(&bytes, "k", 1);
    expect(&bytes, "key k occurs twice");
    put_header(&bytes, 3, 0, 1);
    put_u32_key(&bytes, "", 1);
    put(&bytes, "    ", 4);
    expect(&bytes, "empty");
    put_header(&bytes, 3, 0, 1);
    put_u32_key(&bytes, "\033[2J", 1);
    expect(&bytes, "printable");
    put_header(&bytes, 3, 0, 1);
    put_string(&bytes, "k");
    put_u32(&bytes, 9);
    put_u32(&bytes, 9);
    put_u64(&bytes, 0);
    expect(&bytes, "arrays");
    put_header(&bytes, 3, 0, 1);
    put_string(&bytes, "k");
    put_u32(&bytes, 9);
    put_u32(&bytes, 10);
    put_u64(&bytes, (uint64_t)1 << 61);
    expect(&bytes, "limit");
    put_header(&bytes, 3, 0, 1);
    put_string(&bytes, "k");
    put_u32(&bytes, 7);
    put(&bytes, "\2", 1);
    expect(&bytes, "bool");
    put_header(&bytes, 3, 0, 1);
    put_string(&bytes, "k");
    put_u32(&bytes, 13);
    put_u32(&bytes, 0);
    expect(&bytes, "unknown type");
}

static void test_tensors(void **state) {
    (void)state;
    struct bytes bytes;
    for (uint32_t alignment = 1; alignment <= 64; alignment *= 2) {
        put_header(&bytes, 3, 2, 1);
        put_u32_key(&bytes, "general.alignment", alignment);
        put_entry(&bytes, "t", 1, 0, 0);
        put_entry(&bytes, "u", 1, 0, alignment);
        pad(&bytes, alignment);
        put_u64(&bytes, 0);
        pad(&bytes, alignment);
        put_u64(&bytes, 0);
        pad(&bytes, alignment);
        expect(&bytes, alignment < 8 ? "general.alignment" : NULL);
    }
    put_header(&bytes, 3, 0, 1);
    put_u32_key(&bytes, "general.alignment", 24);
    expect(&bytes, "power of two");
    put_header(&bytes, 3, 2, 0);
    put_entry(&bytes, "t", 0, 0, 0);
    put_entry(&bytes, "t", 0, 0, 0);
    expect(&bytes, "tensor t occurs twice");
    put_header(&bytes, 3, 1, 0);
    put_entry(&bytes, "t", 0, 0, 32);
    pad(&bytes, 32);
    put_u64(&bytes, 0);
    expect(&bytes, "begins at 32");
    put_header(&bytes, 3, 1, 0);
    put_entry(&bytes, "t", 33, TENSOR_Q8_0, 0);
    expect(&bytes, "multiple of 32");
    put_header(&bytes, 3, 1, 0);
    put_entry(&bytes, "t", 1, 4, 0);
    expect(&bytes, "unknown type 4");
    put_header(&bytes, 3, 1, 0);
    put_entry(&bytes, "t", UINT64_MAX, 0, 0);
    expect(&bytes, "overflows");
    put_header(&bytes, 3, 1, 0);
    put_entry(&bytes, "t", INT64_MAX, 0, 0);
    expect(&bytes, "too large");
    put_header(&bytes, 3, 1, 0);
    put_entry(&bytes, "t", 1000, 0, 0);
    pad(&bytes, 32);
    expect(&bytes, "ends at byte");
}

/* Every allocation of writing and of reading fails once; each failure is an error, not a leak. */
static void test_failing_allocations(void **state) {
    (void)state;
    struct error error;
    size_t in_use = memory_bytes_in_use(), n = 0;
    int result;
    do {
        memory_fail_after(++n);
        result = write_sample(path, &error);
        memory_fail_after(0);
        assert_int_equal(memory_bytes_in_use(), in_use);
    } while (result != 0);
    assert_true(n > 3);
    n = 0;
    do {
        struct gguf *file;
        struct gguf_string *strings;
        size_t count;
        memory_fail_after(++n);
        result = gguf_open(&file, path, &error);
        if (result == 0) {
            result = gguf_get_string_array(file, "b.string", &strings, &count, &error);
            if (result == 0)
                memory_free(strings);
        }
        memory_fail_after(0);
        gguf_close(file);
        assert_int_equal(memory_bytes_in_use(), in_use);
    } while (result != 0);
    assert_int_equal(n, 7);
}

static void test_real_vocabulary(void **state) {
    (void)state;
    const char *vocabulary =
        getenv("TRINE_GPT2_VOCABULARY"); /* llama.cpp's ggml-vocab-gpt-2.gguf */
    if (vocabulary == NULL || access(vocabulary, R_OK) != 0) {
        print_message("skipped: TRINE_GPT2_VOCABULARY names no file\n");
        skip();
    }
    struct error error;
    struct gguf *file;
    struct gguf_string *tokens;
    size_t count;
    assert_int_equal(gguf_open(&file, vocabulary, &error), 0);
    assert_int_equal(gguf_get_string_array(file, "tokenizer.ggml.tokens", &tokens, &count, &error),
                     0);
    assert_int_equal(count, 50257);
    assert_true(gguf_string_is(tokens[50256], "<|endoftext|>"));
    memory_free(tokens);
    gguf_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_half_floats),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_writer_refuses),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_tensors),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_real_vocabulary),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
