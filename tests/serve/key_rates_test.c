/* Buckets fill at their rate, and there are not too many of them. */
#include "serve/key_rates.h"

#include <pthread.h>
#include <stdio.h>

#include "cmocka_all.h"
#include "serve/keys.h"

enum { THREADS = 8 };

static struct key_rates *rates_create(void) {
    struct key_rates *rates;
    struct error error;
    assert_int_equal(key_rates_create(&rates, &error), 0);
    return rates;
}

static size_t take_all(struct key_rates *rates, const char *id, double rate, double now) {
    double wait;
    size_t granted = 0;
    while (granted < 1000 && key_rates_take(rates, id, rate, now, &wait))
        granted++;
    return granted;
}

static void test_bucket(void **state) {
    (void)state;
    struct key_rates *rates = rates_create();
    double wait = -1;
    assert_int_equal(take_all(rates, "a", 60, 100), 10);
    assert_int_equal(take_all(rates, "b", 60, 100), 10); /* not the same bucket */
    assert_int_equal(key_rates_take(rates, "a", 60, 100, &wait), 0);
    assert_true(wait > 0.999 && wait <= 1);
    assert_int_equal(key_rates_take(rates, "a", 60, 100 + 0.9 * wait, &wait), 0);
    assert_true(wait > 0.0999 && wait < 0.1001);
    assert_int_equal(key_rates_take(rates, "a", 60, 101, &wait), 1);
    assert_int_equal(take_all(rates, "a", 60, 101), 0);
    assert_int_equal(take_all(rates, "a", 60, 90), 0);  /* a clock that goes back fills nothing, */
    assert_int_equal(take_all(rates, "a", 60, 101), 0); /* nor does its coming forward again */
    assert_int_equal(take_all(rates, "a", 60, 104.5), 3);
    assert_int_equal(take_all(rates, "a", 60, 1e9), 10); /* never more than full */
    assert_int_equal(take_all(rates, "a", 6, 2e9), 1);   /* a rate that was lowered */
    assert_int_equal(take_all(rates, "c", 0, 100), 1000);
    key_rates_destroy(rates);
}

/* Rates that no binary fraction holds: who waits as long as was said is let in, and in the long run
 * nobody gets more than the rate. */
static void test_waiting(void **state) {
    (void)state;
    struct key_rates *rates = rates_create();
    static const double RATES[] = {0.01, 0.7, 1, 7, 61.3, 1e6};
    for (size_t i = 0; i < sizeof RATES / sizeof *RATES; i++) {
        char id[KEY_ID];
        double now = 1e6 / 3, wait = 0, start = now;
        snprintf(id, sizeof id, "%zu", i);
        while (key_rates_take(rates, id, RATES[i], now, &wait))
            ;
        for (size_t k = 0; k < 300; k++) {
            now += wait;
            assert_int_equal(key_rates_take(rates, id, RATES[i], now, &wait), 1);
            assert_int_equal(key_rates_take(rates, id, RATES[i], now, &wait), 0);
        }
        /* Less than one request was left in the bucket when it began. */
        assert_true((now - start) * RATES[i] / 60 > 299 - 1e-3);
    }
    key_rates_destroy(rates);
}

static void test_table_is_bounded(void **state) {
    (void)state;
    struct key_rates *rates = rates_create();
    char id[KEY_ID];
    double wait;
    for (int i = 0; i < KEY_RATES_LIMIT; i++) {
        snprintf(id, sizeof id, "%d", i);
        assert_int_equal(key_rates_take(rates, id, 1, 0, &wait), 1);
    }
    assert_int_equal(key_rates_take(rates, "0", 1, 0, &wait), 0); /* kept, and used now */
    assert_int_equal(key_rates_take(rates, "one more", 1, 0, &wait), 1);
    assert_int_equal(key_rates_take(rates, "0", 1, 0, &wait), 0); /* others were older: */
    assert_int_equal(key_rates_take(rates, "1", 1, 0, &wait), 1); /* this was forgotten, */
    assert_int_equal(key_rates_take(rates, "3", 1, 0, &wait), 0); /* "2" then, this never */
    for (int i = 0; i < 20 * KEY_RATES_LIMIT; i++) {
        snprintf(id, sizeof id, "x%d", i);
        assert_int_equal(key_rates_take(rates, id, 1, 0, &wait), 1);
    }
    key_rates_destroy(rates);
}

struct taker {
    struct key_rates *rates;
    size_t granted;
};

static void *take_many(void *context) {
    struct taker *taker = context;
    double wait;
    for (int i = 0; i < 2000; i++)
        taker->granted += (size_t)key_rates_take(taker->rates, "shared", 6000, 5, &wait);
    return NULL;
}

static void test_rates_threads(void **state) {
    (void)state;
    struct taker takers[THREADS] = {0};
    pthread_t threads[THREADS];
    struct key_rates *rates = rates_create();
    size_t granted = 0;
    for (size_t i = 0; i < THREADS; i++) {
        takers[i].rates = rates;
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, &takers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        granted += takers[i].granted;
    }
    assert_int_equal(granted, 1000);
    double before = key_rates_clock();
    assert_true(key_rates_clock() >= before && before > 0);
    key_rates_destroy(rates);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bucket),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_table_is_bounded),
        cmocka_unit_test(test_rates_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
