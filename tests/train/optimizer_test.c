/* AdamW and Adagrad against their formulas; the sampler; recipes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmocka_all.h"
#include "train/optimizer.h"
#include "train/recipe.h"
#include "train/sampler.h"

static void test_adamw(void **state) {
    (void)state;
    enum { N = 40, STEPS = 5 };
    const struct adamw options = {
        .learning_rate = 0.01, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8, .decay = 0.1};
    real values[N], first[N] = {0}, second[N] = {0}, gradient[N];
    uint8_t decays[N];
    double expected[N], m[N] = {0}, v[N] = {0};
    struct adamw_state moments = {values, values, PRECISION_REAL, first, second, decays};
    for (size_t i = 0; i < N; i++) {
        values[i] = (real)(0.1 * (double)i - 2);
        expected[i] = (double)values[i];
        decays[i] = i % 2;
    }
    for (size_t step = 1; step <= STEPS; step++) {
        for (size_t i = 0; i < N; i++)
            gradient[i] = (real)sin((double)(i * step));
        /* In two ranges, as threads do. */
        adamw_update(&moments, gradient, 0, 13, 0.5, step, &options);
        adamw_update(&moments, gradient, 13, N, 0.5, step, &options);
        for (size_t i = 0; i < N; i++) {
            double g = 0.5 * (double)gradient[i];
            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.95 * v[i] + 0.05 * g * g;
            double hat_m = m[i] / (1 - pow(0.9, (double)step));
            double hat_v = v[i] / (1 - pow(0.95, (double)step));
            expected[i] -=
                0.01 * (hat_m / (sqrt(hat_v) + 1e-8) + (decays[i] ? 0.1 * expected[i] : 0));
            if (!(fabs((double)values[i] - expected[i]) < 2e-5))
                fail_msg("step %zu, value %zu: %g, expected %g", step, i, (double)values[i],
                         expected[i]);
        }
    }
}

/* Row 5 is looked up twice by token 0 and once by token 1; whatever the number of parts, the result
 * is the same, and other rows stay. */
static void test_adagrad(void **state) {
    (void)state;
    struct config config = {.latent_width = 3, .ngram_orders = 2, .ngram_rows = 4};
    const uint32_t rows[4] = {5, 5, 5, NO_NGRAM};
    const real dinformation[6] = {1, 2, 3, 0, -1, 1};
    const struct ngram_step step = {.rows = rows,
                                    .dinformation = dinformation,
                                    .tokens = 2,
                                    .orders = 2,
                                    .scale = 2,
                                    .rate = 0.1,
                                    .damping = 1,
                                    .decay = 0.5};
    for (size_t parts = 1; parts <= 3; parts++) {
        struct ngram_optimizer o;
        struct error error;
        real tables[8 * 3];
        double accumulator = 0, expected[3] = {15, 16, 17};
        for (size_t i = 0; i < 24; i++)
            tables[i] = (real)i;
        assert_int_equal(ngram_optimizer_create(&o, &config, parts, &error), 0);
        for (int round = 0; round < 3; round++) {
            for (size_t part = 0; part < parts; part++)
                assert_int_equal(ngram_optimizer_update(&o, part, tables, &step, &error), 0);
            const double g[3] = {4, 6, 14};
            accumulator += (16 + 36 + 196) / 3.0;
            for (size_t d = 0; d < 3; d++) {
                expected[d] -= 0.1 * (g[d] + 0.5 * expected[d]) / sqrt(1 + accumulator);
                assert_true(fabs((double)tables[15 + d] - expected[d]) < 1e-5);
            }
        }
        for (size_t i = 0; i < 24; i++)
            assert_true(i / 3 == 5 || tables[i] == (real)i);
        ngram_optimizer_free(&o);
    }
}

/* Every epoch covers all tokens of all documents once, in another order; a sampler that starts at
 * a later step gives the same pieces. */
