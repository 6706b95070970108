/* The public interface: every function, on an untrained model, and its errors. */
#include "trine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "latent/model.h"
#include "latent/place.h"
#include "text/tokenizer_train.h"

static char directory[] = "/tmp/trine-api-XXXXXX", path[128], stored[128];
static struct trine_error error;

static void make_model(void) {
    static const char *const NAMES[] = {"Ann", "Bob Smith", "Cyd"};
    static const double COUNTS[] = {3, 2, 1};
    struct error problem;
    struct slots slots = {0};
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer;
    struct model *model;
    assert_int_equal(tokenizer_trainer_create(&trainer, &problem), 0);
    assert_int_equal(tokenizer_trainer_add(trainer, "the cat and the dog", 19, &problem), 0);
    assert_int_equal(tokenizer_trainer_finish(trainer, 262, &tokenizer, &problem), 0);
    tokenizer_trainer_destroy(trainer);
    assert_int_equal(slots_add_categorical(&slots, "author", 6, NAMES, COUNTS, 3, &problem), 0);
    assert_int_equal(slots_add_date(&slots, "date", 4, 1800, 1900, &problem), 0);
    const struct cap cap = {{40, -95}, 20};
    assert_int_equal(slots_add_place_cap(&slots, "place", 3, &cap, &problem), 0);
    struct config config = {.vocabulary = tokenizer_vocabulary_size(tokenizer),
                            .width = 32,
                            .blocks = 2,
                            .split = 1,
                            .heads = 2,
                            .key_value_heads = 1,
                            .head_width = 16,
                            .inner = 48,
                            .context = 32,
                            .ngram_orders = 2,
                            .ngram_rows = 512,
                            .rope_base = 10000,
                            .epsilon = 1e-5};
    assert_int_equal(model_create(&model, config, &slots, tokenizer, PRECISION_REAL, 7, &problem),
                     0);
    assert_int_equal(model_save(model, path, &problem), 0);
    model_destroy(model);
}

static int start(void **state) {
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/model.gguf", directory);
    snprintf(stored, sizeof stored, "%s/handle.json", directory);
    make_model();
    return 0;
}

static int stop(void **state) {
    (void)state;
    unlink(path);
    unlink(stored);
    return rmdir(directory);
}

struct text {
    char data[4096];
    size_t length, calls, limit;
};

static int keep(void *context, const char *data, size_t length) {
    struct text *text = context;
    assert_true(text->length + length <= sizeof text->data);
    memcpy(text->data + text->length, data, length);
    text->length += length;
    return ++text->calls == text->limit;
}

static void test_slots(void **state) {
    (void)state;
    trine_model *model = trine_model_open(path, &error);
    assert_non_null(model);
    assert_int_equal(trine_slot_count(model), 3);
    assert_string_equal(trine_slot_name(model, 0), "author");
    assert_string_equal(trine_slot_name(model, 1), "date");
    assert_null(trine_slot_name(model, 3));
    assert_int_equal(trine_slot_label_count(model, 0), 3);
    assert_int_equal(trine_slot_label_count(model, 1), 0);
    assert_int_equal(trine_slot_label_count(model, 9), 0);
    assert_string_equal(trine_slot_label(model, 0, 2), "Cyd");
    assert_null(trine_slot_label(model, 0, 3));
    assert_non_null(strchr(trine_version(), '.'));
    trine_model_close(model);
}

