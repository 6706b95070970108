/* What `trine write --image` draws: pictures that become one PNG, side by side. */
#ifndef TRINE_CLI_PANELS_H
#define TRINE_CLI_PANELS_H

#include <jansson.h>

#include "dream/write.h"

/* Starts as zeros. */
struct panels {
    struct picture_tokens pictures;
    size_t width, height; /* of each picture in pixels; 0: the model's choice */
    struct raster *items; /* drawn so far */
    size_t count, capacity;
};

/* Refuses a model that has no pictures. */
int panels_create(struct panels *panels, const struct model *model, struct error *error);
void panels_free(struct panels *panels);

/* Draws one more; options->drawing and ->tokens are set here. Returns 1 when it was interrupted,
 * and then there is no picture. */
int panels_draw(struct panels *panels, struct writer *writer, const struct handle *handle,
                const struct write_options *options, struct error *error);

/* All of them, each pixel enlarged to scale by scale; "-" is standard output. */
int panels_write(const struct panels *panels, size_t scale, const char *path, struct error *error);

/* The last picture: a string for each row of pixels, a hexadecimal grey for each pixel. */
json_t *panels_last_to_json(const struct panels *panels);

#endif
