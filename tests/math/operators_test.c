/* Each operator of the network against plain loops in double, and its backward pass against finite
 * differences. In the F64 build (`real` is double) the tolerances are those of the mathematics; in
 * the f32 build, those of the format. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "cmocka_all.h"
#include "math/attention.h"
#include "math/classifier.h"
#include "math/exponential.h"
#include "math/matmul.h"
#include "math/norm.h"
#include "math/rope.h"
#include "math/swiglu.h"

#ifdef TRINE_F64
static const double CLOSE = 1e-10, SLOPE = 2e-6, STEP = 1e-5;
#else
static const double CLOSE = 2e-5, SLOPE = 2e-2, STEP = 1e-2;
#endif

static struct random randomness;

static void fill(real *x, size_t n, double scale) {
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(scale * random_normal(&randomness));
}

static void assert_close(double a, double b, double tolerance, const char *what, size_t i) {
    if (!(fabs(a - b) <= tolerance * (1 + fabs(b))))
        fail_msg("%s[%zu]: %.9g, expected %.9g", what, i, a, b);
}

/* A function of x[n] as one number, and the gradient that is to be checked. */
typedef double scalar_function(void *context);

static void check_gradient(scalar_function *function, void *context, real *x, const real *gradient,
                           size_t n, const char *what) {
    for (size_t i = 0; i < n; i++) {
        real old = x[i];
        x[i] = old + (real)STEP;
        double up = function(context);
        x[i] = old - (real)STEP;
        double down = function(context);
        x[i] = old;
        assert_close((double)gradient[i], (up - down) / (2 * STEP), SLOPE, what, i);
    }
}

static double dot(const real *a, const real *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static struct matmul *matmul_for_test(void) {
    struct matmul *matmul;
    struct error error;
    assert_int_equal(matmul_create(&matmul, PRECISION_REAL, &error), 0);
    return matmul;
}

/* ---- products: every transposition, strides, accumulation ---- */

static void test_products(void **state) {
    (void)state;
    struct matmul *matmul = matmul_for_test();
    for (int kind = 0; kind < 8; kind++) {
        struct matmul_shape shape = {.m = 5 + kind,
                                     .n = 7,
                                     .k = 9 + 3 * kind,
                                     .a_transposed = kind & 1,
                                     .b_transposed = kind >> 1 & 1,
                                     .accumulate = kind >> 2 & 1};
        shape.a_stride = (shape.a_transposed ? shape.m : shape.k) + 2;
        shape.b_stride = (shape.b_transposed ? shape.k : shape.n) + 1;
        shape.c_stride = shape.n + 3;
        real a[2000], b[2000], c[2000], expected[2000];
        fill(a, 2000, 1);
        fill(b, 2000, 1);
        fill(c, 2000, 1);
        memcpy(expected, c, sizeof c);
        for (int i = 0; i < shape.m; i++)
            for (int j = 0; j < shape.n; j++) {
                double sum = shape.accumulate ? (double)c[i * shape.c_stride + j] : 0;
                for (int k = 0; k < shape.k; k++)
                    sum +=
                        (double)a[shape.a_transposed ? k * shape.a_stride + i
                                                     : i * shape.a_stride + k] *
                        (double)
                            b[shape.b_transposed ? j * shape.b_stride + k : k * shape.b_stride + j];
                expected[i * shape.c_stride + j] = (real)sum;
            }
        matmul_run(matmul, &shape, c, a, b);
        for (size_t i = 0; i < 2000; i++) /* what lies between the rows is left alone */
            assert_close((double)c[i], (double)expected[i], 10 * CLOSE, "product", i);
    }
    matmul_destroy(matmul);
}

/* bf16 products are as exact as their rounded operands allow. */
static void test_bf16_products(void **state) {
    (void)state;
    struct matmul *matmul;
    struct error error;
    if (!matmul_has_bf16() || sizeof(real) != sizeof(float))
        return;
    assert_int_equal(matmul_create(&matmul, PRECISION_BF16, &error), 0);
    enum { M = 33, N = 47, K = 65 };
    real a[M * K], b[N * K], c[M * N], expected[M * N];
    uint16_t a16[M * K], b16[N * K];
    fill(a, M * K, 1);
    fill(b, N * K, 1);
    operand_store(a16, a, M * K, PRECISION_BF16);
    operand_store(b16, b, N * K, PRECISION_BF16);
    struct matmul_shape shape = {
        .m = M, .n = N, .k = K, .a_stride = K, .b_stride = K, .c_stride = N, .b_transposed = 1};
    matmul_run(matmul, &shape, c, a16, b16);
    matmul_reference(&shape, PRECISION_BF16, expected, a16, b16);
    for (size_t i = 0; i < M * N; i++)
        assert_close((double)c[i], (double)expected[i], 1e-5, "bf16 product", i);
    operand_load(a, a16, M * K, PRECISION_BF16);
    operand_load(b, b16, N * K, PRECISION_BF16);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int k = 0; k < K; k++)
                sum += (double)a[i * K + k] * (double)b[j * K + k];
            assert_close((double)expected[i * N + j], sum, 1e-5, "bf16 reference", 0);
        }
    matmul_destroy(matmul);
}

