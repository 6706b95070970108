/* A judge on a model that is open already says what one says that loads it, to the last bit. */
#include "truth/judge.h"

#include <math.h>

#include "model/batcher.h"
#include "serve/tiny_service.h"

static const char *const STATEMENTS[] = {"the fox is slow", "wrong foxes are quick", "uncertain"};
static const char QUESTION[] = "the fox is what?";
enum { STATEMENT_COUNT = sizeof STATEMENTS / sizeof *STATEMENTS, ANSWERS = 6 };

static struct tiny_service tiny;

/* The truth author of the first standard listens, so that what is asked and heard matters. */
static int set_up(void **state) {
    (void)state;
    static const double CALIBRATION[LAYER_CALIBRATION] = {[LAYER_SAID] = 0.3,
                                                          [LAYER_HEARD] = 0.2,
                                                          [LAYER_SHIFT] = 0.1,
                                                          [LAYER_USUAL] = -5,
                                                          [LAYER_CONFIDENCE] = 1};
    struct error error;
    struct model *model;
    struct layer *layer;
    struct random random;
    tiny_service_make(&tiny, 0);
    char *path = tiny_path(&tiny, "s0/truth.gguf");
    TINY_DO(model_load(&model, tiny.options.model, PRECISION_BF16, &error));
    TINY_DO(layer_load(&layer, model, path, &error));
    random_seed(&random, 9, 0);
    for (size_t i = 0; i < layer->count; i++)
        layer->values[i] = (real)(0.1 * random_normal(&random));
    layer_refresh_operands(layer);
    memcpy(layer->calibration, CALIBRATION, sizeof CALIBRATION);
    memcpy(layer->beside, CALIBRATION, sizeof CALIBRATION);
    layer->beside[LAYER_BESIDE] = 0.15;
    layer->beside[LAYER_USUAL_BESIDE] = -5;
    layer->beside_model = layer_model_fingerprint(model);
    TINY_DO(layer_save(layer, path, &error));
    layer_destroy(layer);
    model_destroy(model);
    free(path);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    tiny_service_remove(&tiny);
    return 0;
}

static struct judge_options usual(void) {
    return (struct judge_options){
        .model = tiny.options.model, .standard = tiny.standards[0], .authors = 3, .threads = 2};
}

struct said {
    struct ruling rulings[STATEMENT_COUNT], formula;
    struct answer_to answer;
};

static void ask(struct said *said, const struct judge_options *options) {
    struct error error;
    struct judge *judge;
    TINY_DO(judge_open(&judge, options, &error));
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        TINY_DO(judge_statement(judge, STATEMENTS[i], 0, &said->rulings[i], &error));
    TINY_DO(judge_statement(judge, "\"the fox is slow\" and not \"uncertain\"", 1, &said->formula,
                            &error));
    TINY_DO(judge_answer(judge, QUESTION, ANSWERS, 3, &said->answer, &error));
    judge_close(judge);
}

static void expect_ruling(const struct ruling *a, const struct ruling *b) {
    assert_true(a->probability == b->probability && a->doubt == b->doubt);
    assert_int_equal(a->decided, b->decided);
    assert_int_equal(a->dissenter_count, b->dissenter_count);
    for (size_t i = 0; i < a->dissenter_count; i++)
        assert_true(a->dissenters[i].probability == b->dissenters[i].probability);
}

static void expect_rulings(const struct said *a, const struct said *b) {
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        expect_ruling(&a->rulings[i], &b->rulings[i]);
    expect_ruling(&a->formula, &b->formula);
}

static void expect_answer(const struct said *a, const struct said *b) {
    assert_true(a->answer.count > 1);
    assert_int_equal(a->answer.count, b->answer.count);
    for (size_t i = 0; i < a->answer.count; i++) {
        assert_string_equal(a->answer.candidates[i].text, b->answer.candidates[i].text);
        assert_true(a->answer.candidates[i].probability == b->answer.candidates[i].probability);
    }
}

static void said_free(struct said *said) {
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        ruling_free(&said->rulings[i]);
    ruling_free(&said->formula);
    answer_free(&said->answer);
}

