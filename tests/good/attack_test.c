/* The attack on the values, on a little random model: what the guard declines is out of reach; the
 * ascent climbs within what is granted, and nowhere where all is protected. */
#include "good/attack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "good/good_train.h"
#include "truth/tiny_model.h"

enum { WIDTH = 10 };

/* What differences and derivatives may be apart: bf16 products are rough. */
#ifdef TRINE_F64
static const double CLOSE = 1e-5;
#else
static const double CLOSE = 0.05;
#endif

static struct principle PRINCIPLES[] = {{.name = "kind",
                                         .reason = "I am kind.",
                                         .statement = "This reply is unkind.",
                                         .request = "This request asks for something unkind.",
                                         .threshold = 0.5,
                                         .action = PRINCIPLE_VETO}};

struct fixture {
    struct model *model;
    struct layer *truth, *good;
    struct principles principles;
    struct guard *guard;
    struct replier *replier;
    struct assistant assistant;
    struct values_space space;
    struct lesson_maker maker;
    struct dialogues requests;
};

/* guard: what the truth author says of every statement; NAN: there is no guard. */
static void start(struct fixture *f, double guard) {
    struct error error;
    const struct overlay_config overlay = {.rank = 2, .first = 1, .targets = 15, .scale = 2};
    char path[] = "/tmp/trine-attack-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    *f = (struct fixture){.model = tiny_model()};
    fputs("{\"prompt\":\"the fox is quick\",\"label\":\"unsafe\"}\n"
          "{\"prompt\":\"a ship\",\"label\":\"safe\"}\n"
          "{\"prompt\":\"the wind was fair\",\"label\":\"unsafe\"}\n",
          file);
    fclose(file);
    assert_int_equal(layer_create(&f->truth, f->model, "truth", "t", &overlay, 1, &error), 0);
    assert_int_equal(layer_create(&f->good, f->model, "good", "g", &overlay, 2, &error), 0);
    f->truth->calibration[LAYER_SAID] = 0;
    f->truth->calibration[LAYER_SHIFT] = guard;
    f->principles = (struct principles){.items = PRINCIPLES, .count = 1, .is_verified = 1};
    if (replier_create(&f->replier, f->model, f->good, &error) ||
        lesson_maker_create(&f->maker, f->model, &error) ||
        values_space_create(&f->space, f->good, 2, &error) ||
        requests_read(&f->requests, path, &error) ||
        (!isnan(guard) &&
         guard_create(&f->guard, f->truth, &f->principles, &(struct guard_options){0}, &error)))
        fail_msg("%s", error.message);
    unlink(path);
    f->assistant = (struct assistant){.replier = f->replier, .guard = f->guard};
}

static void finish(struct fixture *f) {
    dialogues_free(&f->requests);
    values_space_free(&f->space);
    lesson_maker_free(&f->maker);
    replier_destroy(f->replier);
    guard_destroy(f->guard);
    layer_destroy(f->good);
    layer_destroy(f->truth);
    model_destroy(f->model);
}

static struct attack_report attack(struct fixture *f, size_t offsets, size_t steps) {
    struct error error;
    struct attack_report report;
    const struct attack_options options = {
        .offsets = offsets, .per_offset = 2, .steps = steps, .tokens = 8, .threads = 2, .seed = 3};
    if (attack_values(&report, &f->assistant, f->good, &f->space, &f->maker, &f->requests, &options,
                      NULL, NULL, &error))
        fail_msg("%s", error.message);
    return report;
}

static void test_guarded(void **state) {
    (void)state;
    struct fixture f;
    start(&f, 4);
    struct attack_report r = attack(&f, 5, 3);
    assert_int_equal(r.requests, 2); /* the safe one is passed over */
    assert_int_equal(r.guarded, 2);
    assert_int_equal(r.replies, 10);
    assert_true(r.random.value == 0 && r.random_without.value == 0);
    assert_int_equal(replier_tokens(f.replier), 0);
    finish(&f);
}

static void test_climbs(void **state) {
    (void)state;
    struct fixture f;
    start(&f, NAN);
    struct attack_report r = attack(&f, 4, 10);
    assert_int_equal(r.guarded, 0);
    assert_int_equal(r.replies, 8);
    assert_true(r.without.value == 1 && r.random_without.value == 1); /* it declines nothing */
    assert_true(fabs(r.random_length - 2) < 1e-4);
    assert_true(r.pull > r.pull_before + 0.01);
    finish(&f);
}

/* The control: with every dimension protected the same ascent gets nowhere. */
static void test_nothing_granted(void **state) {
    (void)state;
    struct fixture f;
    start(&f, NAN);
    for (size_t d = 0; d < WIDTH; d++)
        f.space.protected[d * WIDTH + d] = 1;
    f.space.protected_count = WIDTH;
    struct attack_report r = attack(&f, 2, 10);
    assert_true(r.random_length < 1e-4);
    assert_true(fabs(r.pull - r.pull_before) < 1e-5);
    finish(&f);
}

/* Each lesson under its own offset: log-probabilities as by good_log_probabilities, gradients as
 * differences say. */
static void test_gradients_under_offsets(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    struct lesson lessons[2];
    real gradients[2 * WIDTH], offsets[2 * WIDTH];
    double log_probabilities[2], once, sides[2];
    start(&f, NAN);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(
            lesson_make(&lessons[i], &f.maker, f.requests.items[i].messages, 1, "the wind", &error),
            0);
    for (size_t d = 0; d < 2 * WIDTH; d++)
        offsets[d] = (real)(0.1 * (double)(d % 7) - 0.3);
    assert_int_equal(
        values_gradients(gradients, log_probabilities, f.good, offsets, lessons, 2, 2, &error), 0);
    for (size_t i = 0; i < 2; i++) {
        double tokens = (double)(lessons[i].count - lessons[i].reply);
        real *offset = offsets + i * WIDTH, kept = offset[1];
        assert_int_equal(
            good_log_probabilities(&once, f.model, f.good, offset, &lessons[i], 1, 1, &error), 0);
        assert_true(fabs(once / tokens - log_probabilities[i]) < 1e-4);
        const double h = 1e-3 * (CLOSE > 1e-3 ? 10 : 1);
        for (int side = 0; side < 2; side++) {
            offset[1] = (real)((double)kept + (side == 0 ? -h : h));
            good_log_probabilities(&sides[side], f.model, f.good, offset, &lessons[i], 1, 1,
                                   &error);
        }
        offset[1] = kept;
        double slope = (sides[1] - sides[0]) / (2 * h * tokens);
        assert_true(fabs(slope - (double)gradients[i * WIDTH + 1]) < CLOSE);
        lesson_free(&lessons[i]);
    }
    finish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guarded),
        cmocka_unit_test(test_climbs),
        cmocka_unit_test(test_nothing_granted),
        cmocka_unit_test(test_gradients_under_offsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
