/* A corpus with pictures is built and read back: which documents have one, whose patches are
 * learnt, what counts as the same, and what is refused. */
#include "cmocka_all.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omp.h>

#include "base/memory.h"
#include "base/random.h"
#include "picture/patches.h"
#include "scratch.h"
#include "text/corpus.h"
#include "text/corpus_build.h"
#include "text/picture_tokens.h"

/* Two patches wide, of the same patch. */
static void write_picture(const char *name, uint64_t patch, size_t rows) {
    struct raster r;
    struct error error;
    assert_int_equal(raster_create(&r, 8, 4 * rows, &error), 0);
    for (size_t i = 0; i < 2 * rows; i++)
        patch_draw(&r, i % 2, i / 2, patch);
    if (raster_write_png(&r, at(name), &error))
        fail_msg("%s", error.message);
    raster_free(&r);
}

enum { BARS = 0, DOWN = 1, SHADE = 2, HIDDEN = 3 };
static const uint64_t SHAPES[] = {0x0000ffff0000ffff, 0x0f0f0f0f0f0f0f0f, 0x8888888888888888,
                                  0x0123456789abcdef};

static const char MANIFEST[] = "{\"name\":\"Drawings\",\"id\":[\"id\"],\"vocabulary\":280,"
                               "\"image\":\"scan\",\"patches\":16,"
                               "\"held_out\":{\"documents\":[\"e\"]}}";

static const char LINES[] = "{\"id\":\"a\",\"text\":\"bars\",\"scan\":\"bars.png\"}\n"
                            "{\"id\":\"b\",\"text\":\"\",\"scan\":\"down.png\"}\n"
                            "{\"id\":\"c\",\"text\":\"words alone\",\"scan\":null}\n"
                            "{\"id\":\"d\",\"text\":\"words and no more\"}\n"
                            "{\"id\":\"e\",\"text\":\"bars\",\"scan\":\"hidden.png\"}\n"
                            "{\"id\":\"f\",\"text\":\"bars\",\"scan\":\"shade.png\"}\n";

static int start(void **state) {
    if (scratch_enter(state))
        return -1;
    scratch_write("manifest.json", MANIFEST);
    scratch_write("lines.jsonl", LINES);
    write_picture("bars.png", SHAPES[BARS], 1);
    write_picture("down.png", SHAPES[DOWN], 3);
    write_picture("shade.png", SHAPES[SHADE], 1);
    write_picture("hidden.png", SHAPES[HIDDEN], 1);
    return 0;
}

static int stop(void **state) {
    return scratch_leave(state);
}

static int build_with(const char *out, const char *lines, const char *manifest_name,
                      const struct tokenizer *tokenizer, struct corpus_build_summary *summary,
                      struct error *error) {
    char file[160], manifest[160], target[160];
    strcpy(file, at(lines));
    strcpy(manifest, at(manifest_name));
    strcpy(target, at(out));
    const char *files[] = {file};
    struct corpus_build_options options = {.manifest_path = manifest,
                                           .out_directory = target,
                                           .files = files,
                                           .file_count = 1,
                                           .tokenizer = tokenizer,
                                           .is_forced = 1};
    return corpus_build(&options, summary, error);
}

static struct corpus *open_built(const char *out, const char *lines,
                                 struct corpus_build_summary *summary) {
    struct corpus *corpus;
    struct error error;
    if (build_with(out, lines, "manifest.json", NULL, summary, &error) ||
        corpus_open(&corpus, at(out), &error))
        fail_msg("%s", error.message);
    return corpus;
}

static void check_picture(const struct picture_tokens *pictures, const struct corpus_document *d,
                          size_t text_tokens, uint64_t patch, size_t rows) {
    assert_int_equal(d->token_count, 1 + text_tokens + 1 + 3 * rows + 1);
    assert_int_equal(d->tokens[1 + text_tokens], pictures->image);
    assert_int_equal(d->tokens[d->token_count - 1], TOKEN_END_OF_TEXT); /* a picture ends */
    for (size_t i = 0; i < 3 * rows; i++) {
        uint32_t id = d->tokens[2 + text_tokens + i];
        long found = picture_tokens_patch(pictures, id);
        if (i % 3 == 2)
            assert_int_equal(id, pictures->row);
        else
            assert_true(found >= 0 && pictures->book.patches[found] == patch);
    }
}

