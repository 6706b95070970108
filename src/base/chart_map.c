#include "base/chart_map.h"

#include <math.h>

#include "base/chart_canvas.h"
#include "base/chart_labels.h"
#include "base/memory.h"

static const double WIDTH = 900, LEFT = 58, RIGHT = 24, TOP = 52, BOTTOM = 40;
static const double LEAST_HEIGHT = 220, MOST_HEIGHT = 900, RADIUS = 4, FAINTEST = 0.04;
static const struct chart_colour SEA = {0.955, 0.97, 0.98}, LAND = {0.90, 0.895, 0.875},
                                 WHITE = {1, 1, 1};

/* The window on the page. */
struct frame {
    const struct chart_map *map;
    cairo_t *cairo;
    double left, top, x_scale, y_scale; /* points per degree */
};

static double x_of(const struct frame *f, double longitude) {
    return f->left + (longitude - f->map->west) * f->x_scale;
}

static double y_of(const struct frame *f, double latitude) {
    return f->top + (f->map->north - latitude) * f->y_scale;
}

/* The longitude's turn that lies in the window, or the first one east of its west side. */
static double into_window(const struct frame *f, double longitude) {
    return f->map->west + fmod(fmod(longitude - f->map->west, 360) + 360, 360);
}

/* A line's way, turned by so many degrees; where it jumps over half the world it goes the short
 * way. */
static void trace_line(const struct frame *f, const struct chart_map_line *line, double turn) {
    double last = 0, jumped = 0, gone = 0;
    for (size_t i = 0; i < line->count; i++) {
        double longitude = line->longitudes[i];
        if (i > 0)
            jumped += longitude - last > 180 ? -360 : longitude - last < -180 ? 360 : 0;
        last = longitude;
        gone = longitude + jumped - line->longitudes[0];
        double x = x_of(f, longitude + jumped + turn), y = y_of(f, line->latitudes[i]);
        if (i == 0)
            chart_draw.move_to(f->cairo, x, y);
        else
            chart_draw.line_to(f->cairo, x, y);
    }
    if (fabs(gone) < 180) /* else it goes around a pole, and on in the next turn */
        chart_draw.close_path(f->cairo);
}

/* Every line as often as the window, of up to a whole turn, may show a part of it. */
static void trace_lines(const struct frame *f, const struct chart_map_line *lines, size_t count) {
    chart_draw.new_path(f->cairo);
    for (size_t i = 0; i < count; i++)
        for (double turn = -720; turn <= 720; turn += 360)
            trace_line(f, &lines[i], turn);
}

static void draw_shares(const struct frame *f) {
    const struct chart_map *map = f->map;
    double width = (map->east - map->west) / (double)map->columns * f->x_scale;
    double height = (map->north - map->south) / (double)map->rows * f->y_scale;
    for (size_t r = 0; map->shares != NULL && r < map->rows; r++)
        for (size_t c = 0; c < map->columns; c++) {
            double share = map->shares[r * map->columns + c];
            if (!(share >= FAINTEST))
                continue;
            /* On whole points, so that no seams show between neighbours. */
            double x = round(f->left + (double)c * width), y = round(f->top + (double)r * height);
            chart_draw.rectangle(f->cairo, x, y, round(f->left + (double)(c + 1) * width) - x,
                                 round(f->top + (double)(r + 1) * height) - y);
            chart_set_colour(f->cairo, chart_scale_colour(0.3 + 0.7 * share),
                             fmin(0.9, 0.15 + 1.1 * share));
            chart_draw.fill(f->cairo);
        }
}

static double graticule_step(double degrees) {
    static const double STEPS[] = {1, 2, 5, 10, 15, 30, 45, 60};
    enum { COUNT = sizeof STEPS / sizeof *STEPS };
    size_t i = 0;
    while (i + 1 < COUNT && degrees / STEPS[i] > 8)
        i++;
    return STEPS[i];
}

