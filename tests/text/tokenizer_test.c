/* The tokenizer against plain versions of itself: no cache, no tables, no fast path. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/random.h"
#include "text/pieces.h"
#include "text/tokenizer.h"
#include "text/tokenizer_train.h"

enum { TEXT_BYTES = 6000, VOCABULARY = 500 };

static const char *const WORDS[] = {
    "the ",        "union",
    " of",         " States",
    "\n\n",        "  ",
    "'ll",         "don't",
    " 1863",       "42x",
    "caf\xc3\xa9", " \xe4\xb8\xad\xe6\x96\x87",
    "\t",          "\xf0\x9f\x98\x80",
    "...",         " --",
    "\r\n",        "a",
    "\xc2\xa0",    "e\xcc\x81",
    "\xff",        "'S",
    " '",          "Constitution",
    ",",           "\xe2\x80\x83",
};

/* Words mixed with runs of one character and raw bytes. */
static size_t mixed_text(char *text, struct random *random) {
    size_t at = 0;
    while (at < TEXT_BYTES - 700) {
        uint64_t choice = random_below(random, 40);
        if (choice == 0) {
            size_t run = random_below(random, 600);
            memset(text + at, " aZ9.\n"[random_below(random, 6)], run);
            at += run;
        } else if (choice == 1) {
            text[at++] = (char)random_bits(random);
        } else {
            const char *word = WORDS[random_below(random, sizeof WORDS / sizeof *WORDS)];
            memcpy(text + at, word, strlen(word));
            at += strlen(word);
        }
    }
    return at;
}

