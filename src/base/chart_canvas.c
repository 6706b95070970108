#include "base/chart_canvas.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/shared_library.h"

#define NAME(name) "cairo_" #name,
static const char *const NAMES[] = {CHART_CAIRO(NAME)};
struct chart_cairo chart_draw;

const struct chart_colour chart_ink = {0.16, 0.18, 0.22}, chart_grey = {0.45, 0.48, 0.53};

static const double DEFAULT_WIDTH = 900, DEFAULT_HEIGHT = 620, SIZE_LIMIT = 8000;
static const double PNG_SCALE = 2;

/* Cairo's stream callback; a failure reaches chart_canvas_close as the surface's status. */
static cairo_status_t write_bytes(void *closure, const unsigned char *data, unsigned int length) {
    bool is_written = fwrite(data, 1, length, closure) == length;
    return is_written ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static bool ends_in(const char *path, const char *extension) {
    size_t length = strlen(path), tail = strlen(extension);
    return length > tail && strcasecmp(path + length - tail, extension) == 0;
}

static cairo_surface_t *create_surface(struct chart_canvas *canvas) {
    if (!canvas->is_png)
        return chart_draw.svg_surface_create_for_stream(write_bytes, canvas->file.stream,
                                                        canvas->width, canvas->height);
    cairo_surface_t *surface = chart_draw.image_surface_create(
        CAIRO_FORMAT_RGB24, (int)(canvas->width * PNG_SCALE), (int)(canvas->height * PNG_SCALE));
    chart_draw.surface_set_device_scale(surface, PNG_SCALE, PNG_SCALE);
    return surface;
}

int chart_canvas_open(struct chart_canvas *canvas, const char *path, double width, double height,
                      struct error *error) {
    width = width == 0 ? DEFAULT_WIDTH : width;
    height = height == 0 ? DEFAULT_HEIGHT : height;
    if (!(width >= 200 && width <= SIZE_LIMIT && height >= 150 && height <= SIZE_LIMIT))
        return error_set(error, "cannot draw %s: %g by %g points is not between 200 by 150 and %g",
                         path, width, height, SIZE_LIMIT);
    *canvas =
        (struct chart_canvas){.is_png = ends_in(path, ".png"), .width = width, .height = height};
    if (!canvas->is_png && !ends_in(path, ".svg"))
        return error_set(error, "cannot draw %s: its name must end in .svg or .png", path);
    if (shared_library_load(&chart_draw, NAMES, sizeof NAMES / sizeof *NAMES, "libcairo.so.2",
                            error) != 0 ||
        file_writer_open(&canvas->file, path, error) != 0)
        return -1;
    canvas->surface = create_surface(canvas);
    canvas->cairo = chart_draw.create(canvas->surface);
    chart_draw.set_source_rgb(canvas->cairo, 1, 1, 1);
    chart_draw.paint(canvas->cairo);
    chart_draw.set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    chart_draw.set_line_cap(canvas->cairo, CAIRO_LINE_CAP_ROUND);
    return 0;
}

void chart_canvas_abandon(struct chart_canvas *canvas) {
    chart_draw.destroy(canvas->cairo);
    chart_draw.surface_destroy(canvas->surface);
    file_writer_abort(&canvas->file);
}

int chart_canvas_close(struct chart_canvas *canvas, struct error *error) {
    cairo_status_t status = chart_draw.status(canvas->cairo);
    if (status == CAIRO_STATUS_SUCCESS && canvas->is_png)
        status = chart_draw.surface_write_to_png_stream(canvas->surface, write_bytes,
                                                        canvas->file.stream);
    chart_draw.surface_finish(canvas->surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = chart_draw.surface_status(canvas->surface);
    if (status != CAIRO_STATUS_SUCCESS) {
        error_set(error, "cannot draw %s: %s", canvas->file.path,
                  chart_draw.status_to_string(status));
        chart_canvas_abandon(canvas);
        return -1;
    }
    chart_draw.destroy(canvas->cairo);
    chart_draw.surface_destroy(canvas->surface);
    return file_writer_commit(&canvas->file, error);
}

void chart_set_font(cairo_t *cairo, enum chart_font font) {
    static const double sizes[] = {
        [CHART_TITLE] = 16, [CHART_AXIS_TITLE] = 12.5, [CHART_TICK] = 11, [CHART_LABEL] = 10.5};
    chart_draw.select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                                font == CHART_TITLE ? CAIRO_FONT_WEIGHT_BOLD
                                                    : CAIRO_FONT_WEIGHT_NORMAL);
    chart_draw.set_font_size(cairo, sizes[font]);
}

void chart_set_colour(cairo_t *cairo, struct chart_colour colour, double opacity) {
    chart_draw.set_source_rgba(cairo, colour.red, colour.green, colour.blue, opacity);
}

double chart_text_width(cairo_t *cairo, const char *text) {
    cairo_text_extents_t extents;
    chart_draw.text_extents(cairo, text, &extents);
    return extents.x_advance;
}

void chart_draw_text(cairo_t *cairo, const char *text, double x, double y, double align) {
    chart_draw.move_to(cairo, x - align * chart_text_width(cairo, text), y);
    chart_draw.show_text(cairo, text);
    chart_draw.new_path(cairo);
}

struct chart_colour chart_series_colour(size_t index) {
    static const struct chart_colour colours[] = {
        {0.20, 0.42, 0.65}, {0.82, 0.46, 0.20}, {0.27, 0.56, 0.40}, {0.70, 0.27, 0.33},
        {0.48, 0.40, 0.66}, {0.55, 0.44, 0.32}, {0.76, 0.52, 0.68}, {0.42, 0.47, 0.53},
    };
    return colours[index % (sizeof colours / sizeof *colours)];
}

/* From deep blue over teal and ochre to brick: the lightness stays between 35 and 70 %, so that
 * every value shows on white, and the order also holds for most colour-blind eyes. */
struct chart_colour chart_scale_colour(double share) {
    static const struct chart_colour stops[] = {
        {0.22, 0.25, 0.55}, {0.17, 0.47, 0.64}, {0.30, 0.64, 0.55},
        {0.80, 0.66, 0.25}, {0.85, 0.44, 0.22}, {0.63, 0.18, 0.20},
    };
    enum { LAST = sizeof stops / sizeof *stops - 1 };
    double place = fmin(fmax(share, 0), 1) * LAST;
    size_t index = place < LAST ? (size_t)place : LAST - 1;
    double rest = place - (double)index;
    struct chart_colour a = stops[index], b = stops[index + 1];
    return (struct chart_colour){a.red + rest * (b.red - a.red),
                                 a.green + rest * (b.green - a.green),
                                 a.blue + rest * (b.blue - a.blue)};
}

static double to_axis(const struct chart_axis *axis, double value) {
    return axis->is_log ? log10(value) : value;
}

static double from_axis(const struct chart_axis *axis, double value) {
    return axis->is_log ? pow(10, value) : value;
}

void chart_axis_settle(struct chart_axis *axis, double margin) {
    if (!(axis->low <= axis->high)) {
        axis->low = axis->is_log ? 1 : 0;
        axis->high = axis->is_log ? 10 : 1;
    }
    /* Beyond this, differences of coordinates overflow; such points leave the page. */
    double limit = 1e300;
    double low = to_axis(axis, fmax(axis->low, axis->is_log ? 1 / limit : -limit));
    double high = to_axis(axis, fmin(axis->high, limit));
    double smallest = axis->is_log ? 0.1 : fmax(fabs(low), fabs(high)) * 1e-9;
    if (!(high - low > smallest)) {
        double half = axis->is_log ? 0.5 : fmax(fabs(low) * 0.05, 1e-12);
        half = low == 0 && high == 0 ? 1 : half;
        low -= half;
        high += half;
    }
    double air = margin * (high - low);
    low -= air;
    high += air;
    if (axis->is_log) { /* powers of ten that a double holds */
        low = fmax(low, -300);
        high = fmin(high, 300);
    }
    axis->low = from_axis(axis, low);
    axis->high = from_axis(axis, high);
}

double chart_axis_map(const struct chart_axis *axis, double value) {
    double low = to_axis(axis, axis->low), high = to_axis(axis, axis->high);
    double share = (to_axis(axis, value) - low) / (high - low);
    return axis->from + share * (axis->to - axis->from);
}

static void add_tick(struct chart_ticks *ticks, double value) {
    if (ticks->count == CHART_TICKS)
        return;
    ticks->values[ticks->count++] = value;
    ticks->largest = fmax(ticks->largest, fabs(value));
}

/* Whole powers of ten, with 2 and 5 between them when there is room. */
static void log_ticks(const struct chart_axis *axis, size_t wanted, struct chart_ticks *ticks) {
    double low = log10(axis->low), high = log10(axis->high), decades = high - low;
    double stride = fmax(1, ceil(decades / (double)wanted));
    bool is_fine = decades * 3 <= (double)wanted + 2;
    for (double power = floor(low); power <= high; power += stride)
        for (int i = 0; i < 3; i++) {
            static const double factors[] = {1, 2, 5};
            double value = pow(10, power) * factors[i];
            if ((i == 0 || is_fine) && value >= axis->low && value <= axis->high)
                add_tick(ticks, value);
        }
}

static void linear_ticks(const struct chart_axis *axis, size_t wanted, struct chart_ticks *ticks) {
    double raw = (axis->high - axis->low) / (double)wanted;
    double power = pow(10, floor(log10(raw))), factor = raw / power;
    ticks->step = power * (factor < 1.5 ? 1 : factor < 3.5 ? 2 : factor < 7.5 ? 5 : 10);
    double first = ceil(axis->low / ticks->step);
    for (int i = 0; i < CHART_TICKS; i++) {
        double value = (first + i) * ticks->step;
        if (!(value <= axis->high))
            break;
        add_tick(ticks, value == 0 ? 0 : value); /* no "-0" */
    }
}

void chart_axis_ticks(const struct chart_axis *axis, size_t wanted, struct chart_ticks *ticks) {
    *ticks = (struct chart_ticks){0};
    wanted = wanted < 2 ? 2 : wanted;
    if (axis->is_log)
        log_ticks(axis, wanted, ticks);
    if (ticks->count < 2) { /* also a log axis that spans less than one round number */
        *ticks = (struct chart_ticks){0};
        linear_ticks(axis, wanted, ticks);
    }
}

void chart_tick_text(char *text, size_t capacity, const struct chart_ticks *ticks, size_t index) {
    static const struct {
        double size;
        const char *suffix;
    } scales[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};
    double value = ticks->values[index];
    bool is_log = ticks->step == 0;
    double size = is_log ? fabs(value) : ticks->largest;
    double step = is_log ? size : ticks->step;
    if (step >= 1e12 || step < 1e-5) {
        snprintf(text, capacity, "%.3g", value);
        return;
    }
    /* On a linear axis there are no suffixes up to 10,000, so that years stay years, nor where a
     * step would need more than two decimals of them. */
    size_t scale = 0;
    while (scale < 3 && (size < scales[scale].size || (!is_log && size < 1e4) ||
                         step < scales[scale].size / 100))
        scale++;
    step /= scales[scale].size;
    int decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    value /= scales[scale].size;
    const char *minus = value < 0 ? "\u2212" : ""; /* a true minus sign is as wide as a plus */
    snprintf(text, capacity, "%s%.*f%s", minus, decimals, fabs(value),
             value == 0 ? "" : scales[scale].suffix);
}

static void draw_grid_line(cairo_t *cairo, double x0, double y0, double x1, double y1) {
    chart_draw.move_to(cairo, x0, y0);
    chart_draw.line_to(cairo, x1, y1);
    chart_draw.stroke(cairo);
}

static void draw_x_ticks(cairo_t *cairo, const struct chart_axis *x, const struct chart_axis *y) {
    struct chart_ticks ticks;
    double free_from = -1e9;
    chart_axis_ticks(x, (size_t)fmax(2, fabs(x->to - x->from) / 95), &ticks);
    for (size_t i = 0; i < ticks.count; i++) {
        char text[32];
        double at = chart_axis_map(x, ticks.values[i]);
        chart_set_colour(cairo, chart_grey, 0.18);
        draw_grid_line(cairo, at, y->from, at, y->to);
        chart_tick_text(text, sizeof text, &ticks, i);
        double half = chart_text_width(cairo, text) / 2;
        if (at - half < free_from)
            continue; /* numbers never touch each other */
        free_from = at + half + 6;
        chart_set_colour(cairo, chart_grey, 1);
        chart_draw_text(cairo, text, at, y->from + 18, 0.5);
    }
}

/* Returns the widest number's width, so that the axis title knows where to stand. */
static double draw_y_ticks(cairo_t *cairo, const struct chart_axis *x, const struct chart_axis *y) {
    struct chart_ticks ticks;
    double widest = 0;
    chart_axis_ticks(y, (size_t)fmax(2, fabs(y->to - y->from) / 60), &ticks);
    for (size_t i = 0; i < ticks.count; i++) {
        char text[32];
        double at = chart_axis_map(y, ticks.values[i]);
        chart_set_colour(cairo, chart_grey, 0.18);
        draw_grid_line(cairo, x->from, at, x->to, at);
        chart_tick_text(text, sizeof text, &ticks, i);
        chart_set_colour(cairo, chart_grey, 1);
        chart_draw_text(cairo, text, x->from - 8, at + 4, 1);
        widest = fmax(widest, chart_text_width(cairo, text));
    }
    return widest;
}

void chart_draw_frame(const struct chart_canvas *canvas, const struct chart_axis *x,
                      const struct chart_axis *y, const char *title, const char *x_title,
                      const char *y_title) {
    cairo_t *cairo = canvas->cairo;
    chart_draw.set_line_width(cairo, 1);
    chart_set_font(cairo, CHART_TICK);
    draw_x_ticks(cairo, x, y);
    double widest = draw_y_ticks(cairo, x, y);
    chart_set_colour(cairo, chart_grey, 0.7);
    draw_grid_line(cairo, x->from, y->from, x->to, y->from);
    chart_set_colour(cairo, chart_ink, 1);
    chart_set_font(cairo, CHART_AXIS_TITLE);
    if (x_title != NULL)
        chart_draw_text(cairo, x_title, (x->from + x->to) / 2, y->from + 42, 0.5);
    if (y_title != NULL) {
        chart_draw.save(cairo);
        chart_draw.translate(cairo, fmax(x->from - 22 - widest, 14), (y->from + y->to) / 2);
        chart_draw.rotate(cairo, -1.5707963267948966);
        chart_draw_text(cairo, y_title, 0, 0, 0.5);
        chart_draw.restore(cairo);
    }
    chart_set_font(cairo, CHART_TITLE);
    if (title != NULL)
        chart_draw_text(cairo, title, x->from, 32, 0);
}
