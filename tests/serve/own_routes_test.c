/* What a server with a market, profiles and jobs tells of them, and what one without does; both
 * over real connections. */
#include "serve/own_routes.h"

#include <errno.h>

#include "base/progress.h"
#include "good/profile.h"
#include "serve/raw_client.h"
#include "serve/server.h"
#include "serve/tiny_market.h"
#include "serve/tiny_service.h"

enum { REQUEST = 8192, PROFILES = 2 };

static struct tiny_service tiny;
static struct server *server, *bare; /* with all, with nothing */
static char *market_path, *conversations_path, *profile_paths[PROFILES];
static struct raw_reply reply;

/* A profile of the tiny space; `offset` asks for one of its own besides. */
static char *save_profile(const char *file, const char *name, double value, int offset) {
    struct error error;
    struct model *model;
    struct layer *good;
    struct values_space space = {0};
    struct profile profile;
    char *path = tiny_path(&tiny, file);
    TINY_DO(model_load(&model, tiny.options.model, PRECISION_BF16, &error));
    TINY_DO(layer_load(&good, model, tiny.options.good, &error));
    TINY_DO(values_space_load(&space, good, tiny.options.space, &error));
    TINY_DO(profile_create(&profile, &space, name, &error));
    profile.values[0] = value;
    profile.offset[0] = (real)offset;
    TINY_DO(profile_save(&profile, &space, path, &error));
    profile_free(&profile);
    values_space_free(&space);
    layer_destroy(good);
    model_destroy(model);
    return path;
}

static int set_up(void **state) {
    (void)state;
    static struct resident_model_options full, plain;
    struct error error;
    tiny_service_make(&tiny, -4);
    market_path = tiny_path(&tiny, "market.sqlite");
    conversations_path = tiny_path(&tiny, "kept.sqlite");
    tiny_market_save(market_path, "kelly");
    profile_paths[0] = save_profile("warm.json", "warm", -0.5, 0);
    profile_paths[1] = save_profile("none.json", "none", 0, 0);
    full = tiny.options;
    full.standards[0] = tiny.standards[0];
    full.standard_count = 1;
    full.market = market_path;
    full.profile_count = PROFILES;
    for (int i = 0; i < PROFILES; i++)
        full.profiles[i] = profile_paths[i];
    plain = full;
    plain.market = NULL;
    plain.profile_count = 0;
    const struct server_options with = {.resident = {.models = &full, .model_count = 1},
                                        .local_scope = SCOPE_DREAM,
                                        .conversations = conversations_path,
                                        .jobs = tiny.directory};
    const struct server_options without = {.resident = {.models = &plain, .model_count = 1},
                                           .local_scope = SCOPE_DREAM};
    TINY_DO(server_start(&server, &with, &error));
    TINY_DO(server_start(&bare, &without, &error));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    server_stop(server);
    server_stop(bare);
    tiny_service_remove(&tiny);
    free(market_path);
    free(conversations_path);
    for (int i = 0; i < PROFILES; i++)
        free(profile_paths[i]);
    return 0;
}

/* The reply as JSON; the caller decrefs. */
static json_t *get(const struct server *from, const char *path, int status) {
    static char request[REQUEST];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    raw_exchange(server_port(from), request, &reply);
    assert_true(reply.is_whole);
    if (reply.status != status)
        fail_msg("%s: %d, not %d: %s", path, reply.status, status, reply.body);
    json_t *json = json_loadb(reply.body, reply.body_bytes, 0, NULL);
    if (json == NULL)
        fail_msg("no JSON: %s", reply.body);
    return json;
}