static void test_bf16_rounding(void **state) {
    (void)state;
    if (sizeof(real) != sizeof(float))
        return;
    /* To nearest, ties to even: 1 + 2^-8 lies between 1 and 1 + 2^-7. */
    const real in[] = {1.0f, 1.00390625f, 1.01171875f, -1.0039065f, 3.3895314e38f, 0.0f};
    const real out[] = {1.0f, 1.0f, 1.015625f, -1.0078125f, 3.3895314e38f, 0.0f};
    uint16_t stored[6];
    real back[6];
    operand_store(stored, in, 6, PRECISION_BF16);
    operand_load(back, stored, 6, PRECISION_BF16);
    for (size_t i = 0; i < 6; i++)
        assert_true(back[i] == out[i]);
}

static void test_exponential(void **state) {
    (void)state;
    for (double x = -80; x < 80; x += 0.37)
        assert_close((double)exponential((real)x) / exp((double)(real)x), 1, 3e-7, "exp", 0);
    assert_close((double)sigmoid(0), 0.5, 1e-7, "sigmoid", 0);
    assert_true(sigmoid(-200) >= 0 && sigmoid(200) <= 1);
}

/* ---- normalisation ---- */

enum { ROWS = 3, WIDTH = 20 };

struct norm_case {
    real x[ROWS * WIDTH], gain[WIDTH], out[ROWS * WIDTH], inverse[ROWS], weights[ROWS * WIDTH];
    real row[WIDTH];
};

static double norm_loss(void *context) {
    struct norm_case *c = context;
    rmsnorm_forward(c->out, c->inverse, c->x, c->gain, ROWS, WIDTH, (real)1e-5, PRECISION_REAL,
                    c->row);
    return dot(c->out, c->weights, ROWS * WIDTH);
}

static void test_norm(void **state) {
    (void)state;
    struct norm_case c;
    real dx[ROWS * WIDTH] = {0}, dgain[WIDTH] = {0};
    fill(c.x, ROWS * WIDTH, 1);
    fill(c.gain, WIDTH, 1);
    fill(c.weights, ROWS * WIDTH, 1);
    norm_loss(&c);
    for (size_t r = 0; r < ROWS; r++) {
        double square = 0;
        for (size_t i = 0; i < WIDTH; i++)
            square += (double)c.x[r * WIDTH + i] * (double)c.x[r * WIDTH + i];
        for (size_t i = 0; i < WIDTH; i++)
            assert_close((double)c.out[r * WIDTH + i],
                         (double)c.gain[i] * (double)c.x[r * WIDTH + i] /
                             sqrt(square / WIDTH + 1e-5),
                         CLOSE, "norm", i);
    }
    rmsnorm_backward(dx, dgain, c.weights, c.x, c.gain, c.inverse, ROWS, WIDTH);
    check_gradient(norm_loss, &c, c.x, dx, ROWS * WIDTH, "norm dx");
    check_gradient(norm_loss, &c, c.gain, dgain, WIDTH, "norm dgain");
}

/* ---- gated unit ---- */

enum { INNER = 10 };

struct swiglu_case {
    real gate_up[ROWS * 2 * INNER], out[ROWS * INNER], weights[ROWS * INNER], row[4 * INNER];
};

static double swiglu_loss(void *context) {
    struct swiglu_case *c = context;
    swiglu_forward(c->out, c->gate_up, ROWS, INNER, PRECISION_REAL, c->row);
    return dot(c->out, c->weights, ROWS * INNER);
}

