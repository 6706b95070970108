#include "math/rope.h"

#include <math.h>

static const double TURN = 2 * 3.14159265358979323846;

void rope_table(real *cosine, real *sine, size_t time, size_t head_width, double base,
                const double *divisors, double magnitude) {
    size_t half = head_width / 2;
    for (size_t i = 0; i < half; i++) {
        double speed = pow(base, -2.0 * (double)i / (double)head_width);
        speed /= divisors != NULL ? divisors[i] : 1;
        for (size_t t = 0; t < time; t++) {
            cosine[t * half + i] = (real)(magnitude * cos((double)t * speed));
            sine[t * half + i] = (real)(magnitude * sin((double)t * speed));
        }
    }
}

VECTOR_CLONES static void rotate_halves(real *restrict first, real *restrict second,
                                        const real *restrict cosine, const real *restrict sine,
                                        real sign, size_t half) {
    for (size_t i = 0; i < half; i++) {
        real a = first[i], b = second[i], s = sign * sine[i];
        first[i] = a * cosine[i] - b * s;
        second[i] = a * s + b * cosine[i];
    }
}

VECTOR_CLONES static void rotate_neighbours(real *restrict head, const real *restrict cosine,
                                            const real *restrict sine, real sign, size_t half) {
    for (size_t i = 0; i < half; i++) {
        real a = head[2 * i], b = head[2 * i + 1], s = sign * sine[i];
        head[2 * i] = a * cosine[i] - b * s;
        head[2 * i + 1] = a * s + b * cosine[i];
    }
}

void rope_rotate(real *row, const real *cosine, const real *sine, size_t heads, size_t head_width,
                 enum rope_pairs pairs, int direction) {
    size_t half = head_width / 2;
    for (size_t h = 0; h < heads; h++) {
        real *head = row + h * head_width;
        if (pairs == ROPE_HALVES)
            rotate_halves(head, head + half, cosine, sine, (real)direction, half);
        else
            rotate_neighbours(head, cosine, sine, (real)direction, half);
    }
}

void rope_divisors_llama3(double *divisors, size_t head_width, double base, double factor,
                          double original_context, double low, double high) {
    for (size_t i = 0; i < head_width / 2; i++) {
        double wavelength = TURN * pow(base, 2.0 * (double)i / (double)head_width);
        double kept = (original_context / wavelength - low) / (high - low);
        kept = fmin(1, fmax(0, kept));
        divisors[i] = 1 / ((1 - kept) / factor + kept);
    }
}

/* The pair that turns `turns` times over the original context, as a fraction of pairs. */
static double pair_of(double turns, size_t head_width, double base, double original_context) {
    return (double)head_width * log(original_context / (turns * TURN)) / (2 * log(base));
}

void rope_divisors_yarn(double *divisors, size_t head_width, double base, double factor,
                        double original_context, double fast, double slow) {
    double last = (double)head_width - 1;
    double low = floor(pair_of(fast, head_width, base, original_context));
    double high = ceil(pair_of(slow, head_width, base, original_context));
    low = fmax(0, low);
    high = fmin(last, high);
    for (size_t i = 0; i < head_width / 2; i++) {
        double stretched = fmin(1, fmax(0, ((double)i - low) / fmax(0.001, high - low)));
        divisors[i] = 1 / (stretched / factor + 1 - stretched);
    }
}
