/* Gradients by finite differences; learning; going on where one stopped; the dream untouched. */
#include "good/good_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"
#include "cmocka_all.h"
#include "good/lesson_pass.h"
#include "truth/asking.h"
#include "truth/tiny_model.h"

enum { LESSONS = 12, LENGTH = 14, REPLY = 8 };

struct fixture {
    struct model *model;
    struct layer *layer;
    struct lesson
        lessons[LESSONS]; /* pairs: the better reply says 30, 31, ..., the worse 60, ... */
    int32_t tokens[LESSONS][LENGTH];
    struct good_data data;
};

static void new_layer(struct fixture *f) {
    struct error error;
    const struct overlay_config overlay = {.rank = 3, .first = 1, .targets = 15, .scale = 2};
    assert_int_equal(layer_create(&f->layer, f->model, "good", "g", &overlay, 1, &error), 0);
}

static void start(struct fixture *f) {
    struct random random;
    random_seed(&random, 11, 0);
    f->model = tiny_model();
    new_layer(f);
    for (size_t i = 0; i < LESSONS; i++) {
        f->lessons[i] =
            (struct lesson){.tokens = f->tokens[i], .count = LENGTH - i / 2 % 3, .reply = REPLY};
        for (size_t t = 0; t < LENGTH; t++)
            f->tokens[i][t] =
                t < REPLY ? (i % 2 == 0 ? (int32_t)random_below(&random, 250) : f->tokens[i - 1][t])
                          : (int32_t)((i % 2 == 0 ? 22 : 52) + t);
    }
    f->data = (struct good_data){f->lessons, LESSONS, f->lessons, LESSONS / 2};
}

static void finish(struct fixture *f) {
    layer_destroy(f->layer);
    model_destroy(f->model);
}

#ifdef TRINE_F64
/* The loss of two lessons, weighed 0.7 and -0.4, told the vector plus an offset. */
static double weighed_loss(struct fixture *f, struct lesson_pass *pass, const real *offset) {
    for (size_t i = 0; i < 2; i++) {
        lesson_pass_set(pass, i, &f->lessons[i], layer_vector(f->layer), offset);
        lesson_pass_scale(pass, i, i == 0 ? 0.7 : -0.4);
    }
    lesson_pass_run(pass);
    return -0.7 * lesson_pass_log_probability(pass, 0) + 0.4 * lesson_pass_log_probability(pass, 1);
}

#endif

static void test_gradient(void **state) {
    (void)state;
#ifndef TRINE_F64
    skip(); /* finite differences want double precision */
#else
    struct error error;
    struct fixture f;
    struct random random;
    real offset[10];
    start(&f);
    size_t overlay = f.layer->overlay.layout.count;
    real *gradient = memory_allocate(f.layer->count, sizeof *gradient, &error);
    random_seed(&random, 2, 0);
    for (size_t i = 0; i < f.layer->count; i++) /* B starts at zero, where A has no gradient */
        f.layer->values[i] += 0.1 * random_normal(&random);
    for (size_t i = 0; i < 10; i++)
        offset[i] = 0.2 * random_normal(&random);
    struct lesson_pass pass = {.weights = layer_weights(f.layer), .is_training = 1};
    assert_int_equal(lesson_pass_fit(&pass, 2, LENGTH, &error), 0);
    weighed_loss(&f, &pass, offset);
    lesson_pass_backward(&pass, gradient);
    for (size_t i = 0; i < 2 * 10; i++)
        gradient[overlay + i % 10] += pass.dtold[i];
    for (size_t n = 0; n < 60; n++) {
        size_t i = n < 10 ? overlay + n : random_below(&random, overlay);
        double kept = f.layer->values[i], step = 1e-5;
        f.layer->values[i] = kept + step;
        double up = weighed_loss(&f, &pass, offset);
        f.layer->values[i] = kept - step;
        double down = weighed_loss(&f, &pass, offset);
        f.layer->values[i] = kept;
        assert_true(fabs((up - down) / (2 * step) - gradient[i]) < 1e-6 * (1 + fabs(gradient[i])));
    }
    lesson_pass_free(&pass);
    memory_free(gradient);
    finish(&f);
#endif
}

