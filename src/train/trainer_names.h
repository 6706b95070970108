/* The part of a training step that teaches names: a short pass beside that over the pieces. */
#ifndef TRINE_TRAIN_TRAINER_NAMES_H
#define TRINE_TRAIN_TRAINER_NAMES_H

#include "train/trainer_state.h"

/* A name is a few tokens among the thousands of a step, and the only ones that say who the told
 * vector is: at the weight of any other token the writer hardly heeds it (doc/names.md). */
enum { NAME_WRITTEN_WEIGHT = 8 };

/* Inside the parallel region, after the worker's own buffers; nothing without names. */
int trainer_names_create(struct trainer *trainer, struct worker *worker, struct error *error);
void trainer_names_destroy(struct worker *worker);

/* Runs the share of names of thread `id`; adds to the worker's gradient. */
void trainer_names_run(struct trainer *trainer, struct worker *worker, size_t id,
                       size_t token_count);

/* Rows of a step's names, behind those of the pieces. */
size_t trainer_names_rows(const struct trainer *trainer);

#endif
