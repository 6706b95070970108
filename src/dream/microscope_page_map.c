/* The map of the labels, how they are coloured, and the same as a table. */
#include <math.h>
#include <string.h>

#include "dream/microscope_page_private.h"

enum { WIDTH = 900, HEIGHT = 600, MARGIN = 46, LABEL_HEIGHT = 15, NAMES_TRIED = 300 };
static const double RADIUS = 5.5, LETTER = 6.4;

/* The commonest words of a slot, the more common first, equals in the order of the labels. */
static void find_words(const struct page *page, struct page_colouring *c) {
    for (size_t k = 0; k < PAGE_HUES + 1; k++) {
        const char *best = NULL;
        size_t most = 0;
        for (size_t i = 0; i < page->author_count; i++) {
            const char *word = page_text(json_object_get(page_author(page, i), "slots"), c->name);
            size_t count = 0;
            int is_taken = *word == '\0';
            for (size_t j = 0; j < c->word_count; j++)
                is_taken |= strcmp(c->words[j], word) == 0;
            for (size_t j = 0; !is_taken && j < page->author_count; j++)
                count += strcmp(word, page_text(json_object_get(page_author(page, j), "slots"),
                                                c->name)) == 0;
            if (count > most) {
                most = count;
                best = word;
            }
        }
        if (best == NULL)
            return;
        if (k == PAGE_HUES)
            c->has_others = 1;
        else
            c->words[c->word_count++] = best;
    }
}

void page_find_colourings(struct page *page) {
    const json_t *kinds = json_object_get(page->content, "kinds"), *kind;
    size_t index;
    json_array_foreach(kinds, index, kind) {
        struct page_colouring c = {.name = page_text(kind, "slot"),
                                   .is_scale = json_is_true(json_object_get(kind, "is_date")),
                                   .low = INFINITY,
                                   .high = -INFINITY};
        for (size_t i = 0; c.is_scale && i < page->author_count; i++) {
            const json_t *value =
                json_object_get(json_object_get(page_author(page, i), "slots"), c.name);
            if (json_is_number(value)) {
                c.low = fmin(c.low, json_number_value(value));
                c.high = fmax(c.high, json_number_value(value));
            }
        }
        if (!c.is_scale)
            find_words(page, &c);
        if (page->colouring_count < PAGE_COLOURINGS &&
            (c.is_scale ? c.low <= c.high : c.word_count > 0))
            page->colourings[page->colouring_count++] = c;
    }
}

static const char *scale_class(const struct page_colouring *c, double x, char *text) {
    double share = c->high > c->low ? (x - c->low) / (c->high - c->low) : 0.5;
    share = fmin(1, fmax(0, share));
    snprintf(text, 8, "s%d", (int)lround(share * (PAGE_STEPS - 1)));
    return text;
}

const char *page_colour(const struct page *page, size_t colouring, size_t author, char *text) {
    const struct page_colouring *c = &page->colourings[colouring];
    const json_t *slots = json_object_get(page_author(page, author), "slots");
    const json_t *value =
        colouring < page->colouring_count ? json_object_get(slots, c->name) : NULL;
    strcpy(text, "c0");
    if (value != NULL && c->is_scale)
        return scale_class(c, json_number_value(value), text);
    for (size_t k = 0; value != NULL && k < c->word_count; k++)
        if (strcmp(c->words[k], page_text(slots, c->name)) == 0)
            text[1] = (char)('1' + k); /* of six at most */
    return text;
}

const char *page_scale_colour(const struct page *page, const char *name, double x, char *text) {
    for (size_t i = 0; i < page->colouring_count; i++)
        if (page->colourings[i].is_scale && strcmp(page->colourings[i].name, name) == 0)
            return scale_class(&page->colourings[i], x, text);
    strcpy(text, "s8");
    return text;
}

/* Where the labels stand on the sheet. */
struct sheet {
    double x, y, scale;
};

static struct sheet fit_sheet(const struct page *page) {
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < page->author_count; i++)
        for (size_t c = 0; c < 2; c++) {
            low[c] = fmin(low[c], page_coordinate(page, i, c));
            high[c] = fmax(high[c], page_coordinate(page, i, c));
        }
    double scale = fmin((WIDTH - 2 * MARGIN) / fmax(high[0] - low[0], 1e-9),
                        (HEIGHT - 2 * MARGIN) / fmax(high[1] - low[1], 1e-9));
    return (struct sheet){(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, scale};
}

static double sheet_x(const struct sheet *sheet, double x) {
    return WIDTH / 2.0 + (x - sheet->x) * sheet->scale;
}
static double sheet_y(const struct sheet *sheet, double y) {
    return HEIGHT / 2.0 - (y - sheet->y) * sheet->scale;
}

static double text_width(const char *text) {
    double letters = 0;
    for (; *text != '\0'; text++)
        letters += (*text & 0xc0) != 0x80;
    return letters * LETTER;
}

struct box {
    double left, right, top, bottom;
};

