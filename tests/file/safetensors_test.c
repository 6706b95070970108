#include "file/safetensors.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cmocka_all.h"

static char path[256];

static int name_path(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/trine-safetensors-%ld", (long)getpid());
    return 0;
}

static int remove_path(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

/* A file of these headers and `bytes` zero bytes, in a block of exactly its size. */
static int open_text(const char *header, size_t bytes, struct error *error) {
    struct safetensors *file;
    uint64_t length = strlen(header);
    char *data = malloc(8 + length + bytes);
    assert_non_null(data);
    memcpy(data, &length, 8);
    memcpy(data + 8, header, length);
    memset(data + 8 + length, 0, bytes);
    int result = safetensors_open_memory(&file, data, 8 + length + bytes, "test", error);
    safetensors_close(result == 0 ? file : NULL);
    free(data);
    return result;
}

static void expect_refusal(const char *header, size_t bytes, const char *what) {
    struct error error;
    assert_int_equal(open_text(header, bytes, &error), -1);
    if (strstr(error.message, what) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, what);
}

static void test_round_trip(void **state) {
    (void)state;
    struct error error;
    struct safetensors_writer *writer;
    struct safetensors *file;
    const float floats[6] = {1, -2, 0.5f, 3, 4, 1e-3f};
    uint16_t halves[6], bfloats[6];
    float out[6];
    quantise(halves, floats, TENSOR_F16, 6);
    quantise(bfloats, floats, TENSOR_BF16, 6);
    assert_int_equal(safetensors_writer_create(&writer, &error), 0);
    size_t two[2] = {2, 3}, one = 6;
    assert_int_equal(safetensors_writer_add(writer, "b", two, 2, TENSOR_BF16, bfloats, &error), 0);
    assert_int_equal(safetensors_writer_add(writer, "h", two, 2, TENSOR_F16, halves, &error), 0);
    assert_int_equal(safetensors_writer_add(writer, "f", &one, 1, TENSOR_F32, floats, &error), 0);
    assert_int_equal(safetensors_writer_add(writer, "f", &one, 1, TENSOR_F32, floats, &error), -1);
    assert_int_equal(safetensors_writer_add(writer, "q", &one, 1, TENSOR_Q8_0, floats, &error), -1);
    assert_int_equal(safetensors_writer_commit(writer, path, &error), 0);
    safetensors_writer_destroy(writer);
    assert_int_equal(safetensors_open(&file, path, &error), 0);
    assert_int_equal(safetensors_count(file), 3);
    const struct safetensors_tensor *tensor = safetensors_find(file, "h");
    assert_non_null(tensor);
    assert_int_equal(tensor->dimension_count, 2);
    assert_int_equal(tensor->dimensions[1], 3);
    assert_int_equal((uintptr_t)tensor->data % 2, 0);
    assert_int_equal(safetensors_read_floats(tensor, out, &error), 0);
    assert_true(out[1] == -2 && out[2] == 0.5f);
    assert_int_equal(safetensors_read_floats(safetensors_find(file, "f"), out, &error), 0);
    assert_memory_equal(out, floats, sizeof out);
    assert_null(safetensors_find(file, "none"));
    safetensors_close(file);
}

static void test_checks(void **state) {
    (void)state;
    struct error error;
    assert_int_equal(open_text("{}", 0, &error), 0);
    assert_int_equal(
        open_text("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, &error), 0);
    assert_int_equal(open_text("{\"__metadata__\":{\"x\":\"y\"},\"a\":{\"dtype\":\"I8\",\"shape\":"
                               "[0],\"data_offsets\":[0,0]}}  ",
                               0, &error),
                     0);
    expect_refusal("[]", 0, "header");
    expect_refusal("{\"a\":1}", 0, "type");
    expect_refusal("{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "F31");
    expect_refusal("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "shape");
    expect_refusal("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4,
                   "4 bytes");
    expect_refusal("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,5]}}", 4, "within");
    expect_refusal("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "within");
    expect_refusal("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5, "follow");
    expect_refusal("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]}}", 5, "hole");
    expect_refusal("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                   "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}",
                   6, "overlaps");
    expect_refusal("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                   "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
                   4, "JSON");
    expect_refusal("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],"
                   "\"data_offsets\":[0,4]}}",
                   4, "large");
    expect_refusal("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],"
                   "\"data_offsets\":[0,4]}}",
                   4, "shape");
}

/* Every prefix and every changed byte of a small file: an error or not, but no crash. */
static void test_damage(void **state) {
    (void)state;
    static const char header[] =
        "{\"a\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[0,12]},"
        "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[12,16]}}";
    struct error error;
    struct safetensors *file;
    uint64_t length = sizeof header - 1;
    size_t bytes = 8 + length + 16;
    char *whole = calloc(1, bytes);
    assert_non_null(whole);
    memcpy(whole, &length, 8);
    memcpy(whole + 8, header, length);
    assert_int_equal(safetensors_open_memory(&file, whole, bytes, "whole", &error), 0);
    safetensors_close(file);
    for (size_t cut = 0; cut < bytes; cut++) {
        char *part = malloc(cut + (cut == 0));
        assert_non_null(part);
        memcpy(part, whole, cut);
        assert_int_equal(safetensors_open_memory(&file, part, cut, "part", &error), -1);
        assert_null(file);
        free(part);
    }
    for (size_t i = 0; i < bytes; i++)
        for (int bit = 0; bit < 8; bit++) {
            whole[i] = (char)(whole[i] ^ 1 << bit);
            if (safetensors_open_memory(&file, whole, bytes, "changed", &error) == 0)
                safetensors_close(file);
            whole[i] = (char)(whole[i] ^ 1 << bit);
        }
    free(whole);
}

static void test_index(void **state) {
    (void)state;
    struct error error;
    struct safetensors *file;
    char index[300];
    snprintf(index, sizeof index, "%s.json", path);
    FILE *out = fopen(index, "w");
    assert_non_null(out);
    fputs("{\"weight_map\":{\"a\":\"../outside\"}}", out);
    fclose(out);
    assert_int_equal(safetensors_open(&file, index, &error), -1);
    assert_non_null(strstr(error.message, "no file of this directory"));
    unlink(index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_index),
    };
    return cmocka_run_group_tests(tests, name_path, remove_path);
}
