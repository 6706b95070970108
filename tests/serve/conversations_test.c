/* Conversations: what was acknowledged survives kill -9, what was deleted leaves no trace, nobody
 * sees another's, and limits hold. */
#include "serve/conversations.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/file.h"
#include "base/random.h"
#include "cmocka_all.h"
#include "scratch.h"

static struct conversations *open_with(const char *name, const struct conversation_limits *limits) {
    struct conversations *c;
    struct error error;
    if (conversations_open(&c, at(name), limits, &error))
        fail_msg("%s", error.message);
    return c;
}

static void create(struct conversations *c, const char *owner, const char *title,
                   char id[CONVERSATION_ID]) {
    struct error error;
    if (conversations_create(c, owner, title, id, &error))
        fail_msg("%s", error.message);
}

static int append_text(struct conversations *c, const char *owner, const char *id,
                       const char *content, struct error *error) {
    struct conversation_message message = {"user", content, strlen(content), 20000};
    return conversations_append(c, owner, id, &message, 1, error);
}

static void append(struct conversations *c, const char *owner, const char *id,
                   const char *content) {
    struct error error;
    if (append_text(c, owner, id, content, &error))
        fail_msg("%s", error.message);
}

/* The caller decrefs. */
static json_t *export(struct conversations *c, const char *owner, const char *id) {
    json_t *whole;
    struct error error;
    if (conversations_export(c, owner, id, &whole, &error))
        fail_msg("%s", error.message);
    return whole;
}

static size_t count_of(struct conversations *c, const char *owner) {
    json_t *list;
    struct error error;
    if (conversations_list(c, owner, &list, &error))
        fail_msg("%s", error.message);
    size_t count = json_array_size(list);
    json_decref(list);
    return count;
}

static const char *content_of(const json_t *whole, size_t i) {
    const json_t *messages = json_object_get(whole, "messages");
    return json_string_value(json_object_get(json_array_get(messages, i), "content"));
}

static size_t message_count(const json_t *whole) {
    return json_array_size(json_object_get(whole, "messages"));
}

static void test_keeping(void **state) {
    (void)state;
    static const struct conversation_message PAIR[] = {{"user", "Wer war es?\n\t\"\\", 15, 20500},
                                                       {"assistant", "図書館", 9, 20501}};
    char id[CONVERSATION_ID], other[CONVERSATION_ID];
    struct error error;
    struct conversations *c = open_with("keeping", NULL);
    create(c, "local", "Fragen", id);
    create(c, "local", "", other);
    assert_int_equal(strlen(id), CONVERSATION_ID - 1);
    assert_string_not_equal(id, other);
    assert_int_equal(conversations_append(c, "local", id, PAIR, 2, &error), 0);
    append(c, "local", id, "");
    conversations_close(c);
    c = open_with("keeping", NULL);
    json_t *whole = export(c, "local", id);
    assert_string_equal(json_string_value(json_object_get(whole, "id")), id);
    assert_string_equal(json_string_value(json_object_get(whole, "title")), "Fragen");
    assert_true(json_integer_value(json_object_get(whole, "created")) > 1000000000);
    assert_int_equal(message_count(whole), 3);
    for (size_t i = 0; i < 2; i++) {
        json_t *message = json_array_get(json_object_get(whole, "messages"), i);
        assert_string_equal(json_string_value(json_object_get(message, "role")), PAIR[i].role);
        assert_string_equal(content_of(whole, i), PAIR[i].content);
        assert_int_equal(json_integer_value(json_object_get(message, "day")), PAIR[i].day);
    }
    assert_string_equal(content_of(whole, 2), "");
    json_decref(whole);
    assert_int_equal(count_of(c, "local"), 2);
    conversations_close(c);
}

/* The one that changed last comes first; the numbers of messages are right. */
static void test_list(void **state) {
    (void)state;
    char id[3][CONVERSATION_ID];
    json_t *list;
    struct error error;
    struct conversations *c = open_with("list", NULL);
    for (size_t i = 0; i < 3; i++)
        create(c, "local", i == 1 ? "the middle" : "another", id[i]);
    sleep(1); /* times are whole seconds */
    append(c, "local", id[1], "once");
    append(c, "local", id[1], "twice");
    assert_int_equal(conversations_list(c, "local", &list, &error), 0);
    assert_int_equal(json_array_size(list), 3);
    const json_t *first = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(first, "id")), id[1]);
    assert_string_equal(json_string_value(json_object_get(first, "title")), "the middle");
    assert_int_equal(json_integer_value(json_object_get(first, "messages")), 2);
    assert_true(json_integer_value(json_object_get(first, "changed")) >
                json_integer_value(json_object_get(first, "created")));
    json_decref(list);
    conversations_close(c);
}

