/* What a market thinks of a sentence, found by what it says. */
#include <stdio.h>
#include <unistd.h>

#include "serve/model_market.h"
#include "serve/text_key.h"
#include "serve/tiny_market.h"

static char path[] = "/tmp/trine-market-XXXXXX";
static struct model_market *market;

static int set_up(void **state) {
    (void)state;
    struct error error;
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    tiny_market_save(path, "kelly");
    if (model_market_open(&market, path, &error))
        fail_msg("%s", error.message);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    model_market_close(market);
    return unlink(path);
}

static void check_key(const char *text, const char *expected) {
    struct error error;
    char *key;
    if (text_key(&key, text, &error))
        fail_msg("%s: %s", text, error.message);
    assert_string_equal(key, expected);
    free(key);
}

static void test_keys(void **state) {
    (void)state;
    static const char *const KEYS[][2] = {
        {"", ""},
        {" ... !", ""},
        {"The fox,  is\tQUICK!", "the fox is quick"},
        {"\xe2\x80\x9cThe fox\xe2\x80\x9d \xe2\x80\x94 quick\xe2\x80\xa6", "the fox quick"},
        {"isn't", "isn t"},
        {"isn\xe2\x80\x99t", "isn t"},
        {"Stra\xc3\x9f"
         "e",
         "strasse"},
        {"caf\x65\xcc\x81", "caf\xc3\xa9"}, /* composed or not */
        {"It is -5 degrees.", "it is -5 degrees"},
        {"It is \xe2\x88\x92"
         "5 degrees.",
         "it is -5 degrees"},
        {"3.14, or 3,14", "3.14 or 3,14"},
        {"COVID-19", "covid 19"},
        {"5% of C++ (and C#)", "5% of c++ (and c#)"},
        {"a.", "a"},
        {"the year 1900.", "the year 1900"},
        {"soft\xc2\xadware", "software"},
    };
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        check_key(KEYS[i][0], KEYS[i][1]);
    struct error error;
    char *key;
    assert_int_equal(text_key(&key, "fox\xff", &error), -1);
    assert_null(key);
    assert_non_null(strstr(error.message, "UTF-8"));
}

static size_t find(const char *text) {
    struct error error;
    size_t sentence;
    if (model_market_find(market, text, &sentence, &error))
        fail_msg("%s", error.message);
    return sentence;
}

static void test_finding(void **state) {
    (void)state;
    assert_int_equal(find("The fox is quick."), 0);
    assert_int_equal(find("the FOX, is quick"), 0);
    assert_int_equal(find("The dog is lazy!"), 1);
    assert_int_equal(find("it is -5.5 degrees; isn't it"), 2);
    assert_true(find("it is 5.5 degrees, isn't it?") == SIZE_MAX);
    assert_int_equal(find("dog"), 1); /* its name */
    assert_int_equal(find("\"The fox is quick.\" and (\"the dog is lazy\" or \"It is -5.5 degrees, "
                          "isn\xe2\x80\x99t it?\")"),
                     3);
    assert_true(find("(\"The fox is quick.\" and \"the dog is lazy\") or \"It is -5.5 degrees, "
                     "isn't it?\"") == SIZE_MAX);
    assert_true(find("the fox is quicker") == SIZE_MAX);
    assert_true(find("") == SIZE_MAX);
    assert_true(find("?!") == SIZE_MAX);
    struct error error;
    size_t sentence;
    assert_int_equal(model_market_find(market, "\xc3", &sentence, &error), -1);
}

