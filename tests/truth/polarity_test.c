#include "truth/polarity.h"

#include "cmocka_all.h"

static void test_signs(void **state) {
    (void)state;
    static const struct {
        const char *statement;
        int sign;
    } CASES[] = {{"Lagos is in Nigeria.", 1},
                 {"Lagos is not in Nigeria.", -1},
                 {"Lagos isn't in Nigeria.", -1},
                 {"Lagos isn\u2019t in Nigeria.", -1},
                 {"It is not true that Lagos isn't in Nigeria.", 1},
                 {"A knot is a note.", 1},
                 {"Nobody never knows \xff\xfe", -1},
                 {"", 1}};
    struct polarity *polarity;
    struct error error;
    assert_int_equal(polarity_create(&polarity, &error), 0);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        int sign;
        assert_int_equal(polarity_of(polarity, CASES[i].statement, &sign, &error), 0);
        assert_int_equal(sign, CASES[i].sign);
    }
    polarity_destroy(polarity);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
