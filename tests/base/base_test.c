/* Memory, files, libraries and random numbers. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/shared_library.h"
#include "cmocka_all.h"

static void test_memory(void **state) {
    (void)state;
    struct error error;
    size_t before = memory_bytes_in_use();
    unsigned char *block = memory_allocate(100, 3, &error);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 64, 0);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(block[i], 0);
    assert_true(memory_bytes_in_use() >= before + 300);
    memory_free(block);
    assert_int_equal(memory_bytes_in_use(), before);
    assert_null(memory_allocate(SIZE_MAX / 2, 3, &error)); /* the product overflows */
    assert_true(strlen(error.message) > 0);
    block = memory_allocate(0, 8, &error);
    assert_non_null(block);
    memory_free(block);
    memory_free(NULL);
    memory_fail_after(2);
    block = memory_allocate(1, 1, &error);
    assert_non_null(block);
    assert_null(memory_allocate(1, 1, &error));
    memory_fail_after(0);
    memory_free(block);
}

/* Pages that nobody writes to take no memory; what was freed can be given back. */
static void test_resident(void **state) {
    (void)state;
    enum { BYTES = 12 << 20 };
    struct error error;
    size_t before = memory_peak();
    char *block = memory_allocate(BYTES, 1, &error);
    assert_non_null(block);
    block[BYTES / 2] = 1;
    assert_true(memory_peak() < before + BYTES / 2);
    memory_free(block);
    memory_trim();
}

static void test_growing(void **state) {
    (void)state;
    struct error error;
    int *items = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(memory_grow(&items, &capacity, (size_t)i + 1, sizeof *items, &error), 0);
        assert_true(capacity > (size_t)i);
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    assert_int_equal(memory_grow(&items, &capacity, SIZE_MAX / 2, sizeof *items, &error), -1);
    assert_int_equal(items[999], 999);
    free(items);
}

static void test_files(void **state) {
    (void)state;
    struct error error;
    struct file_writer writer;
    struct file_map map;
    struct stat status;
    char directory[] = "/tmp/trine-base-XXXXXX", path[128], *data;
    size_t bytes;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/a/b", directory);
    assert_int_equal(file_make_directory(path, &error), 0);
    assert_int_equal(file_make_directory(path, &error), 0);
    snprintf(path, sizeof path, "%s/a/b/file", directory);
    /* Nothing is at the final path before commit, and the old file stays after an abort. */
    assert_int_equal(file_writer_open(&writer, path, &error), 0);
    fputs("one", writer.stream);
    assert_int_equal(stat(path, &status), -1);
    assert_int_equal(file_writer_commit(&writer, &error), 0);
    file_writer_abort(&writer);
    assert_int_equal(file_writer_open(&writer, path, &error), 0);
    fputs("two", writer.stream);
    file_writer_abort(&writer);
    assert_int_equal(stat(writer.temporary, &status), -1);
    assert_int_equal(file_read_all(path, 100, &data, &bytes, &error), 0);
    assert_int_equal(bytes, 3);
    assert_string_equal(data, "one");
    free(data);
    assert_int_equal(file_read_all(path, 2, &data, &bytes, &error), -1); /* too long */
    assert_non_null(strstr(error.message, path));
    assert_int_equal(file_map_open(&map, path, &error), 0);
    assert_memory_equal(map.data, "one", 3);
    file_map_release(&map);
    assert_memory_equal(map.data, "one", 3);
    file_map_close(&map);
    assert_int_equal(file_map_open(&map, directory, &error), -1);
    assert_int_equal(file_writer_open(&writer, "/nonexistent/x", &error), -1);
    assert_int_equal(file_make_directory(path, &error), -1); /* a file is there */
    unlink(path);
    for (const char *part = "/a/b"; *part != '\0'; part = *part == '/' && part[2] ? "/a" : "") {
        snprintf(path, sizeof path, "%s%s", directory, part);
        assert_int_equal(rmdir(path), 0);
    }
    assert_int_equal(rmdir(directory), 0);
}

static void test_libraries(void **state) {
    (void)state;
    struct error error;
    struct {
        double (*cosine)(double), (*sine)(double);
    } functions;
    const char *names[] = {"cos", "sin"}, *others[] = {"cos", "no_such_function"};
    assert_int_equal(shared_library_load(&functions, names, 2, "libm.so.6", &error), 0);
    assert_true(functions.cosine(0) == 1 && functions.sine(0) == 0);
    assert_int_equal(shared_library_load(&functions, others, 2, "libm.so.6", &error), -1);
    assert_non_null(strstr(error.message, "no_such_function"));
    assert_int_equal(shared_library_load(&functions, names, 2, "libnowhere.so.1", &error), -1);
    assert_non_null(strstr(error.message, "libnowhere.so.1"));
}

static void test_random(void **state) {
    (void)state;
    enum { N = 100000 };
    struct random a, b;
    double sum = 0, square = 0, uniform = 0;
    size_t buckets[7] = {0};
    random_seed(&a, 1, 2);
    random_seed(&b, 1, 2);
    for (int i = 0; i < 10; i++)
        assert_true(random_bits(&a) == random_bits(&b));
    random_seed(&b, 1, 3); /* another stream */
    assert_true(random_bits(&a) != random_bits(&b));
    for (int i = 0; i < N; i++) {
        double x = random_normal(&a), u = random_uniform(&a);
        assert_true(u >= 0 && u < 1);
        sum += x;
        square += x * x;
        uniform += u;
        buckets[random_below(&a, 7)]++;
    }
    assert_true(fabs(sum / N) < 5 / sqrt(N));
    assert_true(fabs(square / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(uniform / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    for (size_t i = 0; i < 7; i++)
        assert_true(fabs((double)buckets[i] - N / 7.0) < 5 * sqrt(N / 7.0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),    cmocka_unit_test(test_resident),
        cmocka_unit_test(test_growing),   cmocka_unit_test(test_files),
        cmocka_unit_test(test_libraries), cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