static struct good_train_options options_of(size_t examples, size_t pairs) {
    struct good_train_options o = good_train_options_default();
    o.example_steps = examples;
    o.pair_steps = pairs;
    o.batch = 4;
    o.example_rate = o.pair_rate = 0.02;
    o.preference.beta = 0.5;
    o.radius = 0.5;
    return o;
}

static double margin_at(struct fixture *f, const real *offset) {
    struct error error;
    double p[LESSONS], sum = 0;
    assert_int_equal(
        good_log_probabilities(p, f->model, f->layer, offset, f->lessons, LESSONS, 2, &error), 0);
    for (size_t i = 0; i < LESSONS; i += 2)
        sum += p[i] - p[i + 1];
    return sum / (LESSONS / 2);
}

static double mean_margin(struct fixture *f) {
    return margin_at(f, NULL);
}

/* What a truth author over the same model says of a statement. */
struct truth_said {
    struct layer *layer;
    struct asking asking;
    struct belief_of_model belief;
};

static void ask_truth(struct truth_said *t) {
    struct error error;
    const char *statement = "the fox is quick";
    memset(&t->belief, 0, sizeof t->belief);
    assert_int_equal(asking_ask(&t->asking, &(struct asked){.layer = t->layer}, &statement, 1, 1,
                                &t->belief, &error),
                     0);
}

static void start_truth(struct truth_said *t, const struct model *model) {
    struct error error;
    struct random random;
    const struct overlay_config overlay = {.rank = 2, .first = 1, .targets = 15, .scale = 2};
    assert_int_equal(layer_create(&t->layer, model, "truth", "t", &overlay, 1, &error), 0);
    assert_int_equal(asking_create(&t->asking, model, &error), 0);
    random_seed(&random, 8, 0);
    for (size_t i = 0; i < t->layer->count; i++)
        t->layer->values[i] += (real)(0.1 * random_normal(&random));
    layer_refresh_operands(t->layer);
    ask_truth(t);
}

/* Both replies are examples, so examples prefer neither; pairs do. */
static void test_learns(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    double before[LESSONS], after[LESSONS], base[LESSONS], gained = 0;
    struct truth_said truth;
    int is_finished;
    start(&f);
    start_truth(&truth, f.model);
    size_t bytes = f.model->layout.count * sizeof(real);
    uint64_t dream = random_hash(f.model->values, bytes);
    assert_int_equal(
        good_log_probabilities(base, f.model, NULL, NULL, f.lessons, LESSONS, 2, &error), 0);
    assert_int_equal(
        good_log_probabilities(before, f.model, f.layer, NULL, f.lessons, LESSONS, 2, &error), 0);
    struct good_train_options o = options_of(150, 0);
    if (good_train(f.layer, &f.data, &o, NULL, NULL, NULL, &is_finished, &error))
        fail_msg("%s", error.message);
    assert_int_equal(
        good_log_probabilities(after, f.model, f.layer, NULL, f.lessons, LESSONS, 2, &error), 0);
    for (size_t i = 0; i < LESSONS; i++)
        gained += (after[i] - before[i]) / LESSONS;
    assert_true(gained > 2);
    double margin = mean_margin(&f);
    o = options_of(0, 60);
    assert_int_equal(good_train(f.layer, &f.data, &o, NULL, NULL, NULL, &is_finished, &error), 0);
    assert_true(is_finished);
    assert_true(mean_margin(&f) > margin + 2);
    /* The dream and the truth are as they were, to the last bit. */
    struct belief_of_model held = truth.belief;
    ask_truth(&truth);
    assert_memory_equal(&truth.belief, &held, sizeof held);
    asking_free(&truth.asking);
    layer_destroy(truth.layer);
    assert_true(dream == random_hash(f.model->values, bytes));
    assert_int_equal(
        good_log_probabilities(after, f.model, NULL, NULL, f.lessons, LESSONS, 2, &error), 0);
    assert_memory_equal(after, base, sizeof base);
    finish(&f);
}

