/* The network's hand-written backward pass against finite differences (double precision in the
 * F64 build, where the tolerance is tight), causality, and independence of the rows of a batch. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "model/network.h"
#include "model/tiny_checkpoint.h"

enum { SEQUENCES = 2, TIME = 7, ROWS = SEQUENCES * TIME };

static const struct config CONFIG = {.vocabulary = 19,
                                     .width = 12,
                                     .blocks = 3,
                                     .heads = 4,
                                     .key_value_heads = 2,
                                     .head_width = 4,
                                     .inner = 10,
                                     .context = TIME,
                                     .split = 1,
                                     .latent_width = 5,
                                     .ngram_orders = 3,
                                     .ngram_rows = 16,
                                     .slot_parameters = 3,
                                     .rope_base = 10000,
                                     .epsilon = 1e-5};

/* A random little model, a batch, and linear scores on the running handle. */
struct fixture {
    struct config config;
    struct layout layout;
    struct weights weights;
    struct pass *pass;
    real *values, *ngrams, *gradient;
    int32_t tokens[ROWS], targets[ROWS], teachers[ROWS];
    real told[SEQUENCES * 5], mask[SEQUENCES * 5], start_precision[SEQUENCES * 5],
        start_information[SEQUENCES * 5];
    real mean_weight[ROWS * 5], precision_weight[ROWS * 5];
    real losses[ROWS], dtold[SEQUENCES * 5], dinformation[ROWS * 5];
    struct pass_handle handle;
    struct pass_lesson lesson; /* learned instead of the targets, where it has rows */
};

