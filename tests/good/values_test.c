/* What is granted of a wish; spaces and profiles as files, hostile ones too; directions that do
 * what they say on a little model. */
#include "good/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"
#include "cmocka_all.h"
#include "good/good_train.h"
#include "truth/tiny_model.h"

enum { WIDTH = 10, LESSONS = 8, LENGTH = 12, REPLY = 6 };

struct fixture {
    struct model *model;
    struct layer *layer;
    struct values_space space;
    struct lesson lessons[LESSONS]; /* the even ones reply otherwise than the odd ones */
    int32_t tokens[LESSONS][LENGTH];
};

static void start(struct fixture *f) {
    struct error error;
    struct random random;
    const struct overlay_config overlay = {.rank = 2, .first = 1, .targets = 15, .scale = 2};
    f->model = tiny_model();
    assert_int_equal(layer_create(&f->layer, f->model, "good", "g", &overlay, 1, &error), 0);
    assert_int_equal(values_space_create(&f->space, f->layer, 2, &error), 0);
    random_seed(&random, 4, 0);
    for (size_t i = 0; i < LESSONS; i++) {
        f->lessons[i] = (struct lesson){.tokens = f->tokens[i], .count = LENGTH, .reply = REPLY};
        for (size_t t = 0; t < LENGTH; t++)
            f->tokens[i][t] = t < REPLY ? (int32_t)random_below(&random, 200)
                                        : (int32_t)((i % 2 == 0 ? 40 : 90) + t);
    }
}

static void finish(struct fixture *f) {
    values_space_free(&f->space);
    layer_destroy(f->layer);
    model_destroy(f->model);
}

static double length_of(const real *v) {
    double square = 0;
    for (size_t d = 0; d < WIDTH; d++)
        square += (double)v[d] * (double)v[d];
    return sqrt(square);
}

static void test_grants(void **state) {
    (void)state;
    struct fixture f;
    struct values_grant grant;
    real wish[WIDTH] = {3, 4}, offset[WIDTH];
    start(&f);
    values_grant(&f.space, wish, offset, &grant); /* nothing protected: shortened from 5 to 2 */
    assert_true(grant.is_shortened && !grant.is_projected);
    assert_true(fabs(length_of(offset) - 2) < 1e-5 && fabs(grant.honoured - 0.4) < 1e-5);
    f.space.protected[1] = 1; /* the second dimension */
    f.space.protected_count = 1;
    values_grant(&f.space, wish, offset, &grant);
    assert_true(grant.is_projected && grant.is_shortened);
    assert_true(offset[1] == 0 && fabs((double)offset[0] - 2) < 1e-5);
    assert_true(fabs(grant.honoured - 6.0 / 25) < 1e-5);
    real small[WIDTH] = {0.5};
    values_grant(&f.space, small, offset, &grant);
    assert_true(!grant.is_projected && !grant.is_shortened && grant.honoured == 1);
    real nothing[WIDTH] = {0};
    values_grant(&f.space, nothing, offset, &grant);
    assert_true(grant.honoured == 1 && length_of(offset) == 0);
    finish(&f);
}

/* Along a direction its high replies gain on its low ones; off the protected subspace the margin of
 * the pairs that span it stays nearly as it was. */
static double margin_at(struct fixture *f, const real *offset) {
    struct error error;
    double p[LESSONS], sum = 0;
    assert_int_equal(
        good_log_probabilities(p, f->model, f->layer, offset, f->lessons, LESSONS, 2, &error), 0);
    for (size_t i = 0; i < LESSONS; i += 2)
        sum += p[i] - p[i + 1];
    return sum / (LESSONS / 2);
}

