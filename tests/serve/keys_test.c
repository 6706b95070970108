/* Keys open what they were made for until they expire or are revoked, by whichever process; the
 * file holds no secret and is read with suspicion. */
#include "serve/keys.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>
#include <sqlite3.h>

#include "base/file.h"
#include "cmocka_all.h"
#include "scratch.h"

static struct keys *open_keys(const char *name) {
    struct keys *keys;
    struct error error;
    if (keys_open(&keys, at(name), 1, &error))
        fail_msg("%s", error.message);
    return keys;
}

static void make_key(struct keys *keys, enum scope scope, char text[KEY_TEXT], char id[KEY_ID]) {
    struct key_terms terms = {.scope = scope};
    struct error error;
    if (keys_new(keys, &terms, text, id, &error))
        fail_msg("%s", error.message);
}

static int finds(struct keys *keys, const char *text) {
    struct key_terms terms;
    struct error error;
    char id[KEY_ID];
    int found = keys_find(keys, text, &terms, id, &error);
    if (found < 0)
        fail_msg("%s", error.message);
    return found;
}

static void execute(const char *name, const char *sql) {
    sqlite3 *database;
    assert_int_equal(sqlite3_open(at(name), &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    sqlite3_close(database);
}

static void refuse(const char *name, int is_new_fine, const char *complaint) {
    struct keys *keys;
    struct error error;
    assert_int_equal(keys_open(&keys, at(name), is_new_fine, &error), -1);
    assert_null(keys);
    if (strstr(error.message, complaint) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, complaint);
}

static void test_finding(void **state) {
    (void)state;
    struct keys *keys = open_keys("finding");
    struct key_terms terms = {SCOPE_TRUTH, 12.5, 0, "Bücherei"}, found;
    struct error error;
    char text[KEY_TEXT], id[KEY_ID], other[KEY_TEXT], other_id[KEY_ID], found_id[KEY_ID];
    assert_int_equal(keys_new(keys, &terms, text, id, &error), 0);
    make_key(keys, SCOPE_DREAM, other, other_id);
    assert_string_not_equal(text, other);
    assert_string_not_equal(id, other_id);
    assert_int_equal(strlen(text), KEY_TEXT - 1);
    assert_int_equal(strlen(id), KEY_ID - 1);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(keys_find(keys, text, &found, found_id, &error), 1);
        assert_string_equal(found_id, id);
        assert_true(found.scope == SCOPE_TRUTH && found.rate == 12.5 && found.expires == 0);
        assert_string_equal(found.name, "Bücherei");
        assert_int_equal(keys_find(keys, other, &found, found_id, &error), 1);
        assert_true(found.scope == SCOPE_DREAM && found.rate == 0);
        assert_string_equal(found_id, other_id);
        keys_close(keys);
        keys = open_keys("finding");
    }
    keys_close(keys);
}

static void test_what_is_no_key(void **state) {
    (void)state;
    struct keys *keys = open_keys("none");
    char text[KEY_TEXT], id[KEY_ID], changed[2 * KEY_TEXT];
    make_key(keys, SCOPE_GOOD, text, id);
    for (size_t i = 0; i < KEY_TEXT - 1; i++) {
        strcpy(changed, text);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_equal(finds(keys, changed), 0);
        changed[i] = '\0';
        assert_int_equal(finds(keys, changed), 0);
    }
    snprintf(changed, sizeof changed, "%sA", text);
    assert_int_equal(finds(keys, changed), 0);
    assert_int_equal(finds(keys, NULL), 0);
    assert_int_equal(finds(keys, ""), 0);
    assert_int_equal(finds(keys, id), 0);
    assert_int_equal(finds(keys, text + 6), 0);
    assert_int_equal(finds(keys, "trine-' OR 1=1 --                                  "), 0);
    char *longest = malloc(1 << 20);
    memset(longest, 'A', 1 << 20);
    longest[(1 << 20) - 1] = '\0';
    memcpy(longest, "trine-", 6);
    assert_int_equal(finds(keys, longest), 0);
    free(longest);
    assert_int_equal(finds(keys, text), 1);
    keys_close(keys);
}

static void test_terms(void **state) {
    (void)state;
    static const struct {
        struct key_terms terms;
        const char *complaint;
    } CASES[] = {
        {{SCOPE_NONE, 0, 0, ""}, "must have the scope"},
        {{SCOPES, 0, 0, ""}, "must have the scope"},
        {{SCOPE_GOOD, -1, 0, ""}, "rate of a key"},
        {{SCOPE_GOOD, __builtin_nan(""), 0, ""}, "rate of a key"},
        {{SCOPE_GOOD, __builtin_inf(), 0, ""}, "rate of a key"},
        {{SCOPE_GOOD, 0, -1, ""}, "expired already"},
        {{SCOPE_GOOD, 0, 1000, ""}, "expired already"},
        {{SCOPE_GOOD, 0, 0, "a\nb"}, "U+000A, at byte 1"},
        {{SCOPE_GOOD, 0, 0, "\x7f"}, "U+007F"},
        {{SCOPE_GOOD, 0, 0, "\xc2\x85"}, "U+0085"},
        {{SCOPE_GOOD, 0, 0, "\xe2\x80\xa8"}, "U+2028"},
        {{SCOPE_GOOD, 0, 0, "\xe2\x81\xa6"}, "U+2066"},
        {{SCOPE_GOOD, 0, 0, "\xff"}, "no UTF-8 at byte 0"},
        {{SCOPE_GOOD, 0, 0, "\xed\xa0\x80"}, "no UTF-8"}, /* a surrogate */
        {{SCOPE_GOOD, 0, 0, "\xc0\xaf"}, "no UTF-8"},     /* spelt too long */
    };
    struct keys *keys = open_keys("terms");
    struct error error;
    char text[KEY_TEXT], id[KEY_ID];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        strcpy(text, "not wiped");
        assert_int_equal(keys_new(keys, &CASES[i].terms, text, id, &error), -1);
        if (strstr(error.message, CASES[i].complaint) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.message, CASES[i].complaint);
        assert_true(text[0] == '\0' && text[5] == '\0' && id[0] == '\0');
    }
    struct key_terms unended = {.scope = SCOPE_GOOD};
    memset(unended.name, 'x', sizeof unended.name);
    assert_int_equal(keys_new(keys, &unended, text, id, &error), -1);
    assert_non_null(strstr(error.message, "at most 63"));
    keys_close(keys);
}

