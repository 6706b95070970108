/* What a server holds ready: models, each with the layers that lie over it, and what handlers
 * borrow to use them. Everything that is public here is read-only once it is open and may be read
 * by any thread; what is borrowed is the borrower's alone until it is given back. */
#ifndef TRINE_SERVE_RESIDENT_H
#define TRINE_SERVE_RESIDENT_H

#include "good/assistant.h"
#include "good/values.h"
#include "serve/judge_pool.h"
#include "serve/model_profiles.h"
#include "serve/pool.h"

enum {
    RESIDENT_MODELS_MOST = 16,
    RESIDENT_STANDARDS_MOST = 16,
    RESIDENT_NAME = 128, /* bytes, with the NUL */
    RESIDENT_CONTEXT = DECODER_CONTEXT
};

/* In the order in which a bare name means them. */
enum resident_layer { RESIDENT_GOOD, RESIDENT_TRUTH, RESIDENT_DREAM, RESIDENT_LAYERS };

/* "good", "truth", "dream" */
const char *resident_layer_name(enum resident_layer layer);

/* Files; what is NULL is not there. Borrowed for as long as the resident lives. */
struct resident_model_options {
    const char *model, *base;
    const char *name;                          /* NULL: the model's own */
    const char *good, *guard;                  /* both or none */
    const char *principles, *key;              /* as trine chat */
    const char *space;                         /* of values; of the good author */
    const char *profiles[MODEL_PROFILES_MOST]; /* of values; offered to users */
    size_t profile_count;
    const char *odds;  /* of the good author; judged by the first standard */
    const char *truth; /* a layer, for the standard that it was trained for */
    const char *standards[RESIDENT_STANDARDS_MOST];
    size_t standard_count; /* none, with truth, odds or market: "plain" */
    const char *market;    /* the record of one, shown beside what is judged */
    const char *corpus;    /* is read by judges, and tells the atlas who wrote when */
    int is_research;
};

struct resident_options {
    const struct resident_model_options *models;
    size_t model_count;
    size_t workers; /* threads that will use it */
    size_t context; /* tokens of a prompt and what is written, at most; 0: RESIDENT_CONTEXT */
    const char *gazetteer; /* of models that know places; NULL: coordinates alone are understood */
};

struct resident_standard {
    char *name, *description;
    double known, unknown; /* as struct standard has them */
    struct judge_options judging;
};

/* A good author with all that it needs for a dialogue. */
struct resident_assistant {
    struct assistant assistant; /* its guard is the model's, its pricer the borrower's to set */
    struct replier *replier;
    struct writer *dreamer;
};

struct model_atlas;
struct model_market;

struct resident_model {
    char name[RESIDENT_NAME];
    const struct resident_model_options *options;
    struct model *model;
    struct slot_state *states;
    struct layer *good, *guard_layer; /* NULL: none */
    struct guard *guard;              /* by guard_layer; of all assistants */
    struct principles principles;
    struct values_space space;
    struct model_profiles profiles;
    struct odds odds;
    int has_space, has_odds;
    struct resident_standard standards[RESIDENT_STANDARDS_MOST];
    size_t standard_count;       /* 0: there is no truth */
    struct model_market *market; /* NULL: none */
    struct batcher *batcher;
    struct model_atlas *atlas;
    struct pool *writers;    /* struct writer */
    struct pool *speakers;   /* struct replier of the model as it is */
    struct pool *assistants; /* struct resident_assistant; NULL: there is no good */
};

struct resident {
    struct resident_model *models;
    size_t count, context;
    struct gazetteer *gazetteer; /* of all models; NULL: none */
    struct judge_pool *judges;
};

/* Opens everything but the judges, whose standards and layers are only looked at. */
int resident_open(struct resident **out, const struct resident_options *options,
                  struct error *error);
/* All must have been given back. NULL is fine. */
void resident_close(struct resident *resident);

int resident_has(const struct resident_model *model, enum resident_layer layer);

/* The model of a name as clients give it, "NAME" or "NAME/layer"; *layer is RESIDENT_LAYERS for the
 * bare name. NULL: there is none. */
const struct resident_model *resident_find(const struct resident *resident, const char *name,
                                           enum resident_layer *layer);

/* NULL: it has none of that name. name NULL: the first. */
const struct resident_standard *resident_find_standard(const struct resident_model *model,
                                                       const char *name);

/* *tokens <- how many the text has, the one that begins documents included. */
int resident_count(const struct resident_model *model, const char *text, size_t *tokens,
                   struct error *error);

/* Whether the checkpoint beneath knows chats. */
int resident_chats(const struct resident_model *model);

/* Where authors are: the slot "author" or the first with labels; NULL: there is none. */
const struct slot *resident_author_slot(const struct resident_model *model);

#endif