static void test_swiglu(void **state) {
    (void)state;
    struct swiglu_case c;
    real gradient[ROWS * 2 * INNER];
    fill(c.gate_up, ROWS * 2 * INNER, 1.5);
    fill(c.weights, ROWS * INNER, 1);
    swiglu_loss(&c);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < INNER; i++) {
            double gate = (double)c.gate_up[r * 2 * INNER + i];
            double up = (double)c.gate_up[r * 2 * INNER + INNER + i];
            assert_close((double)c.out[r * INNER + i], gate / (1 + exp(-gate)) * up, CLOSE,
                         "swiglu", i);
        }
    swiglu_backward(gradient, c.weights, c.gate_up, ROWS, INNER, PRECISION_REAL, c.row);
    check_gradient(swiglu_loss, &c, c.gate_up, gradient, ROWS * 2 * INNER, "swiglu");
}

/* ---- rotary positions ---- */

/* The product of a rotated query and key depends on their distance alone; -1 undoes +1. */
static void test_rope(void **state) {
    (void)state;
    enum { TIME = 12, HEAD = 8 };
    real cosine[TIME * HEAD / 2], sine[TIME * HEAD / 2], q[HEAD], k[HEAD];
    rope_table(cosine, sine, TIME, HEAD, 10000, NULL, 1);
    fill(q, HEAD, 1);
    fill(k, HEAD, 1);
    double products[2];
    for (int shift = 0; shift < 2; shift++) {
        real a[HEAD], b[HEAD];
        size_t t = 3 + 4 * (size_t)shift, s = 1 + 4 * (size_t)shift;
        memcpy(a, q, sizeof a);
        memcpy(b, k, sizeof b);
        rope_rotate(a, cosine + t * HEAD / 2, sine + t * HEAD / 2, 1, HEAD, ROPE_HALVES, 1);
        rope_rotate(b, cosine + s * HEAD / 2, sine + s * HEAD / 2, 1, HEAD, ROPE_HALVES, 1);
        products[shift] = dot(a, b, HEAD);
        rope_rotate(a, cosine + t * HEAD / 2, sine + t * HEAD / 2, 1, HEAD, ROPE_HALVES, -1);
        for (size_t i = 0; i < HEAD; i++)
            assert_close((double)a[i], (double)q[i], CLOSE, "rope undone", i);
    }
    assert_close(products[0], products[1], CLOSE, "rope", 0);
    assert_close((double)cosine[HEAD / 2 + 1], cos(pow(10000, -2.0 / HEAD)), CLOSE, "angle", 1);
}

/* ---- attention ---- */

enum { B = 2, T = 150, H = 4, K = 2, E = 8, ROW = (H + 2 * K) * E }; /* T: more than one block */

struct attention_case {
    struct attention_shape shape;
    struct matmul *matmul;
    real *qkv, *out, *log_sum, *weights, *scratch;
};

static double attention_loss(void *context) {
    struct attention_case *c = context;
    attention_forward(c->matmul, c->out, c->log_sum, c->qkv, &c->shape, c->scratch);
    return dot(c->out, c->weights, B * T * H * E);
}

/* One output row by the textbook. */
static void plain_attention(const real *qkv, size_t b, size_t t, size_t h, double *out) {
    double weight[T], maximum = -INFINITY, sum = 0;
    const real *q = qkv + (b * T + t) * ROW + h * E;
    size_t group = h / (H / K);
    for (size_t s = 0; s <= t; s++) {
        weight[s] = dot(q, qkv + (b * T + s) * ROW + (H + group) * E, E) / sqrt(E);
        maximum = fmax(maximum, weight[s]);
    }
    for (size_t s = 0; s <= t; s++)
        sum += weight[s] = exp(weight[s] - maximum);
    for (size_t e = 0; e < E; e++) {
        out[e] = 0;
        for (size_t s = 0; s <= t; s++)
            out[e] += weight[s] / sum * (double)qkv[(b * T + s) * ROW + (H + K + group) * E + e];
    }
}

