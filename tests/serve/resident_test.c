/* What a server holds: models with their layers, what is wrong with them, and what is lent. */
#include "serve/resident.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "model/batcher.h"
#include "serve/model_atlas.h"
#include "serve/tiny_service.h"

static struct tiny_service tiny;

static int set_up(void **state) {
    (void)state;
    tiny_service_make(&tiny, -4);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    tiny_service_remove(&tiny);
    return 0;
}

static struct resident_model_options with_standards(size_t from, size_t count) {
    struct resident_model_options o = tiny.options;
    for (size_t i = 0; i < count; i++)
        o.standards[i] = tiny.standards[from + i];
    o.standard_count = count;
    return o;
}

static struct resident *open_one(const struct resident_model_options *o) {
    struct error error;
    struct resident *r;
    const struct resident_options options = {.models = o, .model_count = 1, .workers = 3};
    if (resident_open(&r, &options, &error))
        fail_msg("%s", error.message);
    return r;
}

static void test_names(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int model; /* -1: none */
        enum resident_layer layer;
    } NAMES[] = {{"tiny", 0, RESIDENT_LAYERS},
                 {"tiny/good", 0, RESIDENT_GOOD},
                 {"tiny/truth", 0, RESIDENT_TRUTH},
                 {"tiny/dream", 0, RESIDENT_DREAM},
                 {"tiny two", 1, RESIDENT_LAYERS},
                 {"tiny two/dream", 1, RESIDENT_DREAM},
                 {"tiny/", -1, 0},
                 {"tiny/other", -1, 0},
                 {"tiny/dream/", -1, 0},
                 {"tin", -1, 0},
                 {"", -1, 0},
                 {"/dream", -1, 0},
                 {"tiny two/good/dream", -1, 0}};
    struct error error;
    struct resident *r;
    struct resident_model_options two[2] = {with_standards(0, 1), {.model = tiny.options.model}};
    two[1].name = "tiny two";
    if (resident_open(&r, &(struct resident_options){two, 2, 2, 0, NULL}, &error))
        fail_msg("%s", error.message);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        enum resident_layer layer = RESIDENT_LAYERS;
        const struct resident_model *found = resident_find(r, NAMES[i].name, &layer);
        assert_ptr_equal(found, NAMES[i].model < 0 ? NULL : &r->models[NAMES[i].model]);
        if (found != NULL)
            assert_int_equal(layer, NAMES[i].layer);
    }
    for (int k = 0; k < RESIDENT_LAYERS; k++) {
        assert_true(resident_has(&r->models[0], (enum resident_layer)k));
        assert_int_equal(resident_has(&r->models[1], (enum resident_layer)k), k == RESIDENT_DREAM);
    }
    assert_string_equal(resident_find_standard(&r->models[0], NULL)->name, "s0");
    assert_null(resident_find_standard(&r->models[0], "s1"));
    assert_null(resident_find_standard(&r->models[1], NULL));
    resident_close(r);
    two[1].name = NULL;
    assert_int_equal(resident_open(&r, &(struct resident_options){two, 2, 2, 0, NULL}, &error), -1);
    assert_non_null(strstr(error.message, "two models \"tiny\""));
    two[1].name = "a/b";
    assert_int_equal(resident_open(&r, &(struct resident_options){two, 2, 2, 0, NULL}, &error), -1);
    assert_non_null(strstr(error.message, "without slashes"));
}

