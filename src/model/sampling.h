/* Choosing the next token from logits. */
#ifndef TRINE_MODEL_SAMPLING_H
#define TRINE_MODEL_SAMPLING_H

#include "base/random.h"
#include "math/real.h"

struct sampling {
    double temperature; /* 0: always the likeliest token */
    double top_p;       /* keep the likeliest tokens that hold this share (Holtzman et al. 2020) */
    double min_p;       /* drop tokens below this share of the likeliest one's probability */
};

/* `probabilities`[V] and `order`[V] are scratch. Tokens with banned[v] != 0 are never chosen
 * (NULL: none). At least one token must be allowed. */
uint32_t sample_token(const real *logits, const uint8_t *banned, size_t vocabulary,
                      const struct sampling *sampling, struct random *random, double *probabilities,
                      uint32_t *order);

#endif
