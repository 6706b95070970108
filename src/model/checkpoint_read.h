/* The readers behind checkpoint_open; included by checkpoint*.c only. */
#ifndef TRINE_MODEL_CHECKPOINT_READ_H
#define TRINE_MODEL_CHECKPOINT_READ_H

#include "model/checkpoint.h"

/* Each fills a zeroed checkpoint; what it holds after an error is freed by checkpoint_close. */
int checkpoint_read_gguf(struct checkpoint *checkpoint, struct tokenizer **tokenizer,
                         const char *path, struct error *error);
int checkpoint_read_huggingface(struct checkpoint *checkpoint, struct tokenizer **tokenizer,
                                const char *directory, struct error *error);

/* Checks the sizes in config, completes them, and makes room for the blocks. */
int checkpoint_prepare(struct checkpoint *checkpoint, const char *path, struct error *error);

#endif
