/* The curves of dates and their speed. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "dream/microscope_page_private.h"

enum {
    WIDTH = 400,
    HEIGHT = 300,
    MARGIN = 34,
    SPEED_HEIGHT = 210,
    LEFT = 34,
    BOTTOM = 30,
    TOP = 12
};
enum { MOST_YEARS = 64 };

struct curve {
    const json_t *json, *points;
    const char *slot;
    double first, last; /* of the documents */
    double low, high;   /* of the curve */
    double step;        /* years between two that are named */
};

static double value(const struct curve *c, size_t i, const char *key) {
    return page_number(json_array_get(c->points, i), key);
}

static struct curve curve_of(const json_t *json) {
    struct curve c = {
        .json = json, .points = json_object_get(json, "points"), .slot = page_text(json, "slot")};
    size_t count = json_array_size(c.points);
    c.low = value(&c, 0, "year");
    c.high = value(&c, count - 1, "year");
    c.first = json_object_get(json, "first") != NULL ? page_number(json, "first") : c.low;
    c.last = json_object_get(json, "last") != NULL ? page_number(json, "last") : c.high;
    double range = c.high - c.low;
    /* Decades, where there are enough of them and not too many. */
    c.step = range >= 60 && range <= 300 ? 10 : page_round_step(range, 24);
    return c;
}

/* The value at a year between two points of the curve. */
static double at_year(const struct curve *c, double year, const char *key) {
    size_t count = json_array_size(c->points);
    double at = (year - c->low) / (c->high - c->low) * (double)(count - 1);
    size_t below = at <= 0 ? 0 : at >= (double)(count - 1) ? count - 2 : (size_t)at;
    double part = fmin(1, fmax(0, at - (double)below));
    return (1 - part) * value(c, below, key) + part * value(c, below + 1, key);
}

static const char *seen(const struct curve *c, double year) {
    return year < c->first || year > c->last ? " unseen" : "";
}

/* The curve on its sheet, and the years that are named beside it. */
struct drawing {
    const struct page *page;
    const struct curve *curve;
    double middle[2], scale;
    struct box {
        double left, right, top, bottom;
    } taken[MOST_YEARS];
    size_t taken_count;
};

static double sheet_x(const struct drawing *d, double x) {
    return WIDTH / 2.0 + (x - d->middle[0]) * d->scale;
}
static double sheet_y(const struct drawing *d, double y) {
    return HEIGHT / 2.0 - (y - d->middle[1]) * d->scale;
}

static struct drawing fit(const struct page *page, const struct curve *c) {
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < json_array_size(c->points); i++)
        for (int k = 0; k < 2; k++) {
            low[k] = fmin(low[k], value(c, i, k == 0 ? "x" : "y"));
            high[k] = fmax(high[k], value(c, i, k == 0 ? "x" : "y"));
        }
    return (struct drawing){.page = page,
                            .curve = c,
                            .middle = {(low[0] + high[0]) / 2, (low[1] + high[1]) / 2},
                            .scale = fmin((WIDTH - 2 * MARGIN) / fmax(high[0] - low[0], 1e-9),
                                          (HEIGHT - 2 * MARGIN) / fmax(high[1] - low[1], 1e-9))};
}

/* Covers neither another year nor the curve. */
static int is_free(const struct drawing *d, const struct box *box) {
    const struct curve *c = d->curve;
    if (box->left < 0 || box->right > WIDTH || box->top < 0 || box->bottom > HEIGHT)
        return 0;
    for (size_t i = 0; i < d->taken_count; i++)
        if (box->left < d->taken[i].right && d->taken[i].left < box->right &&
            box->top < d->taken[i].bottom && d->taken[i].top < box->bottom)
            return 0;
    for (size_t i = 0; i < json_array_size(c->points); i++) {
        double x = sheet_x(d, value(c, i, "x")), y = sheet_y(d, value(c, i, "y"));
        if (x > box->left - 2 && x < box->right + 2 && y > box->top - 2 && y < box->bottom + 2)
            return 0;
    }
    return 1;
}

