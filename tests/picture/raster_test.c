/* PNG files: every kind of pixels becomes the grey that it should, what was written is read back,
 * and broken, hostile and large ones are refused. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "picture/raster.h"

/* A PNG file that is put together here. */
struct file {
    unsigned char bytes[1 << 16];
    size_t count;
};

static void add(struct file *f, const void *data, size_t bytes) {
    assert_true(bytes <= sizeof f->bytes - f->count);
    memcpy(f->bytes + f->count, data, bytes);
    f->count += bytes;
}

static void add_number(struct file *f, size_t value) {
    unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                              (unsigned char)(value >> 8), (unsigned char)value};
    add(f, bytes, 4);
}

static void add_chunk(struct file *f, const char *type, const void *data, size_t bytes) {
    add_number(f, bytes);
    size_t start = f->count;
    add(f, type, 4);
    add(f, data, bytes);
    add_number(f, crc32(0, f->bytes + start, (uInt)(f->count - start)));
}

struct kind {
    size_t width, height;
    int depth, colour, is_interlaced;
};

static void begin(struct file *f, const struct kind *kind) {
    unsigned char end[5] = {(unsigned char)kind->depth, (unsigned char)kind->colour, 0, 0,
                            (unsigned char)kind->is_interlaced};
    f->count = 0;
    add(f, "\x89PNG\r\n\x1a\n", 8);
    struct file header = {.count = 0};
    add_number(&header, kind->width);
    add_number(&header, kind->height);
    add(&header, end, 5);
    add_chunk(f, "IHDR", header.bytes, header.count);
}

/* rows: a byte for the filter, then pixels, for each row of each pass. */
static void end(struct file *f, const void *rows, size_t bytes) {
    unsigned char packed[1 << 15];
    uLongf packed_bytes = sizeof packed;
    assert_int_equal(compress(packed, &packed_bytes, rows, bytes), Z_OK);
    add_chunk(f, "IDAT", packed, packed_bytes);
    add_chunk(f, "IEND", "", 0);
}

static void check_read(const struct file *f, const uint8_t *expected, size_t width, size_t height) {
    struct raster r;
    struct error error;
    if (raster_from_png(&r, f->bytes, f->count, &error))
        fail_msg("%s", error.message);
    assert_int_equal(r.width, width);
    assert_int_equal(r.height, height);
    assert_memory_equal(r.pixels, expected, width * height);
    raster_free(&r);
}

static void refuse(const struct file *f, const char *complaint) {
    struct raster r;
    struct error error = {""};
    size_t in_use = memory_bytes_in_use();
    assert_int_equal(raster_from_png(&r, f->bytes, f->count, &error), -1);
    assert_null(r.pixels);
    assert_int_equal(memory_bytes_in_use(), in_use);
    if (strstr(error.message, complaint) == NULL)
        fail_msg("\"%s\" says nothing of \"%s\"", error.message, complaint);
}

static void test_kinds_of_pixels(void **state) {
    (void)state;
    struct file f;
    begin(&f, &(struct kind){3, 1, 8, 0, 0});
    end(&f, "\0\0\x80\xff", 4);
    check_read(&f, (uint8_t[]){0, 128, 255}, 3, 1);

    begin(&f, &(struct kind){4, 2, 1, 0, 0}); /* bits */
    end(&f, "\0\xa0\0\x50", 4);
    check_read(&f, (uint8_t[]){255, 0, 255, 0, 0, 255, 0, 255}, 4, 2);

    begin(&f, &(struct kind){2, 1, 16, 0, 0}); /* values as stored, no linear light */
    end(&f, "\0\x80\x80\x40\x40", 5);
    check_read(&f, (uint8_t[]){128, 64}, 2, 1);

    begin(&f, &(struct kind){3, 1, 8, 2, 0}); /* red, green, blue */
    end(&f, "\0\xff\0\0\0\xff\0\0\0\xff", 10);
    check_read(&f, (uint8_t[]){54, 182, 18}, 3, 1);

    begin(&f, &(struct kind){3, 1, 8, 4, 0}); /* ink on nothing, half, all */
    end(&f, "\0\0\0\0\x80\0\xff", 7);
    check_read(&f, (uint8_t[]){255, 127, 0}, 3, 1);

    begin(&f, &(struct kind){2, 1, 8, 3, 0}); /* a palette whose second colour is clear */
    add_chunk(&f, "PLTE", "\x10\x10\x10\0\0\0", 6);
    add_chunk(&f, "tRNS", "\xff\0", 2);
    end(&f, "\0\0\1", 3);
    check_read(&f, (uint8_t[]){16, 255}, 2, 1);

    begin(&f, &(struct kind){2, 2, 8, 0, 1}); /* interlaced: passes of 1, 1 and 2 pixels */
    end(&f, "\0\1\0\2\0\3\4", 7);
    check_read(&f, (uint8_t[]){1, 2, 3, 4}, 2, 2);
}