/* Each is wrong in one way, which is said; nothing is left open (the leak sanitizer looks). */
static void test_what_is_wrong_is_said(void **state) {
    (void)state;
    struct error error;
    struct resident *r;
    char *none = tiny_path(&tiny, "none");
    static const char *const SAID[] = {"want --good FILE",
                                       "--good wants --guard",
                                       "\"good\" is wanted",
                                       "\"truth\" is wanted",
                                       "given twice",
                                       "was trained for the standard \"s1\"",
                                       "there is no directory",
                                       "none",
                                       "none"};
    for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++) {
        struct resident_model_options o = with_standards(0, 2);
        char *truth = NULL, *broken = NULL;
        if (i == 0)
            o.good = NULL;
        else if (i == 1)
            o.guard = NULL;
        else if (i == 2)
            o.good = o.guard;
        else if (i == 3)
            o.guard = o.good;
        else if (i == 4)
            o.standards[1] = o.standards[0];
        else if (i == 5) { /* a standard whose own truth author is another's */
            truth = tiny_path(&tiny, "s1/truth.gguf");
            broken = tiny_path(&tiny, "s0/truth.gguf");
            char *kept = tiny_path(&tiny, "kept");
            assert_int_equal(rename(broken, kept), 0);
            assert_int_equal(link(truth, broken), 0);
            free(kept);
        } else if (i == 6)
            o.standards[1] = none;
        else if (i == 7)
            o.model = none;
        else
            o.odds = none;
        if (resident_open(&r, &(struct resident_options){&o, 1, 2, 0, NULL}, &error) == 0)
            fail_msg("case %zu was opened", i);
        if (strstr(error.message, SAID[i]) == NULL)
            fail_msg("case %zu: '%s' does not say '%s'", i, error.message, SAID[i]);
        if (broken != NULL) {
            char *kept = tiny_path(&tiny, "kept");
            assert_int_equal(rename(kept, broken), 0);
            free(kept);
        }
        free(truth);
        free(broken);
    }
    free(none);
    assert_int_equal(resident_open(&r, &(struct resident_options){0}, &error), -1);
}

/* The truth author that is given counts for its own standard alone. */
static void test_truth_of_its_standard(void **state) {
    (void)state;
    struct resident_model_options o = with_standards(0, 2);
    char *truth = tiny_path(&tiny, "s1/truth.gguf");
    o.truth = truth;
    struct resident *r = open_one(&o);
    assert_null(r->models[0].standards[0].judging.truth);
    assert_string_equal(r->models[0].standards[1].judging.truth, truth);
    resident_close(r);
    free(truth);
}

/* Handlers' decoders go through the batcher, and give the same text as without. */
static int add_text(void *context, const char *text, size_t length) {
    strncat(context, text, length);
    return 0;
}

static void test_writers(void **state) {
    (void)state;
    struct error error;
    struct model *model;
    struct writer *alone;
    struct handle handle;
    char together[4096] = "", apart[4096] = "";
    const struct write_options options = {
        .prompt = "the fox", .tokens = 40, .seed = 3, .sampling = {.temperature = 1, .top_p = 1}};
    struct resident_model_options o = with_standards(0, 0);
    o.odds = NULL;
    struct resident *r = open_one(&o);
    assert_non_null(r->models[0].model->batcher);
    struct writer *lent = pool_take(r->models[0].writers, &error);
    TINY_DO(handle_create(&handle, r->models[0].model, &error));
    TINY_DO(writer_write(lent, &handle, &options, add_text, together, &error));
    handle_free(&handle);
    pool_give(r->models[0].writers, lent);
    struct batcher_counts counts;
    batcher_count(r->models[0].batcher, &counts);
    assert_true(counts.steps >= 30);
    resident_close(r);
    TINY_DO(model_load(&model, tiny.options.model, PRECISION_BF16, &error));
    TINY_DO(writer_create(&alone, model, &error));
    TINY_DO(handle_create(&handle, model, &error));
    TINY_DO(writer_write(alone, &handle, &options, add_text, apart, &error));
    assert_string_equal(together, apart);
    handle_free(&handle);
    writer_destroy(alone);
    model_destroy(model);
}

/* However many assistants are lent, there is one guard; and a judge lies on the model that is open,
 * so that what it writes is decoded together with others'. */
