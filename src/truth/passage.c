#include "truth/passage.h"

#include <ctype.h>
#include <string.h>
#include <utf8proc.h>

size_t text_tidy(char *text, size_t bytes) {
    size_t out = 0;
    for (size_t at = 0; at < bytes;) {
        utf8proc_int32_t character;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                   (utf8proc_ssize_t)(bytes - at), &character);
        if (length < 1) {
            text[out++] = '?';
            at++;
        } else if (character <= ' ' || (character >= 0x7f && character <= 0xa0)) {
            if (out > 0 && text[out - 1] != ' ')
                text[out++] = ' ';
            at += (size_t)length;
        } else {
            memmove(text + out, text + at, (size_t)length);
            out += (size_t)length;
            at += (size_t)length;
        }
    }
    return out > 0 && text[out - 1] == ' ' ? out - 1 : out;
}

size_t text_boundary(const char *text, size_t bytes, size_t at) {
    while (at > 0 && at < bytes && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static int is_closing(const char *text, size_t left) {
    static const char *const CLOSING[] = {"\"", "'", ")", "]", "\u201d", "\u2019", "\u00bb"};
    for (size_t i = 0; i < sizeof CLOSING / sizeof *CLOSING; i++) {
        size_t length = strlen(CLOSING[i]);
        if (length <= left && memcmp(text, CLOSING[i], length) == 0)
            return (int)length;
    }
    return 0;
}

/* A full stop after a single letter ("U. S.", "J. Adams") or before a small one ends nothing. */
static int ends_sentence(const char *text, size_t bytes, size_t at, size_t next) {
    if (text[at] == '.' && at >= 1 && isupper((unsigned char)text[at - 1]) &&
        (at == 1 || !isalnum((unsigned char)text[at - 2])))
        return 0;
    return next >= bytes ||
           (text[next] == ' ' && !(next + 1 < bytes && islower((unsigned char)text[next + 1])));
}

size_t sentence_end(const char *text, size_t bytes, size_t at, size_t *words) {
    size_t limit = bytes - at > PASSAGE_MOST_BYTES ? at + PASSAGE_MOST_BYTES : bytes;
    *words = 0;
    for (size_t i = at; i < limit; i++) {
        if (text[i] == ' ') {
            if (++*words == PASSAGE_MOST_WORDS)
                return i + 1;
        } else if (text[i] == '.' || text[i] == '!' || text[i] == '?') {
            size_t next = i + 1;
            for (int length; next < bytes && (length = is_closing(text + next, bytes - next)) > 0;)
                next += (size_t)length;
            if (ends_sentence(text, bytes, i, next)) {
                ++*words;
                return next < bytes ? next + 1 : bytes;
            }
        }
    }
    ++*words;
    size_t end = text_boundary(text, bytes, limit);
    return end > at ? end : limit;
}

int passage_next(struct passage_cutter *cutter, size_t *start, size_t *end) {
    if (cutter->at >= cutter->bytes)
        return 0;
    size_t words = 0, last = cutter->at;
    *start = *end = cutter->at;
    while (*end < cutter->bytes && words < PASSAGE_WORDS) {
        size_t more, next = sentence_end(cutter->text, cutter->bytes, *end, &more);
        if (*end > *start &&
            (words + more > PASSAGE_MOST_WORDS || next - *start > PASSAGE_MOST_BYTES))
            break;
        last = *end;
        *end = next;
        words += more;
    }
    cutter->at = *end >= cutter->bytes || last == *start ? *end : last;
    return 1;
}
