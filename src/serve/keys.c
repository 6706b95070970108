#include "serve/keys.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "serve/private_database.h"
#include "serve/text_check.h"

enum {
    SECRET_BYTES = 32,
    HASH_BYTES = 32,
    ID_BYTES = 8,
    BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING
};
static const char PREFIX[] = "trine-";
static_assert(KEY_TEXT == sizeof PREFIX - 1 + sodium_base64_ENCODED_LEN(SECRET_BYTES, BASE64),
              "the length of a key's text");
static_assert(KEY_ID == 2 * ID_BYTES + 1, "the length of a key's id");

static const struct private_database_kind KIND = {
    .content = "access keys",
    .remedy = "; `trine key new` makes a key and the file",
    .application_id = 0x74726b79, /* "trky" */
    .version = 1,
    .schema = "CREATE TABLE keys (id TEXT PRIMARY KEY NOT NULL, hash BLOB NOT NULL UNIQUE CHECK"
              " (length(hash) = 32), scope TEXT NOT NULL, rate REAL NOT NULL,"
              " created INTEGER NOT NULL, expires INTEGER NOT NULL, name TEXT NOT NULL)"
              " STRICT, WITHOUT ROWID",
    .longest_value = 1 << 16,
};

#define COLUMNS "SELECT id, scope, rate, created, expires, name"

struct keys {
    struct private_database database;
    sqlite3_stmt *find;
    pthread_mutex_t mutex;
    keys_clock *clock;
    void *clock_context;
};

static const char *const SCOPE_NAMES[SCOPES] = {"none", "good", "truth", "dream"};

const char *scope_name(enum scope scope) {
    return SCOPE_NAMES[scope];
}

int scope_from_name(enum scope *scope, const char *name, struct error *error) {
    for (int i = SCOPE_GOOD; i < SCOPES; i++)
        if (strcmp(name, SCOPE_NAMES[i]) == 0) {
            *scope = (enum scope)i;
            return 0;
        }
    return error_set(error, "'%.40s' is no scope; it must be good, truth or dream", name);
}

static int64_t system_clock(void *context) {
    (void)context;
    return time(NULL);
}

void keys_set_clock(struct keys *keys, keys_clock *clock, void *context) {
    keys->clock = clock;
    keys->clock_context = context;
}

static int has_expired(const struct keys *keys, const struct key_terms *terms) {
    return terms->expires != 0 && terms->expires <= keys->clock(keys->clock_context);
}

int keys_open(struct keys **out, const char *path, int is_new_fine, struct error *error) {
    *out = NULL;
    if (sodium_init() < 0)
        return error_set(error, "libsodium finds no source of randomness");
    struct keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL)
        return error_set(error, "out of memory");
    pthread_mutex_init(&keys->mutex, NULL);
    keys_set_clock(keys, system_clock, NULL);
    if (private_database_open(&keys->database, &KIND, path, is_new_fine, error) ||
        private_database_prepare(&keys->database, &keys->find,
                                 COLUMNS ", hash FROM keys WHERE hash = ?", error)) {
        keys_close(keys);
        return -1;
    }
    *out = keys;
    return 0;
}

void keys_close(struct keys *keys) {
    if (keys == NULL)
        return;
    sqlite3_finalize(keys->find);
    private_database_close(&keys->database);
    pthread_mutex_destroy(&keys->mutex);
    free(keys);
}

/* The text is 256 random bits, which nobody can guess however fast the hash is: a slow one, as for
 * passwords, would only make requests slow. */
static void hash_text(unsigned char hash[HASH_BYTES], const char *text) {
    crypto_generichash(hash, HASH_BYTES, (const unsigned char *)text, strlen(text), NULL, 0);
}

static int check_terms(const struct keys *keys, const struct key_terms *terms,
                       struct error *error) {
    size_t bytes = strnlen(terms->name, KEY_NAME);
    if (terms->scope <= SCOPE_NONE || terms->scope >= SCOPES)
        return error_set(error, "a key must have the scope good, truth or dream");
    if (!(terms->rate >= 0 && terms->rate <= KEY_RATE_LIMIT))
        return error_set(error, "the rate of a key must be from 0 to %g requests a minute",
                         KEY_RATE_LIMIT);
    if (terms->expires < 0 || has_expired(keys, terms))
        return error_set(error, "the key would have expired already");
    return text_check_line(terms->name, bytes, KEY_NAME - 1, "the name of a key", error);
}

static void make_text(char text[KEY_TEXT], char id[KEY_ID]) {
    unsigned char secret[SECRET_BYTES], id_bytes[ID_BYTES];
    randombytes_buf(secret, sizeof secret);
    randombytes_buf(id_bytes, sizeof id_bytes);
    char *end = stpcpy(text, PREFIX);
    sodium_bin2base64(end, KEY_TEXT - sizeof PREFIX + 1, secret, sizeof secret, BASE64);
    sodium_bin2hex(id, KEY_ID, id_bytes, sizeof id_bytes);
    sodium_memzero(secret, sizeof secret);
}

static int insert(struct keys *keys, const struct key_terms *terms, const char *text,
                  const char *id, struct error *error) {
    unsigned char hash[HASH_BYTES];
    sqlite3_stmt *statement = NULL;
    if (private_database_prepare(&keys->database, &statement,
                                 "INSERT INTO keys (id, hash, scope, rate, created, expires, name)"
                                 " VALUES (?, ?, ?, ?, ?, ?, ?)",
                                 error))
        return -1;
    hash_text(hash, text);
    sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 2, hash, HASH_BYTES, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, scope_name(terms->scope), -1, SQLITE_STATIC);
    sqlite3_bind_double(statement, 4, terms->rate);
    sqlite3_bind_int64(statement, 5, keys->clock(keys->clock_context));
    sqlite3_bind_int64(statement, 6, terms->expires);
    sqlite3_bind_text(statement, 7, terms->name, -1, SQLITE_STATIC);
    int result = private_database_run(&keys->database, statement, error);
    sqlite3_finalize(statement);
    return result;
}

