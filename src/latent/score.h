/* The proper scoring rule on running handles: -log p(label | m_t, Lambda_t), with its gradient. */
#ifndef TRINE_LATENT_SCORE_H
#define TRINE_LATENT_SCORE_H

#include "latent/slots.h"

/* A slot's points and spread as numbers, made once a step from its parameters. */
struct slot_state {
    real *points; /* [point_count,width] */
    real *sigma;  /* [width] */
};

/* Where one thread adds up a slot's gradient. */
struct slot_gradient {
    real *dpoints;    /* [point_count,width] */
    real *dlog_sigma; /* [width] */
};

/* -log p(target) at one position, times nothing; adds `scale` times its gradient to dmean and
 * dprecision [width] and to `gradient`. `log_odds` is scratch[point_count]. */
double score_backward(const struct slot *slot, const struct slot_state *state,
                      const struct slot_target *target, const real *mean, const real *precision,
                      double scale, real *dmean, real *dprecision, struct slot_gradient *gradient,
                      double *log_odds);

#endif
