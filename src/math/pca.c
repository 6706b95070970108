#include "math/pca.h"

#include <complex.h> /* lapacke.h needs it and does not say so everywhere */
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/shared_library.h"

static void find_mean(double *mean, const double *points, size_t n, size_t d) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            mean[j] += points[i * d + j];
    for (size_t j = 0; j < d; j++)
        mean[j] /= (double)n;
}

/* The lower triangle of the covariance, rows first; `centred` [d] is scratch. */
static void find_covariance(double *covariance, double *centred, const double *mean,
                            const double *points, size_t n, size_t d) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < d; j++)
            centred[j] = points[i * d + j] - mean[j];
        for (size_t j = 0; j < d; j++)
            for (size_t k = 0; k <= j; k++)
                covariance[j * d + k] += centred[j] * centred[k];
    }
    for (size_t j = 0; j < d; j++)
        for (size_t k = 0; k <= j; k++)
            covariance[j * d + k] /= (double)(n - 1);
}

static int check_finite(const double *covariance, size_t d, struct error *error) {
    for (size_t j = 0; j < d; j++)
        for (size_t k = 0; k <= j; k++)
            if (!isfinite(covariance[j * d + k]))
                return error_set(error,
                                 "principal components: a coordinate of dimension %zu or "
                                 "%zu is not a number or is too large",
                                 j, k);
    return 0;
}

/* LAPACK sorts upwards; we want the largest first. */
static void reverse_order(struct pca *pca) {
    size_t d = pca->dimensions;
    for (size_t low = 0, high = d - 1; low < high; low++, high--) {
        double kept = pca->variances[low];
        pca->variances[low] = pca->variances[high];
        pca->variances[high] = kept;
        for (size_t j = 0; j < d; j++) {
            kept = pca->components[low * d + j];
            pca->components[low * d + j] = pca->components[high * d + j];
            pca->components[high * d + j] = kept;
        }
    }
}

static void fix_sign(double *component, size_t d) {
    size_t largest = 0;
    for (size_t j = 1; j < d; j++)
        if (fabs(component[j]) > fabs(component[largest]))
            largest = j;
    if (component[largest] < 0)
        for (size_t j = 0; j < d; j++)
            component[j] = -component[j];
}

static int decompose(struct pca *pca, struct error *error) {
    size_t d = pca->dimensions;
    __typeof__(LAPACKE_dsyevd) *dsyevd;
    if (shared_library_load(&dsyevd, (const char *[]){"LAPACKE_dsyevd"}, 1, "liblapacke.so.3",
                            error))
        return -1;
    /* Our lower triangle, rows first, is LAPACK's upper one, columns first; its eigenvectors come
     * back as columns, that is, as our rows. So nothing is transposed. */
    lapack_int info = dsyevd(LAPACK_COL_MAJOR, 'V', 'U', (lapack_int)d, pca->components,
                             (lapack_int)d, pca->variances);
    if (info != 0)
        return error_set(error, "principal components of %zu dimensions: dsyevd failed (%d)", d,
                         (int)info);
    reverse_order(pca);
    for (size_t i = 0; i < d; i++) {
        fix_sign(pca->components + i * d, d);
        if (pca->variances[i] < 0) /* rounding */
            pca->variances[i] = 0;
    }
    return 0;
}

int pca_fit(struct pca *pca, const double *points, size_t n, size_t d, struct error *error) {
    *pca = (struct pca){.dimensions = d};
    if (n < 2 || d < 1)
        return error_set(error,
                         "principal components need two points and one dimension, not %zu "
                         "points and %zu dimensions",
                         n, d);
    if (d > 1 << 14)
        return error_set(error, "principal components of %zu dimensions: at most %d are possible",
                         d, 1 << 14);
    double *centred = memory_allocate(d, sizeof *centred, error);
    pca->mean = memory_allocate(d, sizeof *pca->mean, error);
    pca->components = memory_allocate(d * d, sizeof *pca->components, error);
    pca->variances = memory_allocate(d, sizeof *pca->variances, error);
    int result = -1;
    if (centred != NULL && pca->mean != NULL && pca->components != NULL && pca->variances != NULL) {
        find_mean(pca->mean, points, n, d);
        find_covariance(pca->components, centred, pca->mean, points, n, d);
        result = check_finite(pca->components, d, error);
        if (result == 0)
            result = decompose(pca, error);
    }
    memory_free(centred);
    if (result != 0)
        pca_free(pca);
    return result;
}

void pca_free(struct pca *pca) {
    memory_free(pca->mean);
    memory_free(pca->components);
    memory_free(pca->variances);
    *pca = (struct pca){0};
}

void pca_project(const struct pca *pca, double *coordinates, const double *point, size_t count) {
    size_t d = pca->dimensions;
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (size_t j = 0; j < d; j++)
            sum += pca->components[i * d + j] * (point[j] - pca->mean[j]);
        coordinates[i] = sum;
    }
}

void pca_reconstruct(const struct pca *pca, double *point, const double *coordinates,
                     size_t count) {
    size_t d = pca->dimensions;
    memcpy(point, pca->mean, d * sizeof *point);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < d; j++)
            point[j] += coordinates[i] * pca->components[i * d + j];
}
