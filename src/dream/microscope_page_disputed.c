/* The documents whose reading goes against their label. */
#include <math.h>

#include "dream/microscope_page_private.h"

static void write_head(const struct page *page, const char *const *columns, const int *is_number,
                       const char *name) {
    html_write(page->stream,
               "<div class=\"scroller\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table "
               "class=\"cases\"><thead><tr>",
               name);
    for (size_t i = 0; columns[i] != NULL; i++)
        html_write(page->stream, "<th scope=\"col\" class=\"%s\">%s</th>",
                   is_number[i] ? "number" : "word", columns[i]);
    fputs("</tr></thead><tbody>\n", page->stream);
}

static void write_said(const struct page *page, const json_t *item) {
    const json_t *said = json_object_get(item, "said"), *one;
    size_t index;
    json_array_foreach(said, index, one) {
        double p = json_number_value(json_array_get(one, 1));
        if (index > 0 && p < 0.005)
            break;
        html_write(page->stream,
                   index == 0 ? "<b>%s</b> <span class=\"number\">%.2f</span>"
                              : ", %s <span class=\"number\">%.2f</span>",
                   json_string_value(json_array_get(one, 0)), p);
    }
}

static void write_label_cases(const struct page *page, const json_t *split, const char *what) {
    static const int IS_NUMBER[] = {0, 0, 0, 1, 0};
    const char *const COLUMNS[] = {"document", "label", "the reader says", "chance of the label",
                                   NULL};
    const json_t *cases = json_object_get(split, "cases"), *item;
    size_t index;
    if (json_array_size(cases) == 0)
        return;
    write_head(page, COLUMNS, IS_NUMBER, what);
    json_array_foreach(cases, index, item) {
        html_write(page->stream,
                   "<tr><th scope=\"row\">%s</th><td data-name=\"label\">%s</td>"
                   "<td data-name=\"the reader says\">",
                   page_text(item, "document"), page_text(item, "label"));
        write_said(page, item);
        double chance = page_number(item, "label_probability");
        html_write(page->stream,
                   "</td><td class=\"number\" data-name=\"chance of the label\">%s%.3f</td></tr>\n",
                   chance < 0.001 ? "under " : "", fmax(chance, 0.001));
    }
    fputs("</tbody></table></div>\n", page->stream);
}

static void write_date_cases(const struct page *page, const json_t *split, const char *what) {
    static const int IS_NUMBER[] = {0, 1, 1, 1, 1, 0};
    const char *const COLUMNS[] = {"document",    "label",          "the reader says",
                                   "90 % within", "error in years", NULL};
    const json_t *cases = json_object_get(split, "cases"), *item;
    char label[HTML_NUMBER], read[HTML_NUMBER], low[HTML_NUMBER], high[HTML_NUMBER];
    size_t index;
    if (json_array_size(cases) == 0)
        return;
    write_head(page, COLUMNS, IS_NUMBER, what);
    json_array_foreach(cases, index, item) {
        const json_t *years = json_object_get(item, "read");
        double year = page_number(item, "year");
        double median = json_number_value(json_array_get(years, 1));
        html_write(page->stream,
                   "<tr><th scope=\"row\">%s</th><td class=\"number\" data-name=\"label\">%s</td>"
                   "<td class=\"number\" data-name=\"the reader says\"><b>%s</b></td>",
                   page_text(item, "document"), html_year(label, year), html_year(read, median));
        html_write(page->stream,
                   "<td class=\"number\" data-name=\"90 %% within\">%s\xe2\x80\x93%s</td>",
                   html_year(low, json_number_value(json_array_get(years, 0))),
                   html_year(high, json_number_value(json_array_get(years, 2))));
        html_write(page->stream, "<td class=\"number\" data-name=\"error in years\">%s</td></tr>\n",
                   html_signed(read, median - year, 1));
    }
    fputs("</tbody></table></div>\n", page->stream);
}

static const char *split_name(const json_t *split) {
    return json_is_true(json_object_get(split, "is_held_out"))
               ? "held-out documents"
               : "training documents that were read (the model has seen these)";
}

static void write_splits(const struct page *page, const json_t *splits, const char *agree,
                         void (*write)(const struct page *, const json_t *, const char *)) {
    const json_t *split;
    char text[HTML_NUMBER], count[HTML_NUMBER];
    size_t index;
    json_array_foreach(splits, index, split) {
        double labelled = page_number(split, "labelled"), agreeing = page_number(split, "agreeing");
        double listed = (double)json_array_size(json_object_get(split, "cases"));
        html_write(page->stream, "<p>Of %s labelled %s, %s in %s", html_count(count, labelled),
                   split_name(split), agree, html_count(text, agreeing));
        if (labelled > 0)
            html_write(page->stream, " (%.0f\xc2\xa0%%)", 100 * agreeing / labelled);
        fputs(labelled == agreeing           ? ": nothing is disputed.</p>\n"
              : listed < labelled - agreeing ? ". The surest of the others:</p>\n"
                                             : ". The others, the surest first:</p>\n",
              page->stream);
        write(page, split, split_name(split));
    }
}

void page_disputed(const struct page *page) {
    const json_t *disputed = json_object_get(page->content, "disputed");
    html_write(
        page->stream,
        "<p>Documents that the reader, told nothing, would have labelled otherwise. It may be "
        "wrong; or the label is, or another hand was at work.</p>\n<h3>Whose they are</h3>\n");
    write_splits(page, json_object_get(disputed, "labels"), "the reader favours the label",
                 write_label_cases);
    if (json_object_get(disputed, "date_slot") == NULL)
        return;
    html_write(page->stream, "<h3>When they are from</h3>\n");
    write_splits(page, json_object_get(disputed, "dates"),
                 "the label is within the reader\xe2\x80\x99s 90 % interval", write_date_cases);
}