static void test_sampler(void **state) {
    (void)state;
    enum { DOCUMENTS = 5, TIME = 16, BATCH = 4 };
    static uint32_t tokens[200];
    struct sampler_document documents[DOCUMENTS];
    struct sampler sampler, late;
    struct error error;
    const struct piece *pieces, *again;
    size_t total = 0;
    for (size_t i = 0; i < DOCUMENTS; i++) {
        documents[i] = (struct sampler_document){tokens, 40 + 30 * i};
        total += documents[i].count - 1;
    }
    assert_int_equal(sampler_create(&sampler, documents, DOCUMENTS, TIME, BATCH, 9, &error), 0);
    assert_int_equal(sampler_create(&late, documents, DOCUMENTS, TIME, BATCH, 9, &error), 0);
    size_t seen[DOCUMENTS] = {0}, sum = 0, steps = 0;
    for (; steps < 7; steps++) { /* less than an epoch */
        assert_int_equal(sampler_pieces(&sampler, steps, &pieces, &error), 0);
        for (size_t b = 0; b < BATCH; b++) {
            assert_true(pieces[b].document < DOCUMENTS && pieces[b].count <= TIME);
            assert_true(pieces[b].start + pieces[b].count < documents[pieces[b].document].count);
            seen[pieces[b].document] += pieces[b].count;
            sum += pieces[b].count;
        }
    }
    assert_true(sum <= total);
    for (size_t i = 0; i < DOCUMENTS; i++) /* no token twice */
        assert_true(seen[i] < documents[i].count);
    for (size_t step = 7; step < 60; step++)
        assert_int_equal(sampler_pieces(&sampler, step, &pieces, &error), 0);
    assert_int_equal(sampler_pieces(&late, 59, &again, &error), 0);
    assert_memory_equal(pieces, again, BATCH * sizeof *pieces);
    sampler_free(&sampler);
    sampler_free(&late);
}

static void test_recipes(void **state) {
    (void)state;
    struct recipe recipe;
    struct error error;
    char path[] = "/tmp/trine-recipe-XXXXXX";
    static const struct {
        const char *text, *complaint;
    } WRONG[] = {
        {"[1]", "object"},
        {"{\"stepz\": 5}", "stepz"},
        {"{\"steps\": \"many\"}", "steps"},
        {"{\"steps\": -5}", "steps"},
        {"{\"steps\": 1.5}", "steps"},
        {"{\"learning_rate\": true}", "learning_rate"},
        {"{\"slot_width\": {\"author\": \"x\"}}", "author"},
        {"{\"steps\": 5", ":1:"},
    };
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    for (size_t i = 0; i <= sizeof WRONG / sizeof *WRONG; i++) {
        int is_good = i == sizeof WRONG / sizeof *WRONG;
        FILE *stream = fopen(path, "w");
        fputs(is_good ? "{\"steps\": 77, \"learning_rate\": 0.5, \"slot_width\": {\"author\": 9}}"
                      : WRONG[i].text,
              stream);
        fclose(stream);
        recipe_default(&recipe);
        int result = recipe_load(&recipe, path, &error);
        assert_int_equal(result, is_good ? 0 : -1);
        if (!is_good && strstr(error.message, WRONG[i].complaint) == NULL)
            fail_msg("'%s' does not say '%s'", error.message, WRONG[i].complaint);
    }
    assert_int_equal(recipe.options.steps, 77);
    assert_true(recipe.options.learning_rate == 0.5);
    assert_int_equal(recipe.width_count, 1);
    assert_int_equal(recipe.widths[0].width, 9);
    assert_int_equal(recipe_set(&recipe, "no-latents", "1", &error), 0);
    assert_true(recipe.is_plain);
    assert_int_equal(recipe_set(&recipe, "warmup-steps", "7", &error), 0);
    assert_int_equal(recipe_set(&recipe, "nonsense", "7", &error), -1);
    assert_int_equal(recipe_set_width(&recipe, "author", &error), -1);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adamw),
        cmocka_unit_test(test_adagrad),
        cmocka_unit_test(test_sampler),
        cmocka_unit_test(test_recipes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