static void fill(real *values, size_t count, double scale, uint64_t seed) {
    struct random random;
    random_seed(&random, seed, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = (real)(scale * random_normal(&random));
}

static void fixture_start_on(struct fixture *f, struct config config, struct checkpoint *base) {
    struct error error;
    memset(f, 0, sizeof *f);
    f->config = config;
    assert_int_equal(config_check(&f->config, &error), 0);
    layout_make(&f->layout, &f->config, NULL, NULL);
    f->values = memory_allocate(f->layout.count, sizeof(real), &error);
    f->gradient = memory_allocate(f->layout.count, sizeof(real), &error);
    f->ngrams = memory_allocate(config_ngram_count(&f->config), sizeof(real), &error);
    fill(f->values, f->layout.count, 0.4, 1);
    fill(f->ngrams, config_ngram_count(&f->config), 0.3, 2);
    f->weights = (struct weights){&f->config, &f->layout, PRECISION_REAL, f->values, f->values,
                                  f->ngrams,  base,       NULL,           NULL,      NULL};
    assert_int_equal(pass_create(&f->pass, &f->weights, SEQUENCES, TIME, 1, &error), 0);
    struct random random;
    random_seed(&random, 3, 0);
    for (size_t r = 0; r < ROWS; r++) {
        f->tokens[r] = (int32_t)random_below(&random, f->config.vocabulary);
        f->targets[r] = r == 4 ? -1 : (int32_t)random_below(&random, f->config.vocabulary);
    }
    fill(f->told, SEQUENCES * 5, 1, 4);
    for (size_t i = 0; i < SEQUENCES * 5; i++) {
        f->mask[i] = i % 3 == 0;
        f->start_precision[i] = (real)(0.5 + 0.1 * (double)i);
        f->start_information[i] = (real)(0.2 * (double)i - 0.5);
    }
    fill(f->mean_weight, ROWS * 5, 0.3, 5);
    fill(f->precision_weight, ROWS * 5, 0.3, 6);
    f->handle = (struct pass_handle){f->told, f->mask, f->start_precision, f->start_information};
}

static void fixture_start(struct fixture *f, struct config config) {
    fixture_start_on(f, config, NULL);
}

static void fixture_end(struct fixture *f) {
    pass_destroy(f->pass);
    memory_free(f->values);
    memory_free(f->gradient);
    memory_free(f->ngrams);
}

/* 0.7 * sum of token losses + a linear score of every running handle. */
static double objective(struct fixture *f) {
    pass_read(f->pass, f->tokens, &f->handle);
    pass_write(f->pass, &f->handle, f->targets, f->losses);
    if (f->lesson.rows != NULL)
        pass_compare(f->pass, &f->lesson, f->losses);
    double sum = 0;
    for (size_t r = 0; r < ROWS; r++)
        sum += 0.7 * (double)f->losses[r];
    for (size_t i = 0; i < ROWS * f->config.latent_width; i++)
        sum += (double)(f->mean_weight[i] * pass_mean(f->pass)[i]) +
               (double)(f->precision_weight[i] * pass_precision(f->pass)[i]);
    return sum;
}

static void run_backward(struct fixture *f) {
    real dmean[ROWS * 5], dprecision[ROWS * 5];
    memcpy(dmean, f->mean_weight, sizeof dmean);
    memcpy(dprecision, f->precision_weight, sizeof dprecision);
    memset(f->gradient, 0, f->layout.count * sizeof(real));
    pass_read(f->pass, f->tokens, &f->handle);
    struct pass_gradients gradients = {.gradient = f->gradient,
                                       .dtold = f->dtold,
                                       .dinformation = f->dinformation,
                                       .dmean = dmean,
                                       .dprecision = dprecision,
                                       .scale = (real)0.7,
                                       .evidence_gradient = 1,
                                       .handle_gradient = 1};
    if (f->lesson.rows != NULL)
        pass_teach_backward(f->pass, &f->handle, &f->lesson, f->losses, &gradients);
    else
        pass_write_backward(f->pass, &f->handle, f->targets, f->losses, &gradients);
}

static double numeric(struct fixture *f, real *value) {
    double step = sizeof(real) == 8 ? 1e-5 : 1e-2;
    real kept = *value;
    *value = (real)((double)kept + step);
    double above = objective(f);
    *value = (real)((double)kept - step);
    double below = objective(f);
    *value = kept;
    return (above - below) / (2 * step);
}

static void expect_close(double analytic, double expected, const char *what, size_t index) {
    double tolerance = sizeof(real) == 8 ? 2e-7 : 3e-2;
    if (fabs(analytic - expected) > tolerance * (1 + fabs(expected)))
        fail_msg("%s[%zu]: backward gives %g, differences %g", what, index, analytic, expected);
}

static void check_parameters(struct fixture *f) {
    struct tensor_place tensors[MAXIMUM_TENSORS];
    struct layout layout;
    size_t count;
    layout_make(&layout, &f->config, tensors, &count);
    run_backward(f);
    for (size_t i = 0; i < count; i++) {
        size_t size = (tensors[i].rows > 0 ? tensors[i].rows : 1) * tensors[i].columns;
        size_t stride = size / 23 + 1; /* two dozen entries of each tensor */
        for (size_t j = 0; j < size; j += stride)
            expect_close((double)f->gradient[tensors[i].offset + j],
                         numeric(f, &f->values[tensors[i].offset + j]), tensors[i].name, j);
    }
}

static void test_parameters(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, CONFIG);
    check_parameters(&f);
    fixture_end(&f);
}

static void test_parameters_of_plain_model(void **state) {
    (void)state;
    struct fixture f;
    struct config plain = CONFIG;
    plain.latent_width = plain.ngram_orders = plain.ngram_rows = plain.slot_parameters = 0;
    fixture_start(&f, plain);
    f.handle = (struct pass_handle){0};
    check_parameters(&f);
    fixture_end(&f);
}

/* A model on a base: everything that it owns, adapters of all matrices or of some blocks. */
static void check_adapted(const char *architecture, size_t first, size_t targets, size_t split) {
    struct tiny_options options = {.architecture = architecture, .type = TENSOR_F32};
    struct checkpoint *base = tiny_open(&options);
    struct fixture f;
    struct config config = CONFIG;
    config.has_base = 1;
    config.adapter_rank = 2;
    config.adapter_first = first;
    config.adapter_targets = targets;
    config.adapter_scale = 1.5;
    config.split = split;
    config.epsilon = base->config.epsilon;
    fixture_start_on(&f, config, base);
    check_parameters(&f);
    fixture_end(&f);
    checkpoint_close(base);
}

