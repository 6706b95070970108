/* A tokenizer in the layout of Hugging Face's tokenizer.json: model BPE, its vocabulary in GPT-2's
 * printable alphabet, merges, added tokens, and a pre-tokenizer that is one of ours. */
#ifndef TRINE_FILE_TOKENIZER_JSON_H
#define TRINE_FILE_TOKENIZER_JSON_H

#include "base/error.h"
#include "text/tokenizer.h"

/* The file is at most 256 MB; parsing takes memory in proportion to it. `vocabulary` is the number
 * of rows of the embedding, up to which ids that the file leaves out are unused. Other kinds of
 * tokenizers are refused by what they say of themselves. */
int tokenizer_json_load(struct tokenizer **out, const char *path, size_t vocabulary,
                        struct error *error);

/* The same from text in memory; `name` stands in for the path. */
int tokenizer_json_parse(struct tokenizer **out, const char *text, size_t bytes, const char *name,
                         size_t vocabulary, struct error *error);

int tokenizer_json_save(const struct tokenizer *tokenizer, const char *path, struct error *error);

#endif
