/* A layer's file: what is stored comes back, and the first version of the format is read. */
#include "latent/layer.h"

#include <string.h>

#include "base/file.h"
#include "scratch.h"
#include "truth/tiny_model.h"

static const char NAME[] = "a layer", LONG_NAME[] = "a layer, and 24 letters as well";

static struct layer *make(const struct model *model, const char *name) {
    struct error error;
    struct layer *layer;
    assert_int_equal(
        layer_create(&layer, model, "truth", name, &(struct overlay_config){0}, 3, &error), 0);
    for (size_t i = 0; i < LAYER_CALIBRATION; i++) {
        layer->calibration[i] = (double)i + 0.5;
        layer->beside[i] = -(double)i;
    }
    layer->beside_model = 77;
    return layer;
}

static void test_round_trip(void **state) {
    (void)state;
    struct error error;
    struct model *model = tiny_model();
    struct layer *layer = make(model, NAME), *back;
    assert_int_equal(layer_save(layer, at("layer.gguf"), &error), 0);
    assert_int_equal(layer_load(&back, model, at("layer.gguf"), &error), 0);
    assert_memory_equal(back->calibration, layer->calibration, sizeof layer->calibration);
    assert_memory_equal(back->beside, layer->beside, sizeof layer->beside);
    assert_true(back->beside_model == 77);
    assert_string_equal(back->name, NAME);
    layer_destroy(layer);
    layer_destroy(back);
    model_destroy(model);
}

static char *find(char *data, size_t bytes, const char *key) {
    char *at = memmem(data, bytes, key, strlen(key));
    assert_non_null(at);
    return at;
}

/* The first version had six of the numbers. Cutting three off moves what comes after; a longer
 * name, which comes before, moves it back, so that the tensors stay where they are. */
static void test_first_version(void **state) {
    (void)state;
    static const double SIX[] = {1, 2, 3, 4, 5, 6};
    enum { CUT = (LAYER_CALIBRATION - 6) * sizeof(double), KEY_HEAD = 4 };
    struct error error;
    struct model *model = tiny_model();
    struct layer *layer = make(model, NAME), *back;
    char *data;
    size_t bytes;
    assert_int_equal(strlen(LONG_NAME) - strlen(NAME), CUT);
    assert_int_equal(layer_save(layer, at("new.gguf"), &error), 0);
    assert_int_equal(file_read_all(at("new.gguf"), 1 << 24, &data, &bytes, &error), 0);
    char *numbers = find(data, bytes, "trine.layer.calibration") +
                    strlen("trine.layer.calibration") + 2 * KEY_HEAD;
    uint64_t count = 6, length = strlen(LONG_NAME);
    memcpy(numbers, &count, sizeof count);
    memcpy(numbers + sizeof count, SIX, sizeof SIX);
    char *version =
        find(data, bytes, "trine.layer.version") + strlen("trine.layer.version") + KEY_HEAD;
    *version = 1;
    char *name = find(data, bytes, "general.name") + strlen("general.name") + KEY_HEAD;
    char *after_name = name + sizeof length + strlen(NAME);
    char *end_of_six = numbers + sizeof count + sizeof SIX;
    memmove(after_name + CUT, after_name, (size_t)(end_of_six - after_name));
    memcpy(name, &length, sizeof length);
    memcpy(name + sizeof length, LONG_NAME, length);
    struct file_writer writer;
    assert_int_equal(file_writer_open(&writer, at("old.gguf"), &error), 0);
    assert_int_equal(fwrite(data, 1, bytes, writer.stream), bytes);
    assert_int_equal(file_writer_commit(&writer, &error), 0);
    if (layer_load(&back, model, at("old.gguf"), &error))
        fail_msg("%s", error.message);
    assert_true(back->calibration[LAYER_SAID] == 1 && back->calibration[LAYER_READ] == 2);
    assert_true(back->calibration[LAYER_HEARD] == 3 && back->calibration[LAYER_BESIDE] == 0);
    assert_true(back->calibration[LAYER_SHIFT] == 4 && back->calibration[LAYER_USUAL] == 5);
    assert_true(back->calibration[LAYER_JOINED] == 0 && back->calibration[LAYER_CONFIDENCE] == 6);
    assert_true(back->beside[LAYER_CONFIDENCE] == 0);
    struct layer *newer; /* adapters are stored rounded */
    assert_int_equal(layer_load(&newer, model, at("new.gguf"), &error), 0);
    assert_memory_equal(back->values, newer->values, newer->count * sizeof(real));
    layer_destroy(newer);
    assert_string_equal(back->name, LONG_NAME);
    free(data);
    layer_destroy(layer);
    layer_destroy(back);
    model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_first_version),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
