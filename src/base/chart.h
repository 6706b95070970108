/* Charts as SVG or PNG pictures, and plots for a terminal.
 *
 * A picture is chosen by its path: ".svg" or ".png" (drawn at twice the size, for sharp text), and
 * is written wholly or not at all. Values that are not finite are left out. Texts are UTF-8 and are
 * borrowed for the call, as are all arrays; any of them but the names of series may be NULL. Sizes
 * are in points; 0 means the default. */
#ifndef TRINE_BASE_CHART_H
#define TRINE_BASE_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

struct chart_point {
    double x, y;
    double colour;     /* on the scale of the legend; NAN draws the point grey */
    const char *label; /* NULL or "" for none */
};

struct chart_scatter {
    const char *title, *x_title, *y_title;
    const char *colour_title; /* NULL: points have one colour and there is no legend */
    const struct chart_point *points;
    size_t point_count;
    bool is_equal_scale; /* one unit is as long on both axes, as it should be for a map */
    double width, height;
};

/* Draws labelled points. Labels are moved apart, with a line back to the point when they end up
 * away from it; a label that still overlaps another is left out. Good for some 100 labels. */
int chart_scatter_write(const char *path, const struct chart_scatter *chart, struct error *error);

struct chart_series {
    const char *name;
    const double *x, *y;      /* [count], x ascending */
    const double *low, *high; /* [count], a band around y; both NULL for none */
    size_t count;
};

struct chart_lines {
    const char *title, *x_title, *y_title;
    const struct chart_series *series;
    size_t series_count;
    bool is_x_log; /* then values of x that are not positive are left out */
    double width, height;
};

/* Draws one line per series, with its band behind it, and a legend. */
int chart_lines_write(const char *path, const struct chart_lines *chart, struct error *error);

struct chart_plot {
    const char *title, *x_title;
    const double *x, *y, *low, *high; /* as in chart_series; x NULL: 0, 1, 2, ... */
    size_t count;
    size_t width, height; /* of the plot in characters, without the labels; 0: 64 by 12 */
};

/* Prints a line with its band in block characters (UTF-8). Points that share a column are
 * averaged. Returns -1 when there is no memory or the stream fails. */
int chart_plot_print(FILE *stream, const struct chart_plot *plot, struct error *error);

/* Prints `count` values as one line of at most `width` bars, without a newline. The bars span the
 * values' own range. Missing values are spaces. */
int chart_sparkline_print(FILE *stream, const double *values, size_t count, size_t width,
                          struct error *error);

#endif
