#include "latent/score.h"

#include <math.h>

static double target_weight(const struct slot_target *target, size_t i) {
    double weight = 0;
    for (size_t k = 0; k < TARGET_POINTS; k++)
        weight += i == target->index[k] ? target->weight[k] : 0;
    return weight;
}

/* With w = 1 / (1/Lambda + sigma^2) and g_a = scale (p_a - y_a):
 *   dm = -w sum_a g_a (m - x_a),  dx_a = w g_a (m - x_a),  dw = -1/2 sum_a g_a (m - x_a)^2,
 *   dLambda = dw w^2 / Lambda^2,  dlog sigma = -2 dw w^2 sigma^2. */
double score_backward(const struct slot *slot, const struct slot_state *state,
                      const struct slot_target *target, const real *mean, const real *precision,
                      double scale, real *dmean, real *dprecision, struct slot_gradient *gradient,
                      double *log_odds) {
    size_t width = slot->width;
    real weight[MAXIMUM_SLOT_WIDTH], dweight[MAXIMUM_SLOT_WIDTH] = {0};
    double loss = 0;
    slot_posterior(slot, state->points, state->sigma, mean, precision, 1, log_odds);
    for (size_t d = 0; d < width; d++)
        weight[d] = 1 / (1 / precision[d] + state->sigma[d] * state->sigma[d]);
    for (size_t i = 0; i < slot->point_count; i++) {
        double wanted = target_weight(target, i);
        if (wanted > 0)
            loss -= wanted * log_odds[i];
        real g = (real)(scale * (exp(log_odds[i]) - wanted));
        if (fabs((double)g) < 1e-12 * scale)
            continue;
        const real *point = state->points + i * width;
        real *dpoint = gradient->dpoints + i * width;
        for (size_t d = 0; d < width; d++) {
            real distance = mean[d] - point[d];
            dmean[d] -= weight[d] * g * distance;
            dpoint[d] += weight[d] * g * distance;
            dweight[d] -= g * distance * distance / 2;
        }
    }
    for (size_t d = 0; d < width; d++) {
        real along = dweight[d] * weight[d] * weight[d];
        dprecision[d] += along / (precision[d] * precision[d]);
        gradient->dlog_sigma[d] -= 2 * along * state->sigma[d] * state->sigma[d];
    }
    return loss;
}
