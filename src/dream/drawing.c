#include "dream/drawing.h"

#include <string.h>

int drawing_start(struct drawing *d, const struct picture_tokens *pictures, size_t width,
                  size_t height, struct error *error) {
    if (width % PATCH_SIDE != 0 || height % PATCH_SIDE != 0 || width > RASTER_READ_LIMIT ||
        height > RASTER_READ_LIMIT)
        return error_set(error,
                         "a picture of %zu by %zu pixels cannot be drawn: both must be "
                         "multiples of %d up to %d",
                         width, height, PATCH_SIDE, RASTER_READ_LIMIT);
    *d = (struct drawing){
        .pictures = pictures, .columns = width / PATCH_SIDE, .rows = height / PATCH_SIDE};
    return 0;
}

int drawing_is_complete(const struct drawing *d) {
    return d->column == 0 && d->row == (d->rows > 0 ? d->rows : PATCHES_A_SIDE);
}

static void allow(uint8_t *banned, size_t vocabulary, uint32_t id) {
    if (id < vocabulary)
        banned[id] = 0;
}

void drawing_ban(const struct drawing *d, const struct tokenizer *tokenizer, uint8_t *banned,
                 size_t vocabulary) {
    size_t most = d->columns > 0 ? d->columns : PATCHES_A_SIDE;
    int is_decided = d->columns > 0;
    memset(banned, 1, vocabulary);
    for (size_t i = 0; d->column < most && i < d->pictures->book.count; i++)
        allow(banned, vocabulary, d->pictures->patches[i]);
    if (d->column == most || (!is_decided && d->column > 0))
        allow(banned, vocabulary, d->pictures->row);
    if (d->column == 0 && d->row > 0 && d->rows == 0) {
        allow(banned, vocabulary, tokenizer_end_of_text(tokenizer));
        allow(banned, vocabulary, tokenizer_end(tokenizer));
    }
}

void drawing_take(struct drawing *d, uint32_t id) {
    if (d->count == DRAWING_TOKENS)
        return;
    d->ids[d->count++] = id;
    if (id != d->pictures->row) {
        d->column++;
        return;
    }
    d->columns = d->column;
    d->column = 0;
    d->row++;
}

int drawing_finish(const struct drawing *d, struct raster *out, struct error *error) {
    return picture_tokens_decode(d->pictures, d->ids, d->count, out, error);
}
