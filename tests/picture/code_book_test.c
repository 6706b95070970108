/* Code books: planted patches are found again, few patches are kept as they are, the number of
 * threads changes nothing, and the nearest patch is that of a plain search. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include <omp.h>

#include "base/memory.h"
#include "base/random.h"
#include "picture/code_book.h"
#include "picture/patches.h"

enum { PLANTED = 12 };

/* Patches far apart: bars and corners. */
static uint64_t planted(size_t i) {
    static const uint64_t SHAPES[PLANTED] = {
        0x0000ffffffffffff, 0xffff0000ffffffff, 0xffffffff0000ffff, 0xffffffffffff0000,
        0x0fff0fff0fff0fff, 0xf0fff0fff0fff0ff, 0xff0fff0fff0fff0f, 0xfff0fff0fff0fff0,
        0x0000000000000000, 0xffffffffffffffff, 0x00ff00ff00ff00ff, 0x0000000fffffffff};
    return SHAPES[i];
}

/* One pixel of a planted patch moved by one grey. */
static uint64_t disturbed(uint64_t patch, struct random *random) {
    uint8_t levels[PATCH_PIXELS];
    patch_unpack(levels, patch);
    uint8_t *pixel = &levels[random_below(random, PATCH_PIXELS)];
    *pixel = (uint8_t)(*pixel == PATCH_WHITEST ? PATCH_WHITEST - 1 : *pixel + 1);
    return patch_pack(levels);
}

static void count_planted(struct patch_counts *counts, size_t disturbances) {
    struct random random;
    struct error error;
    random_seed(&random, 7, 0);
    for (size_t i = 0; i < PLANTED; i++) {
        for (int j = 0; j < 50; j++)
            assert_int_equal(patch_counts_add(counts, planted(i), &error), 0);
        for (size_t j = 0; j < disturbances; j++)
            assert_int_equal(patch_counts_add(counts, disturbed(planted(i), &random), &error), 0);
    }
}

static void test_few_are_kept(void **state) {
    (void)state;
    struct patch_counts counts = {0};
    struct code_book book;
    struct error error;
    count_planted(&counts, 0);
    assert_int_equal(counts.count, PLANTED);
    assert_int_equal(code_book_learn(&book, &counts, 512, &error), 0);
    assert_int_equal(book.count, PLANTED);
    for (size_t i = 0; i < PLANTED; i++) {
        assert_true(book.patches[code_book_nearest(&book, planted(i))] == planted(i));
        assert_true(i == 0 || book.patches[i] > book.patches[i - 1]);
    }
    code_book_free(&book);
    patch_counts_free(&counts);
}

static void test_planted_are_found(void **state) {
    (void)state;
    struct patch_counts counts = {0};
    struct code_book book;
    struct error error;
    count_planted(&counts, 30);
    assert_true(counts.count > 5 * PLANTED);
    assert_int_equal(code_book_learn(&book, &counts, 2 * PLANTED, &error), 0);
    for (size_t i = 0; i < PLANTED; i++)
        assert_true(book.patches[code_book_nearest(&book, planted(i))] == planted(i));
    code_book_free(&book);
    patch_counts_free(&counts);
}

/* Also of pictures without any: margins are. */
static void test_white_is_there(void **state) {
    (void)state;
    struct patch_counts counts = {0};
    struct code_book book;
    struct error error;
    for (uint64_t i = 0; i < 40; i++)
        assert_int_equal(patch_counts_add(&counts, i, &error), 0);
    for (size_t count = 2; count <= 64; count += 31) {
        assert_int_equal(code_book_learn(&book, &counts, count, &error), 0);
        assert_true(book.patches[code_book_nearest(&book, PATCH_WHITE)] == PATCH_WHITE);
        assert_true(book.count >= 2 && book.count <= count);
        code_book_free(&book);
    }
    assert_int_equal(code_book_learn(&book, &counts, 1, &error), -1);
    assert_int_equal(code_book_learn(&book, &counts, CODE_BOOK_MOST + 1, &error), -1);
    patch_counts_free(&counts);
}

