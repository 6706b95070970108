/* GPT-2's pre-tokenizer: cuts text into pieces that no merge crosses. */
#ifndef TRINE_TEXT_PIECES_H
#define TRINE_TEXT_PIECES_H

#include <stddef.h>

#include "base/error.h"

/* Longer pieces are cut: merging costs the square of the length. */
enum { PIECE_LIMIT = 512 };

struct piece_cutter;

/* One for each thread. */
int piece_cutter_create(struct piece_cutter **out, struct error *error);
void piece_cutter_destroy(struct piece_cutter *cutter);

/* The length of the piece that starts at text[at]; at < bytes. Always at least 1 and at most
 * PIECE_LIMIT. `text` must be the same from call to call with growing `at`. */
size_t piece_length(struct piece_cutter *cutter, const char *text, size_t bytes, size_t at);

#endif
