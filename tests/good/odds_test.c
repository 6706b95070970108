/* What a reply claims, whether it holds an answer, and how sure one may be of it. */
#include "good/odds_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "cmocka_all.h"
#include "truth/tiny_model.h"

static void expect_claims(const char *reply, const char *const *wanted, size_t count) {
    struct error error;
    struct claims claims;
    assert_int_equal(claims_find(&claims, "What floats?", reply, &error), 0);
    assert_int_equal(claims.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(claims.texts[i], wanted[i]);
        assert_true(isnan(claims.probabilities[i]));
    }
    claims_free(&claims);
}

static void test_claims(void **state) {
    (void)state;
    expect_claims("Ships float on the water.\nWood is lighter than water. Do you have a ship? "
                  "I think of ships all day.",
                  (const char *[]){"Ships float on the water.", "Wood is lighter than water."}, 2);
    expect_claims(" A ship.\n",
                  (const char *[]){"The answer to the question \"What floats?\" is \"A ship\"."},
                  1);
    expect_claims("Yes. Ships float on the water.", (const char *[]){"Ships float on the water."},
                  1);
    expect_claims("", NULL, 0);
    expect_claims(" \n ", NULL, 0);
    expect_claims("\xff\xfe\x80", NULL, 0); /* no characters: question marks */
    expect_claims("What floats?", NULL, 0);
    expect_claims("I do not know what floats.", NULL, 0);
}

/* No more than there is room for. */
static void test_many_claims(void **state) {
    (void)state;
    struct error error;
    struct claims claims;
    char reply[4096] = "";
    for (int i = 0; i < 3 * CLAIMS_MOST; i++)
        strcat(reply, "Ships float on the water. ");
    assert_int_equal(claims_find(&claims, "What floats?", reply, &error), 0);
    assert_int_equal(claims.count, CLAIMS_MOST);
    claims_free(&claims);
}

static void test_holds(void **state) {
    (void)state;
    const char *const answers[] = {"Karl Marx", "42", ""};
    assert_true(reply_holds("It was karl MARX, I think.", answers, 3));
    assert_true(reply_holds("42", answers, 3));
    assert_false(reply_holds("It was 1842.", answers, 3));
    assert_false(reply_holds("Karl Marxen", answers, 3));
    assert_false(reply_holds("Karl, not Marx", answers, 3));
    assert_false(reply_holds("", answers, 3));
    assert_true(odds_are_wanted("Who was it?") && !odds_are_wanted("Tell me a story."));
}

static void test_evidence(void **state) {
    (void)state;
    struct claims claims = {.probabilities = {0.9, 0.2, 0.7}, .count = 3};
    struct odds_evidence e = odds_evidence_of(&claims, -1.5);
    assert_true(fabs(e.claim - log(0.25)) < 1e-9 && e.certainty == -1.5);
    claims.count = 0;
    assert_true(odds_evidence_of(&claims, 0).claim == 0);
    claims = (struct claims){.probabilities = {0}, .count = 1};
    assert_true(isfinite(odds_evidence_of(&claims, 0).claim));
}

static struct layer *author(const struct model *model, uint64_t seed) {
    struct error error;
    struct layer *layer;
    const struct overlay_config overlay = {.rank = 2, .first = 1, .targets = 15, .scale = 2};
    assert_int_equal(layer_create(&layer, model, "good", "g", &overlay, seed, &error), 0);
    return layer;
}

/* The rule by which answers were right is found, and then what is said holds. */
static void test_fit(void **state) {
    (void)state;
    enum { COUNT = 4000 };
    struct error error;
    struct model *model = tiny_model();
    struct layer *layer = author(model, 1);
    struct odds odds;
    struct odds_report report;
    struct random random;
    struct answered answered = {.count = COUNT};
    answered.evidence = calloc(COUNT, sizeof *answered.evidence);
    answered.is_right = calloc(COUNT, 1);
    random_seed(&random, 3, 0);
    for (size_t i = 0; i < COUNT; i++) {
        struct odds_evidence *e = &answered.evidence[i];
        *e = (struct odds_evidence){2 * random_normal(&random), random_normal(&random)};
        double p = 1 / (1 + exp(-(0.5 * e->claim + 1.5 * e->certainty + 1)));
        answered.is_right[i] = random_uniform(&random) < p;
    }
    assert_int_equal(odds_fit(&odds, layer, answered.evidence, answered.is_right, COUNT, &error),
                     0);
    assert_true(fabs(odds.weights[0] - 0.5) < 0.1 && fabs(odds.weights[1] - 1.5) < 0.2 &&
                fabs(odds.weights[2] - 1) < 0.2);
    assert_int_equal(odds_report_make(&report, &odds, &answered, &error), 0);
    assert_true(report.judgement.calibration_error < 0.03 && report.judgement.area > 0.8);
    for (int tenth = 1; tenth < 10; tenth++) {
        assert_true(report.tenths[tenth].count > 100);
        assert_true(fabs((double)report.tenths[tenth].right / (double)report.tenths[tenth].count -
                         tenth / 10.0) < 0.1);
    }
    free(answered.evidence);
    free(answered.is_right);
    layer_destroy(layer);
    model_destroy(model);
}