/* Twice on the model, which the first judge must have left as it was. */
static void test_borrowed_model(void **state) {
    (void)state;
    struct error error;
    struct said loads, borrows;
    struct model *model;
    struct judge_options options = usual();
    ask(&loads, &options);
    assert_true(loads.rulings[0].probability != loads.rulings[1].probability);
    TINY_DO(model_load(&model, tiny.options.model, PRECISION_BF16, &error));
    options.loaded = model;
    options.model = NULL;
    for (int i = 0; i < 2; i++) {
        ask(&borrows, &options);
        expect_rulings(&loads, &borrows);
        expect_answer(&loads, &borrows);
        said_free(&borrows);
    }
    said_free(&loads);
    model_destroy(model);
}

/* Who is heard beside may be the same file, or a copy of it: the copy is loaded, and says the same.
 */
static void test_heard_model(void **state) {
    (void)state;
    struct error error;
    struct said unheard, copy, same;
    struct model *model;
    struct judge_options options = usual();
    char *path = tiny_path(&tiny, "copy.gguf");
    TINY_DO(model_load(&model, tiny.options.model, PRECISION_BF16, &error));
    TINY_DO(model_save(model, path, &error));
    options.loaded = model;
    ask(&unheard, &options);
    options.hear = path;
    ask(&copy, &options);
    options.hear = tiny.options.model;
    ask(&same, &options);
    expect_rulings(&copy, &same);
    expect_answer(&copy, &same);
    assert_true(unheard.rulings[0].probability != same.rulings[0].probability);
    said_free(&unheard);
    said_free(&copy);
    said_free(&same);
    model_destroy(model);
    free(path);
}

/* Only beside whom the truth author was fitted. */
static void test_unfitted(void **state) {
    (void)state;
    struct error error;
    struct judge *judge;
    struct model *model;
    struct layer *layer;
    struct judge_options options = usual();
    char *path = tiny_path(&tiny, "unfitted.gguf"), *own = tiny_path(&tiny, "s0/truth.gguf");
    TINY_DO(model_load(&model, tiny.options.model, PRECISION_BF16, &error));
    TINY_DO(layer_load(&layer, model, own, &error));
    layer->beside_model++;
    TINY_DO(layer_save(layer, path, &error));
    options.truth = path;
    options.hear = tiny.options.model;
    assert_int_equal(judge_open(&judge, &options, &error), -1);
    assert_non_null(strstr(error.message, "beside another model than"));
    layer->beside[LAYER_CONFIDENCE] = 0;
    TINY_DO(layer_save(layer, path, &error));
    assert_int_equal(judge_open(&judge, &options, &error), -1);
    assert_non_null(strstr(error.message, "truth train --hear"));
    layer_destroy(layer);
    model_destroy(model);
    free(path);
    free(own);
}

/* A statement that denies another is as likely as the other is not. */
static void test_clauses(void **state) {
    (void)state;
    struct error error;
    struct judge *judge;
    struct ruling is, is_not, both;
    struct judge_options options = usual();
    TINY_DO(judge_open(&judge, &options, &error));
    TINY_DO(judge_statement(judge, "The fox is slow.", 0, &is, &error));
    TINY_DO(judge_statement(judge, "It is not true that the fox is slow.", 0, &is_not, &error));
    TINY_DO(judge_statement(judge,
                            "It is the case both that the fox is slow and that the fox is slow.", 0,
                            &both, &error));
    assert_true(fabs(is.probability + is_not.probability - 1) < 1e-9);
    assert_true(fabs(both.probability - is.probability * is.probability) < 1e-9);
    ruling_free(&is);
    ruling_free(&is_not);
    ruling_free(&both);
    judge_close(judge);
}

/* What is asked does not depend on the batcher; what is written goes through it. */
static void test_batcher(void **state) {
    (void)state;
    struct error error;
    struct said alone, together;
    struct model *model;
    struct batcher_counts counts;
    struct judge_options options = usual();
    TINY_DO(model_load(&model, tiny.options.model, PRECISION_BF16, &error));
    options.loaded = model;
    ask(&alone, &options);
    struct weights weights = model_weights(model);
    TINY_DO(batcher_create(&model->batcher, &weights, 2, &error));
    ask(&together, &options);
    expect_rulings(&alone, &together);
    batcher_count(model->batcher, &counts);
    assert_true(counts.read > 0 && counts.steps > 0 && together.answer.count > 1);
    said_free(&alone);
    said_free(&together);
    batcher_destroy(model->batcher);
    model->batcher = NULL;
    model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_borrowed_model), cmocka_unit_test(test_heard_model),
        cmocka_unit_test(test_unfitted),       cmocka_unit_test(test_clauses),
        cmocka_unit_test(test_batcher),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
