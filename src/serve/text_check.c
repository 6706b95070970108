#include "serve/text_check.h"

#include <string.h>

#include <utf8proc.h>

static int disturbs_a_line(utf8proc_int32_t character) {
    switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return 1;
    default: /* embeddings, overrides and isolates of direction */
        return (character >= 0x202a && character <= 0x202e) ||
               (character >= 0x2066 && character <= 0x2069);
    }
}

static int check(const char *text, size_t bytes, size_t limit, int is_line, const char *what,
                 struct error *error) {
    if (bytes > limit)
        return error_set(error, "%s has %zu bytes; at most %zu are allowed", what, bytes, limit);
    if (bytes > 0 && memchr(text, '\0', bytes) != NULL)
        return error_set(error, "%s holds a byte of value 0", what);
    for (size_t at = 0; at < bytes;) {
        utf8proc_int32_t character;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                   (utf8proc_ssize_t)(bytes - at), &character);
        if (length < 1)
            return error_set(error, "%s is no UTF-8 at byte %zu", what, at);
        if (is_line && disturbs_a_line(character))
            return error_set(error, "%s holds a control character, U+%04X, at byte %zu", what,
                             (unsigned)character, at);
        at += (size_t)length;
    }
    return 0;
}

int text_check(const char *text, size_t bytes, size_t limit, const char *what,
               struct error *error) {
    return check(text, bytes, limit, 0, what, error);
}

int text_check_line(const char *text, size_t bytes, size_t limit, const char *what,
                    struct error *error) {
    return check(text, bytes, limit, 1, what, error);
}
