/* Text cut into sentences and passages: what a library indexes and cites. */
#ifndef TRINE_TRUTH_PASSAGE_H
#define TRINE_TRUTH_PASSAGE_H

#include <stddef.h>

/* A passage ends with the first sentence that brings it to PASSAGE_WORDS, and before one that would
 * bring it over PASSAGE_MOST_WORDS. A sentence longer than that, or than the bytes, is cut. */
enum { PASSAGE_WORDS = 80, PASSAGE_MOST_WORDS = 120, PASSAGE_MOST_BYTES = 4000 };

/* Makes text[bytes] one line of valid UTF-8 in place: runs of spaces and control characters become
 * one space, bytes that are no character a question mark. Returns the length, which only shrinks.
 */
size_t text_tidy(char *text, size_t bytes);

/* The last character boundary of tidy text[bytes] that is not after `at`. */
size_t text_boundary(const char *text, size_t bytes, size_t at);

/* Where the sentence that begins at `at` ends, after the space that follows it; *words <- how many
 * words it has. `at` is below `bytes`, and the text is tidy. */
size_t sentence_end(const char *text, size_t bytes, size_t at, size_t *words);

/* Passages one by one; start with at = 0. Each but the first begins with the last sentence of the
 * one before, unless that is all of it. */
struct passage_cutter {
    const char *text; /* tidy; borrowed */
    size_t bytes, at;
};

/* Returns 0 when there is none left. */
int passage_next(struct passage_cutter *cutter, size_t *start, size_t *end);

#endif