static int64_t clock_of_test(void *context) {
    return *(int64_t *)context;
}

static int count_entry(void *context, const struct key_entry *entry) {
    size_t *counts = context;
    counts[0]++;
    counts[1] += entry->has_expired != 0;
    return counts[0] == counts[2];
}

static void test_expiry_and_list(void **state) {
    (void)state;
    struct keys *keys = open_keys("expiry");
    int64_t now = 5000000000;
    struct key_terms terms = {SCOPE_GOOD, 0, now + 10, "short"};
    struct error error;
    char text[KEY_TEXT], id[KEY_ID], lasting[KEY_TEXT];
    keys_set_clock(keys, clock_of_test, &now);
    assert_int_equal(keys_new(keys, &terms, text, id, &error), 0);
    make_key(keys, SCOPE_GOOD, lasting, id);
    now += 9;
    assert_int_equal(finds(keys, text), 1);
    now += 1;
    assert_int_equal(finds(keys, text), 0);
    assert_int_equal(finds(keys, lasting), 1);
    size_t counts[3] = {0};
    assert_int_equal(keys_list(keys, count_entry, counts, &error), 0);
    assert_true(counts[0] == 2 && counts[1] == 1);
    memcpy(counts, (size_t[3]){0, 0, 1}, sizeof counts); /* stop after one */
    assert_int_equal(keys_list(keys, count_entry, counts, &error), 0);
    assert_int_equal(counts[0], 1);
    assert_int_equal(keys_revoke(keys, id, &error), 1);
    assert_int_equal(keys_revoke(keys, id, &error), 0);
    assert_int_equal(keys_revoke(keys, "' OR 1=1 --", &error), 0);
    assert_int_equal(finds(keys, lasting), 0);
    keys_close(keys);
}

