#include "latent/prior.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "math/solve.h"

/* Steps of the search in the settings, which are logarithms: down to a twentieth each. */
static const double FIRST_STEP = 1, WARM_STEP = 0.2, LAST_STEP = 0.05;

/* One fit's working room. */
struct fit {
    const struct prior_data *data;
    double *distances[PRIOR_INPUTS]; /* [count,count] squared, per pair */
    double typical[PRIOR_INPUTS];    /* root mean squared distance */
    double *factor, *response;       /* as in struct prior */
    double *spread;                  /* [width,width] */
};

static double squared_distance(const double *a, const double *b, size_t width) {
    double sum = 0;
    for (size_t d = 0; d < width; d++)
        sum += (a[d] - b[d]) * (a[d] - b[d]);
    return sum;
}

static void fit_free(struct fit *fit) {
    for (size_t s = 0; s < PRIOR_INPUTS; s++)
        memory_free(fit->distances[s]);
    memory_free(fit->factor);
    memory_free(fit->response);
    memory_free(fit->spread);
}

static int fit_create(struct fit *fit, const struct prior_data *data, struct error *error) {
    size_t n = data->count;
    *fit = (struct fit){.data = data};
    fit->factor = memory_allocate(n * n, sizeof(double), error);
    fit->response = memory_allocate(n * data->width, sizeof(double), error);
    fit->spread = memory_allocate(data->width * data->width, sizeof(double), error);
    if (fit->factor == NULL || fit->response == NULL || fit->spread == NULL)
        return -1;
    for (size_t s = 0; s < data->input_count; s++) {
        size_t width = data->input_widths[s];
        double sum = 0;
        fit->distances[s] = memory_allocate(n * n, sizeof(double), error);
        if (fit->distances[s] == NULL)
            return -1;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                double squared = squared_distance(data->inputs[s] + i * width,
                                                  data->inputs[s] + j * width, width);
                fit->distances[s][i * n + j] = squared;
                sum += squared;
            }
        fit->typical[s] = sum > 0 ? sqrt(sum / (double)(n * (n - 1))) : 1;
    }
    return 0;
}

/* fit->factor <- K, of which the lower triangle is enough. */
static void make_covariance(struct fit *fit, const struct prior_settings *settings) {
    size_t n = fit->data->count;
    double constant = exp(settings->constant);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            fit->factor[i * n + j] = constant + (i == j);
    for (size_t s = 0; s < fit->data->input_count; s++) {
        double strength = exp(settings->strength[s]), half = 0.5 * exp(-2 * settings->length[s]);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++)
                fit->factor[i * n + j] += strength * exp(-half * fit->distances[s][i * n + j]);
    }
}

/* spread[width,width] <- the lower triangle of (freedom spread I + Y' K^-1 Y). */
static void make_spread(struct fit *fit, const struct prior_settings *settings) {
    size_t n = fit->data->count, width = fit->data->width;
    double own = exp(settings->freedom + settings->spread);
    memset(fit->spread, 0, width * width * sizeof(double));
    for (size_t i = 0; i < n; i++) {
        const double *row = fit->response + i * width;
        for (size_t d = 0; d < width; d++)
            for (size_t e = 0; e <= d; e++)
                fit->spread[d * width + e] += row[d] * row[e];
    }
    for (size_t d = 0; d < width; d++)
        fit->spread[d * width + d] += own;
}

static double log_determinant(const double *factor, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += log(factor[i * n + i]);
    return 2 * sum;
}

/* log Gamma_d(x) without its power of pi, which cancels. */
static double log_multivariate_gamma(double x, size_t d) {
    double sum = 0;
    int sign; /* lgamma itself keeps it for all threads in one place */
    for (size_t j = 0; j < d; j++)
        sum += lgamma_r(x - 0.5 * (double)j, &sign);
    return sum;
}

/* log p(Y | X): leaves `factor`, `response` and, as a factor, `spread` of these settings.
 * -INFINITY where rounding leaves no positive definite matrix. */
static double evaluate(struct fit *fit, const struct prior_settings *settings) {
    size_t n = fit->data->count, width = fit->data->width;
    double count = (double)n, d = (double)width;
    double freedom = exp(settings->freedom), nu = freedom + d + 1;
    make_covariance(fit, settings);
    if (solve_cholesky(fit->factor, n))
        return -INFINITY;
    memcpy(fit->response, fit->data->targets, n * width * sizeof(double));
    solve_lower(fit->factor, fit->response, n, width);
    make_spread(fit, settings);
    if (solve_cholesky(fit->spread, width))
        return -INFINITY;
    return -0.5 * count * d * log(M_PI) - 0.5 * d * log_determinant(fit->factor, n) +
           log_multivariate_gamma(0.5 * (nu + count), width) -
           log_multivariate_gamma(0.5 * nu, width) +
           0.5 * nu * d * (settings->freedom + settings->spread) -
           0.5 * (nu + count) * log_determinant(fit->spread, width);
}

