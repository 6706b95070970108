/* Standards of truth: sources weigh, those that do not count say nothing, and what is broken is
 * refused. */
#include "truth/standard.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"

static char root[] = "/tmp/trine-standard-XXXXXX", directory[64];

static void write_file(const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    fputs(text, stream);
    fclose(stream);
}

static int enter(void **state) {
    (void)state;
    if (mkdtemp(root) == NULL)
        return -1;
    snprintf(directory, sizeof directory, "%s/mine", root);
    setenv("TRINE_STANDARDS", root, 1);
    return mkdir(directory, 0700);
}

static int leave(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

static const char GOOD[] = "{\"name\": \"mine\", \"description\": \"of a test\", \"sources\": "
                           "{\"book\": 0.5, \"liar\": 0}, \"cite\": {\"year_to\": 1899, "
                           "\"authors\": [\"Ann\", \"Bob\"]}, \"known\": 0.8, \"unknown\": 0.6, "
                           "\"beliefs\": [\"one.jsonl\", \"two.jsonl\"]}";

static void write_good(void) {
    write_file("standard.json", GOOD);
    write_file("one.jsonl", "{\"id\": \"a\", \"sentence\": \"grass is green\", \"verdict\": true, "
                            "\"source\": \"book\", \"weight\": 0.5}\n"
                            "{\"id\": \"b\", \"sentence\": \"snow is black\", \"verdict\": true, "
                            "\"source\": \"liar\"}\n"
                            "{\"constraint\": \"a implies b\", \"source\": \"liar\"}\n"
                            "{\"constraint\": \"a iff not b\", \"source\": \"book\"}\n");
    write_file("two.jsonl", "{\"id\": \"c\", \"sentence\": \"water is wet\", \"verdict\": true}\n");
}

static void test_sources(void **state) {
    (void)state;
    struct standard s;
    struct error error;
    char path[4096];
    write_good();
    if (standard_open(&s, "mine", &error))
        fail_msg("%s", error.message);
    assert_string_equal(s.name, "mine");
    assert_true(s.known == 0.8 && s.unknown == 0.6);
    assert_true(isnan(s.filter.year_from) && s.filter.year_to == 1899);
    assert_int_equal(s.filter.author_count, 2);
    assert_string_equal(s.filter.authors[1], "Bob");
    assert_int_equal(s.base.count, 4); /* the liar's law is gone, and so is his verdict */
    assert_true(s.base.items[0].weight == 0.25 && s.base.items[0].verdict == VERDICT_TRUE);
    assert_int_equal(s.base.items[1].verdict, VERDICT_UNKNOWN);
    assert_true(s.base.items[2].is_constraint);
    assert_true(s.base.items[3].weight == 1);
    standard_truth_path(&s, path, sizeof path);
    assert_non_null(strstr(path, "/mine/truth.gguf"));
    standard_close(&s);
}

static void refuse(const char *settings, const char *message) {
    struct standard s;
    struct error error;
    write_file("standard.json", settings);
    assert_int_equal(standard_open(&s, "mine", &error), -1);
    if (strstr(error.message, message) == NULL)
        fail_msg("'%s' is not in: %s", message, error.message);
}

static void test_refusals(void **state) {
    (void)state;
    struct standard s;
    struct error error;
    write_good();
    refuse("{", "standard.json:1");
    refuse("[]", "an object is wanted");
    refuse("{\"name\": \"m\", \"nmae\": 1}", "no key \"nmae\"");
    refuse("{\"description\": \"d\"}", "\"name\" must be");
    refuse("{\"name\": \"m\", \"description\": \"d\"}", "\"beliefs\" must be");
    refuse("{\"name\": \"m\", \"description\": \"d\", \"beliefs\": [\"../one.jsonl\"]}",
           "in the directory itself");
    refuse("{\"name\": \"m\", \"description\": \"d\", \"beliefs\": [1]}", "\"beliefs\" must be");
    refuse("{\"name\": \"m\", \"description\": \"d\", \"sources\": {\"x\": 2}, \"beliefs\": "
           "[\"one.jsonl\"]}",
           "weight of the source");
    refuse("{\"name\": \"m\", \"description\": \"d\", \"known\": 0.2, \"beliefs\": "
           "[\"one.jsonl\"]}",
           "\"known\" must be");
    refuse("{\"name\": \"m\", \"description\": \"d\", \"cite\": {\"authors\": [1]}, \"beliefs\": "
           "[\"one.jsonl\"]}",
           "\"authors\" must be");
    refuse("{\"name\": \"m\", \"description\": \"d\", \"cite\": {\"year_to\": \"x\"}, "
           "\"beliefs\": [\"one.jsonl\"]}",
           "\"year_to\" must be");
    refuse("{\"name\": \"m\", \"description\": \"d\", \"beliefs\": [\"none.jsonl\"]}",
           "none.jsonl");
    /* Both laws count now, and clash with what is known. */
    refuse("{\"name\": \"m\", \"description\": \"d\", \"sources\": {\"book\": 1, \"liar\": 1}, "
           "\"beliefs\": [\"one.jsonl\"]}",
           "cannot hold together");
    assert_int_equal(standard_open(&s, "elsewhere", &error), -1);
    assert_int_equal(standard_open(&s, "..", &error), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
