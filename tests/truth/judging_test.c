/* How sure to be, fitted: of statements by themselves, and of those that laws bind. */
#include "truth/judging.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "cmocka_all.h"

enum { PAIRS = 400 };

/* PAIRS statements and their negations; what is said of a statement is its log odds as a noisy
 * witness has them. The negation is said to be the opposite by another witness, or by the same. */
static void make(struct belief_base *base, struct listened *listened, int is_another) {
    struct error error;
    struct random random;
    struct sentences *sentences;
    random_seed(&random, 5, 0);
    *base = (struct belief_base){0};
    assert_int_equal(sentences_create(&sentences, &error), 0);
    base->sentences = sentences;
    double said[2 * PAIRS];
    for (int i = 0; i < 2 * PAIRS; i++) {
        char text[32], law[96];
        int is_negation = i % 2, is_true = (i / 2) % 2 != is_negation;
        uint32_t id, formula;
        snprintf(text, sizeof text, "s%d", i);
        assert_int_equal(sentences_add_atom(sentences, text, &id, &error), 0);
        struct belief belief = {
            .sentence = id, .verdict = is_true ? VERDICT_TRUE : VERDICT_FALSE, .weight = 1};
        assert_int_equal(belief_base_add(base, &belief, &error), 0);
        /* Normal about +-m with variance 2 m: the log odds are those of the outcome. */
        double mean = 1, noise = sqrt(2 * mean) * random_normal(&random);
        said[i] = is_negation && !is_another ? -said[i - 1] : (is_true ? mean : -mean) + noise;
        if (is_negation) {
            snprintf(law, sizeof law, "\"s%d\" iff not \"s%d\"", i, i - 1);
            assert_int_equal(sentences_parse(sentences, law, &formula, &error), 0);
            belief = (struct belief){
                .sentence = formula, .is_constraint = 1, .verdict = VERDICT_TRUE, .weight = 1};
            assert_int_equal(belief_base_add(base, &belief, &error), 0);
        }
    }
    *listened = (struct listened){.base = base};
    assert_int_equal(base_texts_collect(&listened->texts, base, &error), 0);
    assert_int_equal(listened->texts.count, 2 * PAIRS);
    listened->judgements = memory_allocate(2 * PAIRS, sizeof *listened->judgements, &error);
    assert_non_null(listened->judgements);
    for (size_t i = 0; i < 2 * PAIRS; i++) {
        int number = atoi(listened->texts.texts[i] + 1);
        listened->judgements[i] = (struct judgement){.said = said[number], .sign = 1};
    }
}

static void unmake(struct belief_base *base, struct listened *listened) {
    listened_free(listened);
    belief_base_free(base);
}

static double confidence_of(const struct judging *judging) {
    return judging->calibration[LAYER_CALIBRATION - 1];
}

/* Two witnesses who do not copy from each other are surer together than their mean, which is what
 * coherence makes of them: the factor that is right is 2. */
static void test_independent(void **state) {
    (void)state;
    struct error error;
    struct belief_base base;
    struct listened listened;
    struct judging judging = {0};
    struct judging_report judged, coherent;
    make(&base, &listened, 1);
    assert_int_equal(judging_fit(&judging, &listened, 0, &error), 0);
    assert_true(fabs(judging.calibration[0] - 1) < 0.2);
    assert_true(confidence_of(&judging) > 1.5 && confidence_of(&judging) < 2.5);
    assert_int_equal(judging_evaluate(&judged, &coherent, &judging, &listened, NULL, &error), 0);
    assert_true(coherent.coherence.violation < 1e-3 && judged.coherence.violation > 0.1);
    assert_true(coherent.judgement.calibration_error < 0.05);
    assert_true(coherent.judgement.log_loss < judged.judgement.log_loss - 0.03);
    judging.calibration[LAYER_CALIBRATION - 1] = 1;
    struct judging_report unsure;
    assert_int_equal(judging_evaluate(&judged, &unsure, &judging, &listened, NULL, &error), 0);
    assert_true(unsure.judgement.log_loss > coherent.judgement.log_loss + 0.02);
    unmake(&base, &listened);
}

/* One witness heard twice is no surer. */
static void test_the_same(void **state) {
    (void)state;
    struct error error;
    struct belief_base base;
    struct listened listened;
    struct judging judging = {0};
    make(&base, &listened, 0);
    assert_int_equal(judging_fit(&judging, &listened, 0, &error), 0);
    assert_true(confidence_of(&judging) > 0.8 && confidence_of(&judging) < 1.2);
    unmake(&base, &listened);
}

/* As it is: neither shifted nor scaled. */
static void test_uncalibrated(void **state) {
    (void)state;
    struct belief_base base;
    struct listened listened;
    struct judging judging = {0};
    make(&base, &listened, 1);
    judging_uncalibrated(&judging);
    judging_weigh(&judging, &listened);
    for (size_t i = 0; i < 2 * PAIRS; i++) {
        const struct judgement *j = &listened.judgements[i];
        assert_true(fabs(j->probability - 1 / (1 + exp(-j->said))) < 1e-12);
        assert_true(fabs(judging_confident(&judging, j->probability) - j->probability) < 1e-9);
    }
    unmake(&base, &listened);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_independent),
        cmocka_unit_test(test_the_same),
        cmocka_unit_test(test_uncalibrated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
