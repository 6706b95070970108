#include "math/swiglu.h"

#include "math/exponential.h"

VECTOR_CLONES static void row_forward(real *restrict out, const real *restrict gate,
                                      const real *restrict up, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = gate[i] * sigmoid(gate[i]) * up[i];
}

void swiglu_forward(void *out, const void *gate_up, size_t rows, size_t inner,
                    enum precision precision, real *row) {
    for (size_t r = 0; r < rows; r++) {
        operand_load(row, operand_at(gate_up, r * 2 * inner, precision), 2 * inner, precision);
        row_forward(row + 2 * inner, row, row + inner, inner);
        operand_store(operand_at(out, r * inner, precision), row + 2 * inner, inner, precision);
    }
}

VECTOR_CLONES static void row_backward(real *restrict dgate, real *restrict dup,
                                       const real *restrict dout, const real *restrict gate,
                                       const real *restrict up, size_t n) {
    for (size_t i = 0; i < n; i++) {
        real s = sigmoid(gate[i]);
        dgate[i] = dout[i] * up[i] * s * (1 + gate[i] * (1 - s));
        dup[i] = dout[i] * gate[i] * s;
    }
}

void swiglu_backward(void *dgate_up, const real *dout, const void *gate_up, size_t rows,
                     size_t inner, enum precision precision, real *row) {
    for (size_t r = 0; r < rows; r++) {
        real *gradient = row + 2 * inner;
        operand_load(row, operand_at(gate_up, r * 2 * inner, precision), 2 * inner, precision);
        row_backward(gradient, gradient + inner, dout + r * inner, row, row + inner, inner);
        operand_store(operand_at(dgate_up, r * 2 * inner, precision), gradient, 2 * inner,
                      precision);
    }
}
