#include "train/length_order.h"

#include "cmocka_all.h"

enum { COUNT = 23, WINDOW = 8 };

static void test_every_epoch_has_everything_once(void **state) {
    (void)state;
    struct error error;
    struct length_order order;
    uint16_t lengths[COUNT];
    uint32_t first[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        lengths[i] = (uint16_t)(i * 7 % 5);
    assert_int_equal(length_order_create(&order, lengths, COUNT, WINDOW, 3, &error), 0);
    for (size_t epoch = 0; epoch < 3; epoch++) {
        int seen[COUNT] = {0}, differs = 0;
        uint32_t last = 0;
        for (size_t i = 0; i < COUNT; i++) {
            uint32_t picked = length_order_pick(&order, epoch * COUNT + i);
            assert_true(picked < COUNT);
            assert_int_equal(seen[picked]++, 0);
            if (i % WINDOW > 0)
                assert_true(lengths[last] <= lengths[picked]);
            if (epoch == 0)
                first[i] = picked;
            differs |= first[i] != picked;
            last = picked;
        }
        assert_int_equal(differs, epoch > 0);
    }
    length_order_free(&order);
}

/* A run that goes on in the middle of an epoch learns the same examples. */
static void test_goes_on_anywhere(void **state) {
    (void)state;
    struct error error;
    struct length_order whole, rest;
    uint16_t lengths[COUNT] = {0};
    assert_int_equal(length_order_create(&whole, lengths, COUNT, WINDOW, 9, &error), 0);
    assert_int_equal(length_order_create(&rest, lengths, COUNT, WINDOW, 9, &error), 0);
    for (size_t at = 0; at < 4 * COUNT; at++) {
        uint32_t picked = length_order_pick(&whole, at);
        if (at >= 2 * COUNT + 5)
            assert_int_equal(length_order_pick(&rest, at), picked);
    }
    length_order_free(&whole);
    length_order_free(&rest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_epoch_has_everything_once),
        cmocka_unit_test(test_goes_on_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
