#include "base/cancellation.h"

#include <pthread.h>
#include <string.h>

#include "cmocka_all.h"

static int ask(void *context) {
    int *left = context;
    return (*left)-- == 0;
}

static void *check_elsewhere(void *context) {
    struct error error;
    *(int *)context = cancellation_check(&error);
    return NULL;
}

static void test_check(void **state) {
    (void)state;
    struct error error = {""};
    int left = 2, elsewhere = -1;
    pthread_t thread;
    assert_int_equal(cancellation_check(&error), 0);
    cancellation_set(ask, &left);
    assert_int_equal(cancellation_check(&error), 0);
    assert_int_equal(cancellation_check(&error), 0);
    assert_string_equal(error.message, "");
    assert_int_equal(pthread_create(&thread, NULL, check_elsewhere, &elsewhere), 0);
    pthread_join(thread, NULL);
    assert_int_equal(elsewhere, 0); /* it is about the thread that was told */
    assert_int_equal(cancellation_check(&error), -1);
    assert_string_equal(error.message, "given up, since nobody waits for it any more");
    cancellation_set(NULL, NULL);
    assert_int_equal(cancellation_check(&error), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_check)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