static void test_handles(void **state) {
    (void)state;
    struct trine_guess guesses[5];
    struct trine_years years;
    trine_model *model = trine_model_open(path, &error);
    trine_handle *handle = trine_handle_new(model, &error);
    assert_non_null(handle);
    assert_int_equal(trine_handle_tell(handle, "author", "smith", &error), 0);
    assert_int_equal(trine_handle_labels(handle, "author", guesses, 5, &error), 3);
    assert_string_equal(guesses[0].label, "Bob Smith");
    assert_true(guesses[0].probability >= guesses[1].probability);
    assert_true(fabs(guesses[0].probability + guesses[1].probability + guesses[2].probability - 1) <
                1e-9);
    assert_int_equal(trine_handle_labels(handle, "author", guesses, 1, &error), 1);
    assert_int_equal(trine_handle_tell_year(handle, "date", 1850, &error), 0);
    assert_int_equal(trine_handle_years(handle, "date", &years, &error), 0);
    assert_true(years.low <= years.median && years.median <= years.high);
    struct trine_place place;
    assert_int_equal(trine_handle_tell(handle, "place", "41.88,-87.63", &error), 0);
    assert_int_equal(trine_handle_place(handle, "place", &place, &error), 0);
    assert_true(place.latitude > 15 && place.latitude < 65 && place.longitude < -60);
    assert_true(place.kilometres_50 > 0 && place.kilometres_50 <= place.kilometres_90);
    assert_int_equal(trine_handle_mix(handle, "author", "Ann:0.9,Cyd:0.1", &error), 0);
    assert_int_equal(trine_handle_labels(handle, "author", guesses, 1, &error), 1);
    assert_string_equal(guesses[0].label, "Ann");
    const double vector[] = {0, 0, 0, 0, 0, 0};
    assert_int_equal(trine_handle_tell_vector(handle, "author", vector, 6, &error), 0);
    assert_int_equal(trine_handle_read(handle, "the dog", 7, &error), 0);
    assert_int_equal(trine_handle_tell(handle, "author", "Cyd", NULL), 0);
    assert_int_equal(trine_handle_save(handle, stored, &error), 0);
    trine_handle *again = trine_handle_new(model, &error);
    assert_int_equal(trine_handle_load(again, stored, &error), 0);
    assert_int_equal(trine_handle_labels(again, "author", guesses, 1, &error), 1);
    assert_string_equal(guesses[0].label, "Cyd");
    trine_handle_free(again);
    trine_handle_free(handle);
    trine_model_close(model);
}

static void test_writing(void **state) {
    (void)state;
    struct text one = {0}, two = {0}, three = {.limit = 2};
    trine_model *model = trine_model_open(path, &error);
    trine_handle *handle = trine_handle_new(model, &error);
    struct trine_write_options options = trine_write_options_default();
    options.tokens = 50;
    options.prompt = "the";
    assert_int_equal(trine_write(handle, &options, keep, &one, &error), 0);
    assert_int_equal(trine_write(handle, &options, keep, &two, &error), 0);
    assert_true(one.calls > 1 && one.calls <= 50);
    assert_int_equal(one.length, two.length);
    assert_memory_equal(one.data, two.data, one.length);
    assert_int_equal(trine_write(handle, &options, keep, &three, &error), 0);
    assert_int_equal(three.calls, 2);
    trine_handle_free(handle);
    trine_model_close(model);
}

