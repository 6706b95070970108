/* Variants of names by rule, and bylines as tokens. */
#include "text/names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "text/byline.h"
#include "text/tokenizer_train.h"

static const struct name_titles TITLES = {{"President"}, 1};

static void check(const char *label, enum name_rule rule, const char *wanted) {
    struct name_facts facts = {&TITLES, 1863.4};
    struct random random;
    char out[NAME_BYTES];
    random_seed(&random, 1, 1);
    int is_made = name_variant(out, label, rule, &facts, &random);
    assert_int_equal(is_made, wanted != NULL);
    if (wanted != NULL)
        assert_string_equal(out, wanted);
}

static void test_rules(void **state) {
    (void)state;
    check("Abraham Lincoln", NAME_FULL, "Abraham Lincoln");
    check("Abraham Lincoln", NAME_INITIAL, "A. Lincoln");
    check("Abraham Lincoln", NAME_LAST, "Lincoln");
    check("Abraham Lincoln", NAME_REVERSED, "Lincoln, Abraham");
    check("Abraham Lincoln", NAME_UPPER, "ABRAHAM LINCOLN");
    check("Abraham Lincoln", NAME_LOWER, "abraham lincoln");
    check("Abraham Lincoln", NAME_YEAR, "Abraham Lincoln, 1863");
    check("Abraham Lincoln", NAME_TITLED, "President Lincoln");
    check("Abraham Lincoln", NAME_TITLED_FULL, "President Abraham Lincoln");
    check("Abraham Lincoln", NAME_MIDDLE, NULL);
    check("Franklin Delano Roosevelt", NAME_MIDDLE, "Franklin D. Roosevelt");
    check("Franklin D Roosevelt", NAME_MIDDLE, "Franklin D. Roosevelt");
    check("Franklin D. Roosevelt", NAME_MIDDLE, NULL);
    check("Franklin D. Roosevelt", NAME_SHORT, "Franklin Roosevelt");
    check("Abraham Lincoln", NAME_SHORT, NULL);
    check("Franklin D. Roosevelt", NAME_REVERSED_INITIAL, "Roosevelt, F. D.");
    check("Franklin D. Roosevelt", NAME_INITIAL, "F. D. Roosevelt");
    check("Franklin D. Roosevelt", NAME_BARE_INITIAL, "F Roosevelt");
    check("Abraham Lincoln", NAME_UPPER_REVERSED, "LINCOLN, ABRAHAM");
    check("Abraham Lincoln", NAME_LOWER_LAST, "lincoln");
}

static void test_other_labels(void **state) {
    (void)state;
    check("Austen, Jane, 1775-1817", NAME_INITIAL, "J. Austen");
    check("Austen, Jane", NAME_TITLED_FULL, "President Jane Austen");
    check("Homer", NAME_INITIAL, NULL);
    check("Homer", NAME_LAST, NULL);
    check("Homer", NAME_YEAR, "Homer, 1863");
    check("\xc3\x89mile Zola", NAME_INITIAL, "\xc3\x89. Zola");
    check("\xc3\x89mile Zola", NAME_UPPER, "\xc3\x89MILE ZOLA");
    check("", NAME_FULL, NULL);
    check("  ", NAME_LAST, NULL);
    check(", ", NAME_REVERSED, NULL);
    char longest[NAME_BYTES];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    check(longest, NAME_YEAR, NULL);
    check(longest, NAME_FULL, longest);
    /* No word of a label that is too long is taken for a name, whole or cut. */
    char beyond[2 * NAME_BYTES];
    snprintf(beyond, sizeof beyond, "%.90s %.90s", longest, longest);
    check(beyond, NAME_LAST, NULL);
    check(beyond, NAME_FULL, NULL);
    check("A B C D E F G H I J K L M N Last", NAME_LAST, "Last");
    check("Last, A B C D E F G H I J K L M N", NAME_REVERSED_INITIAL,
          "Last, A. B. C. D. E. F. G. H. I. J. K. L. M. N.");
}

static void test_misspellings(void **state) {
    (void)state;
    struct name_facts facts = {&TITLES, NAN};
    size_t different = 0;
    char before[NAME_BYTES] = "";
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct random random, again;
        char out[NAME_BYTES], same[NAME_BYTES];
        random_seed(&random, 7, seed);
        random_seed(&again, 7, seed);
        assert_int_equal(name_variant(out, "Abraham Lincoln", NAME_MISSPELT, &facts, &random), 1);
        name_variant(same, "Abraham Lincoln", NAME_MISSPELT, &facts, &again);
        assert_string_equal(out, same);
        size_t one = name_distance(out, "Abraham Lincoln"),
               other = name_distance(out, "Lincoln, Abraham");
        size_t least = one < other ? one : other;
        assert_in_range(least, 1, 2); /* a swap is two */
        different += strcmp(out, before) != 0;
        strcpy(before, out);
        name_stranger(out, "Abraham Lincoln", &random);
        assert_int_equal(strlen(out), strlen("Abraham Lincoln"));
        assert_true(name_distance(out, "Abraham Lincoln") > 3);
    }
    assert_true(different > 300);
}

static void test_distance(void **state) {
    (void)state;
    assert_int_equal(name_distance("", ""), 0);
    assert_int_equal(name_distance("", "abc"), 3);
    assert_int_equal(name_distance("kitten", "SITTING"), 3);
    assert_int_equal(name_distance("Lincoln", "lincoln"), 0);
}

static void test_byline(void **state) {
    (void)state;
    struct error error;
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer;
    struct tokenizer_cache *cache;
    struct token_list list = {0};
    size_t first;
    assert_int_equal(tokenizer_trainer_create(&trainer, &error), 0);
    assert_int_equal(tokenizer_trainer_add(trainer, "to be or not to be", 18, &error), 0);
    assert_int_equal(tokenizer_trainer_finish(trainer, 260, &tokenizer, &error), 0);
    assert_int_equal(tokenizer_cache_create(&cache, &error), 0);
    assert_int_equal(byline_document(tokenizer, cache, "x y", &list, &first, &error), 0);
    const uint32_t wanted[] = {TOKEN_END_OF_TEXT, TOKEN_BY, 2 + ' ', 2 + 'x',
                               2 + ' ',           2 + 'y',  2 + '\n'};
    assert_int_equal(list.count, 7);
    assert_int_equal(first, 2);
    assert_memory_equal(list.ids, wanted, sizeof wanted);
    assert_int_equal(byline_document(tokenizer, cache, "x\ny", &list, NULL, &error), -1);
    assert_int_equal(byline_document(tokenizer, cache, "", &list, NULL, &error), -1);
    free(list.ids);
    tokenizer_cache_destroy(cache);
    tokenizer_destroy(tokenizer);
    tokenizer_trainer_destroy(trainer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),        cmocka_unit_test(test_other_labels),
        cmocka_unit_test(test_misspellings), cmocka_unit_test(test_distance),
        cmocka_unit_test(test_byline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