static void test_read_back(void **state) {
    (void)state;
    struct corpus_build_summary summary;
    struct corpus *corpus = open_built("built", "lines.jsonl", &summary);
    struct picture_tokens pictures;
    struct error error;
    assert_int_equal(picture_tokens_create(&pictures, corpus_tokenizer(corpus), &error), 0);
    /* What training shows, and white; nothing of what is held out. */
    assert_int_equal(pictures.book.count, 4);
    assert_int_equal(summary.pictures, 4);
    assert_int_equal(summary.patches, 4);
    size_t bars = corpus_document(corpus, 0)->token_count - 6;
    assert_true(bars >= 1 && bars <= 4);
    check_picture(&pictures, corpus_document(corpus, 0), bars, SHAPES[BARS], 1);
    check_picture(&pictures, corpus_document(corpus, 1), 0, SHAPES[DOWN], 3);
    check_picture(&pictures, corpus_document(corpus, 5), bars, SHAPES[SHADE], 1);
    /* The held-out picture as well as the book can draw it. */
    size_t nearest = code_book_nearest(&pictures.book, SHAPES[HIDDEN]);
    check_picture(&pictures, corpus_document(corpus, 4), bars, pictures.book.patches[nearest], 1);
    for (size_t i = 2; i < 4; i++)
        for (size_t j = 0; j < corpus_document(corpus, i)->token_count; j++)
            assert_true(corpus_document(corpus, i)->tokens[j] < pictures.image);
    picture_tokens_free(&pictures);
    corpus_close(corpus);
}

/* Text and picture together are what must not occur twice. */
static void test_duplicates(void **state) {
    (void)state;
    struct corpus_build_summary summary;
    scratch_write("twice.jsonl", "{\"id\":\"a\",\"text\":\"x\",\"scan\":\"bars.png\"}\n"
                                 "{\"id\":\"b\",\"text\":\"x\",\"scan\":\"bars.png\"}\n"
                                 "{\"id\":\"c\",\"text\":\"x\",\"scan\":\"down.png\"}\n"
                                 "{\"id\":\"d\",\"text\":\"y\",\"scan\":\"bars.png\"}\n"
                                 "{\"id\":\"x\",\"text\":\"z\",\"scan\":\"shade.png\"}\n"
                                 "{\"id\":\"e\",\"text\":\"z\",\"scan\":\"shade.png\"}\n"
                                 "{\"id\":\"f\",\"text\":\"x\"}\n");
    struct corpus *corpus = open_built("twice", "twice.jsonl", &summary);
    assert_int_equal(summary.duplicates, 1);
    assert_int_equal(summary.leaks, 1);
    assert_int_equal(corpus_document_count(corpus), 5);
    corpus_close(corpus);
}

static void check_refused(const char *line, const char *complaint) {
    struct corpus_build_summary summary;
    struct error error;
    char text[400];
    snprintf(text, sizeof text, "%s{\"id\":\"z\",%s}\n", LINES, line);
    scratch_write("wrong.jsonl", text);
    assert_int_equal(build_with("no", "wrong.jsonl", "manifest.json", NULL, &summary, &error), -1);
    assert_non_null(strstr(error.message, "1 bad line"));
    size_t faults = summary.faults[RECORD_BAD_PICTURE] + summary.faults[RECORD_NO_TEXT];
    assert_int_equal(faults, 1);
    struct record record = {0};
    struct manifest manifest;
    assert_int_equal(manifest_parse(&manifest, MANIFEST, sizeof MANIFEST - 1, &error), 0);
    snprintf(text, sizeof text, "{\"id\":\"z\",%s}", line);
    record_read(&record, &manifest, text, strlen(text), "f:1", at("wrong.jsonl"));
    if (strstr(record.message, complaint) == NULL)
        fail_msg("%s: \"%s\" says nothing of %s", line, record.message, complaint);
    record_free(&record);
    manifest_free(&manifest);
}

static void test_bad_pictures(void **state) {
    (void)state;
    struct raster r;
    struct error error;
    assert_int_equal(raster_create(&r, 65, 4, &error), 0);
    assert_int_equal(raster_write_png(&r, at("wide.png"), &error), 0);
    raster_free(&r);
    check_refused("\"text\":\"t\",\"scan\":\"wide.png\"", "65 by 4 pixels");
    check_refused("\"text\":\"t\",\"scan\":\"absent.png\"", "absent.png");
    check_refused("\"text\":\"t\",\"scan\":\"lines.jsonl\"", "no PNG");
    check_refused("\"text\":\"t\",\"scan\":\".\"", "cannot read");
    check_refused("\"text\":\"t\",\"scan\":7", "\"scan\" is no path");
    check_refused("\"text\":\"t\",\"scan\":\"\"", "no path below");
    check_refused("\"text\":\"t\",\"scan\":\"/etc/passwd\"", "no path below");
    check_refused("\"text\":\"t\",\"scan\":\"../a.png\"", "no path below");
    check_refused("\"text\":\"t\",\"scan\":\"a/..\"", "no path below");
    check_refused("\"text\":\"t\",\"scan\":\"a//../b.png\"", "no path below");
    check_refused("\"text\":\"t\",\"scan\":\"..a.png\"", "..a.png: No such file");
    check_refused("\"text\":\"\",\"scan\":null", "is empty");
    check_refused("\"scan\":\"bars.png\"", "is absent");
}

