/* How far a date slot's curve is to be believed beyond the years that it was learned on.
 *
 * The curve is a straight line and bumps spread over a grid of years (latent/slots.h). On the grid
 * it is known; beyond it there would be more bumps, which nobody learned, and the line may turn.
 * Both are what a Gaussian process knows whose covariance is that of bumps without end,
 *
 *     s^2 exp(-(u - v)^2 / 4),    u, v in steps from bump to bump,
 *
 * around a line of which nothing is known beforehand, given the curve at one year for each bump,
 * give or take the spread of documents (Rasmussen and Williams 2006, section 2.7, equations 2.41
 * and 2.42: universal kriging). s^2 is fitted to the curve in closed form. */
#ifndef TRINE_LATENT_EXTRAPOLATION_H
#define TRINE_LATENT_EXTRAPOLATION_H

#include "latent/slots.h"

/* The first and last year of the grid. */
double slot_first_year(const struct slot *slot);
double slot_last_year(const struct slot *slot);

/* *variance <- of each dimension of the date slot's point at a year, beyond that of documents of
 * one date: 0 on the grid, growing from its ends on. */
int extrapolation_variance(const struct slot *slot, const real *parameters, double year,
                           double *variance, struct error *error);

/* What such a variance leaves of a told point: the Gaussian of the point under the slot's prior,
 * N(0, 1), that was seen with the variance and sigma^2. mean[width] is the point and becomes the
 * Gaussian's; precision[width]. Far off it is the prior: nothing is known. */
void extrapolation_loosen(const struct slot *slot, const real *parameters, double variance,
                          real *mean, real *precision);

#endif