static void test_what_is_shared(void **state) {
    (void)state;
    struct error error;
    struct resident_model_options o = with_standards(0, 1);
    struct resident *r = open_one(&o);
    const struct resident_model *m = &r->models[0];
    struct resident_assistant *one = pool_take(m->assistants, &error);
    struct resident_assistant *other = pool_take(m->assistants, &error);
    assert_true(one != NULL && other != NULL && one != other);
    assert_ptr_equal(one->assistant.guard, m->guard);
    assert_ptr_equal(other->assistant.guard, m->guard);
    pool_give(m->assistants, one);
    pool_give(m->assistants, other);
    struct batcher_counts before, after;
    struct answer_to answer;
    batcher_count(m->batcher, &before);
    struct judge *judge = judge_pool_take(r->judges, &m->standards[0].judging, &error);
    assert_non_null(judge);
    TINY_DO(judge_answer(judge, "the fox is what?", 4, 1, &answer, &error));
    answer_free(&answer);
    judge_pool_give(r->judges, judge);
    batcher_count(m->batcher, &after);
    assert_true(after.read > before.read && after.steps > before.steps);
    resident_close(r);
}

/* At most four are open; the one that was not used longest goes; one of a kind at a time. */
static void test_judges(void **state) {
    (void)state;
    struct error error;
    struct resident_model_options o = with_standards(0, TINY_STANDARDS);
    struct resident *r = open_one(&o);
    const struct resident_standard *s = r->models[0].standards;
    struct judge *judges[TINY_STANDARDS], *again;
    for (int i = 0; i < JUDGES_MOST; i++) {
        judges[i] = judge_pool_take(r->judges, &s[i].judging, &error);
        assert_non_null(judges[i]);
        assert_string_equal(judge_standard(judges[i])->name, s[i].name);
    }
    for (int i = 0; i < JUDGES_MOST; i++)
        judge_pool_give(r->judges, judges[i]);
    again = judge_pool_take(r->judges, &s[0].judging, &error); /* open still, and now the latest */
    assert_ptr_equal(again, judges[0]);
    judge_pool_give(r->judges, again);
    judges[4] = judge_pool_take(r->judges, &s[4].judging, &error); /* in the place of s1's */
    assert_string_equal(judge_standard(judges[4])->name, "s4");
    judge_pool_give(r->judges, judges[4]);
    for (int i = 0; i < 4; i += i == 0 ? 2 : 1) {
        again = judge_pool_take(r->judges, &s[i].judging, &error);
        assert_ptr_equal(again, judges[i]);
        judge_pool_give(r->judges, again);
    }
    resident_close(r);
}

struct crowd {
    struct resident *resident;
    atomic_int inside[TINY_STANDARDS], together, rounds;
};

/* Every judge is alone with its borrower. */
static void *borrow(void *context) {
    struct crowd *c = context;
    struct error error;
    int round;
    while ((round = atomic_fetch_add(&c->rounds, 1)) < 60) {
        int s = round * 7 % TINY_STANDARDS;
        struct ruling ruling;
        struct judge *judge = judge_pool_take(c->resident->judges,
                                              &c->resident->models[0].standards[s].judging, &error);
        if (judge == NULL || atomic_fetch_add(&c->inside[s], 1) != 0 ||
            judge_statement(judge, "the fox is slow", 0, &ruling, &error))
            atomic_fetch_add(&c->together, 1);
        else
            ruling_free(&ruling);
        atomic_fetch_sub(&c->inside[s], 1);
        judge_pool_give(c->resident->judges, judge);
    }
    return NULL;
}

static void test_judges_of_many_threads(void **state) {
    (void)state;
    struct resident_model_options o = with_standards(0, TINY_STANDARDS);
    struct crowd crowd = {.resident = open_one(&o)};
    pthread_t threads[5];
    for (int i = 0; i < 5; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, borrow, &crowd), 0);
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.together, 0);
    resident_close(crowd.resident);
}

