/* Handles and model files: what is stored comes back, and damaged files are refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "cmocka_all.h"
#include "latent/handle.h"
#include "latent/place.h"
#include "text/tokenizer_train.h"

static char directory[] = "/tmp/trine-model-XXXXXX", path[128], other[128];

static struct model *make_model(void) {
    static const char *const NAMES[] = {"Ann Lee", "Bob Lee", "Cyd"};
    static const double COUNTS[] = {3, 2, 1};
    struct error error;
    struct slots slots = {0};
    struct tokenizer_trainer *trainer;
    struct tokenizer *tokenizer;
    struct model *model;
    assert_int_equal(tokenizer_trainer_create(&trainer, &error), 0);
    assert_int_equal(tokenizer_trainer_add(trainer, "the cat and the dog", 19, &error), 0);
    assert_int_equal(tokenizer_trainer_finish(trainer, 260, &tokenizer, &error), 0);
    tokenizer_trainer_destroy(trainer);
    assert_int_equal(slots_add_categorical(&slots, "author", 6, NAMES, COUNTS, 3, &error), 0);
    assert_int_equal(slots_add_date(&slots, "date", 4, 1800, 1900, &error), 0);
    const struct cap cap = {{47.5, 8.25}, 12.5};
    assert_int_equal(slots_add_place_cap(&slots, "place", 3, &cap, &error), 0);
    slots.slots[0].calibration[0] = 0.5;
    slots.slots[0].likelihood[1] = -0.25;
    slots.slots[0].naming = 1.5;
    struct config config = {.vocabulary = tokenizer_vocabulary_size(tokenizer),
                            .width = 16,
                            .blocks = 2,
                            .split = 1,
                            .heads = 2,
                            .key_value_heads = 1,
                            .head_width = 8,
                            .inner = 24,
                            .context = 16,
                            .ngram_orders = 2,
                            .ngram_rows = 64,
                            .rope_base = 10000,
                            .epsilon = 1e-5};
    assert_int_equal(model_create(&model, config, &slots, tokenizer, PRECISION_REAL, 7, &error), 0);
    snprintf(model->name, sizeof model->name, "little");
    model->tokens_trained = 12345678901;
    return model;
}

static int start(void **state) {
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/model.gguf", directory);
    snprintf(other, sizeof other, "%s/other", directory);
    return 0;
}

static int stop(void **state) {
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(directory);
}

static void test_round_trip(void **state) {
    (void)state;
    struct error error;
    struct model *model = make_model(), *again;
    assert_int_equal(model_save(model, path, &error), 0);
    assert_int_equal(model_load(&again, path, PRECISION_REAL, &error), 0);
    assert_memory_equal(&model->config, &again->config, sizeof model->config);
    for (size_t i = 0; i < model->layout.count; i++) /* stored as f32 */
        assert_true((float)model->values[i] == (float)again->values[i]);
    assert_string_equal(again->name, "little");
    assert_int_equal(again->tokens_trained, 12345678901);
    assert_int_equal(again->slots.count, 3);
    for (size_t s = 0; s < 3; s++) {
        const struct slot *a = &model->slots.slots[s], *b = &again->slots.slots[s];
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->kind, b->kind);
        assert_int_equal(a->point_count, b->point_count);
        assert_memory_equal(a->calibration, b->calibration, sizeof a->calibration);
        assert_memory_equal(a->likelihood, b->likelihood, sizeof a->likelihood);
        assert_true(a->naming == b->naming && (s > 0 || a->naming == 1.5));
        assert_memory_equal(&a->cap, &b->cap, sizeof a->cap);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(model->slots.slots[0].labels[i], again->slots.slots[0].labels[i]);
        assert_true(model->slots.slots[0].log_prior[i] == again->slots.slots[0].log_prior[i]);
    }
    model_destroy(again);
    model_destroy(model);
}

static void write_bytes(const char *name, const char *data, size_t bytes) {
    FILE *stream = fopen(name, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(data, 1, bytes, stream), bytes);
    assert_int_equal(fclose(stream), 0);
}

/* Loading a damaged file fails with a message that names it, or gives a model that can be used. */
static int loads(const char *data, size_t bytes) {
    struct error error = {""};
    struct model *model = NULL;
    write_bytes(other, data, bytes);
    int result = model_load(&model, other, PRECISION_REAL, &error);
    if (result != 0)
        assert_true(strlen(error.message) > 0);
    model_destroy(model);
    return result == 0;
}

/* Caps that are none are refused by name. */
static void test_hostile_caps(void **state) {
    (void)state;
    const struct cap caps[] = {{{91, 0}, 5}, {{0, NAN}, 5}, {{0, 0}, 500}, {{0, 0}, -1}};
    struct error error;
    struct model *model = make_model(), *again;
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        model->slots.slots[2].cap = caps[i];
        assert_int_equal(model_save(model, path, &error), 0);
        assert_int_equal(model_load(&again, path, PRECISION_REAL, &error), -1);
        assert_non_null(strstr(error.message, "slot place"));
    }
    model_destroy(model);
}

