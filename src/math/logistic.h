/* Logistic regression of a few features, and of one with a shift (Platt's scaling). */
#ifndef TRINE_MATH_LOGISTIC_H
#define TRINE_MATH_LOGISTIC_H

#include <stddef.h>
#include <stdint.h>

enum { LOGISTIC_MOST = 8 };

/* solution[k] of least log loss of the logistic regression on features[count,k], k up to
 * LOGISTIC_MOST, with a Gaussian prior around `prior` of this precision. Only items with outcome 0
 * or 1 and finite features count. */
void logistic_fit(double *solution, const double *features, const uint8_t *outcomes, size_t count,
                  size_t k, const double *prior, double precision);
double logistic_probability(const double *solution, const double *features, size_t k);

/* The same with a scale and a shift: scaling[2] (Platt, "Probabilistic outputs for support vector
 * machines", 1999). */
void platt_fit(double *scaling, const double *log_odds, const uint8_t *outcomes, size_t count,
               const double *prior, double precision);
double platt_probability(double log_odds, const double *scaling);

#endif
