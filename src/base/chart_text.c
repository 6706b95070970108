/* Plots for a terminal. Half blocks give two values per line of text; the band is shaded. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/chart.h"
#include "base/memory.h"

enum { WIDTH = 64, HEIGHT = 12, SIZE_LIMIT = 1000 };

/* What one column shows: averages of the points that fall into it. */
struct column {
    double y, low, high; /* NAN when there are none */
};

enum half { EMPTY, BAND, LINE };

struct sheet {
    const struct chart_plot *plot;
    size_t width, height;
    double x_low, x_high, y_low, y_high;
    struct column *columns; /* [width] */
    unsigned char *halves;  /* [2 height][width], top first */
};

static double x_of(const struct chart_plot *plot, size_t i) {
    return plot->x != NULL ? plot->x[i] : (double)i;
}

static bool has_band(const struct chart_plot *plot, size_t i) {
    return plot->low != NULL && plot->high != NULL && isfinite(plot->low[i]) &&
           isfinite(plot->high[i]);
}

static void find_x_range(struct sheet *sheet) {
    const struct chart_plot *plot = sheet->plot;
    sheet->x_low = INFINITY;
    sheet->x_high = -INFINITY;
    for (size_t i = 0; i < plot->count; i++)
        if (isfinite(x_of(plot, i)) && isfinite(plot->y[i])) {
            sheet->x_low = fmin(sheet->x_low, x_of(plot, i));
            sheet->x_high = fmax(sheet->x_high, x_of(plot, i));
        }
}

/* Of what will be seen: the columns, not the points. fmin and fmax pass over NANs. */
static void find_y_range(struct sheet *sheet) {
    sheet->y_low = INFINITY;
    sheet->y_high = -INFINITY;
    for (size_t i = 0; i < sheet->width; i++) {
        const struct column *column = &sheet->columns[i];
        sheet->y_low = fmin(sheet->y_low, fmin(column->y, column->low));
        sheet->y_high = fmax(sheet->y_high, fmax(column->y, column->high));
    }
    if (sheet->y_low == sheet->y_high) { /* a level line runs through the middle */
        double half = fmax(fabs(sheet->y_low) * 0.05, 1e-9);
        sheet->y_low -= half;
        sheet->y_high += half;
    }
}

/* Where value stands between low and high, as one of `count` steps. */
static size_t step_of(double value, double low, double high, size_t count) {
    /* Halved first: the range of two doubles may be more than a double. */
    double share = high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
    double step = floor(fmin(fmax(share, 0), 1) * (double)count);
    return step < (double)count ? (size_t)step : count - 1;
}

static double mean_of(double sum, double count) {
    return count > 0 ? sum / count : NAN;
}

static int fill_columns(struct sheet *sheet, struct error *error) {
    const struct chart_plot *plot = sheet->plot;
    double *counts = memory_allocate(2 * sheet->width, sizeof *counts, error);
    if (counts == NULL)
        return -1;
    double *band_counts = counts + sheet->width;
    for (size_t i = 0; i < plot->count; i++) {
        if (!isfinite(x_of(plot, i)) || !isfinite(plot->y[i]))
            continue;
        size_t at = step_of(x_of(plot, i), sheet->x_low, sheet->x_high, sheet->width);
        sheet->columns[at].y += plot->y[i];
        counts[at]++;
        if (has_band(plot, i)) {
            sheet->columns[at].low += plot->low[i];
            sheet->columns[at].high += plot->high[i];
            band_counts[at]++;
        }
    }
    for (size_t i = 0; i < sheet->width; i++) {
        struct column *column = &sheet->columns[i];
        column->y = mean_of(column->y, counts[i]);
        column->low = mean_of(column->low, band_counts[i]);
        column->high = mean_of(column->high, band_counts[i]);
    }
    memory_free(counts);
    return 0;
}

/* Few points leave columns free: those between two points are filled in straight. */
static void fill_gaps(struct sheet *sheet) {
    size_t last = sheet->width;
    for (size_t i = 0; i < sheet->width; i++) {
        if (isnan(sheet->columns[i].y))
            continue;
        for (size_t j = last + 1; last < sheet->width && j < i; j++) {
            struct column a = sheet->columns[last], b = sheet->columns[i];
            double share = (double)(j - last) / (double)(i - last);
            sheet->columns[j] =
                (struct column){a.y + share * (b.y - a.y), a.low + share * (b.low - a.low),
                                a.high + share * (b.high - a.high)};
        }
        last = i;
    }
}

/* Counted from the top, two per line of text. */
static size_t row_of(const struct sheet *sheet, double value) {
    size_t rows = 2 * sheet->height;
    return rows - 1 - step_of(value, sheet->y_low, sheet->y_high, rows);
}

static void draw_rows(struct sheet *sheet, size_t column, size_t from, size_t to, enum half half) {
    for (size_t row = from < to ? from : to; row <= (from < to ? to : from); row++)
        sheet->halves[row * sheet->width + column] = (unsigned char)half;
}

static void draw(struct sheet *sheet) {
    size_t before = SIZE_MAX;
    for (size_t i = 0; i < sheet->width; i++) {
        const struct column *column = &sheet->columns[i];
        if (isfinite(column->low) && isfinite(column->high))
            draw_rows(sheet, i, row_of(sheet, column->high), row_of(sheet, column->low), BAND);
        if (isnan(column->y)) {
            before = SIZE_MAX;
            continue;
        }
        size_t row = row_of(sheet, column->y);
        /* A jump is drawn upright, from beside the last value. */
        size_t from = before == SIZE_MAX || before == row ? row
                      : before < row                      ? before + 1
                                                          : before - 1;
        draw_rows(sheet, i, from, row, LINE);
        before = row;
    }
}

