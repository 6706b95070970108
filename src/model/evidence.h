/* From evidence per token to the running handle, and back.
 *
 * Token i adds precision lambda_i and precision x mean lambda_i mu_i + n_i, where n_i is looked up
 * by the n-grams that end at the token. The running handle after token t is the Gaussian with
 *
 *     Lambda_t = Lambda_start + sum_{i<=t} lambda_i
 *     m_t      = (eta_start + sum_{i<=t} (lambda_i mu_i + n_i)) / Lambda_t
 *
 * per dimension: a cumulative sum, hence causal. The prior is Lambda_start = 1, eta_start = 0. */
#ifndef TRINE_MODEL_EVIDENCE_H
#define TRINE_MODEL_EVIDENCE_H

#include "math/real.h"
#include "model/config.h"

#define NO_NGRAM UINT32_MAX

/* rows[T,orders] <- the table row of each n-gram that ends at each token, counted over all
 * orders, or NO_NGRAM where the text starts too late. */
void ngram_rows(uint32_t *rows, const int32_t *tokens, size_t time, const struct config *config);

struct evidence_buffers {
    real *lambda;    /* [R,Z] precision added by each token */
    real *mu;        /* [R,Z] its mean */
    real *precision; /* [R,Z] Lambda_t */
    real *mean;      /* [R,Z] m_t */
};

/* raw[R,2Z] is the evidence head's output, bias included; rows[R,orders]; tables as in
 * struct weights; start_precision and start_information [B,Z], or NULL for the prior. */
void evidence_forward(struct evidence_buffers *out, const real *raw, const uint32_t *rows,
                      const real *tables, const real *start_precision,
                      const real *start_information, size_t sequences, size_t time,
                      const struct config *config);

/* dmean and dprecision [R,Z] are overwritten by the suffix sums that lead to
 * draw[R,2Z] and dinformation[R,Z], the gradient of every n-gram row looked up at the token. */
void evidence_backward(real *draw, real *dinformation, real *dmean, real *dprecision,
                       const struct evidence_buffers *forward, const real *raw, size_t sequences,
                       size_t time, const struct config *config);

#endif