/* A corpus of text, or of another book, lends its tokenizer. */
static void test_other_tokenizers(void **state) {
    (void)state;
    struct corpus_build_summary summary;
    struct error error;
    struct corpus *corpus, *again;
    scratch_write("plain.json", "{\"name\":\"Words\",\"id\":[\"id\"],\"vocabulary\":280}");
    scratch_write("words.jsonl", "{\"id\":\"c\",\"text\":\"words alone\"}\n");
    assert_int_equal(build_with("words", "words.jsonl", "plain.json", NULL, &summary, &error), 0);
    assert_int_equal(corpus_open(&corpus, at("words"), &error), 0);
    assert_int_equal(summary.patches, 0);
    assert_int_equal(build_with("no", "lines.jsonl", "manifest.json", corpus_tokenizer(corpus),
                                &summary, &error),
                     -1);
    assert_non_null(strstr(error.message, "no pictures"));
    corpus_close(corpus);
    assert_int_equal(build_with("no", "words.jsonl", "manifest.json", NULL, &summary, &error), -1);
    assert_non_null(strstr(error.message, "\"e\"")); /* held out, and it is not there */
    scratch_write("manifest2.json", "{\"name\":\"Words\",\"image\":\"scan\"}");
    assert_int_equal(build_with("no", "words.jsonl", "manifest2.json", NULL, &summary, &error), -1);
    assert_non_null(strstr(error.message, "\"scan\""));

    corpus = open_built("built", "lines.jsonl", &summary);
    assert_int_equal(build_with("again", "lines.jsonl", "manifest.json", corpus_tokenizer(corpus),
                                &summary, &error),
                     0);
    assert_int_equal(corpus_open(&again, at("again"), &error), 0);
    assert_int_equal(corpus_check_tokenizer(again, corpus_tokenizer(corpus), &error), 0);
    assert_int_equal(summary.patches, 4);
    corpus_close(again);
    corpus_close(corpus);
}

/* Some hundred pictures of chance, so that patches are united and several batches have work. */
static void write_many(void) {
    FILE *stream = fopen(at("many.jsonl"), "w");
    struct random random;
    random_seed(&random, 5, 5);
    assert_non_null(stream);
    fprintf(stream, "{\"id\":\"e\",\"text\":\"held out\"}\n");
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "many%d.png", i);
        write_picture(name, random_bits(&random), 1 + random_below(&random, 3));
        fprintf(stream, "{\"id\":\"m%d\",\"text\":\"m\",\"scan\":\"%s\"}\n", i, name);
    }
    fclose(stream);
}

static void test_threads_change_nothing(void **state) {
    (void)state;
    struct corpus_build_summary summary;
    int threads = omp_get_max_threads();
    char command[400];
    write_many();
    for (int count = 1; count <= 4; count += 3) {
        omp_set_num_threads(count);
        corpus_close(open_built(count == 1 ? "one" : "four", "many.jsonl", &summary));
        assert_true(summary.patches > 8 && summary.patches <= 16);
    }
    omp_set_num_threads(threads);
    snprintf(command, sizeof command, "diff -r %s %s", at("one"), at("four"));
    assert_int_equal(system(command), 0);
}

static void test_lack_of_memory(void **state) {
    (void)state;
    struct corpus_build_summary summary;
    struct error error;
    size_t in_use = memory_bytes_in_use();
    int result = -1;
    for (size_t n = 1; result != 0; n += n < 90 ? 1 : 7) {
        memory_fail_after(n);
        result = build_with("lack", "lines.jsonl", "manifest.json", NULL, &summary, &error);
        memory_fail_after(0);
        assert_int_equal(memory_bytes_in_use(), in_use);
        /* A picture that finds no memory is a bad line, which is worse than an error but as sure.
         */
        assert_true(result == 0 || error.message[0] != '\0');
        assert_true(n < 5000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_back),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_bad_pictures),
        cmocka_unit_test(test_other_tokenizers),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
