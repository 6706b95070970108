/* A recipe: every setting of a training run, from a JSON file and from flags of the same names. */
#ifndef TRINE_TRAIN_RECIPE_H
#define TRINE_TRAIN_RECIPE_H

#include "model/config.h"
#include "train/trainer.h"

enum { MAXIMUM_WIDTHS = 16 };

struct recipe {
    struct config config; /* of the network; slots add theirs */
    struct train_options options;
    char name[128];                  /* of the model */
    int is_plain;                    /* the ordinary model of the same size */
    int is_f32;                      /* products in f32 instead of bf16 */
    size_t validation_every;         /* one training document in so many is kept for calibration */
    size_t candidates;               /* labels that the writer decides among; 0: it does not */
    size_t report_every, save_every; /* steps */
    struct slot_width widths[MAXIMUM_WIDTHS]; /* "slot_width": {"author": 24} */
    size_t width_count;
    /* Of adapters: what is adapted, and alpha, of which the scale is alpha / rank. */
    size_t adapts_qkv, adapts_attention_out, adapts_gate_up, adapts_down; /* 0 or 1 */
    double adapter_alpha;
};

void recipe_default(struct recipe *recipe);
/* For models on a base, whose own sizes are the base's. */
void recipe_default_adapter(struct recipe *recipe);

/* What model_create_on wants of the recipe. */
struct config recipe_adapter_config(const struct recipe *recipe);

/* Whether a setting means something to a new model, or to one on a base. */
int recipe_setting_applies(const char *name, int is_on_base);

/* Reads a JSON object of settings over what the recipe holds; unknown names are errors. */
int recipe_load(struct recipe *recipe, const char *path, struct error *error);

/* One setting by name, as a flag gives it: "learning_rate" (or "learning-rate"), "0.002". */
int recipe_set(struct recipe *recipe, const char *name, const char *value, struct error *error);

/* "author=24" */
int recipe_set_width(struct recipe *recipe, const char *assignment, struct error *error);

/* Settings by index, for --help: name, meaning and present value; NULL past the last. */
const char *recipe_setting(const struct recipe *recipe, size_t index, const char **meaning,
                           char value[32]);

#endif
