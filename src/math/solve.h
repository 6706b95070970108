/* Small systems of linear equations. */
#ifndef TRINE_MATH_SOLVE_H
#define TRINE_MATH_SOLVE_H

#include <stddef.h>

/* x[n] <- the solution y of a y = x; a[n,n] is symmetric and positive definite, and overwritten. By
 * elimination without pivoting, which such matrices do not need. */
void solve_positive(double *a, double *x, size_t n);

/* The lower triangle of a[n,n] <- L with L L' = a, of which only the lower triangle is read
 * (Cholesky). -1 when `a` is not positive definite. */
int solve_cholesky(double *a, size_t n);

/* x[n,columns] <- the solution y of L y = x, by the lower triangle of l[n,n]. */
void solve_lower(const double *l, double *x, size_t n, size_t columns);

#endif
