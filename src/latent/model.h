/* A model: sizes, numbers, slots with their labels, tokenizer. One GGUF file is one model. */
#ifndef TRINE_LATENT_MODEL_H
#define TRINE_LATENT_MODEL_H

#include "latent/score.h"
#include "model/network.h"
#include "text/tokenizer.h"

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
};

/* Makes an untrained model of these sizes; takes over `slots` and `tokenizer` on success.
 * `config`'s latent_width and slot_parameters are set from the slots unless the model is plain
 * (no slots). bf16 on a processor without it falls back to real. */
int model_create(struct model **out, struct config config, struct slots *slots,
                 struct tokenizer *tokenizer, enum precision precision, uint64_t seed,
                 struct error *error);
void model_destroy(struct model *model);

/* operands <- values; call after every change of the values. */
void model_refresh_operands(struct model *model);

struct weights model_weights(const struct model *model);

/* The parameters of all slots, inside values. */
const real *model_slot_parameters(const struct model *model);

/* state[slots.count] <- points and spreads under the present parameters. */
int model_slot_states(const struct model *model, struct slot_state **states, struct error *error);
void model_update_slot_states(const struct model *model, struct slot_state *states);
void slot_states_destroy(struct slot_state *states, size_t count);

/* Writes everything into one GGUF file of architecture "trine". */
int model_save(const struct model *model, const char *path, struct error *error);
int model_load(struct model **out, const char *path, enum precision precision, struct error *error);

#endif
