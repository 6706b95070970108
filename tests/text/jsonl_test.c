/* Lines come out the same however they are packed; broken packing is an error, not an end. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "text/jsonl.h"

static char directory[64];

static int start(void **state) {
    (void)state;
    strcpy(directory, "/tmp/trine-jsonl-XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int stop(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static const char *path_of(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void write_file(const char *name, const void *data, size_t bytes) {
    FILE *stream = fopen(path_of(name), "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(data, 1, bytes, stream), bytes);
    assert_int_equal(fclose(stream), 0);
}

static size_t pack_gzip(const char *text, size_t bytes, char *out, size_t room) {
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)text;
    z.avail_in = (uInt)bytes;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

/* Reads it all; returns a digest of lines and numbers, or -1 when it fails. */
static long read_all(const char *const *names, size_t count, size_t limit, size_t *lines,
                     size_t *too_long, struct error *error) {
    struct jsonl_source sources[4];
    char paths[4][128];
    for (size_t i = 0; i < count; i++) {
        strcpy(paths[i], path_of(names[i]));
        sources[i] = (struct jsonl_source){paths[i], -1};
    }
    struct jsonl_reader *reader;
    assert_int_equal(jsonl_open(&reader, sources, count, limit, error), 0);
    struct jsonl_line line;
    unsigned long digest = 17;
    int result;
    *lines = *too_long = 0;
    while ((result = jsonl_next(reader, &line, error)) == 0 && line.data != NULL) {
        digest = digest * 31 + line.number;
        for (size_t i = 0; i < line.bytes; i++)
            digest = digest * 31 + (unsigned char)line.data[i];
        *too_long += line.is_too_long != 0;
        ++*lines;
    }
    jsonl_close(reader);
    return result == 0 ? (long)(digest >> 1) : -1;
}

enum { TEXT_BYTES = 1 << 20, ROOM = 2 << 20 };

/* Lines from nothing to 300 kB, the last without newline. */
static size_t make_text(char *text) {
    size_t at = 0;
    for (unsigned i = 0; at < TEXT_BYTES - 400000; i++) {
        size_t length = i % 97 == 96 ? 300000 : (i * 7919u) % 200;
        for (size_t j = 0; j < length; j++)
            text[at++] = (char)('a' + (i + j * j) % 26);
        text[at++] = '\n';
    }
    memcpy(text + at, "last", 4);
    return at + 4;
}

static void test_packing_changes_nothing(void **state) {
    (void)state;
    char *text = malloc(TEXT_BYTES), *packed = malloc(ROOM);
    size_t bytes = make_text(text), half = bytes / 2;
    struct error error;
    size_t lines, other_lines, too_long;
    write_file("plain", text, bytes);
    size_t size = pack_gzip(text, bytes, packed, ROOM);
    write_file("gzip", packed, size);
    size = pack_gzip(text, half, packed, ROOM);
    size += pack_gzip(text + half, bytes - half, packed + size, ROOM - size);
    write_file("gzip-members", packed, size);
    size = ZSTD_compress(packed, ROOM, text, bytes, 3);
    write_file("zstd", packed, size);
    size = ZSTD_compress(packed, ROOM, text, half, 3);
    size += ZSTD_compress(packed + size, ROOM - size, text + half, bytes - half, 3);
    write_file("zstd-frames", packed, size);
    static const char *const NAMES[] = {"plain", "gzip", "gzip-members", "zstd", "zstd-frames"};
    long expected = read_all(NAMES, 1, 0, &lines, &too_long, &error);
    assert_true(expected >= 0 && lines > 150);
    for (int i = 1; i < 5; i++) {
        assert_int_equal(read_all(NAMES + i, 1, 0, &other_lines, &too_long, &error), expected);
        assert_int_equal(other_lines, lines);
    }
    free(text);
    free(packed);
}

