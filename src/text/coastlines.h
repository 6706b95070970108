/* Coastlines for maps, from a text file: each line is a closed ring of "longitude,latitude" pairs
 * with spaces between them, in degrees. recipes/places/fetch.sh makes such a file. */
#ifndef TRINE_TEXT_COASTLINES_H
#define TRINE_TEXT_COASTLINES_H

#include "base/chart_map.h"

struct coastlines {
    struct chart_map_line *rings;
    size_t count, capacity;
    double *numbers; /* all longitudes and latitudes */
};

/* The error names the line that is wrong; nothing is left to free then. */
int coastlines_read(struct coastlines *coastlines, const char *path, struct error *error);
void coastlines_free(struct coastlines *coastlines);

#endif
