/* What is told and in which words; texts laid out for both readers; a layer's author that learns to
 * follow words on a little random model; the report's numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmocka_all.h"
#include "text/tokenizer_train.h"
#include "truth/exercise.h"
#include "truth/introspection_report.h"
#include "truth/layer_train.h"

enum { DOCUMENTS = 6, LENGTH = 90 };

struct fixture {
    struct model *model;
    struct telling_slots slots;
    struct layer *layer;
    struct dataset dataset;
    struct dataset_document documents[DOCUMENTS];
    struct sampler_document texts[DOCUMENTS];
    uint32_t tokens[DOCUMENTS][LENGTH];
};

/* A model whose handles matter: everything random and large, the injections too. */
static struct model *make_model(void) {
    static const char *const NAMES[] = {"Ann", "Bob Lee", "Cyd"};
    static const double COUNTS[] = {3, 2, 1};
    struct error error;
    struct slots slots = {0};
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer;
    static const char TEXT[] = "the cat and the dog true false uncertain true false uncertain";
    struct model *model;
    struct random random;
    assert_int_equal(tokenizer_trainer_create(&trainer, &error), 0);
    assert_int_equal(tokenizer_trainer_add(trainer, TEXT, sizeof TEXT - 1, &error), 0);
    assert_int_equal(tokenizer_trainer_finish(trainer, 300, &tokenizer, &error), 0);
    tokenizer_trainer_destroy(trainer);
    assert_int_equal(slots_add_categorical(&slots, "author", 6, NAMES, COUNTS, 3, &error), 0);
    assert_int_equal(slots_add_date(&slots, "date", 4, 1800, 1900, &error), 0);
    struct config config = {.vocabulary = tokenizer_vocabulary_size(tokenizer),
                            .width = 16,
                            .blocks = 3,
                            .split = 1,
                            .heads = 2,
                            .key_value_heads = 1,
                            .head_width = 8,
                            .inner = 24,
                            .context = 80,
                            .ngram_orders = 1,
                            .ngram_rows = 64,
                            .rope_base = 10000,
                            .epsilon = 1e-5};
    assert_int_equal(model_create(&model, config, &slots, tokenizer, PRECISION_REAL, 7, &error), 0);
    random_seed(&random, 5, 0);
    for (size_t i = 0; i < model->layout.slots; i++)
        model->values[i] += (real)(0.3 * random_normal(&random));
    const struct slot *author = &model->slots.slots[0];
    for (size_t i = 0; i < 3 * author->width; i++)
        model->values[model->layout.slots + author->parameters + author->width + i] *= 10;
    model_refresh_operands(model);
    return model;
}

static void fixture_start(struct fixture *f) {
    struct error error;
    struct random random;
    memset(f, 0, sizeof *f);
    f->model = make_model();
    assert_int_equal(telling_slots_find(&f->slots, f->model, &error), 0);
    random_seed(&random, 3, 0);
    for (size_t d = 0; d < DOCUMENTS; d++) {
        f->tokens[d][0] = tokenizer_end_of_text(f->model->tokenizer);
        for (size_t i = 1; i < LENGTH; i++)
            f->tokens[d][i] = (uint32_t)random_below(&random, 250);
        f->texts[d] = (struct sampler_document){f->tokens[d], LENGTH};
        f->documents[d] = (struct dataset_document){.text = f->texts[d],
                                                    .is_given = {d != 5, 1},
                                                    .target = {{{d % 3, d % 3}, {1, 0}}},
                                                    .year = {0, 1810.4 + (double)d}};
    }
    f->dataset = (struct dataset){f->documents, f->texts, DOCUMENTS, DOCUMENTS * LENGTH};
}

/* A new author, who begins where nothing is told. */
static struct layer *new_layer(const struct fixture *f) {
    struct overlay_config overlay = {.rank = 4, .first = 1, .targets = 15, .scale = 2};
    struct error error;
    struct layer *layer;
    real mask[10];
    assert_int_equal(layer_create(&layer, f->model, "truth", "t", &overlay, 1, &error), 0);
    assert_int_equal(
        telling_nothing(layer->values + layer->overlay.layout.count, mask, f->model, &error), 0);
    return layer;
}

static void fixture_end(struct fixture *f) {
    layer_destroy(f->layer);
    model_destroy(f->model);
}

static void test_words(void **state) {
    (void)state;
    struct fixture f;
    char words[TELLING_BYTES];
    fixture_start(&f);
    struct telling both = {1, {1}, {10}, 1, 1862};
    telling_words(words, &f.slots, &both);
    assert_string_equal(words, "Write as Bob Lee, 1862.\n");
    struct telling year = {.has_year = 1, .year = 1790};
    telling_words(words, &f.slots, &year);
    assert_string_equal(words, "Write in 1790.\n");
    struct telling mixture = {2, {0, 2}, {6, 4}, 0, 0};
    telling_words(words, &f.slots, &mixture);
    assert_string_equal(words, "Write as 60% Ann, 40% Cyd.\n");
    telling_words_of(words, "Abraham Lincoln, 1862");
    assert_string_equal(words, "Write as Abraham Lincoln, 1862.\n");
    real told[10], mask[10];
    telling_handle(told, mask, &f.slots, &mixture);
    const real *table = model_slot_parameters(f.model) + f.slots.author->parameters + 6;
    for (size_t d = 0; d < 6; d++)
        assert_true(fabs((double)told[d] - 0.6 * (double)table[d] - 0.4 * (double)table[12 + d]) <
                    1e-6);
    for (size_t d = 0; d < 10; d++)
        assert_true(mask[d] == (d < 6));
    fixture_end(&f);
}