static void check_features(const struct server *from, int is_there) {
    static const char *const FEATURES[] = {"conversations", "jobs", "markets"};
    json_t *json = get(from, "/v1/models", 200);
    const json_t *features = json_object_get(json, "trine"), *model;
    size_t place;
    assert_int_equal(json_object_size(features), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(json_is_true(json_object_get(features, FEATURES[i])), is_there);
    json_array_foreach(json_object_get(json, "data"), place, model) {
        int is_truth = strcmp(json_string_value(json_object_get(model, "layer")), "truth") == 0;
        assert_int_equal(json_is_true(json_object_get(model, "market")), is_there && is_truth);
    }
    assert_int_equal(place, RESIDENT_LAYERS);
    json_decref(json);
}

static void test_features(void **state) {
    (void)state;
    check_features(server, 1);
    check_features(bare, 0);
    json_decref(get(bare, "/v1/market", 404));
    json_decref(get(bare, "/v1/jobs", 404));
    json_decref(get(bare, "/v1/conversations", 404));
}

/* Jobs and markets are not everybody's. */
static void test_features_of_the_scope_good(void **state) {
    (void)state;
    struct error error;
    struct server *small;
    struct resident_model_options model = tiny.options;
    model.standards[0] = tiny.standards[0];
    model.standard_count = 1;
    model.market = market_path;
    const struct server_options options = {.resident = {.models = &model, .model_count = 1},
                                           .jobs = tiny.directory};
    TINY_DO(server_start(&small, &options, &error));
    json_t *json = get(small, "/v1/models", 200);
    const json_t *features = json_object_get(json, "trine");
    assert_true(json_is_false(json_object_get(features, "jobs")));
    assert_true(json_is_false(json_object_get(features, "markets")));
    json_decref(json);
    json_decref(get(small, "/v1/market", 403));
    server_stop(small);
}

static void test_statements(void **state) {
    (void)state;
    json_t *json = get(server, "/v1/market?model=tiny&statement=the%20FOX%2C%20is%20quick", 200);
    const json_t *sentence = json_object_get(json, "sentence");
    assert_string_equal(json_string_value(json_object_get(json, "engine")), "kelly");
    assert_int_equal(json_integer_value(json_object_get(json, "days")), TINY_DAYS);
    assert_string_equal(json_string_value(json_object_get(sentence, "text")), "The fox is quick.");
    assert_string_equal(json_string_value(json_object_get(sentence, "verdict")), "true");
    assert_int_equal(json_integer_value(json_object_get(sentence, "day")), 2);
    assert_int_equal(json_array_size(json_object_get(sentence, "prices")), TINY_DAYS);
    assert_int_equal(json_array_size(json_object_get(sentence, "traders")), 8);
    json_decref(json);
    json = get(server, "/v1/market?statement=the%20wolf%20is%20quick", 200);
    assert_true(json_is_null(json_object_get(json, "sentence")));
    json_decref(json);
    json_decref(get(server, "/v1/market?statement=", 400));
    char path[5000] = "/v1/market?statement=";
    memset(path + strlen(path), 'a', 4097);
    json_decref(get(server, path, 400));
}

static void test_sentences(void **state) {
    (void)state;
    json_t *json = get(server, "/v1/market", 200);
    assert_int_equal(json_integer_value(json_object_get(json, "found")), TINY_SENTENCES);
    assert_int_equal(json_array_size(json_object_get(json, "sentences")), TINY_SENTENCES);
    json_decref(json);
    json = get(server, "/v1/market?search=dog&limit=2", 200);
    const json_t *first = json_array_get(json_object_get(json, "sentences"), 0);
    assert_int_equal(json_integer_value(json_object_get(json, "found")), 3);
    assert_int_equal(json_array_size(json_object_get(json, "sentences")), 2);
    assert_string_equal(json_string_value(json_object_get(first, "text")), "the dog is lazy");
    assert_null(json_object_get(first, "prices"));
    json_decref(json);
    static const char *const WRONG[] = {"0", "201", "-1", "1.5", "many", "", "99999999999"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        char path[64];
        snprintf(path, sizeof path, "/v1/market?limit=%s", WRONG[i]);
        json_decref(get(server, path, 400));
        assert_non_null(strstr(reply.body, "\"param\":\"limit\""));
    }
}

static void test_profiles(void **state) {
    (void)state;
    json_t *json = get(server, "/v1/values", 200);
    json_t *expected = json_pack("[{s:s, s:{s:f}}, {s:s, s:{}}]", "name", "warm", "values",
                                 "warm-cool", -0.5, "name", "none", "values");
    assert_true(json_equal(json_object_get(json, "profiles"), expected));
    json_decref(json);
    json_decref(expected);
    json = get(bare, "/v1/values", 200);
    assert_int_equal(json_array_size(json_object_get(json, "profiles")), 0);
    json_decref(json);
}

static void refuse(const struct resident_model_options *model, const char *message) {
    const struct server_options options = {.resident = {.models = model, .model_count = 1}};
    struct error error;
    struct server *never;
    assert_int_equal(server_start(&never, &options, &error), -1);
    assert_null(never);
    if (strstr(error.message, message) == NULL)
        fail_msg("%s, not %s", error.message, message);
}

static void test_what_is_refused_at_the_start(void **state) {
    (void)state;
    char *twice = save_profile("twice.json", "warm", 1, 0);
    char *nameless = save_profile("nameless.json", "", 1, 0);
    char *moved = save_profile("moved.json", "moved", 1, 1);
    struct resident_model_options model = tiny.options;
    model.profile_count = 2;
    model.profiles[0] = profile_paths[0];
    model.profiles[1] = twice;
    refuse(&model, "another profile \"warm\"");
    model.profiles[1] = nameless;
    refuse(&model, "needs a \"name\"");
    model.profiles[1] = moved;
    refuse(&model, "\"offset\"");
    model.profiles[1] = tiny.options.space;
    refuse(&model, "no profile of values");
    model.space = NULL;
    refuse(&model, "--profile wants --space");
    model = tiny.options;
    model.standards[0] = tiny.standards[0];
    model.standard_count = 1;
    model.market = tiny.options.space;
    refuse(&model, "no record of a market");
    free(twice);
    free(nameless);
    free(moved);
}

/* A command that runs, this one, is told of until it ends. */
static void test_jobs(void **state) {
    (void)state;
    struct progress progress;
    json_t *json = get(server, "/v1/jobs", 200);
    assert_int_equal(json_array_size(json_object_get(json, "jobs")), 0);
    json_decref(json);
    setenv(PROGRESS_JOBS, tiny.directory, 1);
    progress_set_name("truth train");
    progress_start(&progress, 0, 100);
    progress_show(&progress, 25, 1, "loss %.2f", 1.5);
    json = get(server, "/v1/jobs", 200);
    const json_t *job = json_array_get(json_object_get(json, "jobs"), 0);
    assert_string_equal(json_string_value(json_object_get(job, "name")), "truth train");
    assert_string_equal(json_string_value(json_object_get(job, "text")), "loss 1.50");
    assert_int_equal(json_integer_value(json_object_get(job, "done")), 25);
    assert_int_equal(json_integer_value(json_object_get(job, "total")), 100);
    assert_true(json_is_real(json_object_get(job, "seconds_left")));
    json_decref(json);
    progress_finish(&progress);
    unsetenv(PROGRESS_JOBS);
    json = get(server, "/v1/jobs", 200);
    assert_int_equal(json_array_size(json_object_get(json, "jobs")), 0);
    json_decref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features),   cmocka_unit_test(test_features_of_the_scope_good),
        cmocka_unit_test(test_statements), cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_profiles),   cmocka_unit_test(test_what_is_refused_at_the_start),
        cmocka_unit_test(test_jobs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