static void test_others_see_nothing(void **state) {
    (void)state;
    static const char *const OTHERS[] = {"0123456789abcdee", "local", "", "%", "' OR 1=1 --"};
    const char *owner = "0123456789abcdef";
    char id[CONVERSATION_ID];
    json_t *whole;
    struct error error, never;
    struct conversations *c = open_with("others", NULL);
    create(c, owner, "mine", id);
    append(c, owner, id, "a secret");
    assert_int_equal(conversations_export(c, owner, "AAAAAAAAAAAAAAAAAAAAAA", &whole, &never), 1);
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        assert_int_equal(count_of(c, OTHERS[i]), 0);
        assert_int_equal(conversations_export(c, OTHERS[i], id, &whole, &error),
                         CONVERSATION_ABSENT);
        assert_null(whole);
        assert_string_equal(error.message, never.message); /* as if there were none */
        assert_int_equal(append_text(c, OTHERS[i], id, "x", &error), CONVERSATION_ABSENT);
        assert_string_equal(error.message, never.message);
        assert_int_equal(conversations_delete(c, OTHERS[i], id, &error), CONVERSATION_ABSENT);
        assert_string_equal(error.message, never.message);
    }
    assert_int_equal(conversations_export(c, owner, "%", &whole, &error), CONVERSATION_ABSENT);
    assert_int_equal(conversations_export(c, owner, "' OR 1=1 --", &whole, &error), 1);
    whole = export(c, owner, id);
    assert_int_equal(message_count(whole), 1);
    json_decref(whole);
    assert_int_equal(count_of(c, owner), 1);
    conversations_close(c);
}

static void refuse_message(struct conversations *c, const char *id, const char *role,
                           const char *content, size_t bytes, int64_t day, const char *complaint) {
    struct error error;
    /* The one before it is sound, and must not be kept alone. */
    struct conversation_message messages[] = {{"user", "sound", 5, 1}, {role, content, bytes, day}};
    assert_int_equal(conversations_append(c, "local", id, messages, 2, &error),
                     CONVERSATION_REFUSED);
    if (strstr(error.message, complaint) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, complaint);
}

static void test_hostile_content(void **state) {
    (void)state;
    char id[CONVERSATION_ID], none[CONVERSATION_ID], title[CONVERSATION_TITLE_LIMIT + 2] = {0};
    struct error error;
    struct conversations *c = open_with("hostile", NULL);
    create(c, "local", "hostile", id);
    refuse_message(c, id, "user", "a\0b", 3, 1, "byte of value 0");
    refuse_message(c, id, "user", "\xff", 1, 1, "no UTF-8 at byte 0");
    refuse_message(c, id, "user", "cut \xe5\x9b", 6, 1, "no UTF-8 at byte 4");
    refuse_message(c, id, "user", "\xed\xa0\x80", 3, 1, "no UTF-8");
    refuse_message(c, id, "root", "x", 1, 1, "no role");
    refuse_message(c, id, "title", "x", 1, 1, "no role");
    refuse_message(c, id, "user", "x", 1, -1, "day of a message");
    refuse_message(c, id, "user", "x", 1, INT64_MAX, "day of a message");
    refuse_message(c, id, "user", "x", SIZE_MAX, 1, "at most 1048576");
    size_t bytes = CONVERSATION_MESSAGE_LIMIT;
    char *large = malloc(bytes + 2);
    memset(large, 'x', bytes + 1);
    large[bytes + 1] = '\0';
    refuse_message(c, id, "user", large, bytes + 1, 1, "at most 1048576");
    json_t *whole = export(c, "local", id);
    assert_int_equal(message_count(whole), 0);
    json_decref(whole);
    large[bytes] = '\0';
    append(c, "local", id, large);
    whole = export(c, "local", id);
    assert_string_equal(content_of(whole, 0), large);
    json_decref(whole);
    free(large);
    memset(title, 't', CONVERSATION_TITLE_LIMIT + 1);
    assert_int_equal(conversations_create(c, "local", title, none, &error), CONVERSATION_REFUSED);
    assert_non_null(strstr(error.message, "at most 200"));
    assert_int_equal(conversations_create(c, "local", "a\nb", none, &error), CONVERSATION_REFUSED);
    assert_string_equal(none, "");
    title[CONVERSATION_TITLE_LIMIT] = '\0';
    create(c, "local", title, none);
    conversations_close(c);
}

