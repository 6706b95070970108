#include "base/chart.h"

#include <math.h>

#include "base/chart_canvas.h"
#include "base/chart_labels.h"
#include "base/memory.h"

static const double LEFT = 78, RIGHT = 28, BOTTOM = 66, TOP = 52;
static const double POINT_RADIUS = 4, LEGEND_ROW = 20, SCALE_WIDTH = 14;

static void widen(struct chart_axis *axis, double value) {
    axis->low = fmin(axis->low, value);
    axis->high = fmax(axis->high, value);
}

static struct chart_axis empty_axis(bool is_log) {
    return (struct chart_axis){.low = INFINITY, .high = -INFINITY, .is_log = is_log};
}

/* Scatter */

static bool is_drawn(const struct chart_point *point) {
    return isfinite(point->x) && isfinite(point->y);
}

/* Makes one unit as long on both axes by showing more of the one that has room. */
static void equalise(struct chart_axis *x, struct chart_axis *y) {
    double x_unit = fabs(x->to - x->from) / (x->high - x->low);
    double y_unit = fabs(y->to - y->from) / (y->high - y->low);
    struct chart_axis *roomy = x_unit > y_unit ? x : y;
    double factor = fmax(x_unit, y_unit) / fmin(x_unit, y_unit);
    double more = (factor - 1) / 2 * (roomy->high - roomy->low);
    roomy->low -= more;
    roomy->high += more;
}

static struct chart_colour point_colour(const struct chart_scatter *chart,
                                        const struct chart_axis *scale,
                                        const struct chart_point *point) {
    if (chart->colour_title == NULL)
        return chart_series_colour(0);
    if (!isfinite(point->colour))
        return (struct chart_colour){0.68, 0.70, 0.73};
    return chart_scale_colour((point->colour - scale->low) / (scale->high - scale->low));
}

/* A bar of colours at the right edge, with its ticks and its title above. */
static void draw_scale(const struct chart_canvas *canvas, const struct chart_axis *scale,
                       const char *title, double left) {
    cairo_t *cairo = canvas->cairo;
    double top = scale->to, height = scale->from - scale->to;
    cairo_pattern_t *pattern = chart_draw.pattern_create_linear(0, scale->from, 0, top);
    for (int i = 0; i <= 20; i++) {
        struct chart_colour colour = chart_scale_colour(i / 20.0);
        chart_draw.pattern_add_color_stop_rgb(pattern, i / 20.0, colour.red, colour.green,
                                              colour.blue);
    }
    chart_draw.rectangle(cairo, left, top, SCALE_WIDTH, height);
    chart_draw.set_source(cairo, pattern);
    chart_draw.fill(cairo);
    chart_draw.pattern_destroy(pattern);
    struct chart_ticks ticks;
    chart_axis_ticks(scale, 5, &ticks);
    chart_set_font(cairo, CHART_TICK);
    for (size_t i = 0; i < ticks.count; i++) {
        char text[32];
        double at = chart_axis_map(scale, ticks.values[i]);
        chart_set_colour(cairo, (struct chart_colour){1, 1, 1}, 0.8);
        chart_draw.rectangle(cairo, left, at - 0.5, SCALE_WIDTH, 1);
        chart_draw.fill(cairo);
        chart_tick_text(text, sizeof text, &ticks, i);
        chart_set_colour(cairo, chart_grey, 1);
        chart_draw_text(cairo, text, left + SCALE_WIDTH + 7, at + 4, 0);
    }
    chart_set_colour(cairo, chart_ink, 1);
    chart_draw_text(cairo, title, left, top - 12, 0);
}

static void draw_points(cairo_t *cairo, const struct chart_scatter *chart,
                        const struct chart_label *labels, const struct chart_axis *scale) {
    for (size_t i = 0; i < chart->point_count; i++) {
        if (!is_drawn(&chart->points[i]))
            continue;
        chart_draw.new_sub_path(cairo);
        chart_draw.arc(cairo, labels[i].x, labels[i].y, POINT_RADIUS, 0, 6.283185307179586);
        chart_set_colour(cairo, point_colour(chart, scale, &chart->points[i]), 0.95);
        chart_draw.fill_preserve(cairo);
        chart_set_colour(cairo, (struct chart_colour){1, 1, 1}, 1);
        chart_draw.set_line_width(cairo, 0.8);
        chart_draw.stroke(cairo);
    }
}

static void draw_labels(cairo_t *cairo, const struct chart_scatter *chart,
                        const struct chart_label *labels, double ascent) {
    chart_draw.set_line_width(cairo, 0.7);
    chart_set_colour(cairo, chart_grey, 0.75);
    for (size_t i = 0; i < chart->point_count; i++)
        if (!labels[i].is_hidden && labels[i].has_leader) {
            double x, y;
            chart_box_nearest(labels[i].box, labels[i].x, labels[i].y, &x, &y);
            chart_draw.move_to(cairo, labels[i].x, labels[i].y);
            chart_draw.line_to(cairo, x, y);
            chart_draw.stroke(cairo);
        }
    for (size_t i = 0; i < chart->point_count; i++)
        if (!labels[i].is_hidden) {
            struct chart_box box = labels[i].box;
            chart_set_colour(cairo, (struct chart_colour){1, 1, 1}, 0.8); /* dims what it covers */
            chart_draw.rectangle(cairo, box.left, box.top, box.right - box.left,
                                 box.bottom - box.top);
            chart_draw.fill(cairo);
            chart_set_colour(cairo, chart_ink, 1);
            chart_draw_text(cairo, chart->points[i].label, box.left + 1.5, box.top + 1 + ascent, 0);
        }
}

