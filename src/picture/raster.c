#include "picture/raster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/shared_library.h"

#define PNG_FUNCTIONS(F)                                                                           \
    F(image_begin_read_from_memory)                                                                \
    F(image_finish_read)                                                                           \
    F(image_free)                                                                                  \
    F(image_write_to_stdio)
#define PNG_POINTER(name) __typeof__(png_##name) *name;
#define PNG_NAME(name) "png_" #name,

struct png_library {
    PNG_FUNCTIONS(PNG_POINTER)
};

enum { SIGNATURE_BYTES = 8, CHUNK_OVERHEAD = 12, HEADER_BYTES = 13, CHANNELS = 4 };

static const unsigned char SIGNATURE[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

static int open_library(struct png_library *png, struct error *error) {
    static const char *const NAMES[] = {PNG_FUNCTIONS(PNG_NAME)};
    return shared_library_load(png, NAMES, sizeof NAMES / sizeof *NAMES, "libpng16.so.16", error);
}

int raster_create(struct raster *out, size_t width, size_t height, struct error *error) {
    *out = (struct raster){0};
    if (width < 1 || height < 1 || width > RASTER_WRITE_LIMIT || height > RASTER_WRITE_LIMIT)
        return error_set(error, "a picture has 1 to %d pixels a side, not %zu by %zu",
                         RASTER_WRITE_LIMIT, width, height);
    out->pixels = memory_allocate(width * height, 1, error);
    if (out->pixels == NULL)
        return -1;
    memset(out->pixels, RASTER_LEVEL_WHITE, width * height);
    out->width = width;
    out->height = height;
    return 0;
}

void raster_free(struct raster *raster) {
    memory_free(raster->pixels);
    *raster = (struct raster){0};
}

int raster_is_png(const void *data, size_t bytes) {
    return bytes >= SIGNATURE_BYTES && memcmp(data, SIGNATURE, SIGNATURE_BYTES) == 0;
}

static uint32_t big_endian(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* What libpng is given: the chunks without which there is no picture, and its transparency. The
 * others could ask for gigabytes (compressed texts and profiles) or change the greys. */
static int is_wanted(const unsigned char *type) {
    return (type[0] & 0x20) == 0 || memcmp(type, "tRNS", 4) == 0;
}

static int check_header(const unsigned char *data, size_t bytes, struct error *error) {
    static const size_t FIRST = SIGNATURE_BYTES;
    if (!raster_is_png(data, bytes))
        return error_set(error, "it is no PNG file");
    if (bytes - FIRST < CHUNK_OVERHEAD + HEADER_BYTES || big_endian(data + FIRST) != HEADER_BYTES ||
        memcmp(data + FIRST + 4, "IHDR", 4) != 0)
        return error_set(error, "the PNG file does not begin with a header");
    uint32_t width = big_endian(data + FIRST + 8), height = big_endian(data + FIRST + 12);
    if (width < 1 || height < 1 || width > RASTER_READ_LIMIT || height > RASTER_READ_LIMIT)
        return error_set(error,
                         "the picture has %u by %u pixels; there must be 1 to %d a side: make it "
                         "smaller first",
                         width, height, RASTER_READ_LIMIT);
    return 0;
}

/* kept[bytes] <- the file without what is not wanted. */
static int keep_wanted(unsigned char *kept, size_t *kept_bytes, const unsigned char *data,
                       size_t bytes, struct error *error) {
    memcpy(kept, data, SIGNATURE_BYTES);
    *kept_bytes = SIGNATURE_BYTES;
    for (size_t at = SIGNATURE_BYTES;;) {
        size_t left = bytes - at;
        if (left < CHUNK_OVERHEAD || big_endian(data + at) > left - CHUNK_OVERHEAD)
            return error_set(error, "the PNG file ends before its picture does");
        size_t length = CHUNK_OVERHEAD + big_endian(data + at);
        const unsigned char *type = data + at + 4;
        if (is_wanted(type)) {
            memcpy(kept + *kept_bytes, data + at, length);
            *kept_bytes += length;
        }
        if (memcmp(type, "IEND", 4) == 0)
            return 0;
        at += length;
    }
}

/* Laid on white, then the luma. */
static uint8_t grey_of(const uint8_t *pixel) {
    unsigned alpha = pixel[3], on_paper[3];
    for (int c = 0; c < 3; c++)
        on_paper[c] = (pixel[c] * alpha + 255 * (255 - alpha) + 127) / 255;
    return (uint8_t)((2126 * on_paper[0] + 7152 * on_paper[1] + 722 * on_paper[2] + 5000) / 10000);
}

static int decode(struct raster *out, const struct png_library *png, const unsigned char *data,
                  size_t bytes, struct error *error) {
    uint8_t pixels[RASTER_READ_LIMIT * RASTER_READ_LIMIT * CHANNELS];
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png->image_begin_read_from_memory(&image, data, bytes))
        return error_set(error, "the PNG file is broken: %s", image.message);
    image.format = PNG_FORMAT_RGBA;
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* not of linear light */
    if (image.width > RASTER_READ_LIMIT || image.height > RASTER_READ_LIMIT) {
        png->image_free(&image);
        return error_set(error, "the PNG file has two headers");
    }
    if (!png->image_finish_read(&image, NULL, pixels, 0, NULL))
        return error_set(error, "the PNG file is broken: %s", image.message);
    if (raster_create(out, image.width, image.height, error))
        return -1;
    for (size_t i = 0; i < out->width * out->height; i++)
        out->pixels[i] = grey_of(pixels + i * CHANNELS);
    return 0;
}

int raster_from_png(struct raster *out, const void *data, size_t bytes, struct error *error) {
    struct png_library png;
    *out = (struct raster){0};
    if (bytes > RASTER_FILE_LIMIT)
        return error_set(error, "the PNG file is larger than %d bytes", RASTER_FILE_LIMIT);
    if (check_header(data, bytes, error) || open_library(&png, error))
        return -1;
    size_t kept_bytes;
    unsigned char *kept = memory_allocate(bytes, 1, error);
    int result = kept == NULL || keep_wanted(kept, &kept_bytes, data, bytes, error)
                     ? -1
                     : decode(out, &png, kept, kept_bytes, error);
    memory_free(kept);
    return result;
}

int raster_read_png(struct raster *out, const char *path, struct error *error) {
    char *data;
    size_t bytes;
    *out = (struct raster){0};
    if (file_read_all(path, RASTER_FILE_LIMIT, &data, &bytes, error))
        return -1;
    struct error inner;
    int result = raster_from_png(out, data, bytes, &inner);
    free(data);
    return result == 0 ? 0 : error_set(error, "%.400s: %.500s", path, inner.message);
}

static int write_stream(const struct raster *raster, FILE *stream, const char *name,
                        struct error *error) {
    struct png_library png;
    if (open_library(&png, error))
        return -1;
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)raster->width,
                       .height = (png_uint_32)raster->height,
                       .format = PNG_FORMAT_GRAY};
    if (!png.image_write_to_stdio(&image, stream, 0, raster->pixels, 0, NULL))
        return error_set(error, "cannot write %s: %s", name, image.message);
    return 0;
}