static void check_search(const char *search, size_t most, const char *expected, size_t all) {
    struct error error;
    size_t places[TINY_SENTENCES], count, total;
    char found[32] = "";
    if (model_market_search(market, search, most, places, &count, &total, &error))
        fail_msg("%s", error.message);
    for (size_t i = 0; i < count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%zu", places[i]);
    assert_string_equal(found, expected);
    assert_int_equal(total, all);
}

static void test_searching(void **state) {
    (void)state;
    check_search("", TINY_SENTENCES, "01234", 5);
    check_search("", 2, "01", 5);
    check_search("FOX", TINY_SENTENCES, "034", 3);
    check_search("laz the", TINY_SENTENCES, "134", 3);
    check_search("azy", TINY_SENTENCES, "", 0); /* words by their beginnings */
    check_search("fox, dog: implies", TINY_SENTENCES, "4", 1);
    check_search("wolf", TINY_SENTENCES, "", 0);
}

static void check_text(const json_t *json, const char *key, const char *expected) {
    const json_t *value = json_object_get(json, key);
    if (expected == NULL)
        assert_true(json_is_null(value));
    else
        assert_string_equal(json_string_value(value), expected);
}

static void check_sentence(size_t sentence, const char *name, int is_formula, const char *verdict,
                           int day) {
    json_t *json = model_market_sentence(market, sentence);
    assert_non_null(json);
    check_text(json, "name", name);
    check_text(json, "verdict", verdict);
    assert_int_equal(json_is_true(json_object_get(json, "formula")), is_formula);
    assert_true(fabs(json_real_value(json_object_get(json, "price")) -
                     tiny_price(TINY_DAYS - 1, sentence)) < 1e-12);
    if (day < 0)
        assert_true(json_is_null(json_object_get(json, "day")));
    else
        assert_int_equal(json_integer_value(json_object_get(json, "day")), day);
    json_decref(json);
}

static void test_sentences(void **state) {
    (void)state;
    check_sentence(0, "fox", 0, "true", 2);
    check_sentence(1, "dog", 0, NULL, -1);
    check_sentence(2, "cold", 0, "false", 3);
    check_sentence(3, "both", 1, NULL, -1);
    check_sentence(4, "", 1, "law", 0);
}

static void test_histories(void **state) {
    (void)state;
    json_t *json = model_market_history(market, 2);
    const json_t *prices = json_object_get(json, "prices");
    assert_int_equal(json_array_size(prices), TINY_DAYS);
    for (size_t d = 0; d < TINY_DAYS; d++) {
        const json_t *point = json_array_get(prices, d);
        assert_int_equal(json_integer_value(json_object_get(point, "day")), d + 1);
        assert_true(json_real_value(json_object_get(point, "price")) == tiny_price(d, 2));
    }
    const json_t *traders = json_object_get(json, "traders");
    assert_int_equal(json_array_size(traders), MARKET_TRADERS_MOST);
    check_text(json_array_get(traders, 0), "name", "trader 9");
    check_text(json_array_get(traders, 1), "name", "trader 7"); /* 8 weighs no number: the last */
    assert_true(fabs(json_real_value(json_object_get(json_array_get(traders, 0), "belief")) - 0.5) <
                1e-12);
    json_decref(json);
    json = model_market_history(market, 1);
    traders = json_object_get(json, "traders");
    assert_int_equal(json_array_size(traders), 2);
    check_text(json_array_get(traders, 1), "name", "trader 8");
    assert_true(json_is_null(json_object_get(json_array_get(traders, 1), "wealth")));
    json_decref(json);
}

/* In an exact market traders hold shares. */
static void test_exact(void **state) {
    (void)state;
    struct error error;
    char other[] = "/tmp/trine-market-XXXXXX";
    struct model_market *exact;
    int file = mkstemp(other);
    assert_true(file >= 0);
    close(file);
    tiny_market_save(other, "exact");
    if (model_market_open(&exact, other, &error))
        fail_msg("%s", error.message);
    json_t *json = model_market_history(exact, 0);
    const json_t *first = json_array_get(json_object_get(json, "traders"), 0);
    assert_true(fabs(json_real_value(json_object_get(first, "shares")) - 0.5) < 1e-12);
    assert_null(json_object_get(first, "belief"));
    json_decref(json);
    model_market_close(exact);
    unlink(other);
}

/* What is no record, or not to be shown as JSON, is refused with the file's name. */
static void test_broken(void **state) {
    (void)state;
    static const char *const CHANGES[] = {
        "UPDATE sentences SET text = CAST(x'666f78ff' AS TEXT) WHERE id = 1",
        "UPDATE sentences SET name = CAST(x'ff' AS TEXT) WHERE id = 1",
        "UPDATE traders SET name = CAST(x'c3' AS TEXT) WHERE id = 1",
        "UPDATE prices SET price = 2",
    };
    struct error error;
    struct model_market *broken;
    assert_int_equal(model_market_open(&broken, "/nowhere", &error), -1);
    assert_null(broken);
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        char other[] = "/tmp/trine-market-XXXXXX";
        int file = mkstemp(other);
        sqlite3 *database;
        assert_true(file >= 0);
        close(file);
        tiny_market_save(other, "kelly");
        assert_int_equal(sqlite3_open(other, &database), SQLITE_OK);
        assert_int_equal(sqlite3_exec(database, CHANGES[i], NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(database), SQLITE_OK);
        assert_int_equal(model_market_open(&broken, other, &error), -1);
        assert_non_null(strstr(error.message, other));
        unlink(other);
    }
}

/* Of very many days evenly so many are told, the first and the last among them. */
static void test_many_days(void **state) {
    (void)state;
    enum { DAYS = 5001 };
    struct belief_base base;
    struct market_record record;
    struct error error;
    struct model_market *long_market;
    char other[] = "/tmp/trine-market-XXXXXX";
    int file = mkstemp(other);
    assert_true(file >= 0);
    close(file);
    tiny_market_base(&base);
    assert_int_equal(market_record_create(&record, "kelly", &base, 0, DAYS, &error), 0);
    for (size_t d = 0; d < DAYS; d++)
        record.prices[d * TINY_SENTENCES] = (double)d / DAYS;
    if (market_record_save(&record, other, &error) ||
        model_market_open(&long_market, other, &error))
        fail_msg("%s", error.message);
    json_t *json = model_market_history(long_market, 0);
    const json_t *prices = json_object_get(json, "prices");
    assert_int_equal(json_array_size(prices), MARKET_PRICES_MOST);
    json_int_t before = 0;
    for (size_t i = 0; i < MARKET_PRICES_MOST; i++) {
        const json_t *point = json_array_get(prices, i);
        json_int_t day = json_integer_value(json_object_get(point, "day"));
        assert_true(day > before && day <= before + 3);
        assert_true(json_real_value(json_object_get(point, "price")) == (double)(day - 1) / DAYS);
        before = day;
    }
    assert_int_equal(before, DAYS);
    json_decref(json);
    model_market_close(long_market);
    market_record_free(&record);
    belief_base_free(&base);
    unlink(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),      cmocka_unit_test(test_finding),
        cmocka_unit_test(test_searching), cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_histories), cmocka_unit_test(test_exact),
        cmocka_unit_test(test_broken),    cmocka_unit_test(test_many_days),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