static void write_text(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect_refused(const struct layer *layer, const char *path, const char *text,
                           const char *why) {
    struct error error;
    struct odds odds;
    write_text(path, text);
    assert_int_equal(odds_load(&odds, layer, path, &error), -1);
    if (strstr(error.message, why) == NULL)
        fail_msg("%s: %s", text, error.message);
}

static void test_file(void **state) {
    (void)state;
    struct error error;
    struct model *model = tiny_model();
    struct layer *layer = author(model, 1), *other = author(model, 2);
    struct odds odds = {.weights = {0.25, -1, 3}, .questions = 7, .candidates = 3}, loaded;
    char path[64], text[512];
    snprintf(path, sizeof path, "/tmp/trine-odds-%d.json", (int)getpid());
    layer_fingerprint(layer, odds.author);
    assert_int_equal(odds_save(&odds, path, &error), 0);
    assert_int_equal(odds_load(&loaded, layer, path, &error), 0);
    assert_memory_equal(&odds, &loaded, sizeof odds);
    assert_int_equal(odds_load(&loaded, other, path, &error), -1);
    assert_non_null(strstr(error.message, "another good author"));
    static const char *const BAD[][2] = {
        {"\"weights\":[1,2]", "3 numbers"},
        {"\"weights\":[1,2,1e300]", "-1000"},
        {"\"weights\":[1,2,\"3\"]", "-1000"},
        {"\"weights\":{}", "3 numbers"},
        {"\"weights\":[1,2,3],\"candidates\":17", "from 1 to 16"},
        {"\"weights\":[1,2,3],\"candidates\":\"3\"", "from 1 to 16"},
        {"\"weights\":[1,2,3],\"more\":1", "more"},
        {"\"weights\":[1,2,NaN]", "line 1"},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        snprintf(text, sizeof text, "{\"trine_odds\":1,\"author\":\"%s\",%s}", odds.author,
                 BAD[i][0]);
        expect_refused(layer, path, text, BAD[i][1]);
    }
    expect_refused(layer, path, "[]", "no odds");
    expect_refused(layer, path, "{", "line 1");
    unlink(path);
    layer_destroy(layer);
    layer_destroy(other);
    model_destroy(model);
}

static void test_words(void **state) {
    (void)state;
    char text[80];
    odds_say(0.68, text, sizeof text);
    assert_string_equal(text, "(I am about 70 % sure.)");
    odds_say(0.26, text, sizeof text);
    assert_string_equal(text, "(I am only about 30 % sure.)");
    odds_say(0.01, text, sizeof text);
    assert_string_equal(text, "(I do not know; this is a guess.)");
    odds_say(1, text, sizeof text);
    assert_string_equal(text, "(I am more than 95 % sure.)");
}

static void test_questions(void **state) {
    (void)state;
    struct error error;
    struct questions questions = {0};
    char path[64];
    snprintf(path, sizeof path, "/tmp/trine-questions-%d.jsonl", (int)getpid());
    write_text(path, "{\"question\":\"a?\",\"answers\":[\"b\"],\"wrong\":\"c\"}\n\n");
    assert_int_equal(questions_read(&questions, path, &error), 0);
    assert_int_equal(questions.count, 1);
    assert_string_equal(questions_text(&questions, 0), "a?");
    static const char *const BAD[] = {"{\"question\":\"a?\"}",
                                      "{\"question\":\"a?\",\"answers\":[]}",
                                      "{\"question\":1,\"answers\":[\"b\"]}",
                                      "{\"question\":\"a?\",\"answers\":[1]}",
                                      "[",
                                      "[]"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        write_text(path, BAD[i]);
        assert_int_equal(questions_read(&questions, path, &error), -1);
        assert_non_null(strstr(error.message, ":1: "));
    }
    questions_free(&questions);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims), cmocka_unit_test(test_many_claims),
        cmocka_unit_test(test_holds),  cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_fit),    cmocka_unit_test(test_file),
        cmocka_unit_test(test_words),  cmocka_unit_test(test_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
