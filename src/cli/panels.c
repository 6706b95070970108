#include "cli/panels.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/progress.h"

enum { GAP = 4 }; /* pixels between two pictures, before they are enlarged */

int panels_create(struct panels *panels, const struct model *model, struct error *error) {
    struct error inner;
    if (picture_tokens_create(&panels->pictures, model->tokenizer, &inner))
        return error_set(error, "%.200s cannot draw: %.700s", model->name, inner.message);
    return 0;
}

void panels_free(struct panels *panels) {
    for (size_t i = 0; i < panels->count; i++)
        raster_free(&panels->items[i]);
    free(panels->items);
    picture_tokens_free(&panels->pictures);
    *panels = (struct panels){0};
}

/* A picture is shown when it is whole. */
static int pass_over(void *context, const char *text, size_t length) {
    (void)context;
    (void)text;
    (void)length;
    return progress_stop_wanted();
}

int panels_draw(struct panels *panels, struct writer *writer, const struct handle *handle,
                const struct write_options *options, struct error *error) {
    struct drawing drawing;
    struct write_options own = *options;
    if (drawing_start(&drawing, &panels->pictures, panels->width, panels->height, error) ||
        memory_grow(&panels->items, &panels->capacity, panels->count + 1, sizeof *panels->items,
                    error))
        return -1;
    own.drawing = &drawing;
    own.tokens = DRAWING_TOKENS;
    if (writer_write(writer, handle, &own, pass_over, NULL, error))
        return -1;
    if (progress_stop_wanted())
        return 1;
    if (drawing_finish(&drawing, &panels->items[panels->count], error))
        return -1;
    panels->count++;
    return 0;
}

int panels_write(const struct panels *panels, size_t scale, const char *path, struct error *error) {
    struct raster joined = {0}, enlarged = {0};
    int result = raster_join(&joined, panels->items, panels->count, GAP, error) ||
                 raster_enlarge(&enlarged, &joined, scale, error) ||
                 raster_write_png(&enlarged, path, error);
    raster_free(&joined);
    raster_free(&enlarged);
    return result ? -1 : 0;
}

json_t *panels_last_to_json(const struct panels *panels) {
    const struct raster *raster = &panels->items[panels->count - 1];
    json_t *rows = json_array();
    for (size_t y = 0; y < raster->height; y++) {
        char digits[RASTER_READ_LIMIT + 1] = "";
        for (size_t x = 0; x < raster->width; x++)
            digits[x] = "0123456789abcdef"[raster->pixels[y * raster->width + x] / 17];
        json_array_append_new(rows, json_string(digits));
    }
    return rows;
}
