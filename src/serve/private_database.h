/* SQLite files of the server that only their owner may read: made with mode 0600, told apart from
 * those of other programs by their application id, version and tables, and safe to be used by
 * several processes at once (write-ahead log, a timeout for locks). What was committed survives a
 * crash, also one of the machine (synchronous = FULL). Deleted content is overwritten with zeros
 * (secure_delete).
 *
 * A database is used by one thread at a time; its owner has a mutex. */
#ifndef TRINE_SERVE_PRIVATE_DATABASE_H
#define TRINE_SERVE_PRIVATE_DATABASE_H

#include <sqlite3.h>
#include <sys/types.h>

#include "base/error.h"

struct private_database_kind {
    const char *content; /* "access keys": what the file holds, for messages */
    const char *remedy;  /* what to do when there is no such file; NULL: nothing is said */
    int application_id, version;
    const char *layout; /* pragmas before the first table; NULL: none */
    const char *schema;
    int longest_value; /* bytes of a row; a damaged file cannot ask for more memory */
};

struct private_database {
    sqlite3 *connection;
    char *path; /* absolute */
    dev_t device;
    ino_t inode;
};

/* Opens the file, and makes it when it is absent or empty and `is_new_fine`. One that others may
 * read or write is refused, and so is one that is damaged or another program's. */
int private_database_open(struct private_database *database,
                          const struct private_database_kind *kind, const char *path,
                          int is_new_fine, struct error *error);
/* Harmless for zeros. All statements must be finalised. */
void private_database_close(struct private_database *database);

/* Returns -1 with what SQLite said last: "cannot DOING FILE: ...". */
int private_database_failed(const struct private_database *database, const char *doing,
                            struct error *error);

/* Refuses when the file was removed, or another put in its place, since it was opened: SQLite would
 * go on with what nobody can reach any more. */
int private_database_check_place(const struct private_database *database, struct error *error);

int private_database_prepare(const struct private_database *database, sqlite3_stmt **statement,
                             const char *sql, struct error *error);
int private_database_execute(const struct private_database *database, const char *sql,
                             struct error *error);

/* Runs a statement that gives no rows, and makes it ready for other values, which are forgotten. */
int private_database_run(const struct private_database *database, sqlite3_stmt *statement,
                         struct error *error);

/* Copies the log into the file and empties it, so that nothing deleted stays in it. Fails when
 * another process still reads an older state after so many milliseconds. */
int private_database_empty_log(const struct private_database *database, int milliseconds,
                               struct error *error);

#endif