static void test_attention(void **state) {
    (void)state;
    struct error error;
    struct attention_case c = {.shape = {B, T, H, K, E}, .matmul = matmul_for_test()};
    c.qkv = memory_allocate(B * T * ROW, sizeof(real), &error);
    c.out = memory_allocate(B * T * H * E, sizeof(real), &error);
    c.weights = memory_allocate(B * T * H * E, sizeof(real), &error);
    c.log_sum = memory_allocate(B * H * T, sizeof(real), &error);
    c.scratch = memory_allocate(attention_scratch_size(&c.shape), sizeof(real), &error);
    real *gradient = memory_allocate(B * T * ROW, sizeof(real), &error);
    fill(c.qkv, B * T * ROW, 1);
    fill(c.weights, B * T * H * E, 1);
    attention_loss(&c);
    for (size_t b = 0; b < B; b++)
        for (size_t t = 0; t < T; t += 7)
            for (size_t h = 0; h < H; h++) {
                double expected[E];
                plain_attention(c.qkv, b, t, h, expected);
                for (size_t e = 0; e < E; e++)
                    assert_close((double)c.out[(b * T + t) * H * E + h * E + e], expected[e], CLOSE,
                                 "attention", t);
            }
    attention_backward(c.matmul, gradient, c.weights, c.out, c.log_sum, c.qkv, &c.shape, c.scratch);
    for (int i = 0; i < 60; i++) { /* a random sample: every row has queries, keys and values */
        size_t at = random_below(&randomness, B * T * ROW - 1);
        check_gradient(attention_loss, &c, c.qkv + at, gradient + at, 1, "attention gradient");
    }
    memory_free(c.qkv);
    memory_free(c.out);
    memory_free(c.weights);
    memory_free(c.log_sum);
    memory_free(c.scratch);
    memory_free(gradient);
    matmul_destroy(c.matmul);
}

/* ---- classifier: more rows than one chunk, some of them without a target ---- */

enum { CASES = 70, VOCABULARY = 23, DEPTH = 6 };

struct classifier_case {
    struct matmul *matmul;
    real x[CASES * DEPTH], weight[VOCABULARY * DEPTH], losses[CASES], *scratch;
    int32_t targets[CASES];
    const real *scales; /* [CASES], or NULL */
};

static double classifier_loss(void *context) {
    struct classifier_case *c = context;
    double sum = 0;
    classifier_forward(c->matmul, c->losses, c->x, c->weight, c->targets, CASES, DEPTH, VOCABULARY,
                       c->scratch);
    for (size_t i = 0; i < CASES; i++)
        sum += (double)c->losses[i] * (c->scales != NULL ? (double)c->scales[i] : 1);
    return 0.5 * sum;
}

static void check_classifier_gradients(struct classifier_case *c, const real *scales) {
    real dx[CASES * DEPTH], dweight[VOCABULARY * DEPTH] = {0}, losses[CASES];
    c->scales = scales;
    classifier_loss(c);
    classifier_forward_backward(c->matmul, losses, dx, dweight, c->x, c->weight, c->targets,
                                (real)0.5, scales, CASES, DEPTH, VOCABULARY, c->scratch);
    for (size_t i = 0; i < CASES; i++)
        assert_close((double)losses[i], (double)c->losses[i], CLOSE, "same loss", i);
    check_gradient(classifier_loss, c, c->x, dx, CASES * DEPTH, "classifier dx");
    check_gradient(classifier_loss, c, c->weight, dweight, VOCABULARY * DEPTH, "classifier dw");
}

static void test_classifier(void **state) {
    (void)state;
    struct error error;
    struct classifier_case c = {.matmul = matmul_for_test()};
    real scales[CASES];
    c.scratch = memory_allocate(classifier_scratch_size(DEPTH, VOCABULARY), sizeof(real), &error);
    fill(c.x, CASES * DEPTH, 1);
    fill(c.weight, VOCABULARY * DEPTH, 1);
    for (size_t i = 0; i < CASES; i++)
        c.targets[i] = i == 5 || i % 7 == 3 ? -1 : (int32_t)(i % VOCABULARY);
    classifier_loss(&c);
    for (size_t i = 0; i < CASES; i++) {
        double sum = 0, target = 0;
        for (size_t v = 0; v < VOCABULARY; v++)
            sum += exp(dot(c.x + i * DEPTH, c.weight + v * DEPTH, DEPTH));
        if (c.targets[i] >= 0)
            target = dot(c.x + i * DEPTH, c.weight + (size_t)c.targets[i] * DEPTH, DEPTH);
        assert_close((double)c.losses[i], c.targets[i] < 0 ? 0 : log(sum) - target, CLOSE, "loss",
                     i);
    }
    check_classifier_gradients(&c, NULL);
    for (size_t i = 0; i < CASES; i++) /* a preference pushes some rows up and some down */
        scales[i] = i % 4 == 0 ? 0 : (real)(0.3 * (double)i - 1);
    check_classifier_gradients(&c, scales);
    memory_free(c.scratch);
    matmul_destroy(c.matmul);
}

