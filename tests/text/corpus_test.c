/* A corpus is built and read back: labels, the split, the number of threads, broken directories. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omp.h>
#include <sqlite3.h>

#include "base/memory.h"
#include "base/random.h"
#include "scratch.h"
#include "text/corpus.h"
#include "text/corpus_build.h"

static const char MANIFEST[] =
    "{\"name\":\"Letters\",\"id\":[\"id\"],\"vocabulary\":300,"
    "\"slots\":{\"author\":{\"kind\":\"categorical\",\"field\":\"by\",\"missing\":[\"anonymous\"]},"
    "\"date\":{\"kind\":\"date\",\"field\":\"when\"},"
    "\"place\":{\"kind\":\"place\",\"fields\":[\"lat\",\"lon\"]}},"
    "\"held_out\":{\"documents\":[\"c\"]}}";

static const char LINES[] =
    "{\"id\":\"a\",\"text\":\"the cat sat on the mat\",\"by\":\"Ann\",\"when\":1850.5,\"lat\":48.5,"
    "\"lon\":\"-2.25\"}\n\n"
    "{\"id\":\"b\",\"text\":\"the dog sat on the "
    "log\",\"by\":\"anonymous\",\"when\":\"1787-01-01\","
    "\"lat\":1}\n"
    "{\"id\":\"c\",\"text\":\"xylophone\",\"by\":\"Ann\",\"when\":null}\n"
    "{\"id\":4,\"text\":\"nul \\u0000 and "
    "\\u00e9\",\"by\":7,\"when\":\"1600\",\"lat\":0,\"lon\":0}";

static int start(void **state) {
    if (scratch_enter(state))
        return -1;
    scratch_write("manifest.json", MANIFEST);
    scratch_write("lines.jsonl", LINES);
    return 0;
}

static int stop(void **state) {
    return scratch_leave(state);
}

static int build(const char *out, const char *lines, size_t shard_tokens,
                 struct corpus_build_summary *summary, struct error *error) {
    char file[160], manifest[160], target[160];
    strcpy(file, at(lines));
    strcpy(manifest, at("manifest.json"));
    strcpy(target, at(out));
    const char *files[] = {file};
    struct corpus_build_options options = {
        .manifest_path = manifest,
        .out_directory = target,
        .files = files,
        .file_count = 1,
        .is_forced = 1,
        .shard_tokens = shard_tokens,
    };
    return corpus_build(&options, summary, error);
}

static void build_good(const char *out, size_t shard_tokens) {
    struct corpus_build_summary summary;
    struct error error;
    if (build(out, "lines.jsonl", shard_tokens, &summary, &error))
        fail_msg("%s", error.message);
}

static void assert_text(const struct corpus *corpus, size_t index, const char *text, size_t bytes) {
    const struct corpus_document *document = corpus_document(corpus, index);
    char back[256];
    size_t at = 0;
    assert_int_equal(document->tokens[0], TOKEN_END_OF_TEXT);
    for (size_t i = 1; i < document->token_count; i++) {
        struct token_bytes token = tokenizer_token(corpus_tokenizer(corpus), document->tokens[i]);
        memcpy(back + at, token.data, token.length);
        at += token.length;
    }
    assert_int_equal(at, bytes);
    assert_memory_equal(back, text, bytes);
}

static void check_letters(const struct corpus *corpus) {
    assert_string_equal(corpus_name(corpus), "Letters");
    assert_int_equal(corpus_document_count(corpus), 4);
    assert_int_equal(corpus_slot_count(corpus), 3);
    assert_string_equal(corpus_slot(corpus, 0)->name, "author");
    assert_int_equal(corpus_slot(corpus, 2)->kind, SLOT_PLACE);
    const struct corpus_document *d[4];
    for (size_t i = 0; i < 4; i++)
        d[i] = corpus_document(corpus, i);
    assert_string_equal(d[0]->name, "a");
    assert_string_equal(d[3]->name, "4");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(d[i]->is_held_out, i == 2);
    assert_text(corpus, 0, "the cat sat on the mat", 22);
    assert_text(corpus, 2, "xylophone", 9);
    assert_text(corpus, 3, "nul \0 and \xc3\xa9", 12);
    assert_string_equal(d[0]->labels[0].text, "Ann");
    assert_ptr_equal(d[0]->labels[0].text, d[2]->labels[0].text);
    assert_false(d[1]->labels[0].is_given);
    assert_string_equal(d[3]->labels[0].text, "7");
    assert_true(d[0]->labels[1].number[0] == 1850.5);
    assert_true(d[1]->labels[1].number[0] == 1787);
    assert_false(d[2]->labels[1].is_given);
    assert_true(d[0]->labels[2].number[0] == 48.5 && d[0]->labels[2].number[1] == -2.25);
    assert_false(d[1]->labels[2].is_given); /* half a place is no place */
    assert_true(d[3]->labels[2].is_given);
}

