/* The conditional prior: what is to be expected of a vector y of d numbers, given what is known of
 * its companions x; here of an author's vector, given a date, a party, and so on.
 *
 * It is a linear-Gaussian model, y = W phi(x) + noise, of all d numbers at once:
 *
 *     noise ~ N(0, S),   W's columns ~ N(0, strength S),   S ~ inverse Wishart around spread I
 *
 * whose features phi are a constant and, for each input, the bumps exp(-|x - c|^2 / 2 l^2) around
 * every point c at once. Infinitely many features cost nothing in the dual form, where only their
 * inner products count (Rasmussen and Williams 2006, chapter 2; Bishop 2006, section 6.4):
 *
 *     k(x, x') = constant + sum over inputs strength_s exp(-|x_s - x'_s|^2 / 2 l_s^2)
 *     K = k(X, X) + I
 *     mean       = k(x, X) K^-1 Y
 *     covariance = (1 + k(x, x) - k(x, X) K^-1 k(X, x)) S^
 *     S^         = (freedom spread I + Y' K^-1 Y) / (freedom + n)
 *
 * The first factor of the covariance is noise (1) and what is not known of W: it grows by itself
 * where there are no observations, up to what is known of y without that input. S^ is the mean of
 * S's posterior, so the Gaussian has the covariance of the exact prediction, a Student t.
 *
 * Constant, strengths, lengths, spread and freedom are those of the greatest evidence p(Y | X)
 * (MacKay 1992; Bishop 2006, section 3.5), which is in closed form (the integral over W and S is a
 * matrix-variate t; e.g. Minka 2000, "Bayesian linear regression").
 *
 * Numbers are doubles throughout. A fitted prior is never changed: any thread may read it. */
#ifndef TRINE_LATENT_PRIOR_H
#define TRINE_LATENT_PRIOR_H

#include <stddef.h>

#include "base/error.h"
#include "base/random.h"

enum { PRIOR_INPUTS = 16, PRIOR_LEAST = 3, PRIOR_MOST = 512 };

/* Observations: PRIOR_LEAST to PRIOR_MOST of them, as the time of a fit grows with the cube. All
 * borrowed, and only during the fit. No inputs: the unconditional prior. */
struct prior_data {
    size_t count, width;
    const double *targets; /* [count,width] */
    size_t input_count;
    size_t input_widths[PRIOR_INPUTS];
    const double *inputs[PRIOR_INPUTS]; /* [count,input_widths[s]] */
};

/* Logarithms of what the evidence chooses. */
struct prior_settings {
    double constant, spread, freedom;
    double strength[PRIOR_INPUTS];
    double length[PRIOR_INPUTS]; /* in units of the input */
};

struct prior {
    size_t count, width, input_count;
    size_t input_widths[PRIOR_INPUTS];
    double *inputs[PRIOR_INPUTS]; /* [count,input_widths[s]] */
    struct prior_settings settings;
    double log_evidence; /* nats */
    double *factor;      /* [count,count] of K, lower */
    double *response;    /* [count,width] factor^-1 Y */
    double *spread;      /* [width,width] of S^, lower: its Cholesky factor */
};

/* `start` (NULL: none) is where the search begins: settings that fitted nearly the same data. The
 * caller frees with prior_free; on failure there is nothing to free. */
int prior_fit(struct prior *prior, const struct prior_data *data,
              const struct prior_settings *start, struct error *error);
/* At these settings: no search. */
int prior_fit_at(struct prior *prior, const struct prior_data *data,
                 const struct prior_settings *settings, struct error *error);
void prior_free(struct prior *prior); /* zeroed or freed before is fine */

/* What is known of one query's inputs: for each of them a mean and a variance per dimension; 0
 * where it is known exactly. With a variance, k(x, .) is the bump's expectation, so the first two
 * moments of y and Y are exact and the prediction is the best linear one. */
struct prior_query {
    const double *means[PRIOR_INPUTS], *variances[PRIOR_INPUTS]; /* [input_widths[s]], borrowed */
};

/* N(mean, scale S^). */
struct prior_gaussian {
    const struct prior *prior; /* borrowed */
    double *mean;              /* [width] */
    double scale;
};
int prior_predict(struct prior_gaussian *out, const struct prior *prior,
                  const struct prior_query *query, struct error *error);
void prior_gaussian_free(struct prior_gaussian *gaussian);

/* y[width] <- a draw. */
void prior_sample(const struct prior_gaussian *gaussian, struct random *random, double *y);

/* The squared distance of y[width] from the mean in standard deviations: chi-squared of `width`
 * degrees for draws. NAN when out of memory. */
double prior_distance(const struct prior_gaussian *gaussian, const double *y);
/* log N(y; mean, scale S^), nats. */
double prior_log_density(const struct prior_gaussian *gaussian, const double *y);
/* Its differential entropy, nats: differences say how much narrower one is than another. */
double prior_entropy(const struct prior_gaussian *gaussian);

#endif
