/* Names of places: found in any case and accents, chosen by population, refused when unknown; and
 * files that are no gazetteers or coastlines. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "text/coastlines.h"
#include "text/gazetteer.h"

static char path[] = "/tmp/trine-places-XXXXXX";

static const char PLACES[] = "# a note\n"
                             "Paris\t48.8534\t2.3488\tFR\t2138551\tcity\tLutetia|Париж\n"
                             "Paris\t33.6609\t-95.5555\tUS-TX\t24699\tcity\n"
                             "Paris\t43.2\t-80.383\tCA\t12310\tcity\t\r\n"
                             "\n"
                             "Zürich\t47.3667\t8.5500\tCH\t341730\tcity\tZuerich\n"
                             "São Tomé\t0.3365\t6.7273\tST\t53300\tcity\n"
                             "St. Louis\t38.6273\t-90.1979\tUS-MO\t315685\tcity\tSaint Louis\n"
                             "Bourg-la-Reine\t48.78\t2.3151\tFR\t18251\tcity\n"
                             "France\t46\t2\tFR\t67000000\tarea\tFRA\n"
                             "Suva\t-18.1416\t178.4415\tFJ\t77366\tcity\n";

static void write_file(const char *text, size_t bytes) {
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, bytes, stream), bytes);
    assert_int_equal(fclose(stream), 0);
}

static struct gazetteer *open_places(void) {
    struct gazetteer *g;
    struct error error;
    write_file(PLACES, strlen(PLACES));
    if (gazetteer_open(&g, path, &error) != 0)
        fail_msg("%s", error.message);
    assert_int_equal(gazetteer_count(g), 9);
    return g;
}

static void test_find(void **state) {
    (void)state;
    static const struct {
        const char *text, *name, *country;
        size_t count;
    } CASES[] = {
        {"Paris", "Paris", "FR", 3},
        {"  pARIS ", "Paris", "FR", 3},
        {"париж", "Paris", "FR", 1},
        {"Paris, US", "Paris", "US-TX", 1},
        {"paris,tx", "Paris", "US-TX", 1},
        {"Paris, us-tx", "Paris", "US-TX", 1},
        {"Paris, CA", "Paris", "CA", 1},
        {"Zurich", "Zürich", "CH", 1},
        {"ZUERICH", "Zürich", "CH", 1},
        {"sao tome", "São Tomé", "ST", 1},
        {"Sa\u0303o Tome\u0301", "São Tomé", "ST", 1},
        {"St Louis", "St. Louis", "US-MO", 1},
        {"saint-louis", "St. Louis", "US-MO", 1},
        {"bourg la reine", "Bourg-la-Reine", "FR", 1},
        {"fra", "France", "FR", 1},
    };
    struct gazetteer *g = open_places();
    const struct gazetteer_entry *found[2];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        size_t count = gazetteer_find(g, CASES[i].text, found, 2);
        if (count != CASES[i].count || strcmp(found[0]->name, CASES[i].name) != 0 ||
            strcmp(found[0]->country, CASES[i].country) != 0)
            fail_msg("'%s' is found %zu times", CASES[i].text, count);
    }
    static const char *const UNKNOWN[] = {"",       " ", ",",        "Par",       "Paris, DE",
                                          "Pariss", "|", "\xff\xfe", "Paris\xff", "Lutetia|"};
    for (size_t i = 0; i < sizeof UNKNOWN / sizeof *UNKNOWN - 1; i++)
        if (gazetteer_find(g, UNKNOWN[i], found, 2) != 0)
            fail_msg("'%s' is found", UNKNOWN[i]);
    assert_int_equal(gazetteer_find(g, "Paris", found, 0), 3); /* only counted */
    char long_name[3000];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_equal(gazetteer_find(g, long_name, found, 2), 0);
    gazetteer_close(g);
}

/* With an index every look-up gives what it gives without one. */
static void test_index(void **state) {
    (void)state;
    static const char *const NAMES[] = {"Paris",  "paris, us", "Lutetia", "ПАРИЖ",
                                        "Zurich", "Zuerich",   "France",  "Saint Louis",
                                        "Suva",   "Nowhere",   "",        "Paris, DE"};
    struct gazetteer *g = open_places(), *indexed = open_places();
    struct error error;
    assert_int_equal(gazetteer_index(indexed, &error), 0);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const struct gazetteer_entry *plain[3] = {NULL}, *fast[3] = {NULL};
        size_t count = gazetteer_find(g, NAMES[i], plain, 3);
        assert_int_equal(gazetteer_find(indexed, NAMES[i], fast, 3), count);
        for (size_t k = 0; k < count; k++)
            assert_true(plain[k]->population == fast[k]->population);
    }
    gazetteer_close(g);
    gazetteer_close(indexed);
}

static void test_near(void **state) {
    (void)state;
    struct gazetteer *g = open_places();
    const struct location suburb = {48.79, 2.32}, sea = {-17.5, -179.5}, middle = {46, 2};
    assert_string_equal(gazetteer_near(g, suburb, 1)->name, "Bourg-la-Reine"); /* the nearest */
    assert_string_equal(gazetteer_near(g, suburb, 50)->name, "Paris");     /* the largest around */
    assert_string_equal(gazetteer_near(g, sea, 10)->name, "Suva");         /* over the date line */
    assert_string_not_equal(gazetteer_near(g, middle, 5)->name, "France"); /* which is no city */
    gazetteer_close(g);
}

