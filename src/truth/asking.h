/* How a network is asked what it holds true: a statement in a frame, and how much likelier one
 * answer is than the other. Paraphrased frames are averaged, so that no one wording counts. */
#ifndef TRINE_TRUTH_ASKING_H
#define TRINE_TRUTH_ASKING_H

#include "latent/layer.h"
#include "model/network.h"

enum { FRAME_COUNT = 3 };

/* Statements in tokens, as a model's tokenizer cuts them. */
struct asking {
    const struct model *model;
    struct tokenizer_cache *cache;
    uint32_t yes[FRAME_COUNT], no[FRAME_COUNT]; /* first tokens of the answers */
    real *answer_rows;                          /* [2 * FRAME_COUNT, D] of the output layer */
};

int asking_create(struct asking *asking, const struct model *model, struct error *error);
void asking_free(struct asking *asking);

/* tokens[time] <- the document's beginning and the statement in a frame, then zeros; *length <- how
 * many; a statement that is too long loses its beginning. Not to be called by two threads at once.
 */
int asking_encode(struct asking *asking, const char *statement, size_t frame, size_t time,
                  int32_t *tokens, size_t *length, struct error *error);

/* Who is asked: the model under a handle (layer NULL), or a layer's author. */
struct asked {
    const struct layer *layer;
    const struct pass_handle *handle; /* of one sequence; NULL: nothing told */
};

/* log_odds[count]: the mean over frames of log P(yes) - log P(no), in nats, not calibrated. */
int asking_log_odds(struct asking *asking, const struct asked *asked, const char *const *statements,
                    size_t count, size_t threads, double *log_odds, struct error *error);

/* The best scale and shift of log odds against labels, by least log loss, with a weak prior on (1,
 * 0): calibration[2]. */
void asking_calibrate(const double *log_odds, const uint8_t *labels, size_t count,
                      double *calibration);
double asking_probability(double log_odds, const double *calibration);

#endif
