/* The maps of places. */
#include <math.h>

#include "dream/microscope_page_private.h"

enum { WIDTH = 820, TALLEST = 560 };
/* Of a coast, in units of the sheet. */
static const double LEAST_STEP = 0.8;
/* Around the documents' places: degrees, and a share of how far they lie apart. */
static const double LEAST_MARGIN = 4, MARGIN = 0.1;

/* What is shown, in degrees, and how it comes to lie on the sheet: equirectangular, true to scale
 * at its middle. */
struct sheet {
    const struct page *page;
    const json_t *json;
    double west, south, north, middle; /* middle: the longitude around which all others lie */
    double scale, narrow;              /* of a degree of latitude; of one of longitude beside it */
    double width, height;
};

static double longitude_of(const struct sheet *s, const json_t *at) {
    return s->middle + remainder(page_number(at, "longitude") - s->middle, 360);
}

static double sheet_x(const struct sheet *s, double longitude) {
    return (longitude - s->west) * s->scale * s->narrow;
}
static double sheet_y(const struct sheet *s, double latitude) {
    return (s->north - latitude) * s->scale;
}

static void widen(const struct sheet *s, const char *part, double bounds[4]) {
    const json_t *list = json_object_get(s->json, part), *at;
    size_t i;
    json_array_foreach(list, i, at) {
        bounds[0] = fmin(bounds[0], longitude_of(s, at));
        bounds[1] = fmax(bounds[1], longitude_of(s, at));
        bounds[2] = fmin(bounds[2], page_number(at, "latitude"));
        bounds[3] = fmax(bounds[3], page_number(at, "latitude"));
    }
}

/* Where documents come from, with a margin, and no more than the grid. */
static struct sheet sheet_of(const struct page *page, const json_t *json) {
    struct sheet s = {.page = page, .json = json};
    double grid[4] = {1e3, -1e3, 1e3, -1e3}, sites[4] = {1e3, -1e3, 1e3, -1e3};
    /* The first point of a Fibonacci lattice is at its middle. */
    s.middle = page_number(json_array_get(json_object_get(json, "field"), 0), "longitude");
    widen(&s, "field", grid);
    widen(&s, "sites", sites);
    for (size_t k = 0; k < 4; k += 2) {
        double margin = LEAST_MARGIN + MARGIN * fmax(0, sites[k + 1] - sites[k]);
        if (sites[k] > sites[k + 1])
            continue; /* no document says where it comes from */
        grid[k] = fmax(grid[k], sites[k] - margin);
        grid[k + 1] = fmin(grid[k + 1], sites[k + 1] + margin);
    }
    s.west = grid[0];
    s.south = grid[2];
    s.north = grid[3];
    s.narrow = fmax(0.3, cos((s.south + s.north) / 2 * M_PI / 180));
    s.scale = fmin(WIDTH / fmax((grid[1] - s.west) * s.narrow, 1e-6),
                   TALLEST / fmax(s.north - s.south, 1e-6));
    s.width = (grid[1] - s.west) * s.scale * s.narrow;
    s.height = (s.north - s.south) * s.scale;
    return s;
}

/* A dot for each point of the grid, so large that they nearly touch. */
static void write_field(const struct sheet *s) {
    const json_t *field = json_object_get(s->json, "field"), *at;
    double low = INFINITY, high = -INFINITY;
    double radius = 0.5 * page_number(s->json, "spacing") / 111.2 * s->scale;
    size_t i;
    json_array_foreach(field, i, at) {
        low = fmin(low, page_number(at, "x"));
        high = fmax(high, page_number(at, "x"));
    }
    json_array_foreach(field, i, at) {
        double share = high > low ? (page_number(at, "x") - low) / (high - low) : 0.5;
        html_write(s->page->stream,
                   "<circle class=\"field s%.0f\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>",
                   floor(fmin(share * PAGE_STEPS, PAGE_STEPS - 1)), sheet_x(s, longitude_of(s, at)),
                   sheet_y(s, page_number(at, "latitude")), radius);
    }
}

static int is_on_sheet(double x, double y, const struct sheet *s) {
    return x >= 0 && x <= s->width && y >= 0 && y <= s->height;
}

/* Rings that jump to the other side are broken there; points that nobody could tell from the last
 * one are left out, and so are those off the sheet but the first after one on it. */