static void test_coordinates(void **state) {
    (void)state;
    static const char *const GOOD[] = {"41.88,-87.63", "41.88, -87.63", "41.88 -87.63",
                                       "41.88;-87.63"};
    static const char *const BAD[] = {"",      "41.88", "41.88,", ",1",    "41.88-87.63",
                                      "91,0",  "0,181", "nan,0",  "0,inf", "41.88,-87.63x",
                                      "1,2,3", "a,b",   "1863"};
    struct location place;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        assert_int_equal(location_parse(GOOD[i], &place), 0);
        assert_true(place.latitude == 41.88 && place.longitude == -87.63);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (location_parse(BAD[i], &place) == 0)
            fail_msg("'%s' is taken for a place", BAD[i]);
}

static void test_resolve(void **state) {
    (void)state;
    struct gazetteer *g = open_places();
    struct location place;
    struct error error;
    char title[GAZETTEER_TITLE];
    assert_int_equal(gazetteer_resolve(g, "Paris", &place, title, &error), 0);
    assert_true(place.latitude == 48.8534);
    assert_string_equal(title, "Paris, FR (48.85,2.349), not Paris, US-TX or 1 other");
    assert_int_equal(gazetteer_resolve(NULL, "1.5,2.5", &place, title, &error), 0);
    assert_string_equal(title, "1.5,2.5");
    assert_int_equal(gazetteer_resolve(g, "Parsi", &place, NULL, &error), -1);
    assert_non_null(strstr(error.message, "Paris, FR"));
    assert_int_equal(gazetteer_resolve(g, "Bourg", &place, NULL, &error), -1);
    assert_non_null(strstr(error.message, "Bourg-la-Reine"));
    assert_int_equal(gazetteer_resolve(g, "Qqqqq", &place, NULL, &error), -1);
    assert_null(strstr(error.message, "which knows"));
    assert_int_equal(gazetteer_resolve(NULL, "Paris", &place, NULL, &error), -1);
    assert_non_null(strstr(error.message, "gazetteer is needed"));
    gazetteer_close(g);
}

static void test_bad_files(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
        const char *complaint;
    } CASES[] = {
#define CASE(text, complaint) {text, sizeof text - 1, complaint}
        CASE("", "no places"),
        CASE("# only a note\n", "no places"),
        CASE("Paris\n", ":1: it has fewer"),
        CASE("Paris\t48\t2\tFR\t1\n", ":1: it has fewer"),
        CASE("\n\nParis\t98\t2\tFR\t1\tcity\n", ":3: it has no latitude"),
        CASE("Paris\tnan\t2\tFR\t1\tcity\n", "no latitude"),
        CASE("Paris\t48\t2x\tFR\t1\tcity\n", "no latitude"),
        CASE("Paris\t48\t2\tFR\t-1\tcity\n", "population"),
        CASE("Paris\t48\t2\tFR\tinf\tcity\n", "population"),
        CASE("Paris\t48\t2\tFR\t1\ttown\n", "kind"),
        CASE("\t48\t2\tFR\t1\tcity\n", "name"),
        CASE("Paris\t48\t2\tTHE FRENCH REPUBLIC\t1\tcity\n", "country"),
        CASE("Par\033[2Jis\t48\t2\tFR\t1\tcity\n", "UTF-8"),
        CASE("Par\xffis\t48\t2\tFR\t1\tcity\n", "UTF-8"),
        CASE("Paris\t48\t2\tFR\t1\tcity\tLut\xe2\x82\n", "UTF-8"),
        CASE("Paris\t48\t2\tFR\t1\tcity\0\n", "zero byte"),
    };
    struct gazetteer *g;
    struct error error;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        write_file(CASES[i].text, CASES[i].bytes);
        assert_int_equal(gazetteer_open(&g, path, &error), -1);
        if (strstr(error.message, CASES[i].complaint) == NULL)
            fail_msg("case %zu: %s", i, error.message);
    }
}

static void test_coastlines(void **state) {
    (void)state;
    static const char GOOD[] = "# coasts\n1,2 3,4.5 -5,6\n\n170,-10 -170,-12 179.5,-14\r\n";
    static const char *const BAD[] = {"1,2 3\n", "1;2\n", "1,2,3\n", "1,95\n", "999,5\n",
                                      "nan,5\n", "x\n",   "1, \n",   "1,2 z\n"};
    struct coastlines coasts;
    struct error error;
    write_file(GOOD, sizeof GOOD - 1);
    assert_int_equal(coastlines_read(&coasts, path, &error), 0);
    assert_int_equal(coasts.count, 2);
    assert_int_equal(coasts.rings[1].count, 3);
    assert_true(coasts.rings[0].latitudes[1] == 4.5 && coasts.rings[1].longitudes[2] == 179.5);
    coastlines_free(&coasts);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        write_file(BAD[i], strlen(BAD[i]));
        if (coastlines_read(&coasts, path, &error) == 0)
            fail_msg("'%s' is taken for coasts", BAD[i]);
        assert_non_null(strstr(error.message, ":1: "));
    }
    write_file("", 0);
    assert_int_equal(coastlines_read(&coasts, path, &error), 0); /* a world of water */
    coastlines_free(&coasts);
}

static int start(void **state) {
    (void)state;
    int descriptor = mkstemp(path);
    return descriptor < 0 ? -1 : close(descriptor);
}

static int stop(void **state) {
    (void)state;
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),       cmocka_unit_test(test_index),
        cmocka_unit_test(test_near),       cmocka_unit_test(test_coordinates),
        cmocka_unit_test(test_resolve),    cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_coastlines),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
