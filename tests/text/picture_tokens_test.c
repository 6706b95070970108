/* Pictures as tokens: a vocabulary is its own code book, pictures come back, ragged and hostile
 * rows are decoded safely, and text never becomes a patch. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "picture/patches.h"
#include "text/picture_tokens.h"
#include "text/tokenizer_train.h"

enum { BOOK = 40 };

static struct tokenizer *plain, *whole;
static struct picture_tokens pictures;
static uint64_t patches[BOOK];

static int start(void **state) {
    (void)state;
    struct tokenizer_trainer *trainer;
    struct code_book book;
    struct random random;
    struct error error;
    random_seed(&random, 11, 0);
    for (size_t i = 0; i < BOOK; i++)
        patches[i] = random_bits(&random);
    patches[BOOK - 1] = PATCH_WHITE;
    int result = tokenizer_trainer_create(&trainer, &error) ||
                 tokenizer_trainer_add(trainer, "a cat, a cat, a cat", 19, &error) ||
                 tokenizer_trainer_finish(trainer, 262, &plain, &error) ||
                 code_book_create(&book, patches, BOOK, &error);
    tokenizer_trainer_destroy(trainer);
    result = result || picture_tokens_add(&whole, plain, &book, &error) ||
             picture_tokens_create(&pictures, whole, &error);
    code_book_free(&book);
    return result;
}

static int stop(void **state) {
    (void)state;
    picture_tokens_free(&pictures);
    tokenizer_destroy(plain);
    tokenizer_destroy(whole);
    return 0;
}

static void test_vocabulary(void **state) {
    (void)state;
    struct picture_tokens none;
    struct error error;
    size_t text = tokenizer_vocabulary_size(plain);
    assert_int_equal(tokenizer_vocabulary_size(whole), text + 2 + BOOK);
    assert_int_equal(tokenizer_merge_count(whole), tokenizer_merge_count(plain));
    assert_int_equal(tokenizer_end_of_text(whole), tokenizer_end_of_text(plain));
    assert_int_equal(pictures.image, text);
    assert_int_equal(pictures.book.count, BOOK);
    for (size_t i = 0; i < BOOK; i++)
        assert_true(pictures.book.patches[i] == patches[i] &&
                    picture_tokens_patch(&pictures, pictures.patches[i]) == (long)i);
    assert_int_equal(picture_tokens_patch(&pictures, pictures.row), -1);
    assert_int_equal(picture_tokens_patch(&pictures, UINT32_MAX), -1);
    assert_int_equal(picture_tokens_create(&none, plain, &error), -1);
    assert_non_null(strstr(error.message, "no pictures"));
    assert_null(none.patches);
}

/* The same tokens for text as before, whatever it spells. */
static void test_text_is_text(void **state) {
    (void)state;
    static const char TEXT[] = "a cat <|image|><|patch ffffffffffffffff|><|row|>";
    struct token_list lists[2] = {0};
    struct tokenizer_cache *cache;
    struct error error;
    assert_int_equal(tokenizer_cache_create(&cache, &error), 0);
    assert_int_equal(tokenizer_encode(plain, cache, TEXT, sizeof TEXT - 1, &lists[0], &error), 0);
    assert_int_equal(tokenizer_encode(whole, cache, TEXT, sizeof TEXT - 1, &lists[1], &error), 0);
    assert_int_equal(lists[0].count, lists[1].count);
    assert_memory_equal(lists[0].ids, lists[1].ids, lists[0].count * sizeof(uint32_t));
    for (int i = 0; i < 2; i++)
        free(lists[i].ids);
    tokenizer_cache_destroy(cache);
}

static void test_round_trip(void **state) {
    (void)state;
    struct raster r, back;
    struct token_list list = {0};
    struct error error;
    assert_int_equal(raster_create(&r, 18, 9, &error), 0); /* not whole patches */
    for (size_t i = 0; i < 2 * 4; i++)
        patch_draw(&r, i % 4, i / 4, patches[i]);
    assert_int_equal(picture_tokens_encode(&pictures, &r, &list, &error), 0);
    assert_int_equal(list.count, 1 + 3 * (5 + 1));
    assert_int_equal(list.ids[0], pictures.image);
    for (size_t row = 0; row < 3; row++)
        assert_int_equal(list.ids[6 * row + 6], pictures.row);
    assert_int_equal(picture_tokens_decode(&pictures, list.ids, list.count, &back, &error), 0);
    assert_int_equal(back.width, 20);
    assert_int_equal(back.height, 12);
    for (size_t y = 0; y < 12; y++)
        for (size_t x = 0; x < 20; x++)
            assert_int_equal(back.pixels[y * 20 + x],
                             y < 8 && x < 16 ? r.pixels[y * 18 + x] : RASTER_LEVEL_WHITE);
    raster_free(&r);
    raster_free(&back);
    free(list.ids);
}