static void test_limits(void **state) {
    (void)state;
    const struct conversation_limits limits = {
        .conversations = 3, .messages = 4, .conversation_bytes = 20, .owner_bytes = 30};
    char id[CONVERSATION_ID], second[CONVERSATION_ID], none[CONVERSATION_ID];
    struct error error;
    struct conversations *c = open_with("limits", &limits);
    create(c, "local", "", id);
    create(c, "local", "", second);
    create(c, "local", "", none);
    assert_int_equal(conversations_create(c, "local", "", none, &error), CONVERSATION_REFUSED);
    assert_non_null(strstr(error.message, "conversations: at most 3"));
    create(c, "somebody", "", none); /* has a limit of their own */
    for (int i = 0; i < 4; i++)
        append(c, "local", id, "x");
    assert_int_equal(append_text(c, "local", id, "", &error), CONVERSATION_REFUSED);
    assert_non_null(strstr(error.message, "at most 4"));
    append(c, "local", second, "12345678901234567890");
    assert_int_equal(append_text(c, "local", second, "x", &error), CONVERSATION_REFUSED);
    assert_non_null(strstr(error.message, "at most 20"));
    assert_int_equal(conversations_delete(c, "local", id, &error), 0);
    create(c, "local", "", id);
    append(c, "local", id, "1234567890");
    assert_int_equal(append_text(c, "local", id, "x", &error), CONVERSATION_REFUSED);
    assert_non_null(strstr(error.message, "at most 30"));
    assert_int_equal(conversations_delete(c, "local", second, &error), 0);
    append(c, "local", id, "x");
    conversations_close(c);
}

static int holds(const char *name, const char *marker) {
    struct file_map map;
    struct error error;
    if (access(at(name), F_OK) != 0)
        return 0;
    if (file_map_open(&map, at(name), &error))
        fail_msg("%s", error.message);
    int found = map.bytes > 0 && memmem(map.data, map.bytes, marker, strlen(marker)) != NULL;
    file_map_close(&map);
    return found;
}

static int leaves_trace(const char *marker) {
    return holds("traces", marker) || holds("traces-wal", marker) || holds("traces-shm", marker);
}

enum { MANY = 40, SAYINGS = 400, ROUNDS = 10 };

/* The first conversation among the deleted ones of which a marker stands in the file; -1: none. */
static int find_deleted(const char *name, const int is_deleted[MANY]) {
    static const char MARKER[] = "marker-";
    struct file_map map;
    struct error error;
    int found = -1;
    if (access(at(name), F_OK) != 0)
        return -1;
    if (file_map_open(&map, at(name), &error))
        fail_msg("%s", error.message);
    const unsigned char *next = map.data, *end = map.data + map.bytes;
    while (found < 0 && next != NULL &&
           (next = memmem(next, (size_t)(end - next), MARKER, sizeof MARKER - 1)) != NULL) {
        next += sizeof MARKER - 1;
        size_t number =
            end - next >= 2 ? (size_t)(next[0] - '0') * 10 + (size_t)(next[1] - '0') : 0;
        if (number < MANY && is_deleted[number])
            found = (int)number;
    }
    file_map_close(&map);
    return found;
}

static void check_deleted(const int is_deleted[MANY]) {
    static const char *const NAMES[] = {"traces", "traces-wal", "traces-shm"};
    for (size_t i = 0; i < 3; i++) {
        int number = find_deleted(NAMES[i], is_deleted);
        if (number >= 0)
            fail_msg("%s still holds marker-%02d", NAMES[i], number);
    }
}

/* Short messages to all in turn, so that rows are moved about as the tree grows and shrinks. */
static void talk_to_all(struct conversations *c, char id[MANY][CONVERSATION_ID],
                        struct random *random) {
    char text[128];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "marker-%02zu", i);
        create(c, "local", text, id[i]);
    }
    for (size_t k = 0; k < SAYINGS; k++) {
        size_t i = random_below(random, MANY);
        snprintf(text, sizeof text, "marker-%02zu%*s", i, (int)random_below(random, 60), "marker-");
        snprintf(text + strlen(text), 8, "%02zu", i);
        append(c, "local", id[i], text);
    }
}

