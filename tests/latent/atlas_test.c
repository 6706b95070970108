/* The atlas of a planted table: authors along one line, in the order of their years. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cmocka_all.h"
#include "latent/atlas.h"
#include "text/tokenizer_train.h"

enum { AUTHORS = 9, WIDTH = 6, MIDDLE = AUTHORS / 2 };

static const double DIRECTION[WIDTH] = {0.6, 0, -0.64, 0, 0.48, 0}; /* of length one */
static const double STEP = 0.25;

static real *table(const struct model *model) {
    const struct slot *slot = &model->slots.slots[0];
    return model->values + model->layout.slots + slot->parameters + slot->width;
}

/* Author i stands at i * STEP along the line and wrote in 1800 + 20 i; across it, alternately to
 * one side and the other, by `across`. */
static struct model *make_model(double across, double *years) {
    static const char *const NAMES[AUTHORS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    static const double COUNTS[AUTHORS] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct error error;
    struct slots slots = {0};
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer;
    struct model *model;
    assert_int_equal(tokenizer_trainer_create(&trainer, &error), 0);
    assert_int_equal(tokenizer_trainer_add(trainer, "the cat and the dog", 19, &error), 0);
    assert_int_equal(tokenizer_trainer_finish(trainer, 260, &tokenizer, &error), 0);
    tokenizer_trainer_destroy(trainer);
    assert_int_equal(slots_add_categorical(&slots, "author", WIDTH, NAMES, COUNTS, AUTHORS, &error),
                     0);
    assert_int_equal(slots_add_date(&slots, "date", 4, 1800, 1960, &error), 0);
    struct config config = {.vocabulary = tokenizer_vocabulary_size(tokenizer),
                            .width = 16,
                            .blocks = 2,
                            .split = 1,
                            .heads = 2,
                            .key_value_heads = 1,
                            .head_width = 8,
                            .inner = 24,
                            .context = 16,
                            .ngram_orders = 2,
                            .ngram_rows = 64,
                            .rope_base = 10000,
                            .epsilon = 1e-5};
    assert_int_equal(model_create(&model, config, &slots, tokenizer, PRECISION_REAL, 7, &error), 0);
    for (size_t i = 0; i < AUTHORS; i++) {
        years[i] = 1800 + 20 * (double)i;
        for (size_t d = 0; d < WIDTH; d++)
            table(model)[i * WIDTH + d] = (real)(0.1 + STEP * (double)i * DIRECTION[d] +
                                                 (d == 1 ? (i % 2 == 0 ? across : -across) : 0));
    }
    return model;
}

static void use_all(int *is_used) {
    for (size_t i = 0; i < AUTHORS; i++)
        is_used[i] = 1;
}

static void test_line(void **state) {
    (void)state;
    struct error error;
    struct atlas atlas;
    int is_used[AUTHORS];
    double years[AUTHORS], constant[AUTHORS];
    struct model *model = make_model(0, years);
    for (size_t i = 0; i < AUTHORS; i++)
        constant[i] = 3;
    struct atlas_fact facts[] = {{"mean date", years}, {"constant", constant}};
    use_all(is_used);
    assert_int_equal(
        atlas_create(&atlas, model, &model->slots.slots[0], is_used, facts, 2, 3, &error), 0);
    const struct atlas_component *first = &atlas.components[0];
    assert_int_equal(atlas.label_count, AUTHORS);
    assert_int_equal(atlas.component_count, 3);
    assert_true(first->share > 0.9999);
    assert_true(fabs(first->correlations[0]) > 0.9999);
    assert_true(isnan(first->correlations[1])); /* what never changes goes along with nothing */
    /* The sign of a component is a convention; the ends and the distances are not. */
    double sign = first->correlations[0] > 0 ? 1 : -1;
    for (size_t i = 0; i < AUTHORS; i++)
        assert_true(fabs(sign * first->coordinates[i] - STEP * ((double)i - MIDDLE)) < 1e-5);
    /* Variance of 0..n-1 with divisor n - 1 is n (n + 1) / 12. */
    assert_true(fabs(first->deviation - STEP * sqrt(AUTHORS * (AUTHORS + 1) / 12.0)) < 1e-5);
    atlas_free(&atlas);
    model_destroy(model);
}

/* Labels without documents have no say and no coordinate, even when they stand far off. */
static void test_left_out(void **state) {
    (void)state;
    struct error error;
    struct atlas atlas;
    int is_used[AUTHORS];
    double years[AUTHORS];
    struct model *model = make_model(0, years);
    struct atlas_fact fact = {"mean date", years};
    use_all(is_used);
    is_used[2] = 0;
    for (size_t d = 0; d < WIDTH; d++)
        table(model)[2 * WIDTH + d] = (real)(d == 3 ? 1000 : 0);
    years[2] = -1e6;
    years[5] = NAN; /* unknown: left out of the correlation only */
    assert_int_equal(
        atlas_create(&atlas, model, &model->slots.slots[0], is_used, &fact, 1, 1, &error), 0);
    assert_int_equal(atlas.label_count, AUTHORS - 1);
    assert_true(isnan(atlas.components[0].coordinates[2]));
    assert_true(isfinite(atlas.components[0].coordinates[5]));
    assert_true(atlas.components[0].share > 0.9999);
    assert_true(fabs(atlas.components[0].correlations[0]) > 0.9999);
    atlas_free(&atlas);
    model_destroy(model);
}

/* n labels span n - 1 directions; any further component would be rounding, with correlations of
 * rounding. */
static void test_components_are_real(void **state) {
    (void)state;
    struct error error;
    struct atlas atlas;
    int is_used[AUTHORS] = {[1] = 1, [4] = 1, [8] = 1};
    double years[AUTHORS];
    struct model *model = make_model(0.1, years);
    struct atlas_fact fact = {"mean date", years};
    const struct slot *author = &model->slots.slots[0];
    assert_int_equal(atlas_create(&atlas, model, author, is_used, &fact, 1, 5, &error), 0);
    assert_int_equal(atlas.component_count, 2);
    assert_true(fabs(atlas.components[0].share + atlas.components[1].share - 1) < 1e-5);
    atlas_free(&atlas);
    use_all(is_used);
    assert_int_equal(atlas_create(&atlas, model, author, is_used, &fact, 1, 100, &error), 0);
    assert_int_equal(atlas.component_count, WIDTH);
    atlas_free(&atlas);
    model_destroy(model);
}

/* The writer's W_l starts as zero. Here it writes how far along the line the author is told to
 * stand into dimension 0 of the stream, which is left to one token's embedding alone. */
static void plant_effect(struct model *model, uint32_t token) {
    size_t width = model->config.width;
    real *injection = model->values + model->layout.blocks[model->config.blocks - 1].injection;
    real *embedding = model->values + model->layout.embedding;
    for (size_t v = 0; v < model->config.vocabulary; v++)
        embedding[v * width] = (real)(v == token ? 0.2 : 0);
    for (size_t j = 0; j < WIDTH; j++)
        injection[model->slots.slots[0].first + j] = (real)(0.1 * DIRECTION[j]);
    model_refresh_operands(model);
}

static void check_ranked(const struct atlas_effect *effects, int is_up, size_t vocabulary) {
    for (size_t i = 0; i < ATLAS_TOKENS && effects[i].weight > 0; i++) {
        assert_true(effects[i].token < vocabulary);
        assert_true(isfinite(effects[i].weight));
        assert_true(is_up ? effects[i].ratio > 1 : effects[i].ratio <= 1);
        assert_true(i == 0 || effects[i].weight <= effects[i - 1].weight);
    }
}

static void test_effects(void **state) {
    (void)state;
    struct error error;
    struct atlas atlas;
    int is_used[AUTHORS];
    double years[AUTHORS];
    struct model *model = make_model(0, years);
    plant_effect(model, 42);
    size_t vocabulary = model->config.vocabulary;
    uint32_t tokens[40]; /* longer than the model's context */
    use_all(is_used);
    for (size_t i = 0; i < 40; i++)
        tokens[i] = (uint32_t)(i % vocabulary);
    struct atlas_context contexts[] = {{tokens, 40}, {tokens + 5, 7}};
    assert_int_equal(
        atlas_create(&atlas, model, &model->slots.slots[0], is_used, NULL, 0, 1, &error), 0);
    assert_int_equal(atlas_measure_effects(&atlas, contexts, 0, &error), 0);
    assert_false(atlas.has_effects); /* no texts, no words */
    assert_int_equal(atlas_measure_effects(&atlas, contexts, 2, &error), 0);
    assert_true(atlas.has_effects);
    check_ranked(atlas.components[0].up, 1, vocabulary);
    check_ranked(atlas.components[0].down, 0, vocabulary);
    int is_upwards = atlas.components[0].coordinates[8] > atlas.components[0].coordinates[0];
    const struct atlas_effect *towards =
        is_upwards ? atlas.components[0].up : atlas.components[0].down;
    assert_int_equal(towards[0].token, 42);
    assert_true(fabs(log(towards[0].ratio)) > 0.1);
    atlas_free(&atlas);

    /* A component along which nobody differs moves no word. */
    for (size_t i = 0; i < AUTHORS * WIDTH; i++)
        table(model)[i] = 1;
    assert_int_equal(
        atlas_create(&atlas, model, &model->slots.slots[0], is_used, NULL, 0, 1, &error), 0);
    assert_int_equal(atlas_measure_effects(&atlas, contexts, 2, &error), 0);
    assert_true(atlas.components[0].share == 0 && atlas.components[0].deviation == 0);
    assert_true(atlas.components[0].up[0].weight == 0 && atlas.components[0].down[0].weight == 0);
    atlas_free(&atlas);
    model_destroy(model);
}

static void test_refuses(void **state) {
    (void)state;
    struct error error;
    struct atlas atlas;
    int is_used[AUTHORS] = {[3] = 1};
    double years[AUTHORS];
    struct model *model = make_model(0, years);
    const struct slot *author = &model->slots.slots[0];
    size_t in_use = memory_bytes_in_use();
    assert_int_equal(atlas_create(&atlas, model, author, is_used, NULL, 0, 1, &error), -1);
    assert_non_null(strstr(error.message, "needs two"));
    assert_int_equal(
        atlas_create(&atlas, model, &model->slots.slots[1], is_used, NULL, 0, 1, &error), -1);
    assert_non_null(strstr(error.message, "is a date"));
    use_all(is_used);
    table(model)[0] = NAN;
    assert_int_equal(atlas_create(&atlas, model, author, is_used, NULL, 0, 1, &error), -1);
    table(model)[0] = 0;
    for (size_t n = 1; n <= 4; n++) {
        memory_fail_after(n);
        assert_int_equal(atlas_create(&atlas, model, author, is_used, NULL, 0, 1, &error), -1);
        memory_fail_after(0);
    }
    assert_int_equal(memory_bytes_in_use(), in_use);
    assert_int_equal(atlas_create(&atlas, model, author, is_used, NULL, 0, 1, &error), 0);
    uint32_t wrong[] = {0, (uint32_t)model->config.vocabulary};
    struct atlas_context context = {wrong, 2};
    assert_int_equal(atlas_measure_effects(&atlas, &context, 1, &error), -1);
    assert_non_null(strstr(error.message, "vocabulary"));
    atlas_free(&atlas);
    model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_components_are_real),
        cmocka_unit_test(test_effects),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
