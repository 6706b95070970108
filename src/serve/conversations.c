#include "serve/conversations.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "serve/private_database.h"
#include "serve/text_check.h"

enum { ID_BYTES = 16, BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING, SECONDS_A_DAY = 86400 };
enum { LAST_DAY_OF_MESSAGES = 1000000, WAIT_FOR_LOG = 500 /* milliseconds */ };
static const struct conversation_limits DEFAULTS = {1000, 10000, 16 << 20, 256 << 20};

/* What is deleted must leave no trace, and SQLite's secure_delete alone does not see to that: it
 * writes zeros over a deleted row, but when rows move between the pages of a tree that grows or
 * shrinks, the gaps of the old page keep copies of them. Only rows move, never the overflow pages
 * behind a row that is too long for its tree, and those are zeroed whole. So the padding fills all
 * that a row of this tree may keep in a page (230 bytes of 1024, as the tree has no rowid:
 * ((1024 - 12) * 64 / 255) - 23), and content always lies on pages of its own. A title is the text
 * at position 0. */
#define PADDING "zeroblob(256)"
static const struct private_database_kind KIND = {
    .content = "conversations",
    .application_id = 0x74726376, /* "trcv" */
    .version = 1,
    .layout = "PRAGMA page_size = 1024; PRAGMA auto_vacuum = NONE",
    .schema =
        "CREATE TABLE conversations (id TEXT PRIMARY KEY NOT NULL, owner TEXT NOT NULL,"
        " created INTEGER NOT NULL, changed INTEGER NOT NULL, messages INTEGER NOT NULL,"
        " bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
        "CREATE INDEX by_owner ON conversations (owner);"
        "CREATE TABLE texts (conversation TEXT NOT NULL, position INTEGER NOT NULL,"
        " role TEXT NOT NULL, day INTEGER NOT NULL, padding BLOB NOT NULL, content TEXT NOT NULL,"
        " PRIMARY KEY (conversation, position)) STRICT, WITHOUT ROWID",
    .longest_value = CONVERSATION_MESSAGE_LIMIT + 4096,
};

enum statement {
    COUNT_OF_OWNER,
    FIND,
    ADD_CONVERSATION,
    ADD_TEXT,
    CHANGE,
    REMOVE_TEXTS,
    REMOVE_CONVERSATION,
    LIST,
    TEXTS,
    STATEMENTS
};

static const char *const SQL[STATEMENTS] = {
    [COUNT_OF_OWNER] =
        "SELECT count(*), coalesce(sum(bytes), 0) FROM conversations WHERE owner = ?",
    [FIND] = "SELECT created, changed, messages, bytes FROM conversations WHERE id = ? AND "
             "owner = ?",
    [ADD_CONVERSATION] = "INSERT INTO conversations VALUES (?, ?, ?3, ?3, 0, 0)",
    [ADD_TEXT] = "INSERT INTO texts VALUES (?, ?, ?, ?, " PADDING ", ?)",
    [CHANGE] = "UPDATE conversations SET changed = max(changed, ?), messages = ?, bytes = ? WHERE "
               "id = ?",
    [REMOVE_TEXTS] = "DELETE FROM texts WHERE conversation = ?",
    [REMOVE_CONVERSATION] = "DELETE FROM conversations WHERE id = ?",
    [LIST] = "SELECT id, content, created, changed, messages FROM conversations JOIN texts ON "
             "conversation = id AND position = 0 WHERE owner = ? ORDER BY changed DESC, id",
    [TEXTS] = "SELECT role, day, content FROM texts WHERE conversation = ? ORDER BY position",
};

struct conversations {
    struct private_database database;
    struct conversation_limits limits;
    sqlite3_stmt *statements[STATEMENTS];
    int has_traces; /* what was deleted may still be in the log */
    pthread_mutex_t mutex;
};

/* What the table says of one. */
struct summary {
    int64_t created, changed, messages, bytes;
};

int64_t conversations_today(void) {
    return time(NULL) / SECONDS_A_DAY;
}

static int refuse(struct error *error, const char *what, size_t limit) {
    error_set(error, "there are too many %s: at most %zu are kept", what, limit);
    return CONVERSATION_REFUSED;
}

static int absent(struct error *error) {
    error_set(error, "there is no such conversation");
    return CONVERSATION_ABSENT;
}

/* Tries without waiting: all who want something of the file would wait, too. */
static void empty_log(struct conversations *c) {
    struct error ignored;
    if (c->has_traces && private_database_empty_log(&c->database, 0, &ignored) == 0)
        c->has_traces = 0;
}

