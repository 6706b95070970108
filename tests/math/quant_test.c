#include "math/quant.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "cmocka_all.h"
#include "math/quant_product.h"

static const enum tensor_type TYPES[] = {TENSOR_F32,  TENSOR_F16,  TENSOR_BF16, TENSOR_Q4_0,
                                         TENSOR_Q4_1, TENSOR_Q5_0, TENSOR_Q5_1, TENSOR_Q8_0,
                                         TENSOR_Q4_K, TENSOR_Q5_K, TENSOR_Q6_K};
enum { TYPE_COUNT = sizeof TYPES / sizeof *TYPES };

/* Random blocks whose scales are sensible: any other bits of a block are a valid block. */
static void random_blocks(uint8_t *blocks, enum tensor_type type, size_t count,
                          struct random *random) {
    size_t bytes = tensor_type_bytes(type), total = count / tensor_type_block(type) * bytes;
    for (size_t i = 0; i < total; i++)
        blocks[i] = (uint8_t)random_bits(random);
    for (size_t at = 0; at < total; at += bytes) {
        uint16_t scale = float_to_half((float)(0.01 + 0.1 * random_uniform(random)));
        uint16_t minimum = float_to_half((float)(random_uniform(random) - 0.5));
        if (type == TENSOR_F32)
            memcpy(blocks + at, &(float){(float)random_normal(random)}, 4);
        else if (type == TENSOR_BF16)
            memcpy(blocks + at, &(uint16_t){float_to_bfloat((float)random_normal(random))}, 2);
        else
            memcpy(blocks + at + (type == TENSOR_Q6_K ? 208 : 0), &scale, 2);
        if (type == TENSOR_Q4_1 || type == TENSOR_Q5_1 || type == TENSOR_Q4_K ||
            type == TENSOR_Q5_K)
            memcpy(blocks + at + 2, &minimum, 2);
    }
}

static void test_halves_round_trip(void **state) {
    (void)state;
    for (unsigned bits = 0; bits < 65536; bits++) {
        float value = half_to_float((uint16_t)bits);
        if (isnan(value))
            assert_true(isnan(half_to_float(float_to_half(value))));
        else
            assert_int_equal(float_to_half(value), bits);
    }
    assert_int_equal(float_to_half(65519), 0x7bff); /* below the middle to 2^16 */
    assert_int_equal(float_to_half(65520), 0x7c00);
    assert_int_equal(float_to_half(1 + 0x1p-11f), 0x3c00); /* a tie goes to even */
    assert_int_equal(float_to_half(1 + 3 * 0x1p-11f), 0x3c02);
    assert_int_equal(float_to_half(0x1p-25f), 0);
    assert_int_equal(float_to_half(0x1.8p-25f), 1);
}

/* A value of each block type worked out by hand from the layout. */
static void test_layouts(void **state) {
    (void)state;
    float out[256];
    uint8_t block[256] = {0};
    uint16_t one = float_to_half(1), half = float_to_half(0.5f);
    memcpy(block, &half, 2);
    block[2] = 0x3f; /* low nibble 15: weight 0; high 3: weight 16 */
    dequantise(out, block, TENSOR_Q4_0, 32);
    assert_true(out[0] == 3.5f && out[16] == -2.5f && out[1] == -4);
    memcpy(block + 2, &one, 2);
    block[4] = 0x3f;
    dequantise(out, block, TENSOR_Q4_1, 32);
    assert_true(out[0] == 8.5f && out[16] == 2.5f && out[1] == 1);
    memset(block, 0, sizeof block);
    memcpy(block, &one, 2);
    block[2] = 0x01, block[4] = 0x02; /* fifth bits of weights 0 and 17 */
    block[6] = 0x21;
    dequantise(out, block, TENSOR_Q5_0, 32);
    assert_true(out[0] == 1 && out[16] == -14 && out[17] == 0 && out[1] == -16);
    memset(block, 0, sizeof block);
    memcpy(block, &one, 2);
    memcpy(block + 2, &half, 2);
    block[4] = 2 | 1 << 6, block[8] = 3;     /* group 0: scale 2, minimum 3 */
    block[4 + 8] = 5 | 4 << 4;               /* group 4: scale 5 + 16, minimum 4 */
    block[16] = 0x07, block[16 + 64] = 0x09; /* first weights of groups 0 and 4 */
    dequantise(out, block, TENSOR_Q4_K, 256);
    assert_true(out[0] == 2 * 7 - 1.5f && out[1] == -1.5f);
    assert_true(out[128] == 21 * 9 - 2 && out[129] == -2);
    memset(block, 0, sizeof block);
    memcpy(block + 208, &one, 2);
    block[192] = 3, block[192 + 6] = (uint8_t)-2; /* scales of weights 0..15 and 96..111 */
    block[0] = 0x05, block[128] = 0x01;           /* weight 0: 5 | 1 << 4 */
    block[32] = 0x70;                             /* weight 96: 7 */
    dequantise(out, block, TENSOR_Q6_K, 256);
    assert_true(out[0] == 3 * (21 - 32) && out[96] == -2 * (7 - 32));
}

