/* Patches: pixels to numbers and back, spellings, margins. */
#include "cmocka_all.h"

#include <string.h>

#include "base/random.h"
#include "picture/patches.h"

static void test_spelling(void **state) {
    (void)state;
    char spelling[PATCH_SPELLING + 1];
    uint64_t patch = 1;
    patch_spell(spelling, 0x0123456789abcdef);
    assert_string_equal(spelling, "<|patch 0123456789abcdef|>");
    assert_int_equal(patch_parse(&patch, spelling, PATCH_SPELLING), 0);
    assert_true(patch == 0x0123456789abcdef);
    static const char *const WRONG[] = {"<|patch 0123456789abcdeF|>",
                                        "<|patch 0123456789abcde|>",
                                        "<|patch 0123456789abcdef|>>",
                                        "<|patch\t0123456789abcdef|>",
                                        "<|patch 0123456789abcdefff",
                                        "",
                                        "<|image|>"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        assert_int_equal(patch_parse(&patch, WRONG[i], strlen(WRONG[i])), -1);
}

static void test_pixels(void **state) {
    (void)state;
    struct raster r;
    struct error error;
    assert_int_equal(raster_create(&r, 6, 5, &error), 0);
    for (uint8_t i = 0; i < 6; i++)
        r.pixels[i] = (uint8_t)(i * 3 * 17);
    r.pixels[4 * 6 + 5] = 8; /* rounds to 0; the next to 1 */
    r.pixels[4 * 6 + 4] = 9;
    assert_int_equal(patches_along(6), 2);
    assert_int_equal(patches_along(4), 1);
    assert_int_equal(patches_along(64), PATCHES_A_SIDE);
    assert_true(patch_take(&r, 0, 0) == 0x0369ffffffffffff);
    assert_true(patch_take(&r, 1, 0) == 0xcfffffffffffffff);
    assert_true(patch_take(&r, 1, 1) == 0x10ffffffffffffff); /* white beyond both borders */
    raster_free(&r);
}

static void test_round_trip(void **state) {
    (void)state;
    struct raster r;
    struct random random;
    struct error error;
    random_seed(&random, 1, 0);
    assert_int_equal(raster_create(&r, 8, 8, &error), 0);
    for (int i = 0; i < 100; i++) {
        uint64_t patch = random_bits(&random);
        uint8_t levels[PATCH_PIXELS];
        patch_draw(&r, 1, 1, patch);
        assert_true(patch_take(&r, 1, 1) == patch);
        assert_true(patch_take(&r, 0, 1) == PATCH_WHITE);
        patch_unpack(levels, patch);
        assert_true(patch_pack(levels) == patch);
    }
    patch_draw(&r, 5, 0, 0); /* outside: nothing */
    raster_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spelling),
        cmocka_unit_test(test_pixels),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
