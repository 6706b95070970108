#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "file/tokenizer_gguf.h"
#include "text/tokenizer_train.h"

/* Set TRINE_GPT2_VOCABULARY to llama.cpp's ggml-vocab-gpt-2.gguf, beside which its test texts
 * (.inp) and their tokens (.out) lie, to run the test on it. */
static char vocabulary_path[512], real_texts[600], real_tokens[600];

static int find_real(void) {
    const char *path_of_it = getenv("TRINE_GPT2_VOCABULARY");
    snprintf(vocabulary_path, sizeof vocabulary_path, "%s", path_of_it != NULL ? path_of_it : "");
    snprintf(real_texts, sizeof real_texts, "%s.inp", vocabulary_path);
    snprintf(real_tokens, sizeof real_tokens, "%s.out", vocabulary_path);
    return access(vocabulary_path, R_OK);
}

static char directory[] = "/tmp/trine-tokenizer-XXXXXX";
static char path[256];

static int make_directory(void **state) {
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/t.gguf", directory);
    return 0;
}

static int remove_directory(void **state) {
    (void)state;
    unlink(path);
    return rmdir(directory);
}

/* Whether `expected`, ids in decimal parted by spaces, is what `list` holds. */
static bool is_line(const struct token_list *list, const char *expected) {
    char *end;
    for (size_t i = 0; i < list->count; i++) {
        if (strtoul(expected, &end, 10) != list->ids[i] || end == expected)
            return false;
        expected = end;
    }
    return expected[strspn(expected, " ")] == '\n';
}

/* llama.cpp's own cases: texts parted by a marker line, and one line of ids for each. */
static size_t check_cases(const struct tokenizer *tokenizer, const char *texts, const char *lines) {
    static const char marker[] = "\n__ggml_vocab_test__\n";
    struct tokenizer_cache *cache;
    struct token_list list = {0};
    struct error error;
    size_t count = 0;
    assert_int_equal(tokenizer_cache_create(&cache, &error), 0);
    for (const char *end; (end = strstr(texts, marker)) != NULL; count++) {
        list.count = 0;
        assert_int_equal(
            tokenizer_encode(tokenizer, cache, texts, (size_t)(end - texts), &list, &error), 0);
        const char *next = strchr(lines, '\n');
        assert_non_null(next);
        if (!is_line(&list, lines))
            fail_msg("case %zu differs: \"%.*s\" should be %.*s", count, (int)(end - texts), texts,
                     (int)(next - lines), lines);
        lines = next + 1;
        texts = end + strlen(marker);
    }
    assert_int_equal(*lines, '\0');
    free(list.ids);
    tokenizer_cache_destroy(cache);
    return count;
}

static void test_real_vocabulary(void **state) {
    (void)state;
    if (find_real() != 0) {
        print_message("skipped: TRINE_GPT2_VOCABULARY names no file\n");
        skip();
    }
    struct error error;
    struct gguf *file;
    struct tokenizer *tokenizer;
    char *texts, *lines;
    size_t bytes;
    assert_int_equal(gguf_open(&file, vocabulary_path, &error), 0);
    if (tokenizer_gguf_load(&tokenizer, file, &error) != 0)
        fail_msg("%s", error.message);
    gguf_close(file);
    assert_int_equal(tokenizer_vocabulary_size(tokenizer), 50257);
    assert_int_equal(tokenizer_end_of_text(tokenizer), 50256);
    assert_int_equal(file_read_all(real_texts, 1 << 20, &texts, &bytes, &error), 0);
    assert_int_equal(file_read_all(real_tokens, 1 << 20, &lines, &bytes, &error), 0);
    assert_int_equal(check_cases(tokenizer, texts, lines), 46);
    free(texts);
    free(lines);
    tokenizer_destroy(tokenizer);
}