static void test_parameters_of_adapted_model(void **state) {
    (void)state;
    check_adapted("llama", 0, 15, 1);
    check_adapted("qwen2", 1, 9, 1);
    check_adapted("qwen2", 2, 6, 1); /* the adapters start above the split */
    check_adapted("llama", 2, 15, 2);
    check_adapted("llama", 0, 15, 3); /* all blocks read */
    check_adapted("llama", 3, 0, 2);  /* no adapters at all */
}

/* Teaches the fixture what three random rows say: one of them for each row but one. */
static void take_lesson(struct fixture *f, real *rows) {
    fill(rows, 3 * f->config.width, 1, 10);
    for (size_t r = 0; r < ROWS; r++)
        f->teachers[r] = r == 4 ? -1 : (int32_t)(r * r % 3);
    f->lesson = (struct pass_lesson){rows, f->teachers};
}

/* An overlay over a model of its own (base NULL) or an adapted one: its numbers and the told
 * vectors, by targets or taught by another network. */
static void check_overlay(struct checkpoint *base, size_t first, size_t targets, int is_taught) {
    struct tensor_place tensors[MAXIMUM_TENSORS];
    struct overlay overlay = {.config = {2, first, targets, 0.7}};
    struct fixture f;
    struct error error;
    struct config config = CONFIG;
    size_t count;
    if (base != NULL) {
        config.has_base = 1;
        config.adapter_rank = 3;
        config.adapter_targets = 15;
        config.adapter_scale = 1.5;
        config.epsilon = base->config.epsilon;
    }
    assert_int_equal(overlay_config_check(&overlay.config, &config, &error), 0);
    fixture_start_on(&f, config, base);
    overlay_layout_make(&overlay.layout, &overlay.config, &config, tensors, &count);
    real *values = memory_allocate(overlay.layout.count, sizeof *values, &error);
    fill(values, overlay.layout.count, 0.4, 9);
    overlay.values = values;
    overlay.operands = values;
    pass_destroy(f.pass);
    memory_free(f.gradient);
    f.gradient = memory_allocate(f.layout.count + overlay.layout.count, sizeof(real), &error);
    f.weights.overlay = &overlay;
    assert_int_equal(pass_create(&f.pass, &f.weights, SEQUENCES, TIME, 1, &error), 0);
    real rows[3 * 12];
    if (is_taught)
        take_lesson(&f, rows);
    run_backward(&f);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < tensors[i].rows * tensors[i].columns; j += 5)
            expect_close((double)f.gradient[tensors[i].offset + j],
                         numeric(&f, &values[tensors[i].offset + j]), tensors[i].name, j);
    for (size_t i = 0; i < SEQUENCES * 5; i++)
        expect_close((double)f.dtold[i], numeric(&f, &f.told[i]), "told under an overlay", i);
    for (size_t i = overlay.layout.count; i < f.layout.count; i++)
        assert_true(f.gradient[i] == 0); /* nothing but the overlay is trained */
    memory_free(values);
    fixture_end(&f);
}

static void test_parameters_of_overlay(void **state) {
    (void)state;
    struct tiny_options options = {.architecture = "llama", .type = TENSOR_F32};
    struct checkpoint *base = tiny_open(&options);
    check_overlay(NULL, 1, 15, 0);
    check_overlay(NULL, 2, 6, 0);
    check_overlay(base, 1, 15, 0);
    check_overlay(base, 2, 9, 0);
    checkpoint_close(base);
}

static void test_lessons(void **state) {
    (void)state;
    struct tiny_options options = {.architecture = "llama", .type = TENSOR_F32};
    struct checkpoint *base = tiny_open(&options);
    check_overlay(NULL, 1, 15, 1);
    check_overlay(base, 2, 9, 1);
    checkpoint_close(base);
}

/* With the overlay off the same bits as if it did not exist, also after it was on; at its start it
 * changes nothing; on, it does. */
