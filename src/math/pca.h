/* Principal components of n points in d dimensions: the axes of the atlas.
 *
 * The components are the eigenvectors of the covariance (divisor n - 1), found by LAPACK's dsyevd
 * in time d^3; for the few hundred dimensions of a slot that is nothing. Reading a fitted `struct
 * pca` is safe from any thread. */
#ifndef TRINE_MATH_PCA_H
#define TRINE_MATH_PCA_H

#include <stddef.h>

#include "base/error.h"

struct pca {
    size_t dimensions;  /* d */
    double *mean;       /* [d] */
    double *components; /* [d][d], rows of length one, largest variance first */
    double *variances;  /* [d], along each component, never negative */
};

/* Fits to `points` [n][d], n >= 2. In each component the coefficient of largest magnitude (the
 * first of them) is positive, so that a fit can be repeated. All values must be finite. The caller
 * frees with pca_free; on failure there is nothing to free. */
int pca_fit(struct pca *pca, const double *points, size_t n, size_t d, struct error *error);

void pca_free(struct pca *pca); /* zeroed or freed before is fine */

/* coordinates[i] = component i . (point - mean), for the first `count` components. */
void pca_project(const struct pca *pca, double *coordinates, const double *point, size_t count);

/* point = mean + sum over the first `count` components of coordinates[i] component i. */
void pca_reconstruct(const struct pca *pca, double *point, const double *coordinates, size_t count);

#endif
