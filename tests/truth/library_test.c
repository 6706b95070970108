/* A library of a small corpus: what it says for and against, whom it cites, what it refuses. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include <sqlite3.h>

#include "base/memory.h"
#include "base/random.h"
#include "scratch.h"
#include "text/corpus_build.h"
#include "truth/library.h"
#include "truth/passage.h"

static struct library *library;

static const char MANIFEST[] =
    "{\"name\":\"Letters\",\"id\":[\"id\"],\"vocabulary\":300,"
    "\"slots\":{\"trade\":{\"kind\":\"categorical\",\"field\":\"trade\"},"
    "\"author\":{\"kind\":\"categorical\",\"field\":\"by\"},"
    "\"date\":{\"kind\":\"date\",\"field\":\"when\"}},"
    "\"held_out\":{\"documents\":[\"secret\"]}}";

/* Filler, so that a word has a frequency. */
#define FILLER                                                                                     \
    " The harvest was good. The roads are dry, and the post arrives each week. We hope for rain "  \
    "before the month is out. All are in health."

static const char LINES[] =
    "{\"id\":\"smith-1\",\"by\":\"Ann B Smith\",\"when\":1850,\"trade\":\"miller\",\"text\":\"The "
    "windmill of Dunmore was sold to a brewer. He gave forty pounds for it." FILLER "\"}\n"
    "{\"id\":\"smith-2\",\"by\":\"Ann B Smith\",\"when\":1852.5,\"trade\":\"miller\",\"text\":\"A "
    "comet was seen over the harbour, with a tail of \\u00e9clat." FILLER "\"}\n"
    "{\"id\":\"jones-1\",\"by\":\"Carl Jones\",\"when\":1861,\"trade\":\"sailor\",\"text\":\"The "
    "frigate is not seaworthy. Her captain wants a new mast." FILLER "\"}\n"
    "{\"id\":\"jones-2\",\"by\":\"Carl Jones\",\"when\":1863,\"trade\":\"sailor\",\"text\":\"We "
    "lay at anchor off Dunmore and bought oranges." FILLER "\"}\n"
    "{\"id\":\"grant-1\",\"by\":\"Eve Grant\",\"when\":1870,\"trade\":\"doctor\",\"text\":\"The "
    "fever is spread by foul water, and quinine cures it." FILLER "\"}\n"
    "{\"id\":\"nobody\",\"text\":\"An unsigned note about lanterns.\"}\n"
    "{\"id\":\"secret\",\"by\":\"Carl Jones\",\"when\":1865,\"trade\":\"sailor\",\"text\":\"The "
    "treasure lies below the xylophone of Dunmore." FILLER "\"}\n";

static void build_corpus(const char *out, const char *manifest, const char *lines) {
    char paths[3][160];
    strcpy(paths[0], at(lines));
    strcpy(paths[1], at(manifest));
    strcpy(paths[2], at(out));
    const char *files[] = {paths[0]};
    struct corpus_build_options options = {.manifest_path = paths[1],
                                           .out_directory = paths[2],
                                           .files = files,
                                           .file_count = 1,
                                           .is_forced = 1};
    struct corpus_build_summary summary;
    struct error error;
    if (corpus_build(&options, &summary, &error))
        fail_msg("%s", error.message);
}

static void open_library(const char *corpus) {
    struct error error;
    library_close(library);
    if (library_open(&library, at(corpus), &error))
        fail_msg("%s", error.message);
}

static int start(void **state) {
    if (scratch_enter(state))
        return -1;
    scratch_write("manifest.json", MANIFEST);
    scratch_write("lines.jsonl", LINES);
    build_corpus("letters", "manifest.json", "lines.jsonl");
    open_library("letters");
    return 0;
}

static int stop(void **state) {
    library_close(library);
    return scratch_leave(state);
}