/* A year beside its point, on whichever side of the curve has room; left out where neither has. */
static void write_year(struct drawing *d, double year) {
    static const double AWAY[] = {1, -1, 1.6, -1.6};
    const struct curve *c = d->curve;
    char text[HTML_NUMBER], class[8];
    double h = (c->high - c->low) / (double)json_array_size(c->points);
    double dx = at_year(c, year + h, "x") - at_year(c, year - h, "x");
    double dy = at_year(c, year - h, "y") - at_year(c, year + h, "y"), size = hypot(dx, dy);
    double across = size > 0 ? -dy / size : 0, up = size > 0 ? dx / size : 1;
    double x = sheet_x(d, at_year(c, year, "x")), y = sheet_y(d, at_year(c, year, "y"));
    double width = 6.2 * (double)strlen(html_year(text, year));
    html_write(d->page->stream, "<circle class=\"dot %s%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>",
               page_scale_colour(d->page, c->slot, year, class), seen(c, year), x, y);
    for (size_t i = 0; i < sizeof AWAY / sizeof *AWAY && d->taken_count < MOST_YEARS; i++) {
        double tx = x + AWAY[i] * across * (8 + width / 2), ty = y + AWAY[i] * up * 12;
        struct box box = {tx - width / 2, tx + width / 2, ty - 5, ty + 5};
        if (!is_free(d, &box))
            continue;
        d->taken[d->taken_count++] = box;
        html_write(d->page->stream,
                   "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", tx, ty + 3.5,
                   text);
        return;
    }
}

static void write_curve(const struct page *page, const struct curve *c) {
    struct drawing d = fit(page, c);
    char class[8];
    html_write(page->stream,
               "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"The curve of the slot "
               "%s\">\n",
               WIDTH, HEIGHT, c->slot);
    for (size_t i = 0; i + 1 < json_array_size(c->points); i++)
        html_write(page->stream,
                   "<line class=\"curve %s%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                   page_scale_colour(page, c->slot, value(c, i, "year"), class),
                   seen(c, value(c, i, "year")), sheet_x(&d, value(c, i, "x")),
                   sheet_y(&d, value(c, i, "y")), sheet_x(&d, value(c, i + 1, "x")),
                   sheet_y(&d, value(c, i + 1, "y")));
    for (double year = ceil(c->low / c->step) * c->step; year <= c->high; year += c->step)
        write_year(&d, year);
    html_write(
        page->stream,
        "</svg>\n<figcaption>The curve along its two principal components (%.0f\xc2\xa0%% and "
        "%.0f\xc2\xa0%% of its variance), both with the same unit.</figcaption></figure>\n",
        100 * page_number(c->json, "share_across"), 100 * page_number(c->json, "share_up"));
}

static double speed_x(const struct curve *c, double year) {
    return LEFT + (year - c->low) / (c->high - c->low) * (WIDTH - LEFT - 8);
}

static void write_speed_axes(const struct page *page, const struct curve *c, double most,
                             double step) {
    double height = SPEED_HEIGHT - TOP - BOTTOM;
    double years = page_round_step(c->high - c->low, 6);
    char text[HTML_NUMBER];
    for (double v = 0; v <= most + step / 2; v += step) {
        double y = SPEED_HEIGHT - BOTTOM - v / most * height;
        html_write(page->stream,
                   "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                   "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
                   LEFT, WIDTH - 8, y, y, LEFT - 5, y + 3.5, html_year(text, v));
    }
    for (double year = ceil(c->low / years) * years; year <= c->high; year += years)
        html_write(page->stream, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                   speed_x(c, year), SPEED_HEIGHT - BOTTOM + 16, html_year(text, year));
}