static void test_overlay_on_and_off(void **state) {
    (void)state;
    struct overlay overlay = {.config = {4, 1, 15, 1}};
    struct fixture f;
    struct error error;
    struct pass *under;
    real before[ROWS], started[ROWS], on[ROWS];
    fixture_start(&f, CONFIG);
    overlay_layout_make(&overlay.layout, &overlay.config, &f.config, NULL, NULL);
    real *values = memory_allocate(overlay.layout.count, sizeof *values, &error);
    overlay_initialise(values, &overlay.layout, &overlay.config, &f.config, 1);
    overlay.values = overlay.operands = values;
    objective(&f);
    memcpy(before, f.losses, sizeof before);
    struct weights weights = f.weights;
    weights.overlay = &overlay;
    assert_int_equal(pass_create(&under, &weights, SEQUENCES, TIME, 0, &error), 0);
    pass_read(under, f.tokens, &f.handle);
    pass_write(under, &f.handle, f.targets, started);
    for (size_t r = 0; r < ROWS; r++)
        assert_true(fabs((double)(started[r] - before[r])) < 1e-6);
    fill(values, overlay.layout.count, 0.4, 9);
    pass_write(under, &f.handle, f.targets, on);
    assert_true(on[1] != before[1]);
    objective(&f);
    assert_memory_equal(before, f.losses, sizeof before);
    assert_int_equal(overlay_config_check(&(struct overlay_config){4, 0, 15, 1}, &f.config, &error),
                     -1);
    assert_int_equal(overlay_config_check(&(struct overlay_config){0, 1, 15, 1}, &f.config, &error),
                     -1);
    assert_int_equal(overlay_config_check(&(struct overlay_config){4, 3, 15, 1}, &f.config, &error),
                     -1);
    assert_int_equal(overlay_config_check(&(struct overlay_config){4, 1, 0, 1}, &f.config, &error),
                     -1);
    pass_destroy(under);
    memory_free(values);
    fixture_end(&f);
}

static void test_told_vectors_and_ngrams(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, CONFIG);
    run_backward(&f);
    for (size_t i = 0; i < SEQUENCES * 5; i++)
        expect_close((double)f.dtold[i], numeric(&f, &f.told[i]), "told", i);
    double *expected = calloc(config_ngram_count(&f.config), sizeof *expected);
    assert_non_null(expected);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t n = 0; n < 3; n++) {
            uint32_t row = pass_ngram_rows(f.pass)[r * 3 + n];
            for (size_t d = 0; d < 5 && row != NO_NGRAM; d++)
                expected[row * 5 + d] += (double)f.dinformation[r * 5 + d];
        }
    for (size_t i = 0; i < config_ngram_count(&f.config); i += 7)
        expect_close(expected[i], numeric(&f, &f.ngrams[i]), "ngrams", i);
    free(expected);
    fixture_end(&f);
}

static void test_future_is_unseen(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, CONFIG);
    real before[ROWS];
    objective(&f);
    memcpy(before, f.losses, sizeof before);
    f.tokens[TIME - 2] = (f.tokens[TIME - 2] + 1) % 19;
    objective(&f);
    for (size_t r = 0; r < ROWS; r++) {
        if (r == TIME - 2 || r == TIME - 1)
            assert_true(before[r] != f.losses[r]);
        else /* earlier in the same sequence, and all of the other one */
            assert_true(before[r] == f.losses[r]);
    }
    fixture_end(&f);
}

/* One reading serves several writings: another handle in between changes nothing. */
static void test_write_again(void **state) {
    (void)state;
    struct fixture f;
    fixture_start(&f, CONFIG);
    real first[ROWS], other[SEQUENCES * 5] = {0};
    pass_read(f.pass, f.tokens, &f.handle);
    pass_write(f.pass, &f.handle, f.targets, first);
    pass_write(f.pass, &(struct pass_handle){.told = other, .told_mask = f.mask}, f.targets,
               f.losses);
    assert_true(first[1] != f.losses[1]);
    pass_write(f.pass, &f.handle, f.targets, f.losses);
    assert_memory_equal(first, f.losses, sizeof first);
    fixture_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_parameters_of_plain_model),
        cmocka_unit_test(test_parameters_of_adapted_model),
        cmocka_unit_test(test_parameters_of_overlay),
        cmocka_unit_test(test_lessons),
        cmocka_unit_test(test_overlay_on_and_off),
        cmocka_unit_test(test_told_vectors_and_ngrams),
        cmocka_unit_test(test_future_is_unseen),
        cmocka_unit_test(test_write_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