static struct testimony consult(const char *statement, const struct library_filter *filter) {
    struct testimony testimony;
    struct error error;
    if (library_consult(library, statement, filter, &testimony, &error))
        fail_msg("%s: %s", statement, error.message);
    assert_true(isfinite(testimony.log_odds));
    assert_true(testimony.citation_count <= LIBRARY_CITATIONS);
    for (size_t i = 0; i < testimony.citation_count; i++) {
        const struct citation *c = &testimony.citations[i];
        size_t bytes = strlen(c->text);
        assert_true(bytes <= 300 && c->support != 0);
        for (size_t at = 0; at < bytes;) {
            utf8proc_int32_t character;
            utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)c->text + at,
                                                       (utf8proc_ssize_t)(bytes - at), &character);
            assert_true(length > 0);
            at += (size_t)length;
        }
        assert_string_not_equal(c->document, "secret");
    }
    return testimony;
}

static double log_odds(const char *statement) {
    struct testimony testimony = consult(statement, NULL);
    double result = testimony.log_odds;
    testimony_free(&testimony);
    return result;
}

/* The first is true by the corpus, the second is not. */
static void test_pairs(void **state) {
    (void)state;
    static const struct {
        const char *is_true, *is_false;
        int has_signs; /* else only the order is sure */
    } PAIRS[] = {
        {"Ann B Smith wrote a letter in 1850", "Ann B Smith wrote a letter in 1863", 1},
        {"Ann B Smith wrote a letter in 1852", "Carl Jones wrote a letter in 1852", 1},
        {"Ann B Smith did not write a letter in 1863", "Ann B Smith did not write in 1850", 1},
        {"Eve Grant was a doctor", "Eve Grant was a sailor", 1},
        {"Carl Jones spoke of oranges", "Eve Grant spoke of oranges", 1},
        {"Jones used the word oranges", "Jones used the word quinine", 1},
        {"Jones never used the word quinine", "Jones never used the word \"oranges\"", 1},
        {"Carl Jones spoke of oranges in 1863", "Carl Jones spoke of oranges in 1861", 1},
        {"Ann B Smith came before Carl Jones", "Carl Jones came before Ann B Smith", 1},
        {"Grant wrote later than Smith", "Smith wrote later than Grant", 1},
        {"Grant's first letter was not earlier than Jones's", "Grant came earlier than Jones", 1},
        {"The windmill of Dunmore was sold to a brewer",
         "The windmill of Dunmore was sold to a doctor", 0},
        {"The windmill of Dunmore was sold", "The windmill of Dunmore wasn't sold", 1},
        {"The frigate is not seaworthy", "The frigate is seaworthy", 1},
        {"Quinine cures the fever", "Quinine does not cure the fever", 1},
        {"A comet was seen in 1852", "A comet was seen in 1870", 0},
        {"It is not true that Eve Grant spoke of oranges",
         "It is not true that Carl Jones spoke of oranges", 1},
        {"It is the case both that Ann B Smith wrote a letter in 1850 and that Eve Grant was a "
         "doctor",
         "It is the case both that Ann B Smith wrote a letter in 1850 and that Eve Grant was a "
         "sailor",
         1},
        {"It is true either that Eve Grant was a sailor or that Carl Jones spoke of oranges",
         "It is true either that Eve Grant was a sailor or that Eve Grant spoke of oranges", 1},
    };
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        double yes = log_odds(PAIRS[i].is_true), no = log_odds(PAIRS[i].is_false);
        if (!(yes > no) || (PAIRS[i].has_signs && !(yes > 0 && no < 0)))
            fail_msg("%s: %g; %s: %g", PAIRS[i].is_true, yes, PAIRS[i].is_false, no);
    }
}

