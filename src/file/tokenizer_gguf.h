/* A tokenizer as keys of a GGUF file, the way llama.cpp has it: tokenizer.ggml.model "gpt2", .pre
 * (the pattern's name, text/pieces.h), .tokens and .merges in GPT-2's printable alphabet,
 * .token_type, .bos_token_id and .eos_token_id. Special tokens stand in the file as they are. */
#ifndef TRINE_FILE_TOKENIZER_GGUF_H
#define TRINE_FILE_TOKENIZER_GGUF_H

#include "base/error.h"
#include "file/gguf.h"
#include "text/tokenizer.h"

/* Adds the keys. After an error some of them may be there already: give the writer up. */
int tokenizer_gguf_save(struct gguf_writer *writer, const struct tokenizer *tokenizer,
                        struct error *error);

/* Makes a tokenizer that owes the file nothing; the caller destroys it. Refuses other models and
 * patterns, whose tokens would come out subtly wrong, and names the key at fault. Documents begin
 * with "<|endoftext|>" where there is one, else with the file's token for it. */
int tokenizer_gguf_load(struct tokenizer **tokenizer, const struct gguf *file, struct error *error);

#endif