/* Writing errs by no more than half a step, and what is written reads back as itself. */
static void test_quantise(void **state) {
    (void)state;
    static const struct {
        enum tensor_type type;
        double bound; /* of the error, as a share of a block's largest weight */
    } WRITTEN[] = {{TENSOR_F32, 0},          {TENSOR_F16, 0x1p-11},   {TENSOR_BF16, 0x1p-8},
                   {TENSOR_Q8_0, 0.6 / 127}, {TENSOR_Q4_0, 1.01 / 8}, {TENSOR_Q4_1, 1.1 / 15},
                   {TENSOR_Q4_K, 2.5 / 15}};
    float in[1024], out[1024], again[1024];
    uint8_t blocks[4096];
    struct random random;
    random_seed(&random, 3, 3);
    for (int i = 0; i < 1024; i++)
        in[i] = i < 256 ? 0 : (float)(random_normal(&random) + (i < 512 ? 0.3 : 0));
    for (size_t k = 0; k < sizeof WRITTEN / sizeof *WRITTEN; k++) {
        double squares = 0, errors = 0;
        quantise(blocks, in, WRITTEN[k].type, 1024);
        dequantise(out, blocks, WRITTEN[k].type, 1024);
        for (int b = 0; b < 1024; b += 32) {
            double largest = 0;
            for (int i = b; i < b + 32; i++)
                largest = fmax(largest, fabs((double)in[i]));
            for (int i = b; i < b + 32; i++) {
                double error = fabs((double)out[i] - (double)in[i]);
                assert_true(error <= WRITTEN[k].bound * largest + 1e-9);
                errors += error * error;
                squares += (double)in[i] * (double)in[i];
            }
        }
        if (WRITTEN[k].type == TENSOR_Q4_K) /* the search for steps must be worth something */
            assert_true(errors / squares < 0.0055);
        quantise(blocks, out, WRITTEN[k].type, 1024);
        dequantise(again, blocks, WRITTEN[k].type, 1024);
        for (int i = 0; i < 1024 && WRITTEN[k].type != TENSOR_Q4_K; i++)
            assert_true(fabsf(again[i] - out[i]) <= 2e-3f * fabsf(out[i]) + 1e-6f);
    }
}

