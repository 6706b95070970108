#include "math/solve.h"

#include <math.h>

void solve_positive(double *a, double *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            double factor = a[j * n + i] / a[i * n + i];
            for (size_t k = i; k < n; k++)
                a[j * n + k] -= factor * a[i * n + k];
            x[j] -= factor * x[i];
        }
    for (size_t i = n; i-- > 0;) {
        for (size_t j = i + 1; j < n; j++)
            x[i] -= a[i * n + j] * x[j];
        x[i] /= a[i * n + i];
    }
}

int solve_cholesky(double *a, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            const double *x = a + i * n, *y = a + j * n;
            double product = 0;
#pragma omp simd reduction(+ : product)
            for (size_t k = 0; k < j; k++)
                product += x[k] * y[k];
            double sum = a[i * n + j] - product;
            if (j < i)
                a[i * n + j] = sum / a[j * n + j];
            else if (sum > 0 && isfinite(sum))
                a[i * n + i] = sqrt(sum);
            else
                return -1;
        }
    return 0;
}

void solve_lower(const double *l, double *x, size_t n, size_t columns) {
    for (size_t i = 0; i < n; i++) {
        double *row = x + i * columns;
        for (size_t k = 0; k < i; k++)
            for (size_t c = 0; c < columns; c++)
                row[c] -= l[i * n + k] * x[k * columns + c];
        for (size_t c = 0; c < columns; c++)
            row[c] /= l[i * n + i];
    }
}