static void test_citations(void **state) {
    (void)state;
    struct testimony t = consult("Carl Jones spoke of oranges", NULL);
    assert_int_equal(t.citation_count, 1);
    assert_string_equal(t.citations[0].document, "jones-2");
    assert_string_equal(t.citations[0].author, "Carl Jones");
    assert_true(t.citations[0].year == 1863 && t.citations[0].support > 0);
    assert_non_null(strstr(t.citations[0].text, "bought oranges"));
    testimony_free(&t);
    t = consult("Carl Jones wrote in 1850", NULL);
    assert_true(t.log_odds < 0 && t.citation_count == 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(t.citations[i].support < 0);
        assert_string_equal(t.citations[i].document, i == 0 ? "jones-1" : "smith-1");
    }
    testimony_free(&t);
    t = consult("It is not true that Carl Jones spoke of oranges", NULL);
    assert_true(t.citation_count > 0 && t.citations[0].support < 0);
    testimony_free(&t);
    t = consult(
        "It is the case both that Carl Jones spoke of oranges and that Eve Grant was a doctor",
        NULL);
    assert_true(t.citation_count > 1 && strcmp(t.citations[0].author, t.citations[1].author) != 0);
    testimony_free(&t);
    t = consult("lanterns", NULL);
    assert_int_equal(t.citation_count, 1);
    assert_null(t.citations[0].author);
    assert_true(isnan(t.citations[0].year) && t.log_odds > 0);
    assert_string_equal(t.citations[0].text, "An unsigned note about lanterns.");
    testimony_free(&t);
    testimony_free(&t);
}

static void test_filter(void **state) {
    (void)state;
    static const char *const JONES[] = {"Nobody Else", "Carl Jones"};
    struct library_filter early = {NAN, 1852, NULL, 0}, late = {1853, NAN, NULL, 0},
                          jones = {NAN, NAN, JONES, 2}, none = {3000, NAN, NULL, 0};
    struct testimony t = consult("a comet was seen", &early); /* 1852.5 is in 1852 */
    assert_true(t.log_odds > 0 && t.citation_count >= 1);
    assert_string_equal(t.citations[0].document, "smith-2");
    testimony_free(&t);
    t = consult("Dunmore", &late);
    assert_int_equal(t.citation_count, 1);
    assert_string_equal(t.citations[0].document, "jones-2");
    testimony_free(&t);
    t = consult("the windmill of Dunmore", &jones);
    for (size_t i = 0; i < t.citation_count; i++)
        assert_string_equal(t.citations[i].author, "Carl Jones");
    testimony_free(&t);
    static const char *const UNSEEN[] = {"lanterns", "Carl Jones spoke of oranges",
                                         "Carl Jones wrote in 1850", "Smith came before Jones"};
    for (size_t i = 0; i < 4; i++) { /* documents without a year pass no bound */
        t = consult(UNSEEN[i], &none);
        assert_true(t.log_odds == 0 && t.citation_count == 0);
        testimony_free(&t);
    }
}

/* Names are looked up in the library's labels, whole or in part. */
static void test_names(void **state) {
    (void)state;
    assert_true(log_odds("ann b smith wrote in 1850") > 0);
    assert_true(log_odds("Ann Smith wrote in 1850") > 0);
    assert_true(log_odds("Mrs Smith wrote in 1850") > 0);
    /* Another Smith, and no name at all. */
    assert_true(log_odds("Ann Smithson wrote in 1850") < 0.5);
    assert_true(log_odds("They grant it in 1850") < 0.5);
}

static void test_held_out(void **state) {
    (void)state;
    assert_true(log_odds("xylophone") == 0);
    struct testimony t = consult("The treasure lies below the xylophone of Dunmore", NULL);
    for (size_t i = 0; i < t.citation_count; i++)
        assert_null(strstr(t.citations[i].text, "treasure"));
    assert_true(t.log_odds <= 0.5);
    testimony_free(&t);
    shell("! grep -aq xylophone %s", at("letters/" LIBRARY_NAME));
}

