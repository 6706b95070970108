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
/* The file coastlines.txt in the directory of a gazetteer; none (and no error) where there is no
 * such file, or the path is NULL. */
int coastlines_read_beside(struct coastlines *coastlines, const char *gazetteer_path,
                           struct error *error);
void coastlines_free(struct coastlines *coastlines);

#endif
