/* Text cannot become markup, and numbers look as in a book. */
#include "dream/html.h"

#include <stdlib.h>

#include "cmocka_all.h"

static void check(const char *expected, const char *text) {
    char *written;
    size_t size;
    FILE *stream = open_memstream(&written, &size);
    html_write(stream, "<a title=\"%s\">%d%% %zu %.2f %s</a>", text, -3, (size_t)7, 1.005, "");
    fclose(stream);
    assert_string_equal(written, expected);
    free(written);
}

static void test_escaping(void **state) {
    (void)state;
    check("<a title=\"plain &amp; simple\">-3% 7 1.00 </a>", "plain & simple");
    check("<a title=\"&quot;&gt;&lt;/script&gt;&lt;img onerror=&#39;x&#39;&gt;\">-3% 7 1.00 </a>",
          "\"></script><img onerror='x'>");
    check("<a title=\"%s %n 100%\">-3% 7 1.00 </a>", "%s %n 100%");
}

static void test_numbers(void **state) {
    (void)state;
    char text[HTML_NUMBER];
    assert_string_equal(html_signed(text, -1.396, 2), "\xe2\x88\x92"
                                                      "1.40");
    assert_string_equal(html_signed(text, 0.5, 2), "+0.50");
    assert_string_equal(html_signed(text, -0.001, 2), "0.00");
    assert_string_equal(html_count(text, 8030269), "8,030,269");
    assert_string_equal(html_count(text, 999), "999");
    assert_string_equal(html_year(text, 1863), "1863");
    assert_string_equal(html_year(text, 1863.46), "1863.5");
    assert_string_equal(html_year(text, 1862.98), "1863");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_escaping),
                                       cmocka_unit_test(test_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