static void test_read_back(void **state) {
    (void)state;
    for (size_t limit = 0; limit < 40; limit += 13) { /* one shard, and many */
        struct corpus *corpus;
        struct error error;
        build_good("letters", limit);
        assert_int_equal(corpus_open(&corpus, at("letters"), &error), 0);
        check_letters(corpus);
        struct tokenizer *copy;
        assert_int_equal(corpus_copy_tokenizer(corpus, &copy, &error), 0);
        size_t count = tokenizer_vocabulary_size(corpus_tokenizer(corpus));
        assert_int_equal(tokenizer_vocabulary_size(copy), count);
        corpus_close(corpus);
        assert_int_equal(tokenizer_token(copy, TOKEN_FIRST_MERGE - 1).data[0] & 0xff, 0xff);
        tokenizer_destroy(copy);
    }
}

/* Some hundred documents, so that several batches and threads have work. */
static void write_many(const char *name) {
    FILE *stream = fopen(at(name), "w");
    struct random random;
    random_seed(&random, 5, 5);
    assert_non_null(stream);
    for (int i = 0; i < 900; i++) {
        fprintf(stream, "{\"id\":\"%s%d\",\"by\":\"w%d\",\"text\":\"", i == 7 ? "c" : "d",
                i == 7 ? 0 : i, i % 5);
        for (uint64_t words = 1 + random_below(&random, 60); words > 0; words--)
            fprintf(stream, "w%d ", (int)random_below(&random, 40 + (uint64_t)i));
        fprintf(stream, "\"}\n");
    }
    fclose(stream);
    shell("sed -i 's/\"c0\"/\"c\"/' %s", at(name));
}

static void test_threads_change_nothing(void **state) {
    (void)state;
    struct corpus_build_summary summary;
    struct error error;
    int threads = omp_get_max_threads();
    write_many("many.jsonl");
    for (int count = 1; count <= 4; count += 3) {
        omp_set_num_threads(count);
        assert_int_equal(build(count == 1 ? "one" : "four", "many.jsonl", 1000, &summary, &error),
                         0);
        assert_true(summary.shards > 3);
    }
    omp_set_num_threads(threads);
    shell("diff -r %s %s", at("one"), at("four"));
}

static void refuse(const char *out, const char *complaint) {
    struct corpus *corpus;
    struct error error;
    if (corpus_open(&corpus, at(out), &error) == 0)
        fail_msg("a broken corpus was opened: %s", complaint);
    assert_null(corpus);
    if (strstr(error.message, complaint) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, complaint);
}

static void test_hostile_catalogues(void **state) {
    (void)state;
    static const struct {
        const char *sql, *complaint;
    } CASES[] = {
        {"UPDATE meta SET value = '9' WHERE key = 'format'", "format 9"},
        {"DELETE FROM meta WHERE key = 'name'", "no name"},
        {"DROP TABLE labels", "tables"},
        {"DROP TABLE labels; CREATE VIEW labels AS WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL "
         "SELECT n + 1 FROM r) SELECT n AS document, 0 AS slot, 'x' AS text, 0.0 AS number, 0.0 "
         "AS second_number FROM r",
         "tables"},
        {"UPDATE slots SET kind = 'date' WHERE position = 0", "no date"},
        {"UPDATE slots SET position = 9 WHERE position = 2", "slot 2"},
        {"UPDATE slots SET kind = 'colour'", "slot 0"},
        {"UPDATE slots SET name = 'date' || char(0) WHERE position = 1", "slot 1"},
        {"UPDATE documents SET token_count = token_count + 1 WHERE position = 3", "does not lie"},
        {"UPDATE documents SET token_count = 9223372036854775807", "does not lie"},
        {"UPDATE documents SET token_count = -1", "does not lie"},
        {"UPDATE documents SET first_token = 9223372036854775807 WHERE position = 1",
         "does not lie"},
        {"UPDATE documents SET first_token = 'x' WHERE position = 1", "does not lie"},
        {"UPDATE documents SET shard = 1 WHERE position = 1", "does not lie"},
        {"UPDATE documents SET split = 'both'", "document 0"},
        {"DELETE FROM documents WHERE position = 1", "document 1"},
        {"DELETE FROM documents WHERE position = 3", "of no document"},
        {"DELETE FROM documents", "no documents"},
        {"UPDATE labels SET slot = 3 WHERE slot = 2", "no document and slot"},
        {"UPDATE labels SET document = 4 WHERE document = 3", "no document and slot"},
        {"UPDATE labels SET number = 91 WHERE slot = 2", "no place"},
        {"UPDATE labels SET number = 9e999 WHERE slot = 1", "no date"},
        {"UPDATE labels SET text = NULL WHERE slot = 0", "no categorical"},
        {"DELETE FROM merges; DELETE FROM tokens WHERE id >= 258", "vocabulary"},
        {"DELETE FROM tokens WHERE id = 99", "token 99"},
        {"UPDATE tokens SET bytes = zeroblob(5000) WHERE id = 99", "longer than"},
        {"UPDATE tokens SET bytes = zeroblob(0) WHERE id = 99", "token 99"},
        {"UPDATE tokens SET is_special = 0 WHERE id = 0", "end of text"},
        {"UPDATE merges SET left_token = 4294967296 WHERE rank = 1", "merge 1"},
        {"DELETE FROM merges WHERE rank = 0", "merge 0"},
    };
    build_good("sound", 0);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        /* The attacker's tables have no constraints. */
        shell("rm -rf %s && cp -r %s %s", at("bad"), at("sound"), at("bad"));
        sqlite3 *database;
        char *problem = NULL;
        assert_int_equal(sqlite3_open(at("bad/catalogue.sqlite"), &database), SQLITE_OK);
        sqlite3_exec(database,
                     "PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = ON;"
                     "UPDATE sqlite_schema SET sql = replace(replace(sql, ' STRICT, WITHOUT', "
                     "' WITHOUT'), ' STRICT', '');",
                     NULL, NULL, NULL);
        sqlite3_close(database);
        assert_int_equal(sqlite3_open(at("bad/catalogue.sqlite"), &database), SQLITE_OK);
        sqlite3_exec(database, "PRAGMA ignore_check_constraints = ON", NULL, NULL, NULL);
        if (sqlite3_exec(database, CASES[i].sql, NULL, NULL, &problem) != SQLITE_OK)
            fail_msg("%s: %s", CASES[i].sql, problem);
        sqlite3_close(database);
        refuse("bad", CASES[i].complaint);
    }
}

