/* Trains the good author: a vector and gated adapters over a model, first on examples, then on
 * pairs of replies by direct preference optimisation (Rafailov et al. 2023).
 *
 * The reference of a pair is the author as examples made it: its log-probabilities are computed
 * once, at the end of the examples, and kept.
 *
 * What a user may add to the vector (good/values.h) is trained for as well. Examples with values
 * are told the vector plus the radius along the values' axes: so these come to mean something. Half
 * of all else is told the vector plus an offset, so that nothing else may change: one half of these
 * along the axes of an example's values, either way; the other, of examples, drawn evenly from the
 * ball, and of pairs, the worst to first order (as Goodfellow et al. 2015 do to pictures). */
#ifndef TRINE_GOOD_GOOD_TRAIN_H
#define TRINE_GOOD_GOOD_TRAIN_H

#include "good/lesson.h"
#include "good/preference.h"
#include "latent/layer.h"

struct good_data {
    const struct lesson *examples; /* [example_count] */
    size_t example_count;
    const struct lesson *pairs; /* [2 * pair_count], the better first */
    size_t pair_count;
};

struct good_train_options {
    size_t example_steps, pair_steps;
    size_t batch; /* examples, or pairs, of a step */
    size_t threads;
    double example_rate, pair_rate; /* of learning */
    struct preference_options preference;
    double radius; /* of offsets */
    double decay, clip;
    uint64_t seed;
    double save_seconds; /* the state is kept so often; 0: 60 */
};
struct good_train_options good_train_options_default(void);

struct good_train_report {
    size_t step, steps;
    int is_pairs;
    double loss;     /* of the step, in nats: per token of examples, or per pair */
    double accuracy; /* of pairs: share whose better reply gained more */
    double tokens_per_second;
};

/* After every step; a return other than 0 stops the training with its state kept. */
typedef int good_train_callback(void *context, const struct good_train_report *report);

/* `state_path` (NULL: none) keeps what a later call needs to go on; a state of other data, options
 * or another layer is refused. The caller removes it once the finished layer is safe.
 * *is_finished <- whether the last step is done. Every step depends on its number, the seed and the
 * count of threads alone, so a run that went on has the same bits. */
int good_train(struct layer *layer, const struct good_data *data,
               const struct good_train_options *options, const char *state_path,
               good_train_callback *callback, void *context, int *is_finished, struct error *error);

/* log_probabilities[count] <- of the lessons' replies, nats, by the layer's author (with `offset`
 * [Z] added to its vector, unless NULL) or by the model with nothing told (layer NULL). */
int good_log_probabilities(double *log_probabilities, const struct model *model,
                           const struct layer *layer, const real *offset,
                           const struct lesson *lessons, size_t count, size_t threads,
                           struct error *error);

#endif
