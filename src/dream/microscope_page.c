#include "dream/microscope_page.h"

#include <math.h>
#include <string.h>

#include <sodium.h>

#include "dream/microscope_page_private.h"

/* A file of this directory as it is; the byte of value 0 ends it as a text. */
#define PAGE_EMBED(symbol, path)                                                                   \
    extern const char symbol[];                                                                    \
    __asm__(".pushsection .rodata\n" #symbol ":\n.incbin \"" path "\"\n.byte 0\n.popsection\n")

PAGE_EMBED(microscope_style, "src/dream/microscope.css");
PAGE_EMBED(microscope_script, "src/dream/microscope.js");

const char *page_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

double page_number(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

const json_t *page_author(const struct page *page, size_t index) {
    return json_array_get(page->authors, index);
}

const char *page_label(const struct page *page, size_t index) {
    return page_text(page_author(page, index), "label");
}

double page_coordinate(const struct page *page, size_t index, size_t component) {
    const json_t *all = json_object_get(page_author(page, index), "coordinates");
    return json_number_value(json_array_get(all, component));
}

double page_round_step(double range, double most) {
    static const double STEPS[] = {1, 2, 2.5, 5, 10};
    double power = pow(10, floor(log10(fmax(range / most, 1e-9))));
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++)
        if (range / (STEPS[i] * power) <= most)
            return STEPS[i] * power;
    return 10 * power;
}

/* The policy names what is in the page by its hash: markup that came in with a text could neither
 * bring a script nor a style along, nor ask for anything from anywhere. */
static void source_of(const char *text, char *source, size_t size) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    char base64[64];
    crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
    sodium_bin2base64(base64, sizeof base64, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
    snprintf(source, size, "'sha256-%s'", base64);
}

static void write_head(const struct page *page, const json_t *header) {
    char style[96], script[96];
    source_of(microscope_style, style, sizeof style);
    source_of(microscope_script, script, sizeof script);
    html_write(page->stream,
               "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
               "style-src %s; script-src %s; base-uri 'none'; form-action 'none'\">\n",
               style, script);
    html_write(page->stream,
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<meta name=\"color-scheme\" content=\"light dark\">\n"
               "<meta name=\"referrer\" content=\"no-referrer\">\n"
               "<title>%s: atlas of the %s</title>\n<style>",
               page_text(header, "model"), page->many);
    fputs(microscope_style, page->stream);
    fputs("</style>\n</head>\n", page->stream);
}

struct section {
    const char *id, *title;
    void (*write)(const struct page *page);
    const char *needs; /* the part of the content that must not be empty; NULL: always there */
};

static const struct section SECTIONS[] = {
    {"map", "The map", page_map, NULL},
    {"components", "Components", page_components, NULL},
    {"dates", "The curve of dates", page_dates, "dates"},
    {"places", "The map of places", page_places, "places"},
    {"neighbours", "Nearest to each other", page_neighbours, NULL},
    {"disputed", "Disputed cases", page_disputed, NULL},
};
enum { SECTION_COUNT = sizeof SECTIONS / sizeof *SECTIONS };

static int is_there(const struct page *page, const struct section *section) {
    return section->needs == NULL ||
           json_array_size(json_object_get(page->content, section->needs)) > 0;
}

static void write_fact(const struct page *page, const char *name, const char *text) {
    html_write(page->stream, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, text);
}

/* An option stays on one line with its value. */
static void write_command(const struct page *page, const char *command) {
    char option[1024];
    while (*command != '\0') {
        const char *next = strstr(command + 1, " --");
        size_t length = next != NULL ? (size_t)(next - command) : strlen(command);
        if (length >= sizeof option) {
            html_write(page->stream, "%s", command);
            return;
        }
        memcpy(option, command, length);
        option[length] = '\0';
        html_write(page->stream, *command == ' ' ? " <span>%s</span>" : "<span>%s</span>",
                   option + (*command == ' '));
        command += length;
    }
}

static void write_made(const struct page *page, const json_t *header) {
    char text[400], a[HTML_NUMBER], b[HTML_NUMBER];
    fputs("<dl class=\"made\">\n", page->stream);
    snprintf(text, sizeof text, "%.120s, trained on %s tokens", page_text(header, "model"),
             html_count(a, page_number(header, "tokens_trained")));
    write_fact(page, "Model", text);
    snprintf(text, sizeof text, "%.120s, %s documents, %s of them held out",
             page_text(header, "corpus"),
             html_count(a, page_number(header, "training_documents") +
                               page_number(header, "held_out_documents")),
             html_count(b, page_number(header, "held_out_documents")));
    write_fact(page, "Corpus", text);
    snprintf(text, sizeof text, "%.0f", page_number(header, "seed"));
    write_fact(page, "Seed", text);
    fputs("<div><dt>Made by</dt><dd><code>", page->stream);
    write_command(page, page_text(header, "command"));
    fputs("</code></dd></div>\n</dl>\n", page->stream);
}

static void write_header(const struct page *page, const json_t *header) {
    char count[HTML_NUMBER];
    double labels = page_number(header, "labels"), shown = page_number(header, "shown");
    html_write(page->stream,
               "<body>\n<a class=\"skip\" href=\"#map\">To the map</a>\n<header>\n"
               "<p class=\"kicker\">Atlas of the %s</p>\n<h1>%s</h1>\n",
               page->many, page_text(header, "model"));
    html_write(page->stream,
               "<p class=\"lede\">Where %s %s stand in a space of %.0f dimensions, what its "
               "directions mean, and where the model and the labels disagree.</p>\n",
               html_count(count, shown), page->many, page_number(header, "width"));
    if (shown < labels)
        html_write(page->stream,
                   "<p>The corpus has %s; the page shows those with the most documents.</p>\n",
                   html_count(count, labels));
    fputs("<nav aria-label=\"Contents\"><ol>\n", page->stream);
    for (size_t i = 0; i < SECTION_COUNT; i++)
        if (is_there(page, &SECTIONS[i]))
            html_write(page->stream, "<li><a href=\"#%s\">%s</a></li>\n", SECTIONS[i].id,
                       SECTIONS[i].title);
    fputs("</ol></nav>\n", page->stream);
    write_made(page, header);
    fputs("</header>\n<main>\n", page->stream);
}

int microscope_page_write(FILE *stream, const json_t *content, struct error *error) {
    const json_t *header = json_object_get(content, "header");
    struct page page = {
        .stream = stream, .content = content, .authors = json_object_get(content, "authors")};
    page.author_count = json_array_size(page.authors);
    if (!json_is_object(header) || page.author_count < 2)
        return error_set(error, "there is nothing to make a page of");
    int has_authors = strcmp(page_text(header, "slot"), "author") == 0;
    page.one = has_authors ? "author" : "label";
    page.many = has_authors ? "authors" : "labels";
    page_find_colourings(&page);
    write_head(&page, header);
    write_header(&page, header);
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (!is_there(&page, &SECTIONS[i]))
            continue;
        html_write(
            stream,
            "<section id=\"%s\" aria-labelledby=\"%s-title\">\n<h2 id=\"%s-title\">%s</h2>\n",
            SECTIONS[i].id, SECTIONS[i].id, SECTIONS[i].id, SECTIONS[i].title);
        SECTIONS[i].write(&page);
        fputs("</section>\n", stream);
    }
    html_write(stream,
               "</main>\n<footer><p>Made by Trine %s. The page is whole in itself: it asks nothing "
               "of any network.</p></footer>\n<script>",
               page_text(header, "version"));
    fputs(microscope_script, stream);
    fputs("</script>\n</body>\n</html>\n", stream);
    return 0;
}