static int is_free(const struct box *box, const struct box *taken, size_t count) {
    if (box->left < 2 || box->right > WIDTH - 2 || box->top < 2 || box->bottom > HEIGHT - 2)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (box->left < taken[i].right && taken[i].left < box->right &&
            box->top < taken[i].bottom && taken[i].top < box->bottom)
            return 0;
    return 1;
}

/* Each name where it covers no point and no other name, to the right, left, above or below its
 * point; names without room are left out: they are in the table, and appear when one zooms in. */
static void write_names(const struct page *page, const struct sheet *sheet) {
    static const char *const ANCHORS[4] = {"start", "end", "middle", "middle"};
    struct box taken[2 * NAMES_TRIED];
    size_t tried = page->author_count < NAMES_TRIED ? page->author_count : NAMES_TRIED, count = 0;
    for (size_t i = 0; i < tried; i++) {
        double x = sheet_x(sheet, page_coordinate(page, i, 0));
        double y = sheet_y(sheet, page_coordinate(page, i, 1));
        taken[count++] = (struct box){x - RADIUS, x + RADIUS, y - RADIUS, y + RADIUS};
    }
    fputs("<g class=\"names\" aria-hidden=\"true\">\n", page->stream);
    for (size_t i = 0; i < tried; i++) {
        double x = sheet_x(sheet, page_coordinate(page, i, 0)), gap = RADIUS + 3;
        double y = sheet_y(sheet, page_coordinate(page, i, 1));
        double width = text_width(page_label(page, i));
        double anchors[4][2] = {
            {x + gap, y + 4.5}, {x - gap, y + 4.5}, {x, y - gap}, {x, y + gap + 11}};
        double lefts[4] = {x + gap, x - gap - width, x - width / 2, x - width / 2};
        for (size_t k = 0; k < 4; k++) {
            struct box box = {lefts[k] - 2, lefts[k] + width + 2,
                              anchors[k][1] - 0.8 * LABEL_HEIGHT,
                              anchors[k][1] + 0.25 * LABEL_HEIGHT};
            if (!is_free(&box, taken, count))
                continue;
            html_write(page->stream, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n",
                       anchors[k][0], anchors[k][1], ANCHORS[k], page_label(page, i));
            taken[count++] = box;
            break;
        }
    }
    fputs("</g>\n", page->stream);
}

/* data-colours: the classes by all colourings, for the script to choose from. */
static void write_spot(const struct page *page, const struct sheet *sheet, size_t i) {
    char class[8];
    double x = page_coordinate(page, i, 0), y = page_coordinate(page, i, 1);
    html_write(page->stream,
               "<g class=\"spot %s\" id=\"spot-%zu\" data-author=\"%zu\" data-x=\"%.5f\" "
               "data-y=\"%.5f\" data-colours=\"",
               page_colour(page, 0, i, class), i, i, x, y);
    for (size_t c = 0; c < page->colouring_count; c++)
        html_write(page->stream, "%s ", page_colour(page, c, i, class));
    html_write(page->stream,
               "c0\" transform=\"translate(%.1f %.1f)\"><title>%s</title>"
               "<circle class=\"reach\" r=\"13\"/><circle class=\"dot\" r=\"%.1f\"/></g>\n",
               sheet_x(sheet, x), sheet_y(sheet, y), page_label(page, i), RADIUS);
}

static void write_sheet(const struct page *page) {
    struct sheet sheet = fit_sheet(page);
    html_write(page->stream,
               "<div class=\"frame\"><svg id=\"sheet\" viewBox=\"0 0 %d %d\" role=\"img\" "
               "aria-label=\"Map of the %s\">\n<g class=\"axes\" aria-hidden=\"true\">"
               "<line x1=\"0\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
               "<line y1=\"0\" y2=\"%d\" x1=\"%.1f\" x2=\"%.1f\"/></g>\n",
               WIDTH, HEIGHT, page->many, WIDTH, sheet_y(&sheet, 0), sheet_y(&sheet, 0), HEIGHT,
               sheet_x(&sheet, 0), sheet_x(&sheet, 0));
    for (size_t i = 0; i < page->author_count; i++)
        write_spot(page, &sheet, i);
    write_names(page, &sheet);
    fputs("</svg></div>\n", page->stream);
}

static void write_legend(const struct page *page, size_t index) {
    const struct page_colouring *c = &page->colourings[index];
    char low[HTML_NUMBER], high[HTML_NUMBER];
    html_write(page->stream, "<div class=\"legend\" data-legend=\"%zu\" %s><span>%s</span> ", index,
               index > 0 ? "hidden" : "", c->name);
    if (c->is_scale) {
        html_write(page->stream,
                   "<span class=\"number\">%s</span><span class=\"ramp\"></span>"
                   "<span class=\"number\">%s</span>",
                   html_year(low, round(c->low)), html_year(high, round(c->high)));
    } else {
        fputs("<ul>", page->stream);
        for (size_t k = 0; k < c->word_count; k++)
            html_write(page->stream, "<li><span class=\"swatch c%zu\"></span>%s</li>", k + 1,
                       c->words[k]);
        if (c->has_others)
            fputs("<li><span class=\"swatch c0\"></span>others</li>", page->stream);
        fputs("</ul>", page->stream);
    }
    fputs("</div>\n", page->stream);
}

