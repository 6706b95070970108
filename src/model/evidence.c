#include "model/evidence.h"

#include <math.h>

#include "base/random.h"
#include "math/exponential.h"

void ngram_rows(uint32_t *rows, const int32_t *tokens, size_t time, const struct config *c) {
    for (size_t t = 0; t < time; t++) {
        uint64_t hash = 0;
        for (size_t n = 0; n < c->ngram_orders; n++) {
            uint32_t *row = &rows[t * c->ngram_orders + n];
            *row = NO_NGRAM;
            if (n > t)
                continue;
            hash = random_mix(hash + (uint64_t)tokens[t - n] + 0x9e3779b97f4a7c15u);
            /* Single tokens have rows of their own when the table is large enough. */
            uint64_t index = n == 0 ? (uint64_t)tokens[t] : hash;
            *row = (uint32_t)(n * c->ngram_rows + index % c->ngram_rows);
        }
    }
}

/* log(1 + exp(r)) = max(r, 0) + 2 atanh(u / (2 + u)) with u = exp(-|r|), by the series of atanh,
 * whose argument is at most 1/3: relative error below 2e-7, and loops over it vectorise. */
static inline real softplus(real r) {
#ifdef TRINE_F64
    return r > 20 ? r : log1p(exp(r));
#else
    real u = exponential(r > 0 ? -r : r), s = u / (2 + u), q = s * s;
    real tail = 1 + q * (1.0f / 3 + q * (1.0f / 5 + q * (1.0f / 7 + q * (1.0f / 9 + q / 11))));
    return (r > 0 ? r : 0) + 2 * s * tail;
#endif
}

static void add_ngrams(real *information, const uint32_t *rows, const real *tables,
                       const struct config *c) {
    for (size_t n = 0; n < c->ngram_orders; n++) {
        if (rows[n] == NO_NGRAM)
            continue;
        const real *row = tables + (size_t)rows[n] * c->latent_width;
        for (size_t d = 0; d < c->latent_width; d++)
            information[d] += row[d];
    }
}

VECTOR_CLONES void evidence_forward(struct evidence_buffers *out, const real *raw,
                                    const uint32_t *rows, const real *tables,
                                    const real *start_precision, const real *start_information,
                                    size_t sequences, size_t time, const struct config *c) {
    size_t width = c->latent_width;
    for (size_t b = 0; b < sequences; b++) {
        real precision[4096], information[4096]; /* config_check bounds the width */
        for (size_t d = 0; d < width; d++) {
            precision[d] = start_precision != NULL ? start_precision[b * width + d] : 1;
            information[d] = start_information != NULL ? start_information[b * width + d] : 0;
        }
        for (size_t r = b * time; r < (b + 1) * time; r++) {
            const real *logit = raw + r * 2 * width, *mean = logit + width;
            add_ngrams(information, rows + r * c->ngram_orders, tables, c);
            for (size_t d = 0; d < width; d++) {
                real lambda = softplus(logit[d]);
                precision[d] += lambda;
                information[d] += lambda * mean[d];
                out->lambda[r * width + d] = lambda;
                out->mu[r * width + d] = mean[d];
                out->precision[r * width + d] = precision[d];
                out->mean[r * width + d] = information[d] / precision[d];
            }
        }
    }
}

void evidence_backward(real *draw, real *dinformation, real *dmean, real *dprecision,
                       const struct evidence_buffers *forward, const real *raw, size_t sequences,
                       size_t time, const struct config *c) {
    size_t width = c->latent_width;
    for (size_t b = 0; b < sequences; b++) {
        real suffix_information[4096] = {0}, suffix_precision[4096] = {0};
        for (size_t t = time; t-- > 0;) {
            size_t r = b * time + t;
            const real *logit = raw + r * 2 * width;
            for (size_t d = 0; d < width; d++) {
                size_t i = r * width + d;
                real along_mean = dmean[i] / forward->precision[i];
                suffix_information[d] += along_mean;
                suffix_precision[d] += dprecision[i] - along_mean * forward->mean[i];
                dinformation[i] = suffix_information[d];
                real dlambda = suffix_precision[d] + suffix_information[d] * forward->mu[i];
                draw[r * 2 * width + d] = dlambda * sigmoid(logit[d]);
                draw[r * 2 * width + width + d] = suffix_information[d] * forward->lambda[i];
            }
        }
    }
}
