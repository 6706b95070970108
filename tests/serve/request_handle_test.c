/* Handles as requests give them, against those that the same words make (latent/handle.h). */
#include "serve/request_handle.h"

#include <math.h>

#include "base/cancellation.h"
#include "dream/read.h"
#include "serve/model_atlas.h"
#include "serve/tiny_service.h"

static struct tiny_service tiny;
static struct resident *resident;
static const struct resident_model *model;

static int set_up(void **state) {
    (void)state;
    struct error error;
    static struct resident_model_options options;
    tiny_service_make(&tiny, -4);
    options.model = tiny.options.model;
    TINY_DO(resident_open(&resident, &(struct resident_options){&options, 1, 1, 0, NULL}, &error));
    model = &resident->models[0];
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    resident_close(resident);
    tiny_service_remove(&tiny);
    return 0;
}

static struct handle from_json(const char *text) {
    struct problem problem;
    struct handle handle;
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    if (request_handle(&handle, model, json, &problem))
        fail_msg("%s: %s", text, problem.message);
    json_decref(json);
    return handle;
}

static void same(const char *text, const struct handle *expected) {
    struct handle h = from_json(text);
    for (size_t d = 0; d < model->model->config.latent_width; d++) {
        assert_true(fabs((double)(h.mean[d] - expected->mean[d])) < 1e-5);
        assert_true(fabs((double)(h.precision[d] - expected->precision[d])) < 1e-3);
    }
    for (size_t s = 0; s < model->model->slots.count; s++)
        assert_int_equal(h.is_told[s], expected->is_told[s]);
    handle_free(&h);
}

static void test_each_wish(void **state) {
    (void)state;
    struct error error;
    struct handle h;
    TINY_DO(handle_create(&h, model->model, &error));
    same("{}", &h);
    TINY_DO(handle_tell(&h, "author", "Bob Lee", &error));
    same("{\"author\":\"Bob Lee\"}", &h);
    same("{\"author\":\"Bob\"}", &h);
    same("{\"tell\":{\"author\":\"Bob Lee\"}}", &h);
    same("{\"mix\":{\"Bob Lee\":7}}", &h);
    TINY_DO(handle_tell_year(&h, "date", 1863.5, &error));
    same("{\"author\":\"Bob Lee\",\"date\":1863.5}", &h);
    same("{\"author\":\"Bob Lee\",\"date\":\"1863.5\"}", &h);
    same("{\"author\":\"Bob Lee\",\"date\":1800,\"tell\":{\"date\":1863.5}}",
         &h); /* tell is last */
    TINY_DO(handle_tell_mixture(&h, "author", "Bob Lee:0.5,Cyd:1.5", &error));
    same("{\"mix\":{\"Bob Lee\":1,\"Cyd\":3},\"date\":1863.5}", &h);
    same("{\"author\":\"Ann\",\"mix\":{\"Bob Lee\":1,\"Cyd\":3},\"date\":1863.5}", &h);
    const double vector[6] = {1, 2, 3, 4, 5, 6};
    TINY_DO(handle_tell_vector(&h, "author", vector, 6, &error));
    same("{\"vector\":{\"author\":[1,2,3,4,5,6.0]},\"date\":1863.5}", &h);
    handle_free(&h);
}

static void test_like_and_stored(void **state) {
    (void)state;
    struct error error;
    struct handle h;
    static char text[1 << 16];
    TINY_DO(handle_create(&h, model->model, &error));
    TINY_DO(read_text(&h, NULL, model->model, "the fox is quick", 16, NULL, NULL, &error));
    same("{\"like\":\"the fox is quick\"}", &h);
    json_t *stored = handle_to_json(&h);
    char *json = json_dumps(stored, 0);
    snprintf(text, sizeof text, "{\"handle\":%s}", json);
    same(text, &h);
    TINY_DO(handle_tell(&h, "author", "Cyd", &error));
    snprintf(text, sizeof text, "{\"author\":\"Cyd\",\"handle\":%s}",
             json); /* in the fixed order */
    same(text, &h);
    free(json);
    json_decref(stored);
    handle_free(&h);
}

/* One deviation along a component moves the author's coordinate by its standard deviation. */
static void test_shift(void **state) {
    (void)state;
    struct error error;
    const struct atlas *atlas;
    double before[2], after[2], point[6];
    TINY_DO(model_atlas_get(model->atlas, &atlas, &error));
    size_t first = atlas->slot->first;
    struct handle h = from_json("{\"author\":\"Cyd\"}"),
                  moved = from_json("{\"author\":\"Cyd\",\"shift\":[{\"component\":2,"
                                    "\"deviations\":-1.5},{\"component\":1,\"deviations\":0.5}]}"),
                  middle = from_json("{\"shift\":[{\"component\":1,\"deviations\":1}]}");
    for (size_t d = 0; d < 6; d++)
        point[d] = (double)h.mean[first + d];
    pca_project(&atlas->pca, before, point, 2);
    for (size_t d = 0; d < 6; d++)
        point[d] = (double)moved.mean[first + d];
    pca_project(&atlas->pca, after, point, 2);
    assert_true(fabs(after[0] - before[0] - 0.5 * atlas->components[0].deviation) < 1e-5);
    assert_true(fabs(after[1] - before[1] + 1.5 * atlas->components[1].deviation) < 1e-5);
    assert_true(moved.is_told[0]);
    for (size_t d = 0; d < 6; d++)
        point[d] = (double)middle.mean[first + d];
    pca_project(&atlas->pca, after, point, 2); /* nobody told: from the middle */
    assert_true(fabs(after[0] - atlas->components[0].deviation) < 1e-5 && fabs(after[1]) < 1e-5);
    handle_free(&h);
    handle_free(&moved);
    handle_free(&middle);
}

