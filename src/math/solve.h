/* Small systems of linear equations. */
#ifndef TRINE_MATH_SOLVE_H
#define TRINE_MATH_SOLVE_H

#include <stddef.h>

/* x[n] <- the solution y of a y = x; a[n,n] is symmetric and positive definite, and overwritten. By
 * elimination without pivoting, which such matrices do not need. */
void solve_positive(double *a, double *x, size_t n);

#endif
