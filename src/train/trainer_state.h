/* What a trainer holds; shared by the step and the state file. */
#ifndef TRINE_TRAIN_TRAINER_STATE_H
#define TRINE_TRAIN_TRAINER_STATE_H

#include "train/piece_mixture.h"
#include "train/trainer.h"

/* The same for a thread's share of the names; no piece is told or scored here. */
struct name_worker {
    struct pass *pass;
    double *no_prior; /* [labels] zeros */
    real *losses;
    real *told, *told_mask, *dtold; /* [names of the thread,Z] */
    real *dmean, *dprecision;       /* [their tokens,Z] */
    struct slot_gradient unused;    /* what names would do to the labels' points */
    double score, score_count;
};

/* One thread's own: activations, gradients and sums. */
struct worker {
    struct pass *pass;
    real *gradient; /* [layout.count] */
    int32_t *tokens, *targets;
    real *losses;
    real *told, *told_mask, *noise, *dtold; /* [pass_sequences,Z] */
    real *dmean, *dprecision;               /* [rows,Z] */
    struct slot_gradient *slots;            /* [slots.count] */
    size_t *counts;                         /* [pass_sequences] inputs, the byline's included */
    struct name_worker names;
    double *log_odds;
    double loss, score[MAXIMUM_SLOTS], score_count[MAXIMUM_SLOTS];
    double square[2];
};

struct trainer {
    struct train_options options;
    struct model *model;
    const struct dataset *dataset;
    struct piece_mixture pieces;
    struct name_lessons *names; /* NULL: none are taught */
    struct slot_state *states;
    struct worker *workers; /* [threads] */
    real *first, *second;   /* AdamW's moments, [layout.count] */
    uint8_t *decays;
    struct ngram_optimizer ngrams;
    uint32_t *ngram_rows; /* [batch*time and names,orders] of the present step */
    real *dinformation;   /* [batch*time and names,Z] */
    size_t step;
};

static inline int trainer_is_evidence_step(const struct trainer *trainer) {
    return trainer->step < trainer->options.evidence_steps;
}

#endif