/* What a file says of gamma and profiles changes nothing, and its texts are never unpacked. */
static void test_other_chunks(void **state) {
    (void)state;
    struct file f;
    begin(&f, &(struct kind){2, 1, 8, 0, 0});
    add_chunk(&f, "gAMA", "\0\1\x86\xa0", 4);
    add_chunk(&f, "iCCP", "broken", 6);
    unsigned char zeros[30000] = {0}, packed[1 << 10] = {'t', 0, 0};
    uLongf packed_bytes = sizeof packed - 3;
    assert_int_equal(compress(packed + 3, &packed_bytes, zeros, sizeof zeros), Z_OK);
    for (int i = 0; i < 300; i++)
        add_chunk(&f, "zTXt", packed, packed_bytes + 3);
    end(&f, "\0\x40\xc0", 3);
    check_read(&f, (uint8_t[]){64, 192}, 2, 1);
}

static void test_hostile_files(void **state) {
    (void)state;
    struct file f = {.count = 0};
    refuse(&f, "no PNG");
    add(&f, "\x89PNG\r\n\x1a\n", 8);
    refuse(&f, "header");
    begin(&f, &(struct kind){65, 64, 8, 0, 0});
    end(&f, "", 0);
    refuse(&f, "65 by 64");
    begin(&f, &(struct kind){0xffffffff, 0x7fffffff, 8, 0, 0});
    end(&f, "", 0);
    refuse(&f, "4294967295 by 2147483647");
    begin(&f, &(struct kind){0, 4, 8, 0, 0});
    end(&f, "", 0);
    refuse(&f, "0 by 4");
    begin(&f, &(struct kind){2, 2, 7, 0, 0});
    end(&f, "\0\0\0\0\0\0", 6);
    refuse(&f, "broken");
    begin(&f, &(struct kind){4, 4, 8, 0, 0});
    end(&f, "\0\0\0\0\0", 5); /* one row of four */
    refuse(&f, "broken");
    begin(&f, &(struct kind){4, 4, 8, 0, 0});
    add_chunk(&f, "IEND", "", 0);
    refuse(&f, "broken");
    begin(&f, &(struct kind){2, 1, 8, 3, 0}); /* no palette */
    end(&f, "\0\0\1", 3);
    refuse(&f, "broken");
    begin(&f, &(struct kind){2, 1, 8, 0, 0});
    add_chunk(&f, "CgBI", "", 0); /* says that one must know it */
    end(&f, "\0\0\1", 3);
    refuse(&f, "broken");
    begin(&f, &(struct kind){2, 1, 8, 0, 0});
    add_number(&f, 0xfffffff8); /* a chunk longer than memory */
    add(&f, "tEXt", 4);
    end(&f, "\0\0\1", 3);
    refuse(&f, "ends before");
    begin(&f, &(struct kind){2, 1, 8, 0, 0}); /* small, then large */
    unsigned char large[13] = {0, 1, 0, 0, 0, 1, 0, 0, 8, 0, 0, 0, 0};
    add_chunk(&f, "IHDR", large, 13);
    end(&f, "\0\0\1", 3);
    refuse(&f, "PNG file");
}

