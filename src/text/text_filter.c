#include "text/text_filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char REPLACEMENT[] = "\xef\xbf\xbd";

void text_filter_start(struct text_filter *f, const char *const *stops, size_t stop_count) {
    *f = (struct text_filter){.stops = stops, .stop_count = stop_count};
}

void text_filter_free(struct text_filter *f) {
    free(f->held);
    free(f->ready);
    *f = (struct text_filter){0};
}

/* What stands at text[length]: a character of so many bytes (then *is_whole is 1), a beginning of
 * one that may be completed by what follows (0), or as many bytes as go together that are none
 * (-1): the "maximal subparts" of the Unicode Standard, section 3.9. */
static size_t character_at(const unsigned char *text, size_t length, int *is_whole) {
    unsigned char first = text[0], least = 0x80, most = 0xbf;
    size_t needed = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    *is_whole = -1;
    if (needed == 0 || first > 0xf4 || first == 0)
        return 1;
    /* The second byte of some is bounded: nothing overlong, no surrogates, nothing past U+10FFFF.
     */
    least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : least;
    most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : most;
    for (size_t i = 1; i < needed; i++) {
        if (i == length) {
            *is_whole = 0;
            return i;
        }
        if (text[i] < least || text[i] > most)
            return i;
        least = 0x80;
        most = 0xbf;
    }
    *is_whole = 1;
    return needed;
}

static int give(struct text_filter *f, const char *text, size_t length, struct error *error) {
    if (memory_grow(&f->ready, &f->ready_capacity, f->ready_bytes + length + 1, 1, error))
        return -1;
    memcpy(f->ready + f->ready_bytes, text, length);
    f->ready_bytes += length;
    f->ready[f->ready_bytes] = '\0';
    return 0;
}

/* Gives out held[..bytes), but for a beginning of a character at its end unless all is over. */
static int give_held(struct text_filter *f, size_t bytes, int is_over, struct error *error) {
    size_t at = 0;
    while (at < bytes) {
        int is_whole;
        size_t length = character_at((const unsigned char *)f->held + at, bytes - at, &is_whole);
        if (is_whole == 0 && !is_over)
            break;
        if (is_whole == 1 ? give(f, f->held + at, length, error)
                          : give(f, REPLACEMENT, sizeof REPLACEMENT - 1, error))
            return -1;
        at += length;
    }
    f->shown += at;
    f->held_bytes -= at;
    memmove(f->held, f->held + at, f->held_bytes);
    return 0;
}

/* Where the first string that ends the text begins; held_bytes when there is none. */
static size_t find_stop(const struct text_filter *f) {
    size_t first = f->held_bytes;
    for (size_t s = 0; s < f->stop_count; s++) {
        const char *found = memmem(f->held, f->held_bytes, f->stops[s], strlen(f->stops[s]));
        if (found != NULL && (size_t)(found - f->held) < first)
            first = (size_t)(found - f->held);
    }
    return first;
}

/* How many bytes at the end could be the beginning of such a string. */
static size_t longest_beginning(const struct text_filter *f) {
    size_t longest = 0;
    for (size_t s = 0; s < f->stop_count; s++) {
        size_t most = strlen(f->stops[s]) - 1;
        most = most < f->held_bytes ? most : f->held_bytes;
        for (size_t length = most; length > longest; length--)
            if (memcmp(f->held + f->held_bytes - length, f->stops[s], length) == 0)
                longest = length;
    }
    return longest;
}

static int add(struct text_filter *f, const char *bytes, size_t length, struct error *error) {
    f->ready_bytes = 0;
    if (memory_grow(&f->held, &f->capacity, f->held_bytes + length + 1, 1, error) ||
        give(f, "", 0, error))
        return -1;
    memcpy(f->held + f->held_bytes, bytes, length);
    f->held_bytes += length;
    return 0;
}

int text_filter_add(struct text_filter *f, const char *bytes, size_t length, struct error *error) {
    if (add(f, f->is_stopped ? "" : bytes, f->is_stopped ? 0 : length, error))
        return -1;
    if (f->is_stopped)
        return 0;
    size_t stop = find_stop(f);
    if (stop == f->held_bytes)
        return give_held(f, f->held_bytes - longest_beginning(f), 0, error);
    f->is_stopped = 1;
    int result = give_held(f, stop, 1, error);
    f->held_bytes = 0;
    return result;
}

int text_filter_end(struct text_filter *f, struct error *error) {
    if (add(f, "", 0, error))
        return -1;
    return give_held(f, f->held_bytes, 1, error);
}

json_t *text_to_json(const char *bytes, size_t length) {
    struct error error;
    struct text_filter f;
    text_filter_start(&f, NULL, 0);
    int failed = add(&f, bytes, length, &error) || give_held(&f, f.held_bytes, 1, &error);
    json_t *json = failed ? NULL : json_stringn(f.ready, f.ready_bytes);
    text_filter_free(&f);
    return json;
}