static void degree_text(char text[32], double degrees, char positive, char negative) {
    double shown = degrees > 180 ? degrees - 360 : degrees < -180 ? degrees + 360 : degrees;
    if (shown == 0 || fabs(shown) == 180)
        snprintf(text, 32, "%.0f°", fabs(shown));
    else
        snprintf(text, 32, "%.0f° %c", fabs(shown), shown > 0 ? positive : negative);
}

static void draw_graticule(const struct frame *f, double right, double bottom) {
    const struct chart_map *map = f->map;
    char text[32];
    double step = graticule_step(map->east - map->west);
    chart_set_font(f->cairo, CHART_TICK);
    chart_draw.set_line_width(f->cairo, 0.7);
    for (double at = ceil(map->west / step) * step; at <= map->east; at += step) {
        chart_set_colour(f->cairo, chart_grey, 0.3);
        chart_draw.move_to(f->cairo, x_of(f, at), f->top);
        chart_draw.line_to(f->cairo, x_of(f, at), bottom);
        chart_draw.stroke(f->cairo);
        degree_text(text, at, 'E', 'W');
        chart_set_colour(f->cairo, chart_grey, 1);
        chart_draw_text(f->cairo, text, x_of(f, at), bottom + 17, 0.5);
    }
    step = graticule_step(map->north - map->south);
    for (double at = ceil(map->south / step) * step; at <= map->north; at += step) {
        chart_set_colour(f->cairo, chart_grey, 0.3);
        chart_draw.move_to(f->cairo, f->left, y_of(f, at));
        chart_draw.line_to(f->cairo, right, y_of(f, at));
        chart_draw.stroke(f->cairo);
        degree_text(text, at, 'N', 'S');
        chart_set_colour(f->cairo, chart_grey, 1);
        chart_draw_text(f->cairo, text, f->left - 8, y_of(f, at) + 4, 1);
    }
}

static bool is_shown(const struct chart_label *label, struct chart_box box) {
    return label->x >= box.left && label->x <= box.right && label->y >= box.top &&
           label->y <= box.bottom;
}

static void draw_label(const struct frame *f, const struct chart_label *label, const char *text,
                       double ascent) {
    double x, y;
    if (label->has_leader) {
        chart_box_nearest(label->box, label->x, label->y, &x, &y);
        chart_draw.set_line_width(f->cairo, 0.7);
        chart_set_colour(f->cairo, chart_grey, 1);
        chart_draw.move_to(f->cairo, label->x, label->y);
        chart_draw.line_to(f->cairo, x, y);
        chart_draw.stroke(f->cairo);
    }
    chart_draw.rectangle(f->cairo, label->box.left, label->box.top,
                         label->box.right - label->box.left, label->box.bottom - label->box.top);
    chart_set_colour(f->cairo, WHITE, 0.75);
    chart_draw.fill(f->cairo);
    chart_set_colour(f->cairo, chart_ink, 1);
    chart_draw_text(f->cairo, text, label->box.left + 1.5, label->box.top + 1 + ascent, 0);
}

/* Dots and, where there is room, their names. */
static void draw_points(const struct frame *f, struct chart_label *labels, struct chart_box box) {
    const struct chart_map *map = f->map;
    cairo_font_extents_t font;
    chart_set_font(f->cairo, CHART_LABEL);
    chart_draw.font_extents(f->cairo, &font);
    for (size_t i = 0; i < map->point_count; i++) {
        const struct chart_point *point = &map->points[i];
        labels[i].x = x_of(f, into_window(f, point->x));
        labels[i].y = y_of(f, point->y);
        if (point->label == NULL || *point->label == '\0' || !is_shown(&labels[i], box))
            continue;
        labels[i].width = chart_text_width(f->cairo, point->label) + 3;
        labels[i].height = font.ascent + font.descent * 0.7 + 2;
    }
    chart_labels_place(labels, map->point_count, box, RADIUS);
    for (size_t i = 0; i < map->point_count; i++) {
        if (!is_shown(&labels[i], box))
            continue;
        if (labels[i].width > 0 && !labels[i].is_hidden)
            draw_label(f, &labels[i], map->points[i].label, font.ascent);
        chart_draw.new_sub_path(f->cairo);
        chart_draw.arc(f->cairo, labels[i].x, labels[i].y, RADIUS, 0, 6.283185307179586);
        chart_set_colour(f->cairo, chart_ink, 1);
        chart_draw.fill_preserve(f->cairo);
        chart_set_colour(f->cairo, WHITE, 1);
        chart_draw.set_line_width(f->cairo, 0.8);
        chart_draw.stroke(f->cairo);
    }
}