/* Where the search begins, and the bounds within which it stays: beyond them the evidence is flat,
 * or the data are fewer than the bumps that would be made of them. */
static struct prior_settings first_settings(const struct fit *fit) {
    const struct prior_data *data = fit->data;
    double squares = 0;
    for (size_t i = 0; i < data->count * data->width; i++)
        squares += data->targets[i] * data->targets[i];
    struct prior_settings settings = {
        .constant = log(0.1),
        .spread = log(squares / (double)(data->count * data->width) + 1e-12),
        .freedom = log((double)data->width + 1)};
    for (size_t s = 0; s < data->input_count; s++)
        settings.length[s] = log(fit->typical[s] / 3);
    return settings;
}

/* The settings as a list: *low and *high are what the n-th may be. NULL past the last one. */
static double *setting_at(const struct fit *fit, struct prior_settings *settings, size_t n,
                          double *low, double *high) {
    *low = -12;
    *high = 6;
    if (n == 0)
        return &settings->constant;
    if (n == 1) {
        *low = -30;
        *high = 30;
        return &settings->spread;
    }
    if (n == 2) {
        *low = 0;
        *high = 9;
        return &settings->freedom;
    }
    size_t s = (n - 3) / 2;
    if (s >= fit->data->input_count)
        return NULL;
    if (n % 2 == 1)
        return &settings->strength[s];
    *low = log(fit->typical[s] / 20);
    *high = log(fit->typical[s] * 20);
    return &settings->length[s];
}

/* Goes on in one direction while that helps. Returns whether it did. */
static int climb(struct fit *fit, struct prior_settings *settings, size_t n, double step,
                 double *best) {
    double low, high;
    int has_moved = 0;
    for (int sign = 1; sign >= -1 && !has_moved; sign -= 2)
        for (;;) {
            double *value = setting_at(fit, settings, n, &low, &high), kept = *value;
            *value = fmin(fmax(kept + sign * step, low), high);
            double found = *value == kept ? -INFINITY : evaluate(fit, settings);
            if (!(found > *best + 1e-9)) {
                *value = kept;
                break;
            }
            *best = found;
            has_moved = 1;
        }
    return has_moved;
}

/* Coordinate by coordinate, with ever smaller steps: there are few settings, and the evidence is
 * smooth in all of them. */
static void maximise_evidence(struct fit *fit, struct prior_settings *settings, double step) {
    double best = evaluate(fit, settings), low, high;
    for (; step > LAST_STEP; step /= 2)
        for (int has_moved = 1; has_moved;) {
            has_moved = 0;
            for (size_t n = 0; setting_at(fit, settings, n, &low, &high) != NULL; n++)
                has_moved |= climb(fit, settings, n, step, &best);
        }
}

static int check(const struct prior_data *data, struct error *error) {
    if (data->count < PRIOR_LEAST || data->count > PRIOR_MOST || data->width < 1 ||
        data->input_count > PRIOR_INPUTS)
        return error_set(error,
                         "a prior is fitted to %d to %d observations under at most %d conditions, "
                         "not to %zu under %zu",
                         PRIOR_LEAST, PRIOR_MOST, PRIOR_INPUTS, data->count, data->input_count);
    int is_finite = 1;
    for (size_t i = 0; i < data->count * data->width; i++)
        is_finite &= isfinite(data->targets[i]) != 0;
    for (size_t s = 0; s < data->input_count; s++)
        for (size_t i = 0; i < data->count * data->input_widths[s]; i++)
            is_finite &= isfinite(data->inputs[s][i]) != 0;
    return is_finite ? 0 : error_set(error, "a prior cannot be fitted to what is no number");
}

/* Takes over the fit's matrices and copies the inputs. */
static int keep(struct prior *prior, struct fit *fit, struct error *error) {
    const struct prior_data *data = fit->data;
    prior->count = data->count;
    prior->width = data->width;
    prior->input_count = data->input_count;
    for (size_t s = 0; s < data->input_count; s++) {
        size_t numbers = data->count * data->input_widths[s];
        prior->input_widths[s] = data->input_widths[s];
        prior->inputs[s] = memory_allocate(numbers, sizeof(double), error);
        if (prior->inputs[s] == NULL)
            return -1;
        memcpy(prior->inputs[s], data->inputs[s], numbers * sizeof(double));
    }
    double scale = 1 / sqrt(exp(prior->settings.freedom) + (double)data->count);
    for (size_t i = 0; i < data->width * data->width; i++)
        fit->spread[i] *= scale;
    prior->factor = fit->factor;
    prior->response = fit->response;
    prior->spread = fit->spread;
    fit->factor = fit->response = fit->spread = NULL;
    return 0;
}

