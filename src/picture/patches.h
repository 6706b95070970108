/* Pictures as patches of 4 by 4 pixels in 16 greys. A patch is a number of 64 bits: its 16
 * hexadecimal digits are its pixels, row by row, 0 for ink to f for paper. That number, spelt
 * "<|patch 0123456789abcdef|>", is also how a vocabulary writes it. */
#ifndef TRINE_PICTURE_PATCHES_H
#define TRINE_PICTURE_PATCHES_H

#include "picture/raster.h"

enum {
    PATCH_SIDE = 4,
    PATCH_PIXELS = 16,
    PATCH_WHITEST = 15,
    PATCH_SPELLING = 26, /* bytes */
    PATCHES_A_SIDE = RASTER_READ_LIMIT / PATCH_SIDE
};

static const uint64_t PATCH_WHITE = UINT64_MAX;

/* Patches along a side of so many pixels; the last one may reach beyond. */
size_t patches_along(size_t pixels);

/* The patch at a column and row of patches; white beyond the right and the bottom. */
uint64_t patch_take(const struct raster *raster, size_t column, size_t row);
void patch_draw(struct raster *raster, size_t column, size_t row, uint64_t patch);

/* The pixels, 0 .. PATCH_WHITEST, and back. */
void patch_unpack(uint8_t levels[PATCH_PIXELS], uint64_t patch);
uint64_t patch_pack(const uint8_t levels[PATCH_PIXELS]);

void patch_spell(char out[PATCH_SPELLING + 1], uint64_t patch);
/* Returns -1 when the text spells no patch. */
int patch_parse(uint64_t *patch, const char *text, size_t length);

#endif
