/* From the bytes that a model writes, token by token, to text that can be shown: whole characters
 * of UTF-8 alone, and nothing of a string that ends the text, over whatever tokens it is spread.
 * What may yet become either is held back until it is known. Bytes that are no UTF-8, and those of
 * value 0, become U+FFFD. */
#ifndef TRINE_TEXT_TEXT_FILTER_H
#define TRINE_TEXT_TEXT_FILTER_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

enum { TEXT_STOPS_MOST = 16, TEXT_STOP_LIMIT = 256 };

struct text_filter {
    const char *const *stops; /* [stop_count] borrowed; none is "" */
    size_t stop_count;
    char *held; /* bytes not yet shown */
    size_t held_bytes, capacity;
    size_t shown;   /* bytes of what was written, as it was written, that were shown */
    int is_stopped; /* a string of `stops` came: what follows is not shown */
    char *ready;    /* what the last call gave out: UTF-8 */
    size_t ready_bytes, ready_capacity;
};

void text_filter_start(struct text_filter *filter, const char *const *stops, size_t stop_count);
void text_filter_free(struct text_filter *filter);

/* Adds written bytes; filter->ready is what can be shown now, perhaps nothing. */
int text_filter_add(struct text_filter *filter, const char *bytes, size_t length,
                    struct error *error);
/* At the end of the writing: the same of all that was held back. */
int text_filter_end(struct text_filter *filter, struct error *error);

/* All of a text by itself, as a JSON string; NULL when out of memory. The caller decrefs. */
json_t *text_to_json(const char *bytes, size_t length);

#endif
