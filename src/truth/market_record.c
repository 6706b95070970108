#include "truth/market_record.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

enum { MOST_PRICES = 1 << 28 };

static int allocate(struct market_record *r, size_t sentences, size_t traders, size_t days,
                    struct error *error) {
    if (sentences > MOST_PRICES || traders > 1 << 20 || days > 1 << 24 ||
        (days > 0 && sentences > MOST_PRICES / days) ||
        (traders > 0 && sentences > MOST_PRICES / traders))
        return error_set(error, "a market of %zu sentences, %zu traders and %zu days is too large",
                         sentences, traders, days);
    r->sentences = memory_allocate(sentences, sizeof *r->sentences, error);
    r->traders = memory_allocate(traders, sizeof *r->traders, error);
    r->days = memory_allocate(days, sizeof *r->days, error);
    r->prices = memory_allocate(days * sentences, sizeof *r->prices, error);
    if (r->sentences == NULL || r->traders == NULL || r->days == NULL || r->prices == NULL)
        return -1;
    r->sentence_count = sentences;
    r->trader_count = traders;
    r->day_count = days;
    for (size_t j = 0; j < traders; j++) {
        r->traders[j].holding = memory_allocate(sentences, sizeof(double), error);
        if (r->traders[j].holding == NULL)
            return -1;
        for (size_t i = 0; i < sentences; i++)
            r->traders[j].holding[i] = NAN;
    }
    return 0;
}

int market_record_create(struct market_record *r, const char *engine,
                         const struct belief_base *base, size_t traders, size_t days,
                         struct error *error) {
    *r = (struct market_record){0};
    snprintf(r->engine, sizeof r->engine, "%s", engine);
    if (allocate(r, base->count, traders, days, error))
        return -1;
    for (size_t i = 0; i < base->count; i++) {
        const struct belief *b = &base->items[i];
        r->sentences[i] =
            (struct market_sentence){.name = strdup(b->id),
                                     .text = sentences_text(base->sentences, b->sentence, 1),
                                     .family = strdup(b->family),
                                     .is_constraint = b->is_constraint,
                                     .verdict = b->verdict,
                                     .day = b->day};
        if (r->sentences[i].name == NULL || r->sentences[i].text == NULL ||
            r->sentences[i].family == NULL)
            return error_set(error, "out of memory for the record of the market");
    }
    return 0;
}

void market_record_free(struct market_record *r) {
    for (size_t i = 0; r->sentences != NULL && i < r->sentence_count; i++) {
        free(r->sentences[i].name);
        free(r->sentences[i].text);
        free(r->sentences[i].family);
    }
    for (size_t j = 0; r->traders != NULL && j < r->trader_count; j++) {
        free(r->traders[j].name);
        memory_free(r->traders[j].holding);
    }
    memory_free(r->sentences);
    memory_free(r->traders);
    memory_free(r->days);
    memory_free(r->prices);
    *r = (struct market_record){0};
}

size_t market_record_find(const struct market_record *r, const char *name) {
    for (size_t i = 0; i < r->sentence_count; i++)
        if (strcmp(r->sentences[i].name, name) == 0)
            return i;
    for (size_t i = 0; i < r->sentence_count; i++)
        if (strcmp(r->sentences[i].text, name) == 0)
            return i;
    return SIZE_MAX;
}

