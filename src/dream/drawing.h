/* A picture while it is written: which tokens may come next, and those that came.
 *
 * After "<|image|>" a patch follows another until the row is full. The first row decides how long
 * rows are, unless that was asked for; the picture ends at the beginning of a row, when as many
 * came as were asked for or when the model ends it. */
#ifndef TRINE_DREAM_DRAWING_H
#define TRINE_DREAM_DRAWING_H

#include "picture/patches.h"
#include "text/picture_tokens.h"

/* The tokens of the largest picture, without the one that begins it. */
enum { DRAWING_TOKENS = PATCHES_A_SIDE * (PATCHES_A_SIDE + 1) };

struct drawing {
    const struct picture_tokens *pictures; /* borrowed */
    size_t columns, rows;                  /* of patches; 0: not decided yet */
    size_t column, row;                    /* where the next token goes */
    uint32_t ids[DRAWING_TOKENS];
    size_t count;
};

/* Sizes in pixels, multiples of PATCH_SIDE up to RASTER_READ_LIMIT; 0: the model's choice. */
int drawing_start(struct drawing *drawing, const struct picture_tokens *pictures, size_t width,
                  size_t height, struct error *error);

/* Whether no token is left to be drawn. */
int drawing_is_complete(const struct drawing *drawing);

/* banned[vocabulary] <- 0 for the tokens that may come next, 1 for all others. Ends of a text may
 * come where the picture may end. */
void drawing_ban(const struct drawing *drawing, const struct tokenizer *tokenizer, uint8_t *banned,
                 size_t vocabulary);

/* A token that may come next, none that ends. */
void drawing_take(struct drawing *drawing, uint32_t id);

/* As far as it came; a last row that is not full is filled up with white. */
int drawing_finish(const struct drawing *drawing, struct raster *out, struct error *error);

#endif
