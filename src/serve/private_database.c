#include "serve/private_database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_TIMEOUT = 5000, WAL_ATTEMPTS = 50, ATTEMPT_PAUSE = 100 }; /* milliseconds */

int private_database_failed(const struct private_database *database, const char *doing,
                            struct error *error) {
    int code = sqlite3_errcode(database->connection) & 0xff;
    const char *remedy = code == SQLITE_BUSY      ? "; another program holds it, try again"
                         : code == SQLITE_NOTADB  ? "; it is damaged or no file of trine"
                         : code == SQLITE_CORRUPT ? "; it is damaged, put a copy in its place"
                                                  : "";
    return error_set(error, "cannot %s %s: %s%s", doing, database->path,
                     sqlite3_errmsg(database->connection), remedy);
}

int private_database_prepare(const struct private_database *database, sqlite3_stmt **statement,
                             const char *sql, struct error *error) {
    return sqlite3_prepare_v3(database->connection, sql, -1, SQLITE_PREPARE_PERSISTENT, statement,
                              NULL) == SQLITE_OK
               ? 0
               : private_database_failed(database, "read", error);
}

int private_database_execute(const struct private_database *database, const char *sql,
                             struct error *error) {
    return sqlite3_exec(database->connection, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : private_database_failed(database, "use", error);
}

int private_database_run(const struct private_database *database, sqlite3_stmt *statement,
                         struct error *error) {
    int result = sqlite3_step(statement) == SQLITE_DONE
                     ? 0
                     : private_database_failed(database, "write", error);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return result;
}

/* *value <- the first column of the first row. */
static int ask_number(const struct private_database *database, const char *sql, int *value,
                      struct error *error) {
    sqlite3_stmt *statement = NULL;
    int result = private_database_prepare(database, &statement, sql, error);
    if (result == 0 && sqlite3_step(statement) != SQLITE_ROW)
        result = private_database_failed(database, "read", error);
    if (result == 0)
        *value = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return result;
}

int private_database_empty_log(const struct private_database *database, int milliseconds,
                               struct error *error) {
    int is_blocked = 0;
    sqlite3_busy_timeout(database->connection, milliseconds);
    int result = ask_number(database, "PRAGMA wal_checkpoint(TRUNCATE)", &is_blocked, error);
    sqlite3_busy_timeout(database->connection, LOCK_TIMEOUT);
    if (result != 0 || !is_blocked)
        return result;
    return error_set(error,
                     "another program reads an older state of %s; until it ends, what was "
                     "deleted stays in the file's log",
                     database->path);
}

static int check_status(const struct stat *status, const char *path, struct error *error) {
    if (!S_ISREG(status->st_mode))
        return error_set(error, "%s is no file", path);
    if ((status->st_mode & 077) != 0)
        return error_set(error, "others may read or write %s: chmod 600 it", path);
    return 0;
}

/* Makes the file where it is absent, and looks at it by its name: to open it here and close it
 * again would drop the locks that this process has on it through SQLite. */
static int find_file(struct private_database *database, const struct private_database_kind *kind,
                     const char *path, int is_new_fine, struct error *error) {
    if (is_new_fine) {
        int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (descriptor >= 0)
            close(descriptor);
        else if (errno != EEXIST)
            return error_set_errno(error, "cannot create %s", path);
    }
    struct stat status;
    database->path = realpath(path, NULL);
    if (database->path == NULL || stat(database->path, &status) != 0) {
        error_set_errno(error, "cannot open %s", path);
        size_t length = strlen(error->message);
        if (kind->remedy != NULL && length < sizeof error->message)
            strncat(error->message, kind->remedy, sizeof error->message - length - 1);
        return -1;
    }
    database->device = status.st_dev;
    database->inode = status.st_ino;
    return check_status(&status, path, error);
}

int private_database_check_place(const struct private_database *database, struct error *error) {
    struct stat status;
    if (stat(database->path, &status) == 0 && status.st_dev == database->device &&
        status.st_ino == database->inode)
        return 0;
    return error_set(error, "%s was removed or exchanged while it was in use; start again",
                     database->path);
}

static int set_up(const struct private_database *database, const struct private_database_kind *kind,
                  struct error *error) {
    sqlite3 *connection = database->connection;
    sqlite3_busy_timeout(connection, LOCK_TIMEOUT);
    sqlite3_extended_result_codes(connection, 0);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, kind->longest_value);
    /* What would go into temporary files stays in memory: nobody deletes those for good. */
    return private_database_execute(database,
                                    "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON;"
                                    "PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL",
                                    error);
}

/* 1 for a file in which nothing is yet, 0 for one with content, -1 on failure. */
static int is_fresh(const struct private_database *database, struct error *error) {
    int id = 0, version = 0, objects = 0;
    if (ask_number(database, "PRAGMA application_id", &id, error) ||
        ask_number(database, "PRAGMA user_version", &version, error) ||
        ask_number(database, "SELECT count(*) FROM sqlite_schema", &objects, error))
        return -1;
    return id == 0 && version == 0 && objects == 0;
}

