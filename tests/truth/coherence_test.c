#include "truth/coherence.h"

#include <math.h>

#include "cmocka_all.h"

static void add(struct belief_base *base, const char *id, const char *text) {
    struct error error;
    struct belief belief = {.id = (char *)id, .verdict = VERDICT_UNKNOWN, .weight = 1};
    if (*id == '\0') {
        belief.is_constraint = 1;
        belief.verdict = VERDICT_TRUE;
        assert_int_equal(sentences_parse(base->sentences, text, &belief.sentence, &error), 0);
    } else {
        assert_int_equal(sentences_add_atom(base->sentences, text, &belief.sentence, &error), 0);
        assert_int_equal(sentences_add_name(base->sentences, id, belief.sentence, &error), 0);
    }
    assert_int_equal(belief_base_add(base, &belief, &error), 0);
}

static void test_violations(void **state) {
    (void)state;
    struct belief_base base = {0};
    struct coherence_report report;
    struct error error;
    double prices[64];
    assert_int_equal(sentences_create(&base.sentences, &error), 0);
    const char *const names[] = {"a", "b", "n", "c", "d", "e"};
    for (size_t i = 0; i < 6; i++)
        add(&base, names[i], names[i]);
    add(&base, "", "n iff not a");
    add(&base, "", "c iff (a and b)");
    add(&base, "", "(a or b) iff d");
    add(&base, "", "not (a and b)");
    add(&base, "", "a implies b");
    add(&base, "", "e iff not b");
    for (size_t i = 0; i < 64; i++)
        prices[i] = NAN;
    /* e has no price: its law does not count. */
    const double given[] = {0.7, 0.6, 0.5, 0.2, 0.9};
    for (uint32_t i = 0; i < 5; i++)
        prices[base.items[i].sentence] = given[i];
    assert_int_equal(coherence_report_make(&report, &base, prices, &error), 0);
    assert_int_equal(report.count, 5);
    assert_true(fabs(report.violations[LAW_NOT] - 0.2) < 1e-12);
    assert_true(fabs(report.violations[LAW_AND] - 0.1) < 1e-12); /* a + b - 1 - c */
    assert_true(report.violations[LAW_OR] == 0);
    assert_true(fabs(report.violations[LAW_EXCLUSION] - 0.3) < 1e-12);
    assert_true(fabs(report.violations[LAW_OTHER] - 0.1) < 1e-12);
    assert_true(fabs(report.violation - 0.7 / 5) < 1e-12);
    prices[base.items[3].sentence] = 0.65;
    assert_int_equal(coherence_report_make(&report, &base, prices, &error), 0);
    assert_true(fabs(report.violations[LAW_AND] - 0.05) < 1e-12); /* c - b */
    belief_base_free(&base);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_violations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
