/* The learnt vocabulary is the one that counting every pair anew after each merge gives. */
#include "text/tokenizer_train.h"

#include <string.h>

#include "base/random.h"
#include "cmocka_all.h"

enum { LETTERS = 3, WORDS = 400, LONGEST = 9, MERGES = 120, TOKENS = TOKEN_FIRST_MERGE + MERGES };

/* Words of few letters make many ties, overlaps ("aaa") and merges that spell the same. */
struct naive {
    uint32_t ids[WORDS][LONGEST + 1];
    size_t lengths[WORDS];
    char spelling[TOKENS][2 * LONGEST + 3];
    uint64_t counts[TOKENS][TOKENS];
    uint8_t is_refused[TOKENS][TOKENS];
    size_t token_count;
};
static struct naive naive;

static size_t make_words(char *text, struct random *random) {
    size_t used = 0;
    for (size_t w = 0; w < WORDS; w++) {
        size_t length = 1 + random_below(random, LONGEST), i = 0;
        text[used++] = ' ';
        naive.ids[w][i++] = TOKEN_SPECIAL_COUNT + ' ';
        for (; i <= length; i++) {
            char letter = (char)('a' + random_below(random, LETTERS));
            text[used++] = letter;
            naive.ids[w][i] = TOKEN_SPECIAL_COUNT + (uint32_t)letter;
        }
        naive.lengths[w] = i;
    }
    return used;
}

static int is_spelt(const char *joined) {
    for (size_t t = TOKEN_SPECIAL_COUNT; t < naive.token_count; t++)
        if (strcmp(naive.spelling[t], joined) == 0)
            return 1;
    return 0;
}

/* The most frequent pair that is not refused; the first of equals. 0 when none occurs twice. */
static uint64_t most_frequent(uint32_t pair[2]) {
    uint64_t best = 1;
    memset(naive.counts, 0, sizeof naive.counts);
    for (size_t w = 0; w < WORDS; w++)
        for (size_t i = 0; i + 1 < naive.lengths[w]; i++)
            naive.counts[naive.ids[w][i]][naive.ids[w][i + 1]]++;
    for (uint32_t a = 0; a < naive.token_count; a++)
        for (uint32_t b = 0; b < naive.token_count; b++)
            if (!naive.is_refused[a][b] && naive.counts[a][b] > best) {
                best = naive.counts[a][b];
                pair[0] = a;
                pair[1] = b;
            }
    return best > 1 ? best : 0;
}

static void merge(const uint32_t pair[2], uint32_t result) {
    for (size_t w = 0; w < WORDS; w++) {
        size_t kept = 0;
        for (size_t i = 0; i < naive.lengths[w]; i++) {
            uint32_t *ids = naive.ids[w];
            int is_pair = i + 1 < naive.lengths[w] && ids[i] == pair[0] && ids[i + 1] == pair[1];
            ids[kept++] = is_pair ? result : ids[i];
            i += is_pair ? 1 : 0;
        }
        naive.lengths[w] = kept;
    }
}

static void test_equals_counting_anew(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        struct random random;
        struct error error;
        struct tokenizer_trainer *trainer;
        struct tokenizer *tokenizer;
        char text[WORDS * (LONGEST + 1)];
        memset(&naive, 0, sizeof naive);
        random_seed(&random, seed, 0);
        size_t bytes = make_words(text, &random);
        assert_int_equal(tokenizer_trainer_create(&trainer, &error), 0);
        assert_int_equal(tokenizer_trainer_add(trainer, text, bytes, &error), 0);
        assert_int_equal(tokenizer_trainer_finish(trainer, TOKENS, &tokenizer, &error), 0);
        for (unsigned byte = 0; byte < 256; byte++)
            naive.spelling[TOKEN_SPECIAL_COUNT + byte][0] = (char)byte;
        naive.token_count = TOKEN_FIRST_MERGE;
        uint32_t pair[2];
        size_t rank = 0;
        while (naive.token_count < TOKENS && most_frequent(pair) > 0) {
            char joined[2 * sizeof naive.spelling[0]];
            strcpy(joined, naive.spelling[pair[0]]);
            strcat(joined, naive.spelling[pair[1]]);
            if (is_spelt(joined)) {
                naive.is_refused[pair[0]][pair[1]] = 1;
                continue;
            }
            assert_true(rank < tokenizer_merge_count(tokenizer));
            assert_int_equal(tokenizer_merge(tokenizer, rank)[0], pair[0]);
            assert_int_equal(tokenizer_merge(tokenizer, rank)[1], pair[1]);
            rank++;
            strcpy(naive.spelling[naive.token_count], joined);
            merge(pair, (uint32_t)naive.token_count++);
        }
        assert_int_equal(rank, tokenizer_merge_count(tokenizer));
        assert_true(rank > MERGES / 2);
        tokenizer_destroy(tokenizer);
        tokenizer_trainer_destroy(trainer);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_counting_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
