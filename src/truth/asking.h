/* What a network holds true, found out in two ways.
 *
 * Asked: a statement in a frame, and how much likelier one answer is than the other; a third answer
 * says that it does not know. Paraphrased frames are averaged, so that no one wording counts.
 *
 * Heard: how likely the statement's last words are after its first ones, less half of how likely
 * they are after words that say nothing. Even a small network that cannot answer questions finds
 * "Lagos is in Nigeria" likelier than "Lagos is in Peru". */
#ifndef TRINE_TRUTH_ASKING_H
#define TRINE_TRUTH_ASKING_H

#include "latent/layer.h"
#include "model/network.h"

enum {
    FRAME_COUNT = 3,
    ANSWER_COUNT = 3,
    HEARD_TOKENS = 4,
    QUESTION_TIME = 160,
    NEUTRAL_TOKENS = 32
};

enum answer { ANSWER_YES, ANSWER_NO, ANSWER_UNKNOWN };

/* Statements in tokens, as a model's tokenizer cuts them. */
struct asking {
    const struct model *model;
    struct tokenizer_cache *cache;
    size_t
        frame_count; /* of those whose answers the vocabulary tells apart by their first tokens */
    size_t frames[FRAME_COUNT];
    uint32_t answers[FRAME_COUNT][ANSWER_COUNT]; /* first tokens of the answers */
    real *answer_rows;               /* [FRAME_COUNT, ANSWER_COUNT, D] of the output layer */
    int32_t neutral[NEUTRAL_TOKENS]; /* words that say nothing */
    size_t neutral_count;
};

/* Refuses a vocabulary that tells no frame's answers apart. */
int asking_create(struct asking *asking, const struct model *model, struct error *error);
void asking_free(struct asking *asking);

/* tokens[time] <- the document's beginning and the statement in a frame (below frame_count, or
 * FRAME_COUNT: the statement by itself), then zeros; *length <- how many. What is too long loses
 * its beginning. Not to be called by two threads at once. */
int asking_encode(struct asking *asking, const char *statement, size_t frame, size_t time,
                  int32_t *tokens, size_t *length, struct error *error);

/* Who is asked: the model under a handle (layer NULL), or a layer's author. */
struct asked {
    const struct layer *layer;
    const struct pass_handle *handle; /* of one sequence; NULL: nothing told */
    const struct unpacked *unpacked;  /* the weights, when they are asked often; or NULL */
};

struct belief_of_model {
    double log_odds; /* mean over frames of log P(yes) - log P(no), nats, not calibrated */
    double doubt;    /* mean over frames of P(unknown) among the three answers */
};

/* beliefs[count]. */
int asking_ask(struct asking *asking, const struct asked *asked, const char *const *statements,
               size_t count, size_t threads, struct belief_of_model *beliefs, struct error *error);

/* heard[count]: log-likelihoods of the statements' last HEARD_TOKENS tokens, less half of those of
 * the same tokens after words that say nothing; nats. */
int asking_hear(struct asking *asking, const struct asked *asked, const char *const *statements,
                size_t count, size_t threads, double *heard, struct error *error);

/* elsewhere[count]: what asking_hear takes off. */
int asking_hear_elsewhere(struct asking *asking, const struct asked *asked,
                          const char *const *statements, size_t count, size_t threads,
                          double *elsewhere, struct error *error);

/* The first token that is heard of a statement by itself of so many tokens. */
size_t asking_heard_from(size_t length);

#endif
