/* A small grey picture, and PNG in and out.
 *
 * Whatever a file holds is made one grey value for each pixel: colour and alpha are laid on white
 * paper, then the luma of Rec. 709 is taken of the values as they are stored. Profiles, gamma and
 * texts of a file are passed over. libpng is opened when it is first needed. */
#ifndef TRINE_PICTURE_RASTER_H
#define TRINE_PICTURE_RASTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    RASTER_READ_LIMIT = 64,        /* pixels of a side of a picture that is read */
    RASTER_FILE_LIMIT = 1 << 20,   /* bytes of a file; 64 by 64 pixels need a thirtieth */
    RASTER_WRITE_LIMIT = 1 << 15,  /* pixels of a side of one that is written */
    RASTER_LEVEL_WHITE = UINT8_MAX /* paper; ink is 0 */
};

/* Zeros are a raster without pixels. */
struct raster {
    size_t width, height;
    uint8_t *pixels; /* [height,width] grey, row by row; the raster's own */
};

/* A white raster. */
int raster_create(struct raster *out, size_t width, size_t height, struct error *error);
void raster_free(struct raster *raster);

/* Whether the bytes begin as a PNG file does. */
int raster_is_png(const void *data, size_t bytes);

/* Reads a PNG file, of any kind of pixels, from memory or from a regular file. Refuses one of more
 * than RASTER_READ_LIMIT pixels a side before anything is unpacked. */
int raster_from_png(struct raster *out, const void *data, size_t bytes, struct error *error);
int raster_read_png(struct raster *out, const char *path, struct error *error);

/* Writes 8-bit grey, wholly or not at all; "-" is standard output. */
int raster_write_png(const struct raster *raster, const char *path, struct error *error);

/* Each pixel becomes factor by factor of them. */
int raster_enlarge(struct raster *out, const struct raster *raster, size_t factor,
                   struct error *error);
/* rasters[count] side by side, their tops in line, with `gap` white pixels between them. */
int raster_join(struct raster *out, const struct raster *rasters, size_t count, size_t gap,
                struct error *error);

#endif