static struct tokenizer *learn(uint64_t seed) {
    struct error error;
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer;
    struct random random;
    char text[TEXT_BYTES];
    random_seed(&random, seed, 0);
    assert_int_equal(tokenizer_trainer_create(&trainer, &error), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(tokenizer_trainer_add(trainer, text, mixed_text(text, &random), &error),
                         0);
    assert_int_equal(tokenizer_trainer_finish(trainer, VOCABULARY, &tokenizer, &error), 0);
    tokenizer_trainer_destroy(trainer);
    return tokenizer;
}

static int start(void **state) {
    *state = learn(1);
    return 0;
}

static int stop(void **state) {
    tokenizer_destroy(*state);
    return 0;
}

/* Copies the bytes behind the tokens; returns their number. */
static size_t decode(const struct tokenizer *t, const struct token_list *list, char *out) {
    size_t bytes = 0;
    for (size_t i = 0; i < list->count; i++) {
        assert_false(tokenizer_is_special(t, list->ids[i]));
        struct token_bytes token = tokenizer_token(t, list->ids[i]);
        memcpy(out + bytes, token.data, token.length);
        bytes += token.length;
    }
    return bytes;
}

static void test_round_trip_of_any_bytes(void **state) {
    struct error error;
    struct random random;
    struct tokenizer_cache *cache;
    struct token_list list = {0};
    char text[4096], back[4096];
    assert_int_equal(tokenizer_cache_create(&cache, &error), 0);
    for (uint64_t seed = 0; seed < 200; seed++) {
        random_seed(&random, seed, 1);
        size_t bytes = random_below(&random, sizeof text);
        for (size_t i = 0; i < bytes; i++)
            text[i] = (char)random_bits(&random);
        list.count = 0;
        assert_int_equal(tokenizer_encode(*state, cache, text, bytes, &list, &error), 0);
        assert_int_equal(decode(*state, &list, back), bytes);
        assert_memory_equal(text, back, bytes);
    }
    free(list.ids);
    tokenizer_cache_destroy(cache);
}

static uint32_t naive_find(const struct tokenizer *t, const char *data, size_t length) {
    for (uint32_t id = 0; id < tokenizer_vocabulary_size(t); id++) {
        struct token_bytes token = tokenizer_token(t, id);
        if (!tokenizer_is_special(t, id) && token.length == length &&
            memcmp(token.data, data, length) == 0)
            return id;
    }
    return UINT32_MAX;
}

/* The definition: the first place at which the merge of lowest rank applies, until none does. */
static size_t naive_encode(const struct tokenizer *t, const char *piece, size_t length,
                           uint32_t *ids) {
    size_t count = length;
    for (size_t i = 0; i < length; i++)
        ids[i] = naive_find(t, piece + i, 1);
    for (;;) {
        size_t rank = 0, at = 0;
        int is_found = 0;
        for (; rank < tokenizer_merge_count(t) && !is_found; rank++)
            for (at = 0; at + 1 < count && !is_found; at++)
                is_found = ids[at] == tokenizer_merge(t, rank)[0] &&
                           ids[at + 1] == tokenizer_merge(t, rank)[1];
        if (!is_found)
            return count;
        at--;
        struct token_bytes left = tokenizer_token(t, ids[at]),
                           right = tokenizer_token(t, ids[at + 1]);
        char joined[256];
        memcpy(joined, left.data, left.length);
        memcpy(joined + left.length, right.data, right.length);
        ids[at] = naive_find(t, joined, left.length + right.length);
        for (size_t i = at + 1; i + 1 < count; i++)
            ids[i] = ids[i + 1];
        count--;
    }
}

static void test_encode_equals_naive(void **state) {
    struct error error;
    struct random random;
    struct tokenizer_cache *cache;
    struct piece_cutter *cutter;
    struct token_list list = {0};
    char text[TEXT_BYTES];
    uint32_t ids[TEXT_BYTES];
    assert_int_equal(tokenizer_cache_create(&cache, &error), 0);
    assert_int_equal(piece_cutter_create(&cutter, PIECES_GPT2, &error), 0);
    random_seed(&random, 2, 2);
    size_t bytes = mixed_text(text, &random), place = 0;
    bytes = bytes < 3000 ? bytes : 3000;
    assert_int_equal(tokenizer_encode(*state, cache, text, bytes, &list, &error), 0);
    for (size_t at = 0; at < bytes;) {
        size_t length = piece_length(cutter, text, bytes, at);
        if (length < 100) { /* the oracle is slow */
            size_t count = naive_encode(*state, text + at, length, ids);
            assert_true(place + count <= list.count);
            assert_memory_equal(list.ids + place, ids, count * sizeof *ids);
        }
        for (size_t left = length; left > 0; place++)
            left -= tokenizer_token(*state, list.ids[place]).length;
        at += length;
    }
    assert_int_equal(place, list.count);
    free(list.ids);
    tokenizer_cache_destroy(cache);
    piece_cutter_destroy(cutter);
}

/* A cache that served another tokenizer, or is full of other pieces, changes nothing. */
static void test_cache_changes_nothing(void **state) {
    struct error error;
    struct random random;
    struct tokenizer_cache *used, *fresh;
    struct token_list a = {0}, b = {0};
    char text[TEXT_BYTES];
    struct tokenizer *other = learn(7);
    assert_int_equal(tokenizer_cache_create(&used, &error), 0);
    for (uint64_t seed = 0; seed < 20; seed++) {
        random_seed(&random, seed, 3);
        size_t bytes = mixed_text(text, &random);
        a.count = b.count = 0;
        assert_int_equal(tokenizer_encode(other, used, text, bytes / 2, &a, &error), 0);
        a.count = 0;
        assert_int_equal(tokenizer_cache_create(&fresh, &error), 0);
        assert_int_equal(tokenizer_encode(*state, used, text, bytes, &a, &error), 0);
        assert_int_equal(tokenizer_encode(*state, fresh, text, bytes, &b, &error), 0);
        tokenizer_cache_destroy(fresh);
        assert_int_equal(a.count, b.count);
        assert_memory_equal(a.ids, b.ids, a.count * sizeof *a.ids);
    }
    free(a.ids);
    free(b.ids);
    tokenizer_cache_destroy(used);
    tokenizer_destroy(other);
}

static void test_printable_alphabet(void **state) {
    (void)state;
    char all[256], spelt[2 * 256 + 1], back[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    size_t length = tokenizer_printable(spelt, all, sizeof all);
    assert_int_equal(strlen(spelt), length);
    assert_int_equal(tokenizer_from_printable(back, spelt, length), 256);
    assert_memory_equal(all, back, sizeof all);
    /* As GPT-2's vocabulary spells " the" and a newline. */
    length = tokenizer_printable(spelt, " the\n", 5);
    assert_string_equal(spelt, "\xc4\xa0the\xc4\x8a");
    assert_int_equal(length, 7);
    static const char *const WRONG[] = {" ", "\xc4", "\xc4 ", "\xe4\xb8\xad", "\x80", "\xc5\xbf"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        assert_int_equal(tokenizer_from_printable(back, WRONG[i], strlen(WRONG[i])), -1);
}

/* GPT-2's pattern, without the shortcut for plain words. */
static void test_pieces_equal_pattern(void **state) {
    (void)state;
    static const char PATTERN[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+|"
                                  " ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    int code;
    PCRE2_SIZE offset;
    pcre2_code *pattern =
        pcre2_compile((PCRE2_SPTR)PATTERN, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &code, &offset, NULL);
    assert_non_null(pattern);
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(pattern, NULL);
    struct error error;
    struct random random;
    struct piece_cutter *cutter;
    char text[TEXT_BYTES];
    assert_int_equal(piece_cutter_create(&cutter, PIECES_GPT2, &error), 0);
    for (uint64_t seed = 0; seed < 60; seed++) {
        random_seed(&random, seed, 4);
        size_t bytes = mixed_text(text, &random);
        for (size_t at = 0; at < bytes;) {
            int found = pcre2_match(pattern, (PCRE2_SPTR)text + at, bytes - at, 0, PCRE2_ANCHORED,
                                    match, NULL);
            const PCRE2_SIZE *place = pcre2_get_ovector_pointer(match);
            size_t expected = found < 0 || place[0] > 0 ? 1 : place[1];
            size_t length = piece_length(cutter, text, bytes, at);
            assert_int_equal(length, expected);
            assert_in_range(length, 1, bytes - at);
            at += length;
        }
    }
    piece_cutter_destroy(cutter);
    pcre2_match_data_free(match);
    pcre2_code_free(pattern);
}

/* Cutting it took the square of its length once. */
static void test_long_word_is_fast(void **state) {
    (void)state;
    enum { LONG = 8 << 20 };
    struct error error;
    struct piece_cutter *cutter;
    char *text = malloc(LONG);
    assert_non_null(text);
    memset(text, 'a', LONG);
    assert_int_equal(piece_cutter_create(&cutter, PIECES_GPT2, &error), 0);
    size_t at = 0;
    while (at < LONG)
        at += piece_length(cutter, text, LONG, at);
    assert_int_equal(at, LONG);
    piece_cutter_destroy(cutter);
    free(text);
}

static void test_learning_is_deterministic(void **state) {
    struct tokenizer *again = learn(1);
    size_t count = tokenizer_vocabulary_size(*state);
    assert_int_equal(tokenizer_vocabulary_size(again), count);
    assert_int_equal(count, VOCABULARY);
    for (uint32_t id = 0; id < count; id++) {
        struct token_bytes a = tokenizer_token(*state, id), b = tokenizer_token(again, id);
        assert_int_equal(a.length, b.length);
        assert_memory_equal(a.data, b.data, a.length);
    }
    for (size_t rank = 0; rank < tokenizer_merge_count(again); rank++)
        assert_memory_equal(tokenizer_merge(*state, rank), tokenizer_merge(again, rank),
                            2 * sizeof(uint32_t));
    tokenizer_destroy(again);
}

/* Counted by hand, of the pieces " ab" three times and " b" once: the pairs (space, a) and (a, b)
 * tie at three and the lower ids win; then (" a", b). */
static void test_known_merges(void **state) {
    (void)state;
    struct error error;
    struct tokenizer_trainer *trainer;
    struct tokenizer *t;
    assert_int_equal(tokenizer_trainer_create(&trainer, &error), 0);
    assert_int_equal(tokenizer_trainer_add(trainer, " ab ab ab b", 11, &error), 0);
    assert_int_equal(tokenizer_trainer_finish(trainer, 1000, &t, &error), 0);
    assert_int_equal(tokenizer_vocabulary_size(t), TOKEN_FIRST_MERGE + 2);
    struct token_bytes first = tokenizer_token(t, TOKEN_FIRST_MERGE),
                       second = tokenizer_token(t, TOKEN_FIRST_MERGE + 1);
    assert_int_equal(first.length, 2);
    assert_memory_equal(first.data, " a", 2);
    assert_memory_equal(second.data, " ab", 3);
    tokenizer_destroy(t);
    tokenizer_trainer_destroy(trainer);
}

static void test_refuses_broken_vocabularies(void **state) {
    (void)state;
    struct error error;
    struct tokenizer *t;
    struct token_bytes tokens[258];
    char bytes[256];
    uint8_t is_special[258] = {0};
    for (int i = 0; i < 256; i++) {
        bytes[i] = (char)i;
        tokens[i] = (struct token_bytes){&bytes[i], 1};
    }
    tokens[256] = (struct token_bytes){"ab", 2};
    tokens[257] = (struct token_bytes){"cd", 2};
    uint32_t good[] = {'a', 'b'}, outside[] = {'a', 999}, none[] = {'x', 'y'},
             twice[] = {'a', 'b', 'a', 'b'};
    assert_int_equal(tokenizer_create(&t, tokens, is_special, 258, good, 1, &error), 0);
    tokenizer_destroy(t);
    assert_int_equal(tokenizer_create(&t, tokens, is_special, 258, outside, 1, &error), -1);
    assert_int_equal(tokenizer_create(&t, tokens, is_special, 258, none, 1, &error), -1);
    assert_int_equal(tokenizer_create(&t, tokens, is_special, 258, twice, 2, &error), -1);
    assert_int_equal(tokenizer_create(&t, tokens, is_special, 255, good, 1, &error), -1);
    tokens[257] = tokens[256];
    assert_int_equal(tokenizer_create(&t, tokens, is_special, 258, good, 1, &error), -1);
    tokens[257] = (struct token_bytes){"", 0};
    assert_int_equal(tokenizer_create(&t, tokens, is_special, 258, good, 1, &error), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_of_any_bytes),
        cmocka_unit_test(test_encode_equals_naive),
        cmocka_unit_test(test_cache_changes_nothing),
        cmocka_unit_test(test_printable_alphabet),
        cmocka_unit_test(test_pieces_equal_pattern),
        cmocka_unit_test(test_long_word_is_fast),
        cmocka_unit_test(test_learning_is_deterministic),
        cmocka_unit_test(test_known_merges),
        cmocka_unit_test(test_refuses_broken_vocabularies),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