static void test_hostile_statements(void **state) {
    (void)state;
    static const char *const STATEMENTS[] = {"",
                                             " ",
                                             "\"",
                                             "\"\"\"",
                                             "'; DROP TABLE passages; --",
                                             "\" OR NEAR(",
                                             "NEAR(a b, 3)",
                                             "text : windmill",
                                             "{text author} : ^windmill*",
                                             "a AND b OR NOT c",
                                             "AND",
                                             "NOT",
                                             "- + * ^",
                                             "windmill\" OR \"comet",
                                             "the of and",
                                             "is not",
                                             "never",
                                             "\x01\x02\x1f windmill \x7f",
                                             "\xff\xfe\xc3(",
                                             "wind\xc3",
                                             "\xf0\x9f\x8c\x8a oranges",
                                             "1850",
                                             "99999999999999999999",
                                             "n't",
                                             "don\xe2\x80\x99t",
                                             "t 't n't",
                                             "before",
                                             "Smith before",
                                             "before Smith after Jones",
                                             "rowid:1",
                                             "passages MATCH 'x'",
                                             "%s%n%d",
                                             "\xe2\x80\x99t"};
    for (size_t i = 0; i < sizeof STATEMENTS / sizeof *STATEMENTS; i++)
        log_odds(STATEMENTS[i]);
    assert_true(log_odds("") == 0 && log_odds("\" OR NEAR(") == 0 && log_odds("the of and") == 0);
    assert_true(log_odds("\x01\x02 wind\x1fmill \"windmill\" ((") > 0);
    assert_true(log_odds("windmill\" AND \"") > 0);
}

static void test_long_statements(void **state) {
    (void)state;
    enum { BYTES = 200000 };
    static char text[BYTES + 1];
    struct random random;
    random_seed(&random, 3, 3);
    for (int kind = 0; kind < 5; kind++) {
        for (size_t i = 0; i < BYTES; i++)
            text[i] = kind == 0   ? 'x'
                      : kind == 1 ? "windmill "[i % 9]
                      : kind == 2 ? "Smith "[i % 6]
                      : kind == 3 ? (char)(1 + random_below(&random, 255))
                                  : (char)('a' + (random_below(&random, 6) == 0
                                                      ? ' ' - 'a'
                                                      : (int)random_below(&random, 26)));
        text[BYTES] = '\0';
        double result = log_odds(text);
        assert_true(kind != 1 || result > 0);
    }
}

static void test_random_statements(void **state) {
    (void)state;
    static const char *const PIECES[] = {
        "Smith",    "Jones", "Carl ",   "not",      "n't",      "\"", "(",
        ")",        "1850",  "18",      " ",        " ",        " ",  "'",
        "before",   "spoke", "oranges", "frigate",  "NEAR",     "OR", "\xe2\x80\x99",
        "\xc3\xa9", "\xff",  "*",       "windmill", "Dunmore ", ".",  "-",
        "sailor",   "wrote"};
    struct random random;
    random_seed(&random, 4, 4);
    for (int i = 0; i < 500; i++) {
        char text[400] = "";
        for (uint64_t n = random_below(&random, 25); n > 0; n--)
            strcat(text, PIECES[random_below(&random, sizeof PIECES / sizeof *PIECES)]);
        log_odds(text);
    }
}

static void edit(const char *corpus, const char *sql) {
    sqlite3 *database;
    char *problem = NULL, name[64];
    snprintf(name, sizeof name, "%s/" LIBRARY_NAME, corpus);
    assert_int_equal(sqlite3_open(at(name), &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, &problem) != SQLITE_OK)
        fail_msg("%s: %s", sql, problem);
    sqlite3_close(database);
}