static void write_ring(const struct sheet *s, const json_t *ring) {
    double x = 0, y = 0, last_x = 0, last_y = 0;
    int was_shown = 0, is_begun = 0;
    for (size_t k = 0; k + 1 < json_array_size(ring); k += 2) {
        double east = json_number_value(json_array_get(ring, k));
        x = sheet_x(s, s->middle + remainder(east - s->middle, 360));
        y = sheet_y(s, json_number_value(json_array_get(ring, k + 1)));
        int is_shown = is_on_sheet(x, y, s);
        int is_far = fabs(x - last_x) > s->width / 2;
        if (is_begun && !is_far && hypot(x - last_x, y - last_y) < LEAST_STEP)
            continue;
        if ((is_shown || was_shown) && !is_begun)
            html_write(s->page->stream, "<path class=\"coast\" d=\"");
        if (is_shown || was_shown) {
            html_write(s->page->stream, "%s%.1f %.1f", !was_shown || is_far ? "M" : "L", x, y);
            is_begun = 1;
        }
        was_shown = is_shown;
        last_x = x;
        last_y = y;
    }
    if (is_begun)
        html_write(s->page->stream, "\"/>\n");
}

static void write_coasts(const struct sheet *s) {
    const json_t *coasts = json_object_get(s->json, "coasts"), *ring;
    size_t i;
    json_array_foreach(coasts, i, ring) {
        write_ring(s, ring);
    }
}

static void write_who(FILE *stream, const json_t *site) {
    const json_t *who = json_object_get(site, "who"), *name;
    char count[HTML_NUMBER];
    size_t i;
    json_array_foreach(who, i, name)
        html_write(stream, "%s%s", i > 0 ? ", " : "", json_string_value(name));
    if (page_number(site, "others") > 0)
        html_write(stream, " and %s more", html_count(count, page_number(site, "others")));
}

static void write_sites(const struct sheet *s) {
    const json_t *sites = json_object_get(s->json, "sites"), *site;
    FILE *stream = s->page->stream;
    size_t i;
    json_array_foreach(sites, i, site) {
        double x = sheet_x(s, longitude_of(s, site));
        double y = sheet_y(s, page_number(site, "latitude"));
        double radius = fmin(3 + sqrt(page_number(site, "documents")) / 2, 14);
        html_write(stream, "<g class=\"site\"><title>");
        write_who(stream, site);
        html_write(stream, "</title><circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/></g>\n", x, y,
                   radius);
    }
}

static void write_map(const struct sheet *s) {
    html_write(s->page->stream,
               "<figure class=\"places\"><svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
               "aria-label=\"Map of the slot %s\">\n",
               s->width, s->height, page_text(s->json, "slot"));
    write_field(s);
    write_coasts(s);
    write_sites(s);
    html_write(s->page->stream,
               "</svg>\n<figcaption>Colour: how far along its principal component (%.0f\xc2\xa0%% "
               "of its variance) the learned function is. Circles: where documents come from; the "
               "larger, the more.</figcaption></figure>\n",
               100 * page_number(s->json, "share"));
}

static void write_table(const struct sheet *s) {
    const json_t *sites = json_object_get(s->json, "sites"), *site;
    FILE *stream = s->page->stream;
    char count[HTML_NUMBER];
    size_t i;
    html_write(stream,
               "<details><summary>The same as a table</summary>\n<div class=\"scroller\" "
               "tabindex=\"0\" role=\"region\" aria-label=\"Table of places\"><table><thead><tr>"
               "<th scope=\"col\">place</th><th scope=\"col\" class=\"number\">documents</th>"
               "<th scope=\"col\">%s</th></tr></thead><tbody>\n",
               s->page->many);
    json_array_foreach(sites, i, site) {
        double north = page_number(site, "latitude"), east = page_number(site, "longitude");
        html_write(stream,
                   "<tr><th scope=\"row\">%.2f\xc2\xb0 %s %.2f\xc2\xb0 %s</th>"
                   "<td class=\"number\">%s</td><td>",
                   fabs(north), north < 0 ? "S" : "N", fabs(east), east < 0 ? "W" : "E",
                   html_count(count, page_number(site, "documents")));
        write_who(stream, site);
        html_write(stream, "</td></tr>\n");
    }
    html_write(stream, "</tbody></table></div></details>\n");
}

void page_places(const struct page *page) {
    const json_t *places = json_object_get(page->content, "places"), *place;
    size_t index;
    json_array_foreach(places, index, place) {
        struct sheet sheet = sheet_of(page, place);
        html_write(page->stream,
                   "<p>To the model, a place is a point of a smooth function on the sphere: it can "
                   "be told any place, and reads from a text where on the map it belongs. Like "
                   "colours write alike.</p>\n");
        write_map(&sheet);
        write_table(&sheet);
    }
}
