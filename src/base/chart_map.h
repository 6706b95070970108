/* A map as an SVG or PNG picture: a field of shares over land and sea, circles and named points.
 * As in base/chart.h, the path's end chooses the picture, and arrays and texts are borrowed. */
#ifndef TRINE_BASE_CHART_MAP_H
#define TRINE_BASE_CHART_MAP_H

#include "base/chart.h"

/* Degrees; a line that crosses the 180th meridian goes on beyond it, or jumps to the other side. */
struct chart_map_line {
    const double *longitudes, *latitudes;
    size_t count;
};

struct chart_map {
    const char *title;
    double west, east, south, north; /* the window, degrees; at most 360 wide, east > west */
    /* [rows,columns] from the window's north-west corner, row by row, 0 to 1; NAN or 0: clear */
    const double *shares;
    size_t rows, columns;
    const struct chart_map_line *coasts; /* closed */
    size_t coast_count;
    const struct chart_map_line *circles; /* drawn dashed; closed */
    size_t circle_count;
    const struct chart_point *points; /* x: longitude, y: latitude */
    size_t point_count;
};

/* Equirectangular, true to scale at the window's middle latitude. */
int chart_map_write(const char *path, const struct chart_map *map, struct error *error);

#endif
