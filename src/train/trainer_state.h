/* What a trainer holds; shared by the step and the state file. */
#ifndef TRINE_TRAIN_TRAINER_STATE_H
#define TRINE_TRAIN_TRAINER_STATE_H

#include "train/trainer.h"

/* One thread's own: activations, gradients and sums. */
struct worker {
    struct pass *pass;
    real *gradient; /* [layout.count] */
    int32_t *tokens, *targets;
    real *losses;
    real *told, *told_mask, *noise, *dtold; /* [pass_sequences,Z] */
    real *dmean, *dprecision;               /* [rows,Z] */
    struct slot_gradient *slots;            /* [slots.count] */
    double *log_odds;
    double loss, score[MAXIMUM_SLOTS], score_count[MAXIMUM_SLOTS];
    double square[2];
};

struct trainer {
    struct train_options options;
    struct model *model;
    const struct dataset *dataset;
    struct sampler sampler;
    struct slot_state *states;
    struct worker *workers; /* [threads] */
    real *first, *second;   /* AdamW's moments, [layout.count] */
    uint8_t *decays;
    struct ngram_optimizer ngrams;
    uint32_t *ngram_rows; /* [batch*time,orders] of the present step */
    real *dinformation;   /* [batch*time,Z] */
    size_t step;
};

#endif