static void draw_map(const struct frame *f, double width, double height,
                     struct chart_label *labels) {
    static const double DASHES[] = {5, 3};
    cairo_t *cairo = f->cairo;
    double right = f->left + width, bottom = f->top + height;
    chart_draw.save(cairo);
    chart_draw.rectangle(cairo, f->left, f->top, width, height);
    chart_draw.clip(cairo);
    chart_set_colour(cairo, SEA, 1);
    chart_draw.paint(cairo);
    trace_lines(f, f->map->coasts, f->map->coast_count);
    chart_set_colour(cairo, LAND, 1);
    chart_draw.fill_preserve(cairo);
    chart_set_colour(cairo, chart_grey, 0.7);
    chart_draw.set_line_width(cairo, 0.6);
    chart_draw.stroke(cairo);
    draw_shares(f);
    trace_lines(f, f->map->circles, f->map->circle_count);
    chart_set_colour(cairo, chart_ink, 0.9);
    chart_draw.set_line_width(cairo, 1.1);
    chart_draw.set_dash(cairo, DASHES, 2, 0);
    chart_draw.stroke(cairo);
    chart_draw.set_dash(cairo, NULL, 0, 0);
    chart_draw.restore(cairo);
    draw_graticule(f, right, bottom);
    draw_points(f, labels, (struct chart_box){f->left, f->top, right, bottom});
    chart_set_font(cairo, CHART_TITLE);
    chart_set_colour(cairo, chart_ink, 1);
    if (f->map->title != NULL)
        chart_draw_text(cairo, f->map->title, f->left, 32, 0);
}

int chart_map_write(const char *path, const struct chart_map *map, struct error *error) {
    struct chart_canvas canvas;
    double degrees_wide = map->east - map->west, degrees_high = map->north - map->south;
    if (!(degrees_wide > 0 && degrees_wide <= 360 && degrees_high > 0 && degrees_high <= 180))
        return error_set(error, "cannot draw %s: a window of %g by %g degrees is none", path,
                         degrees_wide, degrees_high);
    /* A degree of longitude is as long as the cosine of the latitude says. */
    double narrowing = fmax(0.25, cos((map->north + map->south) / 2 * M_PI / 180));
    double width = WIDTH - LEFT - RIGHT;
    double height = width * degrees_high / (degrees_wide * narrowing);
    if (height > MOST_HEIGHT) {
        width *= MOST_HEIGHT / height;
        height = MOST_HEIGHT;
    }
    height = fmax(height, LEAST_HEIGHT);
    struct chart_label *labels = memory_allocate(map->point_count, sizeof *labels, error);
    if (labels == NULL)
        return -1;
    int result = chart_canvas_open(&canvas, path, fmax(width + LEFT + RIGHT, 300),
                                   height + TOP + BOTTOM, error);
    if (result == 0) {
        struct frame frame = {map, canvas.cairo,         LEFT,
                              TOP, width / degrees_wide, height / degrees_high};
        draw_map(&frame, width, height, labels);
        result = chart_canvas_close(&canvas, error);
    }
    memory_free(labels);
    return result;
}