/* Fills in where the points are on the page and how large their labels are. */
static double measure_labels(cairo_t *cairo, const struct chart_scatter *chart,
                             const struct chart_axis *x, const struct chart_axis *y,
                             struct chart_label *labels) {
    cairo_font_extents_t font;
    chart_set_font(cairo, CHART_LABEL);
    chart_draw.font_extents(cairo, &font);
    for (size_t i = 0; i < chart->point_count; i++) {
        const struct chart_point *point = &chart->points[i];
        /* A point that is not drawn stands far away, in nobody's way. */
        labels[i].x = is_drawn(point) ? chart_axis_map(x, point->x) : -1e6;
        labels[i].y = is_drawn(point) ? chart_axis_map(y, point->y) : -1e6;
        if (!is_drawn(point) || point->label == NULL || point->label[0] == '\0')
            continue;
        labels[i].width = chart_text_width(cairo, point->label) + 3;
        labels[i].height = font.ascent + font.descent * 0.7 + 2;
    }
    return font.ascent;
}

static void draw_scatter(const struct chart_canvas *canvas, const struct chart_scatter *chart,
                         struct chart_label *labels) {
    cairo_t *cairo = canvas->cairo;
    struct chart_axis x = empty_axis(false), y = x, scale = x;
    for (size_t i = 0; i < chart->point_count; i++) {
        const struct chart_point *point = &chart->points[i];
        if (!is_drawn(point))
            continue;
        widen(&x, point->x);
        widen(&y, point->y);
        if (isfinite(point->colour))
            widen(&scale, point->colour);
    }
    double right = canvas->width - RIGHT - (chart->colour_title != NULL ? 80 : 0);
    x.from = LEFT, x.to = right;
    y.from = canvas->height - BOTTOM, y.to = TOP;
    chart_axis_settle(&x, 0.06);
    chart_axis_settle(&y, 0.05);
    if (chart->is_equal_scale)
        equalise(&x, &y);
    chart_axis_settle(&scale, 0);
    scale.to = y.to + 24;
    scale.from = fmin(scale.to + 190, y.from);
    chart_draw_frame(canvas, &x, &y, chart->title, chart->x_title, chart->y_title);
    double ascent = measure_labels(cairo, chart, &x, &y, labels);
    chart_labels_place(labels, chart->point_count,
                       (struct chart_box){x.from + 2, y.to + 2, x.to, y.from - 3}, POINT_RADIUS);
    draw_labels(cairo, chart, labels, ascent);
    draw_points(cairo, chart, labels, &scale);
    if (chart->colour_title != NULL)
        draw_scale(canvas, &scale, chart->colour_title, right + 24);
}

int chart_scatter_write(const char *path, const struct chart_scatter *chart, struct error *error) {
    struct chart_canvas canvas;
    struct chart_label *labels = memory_allocate(chart->point_count, sizeof *labels, error);
    if (labels == NULL)
        return -1;
    int result = chart_canvas_open(&canvas, path, chart->width, chart->height, error);
    if (result == 0) {
        draw_scatter(&canvas, chart, labels);
        result = chart_canvas_close(&canvas, error);
    }
    memory_free(labels);
    return result;
}

/* Lines */

static bool has_place(const struct chart_lines *chart, const struct chart_series *series,
                      size_t i) {
    return isfinite(series->x[i]) && (!chart->is_x_log || series->x[i] > 0);
}

static bool has_band(const struct chart_series *series, size_t i) {
    return series->low != NULL && series->high != NULL && isfinite(series->low[i]) &&
           isfinite(series->high[i]);
}

static void find_ranges(const struct chart_lines *chart, struct chart_axis *x,
                        struct chart_axis *y) {
    for (size_t s = 0; s < chart->series_count; s++) {
        const struct chart_series *series = &chart->series[s];
        for (size_t i = 0; i < series->count; i++) {
            if (!has_place(chart, series, i))
                continue;
            if (isfinite(series->y[i]) || has_band(series, i))
                widen(x, series->x[i]);
            if (isfinite(series->y[i]))
                widen(y, series->y[i]);
            if (has_band(series, i)) {
                widen(y, series->low[i]);
                widen(y, series->high[i]);
            }
        }
    }
}

