/* The page in the program: whole, linked together, and served as what it is; or the page that says
 * that there is none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "serve/studio_files.h"

static const char *text_of(const char *path, size_t *bytes) {
    const void *data;
    assert_int_equal(studio_file(path, &data, bytes, NULL, NULL), 1);
    return data;
}

static void test_page(void **state) {
    (void)state;
    const void *root, *index;
    const char *type, *tag;
    size_t root_bytes, index_bytes;
    assert_int_equal(studio_file("/", &root, &root_bytes, &type, &tag), 1);
    assert_string_equal(type, "text/html; charset=utf-8");
    assert_int_equal(tag[0], '"');
    assert_int_equal(tag[strlen(tag) - 1], '"');
    assert_int_equal(studio_file("/index.html", &index, &index_bytes, NULL, NULL), 1);
    assert_ptr_equal(root, index);
    assert_int_equal(root_bytes, index_bytes);
    assert_memory_equal(root, "<!doctype html>", 15);
    assert_false(studio_file_is_immutable("/"));
}

static void test_absent(void **state) {
    (void)state;
    static const char *const PATHS[] = {
        "",   "index.html",  "/index.htm", "/index.html/", "/assets/", "/assets/../index.html",
        "//", "/etc/passwd", "/assets",    "/package.json"};
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        assert_int_equal(studio_file(PATHS[i], NULL, NULL, NULL, NULL), 0);
        assert_false(studio_file_is_immutable(PATHS[i]));
    }
}

/* Nothing that the policy forbids, or the page would be blank. */
static void test_policy(void **state) {
    (void)state;
    size_t bytes;
    const char *page = text_of("/", &bytes);
    char *copy = strndup(page, bytes);
    assert_non_null(copy);
    assert_null(strstr(copy, "<style"));
    assert_null(strstr(copy, " style="));
    assert_null(strstr(copy, "https://"));
    for (const char *at = copy; (at = strstr(at, "<script")) != NULL; at++) {
        const char *source = strstr(at, "src=\"");
        assert_true(source != NULL && source < strchr(at, '>'));
    }
    assert_null(strstr(STUDIO_CONTENT_SECURITY_POLICY, "unsafe"));
    free(copy);
}

/* A file that the page names must be there, as what its name says. */
static void check_link(const char *name, size_t length) {
    char path[256];
    const char *type, *tag;
    size_t bytes;
    assert_true(snprintf(path, sizeof path, "/%.*s", (int)length, name) < (int)sizeof path);
    if (studio_file(path, NULL, &bytes, &type, &tag) != 1)
        fail_msg("the page names %s, which is not there", path);
    assert_true(bytes > 0);
    const char *dot = strrchr(path, '.');
    const char *wanted = strcmp(dot, ".js") == 0    ? "text/javascript; charset=utf-8"
                         : strcmp(dot, ".css") == 0 ? "text/css; charset=utf-8"
                         : strcmp(dot, ".svg") == 0 ? "image/svg+xml"
                                                    : "font/woff2";
    assert_string_equal(type, wanted);
    assert_int_equal(studio_file_is_immutable(path), strncmp(path, "/assets/", 8) == 0);
}

/* Everything that the text names between `before` and any of `ends`. */
static size_t check_links(const char *text, const char *before, const char *ends) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, before)) != NULL; count++) {
        at += strlen(before);
        check_link(at, strcspn(at, ends));
    }
    return count;
}

static void test_links(void **state) {
    (void)state;
    if (!studio_is_built_in()) {
        print_message("skipped: this program was built without the studio\n");
        skip();
    }
    size_t bytes;
    const char *text = text_of("/", &bytes);
    char *page = strndup(text, bytes);
    assert_non_null(page);
    assert_true(check_links(page, "=\"./", "\"") >= 4); /* two scripts, the style, the mark */
    const char *style = strstr(page, "rel=\"stylesheet\"");
    assert_non_null(style);
    style = strstr(style, "href=\".");
    assert_non_null(style);
    style += strlen("href=\".");
    char *path = strndup(style, strcspn(style, "\""));
    const char *css = text_of(path, &bytes);
    char *sheet = strndup(css, bytes);
    assert_non_null(sheet);
    size_t fonts = 0;
    for (const char *at = sheet; (at = strstr(at, "url(./")) != NULL; fonts++) {
        char name[256];
        at += strlen("url(./");
        snprintf(name, sizeof name, "assets/%.*s", (int)strcspn(at, ")"), at);
        check_link(name, strlen(name));
    }
    assert_int_equal(fonts, 6);
    assert_null(strstr(sheet, "url(data:"));
    free(sheet);
    free(path);
    free(page);
}

/* Names without a hash are asked for again. */
static void test_kept(void **state) {
    (void)state;
    const char *tag;
    if (!studio_is_built_in())
        skip();
    assert_int_equal(studio_file("/theme.js", NULL, NULL, NULL, &tag), 1);
    assert_false(studio_file_is_immutable("/theme.js"));
    assert_int_equal(studio_file("/assets/licences.txt", NULL, NULL, NULL, NULL), 1);
    assert_false(studio_file_is_immutable("/assets/licences.txt"));
    assert_int_equal(strlen(tag), 34);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),  cmocka_unit_test(test_absent), cmocka_unit_test(test_policy),
        cmocka_unit_test(test_links), cmocka_unit_test(test_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