/* A file whose first slot is good and whose second is not changes nothing. */
static void test_half_a_handle(void **state) {
    (void)state;
    struct trine_guess before[3], after[3];
    trine_model *model = trine_model_open(path, &error);
    trine_handle *handle = trine_handle_new(model, &error);
    FILE *file = fopen(stored, "w");
    assert_non_null(file);
    fputs("{\"trine_handle\": 1, \"tokens\": 9, \"slots\": {\"author\": {\"told\": true, "
          "\"mean\": [5,5,5,5,5,5], \"precision\": [1,1,1,1,1,1]}, "
          "\"date\": {\"mean\": [1,2,3], \"precision\": [1,1,1]}}}",
          file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(trine_handle_tell(handle, "author", "Cyd", &error), 0);
    assert_int_equal(trine_handle_labels(handle, "author", before, 3, &error), 3);
    assert_int_equal(trine_handle_load(handle, stored, &error), -1);
    assert_non_null(strstr(error.message, "date"));
    assert_int_equal(trine_handle_labels(handle, "author", after, 3, &error), 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(after[i].label, before[i].label);
        assert_true(after[i].probability == before[i].probability);
    }
    trine_handle_free(handle);
    trine_model_close(model);
}

/* A model file cut anywhere, or with a byte changed, opens or is refused; nothing worse. */
static void test_hostile_models(void **state) {
    (void)state;
    char data[1 << 19];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t bytes = fread(data, 1, sizeof data, file);
    fclose(file);
    assert_true(bytes > 4096 && bytes < sizeof data);
    for (size_t i = 0; i < 160; i++) {
        size_t at = i < 80 ? i * i * i % bytes : i * 37 % 4096, kept = i < 80 ? at : bytes;
        data[at] = (char)~data[at];
        file = fopen(stored, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(data, 1, kept, file), kept);
        assert_int_equal(fclose(file), 0);
        data[at] = (char)~data[at];
        strcpy(error.message, "");
        trine_model *model = trine_model_open(stored, &error);
        assert_true(model != NULL || error.message[0] != '\0');
        assert_true(model == NULL || kept == bytes);
        trine_model_close(model);
    }
}

#define REFUSED(call, text)                                                                        \
    do {                                                                                           \
        strcpy(error.message, "");                                                                 \
        assert_int_equal(call, -1);                                                                \
        if (strstr(error.message, text) == NULL)                                                   \
            fail_msg("'%s' does not say '%s'", error.message, text);                               \
    } while (0)

static void test_errors(void **state) {
    (void)state;
    struct text text = {0};
    struct trine_guess guess;
    struct trine_years years;
    assert_null(trine_model_open(NULL, &error));
    assert_null(trine_model_open("/nonexistent", NULL));
    assert_null(trine_model_open("tests/api/trine_test.c", &error));
    assert_non_null(strstr(error.message, "trine_test.c"));
    trine_model_close(NULL);
    trine_handle_free(NULL);
    trine_model *model = trine_model_open(path, &error);
    trine_handle *handle = trine_handle_new(model, &error);
    REFUSED(trine_handle_tell(handle, "author", NULL, &error), "NULL");
    REFUSED(trine_handle_tell(handle, "author", "Zoe", &error), "Zoe");
    REFUSED(trine_handle_tell(handle, "place", "Rome", &error), "place");
    REFUSED(trine_handle_tell_year(handle, "date", NAN, &error), "finite");
    REFUSED(trine_handle_tell_year(handle, "author", 1800, &error), "no dates");
    REFUSED(trine_handle_mix(handle, "author", "Ann:1,Cyd:-1", &error), "nothing");
    REFUSED(trine_handle_mix(handle, "author", NULL, &error), "NULL");
    REFUSED(trine_handle_tell_vector(handle, "author", (double[]){1, 2}, 2, &error), "6 numbers");
    REFUSED(trine_handle_tell_vector(handle, "author", NULL, 6, &error), "NULL");
    REFUSED(trine_handle_read(handle, NULL, 5, &error), "no text");
    REFUSED(trine_handle_read(handle, "", 0, &error), "no text");
    REFUSED(trine_handle_load(handle, "/nonexistent", &error), "nonexistent");
    REFUSED(trine_handle_load(handle, path, &error), path);
    REFUSED(trine_handle_save(handle, "/nonexistent/x", &error), "nonexistent");
    REFUSED(trine_handle_labels(handle, "date", &guess, 1, &error), "date");
    REFUSED(trine_handle_years(handle, "author", &years, &error), "author");
    struct trine_place place;
    REFUSED(trine_handle_place(handle, "date", &place, &error), "places");
    REFUSED(trine_handle_place(handle, "place", NULL, &error), "room");
    REFUSED(trine_handle_place(NULL, "place", &place, &error), "handle");
    REFUSED(trine_handle_tell(handle, "place", "Chicago", &error), "gazetteer");
    REFUSED(trine_write(handle, NULL, NULL, NULL, &error), "callback");
    assert_null(trine_handle_new(NULL, &error));
    assert_int_equal(trine_slot_count(NULL), 0);
    assert_null(trine_slot_name(NULL, 0));
    assert_int_equal(trine_slot_label_count(NULL, 0), 0);
    assert_null(trine_slot_label(NULL, 0, 0));
    REFUSED(trine_handle_tell(NULL, "author", "Ann", &error), "handle");
    REFUSED(trine_handle_tell_year(NULL, "date", 1800, &error), "handle");
    REFUSED(trine_handle_mix(NULL, "author", "Ann:1", &error), "handle");
    REFUSED(trine_handle_tell_vector(NULL, "author", (double[]){1}, 1, &error), "handle");
    REFUSED(trine_handle_read(NULL, "text", 4, &error), "handle");
    REFUSED(trine_handle_load(NULL, stored, &error), "handle");
    REFUSED(trine_handle_save(NULL, stored, &error), "handle");
    REFUSED(trine_handle_labels(NULL, "author", &guess, 1, &error), "handle");
    REFUSED(trine_handle_labels(handle, "author", NULL, 1, &error), "room");
    REFUSED(trine_handle_labels(handle, NULL, &guess, 1, &error), "NULL");
    REFUSED(trine_handle_years(NULL, "date", &years, &error), "handle");
    REFUSED(trine_handle_years(handle, "date", NULL, &error), "room");
    REFUSED(trine_write(NULL, NULL, keep, &text, &error), "handle");
    struct trine_write_options options = trine_write_options_default();
    options.temperature = NAN;
    REFUSED(trine_write(handle, &options, keep, &text, &error), "temperature");
    trine_handle_free(handle);
    trine_model_close(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots),          cmocka_unit_test(test_handles),
        cmocka_unit_test(test_writing),        cmocka_unit_test(test_half_a_handle),
        cmocka_unit_test(test_hostile_models), cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
