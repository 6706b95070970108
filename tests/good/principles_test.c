/* Sets of principles: whatever is done to a signed one is found out and refused with its reason; in
 * research mode it is loaded and not called verified; the set that comes with Trine verifies. */
#include "good/principles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"

static char root[] = "/tmp/trine-principles-XXXXXX", directory[64];
static struct public_key key, other_key;
static struct secret_key secret, other_secret;

static const char *at(const char *name) {
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static int enter(void **state) {
    struct error error;
    (void)state;
    if (mkdtemp(root) == NULL || signature_make_keys(&key, &secret, &error) ||
        signature_make_keys(&other_key, &other_secret, &error))
        return -1;
    snprintf(directory, sizeof directory, "%s/set", root);
    return 0;
}

static int leave(void **state) {
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

static void write_file(const char *name, const char *text) {
    FILE *stream = fopen(at(name), "w");
    assert_non_null(stream);
    fputs(text, stream);
    fclose(stream);
}

static void write_principle(const char *file, const char *name, const char *reason) {
    char text[1024];
    snprintf(text, sizeof text,
             "{\"name\": \"%s\", \"reason\": \"%s\", \"statement\": \"s\", \"threshold\": 0.5, "
             "\"action\": \"note\", \"examples\": {"
             "\"breaks\": [{\"request\": \"a\", \"reply\": \"b\"}, {\"request\": \"a\", \"reply\": "
             "\"b\"}], \"keeps\": [{\"request\": \"a\", \"reply\": \"b\"}, {\"request\": \"a\", "
             "\"reply\": \"b\"}]}}\n",
             name, reason);
    write_file(file, text);
}

/* A directory of three, signed, as each test begins. */
static int renew(void **state) {
    char command[192];
    struct error error;
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s && mkdir %s", directory, directory);
    if (system(command) != 0)
        return -1;
    write_principle("10-first.json", "first", "one");
    write_principle("20-second.json", "second", "two");
    write_principle("30-third.json", "third", "three");
    write_file("README.md", "Not signed.\n");
    return principles_sign(directory, &secret, &error);
}

/* Refused with this reason; in research mode it has so many principles and is not verified. */
static void refuse(const char *reason, size_t count) {
    struct principles p;
    struct error error;
    assert_int_equal(principles_open(&p, directory, &key, 0, &error), -1);
    if (strstr(error.message, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, reason);
    assert_true(p.count == 0 && p.items == NULL && !p.is_verified);
    if (principles_open(&p, directory, &key, 1, &error))
        fail_msg("research mode: %s", error.message);
    assert_false(p.is_verified);
    assert_int_equal(p.count, count);
    assert_non_null(strstr(p.doubt.message, reason));
    principles_close(&p);
}

/* Refused in research mode too. */
static void refuse_always(const char *reason) {
    struct principles p;
    struct error error;
    assert_int_equal(principles_open(&p, directory, &key, 0, &error), -1);
    assert_int_equal(principles_open(&p, directory, &key, 1, &error), -1);
    if (strstr(error.message, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, reason);
}

static void test_signed(void **state) {
    (void)state;
    struct principles p;
    struct error error;
    for (int is_research = 0; is_research < 2; is_research++) {
        if (principles_open(&p, directory, &key, is_research, &error))
            fail_msg("%s", error.message);
        assert_true(p.is_verified);
        assert_int_equal(p.count, 3);
        assert_string_equal(p.items[0].name, "first");
        assert_string_equal(p.items[2].reason, "three");
        assert_string_equal(p.directory, directory);
        principles_close(&p);
    }
    write_file("README.md", "Changed, and not signed.\n");
    assert_int_equal(principles_open(&p, directory, &key, 0, &error), 0);
    principles_close(&p);
    assert_int_equal(principles_open(&p, directory, NULL, 0, &error), -1);
    assert_non_null(strstr(error.message, "no operator's key"));
}

static const char MOVED[] = "is not what was signed";

static void test_changed(void **state) {
    (void)state;
    write_principle("20-second.json", "second", "twa");
    refuse(MOVED, 3);
    write_principle("20-second.json", "second", "two");
    struct principles p;
    struct error error;
    assert_int_equal(principles_open(&p, directory, &key, 0, &error), 0);
    principles_close(&p);
}

/* Every byte counts, also one that means nothing in JSON. */
static void test_space_added(void **state) {
    (void)state;
    FILE *stream = fopen(at("30-third.json"), "a");
    fputs("\n", stream);
    fclose(stream);
    refuse(MOVED, 3);
}

static void test_renamed(void **state) {
    (void)state;
    assert_int_equal(rename(at("20-second.json"), at("21-second.json")), 0);
    refuse(MOVED, 3);
}

static void test_added(void **state) {
    (void)state;
    write_principle("40-fourth.json", "fourth", "four");
    refuse(MOVED, 4);
}

static void test_removed(void **state) {
    (void)state;
    assert_int_equal(unlink(at("30-third.json")), 0);
    refuse(MOVED, 2);
}

/* What was in one file is in the other, and the other way round; the numbers are exchanged. */
static void test_swapped(void **state) {
    (void)state;
    write_principle("10-first.json", "first", "two");
    write_principle("20-second.json", "second", "one");
    refuse(MOVED, 3);
    write_principle("10-second.json", "second", "two");
    write_principle("20-first.json", "first", "one");
    unlink(at("10-first.json"));
    unlink(at("20-second.json"));
    refuse(MOVED, 3);
    assert_int_equal(rename(at("10-second.json"), at("40-x")), 0);
    assert_int_equal(rename(at("20-first.json"), at("10-second.json")), 0);
    assert_int_equal(rename(at("40-x"), at("20-first.json")), 0);
    struct principles p;
    struct error error;
    assert_int_equal(principles_open(&p, directory, &key, 1, &error), -1);
    assert_non_null(strstr(error.message, "must be called NN-first.json"));
}

static void test_other_key(void **state) {
    (void)state;
    struct error error;
    char text[PUBLIC_KEY_TEXT];
    assert_int_equal(principles_sign(directory, &other_secret, &error), 0);
    signature_key_to_text(text, &other_key);
    refuse(text, 3);
    refuse("not the operator's", 3);
}

/* Another's signature under the operator's name. */
static void test_forged_key(void **state) {
    (void)state;
    struct error error;
    char text[512], own[PUBLIC_KEY_TEXT], others[PUBLIC_KEY_TEXT];
    assert_int_equal(principles_sign(directory, &other_secret, &error), 0);
    FILE *stream = fopen(at("principles.sig"), "r");
    size_t bytes = fread(text, 1, sizeof text - 1, stream);
    fclose(stream);
    text[bytes] = '\0';
    signature_key_to_text(own, &key);
    signature_key_to_text(others, &other_key);
    char *place = strstr(text, others);
    assert_non_null(place);
    memcpy(place, own, strlen(own));
    write_file("principles.sig", text);
    refuse(MOVED, 3);
}

static void test_damaged_signature(void **state) {
    (void)state;
    char text[PUBLIC_KEY_TEXT], whole[512];
    signature_key_to_text(text, &key);
    static const char *const CASES[] = {"", "{", "[]", "{}", "{\"key\": 1, \"signature\": 2}"};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        write_file("principles.sig", CASES[i]);
        refuse("is damaged", 3);
    }
    snprintf(whole, sizeof whole, "{\"key\": \"%s\", \"signature\": \"AAAA\"}", text);
    write_file("principles.sig", whole);
    refuse("is damaged: the signature is not base64 of 64 bytes", 3);
    write_file("principles.sig", "{\"key\": \"AAAA\", \"signature\": \"AAAA\"}");
    refuse("is damaged: the key is not base64 of 32 bytes", 3);
    snprintf(whole, sizeof whole, "{\"key\": \"%s\", \"signature\": \"AAAA\", \"more\": 1}", text);
    write_file("principles.sig", whole);
    refuse("is damaged: \"key\" and \"signature\" are wanted", 3);
    FILE *stream = fopen(at("principles.sig"), "w");
    fprintf(stream, "{\"key\": \"%s\", \"signature\": \"%*s\"}", text, 2000, "");
    fclose(stream);
    refuse("larger than 1024 bytes", 3);
}

static void test_missing_signature(void **state) {
    (void)state;
    assert_int_equal(unlink(at("principles.sig")), 0);
    refuse("is not signed", 3);
}

static void test_foreign_files(void **state) {
    (void)state;
    static const char *const NAMES[] = {"notes.txt",          "1-fourth.json", "40-fourth.JSON",
                                        "40-fourth.json.bak", ".hidden",       "40-.json"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        struct error error;
        write_principle(NAMES[i], "fourth", "four");
        refuse("is not part of the signed set", 3);
        assert_int_equal(principles_sign(directory, &secret, &error), -1);
        assert_non_null(strstr(error.message, NAMES[i]));
        unlink(at(NAMES[i]));
    }
}

/* Neither signed nor loaded for research. */
static void test_malformed(void **state) {
    (void)state;
    struct error error;
    write_file("20-second.json", "{\"name\": \"second\"}");
    refuse_always("20-second.json: \"reason\" must be a text");
    assert_int_equal(principles_sign(directory, &secret, &error), -1);
    write_principle("20-second.json", "first", "two");
    refuse_always("20-second.json: the name \"first\" is taken");
    write_principle("20-second.json", "zweitens", "two");
    refuse_always("must be called NN-zweitens.json");
    unlink(at("20-second.json"));
    assert_int_equal(mkdir(at("20-second.json"), 0700), 0);
    refuse_always("is no file");
    rmdir(at("20-second.json"));
    assert_int_equal(mkfifo(at("20-second.json"), 0600), 0);
    refuse_always("is no file");
    unlink(at("20-second.json"));
    FILE *stream = fopen(at("20-second.json"), "w");
    for (size_t i = 0; i <= PRINCIPLE_FILE_LIMIT; i++)
        fputc(' ', stream);
    fclose(stream);
    refuse_always("larger than 262144 bytes");
}

static void test_counts(void **state) {
    (void)state;
    char file[32], name[16];
    struct error error;
    for (int i = 0; i < PRINCIPLES_MOST - 2; i++) {
        snprintf(name, sizeof name, "more-%d", i);
        snprintf(file, sizeof file, "%02d-%s.json", 31 + i, name);
        write_principle(file, name, "more");
        if (i == PRINCIPLES_MOST - 4)
            assert_int_equal(principles_sign(directory, &secret, &error), 0);
    }
    refuse_always("more than 64 principles");
    char command[128];
    snprintf(command, sizeof command, "rm %s/*.json", directory);
    assert_int_equal(system(command), 0);
    refuse_always("has no principles");
    assert_int_equal(rename(directory, at("../gone")), 0);
    refuse_always("cannot open directory");
}

static void test_places(void **state) {
    (void)state;
    struct public_key found;
    struct error error;
    char path[256], small[8], file[128];
    setenv("TRINE_PRINCIPLES", directory, 1);
    assert_int_equal(principles_find(path, sizeof path, NULL, &error), 0);
    assert_string_equal(path, directory);
    assert_int_equal(principles_find(small, sizeof small, NULL, &error), -1);
    assert_int_equal(principles_find(path, sizeof path, root, &error), 0);
    assert_string_equal(path, root);
    setenv("TRINE_PRINCIPLES", "/nowhere", 1); /* no falling back from what is named */
    assert_int_equal(principles_find(path, sizeof path, NULL, &error), -1);
    unsetenv("TRINE_PRINCIPLES");
    snprintf(file, sizeof file, "%s/own.pub", root);
    assert_int_equal(signature_write_public(&key, file, &error), 0);
    setenv("TRINE_OPERATOR_KEY", file, 1);
    assert_int_equal(principles_find_key(&found, NULL, &error), 0);
    assert_memory_equal(&found, &key, sizeof key);
    assert_int_equal(principles_find_key(&found, "recipes/operator.pub", &error), 0);
    assert_memory_not_equal(&found, &key, sizeof key);
    setenv("TRINE_OPERATOR_KEY", "/nowhere", 1);
    assert_int_equal(principles_find_key(&found, NULL, &error), -1);
    unsetenv("TRINE_OPERATOR_KEY");
}

static void test_shipped(void **state) {
    (void)state;
    struct public_key operator_key;
    struct principles p;
    struct error error;
    char path[256];
    if (principles_find(path, sizeof path, NULL, &error) ||
        principles_find_key(&operator_key, NULL, &error) ||
        principles_open(&p, path, &operator_key, 0, &error))
        fail_msg("%s", error.message);
    assert_string_equal(path, "recipes/principles");
    assert_true(p.is_verified && p.count >= 6);
    for (size_t i = 0; i < p.count; i++)
        assert_true(p.items[i].break_count >= 4 && p.items[i].keep_count >= 4);
    principles_close(&p);
    assert_int_equal(principles_open(&p, path, &other_key, 0, &error), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_signed, renew),
        cmocka_unit_test_setup(test_changed, renew),
        cmocka_unit_test_setup(test_space_added, renew),
        cmocka_unit_test_setup(test_renamed, renew),
        cmocka_unit_test_setup(test_added, renew),
        cmocka_unit_test_setup(test_removed, renew),
        cmocka_unit_test_setup(test_swapped, renew),
        cmocka_unit_test_setup(test_other_key, renew),
        cmocka_unit_test_setup(test_forged_key, renew),
        cmocka_unit_test_setup(test_damaged_signature, renew),
        cmocka_unit_test_setup(test_missing_signature, renew),
        cmocka_unit_test_setup(test_foreign_files, renew),
        cmocka_unit_test_setup(test_malformed, renew),
        cmocka_unit_test_setup(test_counts, renew),
        cmocka_unit_test_setup(test_places, renew),
        cmocka_unit_test(test_shipped),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