/* The band from `from` up to the next gap; returns where that gap is. */
static size_t draw_band_piece(cairo_t *cairo, const struct chart_lines *chart,
                              const struct chart_series *series, size_t from,
                              const struct chart_axis *x, const struct chart_axis *y) {
    size_t end = from;
    while (end < series->count && has_place(chart, series, end) && has_band(series, end)) {
        chart_draw.line_to(cairo, chart_axis_map(x, series->x[end]),
                           chart_axis_map(y, series->high[end]));
        end++;
    }
    for (size_t i = end; i-- > from;)
        chart_draw.line_to(cairo, chart_axis_map(x, series->x[i]),
                           chart_axis_map(y, series->low[i]));
    chart_draw.close_path(cairo);
    chart_draw.fill(cairo);
    return end;
}

static void draw_band(cairo_t *cairo, const struct chart_lines *chart, size_t s,
                      const struct chart_axis *x, const struct chart_axis *y) {
    const struct chart_series *series = &chart->series[s];
    chart_set_colour(cairo, chart_series_colour(s), 0.16);
    for (size_t i = 0; i < series->count;)
        if (has_place(chart, series, i) && has_band(series, i))
            i = draw_band_piece(cairo, chart, series, i, x, y);
        else
            i++;
}

/* From the ninth series on colours repeat; then the lines are dashed. */
static void set_stroke(cairo_t *cairo, size_t s) {
    static const double dashes[] = {6, 4};
    chart_set_colour(cairo, chart_series_colour(s), 1);
    chart_draw.set_line_width(cairo, 2);
    chart_draw.set_dash(cairo, dashes, s >= 8 ? 2 : 0, 0);
}

static void draw_line(cairo_t *cairo, const struct chart_lines *chart, size_t s,
                      const struct chart_axis *x, const struct chart_axis *y) {
    const struct chart_series *series = &chart->series[s];
    bool is_down = false;
    set_stroke(cairo, s);
    for (size_t i = 0; i < series->count; i++) {
        if (!has_place(chart, series, i) || !isfinite(series->y[i])) {
            is_down = false;
            continue;
        }
        double at_x = chart_axis_map(x, series->x[i]), at_y = chart_axis_map(y, series->y[i]);
        if (is_down)
            chart_draw.line_to(cairo, at_x, at_y);
        else
            chart_draw.move_to(cairo, at_x, at_y);
        is_down = true;
        /* A lone value is a line of no length, which the round cap makes a dot. */
        if (series->count == 1)
            chart_draw.line_to(cairo, at_x, at_y);
    }
    chart_draw.stroke(cairo);
    chart_draw.set_dash(cairo, NULL, 0, 0);
}

/* Draws the legend in rows from `top` down, or only measures it; returns its height. */
static double draw_legend(cairo_t *cairo, const struct chart_lines *chart, double left,
                          double right, double top, bool is_measured) {
    double x = left, y = top;
    chart_set_font(cairo, CHART_TICK);
    for (size_t s = 0; s < chart->series_count; s++) {
        double width = 30 + chart_text_width(cairo, chart->series[s].name);
        if (x > left && x + width > right) {
            x = left;
            y += LEGEND_ROW;
        }
        if (!is_measured) {
            set_stroke(cairo, s);
            chart_draw.set_line_width(cairo, 3);
            chart_draw.move_to(cairo, x + 1, y - 4);
            chart_draw.line_to(cairo, x + 21, y - 4);
            chart_draw.stroke(cairo);
            chart_draw.set_dash(cairo, NULL, 0, 0);
            chart_set_colour(cairo, chart_ink, 1);
            chart_draw_text(cairo, chart->series[s].name, x + 28, y, 0);
        }
        x += width + 22;
    }
    return chart->series_count > 0 ? y - top + LEGEND_ROW : 0;
}

static void draw_lines(const struct chart_canvas *canvas, const struct chart_lines *chart) {
    cairo_t *cairo = canvas->cairo;
    struct chart_axis x = empty_axis(chart->is_x_log), y = empty_axis(false);
    find_ranges(chart, &x, &y);
    double right = canvas->width - RIGHT, legend_top = chart->title != NULL ? 56 : 28;
    double legend = draw_legend(cairo, chart, LEFT, right, legend_top, true);
    x.from = LEFT, x.to = right;
    y.from = canvas->height - BOTTOM;
    y.to = fmin(legend_top + legend, canvas->height / 2);
    chart_axis_settle(&x, 0.01);
    chart_axis_settle(&y, 0.05);
    chart_draw_frame(canvas, &x, &y, chart->title, chart->x_title, chart->y_title);
    for (size_t s = 0; s < chart->series_count; s++)
        draw_band(cairo, chart, s, &x, &y);
    for (size_t s = 0; s < chart->series_count; s++)
        draw_line(cairo, chart, s, &x, &y);
    draw_legend(cairo, chart, LEFT, right, legend_top, false);
}

int chart_lines_write(const char *path, const struct chart_lines *chart, struct error *error) {
    struct chart_canvas canvas;
    if (chart_canvas_open(&canvas, path, chart->width, chart->height, error) != 0)
        return -1;
    draw_lines(&canvas, chart);
    return chart_canvas_close(&canvas, error);
}
