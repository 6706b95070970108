/* Pre-tokenizers of byte-level vocabularies: they cut text into pieces that no merge crosses. */
#ifndef TRINE_TEXT_PIECES_H
#define TRINE_TEXT_PIECES_H

#include <stddef.h>

#include "base/error.h"

/* Each vocabulary was learnt with a pattern of its own; any other gives other tokens. */
enum piece_pattern { PIECES_GPT2, PIECES_SMOLLM, PIECES_LLAMA3, PIECES_QWEN2, PIECES_COUNT };

/* As GGUF files name them in tokenizer.ggml.pre: "gpt-2", "smollm", "llama-bpe", "qwen2". */
const char *piece_pattern_name(enum piece_pattern pattern);
/* -1 when there is no such pattern. */
int piece_pattern_find(const char *name, size_t length);

struct piece_cutter;

/* One for each thread. */
int piece_cutter_create(struct piece_cutter **out, enum piece_pattern pattern, struct error *error);
void piece_cutter_destroy(struct piece_cutter *cutter);

/* The length of the piece that starts at text[at]; at < bytes. Always at least 1. A byte that is
 * no UTF-8 is a piece of its own. */
size_t piece_length(struct piece_cutter *cutter, const char *text, size_t bytes, size_t at);

#endif