static const char TABLES[] =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE sentences(id INTEGER PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL,"
    " family TEXT NOT NULL, is_constraint INTEGER NOT NULL, verdict INTEGER NOT NULL,"
    " day INTEGER NOT NULL);"
    "CREATE TABLE days(day INTEGER PRIMARY KEY, gain REAL, tolerance REAL, incoherence REAL);"
    "CREATE TABLE prices(day INTEGER, sentence INTEGER, price REAL NOT NULL,"
    " PRIMARY KEY(day, sentence)) WITHOUT ROWID;"
    "CREATE TABLE traders(id INTEGER PRIMARY KEY, name TEXT NOT NULL, weight REAL, least REAL,"
    " most REAL);"
    "CREATE TABLE holdings(trader INTEGER, sentence INTEGER, amount REAL NOT NULL,"
    " PRIMARY KEY(trader, sentence)) WITHOUT ROWID";

/* One row: 't' takes a text, 'i' an integer, 'r' a real. */
static int insert(sqlite3_stmt *statement, const char *kinds, ...) {
    va_list values;
    va_start(values, kinds);
    for (int i = 0; kinds[i] != '\0'; i++) {
        if (kinds[i] == 't')
            sqlite3_bind_text(statement, i + 1, va_arg(values, const char *), -1, SQLITE_STATIC);
        else if (kinds[i] == 'i')
            sqlite3_bind_int64(statement, i + 1, (sqlite3_int64)va_arg(values, size_t));
        else
            sqlite3_bind_double(statement, i + 1, va_arg(values, double));
    }
    va_end(values);
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

static int write_meta(sqlite3_stmt *s, const struct market_record *r) {
    return insert(s, "tt", "format", "1") || insert(s, "tt", "engine", r->engine);
}

static int write_sentences(sqlite3_stmt *s, const struct market_record *r) {
    int result = 0;
    for (size_t i = 0; result == 0 && i < r->sentence_count; i++) {
        const struct market_sentence *m = &r->sentences[i];
        result = insert(s, "itttiii", i, m->name, m->text, m->family, (size_t)m->is_constraint,
                        (size_t)m->verdict, (size_t)m->day);
    }
    return result;
}

static int write_days(sqlite3_stmt *s, const struct market_record *r) {
    int result = 0;
    for (size_t d = 0; result == 0 && d < r->day_count; d++)
        result =
            insert(s, "irrr", d + 1, r->days[d].gain, r->days[d].tolerance, r->days[d].incoherence);
    return result;
}

static int write_prices(sqlite3_stmt *s, const struct market_record *r) {
    int result = 0;
    for (size_t at = 0; result == 0 && at < r->day_count * r->sentence_count; at++)
        result =
            insert(s, "iir", at / r->sentence_count + 1, at % r->sentence_count, r->prices[at]);
    return result;
}

static int write_traders(sqlite3_stmt *s, const struct market_record *r) {
    int result = 0;
    for (size_t j = 0; result == 0 && j < r->trader_count; j++) {
        const struct market_trader *t = &r->traders[j];
        result = insert(s, "itrrr", j, t->name, t->weight, t->least, t->most);
    }
    return result;
}

static int write_holdings(sqlite3_stmt *s, const struct market_record *r) {
    int result = 0;
    for (size_t j = 0; j < r->trader_count; j++)
        for (size_t i = 0; result == 0 && i < r->sentence_count; i++)
            if (isfinite(r->traders[j].holding[i]) && r->traders[j].holding[i] != 0)
                result = insert(s, "iir", j, i, r->traders[j].holding[i]);
    return result;
}

static int write_all(sqlite3 *database, const struct market_record *r) {
    static const struct {
        const char *sql;
        int (*write)(sqlite3_stmt *, const struct market_record *);
    } PARTS[] = {{"INSERT INTO meta VALUES(?,?)", write_meta},
                 {"INSERT INTO sentences VALUES(?,?,?,?,?,?,?)", write_sentences},
                 {"INSERT INTO days VALUES(?,?,?,?)", write_days},
                 {"INSERT INTO prices VALUES(?,?,?)", write_prices},
                 {"INSERT INTO traders VALUES(?,?,?,?,?)", write_traders},
                 {"INSERT INTO holdings VALUES(?,?,?)", write_holdings}};
    int result = sqlite3_exec(database, TABLES, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
    for (size_t i = 0; result == 0 && i < sizeof PARTS / sizeof *PARTS; i++) {
        sqlite3_stmt *statement = NULL;
        result = sqlite3_prepare_v2(database, PARTS[i].sql, -1, &statement, NULL) != SQLITE_OK ||
                 PARTS[i].write(statement, r);
        sqlite3_finalize(statement);
    }
    return result || sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK ? -1 : 0;
}

int market_record_save(const struct market_record *r, const char *path, struct error *error) {
    struct file_writer writer;
    sqlite3 *database = NULL;
    /* SQLite fills the temporary file, which is then synced and renamed as any other. */
    if (file_writer_open(&writer, path, error))
        return -1;
    int result =
        sqlite3_open_v2(writer.temporary, &database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
                write_all(database, r)
            ? error_set(error, "cannot write %s: %s", path, sqlite3_errmsg(database))
            : 0;
    if (sqlite3_close(database) != SQLITE_OK && result == 0)
        result = error_set(error, "cannot write %s", path);
    if (result != 0) {
        file_writer_abort(&writer);
        return -1;
    }
    return file_writer_commit(&writer, error);
}

/* Calls `row` for every row; a broken one returns -1. */
static int each_row(sqlite3 *database, const char *sql, struct market_record *r,
                    int (*row)(struct market_record *, sqlite3_stmt *)) {
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_ROW, result = 0;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        return -1;
    while (result == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW)
        result = row(r, statement);
    sqlite3_finalize(statement);
    return result != 0 || code != SQLITE_DONE ? -1 : 0;
}

static char *text_of(sqlite3_stmt *s, int column) {
    const char *text = (const char *)sqlite3_column_text(s, column);
    return strdup(text != NULL ? text : "");
}

static int in_range(sqlite3_stmt *s, int column, size_t count, size_t *index) {
    sqlite3_int64 value = sqlite3_column_int64(s, column);
    *index = (size_t)value;
    return value >= 0 && (size_t)value < count;
}

static int read_meta(struct market_record *r, sqlite3_stmt *s) {
    const char *engine = (const char *)sqlite3_column_text(s, 0);
    snprintf(r->engine, sizeof r->engine, "%s", engine != NULL ? engine : "");
    return strcmp(r->engine, "exact") == 0 || strcmp(r->engine, "kelly") == 0 ? 0 : -1;
}

static int read_counts(struct market_record *r, sqlite3_stmt *s) {
    struct error error;
    return allocate(r, (size_t)sqlite3_column_int64(s, 0), (size_t)sqlite3_column_int64(s, 1),
                    (size_t)sqlite3_column_int64(s, 2), &error);
}

static int read_sentence(struct market_record *r, sqlite3_stmt *s) {
    size_t i, verdict, day;
    if (!in_range(s, 0, r->sentence_count, &i) || !in_range(s, 5, 3, &verdict) ||
        !in_range(s, 6, LAST_DAY + 1, &day) || r->sentences[i].name != NULL)
        return -1;
    r->sentences[i] = (struct market_sentence){.name = text_of(s, 1),
                                               .text = text_of(s, 2),
                                               .family = text_of(s, 3),
                                               .is_constraint = sqlite3_column_int(s, 4) != 0,
                                               .verdict = (enum verdict)verdict,
                                               .day = (uint32_t)day};
    return r->sentences[i].name == NULL || r->sentences[i].text == NULL ||
                   r->sentences[i].family == NULL
               ? -1
               : 0;
}

static int read_day(struct market_record *r, sqlite3_stmt *s) {
    size_t d;
    if (!in_range(s, 0, r->day_count + 1, &d) || d == 0)
        return -1;
    r->days[d - 1] = (struct market_day){sqlite3_column_double(s, 1), sqlite3_column_double(s, 2),
                                         sqlite3_column_double(s, 3)};
    return 0;
}

static int read_price(struct market_record *r, sqlite3_stmt *s) {
    size_t d, i;
    double price = sqlite3_column_double(s, 2);
    if (!in_range(s, 0, r->day_count + 1, &d) || d == 0 || !in_range(s, 1, r->sentence_count, &i) ||
        !(price >= 0 && price <= 1))
        return -1;
    r->prices[(d - 1) * r->sentence_count + i] = price;
    return 0;
}

static int read_trader(struct market_record *r, sqlite3_stmt *s) {
    size_t j;
    if (!in_range(s, 0, r->trader_count, &j) || r->traders[j].name != NULL)
        return -1;
    struct market_trader *t = &r->traders[j];
    t->name = text_of(s, 1);
    t->weight = sqlite3_column_double(s, 2);
    t->least = sqlite3_column_double(s, 3);
    t->most = sqlite3_column_double(s, 4);
    return t->name == NULL ? -1 : 0;
}

static int read_holding(struct market_record *r, sqlite3_stmt *s) {
    size_t j, i;
    if (!in_range(s, 0, r->trader_count, &j) || !in_range(s, 1, r->sentence_count, &i))
        return -1;
    r->traders[j].holding[i] = sqlite3_column_double(s, 2);
    return 0;
}

/* All names are there, since ids are primary keys within the counts. */
static int is_whole(const struct market_record *r) {
    for (size_t i = 0; i < r->sentence_count; i++)
        if (r->sentences[i].name == NULL)
            return 0;
    for (size_t j = 0; j < r->trader_count; j++)
        if (r->traders[j].name == NULL)
            return 0;
    return r->sentences != NULL;
}

int market_record_load(struct market_record *r, const char *path, struct error *error) {
    sqlite3 *database = NULL;
    *r = (struct market_record){0};
    if (access(path, R_OK) != 0)
        return error_set_errno(error, "cannot open %s", path);
    int failed =
        sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
        sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK ||
        each_row(database, "SELECT value FROM meta WHERE key = 'engine'", r, read_meta) ||
        each_row(database,
                 "SELECT (SELECT count(*) FROM sentences), (SELECT count(*) FROM traders),"
                 " (SELECT count(*) FROM days) WHERE 6 = (SELECT count(*) FROM pragma_table_list"
                 " WHERE schema = 'main' AND type = 'table' AND name IN ('meta', 'sentences',"
                 " 'days', 'prices', 'traders', 'holdings'))",
                 r, read_counts) ||
        each_row(database,
                 "SELECT id, name, text, family, is_constraint, verdict, day FROM sentences", r,
                 read_sentence) ||
        each_row(database, "SELECT day, gain, tolerance, incoherence FROM days", r, read_day) ||
        each_row(database, "SELECT day, sentence, price FROM prices", r, read_price) ||
        each_row(database, "SELECT id, name, weight, least, most FROM traders", r, read_trader) ||
        each_row(database, "SELECT trader, sentence, amount FROM holdings", r, read_holding) ||
        !is_whole(r);
    sqlite3_close(database);
    if (failed) {
        market_record_free(r);
        return error_set(error, "%s is no record of a market, or is broken", path);
    }
    return 0;
}
