/* What can be shown of a text while it is written: however it comes in pieces, whole characters and
 * nothing of what ends it. */
#include "text/text_filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "cmocka_all.h"

enum { ROOM = 1 << 14 };

/* Adds bytes[length] in pieces of random sizes; shown <- all that came out. Each piece that comes
 * out is checked by itself. */
static void filter(struct text_filter *f, const char *bytes, size_t length, uint64_t seed,
                   char *shown) {
    struct random random;
    struct error error;
    size_t count = 0;
    random_seed(&random, seed, 0);
    for (size_t at = 0; at < length;) {
        size_t piece = seed == 0 ? length : 1 + random_below(&random, 5);
        piece = piece < length - at ? piece : length - at;
        assert_int_equal(text_filter_add(f, bytes + at, piece, &error), 0);
        assert_true(count + f->ready_bytes < ROOM);
        memcpy(shown + count, f->ready, f->ready_bytes);
        count += f->ready_bytes;
        assert_true(f->ready_bytes == 0 || ((unsigned char)f->ready[0] & 0xc0) != 0x80);
        at += piece;
    }
    assert_int_equal(text_filter_end(f, &error), 0);
    memcpy(shown + count, f->ready, f->ready_bytes);
    shown[count + f->ready_bytes] = '\0';
}

static void expect(const char *bytes, size_t length, const char *const *stops, size_t stop_count,
                   const char *expected, size_t shown_bytes, int is_stopped) {
    static char shown[ROOM];
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct text_filter f;
        text_filter_start(&f, stops, stop_count);
        filter(&f, bytes, length, seed, shown);
        assert_string_equal(shown, expected);
        assert_int_equal(f.shown, shown_bytes);
        assert_int_equal(f.is_stopped, is_stopped);
        text_filter_free(&f);
    }
}

static void test_stops(void **state) {
    (void)state;
    static const char *const ONE[] = {"\n\n"}, *const TWO[] = {"stop", "top it"},
                             *const EURO[] = {"\xe2\x82\xac"}, *const REPEATED[] = {"aab"};
#define EXPECT(text, stops, expected, is_stopped)                                                  \
    expect(text, sizeof text - 1, stops, sizeof stops / sizeof *stops, expected,                   \
           sizeof expected - 1, is_stopped)
    EXPECT("a\nb\n\nc", ONE, "a\nb", 1);
    EXPECT("a\nb\n", ONE, "a\nb\n", 0); /* held back, then shown: nothing followed */
    EXPECT("sto sto stop it", TWO, "sto sto ", 1);
    EXPECT("a top it", TWO, "a ", 1);
    EXPECT("aaab", REPEATED, "a", 1); /* what began one letter too early */
    EXPECT("aaaaab", REPEATED, "aaa", 1);
    EXPECT("costs 5 \xe2\x82\xac or so", EURO, "costs 5 ", 1);
    EXPECT("costs 5 \xe2\x82\xad or so", EURO, "costs 5 \xe2\x82\xad or so", 0);
}

/* Text that may yet become a stop string is not shown, and all that cannot is shown at once. */
static void test_holds_no_more_than_it_must(void **state) {
    (void)state;
    static const char *const STOPS[] = {"END"};
    struct text_filter f;
    struct error error;
    text_filter_start(&f, STOPS, 1);
    assert_int_equal(text_filter_add(&f, "abE", 3, &error), 0);
    assert_string_equal(f.ready, "ab");
    assert_int_equal(text_filter_add(&f, "N", 1, &error), 0);
    assert_string_equal(f.ready, "");
    assert_int_equal(text_filter_add(&f, "o", 1, &error), 0);
    assert_string_equal(f.ready, "ENo");
    assert_int_equal(text_filter_add(&f, "EN", 2, &error), 0);
    assert_int_equal(text_filter_add(&f, "Dxyz", 4, &error), 0);
    assert_string_equal(f.ready, "");
    assert_true(f.is_stopped);
    assert_int_equal(text_filter_add(&f, "more", 4, &error), 0);
    assert_string_equal(f.ready, "");
    assert_int_equal(text_filter_end(&f, &error), 0);
    assert_string_equal(f.ready, "");
    assert_int_equal(f.shown, 5);
    text_filter_free(&f);
}

/* The Unicode Standard's own examples of maximal subparts (section 3.9, tables 3-8 to 3-11), bytes
 * of value 0, and what is cut off at the end. */
static void test_characters(void **state) {
    (void)state;
#define R "\xef\xbf\xbd"
#define SHOWN(bytes, text) expect(bytes, sizeof bytes - 1, NULL, 0, text, sizeof bytes - 1, 0)
    SHOWN("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8d", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8d");
    SHOWN("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", R R R R R R R R "A");
    SHOWN("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", R R R R R R R R "A");
    SHOWN("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", R R R R R "A" R R "B");
    SHOWN("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", R R R R "A");
    SHOWN("a\0b", "a" R "b");
    SHOWN("cut \xf0\x9f\x8c", "cut " R);
    SHOWN("cut \xc3", "cut " R);
}

/* Against the same text taken whole, for random bytes that are often UTF-8. */
static void test_pieces_do_not_matter(void **state) {
    (void)state;
    static const char *const PARTS[] = {
        "a",    "b",    "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8c\x8d",
        "\xe2", "\x82", "\xff",     "ab",           "ba"};
    static const char *const STOPS[] = {"abba",
                                        "\xc3\xa9"
                                        "b",
                                        "\xe2\x82\xac\xe2\x82\xac"};
    static char whole[ROOM], pieces[ROOM];
    struct random random;
    random_seed(&random, 7, 0);
    for (uint64_t round = 1; round <= 300; round++) {
        char bytes[256];
        size_t length = 0;
        while (length < 200) {
            const char *part = PARTS[random_below(&random, sizeof PARTS / sizeof *PARTS)];
            memcpy(bytes + length, part, strlen(part));
            length += strlen(part);
        }
        struct text_filter a, b;
        text_filter_start(&a, STOPS, round % 4);
        text_filter_start(&b, STOPS, round % 4);
        filter(&a, bytes, length, 0, whole);
        filter(&b, bytes, length, round, pieces);
        /* Of two stop strings that overlap the one that is complete first counts. */
        if (round % 4 < 2) {
            assert_string_equal(whole, pieces);
            assert_int_equal(a.shown, b.shown);
        }
        for (size_t s = 0; s < round % 4; s++)
            assert_null(strstr(pieces, STOPS[s]));
        text_filter_free(&a);
        text_filter_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_holds_no_more_than_it_must),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_pieces_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
