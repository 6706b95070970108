/* PNG files, and rows of tokens, whatever they hold. */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "fuzz/fuzz.h"
#include "picture/code_book.h"
#include "picture/patches.h"
#include "text/picture_tokens.h"

enum { FIRST_PATCH = 10 };

/* The bytes as a picture's tokens: 0 to 5 patches, 6 a row's end, 7 the image mark, 8 a text. */
static void decode_rows(const uint8_t *data, size_t size) {
    uint64_t patches[6] = {0, 1, 0xffff, 0x0f0f0f0f0f0f0f0f, 7, PATCH_WHITE};
    uint32_t ids[6] = {10, 11, 12, 13, 14, 15}, list[1024];
    struct picture_tokens pictures = {.image = 7, .row = 6, .patches = ids};
    struct token_list again = {0};
    struct raster raster;
    struct error error;
    size_t count = size < 1024 ? size : 1024;
    if (code_book_create(&pictures.book, patches, 6, &error) != 0)
        return;
    for (size_t i = 0; i < count; i++)
        list[i] = data[i] % 9 < 6 ? FIRST_PATCH + data[i] % 9u : data[i] % 9u;
    if (picture_tokens_decode(&pictures, list, count, &raster, &error) == 0 &&
        picture_tokens_encode(&pictures, &raster, &again, &error) != 0)
        abort(); /* what was decoded can be encoded */
    free(again.ids);
    raster_free(&raster);
    code_book_free(&pictures.book);
}

/* Most changes break a checksum, and little of the reader would be seen: they are mended. */
static void mend(uint8_t *data, size_t size) {
    for (size_t at = 8; at <= size && size - at >= 12;) {
        uint32_t length = (uint32_t)data[at] << 24 | (uint32_t)data[at + 1] << 16 |
                          (uint32_t)data[at + 2] << 8 | data[at + 3];
        if (length > size - at - 12)
            return;
        uint32_t sum = (uint32_t)crc32(0, data + at + 4, length + 4);
        for (int i = 0; i < 4; i++)
            data[at + 8 + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        at += length + 12;
    }
}

static void read_png(const uint8_t *data, size_t size) {
    struct raster raster;
    struct error error;
    if (raster_from_png(&raster, data, size, &error) == 0 &&
        (raster.width > RASTER_READ_LIMIT || raster.height > RASTER_READ_LIMIT ||
         raster.width == 0 || raster.height == 0))
        abort();
    raster_free(&raster);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *mended = malloc(size + 1);
    read_png(data, size);
    if (mended != NULL) {
        memcpy(mended, data, size);
        mend(mended, size);
        read_png(mended, size);
    }
    free(mended);
    decode_rows(data, size);
    return 0;
}