/* Every kernel against the same sum in double, for every type and count of rows. */
static void check_products(enum tensor_type type, size_t columns) {
    enum { ROWS = 5, STRIDE = 7 };
    struct error error;
    struct random random;
    struct activations x;
    size_t row_bytes = columns / tensor_type_block(type) * tensor_type_bytes(type);
    /* Exactly as large as the matrix, so that a sanitizer sees any read beyond it. */
    uint8_t *blocks = malloc(ROWS * row_bytes);
    float *weights = malloc(columns * sizeof *weights);
    real *values = malloc(PRODUCT_ROWS * columns * sizeof *values), out[PRODUCT_ROWS * STRIDE];
    assert_true(blocks != NULL && weights != NULL && values != NULL);
    random_seed(&random, type, columns);
    random_blocks(blocks, type, ROWS * columns, &random);
    for (size_t i = 0; i < PRODUCT_ROWS * columns; i++)
        values[i] = (real)random_normal(&random);
    assert_int_equal(activations_create(&x, columns, &error), 0);
    struct matrix matrix = {.data = blocks, .type = type, .rows = ROWS, .columns = columns};
    for (size_t count = 1; count <= PRODUCT_ROWS; count++) {
        for (size_t i = 0; i < PRODUCT_ROWS * STRIDE; i++)
            out[i] = 1000;
        activations_set(&x, values, count, columns);
        quant_product(out, STRIDE, 0, &matrix, 1, ROWS, &x);
        quant_product(out, STRIDE, 1, &matrix, 1, 3, &x);
        int is_blocks = type == TENSOR_Q4_0 || type == TENSOR_Q4_1 || type == TENSOR_Q8_0;
        for (size_t m = 0; m < count; m++)
            for (size_t r = 1; r < ROWS; r++) {
                double sum = 0, size = 0;
                dequantise(weights, blocks + r * row_bytes, type, columns);
                for (size_t i = 0; i < columns; i++) {
                    size_t at = m * columns + i;
                    double y =
                        is_blocks ? (double)x.scales[at / 32] * x.quants[at] : (double)values[at];
                    sum += (double)weights[i] * y;
                    size += fabs((double)weights[i] * y);
                }
                double wanted = r < 3 ? 2 * sum : sum;
                assert_true(fabs((double)out[m * STRIDE + r - 1] - wanted) < 2e-6 * size + 1e-6);
            }
        assert_true(out[ROWS - 1] == 1000); /* nothing beyond the last row */
    }
    activations_free(&x);
    free(blocks);
    free(weights);
    free(values);
}

static void test_products(void **state) {
    (void)state;
    static const char *const KERNELS[] = {"plain", "avx2", "avx512-vnni"};
    for (size_t k = 0; k < 3; k++) {
        if (quant_product_choose(KERNELS[k]) != 0) {
            print_message("skipped: this processor has no %s\n", KERNELS[k]);
            continue;
        }
        for (size_t t = 0; t < TYPE_COUNT; t++)
            for (size_t columns = 32; columns <= 1536; columns = columns * 2 + 32)
                if (columns % tensor_type_block(TYPES[t]) == 0)
                    check_products(TYPES[t], columns);
        check_products(TENSOR_Q6_K, 768);
        check_products(TENSOR_Q4_K, 512);
        check_products(TENSOR_Q5_K, 256);
    }
    assert_int_equal(quant_product_choose("none such"), -1);
    assert_int_equal(quant_product_choose(NULL), 0);
}

static void test_activations(void **state) {
    (void)state;
    struct error error;
    struct activations x;
    real values[64] = {0};
    values[0] = 127, values[1] = (real)2.5, values[2] = (real)3.5, values[3] = -127;
    assert_int_equal(activations_create(&x, 64, &error), 0);
    activations_set(&x, values, 1, 64);
    assert_true(x.scales[0] == 1 && x.scales[1] == 0);
    assert_int_equal(x.quants[1], 2); /* ties to even */
    assert_int_equal(x.quants[2], 4);
    assert_int_equal(x.offsets[0], 6);
    assert_true(x.sums[0] == 6 && x.sums[1] == 0 && x.offsets[1] == 0);
    activations_free(&x);
}

static void test_names(void **state) {
    (void)state;
    assert_int_equal(tensor_type_find("q4_k"), TENSOR_Q4_K);
    assert_int_equal(tensor_type_find("Q2_K"), -1); /* known, but not read */
    assert_string_equal(tensor_type_name(TENSOR_BF16), "BF16");
    assert_string_equal(tensor_type_name((enum tensor_type)99), "unknown");
    assert_string_equal(tensor_type_name((enum tensor_type)4), "unknown");
    assert_int_equal(tensor_type_block((enum tensor_type)99), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_halves_round_trip), cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_quantise),          cmocka_unit_test(test_products),
        cmocka_unit_test(test_activations),       cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
