#include "good/preference.h"

#include <math.h>

static double divisor(const struct preference *pair, const struct preference_options *o, size_t k) {
    return o->is_length_normalised && pair->tokens[k] > 0 ? (double)pair->tokens[k] : 1;
}

double preference_margin(const struct preference *pair, const struct preference_options *o) {
    double gained[2];
    for (size_t k = 0; k < 2; k++)
        gained[k] = (pair->log_probabilities[k] - pair->references[k]) / divisor(pair, o, k);
    return o->beta * (gained[0] - gained[1]);
}

double preference_loss(const struct preference *pair, const struct preference_options *o,
                       double *derivatives) {
    double margin = preference_margin(pair, o), push = o->beta / (1 + exp(margin));
    double tokens = pair->tokens[0] > 0 ? (double)pair->tokens[0] : 1;
    derivatives[0] = -push / divisor(pair, o, 0) - o->anchor / tokens;
    derivatives[1] = push / divisor(pair, o, 1);
    double surprise = margin > 0 ? log1p(exp(-margin)) : log1p(exp(margin)) - margin;
    return surprise - o->anchor * pair->log_probabilities[0] / tokens;
}
