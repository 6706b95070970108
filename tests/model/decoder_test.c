/* Token by token with a cache gives what one pass over the whole text gives. */
#include "cmocka_all.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "math/matmul.h"
#include "model/decoder.h"

enum { TIME = 24, VOCABULARY = 31, LATENT = 5 };

static const struct config CONFIG = {.vocabulary = VOCABULARY,
                                     .width = 16,
                                     .blocks = 3,
                                     .heads = 4,
                                     .key_value_heads = 2,
                                     .head_width = 4,
                                     .inner = 20,
                                     .context = TIME,
                                     .split = 1,
                                     .latent_width = LATENT,
                                     .ngram_orders = 3,
                                     .ngram_rows = 16,
                                     .slot_parameters = 3,
                                     .rope_base = 10000,
                                     .epsilon = 1e-5};

struct fixture {
    struct layout layout;
    struct weights weights;
    real *values, *ngrams;
    int32_t tokens[TIME];
};

static void fixture_start(struct fixture *f, const struct config *config) {
    struct error error;
    struct random random;
    random_seed(&random, 7, 0);
    layout_make(&f->layout, config, NULL, NULL);
    f->values = memory_allocate(f->layout.count, sizeof(real), &error);
    f->ngrams = memory_allocate(config_ngram_count(config), sizeof(real), &error);
    for (size_t i = 0; i < f->layout.count; i++)
        f->values[i] = (real)(0.4 * random_normal(&random));
    for (size_t i = 0; i < config_ngram_count(config); i++)
        f->ngrams[i] = (real)(0.3 * random_normal(&random));
    for (size_t t = 0; t < TIME; t++)
        f->tokens[t] = (int32_t)random_below(&random, VOCABULARY);
    f->weights = (struct weights){config,    &f->layout, PRECISION_REAL, f->values, f->values,
                                  f->ngrams, NULL,       NULL,           NULL,      NULL};
}

static void fixture_end(struct fixture *f) {
    memory_free(f->values);
    memory_free(f->ngrams);
}

static void compare_under(const struct config *config, const struct pass_handle *handle,
                          const struct overlay *overlay) {
    struct fixture f;
    struct error error;
    struct pass *pass;
    struct decoder *decoder;
    double tolerance = sizeof(real) == 8 ? 1e-9 : 2e-3;
    fixture_start(&f, config);
    f.weights.overlay = overlay;
    assert_int_equal(pass_create(&pass, &f.weights, 1, TIME, 0, &error), 0);
    assert_int_equal(decoder_create(&decoder, &f.weights, NULL, &error), 0);
    pass_read(pass, f.tokens, handle);
    pass_write(pass, handle, NULL, NULL);
    real expected[TIME * VOCABULARY];
    matmul_linear(pass_matmul(pass), expected, 0, pass_output(pass), f.values + f.layout.embedding,
                  TIME, (int)config->width, VOCABULARY);
    decoder_start(decoder, handle);
    for (size_t t = 0; t < TIME; t++) {
        const real *logits = decoder_step(decoder, (uint32_t)f.tokens[t]);
        for (size_t v = 0; v < VOCABULARY; v++)
            if (fabs((double)(logits[v] - expected[t * VOCABULARY + v])) > tolerance)
                fail_msg("token %zu: logit %zu is %g, not %g", t, v, (double)logits[v],
                         (double)expected[t * VOCABULARY + v]);
        for (size_t d = 0; d < config->latent_width; d++) {
            size_t i = t * config->latent_width + d;
            assert_true(fabs((double)(decoder_mean(decoder)[d] - pass_mean(pass)[i])) < tolerance);
            assert_true(fabs((double)(decoder_precision(decoder)[d] - pass_precision(pass)[i])) <
                        tolerance);
        }
    }
    decoder_destroy(decoder);
    pass_destroy(pass);
    fixture_end(&f);
}

static void compare(const struct config *config, const struct pass_handle *handle) {
    compare_under(config, handle, NULL);
}

static void test_overlay(void **state) {
    (void)state;
    struct overlay overlay = {.config = {3, 1, 15, 0.5}};
    struct error error;
    struct random random;
    random_seed(&random, 8, 0);
    overlay_layout_make(&overlay.layout, &overlay.config, &CONFIG, NULL, NULL);
    real *values = memory_allocate(overlay.layout.count, sizeof *values, &error);
    for (size_t i = 0; i < overlay.layout.count; i++)
        values[i] = (real)(0.4 * random_normal(&random));
    overlay.values = overlay.operands = values;
    compare_under(&CONFIG, &(struct pass_handle){0}, &overlay);
    memory_free(values);
}