static void poke(const char *name, long where, const void *bytes, size_t count) {
    FILE *stream = fopen(at(name), "r+b");
    assert_non_null(stream);
    fseek(stream, where, SEEK_SET);
    fwrite(bytes, 1, count, stream);
    fclose(stream);
}

static void test_hostile_shards(void **state) {
    (void)state;
    static const char SHARD[] = "bad/tokens-00000.bin";
    static const uint32_t LARGE = UINT32_MAX, ONE = TOKEN_BY;
    build_good("sound", 0);
    for (int i = 0; i < 8; i++) {
        shell("rm -rf %s && cp -r %s %s", at("bad"), at("sound"), at("bad"));
        if (i == 0)
            shell("rm %s", at(SHARD));
        else if (i == 1)
            shell("truncate -s 10 %s", at(SHARD));
        else if (i == 2)
            shell("truncate -s -4 %s", at(SHARD));
        else if (i == 3)
            shell("truncate -s +3 %s", at(SHARD));
        else if (i < 7)
            poke(SHARD, i == 4 ? 0 : i == 5 ? 8 : 20, &LARGE, 4);
        else
            poke(SHARD, 24, &ONE, 4);
        static const char *const COMPLAINTS[] = {"cannot open", "no shard",  "says it has",
                                                 "says it has", "no shard",  "another version",
                                                 "says it has", "outside of"};
        refuse("bad", COMPLAINTS[i]);
    }
    shell("rm -rf %s && cp -r %s %s", at("bad"), at("sound"), at("bad"));
    poke(SHARD, 28, &LARGE, 4);
    refuse("bad", "outside of the vocabulary");
    shell("truncate -s 0 %s", at("bad/catalogue.sqlite"));
    refuse("bad", "tables");
    shell("printf 'no database at all, but long enough' > %s", at("bad/catalogue.sqlite"));
    refuse("bad", "not a database");
    refuse("absent", "no corpus");
}

/* One bit of the catalogue flipped: opened or refused, never worse (the sanitizers watch). */
static void test_flipped_bits(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, 9, 9);
    build_good("sound", 0);
    for (int i = 0; i < 150; i++) {
        char name[64], byte = (char)random_bits(&random);
        snprintf(name, sizeof name, "bad/catalogue.sqlite");
        shell("rm -rf %s && cp -r %s %s", at("bad"), at("sound"), at("bad"));
        for (int j = 0; j < 5; j++)
            poke(name, (long)random_below(&random, 40960), &byte, 1);
        struct corpus *corpus;
        struct error error;
        if (corpus_open(&corpus, at("bad"), &error) == 0)
            corpus_close(corpus);
    }
}

/* Whatever allocation fails, the build fails cleanly and leaves nothing. */
static void test_lack_of_memory(void **state) {
    (void)state;
    struct corpus_build_summary summary;
    struct error error;
    shell("rm -rf %s", at("letters"));
    size_t in_use = memory_bytes_in_use();
    int result = -1;
    for (size_t n = 1; result != 0; n += n < 40 ? 1 : 7) {
        memory_fail_after(n);
        result = build("letters", "lines.jsonl", 0, &summary, &error);
        memory_fail_after(0);
        assert_int_equal(memory_bytes_in_use(), in_use);
        if (result != 0)
            shell("test ! -e %s && ! ls -d %s.tmp* 2>/dev/null", at("letters"), at("letters"));
        assert_true(n < 5000);
    }
    result = -1;
    for (size_t n = 1; result != 0; n++) {
        struct corpus *corpus;
        memory_fail_after(n);
        result = corpus_open(&corpus, at("letters"), &error);
        memory_fail_after(0);
        corpus_close(corpus);
        assert_int_equal(memory_bytes_in_use(), in_use);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_back),          cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_hostile_catalogues), cmocka_unit_test(test_hostile_shards),
        cmocka_unit_test(test_flipped_bits),       cmocka_unit_test(test_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