/* A factor of names that is none, and one of a slot that has no names. */
static void test_hostile_naming(void **state) {
    (void)state;
    const double factors[] = {INFINITY, 1e6};
    struct error error;
    struct model *model = make_model(), *again;
    for (size_t i = 0; i < 3; i++) {
        model->slots.slots[0].naming = i < 2 ? factors[i] : 1;
        model->slots.slots[1].naming = i < 2 ? 0 : 1;
        assert_int_equal(model_save(model, path, &error), 0);
        assert_int_equal(model_load(&again, path, PRECISION_REAL, &error), -1);
        assert_non_null(strstr(error.message, i < 2 ? "slot.0.naming" : "slot.1.naming"));
    }
    model_destroy(model);
}

static void test_damaged_files(void **state) {
    (void)state;
    struct error error;
    struct model *model = make_model();
    struct random random;
    char *data;
    size_t bytes;
    assert_int_equal(model_save(model, path, &error), 0);
    assert_int_equal(file_read_all(path, 1 << 26, &data, &bytes, &error), 0);
    assert_true(loads(data, bytes));
    for (size_t cut = 0; cut < bytes; cut += 1 + cut / 7)
        assert_false(loads(data, cut));
    /* Header and keys lie in the first part of the file. */
    size_t keys = bytes < 9000 ? bytes : 9000, refused = 0;
    random_seed(&random, 5, 0);
    for (int i = 0; i < 400; i++) {
        size_t at = (size_t)random_below(&random, keys);
        char old = data[at];
        data[at] = (char)(old ^ (char)(1 << random_below(&random, 8)));
        refused += !loads(data, bytes);
        data[at] = old;
    }
    assert_true(refused > 100);
    free(data);
    model_destroy(model);
}

/* ---- handles ---- */

#define REFUSED(call, text)                                                                        \
    do {                                                                                           \
        assert_int_equal(call, -1);                                                                \
        if (strstr(error.message, text) == NULL)                                                   \
            fail_msg("'%s' does not say '%s'", error.message, text);                               \
    } while (0)

static void test_telling(void **state) {
    (void)state;
    struct error error;
    struct handle a, b;
    struct model *model = make_model();
    const real *table = model_slot_parameters(model) + model->slots.slots[0].parameters + 6;
    assert_int_equal(handle_create(&a, model, &error), 0);
    assert_int_equal(handle_create(&b, model, &error), 0);
    for (size_t d = 0; d < 10; d++) /* the prior */
        assert_true(a.mean[d] == 0 && a.precision[d] == 1);
    assert_false(a.is_told[0]);
    assert_int_equal(handle_tell(&a, "author", "cyd", &error), 0); /* the only one */
    assert_true(a.is_told[0] && !a.is_told[1]);
    assert_memory_equal(a.mean, table + 2 * 6, 6 * sizeof(real));
    assert_int_equal(handle_tell_mixture(&a, "author", "Ann Lee:3, Cyd:-1", &error), 0);
    for (size_t d = 0; d < 6; d++)
        assert_true(fabs((double)(a.mean[d] - (3 * table[d] - table[12 + d]) / 2)) < 1e-6);
    assert_int_equal(handle_tell(&a, "date", "1863.5", &error), 0);
    assert_int_equal(handle_tell_year(&b, "date", 1863.5, &error), 0);
    assert_memory_equal(a.mean + 6, b.mean + 6, 4 * sizeof(real));
    assert_int_equal(handle_tell_year(&b, "date", 2500, &error), 0);
    REFUSED(handle_tell(&a, "author", "Lee", &error), "Ann Lee, Bob Lee");
    REFUSED(handle_tell(&a, "author", "", &error), "knows no");
    REFUSED(handle_tell(&a, "date", "12x", &error), "no year");
    REFUSED(handle_tell(&a, "date", "nan", &error), "no year");
    REFUSED(handle_tell(&a, "mood", "x", &error), "mood");
    REFUSED(handle_tell_mixture(&a, "author", "Cyd:x", &error), "LABEL:WEIGHT");
    REFUSED(handle_tell_mixture(&a, "author", "Cyd:1,Ann Lee:-1", &error), "nothing");
    double vector[6] = {0, 1, 2, 3, NAN, 5};
    REFUSED(handle_tell_vector(&a, "author", vector, 6, &error), "number 4");
    handle_free(&a);
    handle_free(&b);
    model_destroy(model);
}