static const char *glyph(enum half top, enum half bottom) {
    if (top == LINE)
        return bottom == LINE ? "\u2588" : "\u2580"; /* full, upper half */
    if (bottom == LINE)
        return "\u2584"; /* lower half */
    return top == BAND || bottom == BAND ? "\u2591" : " ";
}

/* Short numbers with as many digits as tell the two ends of the range apart. */
static void number_text(char *text, size_t capacity, double value, double range) {
    int digits = 3;
    if (range > 0 && value != 0)
        digits = (int)fmin(fmax(ceil(log10(fabs(value) / range)) + 2, 3), 9);
    snprintf(text, capacity, "%.*g", digits, value);
}

/* The ends of the axis, with the title between them. */
static void print_x_labels(FILE *stream, size_t width, const char *left, const char *right,
                           const char *title) {
    title = title != NULL ? title : "";
    size_t used = strlen(left) + strlen(title) + strlen(right);
    int room = used + 4 <= width ? (int)(width - used) : 4;
    fprintf(stream, "%s%*s%s%*s%s\n", left, room / 2, "", title, room - room / 2, "", right);
}

static void print_sheet(FILE *stream, const struct sheet *sheet) {
    const struct chart_plot *plot = sheet->plot;
    char top[32], bottom[32], left[32], right[32];
    double y_range = sheet->y_high - sheet->y_low, x_range = sheet->x_high - sheet->x_low;
    number_text(top, sizeof top, sheet->y_high, y_range);
    number_text(bottom, sizeof bottom, sheet->y_low, y_range);
    number_text(left, sizeof left, sheet->x_low, x_range);
    number_text(right, sizeof right, sheet->x_high, x_range);
    int margin = (int)(strlen(top) > strlen(bottom) ? strlen(top) : strlen(bottom));
    if (plot->title != NULL)
        fprintf(stream, "%*s  %s\n", margin, "", plot->title);
    for (size_t line = 0; line < sheet->height; line++) {
        const unsigned char *halves = sheet->halves + 2 * line * sheet->width;
        const char *label = line == 0 ? top : line == sheet->height - 1 ? bottom : "";
        fprintf(stream, "%*s \u2502", margin, label);
        for (size_t i = 0; i < sheet->width; i++)
            fputs(glyph(halves[i], halves[sheet->width + i]), stream);
        fputc('\n', stream);
    }
    fprintf(stream, "%*s \u2514", margin, "");
    for (size_t i = 0; i < sheet->width; i++)
        fputs("\u2500", stream);
    fprintf(stream, "\n%*s  ", margin, "");
    print_x_labels(stream, sheet->width, left, right, plot->x_title);
}

int chart_plot_print(FILE *stream, const struct chart_plot *plot, struct error *error) {
    struct sheet sheet = {.plot = plot};
    sheet.width = plot->width > 0 ? plot->width : WIDTH;
    sheet.height = plot->height > 0 ? plot->height : HEIGHT;
    if (sheet.width > SIZE_LIMIT || sheet.height > SIZE_LIMIT)
        return error_set(error, "cannot plot %zu by %zu characters; the limit is %d", sheet.width,
                         sheet.height, SIZE_LIMIT);
    int result = -1;
    sheet.columns = memory_allocate(sheet.width, sizeof *sheet.columns, error);
    sheet.halves = memory_allocate(2 * sheet.width, sheet.height, error);
    if (sheet.columns == NULL || sheet.halves == NULL)
        goto done;
    find_x_range(&sheet);
    if (fill_columns(&sheet, error) != 0)
        goto done;
    if (sheet.x_low <= sheet.x_high) {
        fill_gaps(&sheet);
        find_y_range(&sheet);
        draw(&sheet);
        print_sheet(stream, &sheet);
    } else {
        fprintf(stream, "(nothing to plot)\n");
    }
    result = ferror(stream) ? error_set(error, "cannot print a plot: writing failed") : 0;
done:
    memory_free(sheet.halves);
    memory_free(sheet.columns);
    return result;
}

int chart_sparkline_print(FILE *stream, const double *values, size_t count, size_t width,
                          struct error *error) {
    static const char *const bars[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                       "\u2585", "\u2586", "\u2587", "\u2588"};
    struct chart_plot plot = {.y = values, .count = count};
    struct sheet sheet = {.plot = &plot, .width = width < count ? width : count};
    if (sheet.width > SIZE_LIMIT)
        return error_set(error, "cannot print a sparkline of %zu characters; the limit is %d",
                         sheet.width, SIZE_LIMIT);
    if (sheet.width == 0)
        return 0;
    sheet.columns = memory_allocate(sheet.width, sizeof *sheet.columns, error);
    if (sheet.columns == NULL)
        return -1;
    sheet.x_low = 0; /* a missing value keeps its place, also at the ends */
    sheet.x_high = (double)(count - 1);
    int result = fill_columns(&sheet, error);
    find_y_range(&sheet);
    for (size_t i = 0; result == 0 && i < sheet.width; i++)
        fputs(isnan(sheet.columns[i].y)
                  ? " "
                  : bars[step_of(sheet.columns[i].y, sheet.y_low, sheet.y_high, 8)],
              stream);
    memory_free(sheet.columns);
    if (result == 0 && ferror(stream))
        result = error_set(error, "cannot print a sparkline: writing failed");
    return result;
}
