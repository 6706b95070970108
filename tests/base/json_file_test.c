#include "base/json_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cmocka_all.h"

static void test_writes_whole_or_not(void **state) {
    (void)state;
    struct error error;
    char directory[] = "/tmp/trine-json-XXXXXX", path[64], *text;
    size_t bytes;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/a.json", directory);
    json_t *json = json_pack("{s:i}", "a", 1);
    assert_int_equal(json_file_write(json, path, JSON_COMPACT, &error), 0);
    assert_int_equal(file_read_all(path, 100, &text, &bytes, &error), 0);
    assert_string_equal(text, "{\"a\":1}\n");
    free(text);
    /* Nothing to write, and the file stays; nowhere to write. */
    assert_int_equal(json_file_write(NULL, path, 0, &error), -1);
    assert_non_null(strstr(error.message, "out of memory"));
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(json_file_write(json, "/tmp/trine-no-such/a.json", 0, &error), -1);
    json_decref(json);
    unlink(path);
    assert_int_equal(rmdir(directory), 0); /* nothing temporary is left */
}

static void test_keys(void **state) {
    (void)state;
    static const char *const KNOWN[] = {"a", "b"};
    struct error error;
    json_t *json = json_pack("{s:i, s:i}", "b", 1, "c", 2);
    assert_int_equal(json_check_keys(json, KNOWN, 2, &error), -1);
    assert_non_null(strstr(error.message, "\"c\""));
    json_object_del(json, "c");
    assert_int_equal(json_check_keys(json, KNOWN, 2, &error), 0);
    json_decref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_whole_or_not),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