static void test_draws(void **state) {
    (void)state;
    struct fixture f;
    struct telling t;
    struct random random;
    int some[TELLING_AUTHORS + 1] = {0};
    fixture_start(&f);
    random_seed(&random, 1, 1);
    for (int i = 0; i < 200; i++) {
        telling_draw(&t, &f.slots, TELLING_MIXTURE, &random);
        int sum = 0;
        for (size_t a = 0; a < t.author_count; a++) {
            assert_true(t.tenths[a] >= 1 && t.authors[a] < 3);
            assert_true(a == 0 || t.authors[a] != t.authors[a - 1]);
            sum += t.tenths[a];
        }
        assert_int_equal(sum, 10);
        some[t.author_count]++;
        telling_draw(&t, &f.slots, TELLING_DATE, &random);
        assert_true(t.author_count == 0 && t.has_year && t.year >= 1790 && t.year <= 1910);
    }
    assert_true(some[2] > 50 && some[3] > 50 && some[1] == 0);
    assert_int_equal(
        telling_of_document(&t, &f.slots, TELLING_AUTHOR_DATE, &f.documents[1], 7, &random), 1);
    assert_true(t.author_count == 1 && t.authors[0] == 1 && t.has_year && t.year == 1811);
    assert_int_equal(
        telling_of_document(&t, &f.slots, TELLING_MIXTURE, &f.documents[1], 7, &random), 1);
    assert_true(t.author_count == 2 && t.authors[0] == 1 && t.authors[1] != 1 && t.tenths[1] == 3);
    assert_int_equal(telling_of_document(&t, &f.slots, TELLING_AUTHOR, &f.documents[5], 7, &random),
                     0);
    fixture_end(&f);
}

/* Each row of the layer's text that predicts has as teacher the row that predicts the same. */
static void test_layout(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    struct exercise_maker maker;
    struct exercise e;
    fixture_start(&f);
    assert_int_equal(exercise_maker_create(&maker, f.model, 79, &error), -1);
    assert_int_equal(exercise_maker_create(&maker, f.model, 0, &error), 0);
    assert_int_equal(exercise_layer_time(&maker), 80);
    assert_int_equal(exercise_create(&e, &maker, &error), 0);
    struct telling telling = {.author_count = 1, .authors = {0}, .tenths = {10}};
    for (int is_told = 0; is_told < 2; is_told++) {
        size_t skip = is_told ? strlen("Write as Ann.\n") : 0, taught = 0;
        assert_int_equal(
            exercise_lay(&e, &maker, is_told ? &telling : NULL, f.tokens[0] + 1, 12, &error), 0);
        assert_int_equal(e.dream_tokens[0], f.tokens[0][0]);
        assert_int_equal(e.layer_tokens[0], f.tokens[0][0]);
        assert_int_equal(e.layer_tokens[skip + 1], f.tokens[0][1]);
        for (size_t r = 0; r < maker.time; r++)
            assert_int_equal(e.dream_targets[r], r < 12 ? (int32_t)f.tokens[0][r + 1] : -1);
        for (size_t r = 0; r < 80; r++) {
            if (e.teachers[r] >= 0)
                assert_int_equal(e.layer_targets[r], e.dream_targets[e.teachers[r]]);
            assert_int_equal(e.layer_targets[r] >= 0, e.teachers[r] >= 0);
            taught += e.teachers[r] >= 0;
        }
        assert_int_equal(taught, 12);
        assert_int_equal(e.teachers[skip], 0);
    }
    exercise_free(&e);
    exercise_maker_free(&maker);
    fixture_end(&f);
}

struct course {
    double first, last; /* mean loss of the first and last ten steps */
    size_t steps, introspections, answers;
};

static int watch(void *context, const struct layer_train_report *report) {
    struct course *c = context;
    if (report->step <= 10)
        c->first += report->loss / 10;
    if (report->step > c->steps - 10)
        c->last += report->loss / 10;
    c->introspections += report->is_introspection != 0;
    c->answers += report->is_introspection == 0;
    return 0;
}

static struct layer *trained(const struct fixture *f, struct course *course, uint64_t seed) {
    struct introspection_options wanted = {.time = 30, .batch = 4, .threads = 2, .seed = seed};
    struct layer_train_options options = layer_train_options_default();
    struct introspection *introspection;
    struct error error;
    struct layer *layer = new_layer(f);
    assert_int_equal(introspection_create(&introspection, layer, &f->dataset, &wanted, &error), 0);
    options.steps = course->steps;
    options.learning_rate = 0.01;
    options.introspection = introspection;
    options.introspection_every = 1;
    assert_int_equal(layer_train(layer, NULL, NULL, 0, &options, watch, course, &error), 0);
    introspection_destroy(introspection);
    return layer;
}