/* A place is told by coordinates, anywhere; by name only with a gazetteer. */
static void test_tell_place(void **state) {
    (void)state;
    struct error error;
    struct model *model = make_model();
    struct handle a, b;
    assert_int_equal(handle_create(&a, model, &error), 0);
    assert_int_equal(handle_create(&b, model, &error), 0);
    assert_int_equal(handle_tell(&a, "place", "47.5,8.25", &error), 0);
    assert_int_equal(handle_tell_place(&b, "place", (struct location){47.5, 8.25}, &error), 0);
    assert_memory_equal(a.mean, b.mean, 13 * sizeof(real));
    assert_true(a.is_told[2] && a.mean[10] != 0 && strcmp(a.source[2], "47.5,8.25") == 0);
    assert_int_equal(handle_tell(&b, "place", "-33.9 151.2", &error), 0); /* off the grid */
    assert_memory_not_equal(a.mean, b.mean, 13 * sizeof(real));
    for (size_t d = 0; d < 13; d++)
        assert_true(isfinite((double)b.mean[d]));
    REFUSED(handle_tell(&a, "place", "Chicago", &error), "gazetteer");
    REFUSED(handle_tell(&a, "place", "1850", &error), "gazetteer");
    REFUSED(handle_tell(&a, "place", "95,10", &error), "gazetteer");
    REFUSED(handle_tell_year(&a, "place", 1850, &error), "no dates");
    REFUSED(handle_tell_place(&a, "date", (struct location){1, 2}, &error), "no places");
    /* What a source is cut to is still UTF-8. */
    char source[200];
    for (size_t i = 0; i < 99; i++)
        memcpy(source + 2 * i, "\xc3\xb6", 3);
    handle_set_posterior(&a, b.mean, b.precision, 5, source);
    assert_true(strlen(a.source[0]) == 94);
    json_t *json = handle_to_json(&a);
    assert_non_null(json);
    json_decref(json);
    handle_free(&a);
    handle_free(&b);
    model_destroy(model);
}

static void test_handle_json(void **state) {
    (void)state;
    struct error error;
    struct handle a, b;
    struct model *model = make_model();
    assert_int_equal(handle_create(&a, model, &error), 0);
    assert_int_equal(handle_create(&b, model, &error), 0);
    assert_int_equal(handle_tell(&a, "author", "Ann Lee", &error), 0);
    real mean[13], precision[13];
    for (size_t d = 0; d < 13; d++) {
        mean[d] = (real)0.1 * (real)d;
        precision[d] = (real)(1 + d);
    }
    handle_set_posterior(&a, mean, precision, 77, "text");
    assert_int_equal(handle_tell(&a, "date", "1850", &error), 0);
    assert_int_equal(handle_save(&a, other, &error), 0);
    assert_int_equal(handle_load(&b, other, &error), 0);
    assert_memory_equal(a.mean, b.mean, 13 * sizeof(real));
    assert_memory_equal(a.precision, b.precision, 13 * sizeof(real));
    assert_int_equal(b.tokens, 77);
    assert_true(!b.is_told[0] && b.is_told[1]);
    assert_string_equal(b.source[0], "text");
    static const struct {
        const char *text, *complaint;
    } HOSTILE[] = {
        {"[]", "no handle"},
        {"{\"trine_handle\": 2, \"slots\": {}}", "no handle"},
        {"{\"trine_handle\": 1, \"slots\": {\"mood\": {}}}", "mood"},
        {"{\"trine_handle\": 1, \"slots\": {\"date\": {\"mean\": [1]}}}", "4 numbers"},
        {"{\"trine_handle\": 1, \"slots\": {\"date\": {\"mean\": [1,2,3,\"x\"]}}}", "number 3"},
        {"{\"trine_handle\": 1, \"slots\": {\"date\": {\"mean\": [1,2,3,1e30]}}}", "number 3"},
        {"{\"trine_handle\": 1, \"slots\": {\"date\": {\"mean\": [1,2,3,4], "
         "\"precision\": [1,1,0,1]}}}",
         "number 2"},
        {"{\"trine_handle\": 1, \"slots\": {}, \"tokens\": -5}", "-5"},
        {"{\"trine_handle\": 1, ", ":1:"},
        {"{\"trine_handle\": 1, \"trine_handle\": 1, \"slots\": {}}", "duplicate"},
    };
    for (size_t i = 0; i < sizeof HOSTILE / sizeof *HOSTILE; i++) {
        write_bytes(other, HOSTILE[i].text, strlen(HOSTILE[i].text));
        REFUSED(handle_load(&b, other, &error), HOSTILE[i].complaint);
    }
    handle_free(&a);
    handle_free(&b);
    model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_hostile_caps),
        cmocka_unit_test(test_hostile_naming), cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_telling),        cmocka_unit_test(test_tell_place),
        cmocka_unit_test(test_handle_json),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