/* Whatever is in its place, the library is made anew; where it cannot be, the error says so. */
static void test_broken_libraries(void **state) {
    (void)state;
    static const char *const EDITS[] = {
        "UPDATE meta SET value = '99' WHERE key = 'format'",
        "UPDATE meta SET value = '1' WHERE key = 'corpus'",
        "DELETE FROM meta",
        "DROP TABLE documents",
        "DROP TABLE passages",
        "DROP TABLE passages; CREATE TABLE passages(text, author, labels, year)",
        "CREATE VIEW more AS SELECT 1",
        "UPDATE documents SET first_passage = 7 WHERE position = 1",
        "UPDATE documents SET passage_count = -1 WHERE position = 1",
        "UPDATE documents SET passage_count = 9223372036854775807",
    };
    struct error error;
    for (size_t i = 0; i < sizeof EDITS / sizeof *EDITS + 2; i++) {
        shell("rm -rf %s && cp -r %s %s", at("bad"), at("letters"), at("bad"));
        if (i == 0)
            shell("truncate -s 0 %s", at("bad/" LIBRARY_NAME));
        else if (i == 1)
            shell("printf 'no database at all, but long enough' > %s", at("bad/" LIBRARY_NAME));
        else
            edit("bad", EDITS[i - 2]);
        open_library("bad");
        assert_true(log_odds("Carl Jones spoke of oranges") > 0);
    }
    open_library("letters");
    /* A directory cannot be replaced. */
    shell("rm %s && mkdir %s", at("bad/" LIBRARY_NAME), at("bad/" LIBRARY_NAME));
    struct library *none;
    assert_int_equal(library_open(&none, at("bad"), &error), -1);
    assert_null(none);
    assert_non_null(strstr(error.message, "making it failed"));
    shell("! ls %s.tmp* 2>/dev/null", at("bad/" LIBRARY_NAME));
    assert_int_equal(library_open(&none, at("absent"), &error), -1);
    assert_non_null(strstr(error.message, "no corpus"));
}

/* Damage that opening does not see is an error of the consultation, or does no harm. */
static void test_damaged_pages(void **state) {
    (void)state;
    struct random random;
    struct error error;
    random_seed(&random, 11, 11);
    shell("rm -rf %s && cp -r %s %s", at("bad"), at("letters"), at("bad"));
    edit("bad", "DELETE FROM passages_data WHERE id > 10");
    open_library("bad");
    struct testimony t;
    assert_int_equal(library_consult(library, "oranges", NULL, &t, &error), -1);
    assert_non_null(strstr(error.message, "remove it, and it is made anew"));
    assert_int_equal(t.citation_count, 0);
    for (int i = 0; i < 60; i++) {
        shell("cp %s %s", at("letters/" LIBRARY_NAME), at("bad/" LIBRARY_NAME));
        FILE *stream = fopen(at("bad/" LIBRARY_NAME), "r+b");
        assert_non_null(stream);
        fseek(stream, 0, SEEK_END);
        uint64_t bytes = (uint64_t)ftell(stream);
        for (int j = 0; j < 40; j++) {
            fseek(stream, (long)(100 + random_below(&random, bytes - 100)), SEEK_SET);
            fputc((int)random_below(&random, 256), stream);
        }
        fclose(stream);
        open_library("bad");
        if (library_consult(library, "Jones spoke of the windmill of Dunmore", NULL, &t, &error) ==
            0)
            testimony_free(&t);
    }
    open_library("letters");
}

/* The library follows its corpus, and is no obstacle to making that anew. */
static void test_changed_corpus(void **state) {
    (void)state;
    shell("sed 's/oranges/lemons/' %s > %s", at("lines.jsonl"), at("other.jsonl"));
    shell("rm -rf %s && cp -r %s %s", at("bad"), at("letters"), at("bad"));
    build_corpus("bad", "manifest.json", "other.jsonl");
    open_library("bad");
    assert_true(log_odds("Carl Jones spoke of lemons") > 0);
    assert_true(log_odds("Carl Jones spoke of oranges") < 0);
    /* Another corpus's library in its place. */
    shell("cp %s %s", at("letters/" LIBRARY_NAME), at("bad/" LIBRARY_NAME));
    open_library("bad");
    assert_true(log_odds("Carl Jones spoke of lemons") > 0);
    open_library("letters");
}