/* Without the script there is nothing to choose: it shows the tools. */
static void write_tools(const struct page *page) {
    html_write(page->stream,
               "<div class=\"tools\" data-script hidden>\n<p class=\"field\"><label for=\"find\">"
               "Find</label><input id=\"find\" type=\"search\" autocomplete=\"off\" "
               "spellcheck=\"false\" placeholder=\"Type a name\"></p>\n"
               "<p class=\"field\"><label for=\"colour\">Coloured by</label>"
               "<select id=\"colour\">");
    for (size_t i = 0; i < page->colouring_count; i++)
        html_write(page->stream, "<option value=\"%zu\">%s</option>", i, page->colourings[i].name);
    html_write(page->stream,
               "<option value=\"%zu\">nothing</option></select></p>\n"
               "<output id=\"found\" for=\"find\"></output>\n</div>\n",
               page->colouring_count);
    for (size_t i = 0; i < page->colouring_count; i++)
        write_legend(page, i);
}

static void write_view_tools(const struct page *page) {
    html_write(page->stream,
               "<div class=\"view\" data-script hidden role=\"group\" aria-label=\"View of the "
               "map\"><button type=\"button\" data-zoom=\"in\" aria-label=\"Zoom in\">+</button>"
               "<button type=\"button\" data-zoom=\"out\" aria-label=\"Zoom out\">\xe2\x88\x92"
               "</button><button type=\"button\" data-zoom=\"all\">Show all</button>"
               "<p class=\"hint\" id=\"keys\">Drag to move; Ctrl and the wheel, or two fingers, "
               "zoom. Arrow keys: to the next %s. Shift and arrows: move. +, \xe2\x88\x92: zoom. "
               "0: all.</p></div>\n",
               page->one);
}

static void write_row(const struct page *page, size_t i, size_t components) {
    const json_t *author = page_author(page, i), *slots = json_object_get(author, "slots");
    char text[HTML_NUMBER];
    html_write(page->stream,
               "<tr id=\"author-%zu\"><th scope=\"row\">%s</th><td class=\"number\">%s</td>", i,
               page_label(page, i), html_count(text, page_number(author, "documents")));
    for (size_t c = 0; c < page->colouring_count; c++) {
        const json_t *value = json_object_get(slots, page->colourings[c].name);
        if (page->colourings[c].is_scale)
            html_write(page->stream, "<td class=\"number\">%s</td>",
                       value == NULL ? "" : html_year(text, round(json_number_value(value))));
        else
            html_write(page->stream, "<td>%s</td>", page_text(slots, page->colourings[c].name));
    }
    for (size_t c = 0; c < components; c++)
        html_write(page->stream, "<td class=\"number\">%s</td>",
                   html_signed(text, page_coordinate(page, i, c), 2));
    fputs("</tr>\n", page->stream);
}

static void write_table(const struct page *page) {
    size_t components = json_array_size(json_object_get(page->content, "components"));
    html_write(page->stream,
               "<details><summary>The same as a table</summary>\n<div class=\"scroller\" "
               "tabindex=\"0\" role=\"region\" aria-label=\"Table of the %s\">"
               "<table id=\"authors\"><thead><tr><th scope=\"col\">%s</th>"
               "<th scope=\"col\" class=\"number\">documents</th>",
               page->many, page->one);
    for (size_t c = 0; c < page->colouring_count; c++)
        html_write(page->stream, "<th scope=\"col\" class=\"%s\">%s</th>",
                   page->colourings[c].is_scale ? "number" : "word", page->colourings[c].name);
    for (size_t c = 0; c < components; c++)
        html_write(page->stream, "<th scope=\"col\" class=\"number\">component %zu</th>", c + 1);
    fputs("</tr></thead><tbody>\n", page->stream);
    for (size_t i = 0; i < page->author_count; i++)
        write_row(page, i, components);
    fputs("</tbody></table></div></details>\n", page->stream);
}

void page_map(const struct page *page) {
    const json_t *components = json_object_get(page->content, "components");
    html_write(page->stream,
               "<p>The model gives every %s a point, and those who write alike stand close "
               "together. Across runs component 1 (%.1f\xc2\xa0%% of the variance)",
               page->one, 100 * page_number(json_array_get(components, 0), "share"));
    if (json_array_size(components) > 1)
        html_write(page->stream, ", up component 2 (%.1f\xc2\xa0%%); both have the same unit",
                   100 * page_number(json_array_get(components, 1), "share"));
    fputs(". Where the lines cross is the mean of all.</p>\n", page->stream);
    write_tools(page);
    fputs("<div class=\"map\"><div>\n", page->stream);
    write_sheet(page);
    write_view_tools(page);
    html_write(page->stream,
               "</div>\n<aside id=\"card\" data-script hidden aria-live=\"polite\" "
               "aria-label=\"The chosen %s\"><p class=\"soft\">Choose a point, with the pointer or "
               "with the arrow keys when the map has the focus.</p></aside></div>\n",
               page->one);
    write_table(page);
}
