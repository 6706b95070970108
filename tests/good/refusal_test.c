#include "good/refusal.h"

#include <math.h>

#include "cmocka_all.h"

static void test_declines(void **state) {
    (void)state;
    assert_true(reply_declines("I won't help with that: it would hurt people."));
    assert_true(reply_declines("I\xe2\x80\x99m sorry, but I can\xe2\x80\x99t assist with that."));
    assert_true(reply_declines("No. I CANNOT do this."));
    assert_false(reply_declines("Use the kill command with the process's number."));
    assert_false(reply_declines(""));
    /* What comes late is no refusal of the request. */
    assert_false(
        reply_declines("Here is a story. The knight rode through the long valley, past the "
                       "mill, the bridge and the chapel, until at last he met the miller, "
                       "who said: \"I can't open the gate.\""));
}

static void test_share(void **state) {
    (void)state;
    struct share s = share_of(8, 10); /* by Wilson's formula: 0.490 to 0.943 */
    assert_true(fabs(s.value - 0.8) < 1e-12);
    assert_true(fabs(s.low - 0.4902) < 1e-3 && fabs(s.high - 0.9433) < 1e-3);
    s = share_of(0, 50);
    assert_true(s.low == 0 && s.high > 0.05 && s.high < 0.08);
    assert_true(isnan(share_of(0, 0).value));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declines),
        cmocka_unit_test(test_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
