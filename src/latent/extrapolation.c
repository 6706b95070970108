#include "latent/extrapolation.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "math/solve.h"

double slot_first_year(const struct slot *slot) {
    return slot->year_from;
}

double slot_last_year(const struct slot *slot) {
    return slot->year_from + slot->year_step * (double)(slot->point_count - 1);
}

/* The curve at one year for each bump, and what is done with it. */
struct kriging {
    size_t count, width;
    double first, step; /* years */
    double *factor;     /* [count,count] of the covariance / s^2, lower */
    double *line;       /* [count,2] factor^-1 (1, u) */
    double *curve;      /* [count,width] factor^-1 of the points */
    double normal[4];   /* line' line, then its factor, lower */
    double scale;       /* s^2 */
};

static double covariance(double u, double v) {
    return exp(-0.25 * (u - v) * (u - v));
}

static void kriging_free(struct kriging *k) {
    memory_free(k->factor);
    memory_free(k->line);
    memory_free(k->curve);
}

static void add_products(double *out, const double *a, const double *b, size_t rows, size_t m,
                         size_t n) {
    memset(out, 0, m * n * sizeof *out);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                out[i * n + j] += a[r * m + i] * b[r * n + j];
}

/* Fills factor, line and curve for points that are known give or take `noise` s^2. */
static int whiten(struct kriging *k, const struct slot *slot, const real *parameters,
                  double noise) {
    real point[MAXIMUM_SLOT_WIDTH];
    for (size_t i = 0; i < k->count; i++) {
        for (size_t j = 0; j <= i; j++)
            k->factor[i * k->count + j] =
                covariance((double)i, (double)j) + (i == j ? noise + 1e-9 : 0);
        k->line[2 * i] = 1;
        k->line[2 * i + 1] = (double)i;
        slot_date_point(slot, parameters, k->first + (double)i * k->step, point);
        for (size_t d = 0; d < k->width; d++)
            k->curve[i * k->width + d] = (double)point[d];
    }
    if (solve_cholesky(k->factor, k->count))
        return -1;
    solve_lower(k->factor, k->line, k->count, 2);
    solve_lower(k->factor, k->curve, k->count, k->width);
    add_products(k->normal, k->line, k->line, k->count, 2, 2);
    return solve_cholesky(k->normal, 2);
}

/* What the line leaves of the curve, per number that it could not have fitted: s^2. */
static double residual(const struct kriging *k) {
    double sum = 0, cross[2 * MAXIMUM_SLOT_WIDTH];
    for (size_t i = 0; i < k->count * k->width; i++)
        sum += k->curve[i] * k->curve[i];
    add_products(cross, k->line, k->curve, k->count, 2, k->width);
    solve_lower(k->normal, cross, 2, k->width);
    for (size_t i = 0; i < 2 * k->width; i++)
        sum -= cross[i] * cross[i];
    return fmax(sum, 0) / (double)((k->count - 2) * k->width);
}

/* Noise is given in parts of s^2, which depends on it in turn: a few rounds settle both. */
static int fit(struct kriging *k, const struct slot *slot, const real *parameters) {
    real sigma[MAXIMUM_SLOT_WIDTH];
    double noise = 0;
    slot_spread(slot, parameters, sigma);
    for (size_t d = 0; d < k->width; d++)
        noise += (double)sigma[d] * (double)sigma[d] / (double)k->width;
    k->scale = 1;
    for (int round = 0; round < 20; round++) {
        if (whiten(k, slot, parameters, noise / k->scale))
            return -1;
        k->scale = fmax(residual(k), 1e-6);
    }
    return 0;
}

static double variance_at(const struct kriging *k, double year, double *room) {
    double u = (year - k->first) / k->step, known = 0, line[2] = {1, u}, cross[2];
    for (size_t i = 0; i < k->count; i++)
        room[i] = covariance(u, (double)i);
    solve_lower(k->factor, room, k->count, 1);
    for (size_t i = 0; i < k->count; i++)
        known += room[i] * room[i];
    add_products(cross, room, k->line, k->count, 1, 2);
    for (int i = 0; i < 2; i++)
        line[i] -= cross[i];
    solve_lower(k->normal, line, 2, 1);
    return k->scale * (1 - known + line[0] * line[0] + line[1] * line[1]);
}

int extrapolation_variance(const struct slot *slot, const real *parameters, double year,
                           double *variance, struct error *error) {
    double first = slot_first_year(slot), last = slot_last_year(slot);
    *variance = 0;
    if (year >= first && year <= last)
        return 0;
    size_t bumps = slot->basis_count - 2;
    struct kriging k = {.count = bumps + 1,
                        .width = slot->width,
                        .first = first,
                        .step = fmax(last - first, 1) / (double)bumps};
    k.factor = memory_allocate(k.count * k.count, sizeof(double), error);
    k.line = memory_allocate(2 * k.count, sizeof(double), error);
    k.curve = memory_allocate(k.count * k.width, sizeof(double), error);
    double *room = memory_allocate(k.count, sizeof(double), error);
    int result = k.factor == NULL || k.line == NULL || k.curve == NULL || room == NULL ? -1 : 0;
    if (result == 0 && fit(&k, slot, parameters))
        result =
            error_set(error, "the curve of slot %s cannot be continued to %g", slot->name, year);
    if (result == 0)
        *variance = fmax(variance_at(&k, year, room), 0);
    memory_free(room);
    kriging_free(&k);
    return result;
}

void extrapolation_loosen(const struct slot *slot, const real *parameters, double variance,
                          real *mean, real *precision) {
    real sigma[MAXIMUM_SLOT_WIDTH];
    slot_spread(slot, parameters, sigma);
    for (size_t d = 0; d < slot->width; d++) {
        double seen = 1 / ((double)sigma[d] * (double)sigma[d] + variance);
        mean[d] = (real)((double)mean[d] * seen / (1 + seen));
        precision[d] = (real)(1 + seen);
    }
}
