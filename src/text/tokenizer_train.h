/* Learns a byte-level BPE vocabulary from documents fed one at a time.
 *
 * Only the distinct pieces and their counts are kept, and when there are too many the rarest are
 * forgotten (lossy counting, Manku and Motwani 2002), so memory does not grow with the corpus. */
#ifndef TRINE_TEXT_TOKENIZER_TRAIN_H
#define TRINE_TEXT_TOKENIZER_TRAIN_H

#include "text/tokenizer.h"

struct tokenizer_trainer;

int tokenizer_trainer_create(struct tokenizer_trainer **out, struct error *error);
void tokenizer_trainer_destroy(struct tokenizer_trainer *trainer);
int tokenizer_trainer_add(struct tokenizer_trainer *trainer, const char *text, size_t bytes,
                          struct error *error);

/* A tokenizer of `vocabulary` tokens, or fewer when the text runs out of pairs that occur twice.
 * Ties go to the pair of lowest ids: the same pieces give the same vocabulary. */
int tokenizer_trainer_finish(struct tokenizer_trainer *trainer, size_t vocabulary,
                             struct tokenizer **out, struct error *error);

#endif
