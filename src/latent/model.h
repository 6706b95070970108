/* A model: sizes, numbers, slots with their labels, tokenizer. One GGUF file is one model.
 *
 * A model may stand on a checkpoint of another program, its base: then it owns what was added to
 * it (adapters, injections, the evidence head, slots), and the base's file stays mapped. A
 * checkpoint alone is a model without slots. */
#ifndef TRINE_LATENT_MODEL_H
#define TRINE_LATENT_MODEL_H

#include "latent/score.h"
#include "model/checkpoint.h"
#include "model/network.h"
#include "text/tokenizer.h"

struct conditions;

struct model {
    struct config config;
    struct layout layout;
    enum precision precision;
    real *values;   /* [layout.count] master weights */
    void *operands; /* [layout.count] bf16 copy; equals values when the precision is real */
    real *ngrams;   /* [orders,rows,Z] or NULL */
    struct slots slots;
    struct tokenizer *tokenizer;
    char name[128];
    uint64_t tokens_trained;
    struct checkpoint *base;           /* or NULL */
    char base_file[256];               /* its file's name without the directory */
    struct conditions *conditions;     /* latent/conditions.h: of its authors; or NULL */
    struct batcher *batcher;           /* model/batcher.h: borrowed, set by who has one; or NULL */
    const struct gazetteer *gazetteer; /* text/gazetteer.h: the same; names of places need it */
};

/* Makes an untrained model of these sizes; takes over `slots` and `tokenizer` on success.
 * `config`'s latent_width and slot_parameters are set from the slots unless the model is plain
 * (no slots). bf16 on a processor without it falls back to real. */
int model_create(struct model **out, struct config config, struct slots *slots,
                 struct tokenizer *tokenizer, enum precision precision, uint64_t seed,
                 struct error *error);
void model_destroy(struct model *model);

/* The same on a base, which is taken over on success. Of `config` count the context (of pieces; 0:
 * the base's), the split, n-grams and adapters; the rest is the base's. With everything at its
 * start the model's output equals the base's. */
int model_create_on(struct model **out, struct checkpoint *base, struct config config,
                    struct slots *slots, struct tokenizer *tokenizer, enum precision precision,
                    uint64_t seed, struct error *error);

/* operands <- values; call after every change of the values. */
void model_refresh_operands(struct model *model);

struct weights model_weights(const struct model *model);

/* The parameters of all slots, inside values. */
const real *model_slot_parameters(const struct model *model);

/* state[slots.count] <- points and spreads under the present parameters. */
int model_slot_states(const struct model *model, struct slot_state **states, struct error *error);
void model_update_slot_states(const struct model *model, struct slot_state *states);
void slot_states_destroy(struct slot_state *states, size_t count);

/* Writes everything into one GGUF file of architecture "trine"; of a model on a base what it owns,
 * in bf16 and Q8_0. */
int model_save(const struct model *model, const char *path, struct error *error);

/* Reads a model, or a checkpoint as checkpoint_open does. The base of an adapted model is looked
 * for at `base` (NULL: at $TRINE_BASE, then under its name in the model's directory and in the
 * working directory) and must be the one that it was trained on. */
int model_load_on(struct model **out, const char *path, const char *base, enum precision precision,
                  struct error *error);
int model_load(struct model **out, const char *path, enum precision precision, struct error *error);

/* The tokenizer of a model or a checkpoint; the caller's. */
int model_load_tokenizer(struct tokenizer **out, const char *path, struct error *error);

#endif