/* The switch can meet the lock of another process that is about to do the same, and SQLite then
 * gives up at once, since two that wait for each other would wait for ever. */
static int use_log(const struct private_database *database, struct error *error) {
    int code = SQLITE_BUSY;
    for (int i = 0; i < WAL_ATTEMPTS && code == SQLITE_BUSY; i++) {
        if (i > 0)
            sqlite3_sleep(ATTEMPT_PAUSE);
        code = sqlite3_exec(database->connection, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    }
    return code == SQLITE_OK ? 0 : private_database_failed(database, "use", error);
}

/* Of two processes that find an empty file, the second finds the tables of the first. */
static int fill(const struct private_database *database, const struct private_database_kind *kind,
                struct error *error) {
    char marks[96];
    sqlite3_snprintf(sizeof marks, marks, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                     kind->application_id, kind->version);
    if ((kind->layout != NULL && private_database_execute(database, kind->layout, error)) ||
        use_log(database, error) || private_database_execute(database, "BEGIN IMMEDIATE", error))
        return -1;
    int result = is_fresh(database, error);
    if (result == 1)
        result = private_database_execute(database, kind->schema, error) ||
                         private_database_execute(database, marks, error)
                     ? -1
                     : 0;
    if (result == 0)
        result = private_database_execute(database, "COMMIT", error);
    if (result != 0)
        sqlite3_exec(database->connection, "ROLLBACK", NULL, NULL, NULL);
    return result;
}

/* All that defines the tables, as one text; the caller frees it. */
static char *schema_text(sqlite3 *connection) {
    static const char SQL[] = "SELECT coalesce(group_concat(type || sql, ';'), '') FROM (SELECT "
                              "type, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name)";
    sqlite3_stmt *statement = NULL;
    char *text = NULL;
    if (sqlite3_prepare_v2(connection, SQL, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != NULL)
        text = strdup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return text;
}

/* Views, triggers and tables of another shape could run code of their own, or be endless. */
static int check_schema(const struct private_database *database,
                        const struct private_database_kind *kind, struct error *error) {
    sqlite3 *model = NULL;
    char *is = NULL, *ought = NULL;
    if (sqlite3_open(":memory:", &model) == SQLITE_OK &&
        sqlite3_exec(model, kind->schema, NULL, NULL, NULL) == SQLITE_OK)
        ought = schema_text(model);
    sqlite3_close(model);
    int result = ought != NULL ? 0 : error_set(error, "out of memory");
    if (result == 0 && (is = schema_text(database->connection)) == NULL)
        result = private_database_failed(database, "read", error);
    if (result == 0 && strcmp(is, ought) != 0)
        result = error_set(error, "%s does not have the tables of %s; it is damaged or was changed",
                           database->path, kind->content);
    free(is);
    free(ought);
    return result;
}

static int check_content(const struct private_database *database,
                         const struct private_database_kind *kind, struct error *error) {
    int id = 0, version = 0, is_sound = 0;
    if (ask_number(database, "PRAGMA application_id", &id, error) ||
        ask_number(database, "PRAGMA user_version", &version, error))
        return -1;
    if (id != kind->application_id)
        return error_set(error, "%s holds no %s of trine but a database of another kind",
                         database->path, kind->content);
    if (version != kind->version)
        return error_set(error,
                         "%s has version %d of the format; this trine knows version %d: use the "
                         "trine that made it, or another file",
                         database->path, version, kind->version);
    if (check_schema(database, kind, error) ||
        ask_number(database, "SELECT quick_check = 'ok' FROM pragma_quick_check(1)", &is_sound,
                   error))
        return -1;
    return is_sound ? 0
                    : error_set(error, "%s is damaged; put a copy in its place", database->path);
}

static int open_checked(struct private_database *database, const struct private_database_kind *kind,
                        int is_new_fine, struct error *error) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(database->path, &database->connection, flags, NULL) != SQLITE_OK)
        return private_database_failed(database, "open", error);
    if (set_up(database, kind, error))
        return -1;
    int fresh = is_fresh(database, error);
    if (fresh == 1 && !is_new_fine)
        return error_set(error, "%s is empty%s", database->path,
                         kind->remedy != NULL ? kind->remedy : "");
    if (fresh < 0 || (fresh == 1 && fill(database, kind, error)))
        return -1;
    return check_content(database, kind, error) || use_log(database, error) ? -1 : 0;
}

int private_database_open(struct private_database *database,
                          const struct private_database_kind *kind, const char *path,
                          int is_new_fine, struct error *error) {
    *database = (struct private_database){0};
    if (find_file(database, kind, path, is_new_fine, error) ||
        open_checked(database, kind, is_new_fine, error)) {
        private_database_close(database);
        return -1;
    }
    return 0;
}

void private_database_close(struct private_database *database) {
    sqlite3_close(database->connection);
    free(database->path);
    *database = (struct private_database){0};
}