static void refused(const char *text, const char *param, const char *says) {
    struct problem problem;
    struct handle handle;
    json_t *json = json_loads(text, 0, NULL);
    if (request_handle(&handle, model, json, &problem) == 0)
        fail_msg("%s is taken", text);
    assert_int_equal(problem.status, 400);
    if (strcmp(problem.param, param) != 0 || strstr(problem.message, says) == NULL)
        fail_msg("%s: %s: %s", text, problem.param, problem.message);
    json_decref(json);
}

static void test_refusals(void **state) {
    (void)state;
    static const struct {
        const char *json, *param, *says;
    } CASES[] = {
        {"[]", "handle", "must be an object"},
        {"{\"writer\":\"a\"}", "writer", "no field \"writer\" in \"handle\""},
        {"{\"author\":\"Nobody\"}", "author", "knows no 'Nobody'"},
        {"{\"author\":\"Lee\"}", "author", "knows no 'Lee'"}, /* there are two */
        {"{\"author\":1}", "author", "must be a string"},
        {"{\"date\":\"soon\"}", "date", "is no year"},
        {"{\"date\":1e9}", "date", "is no year"},
        {"{\"date\":[]}", "date", "must be a label, or a year"},
        {"{\"place\":\"41.9,-87.6\"}", "place", "no slot 'place'"},
        {"{\"place\":[1,2]}", "place", "must be a label"},
        {"{\"tell\":{\"party\":\"Whig\"}}", "tell", "no slot 'party'"},
        {"{\"tell\":{\"author\":1800}}", "tell", "holds no dates"},
        {"{\"mix\":{}}", "mix", "1 to 64 authors"},
        {"{\"mix\":{\"Cyd\":\"1\"}}", "mix", "must be a number"},
        {"{\"mix\":{\"Cyd\":1,\"Bob Lee\":-1}}", "mix", "sum to nothing"},
        {"{\"vector\":{\"author\":[1]}}", "vector", "vectors of 6 numbers"},
        {"{\"vector\":{\"author\":[1,2,3,4,5,\"6\"]}}", "vector", "arrays of numbers"},
        {"{\"vector\":{\"author\":{}}}", "vector", "arrays of numbers"},
        {"{\"vector\":{\"author\":[1,2,3,4,5,1e9]}}", "vector", "is 1e+09"},
        {"{\"like\":\"\"}", "like", "is empty"},
        {"{\"handle\":{\"trine_handle\":1,\"slots\":{\"author\":{\"mean\":[1]}}}}", "handle",
         "lists of 6 numbers"},
        {"{\"shift\":{}}", "shift", "array of up to"},
        {"{\"shift\":[1]}", "shift", "array of {"},
        {"{\"shift\":[{\"component\":3,\"deviations\":1}]}", "component", "from 1 to 2"},
        {"{\"shift\":[{\"component\":1,\"deviations\":11}]}", "deviations", "from -10 to 10"},
        {"{\"shift\":[{\"component\":1}]}", "deviations", "is missing"},
        {"{\"shift\":[{\"component\":1,\"deviations\":1,\"x\":1}]}", "x", "no field"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        refused(CASES[i].json, CASES[i].param, CASES[i].says);
}

static int nobody_waits(void *context) {
    (void)context;
    return 1;
}

/* A model that was taught names reads a name that is no label, if anybody waits for it, and refuses
 * one that is not clear or is none. */
static void test_names(void **state) {
    (void)state;
    double *factor = &model->model->slots.slots[0].naming;
    char longest[256], unclear[] = "{\"author\":\"Lee, Robert\"}";
    snprintf(longest, sizeof longest, "{\"author\":\"%0200d\"}", 0);
    *factor = 1e-3; /* nothing is clear */
    refused(unclear, "author", "not clear whom 'Lee, Robert' means");
    refused("{\"tell\":{\"author\":\"Lee, Robert\"}}", "tell", "not clear");
    refused("{\"mix\":{\"Ann\":1,\"Lee, Robert\":1}}", "mix", "not clear");
    refused("{\"author\":\"Bob\\nLee\"}", "author", "one line");
    refused("{\"author\":\"\"}", "author", "1 to 159 bytes");
    refused(longest, "author", "1 to 159 bytes");
    *factor = 1000; /* everything is */
    struct handle h = from_json(unclear);
    assert_true(h.is_told[0]);
    assert_true(slot_find_label(&model->model->slots.slots[0], h.source[0]) >= 0);
    handle_free(&h);
    cancellation_set(nobody_waits, NULL);
    refused(unclear, "author", "");
    cancellation_set(NULL, NULL);
    *factor = 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_wish), cmocka_unit_test(test_like_and_stored),
        cmocka_unit_test(test_shift),     cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