/* No slot of any kind, a document without text's end, one of nothing but spaces. */
static void test_bare_corpus(void **state) {
    (void)state;
    scratch_write("bare.json", "{\"name\":\"Bare\",\"vocabulary\":300,\"slots\":{}}");
    FILE *stream = fopen(at("bare.jsonl"), "w");
    assert_non_null(stream);
    fputs("{\"text\":\"   \\u0000 \"}\n{\"text\":\"", stream);
    for (int i = 0; i < 30000; i++)
        fputs(i % 1000 == 999 ? "\u00e9 needle " : "\u00e9", stream);
    fputs("\"}\n", stream);
    fclose(stream);
    build_corpus("bare", "bare.json", "bare.jsonl");
    open_library("bare");
    struct testimony t = consult("needle", NULL);
    assert_true(t.log_odds > 0 && t.citation_count == 1);
    assert_null(t.citations[0].author);
    assert_non_null(strstr(t.citations[0].text, "needle"));
    testimony_free(&t);
    open_library("letters");
}

static void test_passages(void **state) {
    (void)state;
    char text[] = "One two.\n\nThree  (U. S. four) five!\" Six\tseven \xff eight? nine";
    size_t bytes = text_tidy(text, sizeof text - 1), words;
    assert_memory_equal(text, "One two. Three (U. S. four) five!\" Six seven ? eight? nine", bytes);
    assert_int_equal(sentence_end(text, bytes, 0, &words), 9);
    assert_int_equal(words, 2);
    assert_int_equal(sentence_end(text, bytes, 9, &words), 35);
    assert_int_equal(words, 5);
    /* Sentences of 30 words: three a passage, of which one is of the one before. */
    char many[40 * 180] = "";
    for (int i = 0; i < 10; i++)
        for (int j = 0; j < 30; j++)
            sprintf(many + strlen(many), "%c%d%s", j == 0 ? 'S' : 'w', i, j == 29 ? ". " : " ");
    struct passage_cutter cutter = {many, strlen(many), 0};
    size_t start_at, end, last_end = 0, count = 0;
    for (; passage_next(&cutter, &start_at, &end); count++) {
        assert_true(count == 0 || start_at < last_end);
        assert_true(end > last_end && many[start_at] == 'S');
        last_end = end;
    }
    assert_int_equal(last_end, strlen(many));
    assert_int_equal(count, 5);
}

/* Whatever allocation fails, nothing is lost and the library goes on. */
static void test_lack_of_memory(void **state) {
    (void)state;
    static const char STATEMENT[] = "Jones spoke of oranges off Dunmore";
    struct error error;
    struct testimony t;
    size_t in_use = memory_bytes_in_use();
    int result = -1;
    for (size_t n = 1; result != 0; n++) {
        memory_fail_after(n);
        result = library_consult(library, STATEMENT, NULL, &t, &error);
        memory_fail_after(0);
        assert_true(result == 0 || t.citation_count == 0);
        testimony_free(&t);
        assert_int_equal(memory_bytes_in_use(), in_use);
    }
    shell("rm -rf %s && cp -r %s %s", at("bad"), at("letters"), at("bad"));
    result = -1;
    for (size_t n = 1; result != 0; n++) {
        struct library *other;
        shell("rm -f %s", at("bad/" LIBRARY_NAME));
        memory_fail_after(n);
        result = library_open(&other, at("bad"), &error);
        memory_fail_after(0);
        library_close(other);
        assert_int_equal(memory_bytes_in_use(), in_use);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_citations),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_held_out),
        cmocka_unit_test(test_hostile_statements),
        cmocka_unit_test(test_long_statements),
        cmocka_unit_test(test_random_statements),
        cmocka_unit_test(test_broken_libraries),
        cmocka_unit_test(test_damaged_pages),
        cmocka_unit_test(test_changed_corpus),
        cmocka_unit_test(test_bare_corpus),
        cmocka_unit_test(test_passages),
        cmocka_unit_test(test_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