/* Several ends of one beginning: after going back, each is as if it were the only one. */
static void test_mark(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    struct decoder *decoder;
    real first[VOCABULARY];
    fixture_start(&f, &CONFIG);
    assert_int_equal(decoder_create(&decoder, &f.weights, NULL, &error), 0);
    decoder_start(decoder, &(struct pass_handle){0});
    for (size_t t = 0; t < 10; t++)
        decoder_step(decoder, (uint32_t)f.tokens[t]);
    decoder_mark(decoder);
    decoder_step(decoder, (uint32_t)f.tokens[10]);
    memcpy(first, decoder_step(decoder, (uint32_t)f.tokens[11]), sizeof first);
    decoder_return(decoder);
    assert_int_equal(decoder_position(decoder), 10);
    for (size_t t = 0; t < 5; t++)
        decoder_step(decoder, (uint32_t)f.tokens[15 + t]);
    decoder_return(decoder);
    decoder_step(decoder, (uint32_t)f.tokens[10]);
    assert_memory_equal(first, decoder_step(decoder, (uint32_t)f.tokens[11]), sizeof first);
    decoder_destroy(decoder);
    fixture_end(&f);
}

static void test_untold(void **state) {
    (void)state;
    compare(&CONFIG, &(struct pass_handle){0});
}

static void test_partly_told_from_a_start(void **state) {
    (void)state;
    const real told[LATENT] = {1, -1, 0.5f, 2, 0}, mask[LATENT] = {1, 1, 0, 0, 0};
    const real precision[LATENT] = {1, 2, 3, 4, 5}, information[LATENT] = {0.5f, 1, -2, 0, 3};
    compare(&CONFIG, &(struct pass_handle){told, mask, precision, information});
}

static void test_plain(void **state) {
    (void)state;
    struct config plain = CONFIG;
    plain.latent_width = plain.ngram_orders = plain.ngram_rows = plain.slot_parameters = 0;
    compare(&plain, &(struct pass_handle){0});
}

/* Past the context the oldest half is forgotten; what follows equals a start with the rest. */
static void test_long_text(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    struct decoder *long_text, *short_text;
    struct config plain = CONFIG;
    plain.latent_width = plain.ngram_orders = plain.ngram_rows = plain.slot_parameters = 0;
    fixture_start(&f, &plain);
    assert_int_equal(decoder_create(&long_text, &f.weights, NULL, &error), 0);
    assert_int_equal(decoder_create(&short_text, &f.weights, NULL, &error), 0);
    const real *a = NULL, *b = NULL;
    for (size_t t = 0; t < TIME + 1; t++)
        a = decoder_step(long_text, (uint32_t)f.tokens[t % TIME]);
    for (size_t t = TIME / 2; t < TIME + 1; t++)
        b = decoder_step(short_text, (uint32_t)f.tokens[t % TIME]);
    for (size_t v = 0; v < VOCABULARY; v++) /* the kept half was run again in chunks */
        assert_true(fabs((double)(a[v] - b[v])) < (sizeof(real) == 8 ? 1e-9 : 1e-3));
    decoder_destroy(long_text);
    decoder_destroy(short_text);
    fixture_end(&f);
}

/* A lean prompt comes to the same and allocates nothing; a wide one does. */
static void test_lean(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    struct decoder *lean, *wide;
    uint32_t tokens[TIME];
    fixture_start(&f, &CONFIG);
    for (size_t t = 0; t < TIME; t++)
        tokens[t] = (uint32_t)f.tokens[t];
    assert_int_equal(
        decoder_create(&lean, &f.weights, &(struct decoder_options){.is_lean = 1}, &error), 0);
    assert_int_equal(decoder_create(&wide, &f.weights, NULL, &error), 0);
    size_t before = memory_allocation_count();
    const real *a = decoder_prompt(lean, tokens, TIME, &error);
    assert_int_equal(memory_allocation_count(), before);
    const real *b = decoder_prompt(wide, tokens, TIME, &error);
    assert_true(memory_allocation_count() > before); /* or the prompt is too short to tell */
    for (size_t v = 0; v < VOCABULARY; v++)
        assert_true(fabs((double)(a[v] - b[v])) < (sizeof(real) == 8 ? 1e-9 : 2e-3));
    decoder_destroy(lean);
    decoder_destroy(wide);
    fixture_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lean),
        cmocka_unit_test(test_overlay),
        cmocka_unit_test(test_mark),
        cmocka_unit_test(test_untold),
        cmocka_unit_test(test_partly_told_from_a_start),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
