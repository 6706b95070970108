/* What all pictures share: the page and its file, axes with their ticks, colours, text. Included
 * by the drawing parts of the chart module only. */
#ifndef TRINE_BASE_CHART_CANVAS_H
#define TRINE_BASE_CHART_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

#include <cairo-svg.h>

#include "base/error.h"
#include "base/file.h"

/* Cairo's functions; it is opened with the first page (base/shared_library.h). */
#define CHART_CAIRO(F)                                                                             \
    F(arc)                                                                                         \
    F(clip)                                                                                        \
    F(close_path)                                                                                  \
    F(create)                                                                                      \
    F(destroy)                                                                                     \
    F(fill)                                                                                        \
    F(fill_preserve)                                                                               \
    F(font_extents)                                                                                \
    F(image_surface_create)                                                                        \
    F(line_to)                                                                                     \
    F(move_to)                                                                                     \
    F(new_path)                                                                                    \
    F(new_sub_path)                                                                                \
    F(paint)                                                                                       \
    F(pattern_add_color_stop_rgb)                                                                  \
    F(pattern_create_linear)                                                                       \
    F(pattern_destroy)                                                                             \
    F(rectangle)                                                                                   \
    F(restore)                                                                                     \
    F(rotate)                                                                                      \
    F(save)                                                                                        \
    F(select_font_face)                                                                            \
    F(set_dash)                                                                                    \
    F(set_font_size)                                                                               \
    F(set_line_cap)                                                                                \
    F(set_line_join)                                                                               \
    F(set_line_width)                                                                              \
    F(set_source)                                                                                  \
    F(set_source_rgb)                                                                              \
    F(set_source_rgba)                                                                             \
    F(show_text)                                                                                   \
    F(status)                                                                                      \
    F(status_to_string)                                                                            \
    F(stroke)                                                                                      \
    F(surface_destroy)                                                                             \
    F(surface_finish)                                                                              \
    F(surface_set_device_scale)                                                                    \
    F(surface_status)                                                                              \
    F(surface_write_to_png_stream)                                                                 \
    F(svg_surface_create_for_stream)                                                               \
    F(text_extents)                                                                                \
    F(translate)
#define CHART_CAIRO_POINTER(name) __typeof__(cairo_##name) *name;
struct chart_cairo {
    CHART_CAIRO(CHART_CAIRO_POINTER)
};
extern struct chart_cairo chart_draw;

struct chart_colour {
    double red, green, blue;
};

struct chart_canvas {
    cairo_t *cairo;
    cairo_surface_t *surface;
    struct file_writer file;
    bool is_png;
    double width, height; /* points */
};

/* Opens a white page; 0 for a size means the default. Then either close or abandon it. */
int chart_canvas_open(struct chart_canvas *canvas, const char *path, double width, double height,
                      struct error *error);
int chart_canvas_close(struct chart_canvas *canvas, struct error *error); /* writes the file */
void chart_canvas_abandon(struct chart_canvas *canvas);

enum chart_font { CHART_TITLE, CHART_AXIS_TITLE, CHART_TICK, CHART_LABEL };

void chart_set_font(cairo_t *cairo, enum chart_font font);
void chart_set_colour(cairo_t *cairo, struct chart_colour colour, double opacity);
double chart_text_width(cairo_t *cairo, const char *text);

/* Draws text whose anchor is at (x, y): `align` 0 left, 0.5 centre, 1 right; y is the base line. */
void chart_draw_text(cairo_t *cairo, const char *text, double x, double y, double align);

extern const struct chart_colour chart_ink, chart_grey;

/* The colour of series `index`, and of a value between 0 and 1 on the continuous scale. */
struct chart_colour chart_series_colour(size_t index);
struct chart_colour chart_scale_colour(double share);

/* An axis maps low..high to the page's from..to. */
struct chart_axis {
    double low, high;
    bool is_log;
    double from, to;
};

enum { CHART_TICKS = 24 };

struct chart_ticks {
    double values[CHART_TICKS];
    size_t count;
    double step;    /* 0 on a log axis */
    double largest; /* magnitude of any of them */
};

/* Widens low..high for a range that is empty, absent (low > high), or that needs air: `margin` is
 * the share of the range to add at both ends. */
void chart_axis_settle(struct chart_axis *axis, double margin);
double chart_axis_map(const struct chart_axis *axis, double value);

/* Round values inside the axis, about `wanted` of them. */
void chart_axis_ticks(const struct chart_axis *axis, size_t wanted, struct chart_ticks *ticks);

/* "0.25", "1850", "20k", "3M": as many decimals as the step between the ticks needs. */
void chart_tick_text(char *text, size_t capacity, const struct chart_ticks *ticks, size_t index);

/* Draws the grid, the ticks with their numbers, both axis titles and the title. The axes' from and
 * to give the plot's place: x.from left, x.to right, y.from bottom, y.to top. */
void chart_draw_frame(const struct chart_canvas *canvas, const struct chart_axis *x,
                      const struct chart_axis *y, const char *title, const char *x_title,
                      const char *y_title);

#endif