int raster_write_png(const struct raster *raster, const char *path, struct error *error) {
    if (strcmp(path, "-") == 0) {
        if (write_stream(raster, stdout, "standard output", error))
            return -1;
        return fflush(stdout) == 0 ? 0 : error_set_errno(error, "cannot write standard output");
    }
    struct file_writer file;
    if (file_writer_open(&file, path, error))
        return -1;
    if (write_stream(raster, file.stream, path, error)) {
        file_writer_abort(&file);
        return -1;
    }
    return file_writer_commit(&file, error);
}

int raster_enlarge(struct raster *out, const struct raster *raster, size_t factor,
                   struct error *error) {
    if (factor < 1 || factor > RASTER_WRITE_LIMIT)
        return error_set(error, "a picture cannot be made %zu times as large", factor);
    if (raster_create(out, raster->width * factor, raster->height * factor, error))
        return -1;
    for (size_t y = 0; y < out->height; y++)
        for (size_t x = 0; x < out->width; x++)
            out->pixels[y * out->width + x] =
                raster->pixels[y / factor * raster->width + x / factor];
    return 0;
}

int raster_join(struct raster *out, const struct raster *rasters, size_t count, size_t gap,
                struct error *error) {
    size_t width = count > 0 ? (count - 1) * gap : 0, height = 0, left = 0;
    for (size_t i = 0; i < count; i++) {
        width += rasters[i].width;
        height = rasters[i].height > height ? rasters[i].height : height;
    }
    if (raster_create(out, width, height, error))
        return -1;
    for (size_t i = 0; i < count; left += rasters[i++].width + gap)
        for (size_t y = 0; y < rasters[i].height; y++)
            memcpy(out->pixels + y * width + left, rasters[i].pixels + y * rasters[i].width,
                   rasters[i].width);
    return 0;
}