static void fill(struct raster *r, size_t width, size_t height) {
    struct random random;
    struct error error;
    random_seed(&random, width, height);
    assert_int_equal(raster_create(r, width, height, &error), 0);
    for (size_t i = 0; i < width * height; i++)
        r->pixels[i] = (uint8_t)random_below(&random, 256);
}

/* Whatever byte is missing or wrong, nothing but the picture itself or an error comes out. */
static void test_cut_and_flipped(void **state) {
    (void)state;
    struct raster r, back;
    struct error error;
    char path[] = "/tmp/trine-raster-XXXXXX", *data;
    size_t bytes;
    close(mkstemp(path));
    fill(&r, 9, 7);
    assert_int_equal(raster_write_png(&r, path, &error), 0);
    assert_int_equal(file_read_all(path, 1 << 16, &data, &bytes, &error), 0);
    for (size_t cut = 0; cut < bytes; cut++)
        assert_int_equal(raster_from_png(&back, data, cut, &error), -1);
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
        if (raster_from_png(&back, data, bytes, &error) == 0) {
            assert_int_equal(back.width, r.width); /* of chunks that are passed over */
            assert_memory_equal(back.pixels, r.pixels, 63);
            raster_free(&back);
        }
        data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
    }
    free(data);
    raster_free(&r);
    unlink(path);
}

static void test_write_and_read(void **state) {
    (void)state;
    char path[] = "/tmp/trine-raster-XXXXXX";
    static const size_t SIZES[][2] = {{1, 1}, {64, 64}, {24, 24}, {63, 5}};
    close(mkstemp(path));
    for (size_t i = 0; i < 4; i++) {
        struct raster r, back;
        struct error error;
        fill(&r, SIZES[i][0], SIZES[i][1]);
        if (raster_write_png(&r, path, &error) || raster_read_png(&back, path, &error))
            fail_msg("%s", error.message);
        assert_int_equal(back.width, r.width);
        assert_int_equal(back.height, r.height);
        assert_memory_equal(back.pixels, r.pixels, r.width * r.height);
        raster_free(&r);
        raster_free(&back);
    }
    unlink(path);
    struct raster r, back;
    struct error error;
    fill(&r, 2, 2);
    assert_int_equal(raster_write_png(&r, "/nowhere/a.png", &error), -1);
    assert_int_equal(raster_read_png(&back, "/nowhere/a.png", &error), -1);
    assert_non_null(strstr(error.message, "/nowhere/a.png"));
    raster_free(&r);
}

static void test_enlarge_and_join(void **state) {
    (void)state;
    struct raster parts[2], joined, enlarged;
    struct error error;
    assert_int_equal(raster_create(&parts[0], 1, 2, &error), 0);
    assert_int_equal(raster_create(&parts[1], 2, 1, &error), 0);
    memset(parts[0].pixels, 0, 2);
    memset(parts[1].pixels, 9, 2);
    assert_int_equal(raster_join(&joined, parts, 2, 1, &error), 0);
    assert_int_equal(joined.width, 4);
    assert_memory_equal(joined.pixels, ((uint8_t[]){0, 255, 9, 9, 0, 255, 255, 255}), 8);
    assert_int_equal(raster_enlarge(&enlarged, &joined, 2, &error), 0);
    assert_int_equal(enlarged.width, 8);
    assert_int_equal(enlarged.height, 4);
    assert_memory_equal(enlarged.pixels + 8, ((uint8_t[]){0, 0, 255, 255, 9, 9, 9, 9}), 8);
    raster_free(&enlarged);
    assert_int_equal(raster_enlarge(&enlarged, &joined, 1 << 14, &error), -1);
    assert_int_equal(raster_enlarge(&enlarged, &joined, SIZE_MAX / 2, &error), -1);
    raster_free(&joined);
    assert_int_equal(raster_join(&joined, parts, 0, 1, &error), -1);
    raster_free(&parts[0]);
    raster_free(&parts[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds_of_pixels), cmocka_unit_test(test_other_chunks),
        cmocka_unit_test(test_hostile_files),   cmocka_unit_test(test_cut_and_flipped),
        cmocka_unit_test(test_write_and_read),  cmocka_unit_test(test_enlarge_and_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
