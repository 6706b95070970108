#include "math/rope.h"

#include <math.h>

void rope_table(real *cosine, real *sine, size_t time, size_t head_width, double base) {
    size_t half = head_width / 2;
    for (size_t t = 0; t < time; t++)
        for (size_t i = 0; i < half; i++) {
            double angle = (double)t * pow(base, -2.0 * (double)i / (double)head_width);
            cosine[t * half + i] = (real)cos(angle);
            sine[t * half + i] = (real)sin(angle);
        }
}

VECTOR_CLONES static void rotate_head(real *restrict first, real *restrict second,
                                      const real *restrict cosine, const real *restrict sine,
                                      real sign, size_t half) {
    for (size_t i = 0; i < half; i++) {
        real a = first[i], b = second[i], s = sign * sine[i];
        first[i] = a * cosine[i] - b * s;
        second[i] = a * s + b * cosine[i];
    }
}

void rope_rotate(real *row, const real *cosine, const real *sine, size_t heads, size_t head_width,
                 int direction) {
    size_t half = head_width / 2;
    for (size_t h = 0; h < heads; h++)
        rotate_head(row + h * head_width, row + h * head_width + half, cosine, sine,
                    (real)direction, half);
}