static struct tokenizer *train_small(void) {
    static const char text[] = "the cat and the hat and the rat sat; the man\xc3\xa9 \xff\xfe\n"
                               "  the  band, the band and the hat: the cat\0the cat";
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer;
    struct error error;
    assert_int_equal(tokenizer_trainer_create(&trainer, &error), 0);
    assert_int_equal(tokenizer_trainer_add(trainer, text, sizeof text - 1, &error), 0);
    assert_int_equal(tokenizer_trainer_finish(trainer, 270, &tokenizer, &error), 0);
    tokenizer_trainer_destroy(trainer);
    assert_true(tokenizer_merge_count(tokenizer) > 4);
    return tokenizer;
}

static int save(const struct tokenizer *tokenizer, struct error *error) {
    struct gguf_writer *writer;
    if (gguf_writer_create(&writer, error) != 0)
        return -1;
    int result = tokenizer_gguf_save(writer, tokenizer, error);
    if (result == 0)
        result = gguf_writer_commit(writer, path, error);
    gguf_writer_destroy(writer);
    return result;
}

static int load(struct tokenizer **tokenizer, struct error *error) {
    struct gguf *file;
    *tokenizer = NULL;
    if (gguf_open(&file, path, error) != 0)
        return -1;
    int result = tokenizer_gguf_load(tokenizer, file, error);
    gguf_close(file);
    return result;
}

static void assert_same(const struct tokenizer *a, const struct tokenizer *b) {
    assert_int_equal(tokenizer_vocabulary_size(a), tokenizer_vocabulary_size(b));
    assert_int_equal(tokenizer_merge_count(a), tokenizer_merge_count(b));
    assert_int_equal(tokenizer_end_of_text(a), tokenizer_end_of_text(b));
    for (uint32_t id = 0; id < tokenizer_vocabulary_size(a); id++) {
        struct token_bytes x = tokenizer_token(a, id), y = tokenizer_token(b, id);
        assert_int_equal(x.length, y.length);
        assert_memory_equal(x.data, y.data, x.length);
        assert_int_equal(tokenizer_is_special(a, id), tokenizer_is_special(b, id));
    }
    for (size_t rank = 0; rank < tokenizer_merge_count(a); rank++)
        assert_memory_equal(tokenizer_merge(a, rank), tokenizer_merge(b, rank),
                            2 * sizeof(uint32_t));
}

static void test_round_trip(void **state) {
    (void)state;
    struct error error;
    struct gguf *file;
    struct gguf_string *tokens;
    size_t count;
    uint32_t id;
    struct tokenizer *tokenizer = train_small(), *loaded;
    assert_int_equal(save(tokenizer, &error), 0);
    if (load(&loaded, &error) != 0)
        fail_msg("%s", error.message);
    assert_same(tokenizer, loaded);
    tokenizer_destroy(loaded);
    tokenizer_destroy(tokenizer);
    assert_int_equal(gguf_open(&file, path, &error), 0);
    assert_int_equal(gguf_get_string_array(file, "tokenizer.ggml.tokens", &tokens, &count, &error),
                     0);
    assert_true(gguf_string_is(tokens[TOKEN_END_OF_TEXT], "<|endoftext|>"));
    assert_true(gguf_string_is(tokens[TOKEN_SPECIAL_COUNT + ' '], "\u0120"));
    assert_int_equal(gguf_get_u32(file, "tokenizer.ggml.bos_token_id", &id, &error), 0);
    assert_int_equal(id, TOKEN_END_OF_TEXT);
    memory_free(tokens);
    gguf_close(file);
}

/* A file with the 256 bytes as tokens, and some of its keys changed. */
struct changes {
    const char *model, *pre, *last_token, *merge;
    size_t type_count;
};