static struct conversation_limits complete(const struct conversation_limits *given) {
    struct conversation_limits limits = given != NULL ? *given : DEFAULTS;
    if (limits.conversations == 0)
        limits.conversations = DEFAULTS.conversations;
    if (limits.messages == 0)
        limits.messages = DEFAULTS.messages;
    if (limits.conversation_bytes == 0)
        limits.conversation_bytes = DEFAULTS.conversation_bytes;
    if (limits.owner_bytes == 0)
        limits.owner_bytes = DEFAULTS.owner_bytes;
    return limits;
}

int conversations_open(struct conversations **out, const char *path,
                       const struct conversation_limits *limits, struct error *error) {
    *out = NULL;
    if (sodium_init() < 0)
        return error_set(error, "libsodium finds no source of randomness");
    struct conversations *c = calloc(1, sizeof *c);
    if (c == NULL)
        return error_set(error, "out of memory");
    pthread_mutex_init(&c->mutex, NULL);
    c->limits = complete(limits);
    int result = private_database_open(&c->database, &KIND, path, 1, error);
    for (size_t i = 0; result == 0 && i < STATEMENTS; i++)
        result = private_database_prepare(&c->database, &c->statements[i], SQL[i], error);
    if (result != 0) {
        conversations_close(c);
        return -1;
    }
    c->has_traces = 1; /* of a process that was killed while it deleted */
    empty_log(c);
    *out = c;
    return 0;
}

