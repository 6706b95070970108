/* What /v1/models says of slots: labels of some, the region of a place. */
#include <math.h>
#include <string.h>

#include "serve/raw_client.h"
#include "serve/server.h"
#include "serve/tiny_service.h"

static const struct cap MIDWEST = {{41.5, -87.25}, 12.75};

static double number(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

static void check_region(const json_t *slot) {
    const json_t *region = json_object_get(slot, "region");
    assert_int_equal(json_object_size(region), 3);
    assert_true(fabs(number(region, "latitude") - MIDWEST.centre.latitude) < 1e-9);
    assert_true(fabs(number(region, "longitude") - MIDWEST.centre.longitude) < 1e-9);
    assert_true(fabs(number(region, "radius") - MIDWEST.radius) < 1e-9);
    assert_int_equal(json_integer_value(json_object_get(slot, "labels")), 0);
}

/* A server of one model; the reply as JSON, which the caller decrefs. */
static json_t *list_models(const struct tiny_service *tiny, const struct cap *cap) {
    static struct raw_reply reply;
    struct error error;
    struct server *server;
    struct model *model = tiny_model_with_places(cap);
    char *path = tiny_path(tiny, "places.gguf");
    snprintf(model->name, sizeof model->name, "tiny");
    TINY_DO(model_save(model, path, &error));
    model_destroy(model);
    const struct resident_model_options one = {.model = path};
    const struct server_options options = {.resident = {.models = &one, .model_count = 1},
                                           .local_scope = SCOPE_DREAM};
    TINY_DO(server_start(&server, &options, &error));
    raw_exchange(server_port(server), "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", &reply);
    assert_true(reply.is_whole);
    assert_int_equal(reply.status, 200);
    json_t *json = json_loadb(reply.body, reply.body_bytes, 0, NULL);
    assert_non_null(json);
    server_stop(server);
    free(path);
    return json;
}

static void check_slots(const struct cap *cap, size_t count) {
    struct tiny_service tiny = {.directory = "/tmp/trine-models-XXXXXX"};
    assert_non_null(mkdtemp(tiny.directory));
    json_t *json = list_models(&tiny, cap);
    const json_t *data = json_object_get(json, "data"), *slot;
    assert_int_equal(json_array_size(data), 1);
    const json_t *slots = json_object_get(json_array_get(data, 0), "slots");
    size_t s, places = 0;
    json_array_foreach(slots, s, slot) {
        int is_place = strcmp(json_string_value(json_object_get(slot, "kind")), "place") == 0;
        if (is_place)
            check_region(slot);
        else
            assert_null(json_object_get(slot, "region"));
        places += (size_t)is_place;
    }
    assert_int_equal(json_array_size(slots), count);
    assert_int_equal(places, count - 2);
    json_decref(json);
    nftw(tiny.directory, tiny_remove, 4, FTW_DEPTH | FTW_PHYS);
}

static void test_places_have_a_region(void **state) {
    (void)state;
    check_slots(&MIDWEST, 3);
}

static void test_others_have_none(void **state) {
    (void)state;
    check_slots(NULL, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places_have_a_region),
        cmocka_unit_test(test_others_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