/* The search takes steps of `step`; 0: none. */
static int fit_from(struct prior *prior, const struct prior_data *data,
                    const struct prior_settings *start, double step, struct error *error) {
    struct fit fit = {0};
    *prior = (struct prior){0};
    int result = check(data, error) || fit_create(&fit, data, error) ? -1 : 0;
    if (result == 0) {
        prior->settings = start != NULL ? *start : first_settings(&fit);
        maximise_evidence(&fit, &prior->settings, step);
        prior->log_evidence = evaluate(&fit, &prior->settings);
        result = isfinite(prior->log_evidence)
                     ? keep(prior, &fit, error)
                     : error_set(error, "a prior cannot be fitted: numbers are too far apart");
    }
    fit_free(&fit);
    if (result != 0)
        prior_free(prior);
    return result;
}

int prior_fit(struct prior *prior, const struct prior_data *data,
              const struct prior_settings *start, struct error *error) {
    return fit_from(prior, data, start, start != NULL ? WARM_STEP : FIRST_STEP, error);
}

int prior_fit_at(struct prior *prior, const struct prior_data *data,
                 const struct prior_settings *settings, struct error *error) {
    return fit_from(prior, data, settings, 0, error);
}

void prior_free(struct prior *prior) {
    for (size_t s = 0; s < PRIOR_INPUTS; s++)
        memory_free(prior->inputs[s]);
    memory_free(prior->factor);
    memory_free(prior->response);
    memory_free(prior->spread);
    *prior = (struct prior){0};
}

/* strength E[exp(-|x - c|^2 / 2 l^2)] for x ~ N(mean, variance). */
static double bump(const struct prior *prior, size_t s, const struct prior_query *query, size_t i) {
    size_t width = prior->input_widths[s];
    const double *centre = prior->inputs[s] + i * width;
    double square = exp(2 * prior->settings.length[s]), logarithm = prior->settings.strength[s];
    for (size_t d = 0; d < width; d++) {
        double variance = query->variances[s][d], gap = query->means[s][d] - centre[d];
        logarithm -= 0.5 * log1p(variance / square) + 0.5 * gap * gap / (square + variance);
    }
    return exp(logarithm);
}

int prior_predict(struct prior_gaussian *out, const struct prior *prior,
                  const struct prior_query *query, struct error *error) {
    size_t n = prior->count, width = prior->width;
    *out = (struct prior_gaussian){.prior = prior};
    out->mean = memory_allocate(width, sizeof(double), error);
    double *k = memory_allocate(n, sizeof(double), error);
    if (out->mean == NULL || k == NULL) {
        memory_free(k);
        prior_gaussian_free(out);
        return -1;
    }
    double constant = exp(prior->settings.constant);
    out->scale = 1 + constant;
    for (size_t s = 0; s < prior->input_count; s++)
        out->scale += exp(prior->settings.strength[s]);
    for (size_t i = 0; i < n; i++) {
        k[i] = constant;
        for (size_t s = 0; s < prior->input_count; s++)
            k[i] += bump(prior, s, query, i);
    }
    solve_lower(prior->factor, k, n, 1);
    for (size_t i = 0; i < n; i++) {
        out->scale -= k[i] * k[i];
        for (size_t d = 0; d < width; d++)
            out->mean[d] += k[i] * prior->response[i * width + d];
    }
    out->scale = fmax(out->scale, 1); /* there is noise at least, whatever rounding says */
    memory_free(k);
    return 0;
}

void prior_gaussian_free(struct prior_gaussian *gaussian) {
    memory_free(gaussian->mean);
    *gaussian = (struct prior_gaussian){0};
}

void prior_sample(const struct prior_gaussian *gaussian, struct random *random, double *y) {
    size_t width = gaussian->prior->width;
    memcpy(y, gaussian->mean, width * sizeof *y);
    for (size_t e = 0; e < width; e++) {
        double draw = sqrt(gaussian->scale) * random_normal(random);
        for (size_t d = e; d < width; d++)
            y[d] += gaussian->prior->spread[d * width + e] * draw;
    }
}

double prior_distance(const struct prior_gaussian *gaussian, const double *y) {
    struct error ignored;
    size_t width = gaussian->prior->width;
    double *gap = memory_allocate(width, sizeof *gap, &ignored), sum = 0;
    if (gap == NULL)
        return NAN;
    for (size_t d = 0; d < width; d++)
        gap[d] = y[d] - gaussian->mean[d];
    solve_lower(gaussian->prior->spread, gap, width, 1);
    for (size_t d = 0; d < width; d++)
        sum += gap[d] * gap[d];
    memory_free(gap);
    return sum / gaussian->scale;
}

/* log det (2 pi covariance). */
static double log_volume(const struct prior_gaussian *gaussian) {
    size_t width = gaussian->prior->width;
    return (double)width * log(2 * M_PI * gaussian->scale) +
           log_determinant(gaussian->prior->spread, width);
}

double prior_log_density(const struct prior_gaussian *gaussian, const double *y) {
    return -0.5 * (log_volume(gaussian) + prior_distance(gaussian, y));
}

double prior_entropy(const struct prior_gaussian *gaussian) {
    return 0.5 * (log_volume(gaussian) + (double)gaussian->prior->width);
}