void conversations_close(struct conversations *c) {
    if (c == NULL)
        return;
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(c->statements[i]);
    if (c->database.connection != NULL)
        empty_log(c);
    private_database_close(&c->database);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

/* Whoever writes begins with that lock: from reading to writing there would be no way when another
 * process has written in between. */
static int begin(struct conversations *c, int is_writing, struct error *error) {
    if (is_writing)
        empty_log(c);
    return private_database_check_place(&c->database, error) ||
                   private_database_execute(&c->database, is_writing ? "BEGIN IMMEDIATE" : "BEGIN",
                                            error)
               ? CONVERSATION_FAILED
               : 0;
}

/* Commits when all went well so far, and takes everything back otherwise. */
static int end(struct conversations *c, int result, struct error *error) {
    if (result == 0)
        result = private_database_execute(&c->database, "COMMIT", error);
    if (result != 0 && !sqlite3_get_autocommit(c->database.connection))
        sqlite3_exec(c->database.connection, "ROLLBACK", NULL, NULL, NULL);
    return result;
}

static sqlite3_stmt *with_text(struct conversations *c, enum statement which, const char *text) {
    sqlite3_stmt *statement = c->statements[which];
    sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    return statement;
}

/* Numbers of the one row that a statement gives; 0 when it gives one, 1 when none. */
static int read_numbers(struct conversations *c, sqlite3_stmt *statement, int64_t *numbers,
                        struct error *error) {
    int code = sqlite3_step(statement), result = code == SQLITE_DONE;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        result = private_database_failed(&c->database, "read", error);
    for (int i = 0; code == SQLITE_ROW && i < sqlite3_column_count(statement); i++)
        numbers[i] = sqlite3_column_int64(statement, i);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return result;
}

static int find(struct conversations *c, const char *owner, const char *id, struct summary *found,
                struct error *error) {
    int64_t numbers[4] = {0};
    sqlite3_stmt *statement = with_text(c, FIND, id);
    sqlite3_bind_text(statement, 2, owner, -1, SQLITE_STATIC);
    int result = read_numbers(c, statement, numbers, error);
    *found = (struct summary){numbers[0], numbers[1], numbers[2], numbers[3]};
    return result == 1 ? absent(error) : result;
}

static int add_text(struct conversations *c, const char *id, int64_t position,
                    const struct conversation_message *message, struct error *error) {
    sqlite3_stmt *statement = with_text(c, ADD_TEXT, id);
    sqlite3_bind_int64(statement, 2, position);
    sqlite3_bind_text(statement, 3, message->role, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, message->day);
    /* A pointer to nothing would be NULL, not an empty text. */
    sqlite3_bind_text64(statement, 5, message->bytes > 0 ? message->content : "", message->bytes,
                        SQLITE_STATIC, SQLITE_UTF8);
    return private_database_run(&c->database, statement, error);
}

static int create(struct conversations *c, const char *owner, const char *title, const char *id,
                  struct error *error) {
    int64_t of_owner[2] = {0};
    struct conversation_message text = {"title", title, strlen(title), conversations_today()};
    if (read_numbers(c, with_text(c, COUNT_OF_OWNER, owner), of_owner, error))
        return CONVERSATION_FAILED;
    if ((size_t)of_owner[0] >= c->limits.conversations)
        return refuse(error, "conversations", c->limits.conversations);
    sqlite3_stmt *add = with_text(c, ADD_CONVERSATION, id);
    sqlite3_bind_text(add, 2, owner, -1, SQLITE_STATIC);
    sqlite3_bind_int64(add, 3, time(NULL));
    return private_database_run(&c->database, add, error) || add_text(c, id, 0, &text, error)
               ? CONVERSATION_FAILED
               : 0;
}

int conversations_create(struct conversations *c, const char *owner, const char *title,
                         char id[CONVERSATION_ID], struct error *error) {
    unsigned char bytes[ID_BYTES];
    id[0] = '\0';
    if (strnlen(owner, CONVERSATION_OWNER) == CONVERSATION_OWNER)
        return error_set(error, "the owner of a conversation has too long a name");
    if (text_check_line(title, strlen(title), CONVERSATION_TITLE_LIMIT, "the title", error))
        return CONVERSATION_REFUSED;
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(id, CONVERSATION_ID, bytes, sizeof bytes, BASE64);
    pthread_mutex_lock(&c->mutex);
    int result = begin(c, 1, error);
    if (result == 0)
        result = end(c, create(c, owner, title, id, error), error);
    pthread_mutex_unlock(&c->mutex);
    if (result != 0)
        id[0] = '\0';
    return result;
}

static int check_message(const struct conversation_message *message, struct error *error) {
    static const char *const ROLES[] = {"system", "developer", "user", "assistant"};
    size_t role = 0;
    while (role < 4 && strcmp(message->role, ROLES[role]) != 0)
        role++;
    if (role == 4)
        return error_set(error,
                         "'%.40s' is no role of a message; they are system, developer, user "
                         "and assistant",
                         message->role);
    if (message->day < 0 || message->day > LAST_DAY_OF_MESSAGES)
        return error_set(error, "the day of a message must be from 0 to %d", LAST_DAY_OF_MESSAGES);
    return text_check(message->content, message->bytes, CONVERSATION_MESSAGE_LIMIT,
                      "the content of a message", error);
}

static int append(struct conversations *c, const char *owner, const char *id,
                  const struct conversation_message *messages, size_t count, struct error *error) {
    struct summary found;
    int64_t of_owner[2] = {0};
    size_t bytes = 0;
    int result = find(c, owner, id, &found, error);
    if (result != 0)
        return result;
    if (read_numbers(c, with_text(c, COUNT_OF_OWNER, owner), of_owner, error))
        return CONVERSATION_FAILED;
    if (count > c->limits.messages || (size_t)found.messages > c->limits.messages - count)
        return refuse(error, "messages in the conversation", c->limits.messages);
    for (size_t i = 0; i < count; i++)
        bytes += messages[i].bytes;
    if ((size_t)found.bytes + bytes > c->limits.conversation_bytes)
        return refuse(error, "bytes in the conversation", c->limits.conversation_bytes);
    if ((size_t)of_owner[1] + bytes > c->limits.owner_bytes)
        return refuse(error, "bytes in all conversations together; delete some",
                      c->limits.owner_bytes);
    for (size_t i = 0; i < count; i++)
        if (add_text(c, id, found.messages + 1 + (int64_t)i, &messages[i], error))
            return CONVERSATION_FAILED;
    sqlite3_stmt *change = c->statements[CHANGE];
    sqlite3_bind_int64(change, 1, time(NULL));
    sqlite3_bind_int64(change, 2, found.messages + (int64_t)count);
    sqlite3_bind_int64(change, 3, found.bytes + (int64_t)bytes);
    sqlite3_bind_text(change, 4, id, -1, SQLITE_STATIC);
    return private_database_run(&c->database, change, error);
}

int conversations_append(struct conversations *c, const char *owner, const char *id,
                         const struct conversation_message *messages, size_t count,
                         struct error *error) {
    for (size_t i = 0; i < count; i++)
        if (check_message(&messages[i], error))
            return CONVERSATION_REFUSED;
    pthread_mutex_lock(&c->mutex);
    int result = begin(c, 1, error);
    if (result == 0)
        result = end(c, append(c, owner, id, messages, count, error), error);
    pthread_mutex_unlock(&c->mutex);
    return result;
}

static json_t *text_of(sqlite3_stmt *row, int column) {
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text != NULL ? json_stringn(text, (size_t)sqlite3_column_bytes(row, column)) : NULL;
}

static json_t *entry_of(sqlite3_stmt *row) {
    return json_pack("{s:o, s:o, s:I, s:I, s:I}", "id", text_of(row, 0), "title", text_of(row, 1),
                     "created", (json_int_t)sqlite3_column_int64(row, 2), "changed",
                     (json_int_t)sqlite3_column_int64(row, 3), "messages",
                     (json_int_t)sqlite3_column_int64(row, 4));
}

static json_t *message_of(sqlite3_stmt *row) {
    return json_pack("{s:o, s:o, s:I}", "role", text_of(row, 0), "content", text_of(row, 2), "day",
                     (json_int_t)sqlite3_column_int64(row, 1));
}

/* array <- what `make` makes of each row; the statement is ready again afterwards. */
static int gather(struct conversations *c, sqlite3_stmt *rows, json_t *array,
                  json_t *(*make)(sqlite3_stmt *), struct error *error) {
    int code, result = 0;
    while (result == 0 && (code = sqlite3_step(rows)) != SQLITE_DONE)
        if (code != SQLITE_ROW)
            result = private_database_failed(&c->database, "read", error);
        else if (json_array_append_new(array, make(rows)) != 0)
            result = error_set(error, "memory is short, or %s is damaged", c->database.path);
    sqlite3_reset(rows);
    sqlite3_clear_bindings(rows);
    return result;
}

int conversations_list(struct conversations *c, const char *owner, json_t **list,
                       struct error *error) {
    if ((*list = json_array()) == NULL)
        return error_set(error, "out of memory");
    pthread_mutex_lock(&c->mutex);
    int result = begin(c, 0, error);
    if (result == 0)
        result = end(c, gather(c, with_text(c, LIST, owner), *list, entry_of, error), error);
    pthread_mutex_unlock(&c->mutex);
    if (result != 0) {
        json_decref(*list);
        *list = NULL;
    }
    return result;
}

static int export(struct conversations *c, const char *owner, const char *id, json_t **whole,
                  struct error *error) {
    struct summary found;
    int result = find(c, owner, id, &found, error);
    json_t *texts = result == 0 ? json_array() : NULL;
    if (result == 0)
        result = gather(c, with_text(c, TEXTS, id), texts, message_of, error);
    json_t *title = json_incref(json_object_get(json_array_get(texts, 0), "content"));
    if (result == 0)
        json_array_remove(texts, 0);
    if (result == 0 && (*whole = json_pack("{s:s, s:O, s:I, s:I, s:O}", "id", id, "title", title,
                                           "created", (json_int_t)found.created, "changed",
                                           (json_int_t)found.changed, "messages", texts)) == NULL)
        result = error_set(error, "memory is short, or %s is damaged", c->database.path);
    json_decref(title);
    json_decref(texts);
    return result;
}

int conversations_export(struct conversations *c, const char *owner, const char *id, json_t **whole,
                         struct error *error) {
    *whole = NULL;
    pthread_mutex_lock(&c->mutex);
    int result = begin(c, 0, error);
    if (result == 0)
        result = end(c, export(c, owner, id, whole, error), error);
    pthread_mutex_unlock(&c->mutex);
    if (result != 0) {
        json_decref(*whole);
        *whole = NULL;
    }
    return result;
}

static int remove_all(struct conversations *c, const char *owner, const char *id,
                      struct error *error) {
    struct summary found;
    int result = find(c, owner, id, &found, error);
    if (result != 0)
        return result;
    return private_database_run(&c->database, with_text(c, REMOVE_TEXTS, id), error) ||
                   private_database_run(&c->database, with_text(c, REMOVE_CONVERSATION, id), error)
               ? CONVERSATION_FAILED
               : 0;
}

int conversations_delete(struct conversations *c, const char *owner, const char *id,
                         struct error *error) {
    pthread_mutex_lock(&c->mutex);
    int result = begin(c, 1, error);
    if (result == 0)
        result = end(c, remove_all(c, owner, id, error), error);
    if (result == 0) {
        c->has_traces = 1;
        result = private_database_empty_log(&c->database, WAIT_FOR_LOG, error);
        c->has_traces = result != 0;
    }
    pthread_mutex_unlock(&c->mutex);
    return result;
}
