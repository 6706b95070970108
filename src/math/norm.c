#include "math/norm.h"

#include <math.h>

VECTOR_CLONES static real sum_of_squares(const real *x, size_t n) {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

VECTOR_CLONES static void scale_by_gain(real *restrict out, const real *restrict x,
                                        const real *restrict gain, real factor, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] * factor * gain[i];
}

void rmsnorm_forward(void *out, real *inverse_rms, const real *x, const real *gain, size_t rows,
                     size_t width, real epsilon, enum precision precision, real *row) {
    for (size_t r = 0; r < rows; r++) {
        const real *in = x + r * width;
        real mean = sum_of_squares(in, width) / (real)width;
        inverse_rms[r] = (real)(1 / sqrt((double)(mean + epsilon)));
        scale_by_gain(row, in, gain, inverse_rms[r], width);
        operand_store(operand_at(out, r * width, precision), row, width, precision);
    }
}

/* With s = 1/rms:  dx = s (g dy) - s^3 x mean(g dy x),  dg = dy x s. */
VECTOR_CLONES static void row_backward(real *restrict dx, real *restrict dgain,
                                       const real *restrict dout, const real *restrict x,
                                       const real *restrict gain, real s, size_t n) {
    real dot = 0;
#pragma omp simd reduction(+ : dot)
    for (size_t i = 0; i < n; i++)
        dot += dout[i] * gain[i] * x[i];
    real factor = s * s * s * dot / (real)n;
    for (size_t i = 0; i < n; i++) {
        dx[i] += s * dout[i] * gain[i] - factor * x[i];
        dgain[i] += dout[i] * x[i] * s;
    }
}

void rmsnorm_backward(real *dx, real *dgain, const real *dout, const real *x, const real *gain,
                      const real *inverse_rms, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++)
        row_backward(dx + r * width, dgain, dout + r * width, x + r * width, gain, inverse_rms[r],
                     width);
}
