/* Manifests: what is read, and that each wrong one is refused with the key in the message. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "text/manifest.h"

static void test_full_manifest(void **state) {
    (void)state;
    static const char JSON[] =
        "{\"name\":\"N\",\"text\":\"body\",\"id\":[\"year\",\"name\"],\"vocabulary\":512,"
        "\"slots\":{\"z\":{\"kind\":\"categorical\",\"field\":\"name\",\"missing\":[\"none\",0]},"
        "\"a\":{\"kind\":\"date\",\"field\":\"year\"},"
        "\"m\":{\"kind\":\"place\",\"fields\":[\"lat\",\"lon\"]}},"
        "\"held_out\":{\"documents\":[\"b\",\"a\"]}}";
    struct manifest m;
    struct error error;
    assert_int_equal(manifest_parse(&m, JSON, sizeof JSON - 1, &error), 0);
    assert_string_equal(m.text, "body");
    assert_int_equal(m.id.count, 2);
    assert_int_equal(m.vocabulary, 512);
    assert_int_equal(m.slot_count, 3);
    assert_string_equal(m.slots[0].name, "z"); /* the manifest's order */
    assert_string_equal(m.slots[1].name, "a");
    assert_string_equal(m.slots[0].missing.items[1], "0");
    assert_int_equal(m.slots[2].kind, SLOT_PLACE);
    assert_string_equal(m.slots[2].fields[1], "lon");
    assert_int_equal(m.held_out.rule, HELD_OUT_DOCUMENTS);
    assert_string_equal(m.held_out.documents.items[0], "a");
    manifest_free(&m);
}

static void test_defaults(void **state) {
    (void)state;
    struct manifest m;
    struct error error;
    assert_int_equal(manifest_parse(&m, "{\"name\":\"N\"}", 12, &error), 0);
    assert_string_equal(m.text, "text");
    assert_int_equal(m.id.count, 0);
    assert_int_equal(m.vocabulary, MANIFEST_VOCABULARY);
    assert_int_equal(m.slot_count, 0);
    assert_int_equal(m.held_out.rule, HELD_OUT_NONE);
    assert_null(m.image);
    manifest_free(&m);
    assert_int_equal(manifest_parse(&m, "{\"name\":\"N\",\"image\":\"i\"}", 24, &error), 0);
    assert_string_equal(m.image, "i");
    assert_int_equal(m.patches, MANIFEST_PATCHES);
    manifest_free(&m);
}

static void test_wrong_manifests(void **state) {
    (void)state;
    static const struct {
        const char *json, *complaint;
    } CASES[] = {
        {"", "no JSON"},
        {"[]", "must be an object"},
        {"{\"name\":\"a\",\"name\":\"b\"}", "duplicate"},
        {"{}", "\"name\""},
        {"{\"name\":\"\"}", "\"name\""},
        {"{\"name\":\"a\",\"colour\":1}", "\"colour\""},
        {"{\"name\":\"a\",\"text\":3}", "\"text\""},
        {"{\"name\":\"a\",\"id\":[]}", "\"id\""},
        {"{\"name\":\"a\",\"id\":[{}]}", "\"id\""},
        {"{\"name\":\"a\",\"vocabulary\":\"x\"}", "vocabulary"},
        {"{\"name\":\"a\",\"image\":1}", "\"image\""},
        {"{\"name\":\"a\",\"patches\":64}", "\"image\""},
        {"{\"name\":\"a\",\"image\":\"i\",\"patches\":1}", "from 2 to 4096"},
        {"{\"name\":\"a\",\"image\":\"i\",\"patches\":4097}", "from 2 to 4096"},
        {"{\"name\":\"a\",\"image\":\"i\",\"patches\":\"x\"}", "from 2 to 4096"},
        {"{\"name\":\"a\",\"vocabulary\":-1}", "vocabulary"},
        {"{\"name\":\"a\",\"slots\":[]}", "slots"},
        {"{\"name\":\"a\",\"slots\":{\"s\":{\"kind\":\"color\",\"field\":\"f\"}}}", "\"kind\""},
        {"{\"name\":\"a\",\"slots\":{\"s\":{\"kind\":\"date\"}}}", "\"field\""},
        {"{\"name\":\"a\",\"slots\":{\"s\":{\"kind\":\"date\",\"field\":\"f\",\"x\":1}}}", "\"x\""},
        {"{\"name\":\"a\",\"slots\":{\"s\":{\"kind\":\"place\",\"field\":\"f\",\"fields\":[\"a\","
         "\"b\"]}}}",
         "\"fields\""},
        {"{\"name\":\"a\",\"slots\":{\"s\":{\"kind\":\"place\"}}}", "\"field\""},
        {"{\"name\":\"a\",\"slots\":{\"s\":{\"kind\":\"place\",\"fields\":[\"f\"]}}}",
         "\"fields\""},
        {"{\"name\":\"a\",\"slots\":{\"s\":{\"kind\":\"date\",\"fields\":[\"f\"]}}}", "\"fields\""},
        {"{\"name\":\"a\",\"held_out\":{}}", "held_out"},
        {"{\"name\":\"a\",\"held_out\":{\"documents\":[\"x\",\"x\"]}}", "twice"},
        {"{\"name\":\"a\",\"held_out\":{\"documents\":[\"x\"],\"hash\":0.1}}", "one of"},
        {"{\"name\":\"a\",\"held_out\":{\"hash\":1.5}}", "\"hash\""},
        {"{\"name\":\"a\",\"held_out\":{\"hash\":0.1,\"seed\":-1}}", "\"seed\""},
        {"{\"name\":\"a\",\"held_out\":{\"seed\":1}}", "one of"},
        {"{\"name\":\"a\",\"held_out\":{\"field\":\"split\"}}", "one of"},
        {"{\"name\":\"a\",\"held_out\":{\"field\":\"split\",\"value\":1}}", "\"value\""},
        {"{\"name\":\"a\",\"held_out\":{\"what\":1}}", "\"what\""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct manifest m;
        struct error error;
        if (manifest_parse(&m, CASES[i].json, strlen(CASES[i].json), &error) == 0)
            fail_msg("accepted: %s", CASES[i].json);
        if (strstr(error.message, CASES[i].complaint) == NULL)
            fail_msg("%s: \"%s\" does not say %s", CASES[i].json, error.message,
                     CASES[i].complaint);
        manifest_free(&m);
    }
}

static void test_dates(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double year;
    } GOOD[] = {
        {"1787", 1787},
        {"1787-01-01", 1787},
        {"1787-10", 1787 + 273 / 365.0},
        {"1787-10-27", 1787 + 299 / 365.0},
        {"2000-02-29", 2000 + 59 / 366.0},
        {"2000-12-31", 2000 + 365 / 366.0},
        {"1999-12-31", 1999 + 364 / 365.0},
        {"-44-03-15", -44 + 74 / 366.0},
    };
    static const char *const WRONG[] = {
        "",         "-",          "abc",        "1787-",      "1787-13",     "1787-00",
        "1787-1-1", "1787-02-29", "1900-02-29", "1787-04-31", "1787-10-27T", "1787-10-",
        " 1787",    "1787 ",      "1234567",    "17.5",       "1787/10/27",  "1787-10-00"};
    double year;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        assert_int_equal(date_parse(GOOD[i].text, &year), 0);
        if (fabs(year - GOOD[i].year) > 1e-9)
            fail_msg("%s was read as %.12g", GOOD[i].text, year);
    }
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        if (date_parse(WRONG[i], &year) == 0)
            fail_msg("\"%s\" was read as a date", WRONG[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_manifest),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_wrong_manifests),
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