static void test_truncated_and_broken(void **state) {
    (void)state;
    char *text = malloc(TEXT_BYTES), *packed = malloc(ROOM);
    size_t bytes = make_text(text), lines, too_long;
    struct error error;
    static const char *const NAME[] = {"broken"};
    for (int kind = 0; kind < 2; kind++) {
        size_t size = kind == 0 ? pack_gzip(text, bytes, packed, ROOM)
                                : ZSTD_compress(packed, ROOM, text, bytes, 3);
        for (size_t cut = 5; cut < size; cut += 1 + size / 37) {
            write_file("broken", packed, cut);
            assert_int_equal(read_all(NAME, 1, 0, &lines, &too_long, &error), -1);
            assert_non_null(strstr(error.message, "broken compressed data"));
        }
        write_file("broken", packed, size - 1);
        assert_int_equal(read_all(NAME, 1, 0, &lines, &too_long, &error), -1);
        packed[size] = 'x'; /* and what follows a member must be a member */
        write_file("broken", packed, size + 1);
        assert_int_equal(read_all(NAME, 1, 0, &lines, &too_long, &error), -1);
    }
    free(text);
    free(packed);
}

static void test_numbers_and_sources(void **state) {
    (void)state;
    struct error error;
    write_file("one",
               "\xef\xbb\xbf"
               "a\n\nc",
               7);
    write_file("none", "", 0);
    write_file("two", "d\n", 2);
    static const char *const NAMES[] = {"one", "none", "two"};
    static const struct {
        const char *text;
        size_t source, number;
    } EXPECTED[] = {{"a", 0, 1}, {"", 0, 2}, {"c", 0, 3}, {"d", 2, 1}};
    struct jsonl_source sources[3];
    char paths[3][128];
    for (int i = 0; i < 3; i++) {
        strcpy(paths[i], path_of(NAMES[i]));
        sources[i] = (struct jsonl_source){paths[i], -1};
    }
    struct jsonl_reader *reader;
    struct jsonl_line line;
    assert_int_equal(jsonl_open(&reader, sources, 3, 0, &error), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(jsonl_next(reader, &line, &error), 0);
        assert_int_equal(line.bytes, strlen(EXPECTED[i].text));
        assert_memory_equal(line.data, EXPECTED[i].text, line.bytes);
        assert_int_equal(line.source, EXPECTED[i].source);
        assert_int_equal(line.number, EXPECTED[i].number);
    }
    for (int i = 0; i < 2; i++) { /* the end stays the end */
        assert_int_equal(jsonl_next(reader, &line, &error), 0);
        assert_null(line.data);
    }
    assert_int_equal(jsonl_bytes_read(reader), 9);
    jsonl_close(reader);
}

static void test_long_lines_are_passed_over(void **state) {
    (void)state;
    struct error error;
    size_t lines, too_long;
    char *text = malloc(TEXT_BYTES);
    memset(text, 'x', TEXT_BYTES);
    text[100] = text[201] = text[TEXT_BYTES - 5] = '\n'; /* 100, 100, very long, 4 */
    write_file("long", text, TEXT_BYTES);
    static const char *const NAME[] = {"long"};
    assert_true(read_all(NAME, 1, 100, &lines, &too_long, &error) >= 0);
    assert_int_equal(lines, 4);
    assert_int_equal(too_long, 1);
    assert_true(read_all(NAME, 1, 99, &lines, &too_long, &error) >= 0);
    assert_int_equal(lines, 4);
    assert_int_equal(too_long, 3);
    free(text);
}

static void test_spooled_file_is_read_again(void **state) {
    (void)state;
    struct error error;
    FILE *spool = tmpfile();
    assert_non_null(spool);
    fputs("a\nb\n", spool);
    fflush(spool);
    struct jsonl_source source = {"-", fileno(spool)};
    for (int pass = 0; pass < 2; pass++) {
        struct jsonl_reader *reader;
        struct jsonl_line line;
        size_t lines = 0;
        assert_int_equal(jsonl_open(&reader, &source, 1, 0, &error), 0);
        while (jsonl_next(reader, &line, &error) == 0 && line.data != NULL)
            lines++;
        assert_int_equal(lines, 2);
        jsonl_close(reader);
    }
    fclose(spool);
}

static void test_absent_file(void **state) {
    (void)state;
    struct error error;
    size_t lines, too_long;
    static const char *const NAME[] = {"absent"};
    assert_int_equal(read_all(NAME, 1, 0, &lines, &too_long, &error), -1);
    assert_non_null(strstr(error.message, "absent"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packing_changes_nothing),
        cmocka_unit_test(test_truncated_and_broken),
        cmocka_unit_test(test_numbers_and_sources),
        cmocka_unit_test(test_long_lines_are_passed_over),
        cmocka_unit_test(test_spooled_file_is_read_again),
        cmocka_unit_test(test_absent_file),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