static void test_directions(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    struct values_grant grant;
    struct lesson high[LESSONS / 2], low[LESSONS / 2];
    real wish[WIDTH], offset[WIDTH];
    start(&f);
    for (size_t i = 0; i < LESSONS / 2; i++) {
        high[i] = f.lessons[2 * i];
        low[i] = f.lessons[2 * i + 1];
    }
    assert_int_equal(values_add_direction(&f.space, f.layer, "even-odd", high, LESSONS / 2, low,
                                          LESSONS / 2, 2, &error),
                     0);
    assert_int_equal(f.space.direction_count, 1);
    assert_true(fabs(length_of(f.space.directions[0].vector) - 1) < 1e-4);
    memcpy(wish, f.space.directions[0].vector, sizeof wish);
    double before = margin_at(&f, NULL), along = margin_at(&f, wish);
    assert_true(along > before + 0.01);
    assert_int_equal(values_protect(&f.space, f.layer, f.lessons, LESSONS / 2, 0.99, 2, &error), 0);
    assert_true(f.space.protected_count >= 1 && f.space.protected_count < WIDTH);
    values_grant(&f.space, wish, offset, &grant);
    assert_true(grant.is_projected && grant.honoured < 0.2);
    assert_true(fabs(margin_at(&f, offset) - before) < 0.2 * (along - before));
    assert_int_equal(
        values_add_direction(&f.space, f.layer, "Bad name!", high, 1, low, 1, 2, &error), -1);
    finish(&f);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_files(void **state) {
    (void)state;
    struct error error;
    struct fixture f;
    struct values_space again;
    struct profile profile, other;
    real vector[WIDTH] = {0, 0, 1}, wish[WIDTH];
    char path[] = "/tmp/trine-values-XXXXXX", text[600];
    start(&f);
    close(mkstemp(path));
    f.space.protected[0] = 1;
    f.space.protected_count = 1;
    snprintf(f.space.directions[0].name, VALUES_NAME_LIMIT, "third");
    f.space.directions[0].vector = memory_allocate(WIDTH, sizeof(real), &error);
    memcpy(f.space.directions[0].vector, vector, sizeof vector);
    f.space.direction_count = 1;
    assert_int_equal(values_space_save(&f.space, path, &error), 0);
    if (values_space_load(&again, f.layer, path, &error))
        fail_msg("%s", error.message);
    assert_true(again.radius == 2 && again.protected_count == 1 && again.direction_count == 1);
    assert_memory_equal(again.directions[0].vector, vector, sizeof vector);
    values_space_free(&again);

    assert_int_equal(profile_create(&profile, &f.space, "mine", &error), 0);
    assert_int_equal(profile_set(&profile, &f.space, "third=-1.5", &error), 0);
    profile.offset[4] = (real)0.25;
    assert_int_equal(profile_save(&profile, &f.space, path, &error), 0);
    if (profile_load(&other, &f.space, path, &error))
        fail_msg("%s", error.message);
    profile_add(&other, &f.space, &profile, 1);
    profile_wish(&other, &f.space, wish);
    assert_true(wish[2] == -6 && wish[4] == (real)0.5 && wish[0] == 0);
    profile_free(&other);
    profile_free(&profile);

    static const char *const HOSTILE[][2] = {
        {"", "line"},
        {"[]", "no profile"},
        {"{\"trine_values\": 2, \"author\": \"AUTHOR\"}", "no profile"},
        {"{\"trine_values\": 1, \"author\": \"0123456789abcdef\"}", "another good author"},
        {"{\"trine_values\": 1, \"author\": \"AUTHOR\", \"values\": {\"third\": 1e300}}", "number"},
        {"{\"trine_values\": 1, \"author\": \"AUTHOR\", \"values\": {\"third\": NaN}}", "line"},
        {"{\"trine_values\": 1, \"author\": \"AUTHOR\", \"values\": {\"fourth\": 1}}",
         "no direction"},
        {"{\"trine_values\": 1, \"author\": \"AUTHOR\", \"values\": [1]}", "object"},
        {"{\"trine_values\": 1, \"author\": \"AUTHOR\", \"offset\": [1, 2]}", "10 numbers"},
        {"{\"trine_values\": 1, \"author\": \"AUTHOR\", \"offset\": [1,2,3,4,5,6,7,8,9,\"x\"]}",
         "number 10"},
        {"{\"trine_values\": 1, \"author\": \"AUTHOR\", \"protected\": []}", "no key"},
    };
    for (size_t i = 0; i < sizeof HOSTILE / sizeof *HOSTILE; i++) {
        const char *at = strstr(HOSTILE[i][0], "AUTHOR");
        snprintf(text, sizeof text, "%.*s%s%s",
                 (int)(at != NULL ? at - HOSTILE[i][0] : (long)strlen(HOSTILE[i][0])),
                 HOSTILE[i][0], at != NULL ? f.space.author : "", at != NULL ? at + 6 : "");
        write_file(path, text);
        assert_int_equal(profile_load(&other, &f.space, path, &error), -1);
        if (strstr(error.message, HOSTILE[i][1]) == NULL)
            fail_msg("%zu: '%s' lacks '%s'", i, error.message, HOSTILE[i][1]);
    }
    /* A space whose rows are short protects less than it says. */
    snprintf(text, sizeof text,
             "{\"trine_values_space\": 1, \"author\": \"%s\", \"radius\": 1, \"protected\": "
             "[[0.1,0,0,0,0,0,0,0,0,0]], \"directions\": {}}",
             f.space.author);
    write_file(path, text);
    assert_int_equal(values_space_load(&again, f.layer, path, &error), -1);
    assert_non_null(strstr(error.message, "orthogonal"));
    unlink(path);
    finish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grants),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