/* Each round is about even to find out if rows kept their content in the pages of their tree. */
static void test_deleting_leaves_no_trace(void **state) {
    (void)state;
    static char id[MANY][CONVERSATION_ID];
    struct error error;
    struct random random;
    random_seed(&random, (uint64_t)getpid(), 1);
    struct conversations *c = open_with("traces", NULL);
    for (size_t round = 0; round < ROUNDS; round++) {
        int is_deleted[MANY] = {0};
        talk_to_all(c, id, &random);
        for (size_t gone = 0; gone < MANY; gone++) {
            size_t i = (gone * 17 + 11) % MANY; /* 17 and MANY have no common factor: each once */
            int is_this[MANY] = {0};
            is_this[i] = is_deleted[i] = 1;
            assert_true(find_deleted("traces", is_this) >= 0 ||
                        find_deleted("traces-wal", is_this) >= 0);
            assert_int_equal(conversations_delete(c, "local", id[i], &error), 0);
            check_deleted(is_deleted);
        }
        assert_false(leaves_trace("marker-"));
    }
    conversations_close(c);
    assert_false(leaves_trace("marker-"));
}

/* A reader elsewhere can hold the log; that is said, and made up for later. */
static void test_deleting_beside_a_reader(void **state) {
    (void)state;
    char id[CONVERSATION_ID], other[CONVERSATION_ID];
    struct error error;
    sqlite3 *reader;
    struct conversations *c = open_with("traces", NULL);
    create(c, "local", "held", id);
    append(c, "local", id, "marker-that-is-held");
    assert_int_equal(sqlite3_open(at("traces"), &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM texts", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(conversations_delete(c, "local", id, &error), CONVERSATION_FAILED);
    assert_non_null(strstr(error.message, "another program reads"));
    assert_int_equal(count_of(c, "local"), 0);
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    create(c, "local", "next", other);
    assert_false(leaves_trace("marker-that-is-held"));
    conversations_close(c);
}

struct report {
    unsigned number; /* acknowledged messages */
    char id[CONVERSATION_ID];
};

/* In the child: says each message, and then reports it. Never returns. */
static void talk(int pipe, unsigned round) {
    struct conversations *c;
    struct report report = {0};
    struct error error;
    char text[64], filler[3000];
    memset(filler, 'f', sizeof filler);
    if (conversations_open(&c, at("killed"), NULL, &error) ||
        conversations_create(c, "local", "killed", report.id, &error))
        _exit(1);
    for (;;) {
        if (write(pipe, &report, sizeof report) != sizeof report)
            _exit(1);
        snprintf(text, sizeof text, "round %u, message %u", round, report.number);
        struct conversation_message pair[] = {
            {"user", text, strlen(text), 1},
            {"assistant", filler, sizeof filler * (report.number % 5) / 5, 1}};
        if (conversations_append(c, "local", report.id, pair, 2, &error))
            _exit(1);
        report.number++;
    }
}

static void check_survival(const struct report *report, unsigned round) {
    char text[64];
    struct conversations *c = open_with("killed", NULL);
    json_t *whole = export(c, "local", report->id);
    /* One more may have been kept and not reported; half of a pair never. */
    size_t count = message_count(whole);
    assert_true(count == 2 * report->number || count == 2 * report->number + 2);
    for (unsigned i = 0; i < count / 2; i++) {
        snprintf(text, sizeof text, "round %u, message %u", round, i);
        assert_string_equal(content_of(whole, 2 * i), text);
        assert_int_equal(strlen(content_of(whole, 2 * i + 1)), 3000 * (i % 5) / 5);
    }
    json_decref(whole);
    assert_int_equal(count_of(c, "local"), round + 1);
    conversations_close(c);
}

static void test_kill(void **state) {
    (void)state;
    struct random random;
    random_seed(&random, (uint64_t)getpid(), 0);
    unsigned acknowledged = 0;
    for (unsigned round = 0; round < 12; round++) {
        int ends[2], status;
        struct report report, last = {0};
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0)
            talk(ends[1], round);
        assert_true(child > 0);
        close(ends[1]);
        assert_int_equal(read(ends[0], &last, sizeof last), sizeof last);
        usleep((useconds_t)random_below(&random, 60000));
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(ends[0], &report, sizeof report) == sizeof report)
            last = report;
        close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        check_survival(&last, round);
        acknowledged += last.number;
    }
    assert_true(acknowledged > 0);
}

