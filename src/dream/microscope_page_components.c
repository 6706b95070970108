/* What each component means. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dream/microscope_page_private.h"

enum { ENDS = 4 };

struct place {
    double at; /* in standard deviations from the mean */
    size_t author;
};

static int compare_places(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->author > y->author) - (x->author < y->author);
}

/* |r| that an unrelated fact passes once in twenty: the normal approximation for n labels. */
static double chance_bound(const struct page *page) {
    return 1.96 / sqrt(fmax(1, (double)page->author_count - 1));
}

static void write_facts(const struct page *page, const json_t *component) {
    const json_t *facts = json_object_get(component, "facts"), *fact;
    char text[HTML_NUMBER];
    size_t index, shown = 0;
    json_array_foreach(facts, index, fact) {
        double r = page_number(fact, "correlation");
        if (fabs(r) < chance_bound(page))
            continue;
        html_write(page->stream, "%s<b>%s</b> <span class=\"number\">(<i>r</i> = %s)</span>",
                   shown++ == 0 ? "Goes along with " : ", ", page_text(fact, "fact"),
                   html_signed(text, r, 2));
    }
    html_write(page->stream,
               shown > 0 ? ".\n" : "Goes along with nothing that the corpus tells of the %s.\n",
               page->many);
}

static void write_end(const struct page *page, const char *which, const struct place *places,
                      size_t count, int is_high) {
    char text[HTML_NUMBER];
    html_write(page->stream, "<p class=\"end %s\"><i>%s end</i> ", which, is_high ? "High" : "Low");
    for (size_t i = 0; i < ENDS && i < (count + 1) / 2; i++) {
        const struct place *place = &places[is_high ? count - 1 - i : i];
        html_write(
            page->stream, "%s<span class=\"name\">%s <span class=\"number soft\">%s</span></span>",
            i > 0 ? ", " : "", page_label(page, place->author), html_signed(text, place->at, 2));
    }
    fputs("</p>\n", page->stream);
}

/* All labels on one line, with a tick for each standard deviation. */
static void write_strip(const struct page *page, const struct place *places, size_t index) {
    double widest = 2;
    char class[8], text[HTML_NUMBER];
    for (size_t i = 0; i < page->author_count; i++)
        widest = fmax(widest, fabs(places[i].at));
    widest *= 1.04;
    html_write(page->stream,
               "<svg class=\"strip\" role=\"img\" aria-label=\"The %s along component %zu\">"
               "<line class=\"axis\" x1=\"0\" x2=\"100%%\" y1=\"16\" y2=\"16\"/>",
               page->many, index + 1);
    for (int k = -2; k <= 2; k++) {
        double x = 50 + 50 * k / widest;
        html_write(page->stream,
                   "<line class=\"axis\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"6\" y2=\"26\"/>"
                   "<text x=\"%.2f%%\" y=\"41\" text-anchor=\"middle\">%s</text>",
                   x, x, x, k == 0 ? "mean" : html_signed(text, k, 0));
    }
    for (size_t i = 0; i < page->author_count; i++)
        html_write(page->stream,
                   "<circle class=\"dot %s\" data-author=\"%zu\" cx=\"%.2f%%\" cy=\"16\" r=\"5\">"
                   "<title>%s %s</title></circle>",
                   page_colour(page, 0, places[i].author, class), places[i].author,
                   50 + 50 * places[i].at / widest, page_label(page, places[i].author),
                   html_signed(text, places[i].at, 2));
    fputs("</svg>\n", page->stream);
}

/* Bars in the logarithm: twice as likely is half as long as four times. */
static void write_words(const struct page *page, const json_t *words, const char *title) {
    const json_t *word;
    size_t index;
    double most = log(2);
    json_array_foreach(words, index, word) most = fmax(most, log(page_number(word, "times")));
    html_write(page->stream, "<div><h4>%s</h4>\n<ul class=\"words\">\n", title);
    json_array_foreach(words, index, word) {
        double times = page_number(word, "times");
        html_write(page->stream,
                   "<li><span>%s</span><svg class=\"bar\" aria-hidden=\"true\"><rect "
                   "width=\"%.1f%%\" height=\"100%%\"/></svg><span class=\"number\">\xc3\x97%.2f"
                   "</span></li>\n",
                   page_text(word, "word"), 100 * log(fmax(times, 1)) / most, times);
    }
    fputs("</ul></div>\n", page->stream);
}

static void write_texts(const struct page *page, const json_t *component) {
    const json_t *texts = json_object_get(component, "texts"), *text;
    const char *prompt = page_text(json_object_get(page->content, "header"), "prompt");
    char number[HTML_NUMBER];
    size_t index;
    fputs("<div class=\"texts\">\n", page->stream);
    json_array_foreach(texts, index, text) {
        double deviations = page_number(text, "deviations");
        html_write(page->stream, "<figure><figcaption>%s%s</figcaption><blockquote>",
                   deviations == 0 ? "The mean" : html_signed(number, deviations, 0),
                   deviations == 0 ? "" : " standard deviations");
        if (*prompt != '\0')
            html_write(page->stream, "<i>%s</i>", prompt);
        html_write(page->stream, "%s%s</blockquote></figure>\n", page_text(text, "text"),
                   json_is_true(json_object_get(text, "is_cut")) ? " \xe2\x80\xa6" : "");
    }
    fputs("</div>\n", page->stream);
}

static void write_component(const struct page *page, const json_t *component, size_t index) {
    struct place *places = calloc(page->author_count, sizeof *places);
    double deviation = fmax(page_number(component, "deviation"), 1e-12);
    html_write(page->stream,
               "<article class=\"component\">\n<h3>Component %zu <span "
               "class=\"soft\">%.1f\xc2\xa0%% of the "
               "variance</span></h3>\n<p>",
               index + 1, 100 * page_number(component, "share"));
    write_facts(page, component);
    fputs("</p>\n", page->stream);
    for (size_t i = 0; places != NULL && i < page->author_count; i++)
        places[i] = (struct place){page_coordinate(page, i, index) / deviation, i};
    if (places != NULL) {
        qsort(places, page->author_count, sizeof *places, compare_places);
        write_strip(page, places, index);
        fputs("<div class=\"ends\">\n", page->stream);
        write_end(page, "low", places, page->author_count, 0);
        write_end(page, "high", places, page->author_count, 1);
        fputs("</div>\n", page->stream);
    }
    free(places);
    if (json_object_get(component, "low_words") != NULL) {
        fputs("<div class=\"word-lists\">\n", page->stream);
        write_words(page, json_object_get(component, "low_words"), "Likelier at the low end");
        write_words(page, json_object_get(component, "high_words"), "Likelier at the high end");
        fputs("</div>\n", page->stream);
    }
    write_texts(page, component);
    fputs("</article>\n", page->stream);
}

void page_components(const struct page *page) {
    const json_t *components = json_object_get(page->content, "components"), *component;
    size_t index;
    html_write(
        page->stream,
        "<p>The directions along which the %s differ most. Correlations are with what the "
        "corpus tells of them, and are named when they are beyond \xc2\xb1%.2f: with %zu %s, one "
        "unrelated fact in twenty is. Words are those whose chance changes most between "
        "two standard deviations below the mean and two above, on held-out texts; a hyphen "
        "stands before what goes on with a word. Numbers at the ends are standard deviations. The "
        "texts differ in one thing only, the point that the "
        "writer is told: seed and prompt are the same.</p>\n",
        page->many, fmin(1, chance_bound(page)), page->author_count, page->many);
    json_array_foreach(components, index, component) write_component(page, component, index);
}
