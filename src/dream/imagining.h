/* Does the conditional prior know anything? Every author is left out of it in turn and compared
 * with what it then expects of an author under the same conditions, and with what the
 * unconditional prior, fitted to the same others, expects of anybody: by the log density of the
 * author's vector, and by how well the author's texts are predicted when the writer is told what
 * was expected. The network itself was trained on every author. */
#ifndef TRINE_DREAM_IMAGINING_H
#define TRINE_DREAM_IMAGINING_H

#include <jansson.h>
#include <stdio.h>

#include "latent/imagine.h"
#include "train/dataset.h"

/* What the writer is told as the author. */
enum imagining_voice {
    VOICE_CONDITIONAL,   /* the conditional prior's mean */
    VOICE_UNCONDITIONAL, /* the unconditional prior's */
    VOICE_SAMPLED,       /* draws from the conditional prior; losses are averaged */
    VOICE_OWN,           /* the author's vector: the ceiling */
    VOICE_COUNT
};

struct imagining_author {
    size_t label;
    double density[2];        /* log density of the vector, nats: conditional, unconditional */
    double entropy[2];        /* of the two priors, nats */
    double nats[VOICE_COUNT]; /* per token */
    size_t tokens;            /* that were predicted */
    int is_held_out;          /* texts that no training step saw */
};

/* A mean over authors and its standard error. */
struct imagining_mean {
    double mean, error;
};

struct imagining {
    const struct model *model; /* borrowed */
    const struct slot *slot;
    struct imagining_author *authors;
    size_t count, held_out;                 /* of the authors with texts, how many held out */
    struct imagining_mean density[2], gain; /* gain: conditional less unconditional, paired */
    struct imagining_mean nats[VOICE_COUNT];
    struct imagining_mean saved[VOICE_COUNT]; /* per token, against VOICE_UNCONDITIONAL, paired */
    double better, better_text;               /* shares of authors with a gain */
};

struct imagining_options {
    const int *is_used; /* [MAXIMUM_SLOTS] the conditions; also told to the writer, of each text its
                           own */
    size_t pieces;      /* of the model's context, spread over each author's texts; 0: no texts */
    size_t samples;
    uint64_t seed;
    size_t threads;
};

/* Held-out documents are preferred; authors without any are judged by training documents. */
int imagining_create(struct imagining *out, const struct model *model,
                     const struct dataset *held_out, const struct dataset *training,
                     const struct imagining_options *options, struct error *error);
void imagining_free(struct imagining *imagining);

json_t *imagining_to_json(const struct imagining *imagining);
void imagining_print(FILE *stream, const struct imagining *imagining);

#endif