static void write_speed(const struct page *page, const struct curve *c) {
    size_t count = json_array_size(c->points);
    double most = 1e-9, height = SPEED_HEIGHT - TOP - BOTTOM;
    char class[8];
    for (size_t i = 0; i < count; i++)
        most = fmax(most, value(c, i, "speed"));
    double step = page_round_step(most, 5);
    most = ceil(most / step) * step;
    html_write(page->stream,
               "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"How fast the curve "
               "moves\">\n",
               WIDTH, SPEED_HEIGHT);
    write_speed_axes(page, c, most, step);
    for (size_t i = 0; i + 1 < count; i++)
        html_write(page->stream,
                   "<line class=\"curve %s%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                   page_scale_colour(page, c->slot, value(c, i, "year"), class),
                   seen(c, value(c, i, "year")), speed_x(c, value(c, i, "year")),
                   SPEED_HEIGHT - BOTTOM - value(c, i, "speed") / most * height,
                   speed_x(c, value(c, i + 1, "year")),
                   SPEED_HEIGHT - BOTTOM - value(c, i + 1, "speed") / most * height);
    fputs(
        "</svg>\n<figcaption>How fast it moves: spreads a decade, by year.</figcaption></figure>\n",
        page->stream);
}

/* Where documents are, it moves fastest and slowest here. */
static void write_extremes(const struct page *page, const struct curve *c) {
    size_t count = json_array_size(c->points), fastest = SIZE_MAX, slowest = SIZE_MAX;
    char a[HTML_NUMBER], b[HTML_NUMBER];
    for (size_t i = 0; i < count; i++) {
        double year = value(c, i, "year"), speed = value(c, i, "speed");
        if (year < c->first || year > c->last)
            continue;
        fastest = fastest == SIZE_MAX || speed > value(c, fastest, "speed") ? i : fastest;
        slowest = slowest == SIZE_MAX || speed < value(c, slowest, "speed") ? i : slowest;
    }
    if (fastest == SIZE_MAX)
        return;
    html_write(page->stream,
               "<p>Style moves fastest around %s, by %.1f spreads a decade, and slowest around %s, "
               "by %.1f. ",
               html_year(a, round(value(c, fastest, "year"))), value(c, fastest, "speed"),
               html_year(b, round(value(c, slowest, "year"))), value(c, slowest, "speed"));
    html_write(page->stream,
               "A spread is how far the model expects documents of one year to scatter. The curve "
               "is smooth by "
               "construction, of bumps some %.0f years wide: what changed faster is not in it. ",
               page_number(c->json, "bump_years"));
    html_write(page->stream,
               "Documents are from %s to %s; beyond them it goes on as it ends, and is drawn "
               "faint.</p>\n",
               html_year(a, c->first), html_year(b, c->last));
}

static void write_years(const struct page *page, const struct curve *c) {
    char year[HTML_NUMBER], x[HTML_NUMBER], y[HTML_NUMBER];
    fputs(
        "<details><summary>The same as a table</summary>\n<div class=\"scroller\" tabindex=\"0\" "
        "role=\"region\" aria-label=\"Table of years\"><table><thead><tr><th scope=\"col\" "
        "class=\"number\">year</th><th scope=\"col\" class=\"number\">across</th><th scope=\"col\" "
        "class=\"number\">up</th><th scope=\"col\" class=\"number\">spreads a "
        "decade</th></tr></thead>"
        "<tbody>\n",
        page->stream);
    for (double at = ceil(c->low / c->step) * c->step; at <= c->high; at += c->step)
        html_write(page->stream,
                   "<tr><th scope=\"row\" class=\"number\">%s</th><td class=\"number\">%s</td><td "
                   "class=\"number\">%s</td><td class=\"number\">%.2f</td></tr>\n",
                   html_year(year, at), html_signed(x, at_year(c, at, "x"), 2),
                   html_signed(y, at_year(c, at, "y"), 2), at_year(c, at, "speed"));
    fputs("</tbody></table></div></details>\n", page->stream);
}

void page_dates(const struct page *page) {
    const json_t *dates = json_object_get(page->content, "dates"), *date;
    size_t index;
    json_array_foreach(dates, index, date) {
        struct curve c = curve_of(date);
        if (json_array_size(c.points) < 3)
            continue;
        html_write(
            page->stream,
            "<p>To the model, a year is a point on a curve that it has learned: it can be told "
            "any year, and reads from a text where on the curve it belongs.</p>\n"
            "<div class=\"pair\">\n");
        write_curve(page, &c);
        write_speed(page, &c);
        fputs("</div>\n", page->stream);
        write_extremes(page, &c);
        write_years(page, &c);
    }
}