static void test_loss_falls(void **state) {
    (void)state;
    struct fixture f;
    struct course course = {.steps = 150}, brief = {.steps = 15}, again = {.steps = 15},
                  other = {.steps = 15};
    fixture_start(&f);
    struct layer *layer = trained(&f, &course, 1);
    assert_int_equal(course.introspections, 150);
    assert_true(course.last < 0.7 * course.first);
    struct layer *one = trained(&f, &brief, 2), *two = trained(&f, &again, 2),
                 *three = trained(&f, &other, 3);
    assert_memory_equal(one->values, two->values, one->count * sizeof(real));
    assert_memory_not_equal(one->values, three->values, one->count * sizeof(real));
    layer_destroy(layer);
    layer_destroy(one);
    layer_destroy(two);
    layer_destroy(three);
    fixture_end(&f);
}

static void test_among_examples(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    struct course course = {.steps = 9};
    struct introspection *introspection;
    struct asking asking;
    struct introspection_options wanted = {.time = 30, .batch = 2, .threads = 1, .seed = 1};
    struct layer_train_options options = layer_train_options_default();
    const struct example examples[2] = {{"the cat", 1, 0, 1, 1}, {"the dog", 0, 0, 1, 1}};
    fixture_start(&f);
    f.layer = new_layer(&f);
    assert_int_equal(asking_create(&asking, f.model, &error), 0);
    assert_int_equal(introspection_create(&introspection, f.layer, &f.dataset, &wanted, &error), 0);
    options.steps = 9;
    options.introspection = introspection;
    options.introspection_every = 3;
    assert_int_equal(layer_train(f.layer, &asking, examples, 2, &options, watch, &course, &error),
                     0);
    assert_int_equal(course.introspections, 3);
    assert_int_equal(course.answers, 6);
    assert_int_equal(layer_train(f.layer, &asking, examples, 0, &options, watch, &course, &error),
                     -1);
    introspection_destroy(introspection);
    asking_free(&asking);
    fixture_end(&f);
}

static void check_means(const struct introspection_means *m, int is_fresh) {
    for (int who = 0; who < INTROSPECTED_COUNT; who++)
        assert_true(m->nats[who] > 0 && m->divergence[who] >= 0);
    assert_true(m->divergence[INTROSPECTED_DREAM] == 0);
    assert_true(introspection_share_of_nats(m, INTROSPECTED_DREAM) == 1);
    assert_true(introspection_share_of_nats(m, INTROSPECTED_NOTHING) == 0);
    assert_true(introspection_share_of_divergence(m, INTROSPECTED_DREAM) == 1);
    /* An author who learned nothing yet is the dream told nothing. */
    if (is_fresh)
        assert_true(fabs(m->nats[INTROSPECTED_SILENT] - m->nats[INTROSPECTED_NOTHING]) < 1e-4);
}

static void test_report(void **state) {
    (void)state;
    struct fixture f;
    struct error error;
    struct introspection_report fresh, again, learned;
    struct introspection_report_options options = {
        .time = 30, .pieces = 2, .threads = 1, .seed = 1};
    struct course course = {.steps = 150};
    fixture_start(&f);
    f.layer = new_layer(&f);
    assert_int_equal(introspection_evaluate(&fresh, f.layer, &f.dataset, &options, &error), 0);
    options.threads = 2;
    assert_int_equal(introspection_evaluate(&again, f.layer, &f.dataset, &options, &error), 0);
    assert_memory_equal(&fresh, &again, sizeof fresh);
    assert_int_equal(fresh.pieces, 2 * DOCUMENTS);
    assert_int_equal(fresh.own[TELLING_DATE].tokens, 2 * 30 * DOCUMENTS);
    assert_int_equal(fresh.own[TELLING_AUTHOR].tokens, 2 * 30 * (DOCUMENTS - 1));
    layer_destroy(f.layer);
    f.layer = trained(&f, &course, 1);
    assert_int_equal(introspection_evaluate(&learned, f.layer, &f.dataset, &options, &error), 0);
    for (int k = 0; k < TELLING_KINDS; k++) {
        check_means(&fresh.own[k], 1);
        check_means(&fresh.other[k], 1);
        check_means(&learned.own[k], 0);
        assert_true(learned.other[k].divergence[INTROSPECTED_WORDS] <
                    fresh.other[k].divergence[INTROSPECTED_WORDS]);
    }
    json_t *json = introspection_report_to_json(&learned);
    assert_true(json_real_value(json_object_get(
                    json_object_get(json_object_get(json, "own"), "author"), "share_of_nats")) ==
                introspection_share_of_nats(&learned.own[TELLING_AUTHOR], INTROSPECTED_WORDS));
    json_decref(json);
    fixture_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),          cmocka_unit_test(test_draws),
        cmocka_unit_test(test_layout),         cmocka_unit_test(test_loss_falls),
        cmocka_unit_test(test_among_examples), cmocka_unit_test(test_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