static void decode_fails(const uint32_t *ids, size_t count) {
    struct raster r;
    struct error error;
    assert_int_equal(picture_tokens_decode(&pictures, ids, count, &r, &error), -1);
    assert_null(r.pixels);
}

static void test_ragged_rows(void **state) {
    (void)state;
    struct raster r;
    struct error error;
    uint32_t p = pictures.patches[0], row = pictures.row, w = pictures.patches[BOOK - 1];
    /* Two patches, none, one, three and no end of the row; a text token ends the picture. */
    const uint32_t ids[] = {p, p, row, row, p, row, p, p, p, 5, p, p, p, p};
    assert_int_equal(picture_tokens_decode(&pictures, ids, 14, &r, &error), 0);
    assert_int_equal(r.width, 12);
    assert_int_equal(r.height, 12);
    static const int IS_DRAWN[3][3] = {{1, 1, 0}, {1, 0, 0}, {1, 1, 1}};
    for (size_t i = 0; i < 9; i++)
        assert_true(patch_take(&r, i % 3, i / 3) ==
                    (IS_DRAWN[i / 3][i % 3] ? patches[0] : PATCH_WHITE));
    raster_free(&r);
    decode_fails(NULL, 0);
    decode_fails((uint32_t[]){pictures.image}, 1);
    decode_fails((uint32_t[]){row, row, row}, 3);
    decode_fails((uint32_t[]){5, w}, 2);
    decode_fails((uint32_t[]){UINT32_MAX, w}, 2);
}

static void test_too_large(void **state) {
    (void)state;
    uint32_t ids[4 * PATCHES_A_SIDE];
    struct raster r;
    struct token_list list = {0};
    struct error error;
    for (size_t i = 0; i < 4 * PATCHES_A_SIDE; i++)
        ids[i] = pictures.patches[i % BOOK];
    decode_fails(ids, PATCHES_A_SIDE + 1);
    assert_int_equal(picture_tokens_decode(&pictures, ids, PATCHES_A_SIDE, &r, &error), 0);
    raster_free(&r);
    for (size_t i = 1; i < 4 * PATCHES_A_SIDE; i += 2)
        ids[i] = pictures.row;
    decode_fails(ids, 4 * PATCHES_A_SIDE);
    assert_int_equal(picture_tokens_decode(&pictures, ids, 2 * PATCHES_A_SIDE, &r, &error), 0);
    assert_int_equal(r.height, RASTER_READ_LIMIT);
    raster_free(&r);
    assert_int_equal(raster_create(&r, 4, RASTER_READ_LIMIT + 1, &error), 0);
    assert_int_equal(picture_tokens_encode(&pictures, &r, &list, &error), -1);
    raster_free(&r);
}

/* Whatever tokens come, a picture within the limits or an error. */
static void test_random_tokens(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 2, 0);
    for (int round = 0; round < 2000; round++) {
        uint32_t ids[300];
        struct raster r;
        struct error error;
        size_t count = random_below(&random, 300);
        for (size_t i = 0; i < count; i++)
            ids[i] = random_below(&random, 8) == 0 ? pictures.row
                                                   : pictures.patches[random_below(&random, BOOK)];
        if (picture_tokens_decode(&pictures, ids, count, &r, &error) == 0)
            assert_true(r.width <= RASTER_READ_LIMIT && r.height <= RASTER_READ_LIMIT);
        raster_free(&r);
    }
}

static void test_lack_of_memory(void **state) {
    (void)state;
    size_t in_use = memory_bytes_in_use();
    struct picture_tokens made;
    struct tokenizer *added;
    struct error error;
    int results[2] = {-1, -1};
    for (size_t n = 1; results[0] != 0 || results[1] != 0; n++) {
        memory_fail_after(n);
        results[0] = picture_tokens_create(&made, whole, &error);
        memory_fail_after(n);
        results[1] = picture_tokens_add(&added, plain, &pictures.book, &error);
        memory_fail_after(0);
        picture_tokens_free(&made);
        tokenizer_destroy(added);
        assert_int_equal(memory_bytes_in_use(), in_use);
        assert_true(n < 30);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vocabulary),     cmocka_unit_test(test_text_is_text),
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_ragged_rows),
        cmocka_unit_test(test_too_large),      cmocka_unit_test(test_random_tokens),
        cmocka_unit_test(test_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
