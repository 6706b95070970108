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
        struct evidence evidence = {.said = said[number], .sign = 1};
        listened->judgements[i] =
            (struct judgement){.clause_count = 1, .clauses = {evidence}, .worded = evidence};
    }
}

static void unmake(struct belief_base *base, struct listened *listened) {
    listened_free(listened);
    belief_base_free(base);
}

static double confidence_of(const struct judging *judging) {
    return judging->calibration[LAYER_CONFIDENCE];
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
    assert_int_equal(judging_fit(&judging, &listened, EVIDENCE_ALL, &error), 0);
    assert_true(fabs(judging.calibration[LAYER_SAID] - 1) < 0.2);
    assert_true(confidence_of(&judging) > 1.5 && confidence_of(&judging) < 2.5);
    assert_int_equal(judging_evaluate(&judged, &coherent, &judging, &listened, NULL, &error), 0);
    assert_true(coherent.coherence.violation < 1e-3 && judged.coherence.violation > 0.1);
    assert_true(coherent.judgement.calibration_error < 0.05);
    assert_true(coherent.judgement.log_loss < judged.judgement.log_loss - 0.03);
    judging.calibration[LAYER_CONFIDENCE] = 1;
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
    assert_int_equal(judging_fit(&judging, &listened, EVIDENCE_ALL, &error), 0);
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
        assert_true(fabs(j->probability - 1 / (1 + exp(-j->clauses[0].said))) < 1e-9);
        assert_true(fabs(judging_confident(&judging, j->probability) - j->probability) < 1e-9);
    }
    unmake(&base, &listened);
}

/* Every third statement becomes two that are joined: of independent clauses nothing is to be
 * shifted; where "both" holds as often as not, it is. What a negation holds counts the other way
 * round. */
static double joined_shift(int is_joined_often) {
    struct error error;
    struct belief_base base;
    struct listened listened;
    struct judging judging = {0};
    make(&base, &listened, 1);
    for (size_t i = 0; i + 2 < listened.texts.count; i += 3) {
        struct judgement *j = &listened.judgements[i];
        struct belief *own = &base.items[listened.texts.places[i]];
        const struct belief *next = &base.items[listened.texts.places[i + 1]];
        j->connective = CONNECTIVE_BOTH;
        j->clause_count = 2;
        j->clauses[1] = listened.judgements[i + 1].clauses[0];
        int holds = own->verdict == VERDICT_TRUE && next->verdict == VERDICT_TRUE;
        own->verdict = holds || (is_joined_often && i % 2 == 0) ? VERDICT_TRUE : VERDICT_FALSE;
    }
    assert_int_equal(judging_fit(&judging, &listened, EVIDENCE_OWN, &error), 0);
    assert_true(fabs(judging.calibration[LAYER_SAID] - 1) < 0.3);
    double shift = judging.calibration[LAYER_JOINED];
    judging_weigh(&judging, &listened);
    struct judgement *j = &listened.judgements[1];
    double before = j->probability;
    j->is_denied[0] = 1;
    judging_weigh(&judging, &listened);
    assert_true(fabs(j->probability + before - 1) < 1e-9);
    unmake(&base, &listened);
    return shift;
}

static void test_joined(void **state) {
    (void)state;
    assert_true(joined_shift(1) > joined_shift(0) + 0.5);
}

/* What is heard of another counts when it is asked for, and only then. */
static void test_beside(void **state) {
    (void)state;
    struct error error;
    struct belief_base base;
    struct listened listened;
    struct asking other = {0};
    struct judging judging = {.beside = &other};
    struct judging_report own, all, coherent;
    assert_int_equal(polarity_create(&judging.polarity, &error), 0);
    make(&base, &listened, 1);
    for (size_t i = 0; i < listened.texts.count; i++) {
        struct evidence *e = &listened.judgements[i].clauses[0];
        int is_true = base.items[listened.texts.places[i]].verdict == VERDICT_TRUE;
        e->beside = -9 + (i % 5 != 0 ? 1 : -1) * (is_true ? 2 : -2); /* right four times of five */
        listened.judgements[i].worded = *e;
    }
    assert_int_equal(judging_fit(&judging, &listened, EVIDENCE_OWN, &error), 0);
    assert_true(judging.calibration[LAYER_BESIDE] == 0);
    assert_int_equal(judging_evaluate(&own, &coherent, &judging, &listened, NULL, &error), 0);
    assert_int_equal(judging_fit(&judging, &listened, EVIDENCE_ALL, &error), 0);
    assert_true(judging.calibration[LAYER_BESIDE] > 0.3);
    judging_weigh(&judging, &listened);
    assert_int_equal(judging_evaluate(&all, &coherent, &judging, &listened, NULL, &error), 0);
    assert_true(all.judgement.log_loss < own.judgement.log_loss - 0.05);
    polarity_destroy(judging.polarity);
    unmake(&base, &listened);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_independent),  cmocka_unit_test(test_the_same),
        cmocka_unit_test(test_uncalibrated), cmocka_unit_test(test_joined),
        cmocka_unit_test(test_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
