/* Which tokens a picture may go on with: rows equally long, an end at the start of a row alone,
 * sizes that were asked for. */
#include "cmocka_all.h"

#include <string.h>

#include "base/random.h"
#include "dream/drawing.h"
#include "text/tokenizer_train.h"

static struct tokenizer *tokenizer;
static struct picture_tokens pictures;
static uint8_t banned[400];
static size_t vocabulary;

static int start(void **state) {
    (void)state;
    struct tokenizer *plain;
    struct tokenizer_trainer *trainer;
    struct code_book book;
    struct error error;
    const uint64_t patches[] = {0, 0x00ff00ff00ff00ff, PATCH_WHITE};
    int result = tokenizer_trainer_create(&trainer, &error) ||
                 tokenizer_trainer_finish(trainer, 258, &plain, &error) ||
                 code_book_create(&book, patches, 3, &error) ||
                 picture_tokens_add(&tokenizer, plain, &book, &error) ||
                 picture_tokens_create(&pictures, tokenizer, &error);
    tokenizer_trainer_destroy(trainer);
    tokenizer_destroy(plain);
    code_book_free(&book);
    vocabulary = tokenizer_vocabulary_size(tokenizer);
    return result;
}

static int stop(void **state) {
    (void)state;
    picture_tokens_free(&pictures);
    tokenizer_destroy(tokenizer);
    return 0;
}

/* What may come next, a letter each: patches, the row's end, the picture's end. */
static const char *next(const struct drawing *d) {
    static char letters[4];
    size_t allowed = 0, count = 0;
    drawing_ban(d, tokenizer, banned, vocabulary);
    for (size_t v = 0; v < vocabulary; v++)
        allowed += banned[v] == 0;
    int patches = 0;
    for (size_t i = 0; i < 3; i++)
        patches += banned[pictures.patches[i]] == 0;
    assert_true(patches == 0 || patches == 3);
    if (patches)
        letters[count++] = 'p';
    if (!banned[pictures.row])
        letters[count++] = 'r';
    if (!banned[TOKEN_END_OF_TEXT])
        letters[count++] = 'e';
    letters[count] = '\0';
    assert_int_equal(allowed, count + (patches ? 2 : 0)); /* and nothing else */
    return letters;
}

static void take(struct drawing *d, const char *letters) {
    for (; *letters != '\0'; letters++)
        drawing_take(d, *letters == 'p' ? pictures.patches[1] : pictures.row);
}

static void test_free_size(void **state) {
    (void)state;
    struct drawing d;
    struct error error;
    assert_int_equal(drawing_start(&d, &pictures, 0, 0, &error), 0);
    assert_string_equal(next(&d), "p");
    take(&d, "p");
    assert_string_equal(next(&d), "pr");
    take(&d, "pr");
    assert_string_equal(next(&d), "pe");
    take(&d, "p");
    assert_string_equal(next(&d), "p"); /* the second row is as long as the first */
    take(&d, "p");
    assert_string_equal(next(&d), "r");
    assert_false(drawing_is_complete(&d));
    take(&d, "rpp");
    struct raster r;
    assert_int_equal(drawing_finish(&d, &r, &error), 0); /* as far as it came */
    assert_int_equal(r.width, 8);
    assert_int_equal(r.height, 12);
    raster_free(&r);
}

static void test_limits(void **state) {
    (void)state;
    struct drawing d;
    struct error error;
    assert_int_equal(drawing_start(&d, &pictures, 0, 0, &error), 0);
    take(&d, "pppppppppppppppp");
    assert_string_equal(next(&d), "r");
    take(&d, "r");
    for (int row = 1; row < PATCHES_A_SIDE; row++) {
        assert_false(drawing_is_complete(&d));
        take(&d, "ppppppppppppppppr");
    }
    assert_true(drawing_is_complete(&d));
    assert_int_equal(d.count, DRAWING_TOKENS);
    take(&d, "pr"); /* too much is passed over */
    assert_int_equal(d.count, DRAWING_TOKENS);
}

static void test_wanted_size(void **state) {
    (void)state;
    struct drawing d;
    struct error error;
    assert_int_equal(drawing_start(&d, &pictures, 8, 8, &error), 0);
    take(&d, "p");
    assert_string_equal(next(&d), "p");
    take(&d, "p");
    assert_string_equal(next(&d), "r");
    take(&d, "r");
    assert_string_equal(next(&d), "p"); /* no end before the second row */
    take(&d, "ppr");
    assert_true(drawing_is_complete(&d));
    assert_int_equal(drawing_start(&d, &pictures, 0, 4, &error), 0);
    take(&d, "p");
    assert_string_equal(next(&d), "pr");
    take(&d, "r");
    assert_true(drawing_is_complete(&d));
    assert_int_equal(drawing_start(&d, &pictures, 6, 0, &error), -1);
    assert_int_equal(drawing_start(&d, &pictures, 0, 68, &error), -1);
    assert_int_equal(drawing_start(&d, &pictures, 64, 64, &error), 0);
}

/* By chance among what may come: always a picture with rows alike. */
static void test_random_drawings(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 4, 0);
    for (int round = 0; round < 300; round++) {
        struct drawing d;
        struct raster r;
        struct error error;
        assert_int_equal(drawing_start(&d, &pictures, 4 * random_below(&random, 17),
                                       4 * random_below(&random, 17), &error),
                         0);
        size_t columns = d.columns, rows = d.rows;
        while (!drawing_is_complete(&d)) {
            const char *letters = next(&d);
            char letter = letters[random_below(&random, strlen(letters))];
            if (letter == 'e')
                break;
            take(&d, letter == 'p' ? "p" : "r");
        }
        assert_int_equal(d.column, 0);
        assert_int_equal(d.count, d.row * (d.columns + 1));
        assert_int_equal(drawing_finish(&d, &r, &error), 0);
        assert_int_equal(r.height, 4 * d.row);
        assert_true(columns == 0 || r.width == 4 * columns);
        assert_true(rows == 0 || r.height == 4 * rows);
        raster_free(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_free_size),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_wanted_size),
        cmocka_unit_test(test_random_drawings),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