/* How much better the reply of one end is at its own end of the axis than at the other. */
static double turned_margin(struct fixture *f, const real *axis, double radius) {
    real offset[10];
    double ends[2];
    for (int side = 0; side < 2; side++) {
        for (size_t d = 0; d < 10; d++)
            offset[d] = (real)((side == 0 ? -radius : radius) * (double)axis[d]);
        ends[side] = margin_at(f, offset);
    }
    return ends[1] - ends[0];
}

/* Examples with values come to differ along their axis; without them the same examples do not. */
static void test_values(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    real axis[10], values[2][10], square = 0;
    int is_finished;
    values_axis(axis, 10, "warm-cool");
    for (size_t d = 0; d < 10; d++) {
        values[0][d] = axis[d];
        values[1][d] = -axis[d];
        square += axis[d] * axis[d];
    }
    assert_true(fabs((double)square - 1) < 1e-4);
    struct good_train_options o = options_of(150, 0);
    o.radius = 1;
    double turned[2];
    for (int has_values = 0; has_values < 2; has_values++) {
        start(&f);
        for (size_t i = 0; has_values && i < LESSONS; i++)
            f.lessons[i].values = values[i % 2];
        if (good_train(f.layer, &f.data, &o, NULL, NULL, NULL, &is_finished, &error))
            fail_msg("%s", error.message);
        turned[has_values] = turned_margin(&f, axis, o.radius);
        finish(&f);
    }
    assert_true(turned[1] > 1);
    assert_true(fabs(turned[0]) < turned[1] / 4);
    start(&f);
    f.lessons[3].values = values[0];
    o.radius = 0;
    assert_int_equal(good_train(f.layer, &f.data, &o, NULL, NULL, NULL, &is_finished, &error), -1);
    assert_non_null(strstr(error.message, "radius"));
    finish(&f);
}

static int stop_at(void *context, const struct good_train_report *report) {
    return report->step == *(const size_t *)context;
}

/* Interrupted within the examples and within the pairs, a run has the same bits. */
static void test_goes_on(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    char path[] = "/tmp/trine-good-XXXXXX";
    int is_finished;
    start(&f);
    assert_true(close(mkstemp(path)) == 0 && unlink(path) == 0);
    struct good_train_options o = options_of(7, 9);
    assert_int_equal(good_train(f.layer, &f.data, &o, NULL, NULL, NULL, &is_finished, &error), 0);
    uint64_t whole = random_hash(f.layer->values, f.layer->count * sizeof(real));
    for (size_t stop = 3; stop <= 17; stop += 7) {
        layer_destroy(f.layer);
        new_layer(&f);
        if (good_train(f.layer, &f.data, &o, path, stop_at, &stop, &is_finished, &error))
            fail_msg("%s", error.message);
        assert_int_equal(is_finished, stop == 17);
    }
    assert_true(whole == random_hash(f.layer->values, f.layer->count * sizeof(real)));
    /* Other options do not go on from there; nor does a damaged state. */
    layer_destroy(f.layer);
    new_layer(&f);
    o.preference.beta = 0.4;
    assert_int_equal(good_train(f.layer, &f.data, &o, path, NULL, NULL, &is_finished, &error), -1);
    assert_non_null(strstr(error.message, "other data, options or model"));
    o.preference.beta = 0.5;
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 300, SEEK_SET), 0);
    fputs("damage", file);
    fclose(file);
    assert_int_equal(good_train(f.layer, &f.data, &o, path, NULL, NULL, &is_finished, &error), -1);
    assert_non_null(strstr(error.message, "damaged"));
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(good_train(f.layer, &f.data, &o, path, NULL, NULL, &is_finished, &error), -1);
    unlink(path);
    finish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