static void random_counts(struct patch_counts *counts, size_t count) {
    struct random random;
    struct error error;
    random_seed(&random, 3, 0);
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = random_bits(&random);
        bits |= random_bits(&random); /* lighter ones are more frequent */
        assert_int_equal(patch_counts_add(counts, bits, &error), 0);
    }
}

static void test_threads_change_nothing(void **state) {
    (void)state;
    struct patch_counts counts = {0};
    struct code_book books[2];
    struct error error;
    random_counts(&counts, 3000);
    int threads = omp_get_max_threads();
    for (int i = 0; i < 2; i++) {
        omp_set_num_threads(1 + 2 * i);
        assert_int_equal(code_book_learn(&books[i], &counts, 100, &error), 0);
    }
    omp_set_num_threads(threads);
    assert_int_equal(books[0].count, books[1].count);
    assert_memory_equal(books[0].patches, books[1].patches,
                        books[0].count * sizeof *books[0].patches);
    code_book_free(&books[0]);
    code_book_free(&books[1]);
    patch_counts_free(&counts);
}

static size_t plain_nearest(const struct code_book *book, uint64_t patch) {
    size_t best = 0;
    int least = 1 << 30;
    for (size_t c = 0; c < book->count; c++) {
        int squares = 0;
        for (int i = 0; i < PATCH_PIXELS; i++) {
            int apart = (int)(book->patches[c] >> 4 * i & 15) - (int)(patch >> 4 * i & 15);
            squares += apart * apart;
        }
        best = squares < least ? c : best;
        least = squares < least ? squares : least;
    }
    return best;
}

static void test_nearest(void **state) {
    (void)state;
    uint64_t patches[777];
    struct code_book book;
    struct random random;
    struct error error;
    random_seed(&random, 5, 0);
    for (size_t i = 0; i < 777; i++)
        patches[i] = random_bits(&random);
    patches[500] = patches[3]; /* the first of two alike */
    patches[0] = 0;
    assert_int_equal(code_book_create(&book, patches, 777, &error), 0);
    assert_int_equal(code_book_nearest(&book, patches[500]), 3);
    assert_int_equal(code_book_nearest(&book, PATCH_WHITE), plain_nearest(&book, PATCH_WHITE));
    for (int i = 0; i < 500; i++) {
        uint64_t patch = random_bits(&random);
        assert_int_equal(code_book_nearest(&book, patch), plain_nearest(&book, patch));
    }
    code_book_free(&book);
}

/* A million distinct ones fit; more make the rarest go, not the frequent. */
static void test_rare_are_forgotten(void **state) {
    (void)state;
    struct patch_counts counts = {0};
    struct error error;
    for (uint64_t i = 0; i < (1 << 20) + 1000; i++) {
        assert_int_equal(patch_counts_add(&counts, i, &error), 0);
        assert_int_equal(patch_counts_add(&counts, PATCH_WHITE, &error), 0);
    }
    assert_true(counts.count < 2000);
    size_t white = 0;
    for (size_t i = 0; i < counts.size; i++)
        if (counts.entries[i][0] == PATCH_WHITE)
            white = counts.entries[i][1];
    assert_int_equal(white, (1 << 20) + 1000);
    patch_counts_free(&counts);
}

static void test_lack_of_memory(void **state) {
    (void)state;
    struct patch_counts counts = {0};
    struct code_book book = {0};
    struct error error;
    random_counts(&counts, 300);
    size_t in_use = memory_bytes_in_use();
    int result = -1;
    for (size_t n = 1; result != 0; n++) {
        memory_fail_after(n);
        result = code_book_learn(&book, &counts, 20, &error);
        memory_fail_after(0);
        if (result != 0)
            assert_int_equal(memory_bytes_in_use(), in_use);
        assert_true(n < 20);
    }
    code_book_free(&book);
    assert_int_equal(memory_bytes_in_use(), in_use);
    patch_counts_free(&counts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_are_kept),   cmocka_unit_test(test_planted_are_found),
        cmocka_unit_test(test_white_is_there), cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_nearest),        cmocka_unit_test(test_rare_are_forgotten),
        cmocka_unit_test(test_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
