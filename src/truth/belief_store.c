/* Belief bases in a corpus's catalogue: the table `beliefs`, sentences and formulas as text. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/catalogue.h"
#include "truth/belief_base.h"

static int store_failed(sqlite3 *database, const char *corpus, struct error *error) {
    return error_set(error, "cannot write the beliefs of %s: %s", corpus, sqlite3_errmsg(database));
}

static int insert(sqlite3_stmt *statement, const struct belief_base *base, size_t i,
                  struct error *error) {
    const struct belief *b = &base->items[i];
    const char *kind = b->is_constraint ? "constraint" : "formula";
    if (!b->is_constraint && sentences_get(base->sentences, b->sentence)->kind == SENTENCE_ATOM)
        kind = "sentence";
    char *text = sentences_text(base->sentences, b->sentence, *kind == 's');
    if (text == NULL)
        return error_set(error, "out of memory");
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)i);
    sqlite3_bind_text(statement, 2, b->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, text, -1, free);
    sqlite3_bind_text(statement, 5, b->family, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 6, (int)b->verdict);
    sqlite3_bind_int64(statement, 7, b->day);
    sqlite3_bind_text(statement, 8, b->source, -1, SQLITE_STATIC);
    sqlite3_bind_double(statement, 9, b->weight);
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

static int write_all(sqlite3 *database, const struct belief_base *base, struct error *error) {
    static const char TABLE[] =
        "BEGIN IMMEDIATE; DROP TABLE IF EXISTS beliefs;"
        "CREATE TABLE beliefs(position INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL,"
        " text TEXT NOT NULL, family TEXT NOT NULL, verdict INTEGER NOT NULL, day INTEGER NOT NULL,"
        " source TEXT NOT NULL, weight REAL NOT NULL)";
    sqlite3_stmt *statement = NULL;
    if (sqlite3_exec(database, TABLE, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(database, "INSERT INTO beliefs VALUES(?,?,?,?,?,?,?,?,?)", -1,
                           &statement, NULL) != SQLITE_OK)
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < base->count; i++)
        result = insert(statement, base, i, error);
    sqlite3_finalize(statement);
    if (result != 0)
        return -1;
    return sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

int belief_base_store(const struct belief_base *base, const char *corpus, struct error *error) {
    char path[4096];
    sqlite3 *database = NULL;
    if ((size_t)snprintf(path, sizeof path, "%s/" CATALOGUE_NAME, corpus) >= sizeof path)
        return error_set(error, "the path of %s is too long", corpus);
    /* Its tables are checked before anything is written into it. */
    if (catalogue_open(&database, corpus, error))
        return -1;
    sqlite3_close(database);
    int result = 0;
    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        write_all(database, base, error))
        result = store_failed(database, corpus, error);
    sqlite3_close(database); /* an open transaction is rolled back */
    return result;
}

static const char *column(sqlite3_stmt *statement, int i) {
    const char *text = (const char *)sqlite3_column_text(statement, i);
    return text != NULL ? text : "";
}

static int load_row(struct belief_base *base, sqlite3_stmt *statement, struct error *error) {
    const char *kind = column(statement, 1), *text = column(statement, 2);
    struct belief b = {.id = (char *)column(statement, 0),
                       .family = (char *)column(statement, 3),
                       .source = (char *)column(statement, 6),
                       .is_constraint = strcmp(kind, "constraint") == 0,
                       .line = base->count + 1};
    int verdict = sqlite3_column_int(statement, 4);
    sqlite3_int64 day = sqlite3_column_int64(statement, 5);
    b.weight = sqlite3_column_double(statement, 7);
    if (verdict < 0 || verdict > 2 || day < 0 || day > LAST_DAY ||
        !(b.weight > 0 && b.weight <= 1) || strlen(text) > BELIEF_LINE_LIMIT)
        return error_set(error, "%s: belief %zu is broken", base->name, base->count);
    b.verdict = b.is_constraint ? VERDICT_TRUE : (enum verdict)verdict;
    b.day = (uint32_t)day;
    if (strcmp(kind, "sentence") == 0
            ? sentences_add_atom(base->sentences, text, &b.sentence, error)
            : sentences_parse(base->sentences, text, &b.sentence, error))
        return -1;
    if (*b.id != '\0' && sentences_add_name(base->sentences, b.id, b.sentence, error))
        return -1;
    return belief_base_add(base, &b, error);
}

static int load_all(struct belief_base *base, sqlite3 *database, struct error *error) {
    sqlite3_stmt *statement;
    int code, result = sentences_create(&base->sentences, error);
    if (result != 0)
        return -1;
    if (sqlite3_prepare_v2(database,
                           "SELECT id, kind, text, family, verdict, day, source, weight FROM "
                           "beliefs ORDER BY position",
                           -1, &statement, NULL) != SQLITE_OK)
        return error_set(error, "%s holds no beliefs: %s", base->name, sqlite3_errmsg(database));
    while (result == 0 && (code = sqlite3_step(statement)) != SQLITE_DONE)
        result = code == SQLITE_ROW ? load_row(base, statement, error)
                                    : error_set(error, "cannot read the beliefs of %s: %s",
                                                base->name, sqlite3_errmsg(database));
    sqlite3_finalize(statement);
    return result;
}

int belief_base_load(struct belief_base *base, const char *corpus, struct error *error) {
    sqlite3 *database;
    *base = (struct belief_base){0};
    if (catalogue_open(&database, corpus, error))
        return -1;
    base->name = strdup(corpus);
    int result =
        base->name != NULL ? load_all(base, database, error) : error_set(error, "out of memory");
    sqlite3_close(database);
    if (result != 0)
        belief_base_free(base);
    return result;
}