/* Killed between the deletion and the emptying of the log: the next opening empties it. */
static void test_kill_after_deleting(void **state) {
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct conversations *c;
        struct error error;
        char id[CONVERSATION_ID];
        sqlite3 *reader;
        if (conversations_open(&c, at("traces"), NULL, &error) ||
            conversations_create(c, "local", "late", id, &error) ||
            append_text(c, "local", id, "marker-of-late", &error) ||
            sqlite3_open(at("traces"), &reader) != SQLITE_OK ||
            sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM texts", NULL, NULL, NULL) ||
            conversations_delete(c, "local", id, &error) != CONVERSATION_FAILED)
            _exit(1);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(leaves_trace("marker-of-late"));
    struct conversations *c = open_with("traces", NULL);
    assert_false(leaves_trace("marker-of-late"));
    conversations_close(c);
}

enum { THREADS = 8, EACH = 8 };

struct speaker {
    struct conversations *conversations;
    const char *id;
    int failed;
};

static void *speak(void *context) {
    struct speaker *speaker = context;
    struct error error;
    json_t *whole;
    char text[32], own[CONVERSATION_ID];
    for (int i = 0; i < EACH && !speaker->failed; i++) {
        snprintf(text, sizeof text, "%d", i);
        speaker->failed =
            append_text(speaker->conversations, "local", speaker->id, text, &error) ||
            conversations_create(speaker->conversations, "local", text, own, &error) ||
            conversations_export(speaker->conversations, "local", own, &whole, &error);
        if (!speaker->failed)
            json_decref(whole);
        speaker->failed |= conversations_delete(speaker->conversations, "local", own, &error);
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    struct conversations *c = open_with("threads", NULL);
    struct speaker speakers[THREADS];
    pthread_t threads[THREADS];
    char id[CONVERSATION_ID];
    create(c, "local", "all talk", id);
    for (size_t i = 0; i < THREADS; i++) {
        speakers[i] = (struct speaker){c, id, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, speak, &speakers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(speakers[i].failed);
    }
    json_t *whole = export(c, "local", id);
    assert_int_equal(message_count(whole), THREADS * EACH);
    json_decref(whole);
    assert_int_equal(count_of(c, "local"), 1);
    conversations_close(c);
}

static void refuse(const char *name, const char *complaint) {
    struct conversations *c;
    struct error error;
    assert_int_equal(conversations_open(&c, at(name), NULL, &error), -1);
    assert_null(c);
    if (strstr(error.message, complaint) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, complaint);
}

static void test_file(void **state) {
    (void)state;
    static const char *const NAMES[] = {"file", "file-wal", "file-shm"};
    char id[CONVERSATION_ID];
    struct stat status;
    struct error error;
    json_t *list;
    umask(0);
    struct conversations *c = open_with("file", NULL);
    umask(022);
    create(c, "local", "", id);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stat(at(NAMES[i]), &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    assert_int_equal(rename(at("file"), at("away")), 0);
    assert_int_equal(append_text(c, "local", id, "x", &error), CONVERSATION_FAILED);
    assert_int_equal(conversations_list(c, "local", &list, &error), CONVERSATION_FAILED);
    assert_non_null(strstr(error.message, "removed or exchanged"));
    assert_int_equal(rename(at("away"), at("file")), 0);
    conversations_close(c);
    assert_int_equal(chmod(at("file"), 0604), 0);
    refuse("file", "chmod 600");
    assert_int_equal(chmod(at("file"), 0600), 0);
    sqlite3 *database;
    assert_int_equal(sqlite3_open(at("file"), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "PRAGMA application_id = 1", NULL, NULL, NULL), 0);
    sqlite3_close(database);
    refuse("file", "holds no conversations of trine");
    FILE *stream = fopen(at("file"), "w");
    for (int i = 0; i < 1000; i++)
        fputs("a text of another kind\n", stream);
    fclose(stream);
    refuse("file", "no file of trine");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeping),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_others_see_nothing),
        cmocka_unit_test(test_hostile_content),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_deleting_leaves_no_trace),
        cmocka_unit_test(test_deleting_beside_a_reader),
        cmocka_unit_test(test_kill),
        cmocka_unit_test(test_kill_after_deleting),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