static int file_holds(const char *name, const void *bytes, size_t count) {
    struct file_map map;
    struct error error;
    if (file_map_open(&map, at(name), &error))
        fail_msg("%s", error.message);
    int holds = map.bytes > 0 && memmem(map.data, map.bytes, bytes, count) != NULL;
    file_map_close(&map);
    return holds;
}

static void test_file(void **state) {
    (void)state;
    static const char *const NAMES[] = {"file", "file-wal", "file-shm"};
    unsigned char secret[32], hash[32];
    char text[KEY_TEXT], id[KEY_ID];
    struct stat status;
    umask(0);
    struct keys *keys = open_keys("file");
    make_key(keys, SCOPE_GOOD, text, id);
    umask(022);
    assert_int_equal(sodium_base642bin(secret, 32, text + 6, 43, NULL, NULL, NULL,
                                       sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
    crypto_generichash(hash, 32, (const unsigned char *)text, strlen(text), NULL, 0);
    int holds_hash = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stat(at(NAMES[i]), &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        assert_false(file_holds(NAMES[i], text + 6, 43));
        assert_false(file_holds(NAMES[i], secret, sizeof secret));
        holds_hash |= file_holds(NAMES[i], hash, sizeof hash);
    }
    assert_true(holds_hash);
    keys_close(keys);
    assert_int_equal(chmod(at("file"), 0640), 0);
    refuse("file", 1, "chmod 600");
}

static void test_foreign_files(void **state) {
    (void)state;
    struct keys *keys;
    struct error error;
    char text[KEY_TEXT], id[KEY_ID];
    umask(077);
    refuse("absent", 0, "trine key new");
    assert_int_equal(access(at("absent"), F_OK), -1);
    execute("other", "CREATE TABLE keys (id TEXT)");
    refuse("other", 1, "a database of another kind");
    execute("marked", "PRAGMA application_id = 77");
    refuse("marked", 1, "a database of another kind");
    FILE *stream = fopen(at("text"), "w");
    for (int i = 0; i < 1000; i++)
        fputs("a text of another kind\n", stream);
    fclose(stream);
    refuse("text", 1, "no file of trine");
    fclose(fopen(at("empty"), "w"));
    refuse("empty", 0, "is empty");
    assert_int_equal(keys_open(&keys, at("empty"), 1, &error), 0);
    keys_close(keys);
    assert_int_equal(mkdir(at("folder"), 0700), 0);
    refuse("folder", 1, "is no file");
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    refuse("pipe", 1, "is no file");
    keys = open_keys("changed");
    make_key(keys, SCOPE_GOOD, text, id);
    keys_close(keys);
    execute("changed", "PRAGMA user_version = 2");
    refuse("changed", 1, "version 2");
    execute("changed", "PRAGMA user_version = 1; CREATE TRIGGER widen AFTER INSERT ON keys BEGIN "
                       "UPDATE keys SET scope = 'dream'; END");
    refuse("changed", 1, "does not have the tables");
    execute("changed", "DROP TRIGGER widen; ALTER TABLE keys RENAME TO hidden; CREATE VIEW keys AS "
                       "SELECT * FROM hidden");
    refuse("changed", 1, "does not have the tables");
    execute("changed", "DROP VIEW keys; ALTER TABLE hidden RENAME TO keys");
    umask(022);
}

/* What stands in a row is checked whoever wrote it. */
static void test_broken_rows(void **state) {
    (void)state;
    static const char *const CHANGES[] = {
        "UPDATE keys SET scope = 'root'",
        "UPDATE keys SET scope = 'none'",
        "UPDATE keys SET rate = -1",
        "UPDATE keys SET rate = 9e999",
        "UPDATE keys SET expires = -5",
        "UPDATE keys SET name = 'a' || char(10)",
        "UPDATE keys SET id = 'short'",
        "UPDATE keys SET name = CAST(x'ff' AS TEXT)",
        "UPDATE keys SET id = '0123456789abcdeX'",
        "UPDATE keys SET name = printf('%100s', '')",
    };
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        struct keys *keys = open_keys("rows");
        struct key_terms terms;
        struct error error;
        char text[KEY_TEXT], id[KEY_ID];
        size_t counts[3] = {0};
        make_key(keys, SCOPE_GOOD, text, id);
        execute("rows", CHANGES[i]);
        if (keys_find(keys, text, &terms, id, &error) != -1)
            fail_msg("found after %s", CHANGES[i]);
        assert_non_null(strstr(error.message, "is damaged"));
        assert_int_equal(keys_list(keys, count_entry, counts, &error), -1);
        keys_close(keys);
        unlink(at("rows"));
    }
}

/* Wherever a byte is wrong, the file is refused or what it says is sound; nothing crashes, and no
 * key is made up. */
static void test_damaged_file(void **state) {
    (void)state;
    char text[KEY_TEXT], id[KEY_ID], *whole;
    size_t bytes, refused = 0, tried = 0;
    struct error error;
    struct keys *keys = open_keys("sound");
    for (int i = 0; i < 40; i++)
        make_key(keys, SCOPE_GOOD, text, id);
    keys_close(keys);
    assert_int_equal(file_read_all(at("sound"), 1 << 24, &whole, &bytes, &error), 0);
    umask(077);
    for (size_t place = 0; place < bytes; place += place < 120 ? 1 : 37, tried++) {
        FILE *stream = fopen(at("damaged"), "w");
        whole[place] ^= (char)(1 + place % 255);
        fwrite(whole, 1, place % 5 == 0 && place > 0 ? place : bytes, stream);
        whole[place] ^= (char)(1 + place % 255);
        fclose(stream);
        struct key_terms terms;
        size_t counts[3] = {0};
        if (keys_open(&keys, at("damaged"), 0, &error)) {
            refused++;
            assert_non_null(strstr(error.message, "damaged"));
            continue;
        }
        if (keys_list(keys, count_entry, counts, &error) == 0)
            assert_true(counts[0] <= 40);
        if (keys_find(keys, text, &terms, id, &error) == 1)
            assert_true(terms.scope >= SCOPE_GOOD && terms.scope <= SCOPE_DREAM);
        keys_close(keys);
    }
    umask(022);
    assert_true(refused > tried / 4 && refused < tried);
    free(whole);
}

/* In a process of its own: 0 when `act` did what it should. */
static int in_child(int (*act)(const char *), const char *argument) {
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(act(argument));
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int revoke_elsewhere(const char *id) {
    struct keys *keys;
    struct error error;
    int result = keys_open(&keys, at("shared"), 0, &error) || keys_revoke(keys, id, &error) != 1;
    keys_close(keys);
    return result;
}

static int make_elsewhere(const char *path) {
    struct keys *keys;
    struct error error;
    struct key_terms terms = {.scope = SCOPE_TRUTH};
    char text[KEY_TEXT], id[KEY_ID];
    int result =
        keys_open(&keys, at("shared"), 0, &error) || keys_new(keys, &terms, text, id, &error);
    keys_close(keys);
    FILE *stream = fopen(path, "w");
    return result || stream == NULL || fputs(text, stream) < 0 || fclose(stream) != 0;
}

static void test_two_processes(void **state) {
    (void)state;
    struct keys *keys = open_keys("shared");
    char text[KEY_TEXT], id[KEY_ID], path[96], *made;
    size_t bytes;
    struct error error;
    for (int i = 0; i < 3; i++) {
        make_key(keys, SCOPE_GOOD, text, id);
        assert_int_equal(finds(keys, text), 1);
        assert_int_equal(in_child(revoke_elsewhere, id), 0);
        assert_int_equal(finds(keys, text), 0);
        strcpy(path, at("made"));
        assert_int_equal(in_child(make_elsewhere, path), 0);
        assert_int_equal(file_read_all(path, KEY_TEXT, &made, &bytes, &error), 0);
        assert_int_equal(finds(keys, made), 1);
        free(made);
    }
    keys_close(keys);
}

enum { MAKERS = 6, KEYS_EACH = 5, RACES = 25 };

/* In the child: when the pipe is closed, makes keys in a file that may be absent. Never returns. */
static void race(int pipe) {
    struct keys *keys;
    struct key_terms terms = {.scope = SCOPE_GOOD}, found;
    struct error error;
    char text[KEY_TEXT], id[KEY_ID], nothing;
    if (read(pipe, &nothing, 1) != 0 || keys_open(&keys, at("race"), 1, &error))
        _exit(1);
    for (size_t k = 0; k < KEYS_EACH; k++)
        if (keys_new(keys, &terms, text, id, &error) ||
            keys_find(keys, text, &found, id, &error) != 1)
            _exit(2);
    keys_close(keys);
    _exit(0);
}

static void test_race_of_processes(void **state) {
    (void)state;
    for (size_t round = 0; round < RACES; round++) {
        pid_t children[MAKERS];
        int ends[2], status;
        assert_int_equal(pipe(ends), 0);
        for (size_t i = 0; i < MAKERS; i++)
            if ((children[i] = fork()) == 0) {
                close(ends[1]);
                race(ends[0]);
            }
        close(ends[0]);
        close(ends[1]);
        for (size_t i = 0; i < MAKERS; i++) {
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        }
        struct keys *keys = open_keys("race");
        struct error error;
        size_t counts[3] = {0};
        assert_int_equal(keys_list(keys, count_entry, counts, &error), 0);
        assert_int_equal(counts[0], MAKERS * KEYS_EACH);
        keys_close(keys);
        assert_int_equal(unlink(at("race")), 0);
    }
}

/* A server must not go on with keys that nobody can revoke any more. */
static void test_removed_file(void **state) {
    (void)state;
    struct keys *keys = open_keys("removed");
    struct key_terms terms = {.scope = SCOPE_GOOD};
    struct error error;
    char text[KEY_TEXT], id[KEY_ID];
    make_key(keys, SCOPE_GOOD, text, id);
    assert_int_equal(rename(at("removed"), at("elsewhere")), 0);
    assert_int_equal(keys_find(keys, text, &terms, id, &error), -1);
    assert_non_null(strstr(error.message, "removed or exchanged"));
    fclose(fopen(at("removed"), "w"));
    assert_int_equal(keys_find(keys, text, &terms, id, &error), -1);
    assert_int_equal(keys_revoke(keys, id, &error), -1);
    assert_int_equal(keys_new(keys, &terms, text, id, &error), -1);
    assert_int_equal(unlink(at("removed")), 0);
    assert_int_equal(rename(at("elsewhere"), at("removed")), 0);
    keys_close(keys);
}

static void *make_find_revoke(void *context) {
    struct keys *keys = context;
    struct key_terms terms = {.scope = SCOPE_TRUTH}, found;
    struct error error;
    char text[KEY_TEXT], id[KEY_ID], found_id[KEY_ID];
    for (int i = 0; i < 25; i++)
        if (keys_new(keys, &terms, text, id, &error) ||
            keys_find(keys, text, &found, found_id, &error) != 1 || strcmp(id, found_id) != 0 ||
            keys_revoke(keys, id, &error) != 1 ||
            keys_find(keys, text, &found, found_id, &error) != 0)
            return context;
    return NULL;
}

enum { THREADS = 8 };

static void test_threads(void **state) {
    (void)state;
    struct keys *keys = open_keys("threads");
    pthread_t threads[THREADS];
    void *failed;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_find_revoke, keys), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    keys_close(keys);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finding),       cmocka_unit_test(test_what_is_no_key),
        cmocka_unit_test(test_terms),         cmocka_unit_test(test_expiry_and_list),
        cmocka_unit_test(test_file),          cmocka_unit_test(test_foreign_files),
        cmocka_unit_test(test_broken_rows),   cmocka_unit_test(test_damaged_file),
        cmocka_unit_test(test_two_processes), cmocka_unit_test(test_race_of_processes),
        cmocka_unit_test(test_removed_file),  cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
