#include "picture/patches.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LEVEL_STEP = RASTER_LEVEL_WHITE / PATCH_WHITEST };

size_t patches_along(size_t pixels) {
    return (pixels + PATCH_SIDE - 1) / PATCH_SIDE;
}

void patch_unpack(uint8_t levels[PATCH_PIXELS], uint64_t patch) {
    for (int i = PATCH_PIXELS; i-- > 0; patch >>= 4)
        levels[i] = (uint8_t)(patch & 15);
}

uint64_t patch_pack(const uint8_t levels[PATCH_PIXELS]) {
    uint64_t patch = 0;
    for (int i = 0; i < PATCH_PIXELS; i++)
        patch = patch << 4 | levels[i];
    return patch;
}

uint64_t patch_take(const struct raster *raster, size_t column, size_t row) {
    uint8_t levels[PATCH_PIXELS];
    for (size_t i = 0; i < PATCH_PIXELS; i++) {
        size_t x = column * PATCH_SIDE + i % PATCH_SIDE, y = row * PATCH_SIDE + i / PATCH_SIDE;
        int is_inside = x < raster->width && y < raster->height;
        int grey = is_inside ? raster->pixels[y * raster->width + x] : RASTER_LEVEL_WHITE;
        levels[i] = (uint8_t)((grey + LEVEL_STEP / 2) / LEVEL_STEP);
    }
    return patch_pack(levels);
}

void patch_draw(struct raster *raster, size_t column, size_t row, uint64_t patch) {
    uint8_t levels[PATCH_PIXELS];
    patch_unpack(levels, patch);
    for (size_t i = 0; i < PATCH_PIXELS; i++) {
        size_t x = column * PATCH_SIDE + i % PATCH_SIDE, y = row * PATCH_SIDE + i / PATCH_SIDE;
        if (x < raster->width && y < raster->height)
            raster->pixels[y * raster->width + x] = (uint8_t)(levels[i] * LEVEL_STEP);
    }
}

void patch_spell(char out[PATCH_SPELLING + 1], uint64_t patch) {
    snprintf(out, PATCH_SPELLING + 1, "<|patch %016" PRIx64 "|>", patch);
}

int patch_parse(uint64_t *patch, const char *text, size_t length) {
    if (length != PATCH_SPELLING || memcmp(text, "<|patch ", 8) != 0 ||
        memcmp(text + 24, "|>", 2) != 0)
        return -1;
    *patch = 0;
    for (size_t i = 8; i < 24; i++) {
        const char *digits = "0123456789abcdef", *digit = memchr(digits, text[i], 16);
        if (digit == NULL)
            return -1;
        *patch = *patch << 4 | (uint64_t)(digit - digits);
    }
    return 0;
}
