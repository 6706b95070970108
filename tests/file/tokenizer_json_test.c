#include "file/tokenizer_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"

/* 256 bytes, "th", "the", then marks. */
static struct tokenizer *make(enum piece_pattern pattern) {
    static char bytes[256], th[] = "th", the[] = "the";
    struct token_bytes tokens[262];
    uint8_t kinds[262] = {0};
    struct error error;
    struct tokenizer *tokenizer;
    for (int i = 0; i < 256; i++) {
        bytes[i] = (char)i;
        tokens[i] = (struct token_bytes){&bytes[i], 1};
    }
    tokens[256] = (struct token_bytes){th, 2};
    tokens[257] = (struct token_bytes){the, 3};
    tokens[258] = (struct token_bytes){"<|endoftext|>", 13};
    tokens[259] = (struct token_bytes){"<|im_end|>", 10};
    tokens[260] = (struct token_bytes){"<added>", 7};
    tokens[261] = (struct token_bytes){"", 0};
    kinds[258] = kinds[259] = TOKEN_SPECIAL;
    kinds[260] = TOKEN_ADDED;
    kinds[261] = TOKEN_UNUSED;
    const uint32_t merges[4] = {'t', 'h', 256, 'e'};
    assert_int_equal(tokenizer_create(&tokenizer, tokens, kinds, 262, merges, 2, &error), 0);
    tokenizer_set_pieces(tokenizer, pattern, pattern == PIECES_LLAMA3);
    return tokenizer;
}

static void expect_ids(const struct tokenizer *tokenizer, const char *text, int is_marked,
                       const uint32_t *ids, size_t count) {
    struct error error;
    struct tokenizer_cache *cache;
    struct token_list list = {0};
    assert_int_equal(tokenizer_cache_create(&cache, &error), 0);
    assert_int_equal((is_marked ? tokenizer_encode_marked : tokenizer_encode)(
                         tokenizer, cache, text, strlen(text), &list, &error),
                     0);
    assert_int_equal(list.count, count);
    assert_memory_equal(list.ids, ids, count * sizeof *ids);
    free(list.ids);
    tokenizer_cache_destroy(cache);
}

/* Added tokens are found in any text, special ones only where they are asked for. */
static void test_marks(void **state) {
    (void)state;
    struct tokenizer *tokenizer = make(PIECES_GPT2);
    const uint32_t added[] = {257, 260, 'a'}, special[] = {257, 259, 260};
    expect_ids(tokenizer, "the<added>a", 0, added, 3);
    expect_ids(tokenizer, "the<|im_end|><added>", 1, special, 3);
    const uint32_t plain[] = {'<', '|', 'i', 'm', '_', 'e', 'n', 'd', '|', '>'};
    expect_ids(tokenizer, "<|im_end|>", 0, plain, 10);
    assert_int_equal(tokenizer_find_special(tokenizer, "<|im_end|>", 10), 259);
    assert_int_equal(tokenizer_find_special(tokenizer, "the", 3), UINT32_MAX);
    tokenizer_destroy(tokenizer);
}

static void test_round_trip(void **state) {
    (void)state;
    struct error error;
    char path[64];
    snprintf(path, sizeof path, "/tmp/trine-tokenizer-%ld.json", (long)getpid());
    for (int pattern = 0; pattern < PIECES_COUNT; pattern++) {
        struct tokenizer *tokenizer = make((enum piece_pattern)pattern), *again;
        assert_int_equal(tokenizer_json_save(tokenizer, path, &error), 0);
        if (tokenizer_json_load(&again, path, 262, &error))
            fail_msg("%s", error.message);
        assert_int_equal(tokenizer_vocabulary_size(again), 262);
        assert_int_equal(tokenizer_pattern(again), pattern);
        assert_int_equal(tokenizer_takes_whole_pieces(again), pattern == PIECES_LLAMA3);
        for (uint32_t id = 0; id < 262; id++) {
            struct token_bytes a = tokenizer_token(tokenizer, id), b = tokenizer_token(again, id);
            assert_int_equal(tokenizer_kind(tokenizer, id), tokenizer_kind(again, id));
            assert_int_equal(a.length, b.length);
            assert_memory_equal(a.data, b.data, a.length);
        }
        const uint32_t ids[] = {257, 260, 256, '!'};
        expect_ids(again, "the<added>th!", 0, ids, 4);
        tokenizer_destroy(tokenizer);
        tokenizer_destroy(again);
    }
    unlink(path);
}

static void expect_refusal(const char *json, const char *what) {
    struct error error;
    struct tokenizer *tokenizer;
    assert_int_equal(tokenizer_json_parse(&tokenizer, json, strlen(json), "test", 300, &error), -1);
    assert_null(tokenizer);
    if (strstr(error.message, what) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, what);
}

#define LEVEL "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"

static void test_refusals(void **state) {
    (void)state;
    expect_refusal("{", "test:1");
    expect_refusal("{}", "model");
    expect_refusal("{\"model\":{\"type\":\"Unigram\",\"vocab\":{}}}", "Unigram");
    expect_refusal("{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"byte_fallback\":true}}",
                   "byte_fallback");
    expect_refusal(
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{}},\"normalizer\":{\"type\":\"Strip\"}}", "Strip");
    expect_refusal("{\"model\":{\"type\":\"BPE\",\"vocab\":{}},\"pre_tokenizer\":{\"type\":"
                   "\"Metaspace\"}}",
                   "Metaspace");
    expect_refusal("{\"model\":{\"type\":\"BPE\",\"vocab\":{}},\"pre_tokenizer\":{\"type\":"
                   "\"Split\",\"pattern\":{\"Regex\":\"x+\"}}}",
                   "x+");
    expect_refusal("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":0}}," LEVEL "}",
                   "two tokens have the id 0");
    expect_refusal("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":99999999}}," LEVEL "}",
                   "too many");
    expect_refusal("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1}}," LEVEL "}", "id");
    expect_refusal("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a\"]}," LEVEL
                   "}",
                   "no pair");
    expect_refusal(
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a b\"]}," LEVEL "}", "id");
    expect_refusal("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0}}," LEVEL "}",
                   "no token for byte");
    expect_refusal(
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0}},\"added_tokens\":[{\"id\":1}]," LEVEL
        "}",
        "no content");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
