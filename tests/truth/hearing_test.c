/* Who is taught to be heard finds the last words of what is true likelier than before, beside those
 * of what is false; of what denies the other way round. */
#include "truth/hearing.h"

#include <math.h>

#include "truth/layer_train.h"
#include "truth/tiny_model.h"

static void test_derivatives(void **state) {
    (void)state;
    static const double STEP = 1e-5;
    for (int sign = -1; sign <= 1; sign += 2)
        for (double target = 0; target <= 1; target += 0.25)
            for (double x = -30; x <= 10; x += 5) {
                const struct hearing_lesson lesson = {-7, target, sign};
                double derivative, ignored;
                double loss = hearing_loss(&lesson, x, &derivative);
                double slope = (hearing_loss(&lesson, x + STEP, &ignored) -
                                hearing_loss(&lesson, x - STEP, &ignored)) /
                               (2 * STEP);
                assert_true(loss > 0);
                assert_true(fabs(slope - derivative) < 1e-8);
            }
}

static void test_limits(void **state) {
    (void)state;
    const struct hearing_lesson right = {-7, 1, 1}, wrong = {-7, 0, 1}, none = {-7, -1, 1};
    double derivative;
    assert_true(hearing_loss(&right, 1e6, &derivative) < 1e-9);
    assert_true(derivative == 0);
    double loss = hearing_loss(&wrong, 1e6, &derivative); /* wrong, and certain of it */
    assert_true(isfinite(loss) && loss > 1e4 && derivative > 0);
    assert_true(hearing_loss(&none, 3, &derivative) == 0 && derivative == 0);
    /* What is usual is worth even odds. */
    assert_true(fabs(hearing_loss(&right, -7, &derivative) - log(2)) < 1e-12);
}

enum { COUNT = 5 };
static const char FOX[] = "the fox is quick";
static const char *const STATEMENTS[COUNT] = {FOX, FOX, "quick is the fox", "fox is the quick",
                                              FOX};

static void test_offsets(void **state) {
    (void)state;
    struct error error;
    struct model *model = tiny_model();
    struct asking asking;
    double offsets[COUNT], heard[COUNT], elsewhere[COUNT];
    const struct asked asked = {0};
    assert_int_equal(asking_create(&asking, model, &error), 0);
    assert_int_equal(hearing_offsets(offsets, &asking, STATEMENTS, COUNT, 2, &error), 0);
    assert_int_equal(asking_hear(&asking, &asked, STATEMENTS, COUNT, 2, heard, &error), 0);
    assert_int_equal(
        asking_hear_elsewhere(&asking, &asked, STATEMENTS, COUNT, 2, elsewhere, &error), 0);
    double usual = (heard[1] + heard[2] + heard[3] + heard[4]) / 4; /* the first stands twice */
    for (size_t i = 0; i < COUNT; i++)
        assert_true(fabs(offsets[i] - elsewhere[i] - usual) < 1e-5);
    assert_true(offsets[0] == offsets[1] && offsets[0] != offsets[2]);
    asking_free(&asking);
    model_destroy(model);
}

/* heard[2] of two statements, after training on them. */
static void train(struct model *model, struct asking *asking, int sign, int is_asked_alone,
                  double *heard) {
    static const char *const TEXTS[2] = {"the fox is quick", "the quick is fox"};
    const struct example examples[] = {{TEXTS[0], 1, 0, 1, sign}, {TEXTS[1], 0, 0, 1, sign}};
    const struct overlay_config overlay = {.rank = 4, .first = 1, .targets = 15, .scale = 2};
    struct layer_train_options options = layer_train_options_default();
    struct layer *layer;
    struct error error;
    options.steps = 100;
    options.batch = 4;
    options.learning_rate = 0.02;
    if (is_asked_alone)
        options.asked_every = 1;
    assert_int_equal(layer_create(&layer, model, "truth", "t", &overlay, 1, &error), 0);
    if (layer_train(layer, asking, examples, 2, &options, NULL, NULL, &error) ||
        asking_hear(asking, &(struct asked){.layer = layer}, TEXTS, 2, 2, heard, &error))
        fail_msg("%s", error.message);
    layer_destroy(layer);
}

static void test_training(void **state) {
    (void)state;
    struct error error;
    struct model *model = tiny_model();
    struct asking asking;
    double affirming[2], denying[2], asked[2];
    assert_int_equal(asking_create(&asking, model, &error), 0);
    train(model, &asking, 1, 0, affirming);
    train(model, &asking, -1, 0, denying);
    train(model, &asking, 1, 1, asked);
    double margin = affirming[0] - affirming[1], turned = denying[0] - denying[1];
    double not_taught = asked[0] - asked[1];
    assert_true(margin > not_taught + 2);
    assert_true(turned < not_taught - 2);
    asking_free(&asking);
    model_destroy(model);
}

static int count_heard(void *context, const struct layer_train_report *report) {
    *(size_t *)context += (size_t)report->is_heard;
    return 0;
}

static void test_share_of_steps(void **state) {
    (void)state;
    static const struct {
        size_t asked_every, heard; /* of 8 steps */
        int sign;
    } CASES[] = {{4, 6, 1}, {2, 4, 1}, {1, 0, 1}, {0, 8, 1}, {4, 0, 0}};
    const struct overlay_config overlay = {.rank = 2, .first = 1, .targets = 15, .scale = 2};
    struct error error;
    struct model *model = tiny_model();
    struct asking asking;
    assert_int_equal(asking_create(&asking, model, &error), 0);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const struct example examples[] = {{FOX, 1, 0, 1, CASES[i].sign}};
        struct layer_train_options options = layer_train_options_default();
        struct layer *layer;
        size_t heard = 0;
        options.steps = 8;
        options.batch = 2;
        options.asked_every = CASES[i].asked_every;
        assert_int_equal(layer_create(&layer, model, "truth", "t", &overlay, 1, &error), 0);
        assert_int_equal(
            layer_train(layer, &asking, examples, 1, &options, count_heard, &heard, &error), 0);
        assert_int_equal(heard, CASES[i].heard);
        layer_destroy(layer);
    }
    asking_free(&asking);
    model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derivatives),    cmocka_unit_test(test_limits),
        cmocka_unit_test(test_offsets),        cmocka_unit_test(test_training),
        cmocka_unit_test(test_share_of_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
