#include "serve/text_key.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* The text as numbers of characters, folded. */
struct characters {
    utf8proc_int32_t *points;
    utf8proc_ssize_t count;
};

static int is_digit(const struct characters *text, utf8proc_ssize_t at) {
    return at >= 0 && at < text->count &&
           utf8proc_category(text->points[at]) == UTF8PROC_CATEGORY_ND;
}

static int is_letter(const struct characters *text, utf8proc_ssize_t at) {
    utf8proc_category_t category =
        at >= 0 && at < text->count ? utf8proc_category(text->points[at]) : UTF8PROC_CATEGORY_CN;
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

/* Whether a mark before a digit belongs to a number: "3.5", "-4", but not "covid-19". */
static int is_of_number(const struct characters *text, utf8proc_ssize_t at) {
    return is_digit(text, at + 1) &&
           (is_digit(text, at - 1) || (text->points[at] == '-' && !is_letter(text, at - 1)));
}

static int parts_words(const struct characters *text, utf8proc_ssize_t at) {
    utf8proc_int32_t point = text->points[at];
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
        return 1;
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
        return !is_of_number(text, at);
    case UTF8PROC_CATEGORY_PO:
        return !is_of_number(text, at) && (point > 0x7f || strchr(".,;:!?'\"", (int)point) != NULL);
    default:
        return 0;
    }
}

static void write_key(char *key, const struct characters *text) {
    size_t end = 0;
    for (utf8proc_ssize_t at = 0; at < text->count; at++) {
        if (!parts_words(text, at))
            end += (size_t)utf8proc_encode_char(text->points[at], (utf8proc_uint8_t *)key + end);
        else if (end > 0 && key[end - 1] != ' ')
            key[end++] = ' ';
    }
    key[end > 0 && key[end - 1] == ' ' ? end - 1 : end] = '\0';
}

/* The minus of mathematics is a hyphen to most keyboards. */
static void read_characters(struct characters *text, const utf8proc_uint8_t *plain,
                            utf8proc_ssize_t bytes) {
    static const utf8proc_int32_t MINUS = 0x2212;
    for (utf8proc_ssize_t at = 0; at < bytes; text->count++) {
        utf8proc_int32_t *point = &text->points[text->count];
        at += utf8proc_iterate(plain + at, bytes - at, point);
        *point = *point == MINUS ? '-' : *point;
    }
}

int text_key(char **key, const char *text, struct error *error) {
    static const utf8proc_option_t FOLDED =
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    utf8proc_uint8_t *plain = NULL;
    struct characters characters = {0};
    *key = NULL;
    utf8proc_ssize_t bytes = utf8proc_map((const utf8proc_uint8_t *)text,
                                          (utf8proc_ssize_t)strlen(text), &plain, FOLDED);
    if (bytes < 0)
        return error_set(error, "cannot read a text: %s", utf8proc_errmsg(bytes));
    characters.points = malloc(((size_t)bytes + 1) * sizeof *characters.points);
    *key = malloc((size_t)bytes + 1); /* nothing becomes longer */
    int result = 0;
    if (characters.points != NULL && *key != NULL) {
        read_characters(&characters, plain, bytes);
        write_key(*key, &characters);
    } else {
        result = error_set(error, "out of memory for a text");
        free(*key);
        *key = NULL;
    }
    free(characters.points);
    free(plain);
    return result;
}