/* ---- distillation: fewer teachers than rows, one row without any, a vocabulary below the width */

struct distill_case {
    struct matmul *matmul;
    size_t vocabulary;
    real x[CASES * DEPTH], teacher[3 * DEPTH], weight[VOCABULARY * DEPTH], losses[CASES], *scratch;
    int32_t pairs[CASES];
};

static double distill_loss(void *context) {
    struct distill_case *c = context;
    double sum = 0;
    classifier_distill_forward(c->matmul, c->losses, c->x, c->teacher, c->pairs, c->weight, CASES,
                               DEPTH, c->vocabulary, c->scratch);
    for (size_t i = 0; i < CASES; i++)
        sum += (double)c->losses[i];
    return 0.5 * sum;
}

static double log_sum(const struct distill_case *c, const real *x) {
    double sum = 0;
    for (size_t v = 0; v < c->vocabulary; v++)
        sum += exp(dot(x, c->weight + v * DEPTH, DEPTH));
    return log(sum);
}

static double divergence(const struct distill_case *c, const real *x, const real *teacher) {
    double sum = 0, student_sum = log_sum(c, x), teacher_sum = log_sum(c, teacher);
    for (size_t v = 0; v < c->vocabulary; v++) {
        double t = dot(teacher, c->weight + v * DEPTH, DEPTH) - teacher_sum;
        sum += exp(t) * (t - dot(x, c->weight + v * DEPTH, DEPTH) + student_sum);
    }
    return sum;
}

static void check_distill(size_t vocabulary) {
    struct error error;
    struct distill_case c = {.matmul = matmul_for_test(), .vocabulary = vocabulary};
    real dx[CASES * DEPTH], losses[CASES];
    c.scratch =
        memory_allocate(classifier_distill_scratch_size(DEPTH, vocabulary), sizeof(real), &error);
    fill(c.x, CASES * DEPTH, 1);
    fill(c.teacher, 3 * DEPTH, 1);
    fill(c.weight, VOCABULARY * DEPTH, 1);
    for (size_t i = 0; i < CASES; i++)
        c.pairs[i] = i == 5 ? -1 : (int32_t)(i * i % 3);
    memcpy(c.x + 7 * DEPTH, c.teacher + DEPTH, DEPTH * sizeof(real)); /* its own teacher */
    distill_loss(&c);
    for (size_t i = 0; i < CASES; i++)
        assert_close((double)c.losses[i],
                     c.pairs[i] < 0
                         ? 0
                         : divergence(&c, c.x + i * DEPTH, c.teacher + (size_t)c.pairs[i] * DEPTH),
                     CLOSE, "divergence", i);
    assert_true(c.losses[7] == 0);
    classifier_distill_forward_backward(c.matmul, losses, dx, c.x, c.teacher, c.pairs, c.weight,
                                        (real)0.5, CASES, DEPTH, vocabulary, c.scratch);
    assert_memory_equal(losses, c.losses, sizeof losses);
    check_gradient(distill_loss, &c, c.x, dx, CASES * DEPTH, "distill dx");
    memory_free(c.scratch);
    matmul_destroy(c.matmul);
}

static void test_distill(void **state) {
    (void)state;
    check_distill(VOCABULARY);
    check_distill(DEPTH - 2);
}

static int start(void **state) {
    (void)state;
    random_seed(&randomness, 11, 0);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),      cmocka_unit_test(test_bf16_products),
        cmocka_unit_test(test_bf16_rounding), cmocka_unit_test(test_exponential),
        cmocka_unit_test(test_norm),          cmocka_unit_test(test_swiglu),
        cmocka_unit_test(test_rope),          cmocka_unit_test(test_attention),
        cmocka_unit_test(test_classifier),    cmocka_unit_test(test_distill),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