static void test_judge_that_cannot_be_opened(void **state) {
    (void)state;
    struct error error;
    struct judge_pool *pool;
    const struct judge_options wrong = {.model = "/none", .standard = tiny.standards[0]},
                               right = {.model = tiny.options.model,
                                        .standard = tiny.standards[0],
                                        .threads = 1};
    assert_int_equal(judge_pool_create(&pool, &error), 0);
    for (int i = 0; i < 2 * JUDGES_MOST; i++) /* a failure leaves no place taken */
        assert_null(judge_pool_take(pool, &wrong, &error));
    struct judge *judge = judge_pool_take(pool, &right, &error);
    assert_non_null(judge);
    judge_pool_give(pool, judge);
    judge_pool_destroy(pool);
}

static void test_atlas(void **state) {
    (void)state;
    struct error error;
    const struct atlas *atlas, *again;
    const char *text;
    size_t bytes;
    struct resident_model_options o = with_standards(0, 0);
    o.odds = NULL;
    struct resident *r = open_one(&o);
    TINY_DO(model_atlas_get(r->models[0].atlas, &atlas, &error));
    assert_int_equal(atlas->component_count, 2); /* of three authors */
    TINY_DO(model_atlas_get(r->models[0].atlas, &again, &error));
    assert_ptr_equal(atlas, again);
    TINY_DO(model_atlas_text(r->models[0].atlas, &text, &bytes, &error));
    json_t *json = json_loadb(text, bytes, 0, NULL);
    const json_t *points = json_object_get(json, "points");
    assert_int_equal(json_array_size(points), 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(fabs(json_number_value(json_object_get(json_array_get(points, i), "x")) -
                         atlas->components[0].coordinates[i]) < 1e-4);
    assert_int_equal(json_array_size(json_object_get(json_object_get(json, "labels"), "author")),
                     3);
    json_decref(json);
    resident_close(r);
}

/* Things that count how many there are. */
static int made, is_failing;

static int make_number(void *context, void **item, struct error *error) {
    (void)context;
    if (is_failing)
        return error_set(error, "no more numbers");
    made++;
    *item = malloc(1);
    return *item != NULL ? 0 : error_set(error, "no memory");
}

static void unmake_number(void *item) {
    made--;
    free(item);
}

static void *give_later(void *context) {
    void **both = context;
    usleep(50000);
    pool_give(both[0], both[1]);
    return NULL;
}

static void test_pool(void **state) {
    (void)state;
    struct error error;
    struct pool *pool;
    void *a, *b;
    pthread_t thread;
    assert_int_equal(pool_create(&pool, 2, make_number, unmake_number, NULL, &error), 0);
    assert_int_equal(made, 0); /* none before it is wanted */
    a = pool_take(pool, &error);
    b = pool_take(pool, &error);
    assert_int_equal(made, 2);
    pool_give(pool, a);
    pool_give(pool, b);
    assert_ptr_equal(pool_take(pool, &error), b); /* the last that was used */
    assert_ptr_equal(pool_take(pool, &error), a);
    void *both[] = {pool, a};
    assert_int_equal(pthread_create(&thread, NULL, give_later, both), 0);
    assert_ptr_equal(pool_take(pool, &error), a); /* waits until it is given back */
    pthread_join(thread, NULL);
    assert_int_equal(made, 2);
    pool_give(pool, a);
    pool_give(pool, b);
    pool_destroy(pool);
    assert_int_equal(made, 0);
    assert_int_equal(pool_create(&pool, 1, make_number, unmake_number, NULL, &error), 0);
    is_failing = 1;
    assert_null(pool_take(pool, &error));
    is_failing = 0;
    a = pool_take(pool, &error); /* the failure took no place */
    assert_non_null(a);
    pool_give(pool, a);
    pool_destroy(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_wrong_is_said),
        cmocka_unit_test(test_truth_of_its_standard),
        cmocka_unit_test(test_writers),
        cmocka_unit_test(test_what_is_shared),
        cmocka_unit_test(test_judges),
        cmocka_unit_test(test_judges_of_many_threads),
        cmocka_unit_test(test_judge_that_cannot_be_opened),
        cmocka_unit_test(test_atlas),
        cmocka_unit_test(test_pool),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
