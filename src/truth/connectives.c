#include "truth/connectives.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

static const struct {
    const char *before, *between; /* of the clauses */
    enum connective connective;
} FORMS[] = {
    {"it is not true that ", NULL, CONNECTIVE_NOT},
    {"it isn't true that ", NULL, CONNECTIVE_NOT},
    {"it is not the case that ", NULL, CONNECTIVE_NOT},
    {"it is false that ", NULL, CONNECTIVE_NOT},
    {"it is untrue that ", NULL, CONNECTIVE_NOT},
    {"it is the case both that ", " and that ", CONNECTIVE_BOTH},
    {"it is true both that ", " and that ", CONNECTIVE_BOTH},
    {"it is the case either that ", " or that ", CONNECTIVE_EITHER},
    {"it is true either that ", " or that ", CONNECTIVE_EITHER},
};

static struct clause trimmed(const char *text, size_t bytes) {
    while (bytes > 0 && isspace((unsigned char)*text)) {
        text++;
        bytes--;
    }
    while (bytes > 0 && (isspace((unsigned char)text[bytes - 1]) || text[bytes - 1] == '.'))
        bytes--;
    return (struct clause){text, bytes};
}

static const char *find(struct clause in, const char *what) {
    size_t bytes = strlen(what);
    for (size_t i = 0; i + bytes <= in.bytes; i++)
        if (strncasecmp(in.text + i, what, bytes) == 0)
            return in.text + i;
    return NULL;
}

enum connective connective_find(const char *text, size_t bytes, struct clause clauses[2]) {
    struct clause all = trimmed(text, bytes);
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        size_t before = strlen(FORMS[i].before);
        if (all.bytes <= before || strncasecmp(all.text, FORMS[i].before, before) != 0)
            continue;
        struct clause rest = {all.text + before, all.bytes - before}, second = {rest.text, 1};
        if (FORMS[i].between != NULL) {
            const char *at = find(rest, FORMS[i].between);
            if (at == NULL)
                return CONNECTIVE_NONE;
            size_t end = (size_t)(at - rest.text), between = strlen(FORMS[i].between);
            second = trimmed(at + between, rest.bytes - end - between);
            rest.bytes = end;
        }
        rest = trimmed(rest.text, rest.bytes);
        if (rest.bytes == 0 || second.bytes == 0)
            return CONNECTIVE_NONE;
        clauses[0] = rest;
        if (FORMS[i].between != NULL)
            clauses[1] = second;
        return FORMS[i].connective;
    }
    return CONNECTIVE_NONE;
}

/* Takes negations off, and copies what is left. */
static int copy_clause(struct clauses *out, size_t k, struct clause clause, int has_stop,
                       struct error *error) {
    struct clause within[2];
    while (connective_find(clause.text, clause.bytes, within) == CONNECTIVE_NOT) {
        clause = within[0];
        out->is_denied[k] = !out->is_denied[k];
    }
    char *text = memory_allocate(clause.bytes + 2, 1, error);
    if (text == NULL)
        return -1;
    memcpy(text, clause.text, clause.bytes);
    text[0] = (char)toupper((unsigned char)text[0]);
    text[clause.bytes] = has_stop ? '.' : '\0';
    out->texts[k] = text;
    return 0;
}

int clauses_split(struct clauses *out, const char *statement, struct error *error) {
    size_t bytes = strlen(statement);
    struct clause clauses[2] = {{statement, bytes}};
    *out = (struct clauses){.connective = connective_find(statement, bytes, clauses), .count = 1};
    int has_stop = bytes > 0 && statement[bytes - 1] == '.';
    if (out->connective == CONNECTIVE_NONE) {
        out->texts[0] = memory_allocate(bytes + 1, 1, error);
        if (out->texts[0] == NULL)
            return -1;
        memcpy(out->texts[0], statement, bytes);
        return 0;
    }
    if (out->connective == CONNECTIVE_NOT) {
        out->connective = CONNECTIVE_NONE;
        out->is_denied[0] = 1;
    } else {
        out->count = 2;
    }
    for (size_t k = 0; k < out->count; k++)
        if (copy_clause(out, k, clauses[k], has_stop, error)) {
            clauses_free(out);
            return -1;
        }
    return 0;
}

void clauses_free(struct clauses *clauses) {
    memory_free(clauses->texts[0]);
    memory_free(clauses->texts[1]);
    clauses->texts[0] = clauses->texts[1] = NULL;
}

/* log(exp(x) + exp(y)) */
static double log_sum(double x, double y) {
    return fmax(x, y) + log1p(exp(-fabs(x - y)));
}

/* The odds against both: (1 + e^-a)(1 + e^-b) - 1 = e^-a + e^-b + e^-(a+b). */
static double both(double a, double b) {
    return -log_sum(log_sum(-a, -b), -a - b);
}

double connective_log_odds(enum connective connective, double a, double b) {
    switch (connective) {
    case CONNECTIVE_NOT:
        return -a;
    case CONNECTIVE_BOTH:
        return both(a, b);
    case CONNECTIVE_EITHER:
        return -both(-a, -b);
    default:
        return a;
    }
}
