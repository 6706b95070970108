#include "truth/market_record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "truth/opinions.h"

static char directory[] = "/tmp/trine-test-XXXXXX";

static const char *path_of(const char *name) {
    static char path[2][200];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", directory, name);
    return path[turn];
}

static void make_base(struct belief_base *base) {
    struct error error;
    *base = (struct belief_base){0};
    assert_int_equal(sentences_create(&base->sentences, &error), 0);
    for (size_t i = 0; i < 3; i++) {
        static const char *const NAMES[] = {"a", "b", "c"};
        struct belief b = {.id = (char *)NAMES[i],
                           .verdict = i == 0 ? VERDICT_TRUE : VERDICT_UNKNOWN,
                           .weight = 1,
                           .day = (uint32_t)i};
        assert_int_equal(sentences_add_atom(base->sentences, NAMES[i], &b.sentence, &error), 0);
        assert_int_equal(sentences_add_name(base->sentences, NAMES[i], b.sentence, &error), 0);
        assert_int_equal(belief_base_add(base, &b, &error), 0);
    }
}

static void save_one(const char *name) {
    struct belief_base base;
    struct market_record record;
    struct error error;
    make_base(&base);
    assert_int_equal(market_record_create(&record, "exact", &base, 2, 4, &error), 0);
    for (size_t i = 0; i < 12; i++)
        record.prices[i] = (double)i / 12;
    record.days[3] = (struct market_day){0.5, 0.25, 0.125};
    record.traders[0].name = strdup("first");
    record.traders[1].name = strdup("second");
    record.traders[1].weight = 0.75;
    record.traders[1].holding[2] = -1.5;
    if (market_record_save(&record, path_of(name), &error))
        fail_msg("%s", error.message);
    market_record_free(&record);
    belief_base_free(&base);
}

static void test_read_back(void **state) {
    (void)state;
    struct market_record record;
    struct error error;
    save_one("record");
    if (market_record_load(&record, path_of("record"), &error))
        fail_msg("%s", error.message);
    assert_true(record.sentence_count == 3 && record.trader_count == 2 && record.day_count == 4);
    for (size_t i = 0; i < 12; i++)
        assert_true(record.prices[i] == (double)i / 12);
    assert_true(record.days[3].gain == 0.5 && record.days[3].incoherence == 0.125);
    assert_string_equal(record.traders[1].name, "second");
    assert_true(record.traders[1].holding[2] == -1.5 && isnan(record.traders[0].holding[0]));
    assert_true(record.sentences[0].verdict == VERDICT_TRUE && record.sentences[2].day == 2);
    assert_int_equal(market_record_find(&record, "b"), 1);
    assert_true(market_record_find(&record, "d") == SIZE_MAX);
    market_record_free(&record);
}