static void expect_refusal(struct changes changes, const char *part_of_message) {
    struct gguf_string tokens[258], merge = {changes.merge, strlen(changes.merge)};
    char spellings[256][4];
    int32_t types[258];
    struct error error;
    struct gguf_writer *writer;
    struct tokenizer *tokenizer;
    for (int i = 0; i < 256; i++) {
        char byte = (char)i;
        tokens[i] = (struct gguf_string){spellings[i], tokenizer_printable(spellings[i], &byte, 1)};
        types[i] = 1;
    }
    tokens[256] = (struct gguf_string){"ab", 2};
    tokens[257] = (struct gguf_string){changes.last_token, strlen(changes.last_token)};
    types[256] = types[257] = 1;
    assert_int_equal(gguf_writer_create(&writer, &error), 0);
    assert_int_equal(gguf_writer_add_string(writer, "tokenizer.ggml.model", changes.model, &error),
                     0);
    if (changes.pre != NULL)
        assert_int_equal(gguf_writer_add_string(writer, "tokenizer.ggml.pre", changes.pre, &error),
                         0);
    assert_int_equal(
        gguf_writer_add_string_array(writer, "tokenizer.ggml.tokens", tokens, 258, &error), 0);
    assert_int_equal(gguf_writer_add_i32_array(writer, "tokenizer.ggml.token_type", types,
                                               changes.type_count, &error),
                     0);
    assert_int_equal(
        gguf_writer_add_string_array(writer, "tokenizer.ggml.merges", &merge, 1, &error), 0);
    assert_int_equal(gguf_writer_commit(writer, path, &error), 0);
    gguf_writer_destroy(writer);
    int result = load(&tokenizer, &error);
    tokenizer_destroy(tokenizer);
    assert_int_equal(result, part_of_message == NULL ? 0 : -1);
    if (part_of_message != NULL && strstr(error.message, part_of_message) == NULL)
        fail_msg("expected \"%s\" in: %s", part_of_message, error.message);
}

static void test_refuses(void **state) {
    (void)state;
    expect_refusal((struct changes){"gpt2", "gpt-2", "ba", "a b", 258}, NULL);
    expect_refusal((struct changes){"llama", "gpt-2", "ba", "a b", 258}, "\"llama\"");
    expect_refusal((struct changes){"gpt2", "\033[2J\n", "ba", "a b", 258}, "tokenizer.ggml.pre");
    expect_refusal((struct changes){"gpt2", NULL, "ba", "a b", 258}, "tokenizer.ggml.pre");
    expect_refusal((struct changes){"gpt2", "gpt-2", "b a", "a b", 258}, "token 257");
    expect_refusal((struct changes){"gpt2", "gpt-2", "\xc4", "a b", 258}, "token 257");
    expect_refusal((struct changes){"gpt2", "gpt-2", "ab", "a b", 258}, "twice");
    expect_refusal((struct changes){"gpt2", "gpt-2", "", "a b", 258}, "empty");
    expect_refusal((struct changes){"gpt2", "gpt-2", "ba", "ab", 258}, "merge 0");
    expect_refusal((struct changes){"gpt2", "gpt-2", "ba", "a zz", 258}, "merge 0");
    expect_refusal((struct changes){"gpt2", "gpt-2", "ba", " a", 258}, "merge 0");
    expect_refusal((struct changes){"gpt2", "gpt-2", "ba", "b b", 258}, "merge 0");
    expect_refusal((struct changes){"gpt2", "gpt-2", "ba", "a b", 257}, "token_type");
}

static void test_failing_allocations(void **state) {
    (void)state;
    struct error error;
    struct tokenizer *tokenizer = train_small(), *loaded;
    size_t in_use = memory_bytes_in_use(), n = 0;
    int result;
    do {
        memory_fail_after(++n);
        result = save(tokenizer, &error);
        memory_fail_after(0);
        assert_int_equal(memory_bytes_in_use(), in_use);
    } while (result != 0);
    assert_true(n > 6);
    n = 0;
    do {
        memory_fail_after(++n);
        result = load(&loaded, &error);
        memory_fail_after(0);
        tokenizer_destroy(loaded);
        assert_int_equal(memory_bytes_in_use(), in_use);
    } while (result != 0);
    assert_true(n > 15);
    tokenizer_destroy(tokenizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_vocabulary),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
