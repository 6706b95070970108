/* The training step: cross-entropy of the next token, the score of the running handle, AdamW.
 *
 * Each thread runs its own sequences through single-threaded products and keeps gradients of its
 * own, which are added in thread order: the same seed and thread count give the same bits. Every
 * random draw depends on (seed, step, sequence) alone, so a resumed run goes on as if it had
 * never stopped. */
#ifndef TRINE_TRAIN_TRAINER_H
#define TRINE_TRAIN_TRAINER_H

#include "train/dataset.h"
#include "train/name_lessons.h"
#include "train/optimizer.h"

struct train_options {
    uint64_t seed;
    size_t steps;          /* of the whole run */
    size_t evidence_steps; /* the first so many train the evidence and the slots alone */
    size_t batch, time;    /* sequences a step, tokens a sequence */
    size_t pass_sequences; /* sequences that one thread runs at once */
    size_t threads;
    double learning_rate, warmup_steps, final_rate; /* cosine down to final_rate * learning_rate */
    double decay, beta1, beta2, clip;
    double labelled_share;    /* of pieces at least; train/piece_mixture.h */
    double told_probability;  /* of each given slot, in each sequence */
    double score_weight;      /* of each slot's -log p(label | running handle) */
    size_t score_every;       /* positions between scores */
    double score_focus;       /* how much later positions of a piece count for more */
    double evidence_gradient; /* share of the evidence's gradient that reaches the reader */
    double handle_gradient;   /* share of the writer's gradient that reaches the running handle */
    double ngram_rate, ngram_damping, ngram_decay;
    struct name_options names;
};

/* The settings of recipes that say nothing else. */
struct train_options train_options_default(void);

struct train_report {
    double loss;                 /* nats per token */
    double score[MAXIMUM_SLOTS]; /* mean -log p(label), nats */
    double names;                /* the same of names, where they are taught */
    double gradient_norm;
    size_t tokens;
};

struct trainer;

/* Borrows the model and the documents, which must outlive the trainer. */
int trainer_create(struct trainer **out, struct model *model, const struct dataset *dataset,
                   const struct train_options *options, struct error *error);
void trainer_destroy(struct trainer *trainer);

size_t trainer_step_count(const struct trainer *trainer);
int trainer_step(struct trainer *trainer, struct train_report *report, struct error *error);

/* Everything that the next step depends on, master weights included, in one file. */
int trainer_save(const struct trainer *trainer, const char *path, struct error *error);
/* Refuses the state of another model, seed or batch. */
int trainer_restore(struct trainer *trainer, const char *path, struct error *error);

#endif