static void test_hostile_records(void **state) {
    (void)state;
    static const char *const CHANGES[] = {"UPDATE prices SET price = 1.5 WHERE day = 2",
                                          "UPDATE prices SET price = 'high' WHERE 0; UPDATE prices "
                                          "SET sentence = 7 WHERE day = 1 AND sentence = 1",
                                          "DELETE FROM sentences WHERE id = 1",
                                          "UPDATE sentences SET verdict = 9",
                                          "UPDATE meta SET value = 'magic' WHERE key = 'engine'",
                                          "DROP TABLE holdings; CREATE VIEW holdings AS SELECT 0 "
                                          "AS trader, 0 AS sentence, 1 AS amount",
                                          "INSERT INTO days VALUES(-3, 0, 0, 0)",
                                          "UPDATE holdings SET trader = 5",
                                          "DROP TABLE days"};
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        sqlite3 *database;
        struct market_record record;
        struct error error;
        save_one("hostile");
        assert_int_equal(sqlite3_open(path_of("hostile"), &database), SQLITE_OK);
        assert_int_equal(sqlite3_exec(database, CHANGES[i], NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(database);
        if (market_record_load(&record, path_of("hostile"), &error) == 0)
            fail_msg("read: %s", CHANGES[i]);
        assert_null(record.prices);
    }
}

static void write_file(const char *name, const char *text) {
    FILE *stream = fopen(path_of(name), "w");
    fputs(text, stream);
    fclose(stream);
}

static void test_opinions(void **state) {
    (void)state;
    struct belief_base base;
    struct opinions opinions = {0};
    struct error error;
    const uint8_t known[] = {VERDICT_UNKNOWN, VERDICT_UNKNOWN, VERDICT_UNKNOWN};
    const uint32_t families[] = {0, 0, 0};
    make_base(&base);
    write_file("opinions",
               "{\"trader\": \"x\", \"sentence\": \"a\", \"belief\": 0.9, \"day\": 5}\n"
               "{\"trader\": \"y\", \"sentence\": \"b\", \"belief\": 0.1}\n"
               "{\"trader\": \"x\", \"sentence\": \"a\", \"belief\": 0.4}\n"
               "{\"trader\": \"x\", \"sentence\": \"a\", \"belief\": 0.3}\n"
               "{\"trader\": \"y\", \"sentence\": \"b\", \"belief\": null, \"day\": 7}\n");
    if (opinions_read(&opinions, path_of("opinions"), &base, &error))
        fail_msg("%s", error.message);
    assert_int_equal(opinions_start(&opinions, &base, &error), 0);
    assert_int_equal(opinions.trader_count, 2);
    assert_int_equal(opinions_set_day(&opinions, 1, known, families, 0, &error), 0);
    assert_true(opinions.beliefs[0] == 0.3 && opinions.beliefs[3 + 1] == 0.1);
    assert_true(isnan(opinions.beliefs[2]));
    assert_int_equal(opinions_set_day(&opinions, 6, known, families, 0, &error), 0);
    assert_true(opinions.beliefs[0] == 0.9 && opinions.beliefs[3 + 1] == 0.1);
    assert_int_equal(opinions_set_day(&opinions, 7, known, families, 0, &error), 0);
    assert_true(isnan(opinions.beliefs[3 + 1]));
    opinions_free(&opinions);
    static const char *const BROKEN[] = {
        "{\"trader\": \"x\", \"sentence\": \"z\", \"belief\": 0.9}",
        "{\"trader\": \"x\", \"sentence\": \"a\", \"belief\": 1.9}",
        "{\"trader\": \"x\", \"sentence\": \"a\"}",
        "{\"trader\": \"x\", \"sentence\": \"a\", \"belief\": 0.5, \"log_odds\": 1}",
        "{\"trader\": \"x\", \"sentence\": \"a\", \"log_odds\": null}",
        "{\"trader\": \"x\", \"sentence\": \"a\", \"belief\": 0.9, \"day\": 0}",
        "{\"trader\": \"x\", \"sentence\": \"a\", \"belief\": 0.9, \"mood\": 1}",
        "{"};
    for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++) {
        write_file("broken", BROKEN[i]);
        assert_int_equal(opinions_read(&opinions, path_of("broken"), &base, &error), -1);
        assert_non_null(strstr(error.message, ":1: "));
        opinions_free(&opinions);
    }
    belief_base_free(&base);
}

/* A trader that says log odds is believed as far as it was right about what is known, and not by
 * what it says of that by itself. */
static void test_calibrated_opinions(void **state) {
    (void)state;
    struct belief_base base;
    struct opinions opinions = {0};
    struct error error;
    const uint8_t known[] = {VERDICT_TRUE, VERDICT_FALSE, VERDICT_UNKNOWN};
    const uint8_t nothing[] = {VERDICT_UNKNOWN, VERDICT_UNKNOWN, VERDICT_UNKNOWN};
    const uint32_t families[] = {0, 0, 0};
    make_base(&base);
    const double said[] = {-9, 3, -8};
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(
            opinions_add(&opinions, "backwards", OPINION_LOG_ODDS, i, 1, said[i], &error), 0);
    assert_int_equal(opinions_add(&opinions, "backwards", OPINION_PROBABILITY, 0, 1, 0.5, &error),
                     -1);
    assert_int_equal(opinions_start(&opinions, &base, &error), 0);
    assert_int_equal(opinions_set_day(&opinions, 1, nothing, families, 0, &error), 0);
    assert_true(fabs(opinions.beliefs[2] - 0.5) < 1e-9);
    assert_int_equal(opinions_set_day(&opinions, 2, known, families, 0, &error), 0);
    assert_true(opinions.beliefs[2] > 0.52 && opinions.beliefs[1] < 0.48);
    opinions_free(&opinions);
    belief_base_free(&base);
}

static int enter(void **state) {
    (void)state;
    return mkdtemp(directory) == NULL;
}

static int leave(void **state) {
    (void)state;
    char command[200];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_back),
        cmocka_unit_test(test_hostile_records),
        cmocka_unit_test(test_opinions),
        cmocka_unit_test(test_calibrated_opinions),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