int keys_new(struct keys *keys, const struct key_terms *terms, char text[KEY_TEXT], char id[KEY_ID],
             struct error *error) {
    text[0] = id[0] = '\0';
    pthread_mutex_lock(&keys->mutex);
    int result =
        private_database_check_place(&keys->database, error) || check_terms(keys, terms, error) ? -1
                                                                                                : 0;
    if (result == 0) {
        make_text(text, id);
        result = insert(keys, terms, text, id, error);
    }
    pthread_mutex_unlock(&keys->mutex);
    if (result != 0) {
        sodium_memzero(text, KEY_TEXT);
        id[0] = '\0';
    }
    return result;
}

/* The file is looked at with suspicion: its checks bind only who writes through SQLite. */
static int read_entry(const struct keys *keys, sqlite3_stmt *row, struct key_entry *entry,
                      struct error *error) {
    const char *id = (const char *)sqlite3_column_text(row, 0);
    const char *scope = (const char *)sqlite3_column_text(row, 1);
    const char *name = (const char *)sqlite3_column_text(row, 5);
    size_t name_bytes = (size_t)sqlite3_column_bytes(row, 5);
    struct key_terms *terms = &entry->terms;
    *entry = (struct key_entry){.created = sqlite3_column_int64(row, 3)};
    terms->rate = sqlite3_column_double(row, 2);
    terms->expires = sqlite3_column_int64(row, 4);
    if (id == NULL || scope == NULL || name == NULL)
        return private_database_failed(&keys->database, "read", error);
    if (strlen(id) != KEY_ID - 1 || strspn(id, "0123456789abcdef") != KEY_ID - 1 ||
        scope_from_name(&terms->scope, scope, error) ||
        !(terms->rate >= 0 && terms->rate <= KEY_RATE_LIMIT) || terms->expires < 0 ||
        text_check_line(name, name_bytes, KEY_NAME - 1, "the name of a key", error))
        return error_set(error, "a key in %s is damaged; put a copy of the file in its place",
                         keys->database.path);
    memcpy(entry->id, id, KEY_ID);
    memcpy(terms->name, name, name_bytes);
    entry->has_expired = has_expired(keys, terms);
    return 0;
}

static int find_hash(struct keys *keys, const unsigned char hash[HASH_BYTES],
                     struct key_entry *entry, struct error *error) {
    sqlite3_bind_blob(keys->find, 1, hash, HASH_BYTES, SQLITE_STATIC);
    int code = sqlite3_step(keys->find), result = 0;
    if (code == SQLITE_ROW) {
        /* The search for the hash takes its time by the hash, of which nobody can choose the
         * bytes; that all of it is the same is still seen without a hint. */
        const void *stored = sqlite3_column_blob(keys->find, 6);
        if (stored != NULL && sqlite3_column_bytes(keys->find, 6) == HASH_BYTES &&
            sodium_memcmp(stored, hash, HASH_BYTES) == 0)
            result = read_entry(keys, keys->find, entry, error) ? -1 : !entry->has_expired;
    } else if (code != SQLITE_DONE) {
        result = private_database_failed(&keys->database, "read", error);
    }
    /* Otherwise the statement would hold on to the state of the file that it saw. */
    sqlite3_reset(keys->find);
    sqlite3_clear_bindings(keys->find);
    return result;
}

int keys_find(struct keys *keys, const char *text, struct key_terms *terms, char id[KEY_ID],
              struct error *error) {
    unsigned char hash[HASH_BYTES];
    struct key_entry entry;
    if (text == NULL || strnlen(text, KEY_TEXT) != KEY_TEXT - 1 ||
        strncmp(text, PREFIX, sizeof PREFIX - 1) != 0)
        return 0;
    hash_text(hash, text);
    pthread_mutex_lock(&keys->mutex);
    int result = private_database_check_place(&keys->database, error)
                     ? -1
                     : find_hash(keys, hash, &entry, error);
    pthread_mutex_unlock(&keys->mutex);
    if (result == 1) {
        *terms = entry.terms;
        memcpy(id, entry.id, KEY_ID);
    }
    return result;
}

int keys_list(struct keys *keys, keys_callback *callback, void *context, struct error *error) {
    sqlite3_stmt *rows = NULL;
    struct key_entry entry;
    int code = SQLITE_DONE, is_stopped = 0;
    pthread_mutex_lock(&keys->mutex);
    int result = private_database_prepare(&keys->database, &rows,
                                          COLUMNS " FROM keys ORDER BY created, id", error);
    while (result == 0 && !is_stopped && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        result = read_entry(keys, rows, &entry, error);
        is_stopped = result == 0 && callback(context, &entry) != 0;
    }
    if (result == 0 && !is_stopped && code != SQLITE_DONE)
        result = private_database_failed(&keys->database, "read", error);
    sqlite3_finalize(rows);
    pthread_mutex_unlock(&keys->mutex);
    return result;
}

int keys_revoke(struct keys *keys, const char *id, struct error *error) {
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&keys->mutex);
    int result = private_database_check_place(&keys->database, error) ||
                         private_database_prepare(&keys->database, &statement,
                                                  "DELETE FROM keys WHERE id = ?", error)
                     ? -1
                     : 0;
    if (result == 0) {
        sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
        result = private_database_run(&keys->database, statement, error)
                     ? -1
                     : sqlite3_changes(keys->database.connection) > 0;
    }
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&keys->mutex);
    return result;
}
