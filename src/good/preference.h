/* Direct preference optimisation (Rafailov et al. 2023): what a pair of replies to one request
 * costs, and how that changes with what the author thinks of them. */
#ifndef TRINE_GOOD_PREFERENCE_H
#define TRINE_GOOD_PREFERENCE_H

#include <stddef.h>

/* Of the better reply [0] and the worse [1]. */
struct preference {
    double log_probabilities[2]; /* by the author, nats */
    double references[2];        /* by the author as examples made it */
    size_t tokens[2];            /* of the replies */
};

struct preference_options {
    double beta;
    double anchor; /* times the better reply's loss per token is added */
    int is_length_normalised;
};

/* How much more the better reply gained than the worse, times beta:
 * beta [(log P(y) - log R(y)) / a - (log P(w) - log R(w)) / b], where a and b are 1, or the
 * replies' counts of tokens when length-normalised. */
double preference_margin(const struct preference *pair, const struct preference_options *options);

/* -log sigmoid(margin) - anchor log P(y) / tokens; derivatives[2] by the log-probabilities. */
double preference_loss(const struct preference *pair, const struct preference_options *options,
                       double *derivatives);

#endif
