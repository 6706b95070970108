#include "truth/library.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "truth/connectives.h"
#include "truth/library_index.h"
#include "truth/library_judge.h"
#include "truth/passage.h"
#include "truth/statement.h"

/* What is below this is not cited. */
static const double LEAST_SUPPORT = 0.2;

enum { EXCERPT_BYTES = 300 };
#define ELLIPSIS "\u2026"

struct library {
    struct library_index index;
    struct vocabulary vocabulary;
};

static int open_index(struct library_index *index, const char *directory, struct error *error) {
    uint64_t fingerprint;
    struct error first, second;
    if (library_fingerprint(directory, &fingerprint, error))
        return -1;
    if (library_index_open(index, directory, fingerprint, &first) == 0)
        return 0;
    if (library_build(directory, &second))
        return error_set(error, "%.400s; making it failed: %.400s", first.message, second.message);
    return library_index_open(index, directory, fingerprint, error);
}

int library_open(struct library **out, const char *directory, struct error *error) {
    *out = NULL;
    struct library *library = memory_allocate(1, sizeof *library, error);
    if (library == NULL)
        return -1;
    if (open_index(&library->index, directory, error) ||
        vocabulary_create(&library->vocabulary, &library->index.cutter, error)) {
        library_close(library);
        return -1;
    }
    *out = library;
    return 0;
}

void library_close(struct library *library) {
    if (library == NULL)
        return;
    vocabulary_free(&library->vocabulary);
    library_index_close(&library->index);
    memory_free(library);
}

/* ---- Who may be cited ---- */

static int is_permitted(const struct library_index *index, const struct library_document *document,
                        const struct library_filter *filter) {
    double from = filter->year_from, to = filter->year_to, year = document->year;
    if ((!isnan(from) && !(year >= from)) ||
        (!isnan(to) && !(year <= to || (to == floor(to) && floor(year) <= to))))
        return 0;
    for (size_t i = 0; i < filter->author_count; i++)
        if (document->author != NO_AUTHOR &&
            strcmp(index->authors[document->author].label, filter->authors[i]) == 0)
            return 1;
    return filter->author_count == 0;
}

static uint8_t *permitted_documents(const struct library_index *index,
                                    const struct library_filter *filter, struct error *error) {
    uint8_t *permitted = memory_allocate(index->document_count, 1, error);
    for (size_t i = 0; permitted != NULL && i < index->document_count; i++)
        permitted[i] = filter == NULL || is_permitted(index, &index->documents[i], filter);
    return permitted;
}

/* ---- Citations ---- */

static char *copy(const char *text, size_t bytes, struct error *error) {
    char *out = memory_allocate(bytes + 1, 1, error);
    if (out != NULL)
        memcpy(out, text, bytes);
    return out;
}

/* Labels and names may hold anything; what is cited is one line of UTF-8. */
static char *copy_tidy(const char *text, struct error *error) {
    char *out = copy(text, strlen(text), error);
    if (out != NULL)
        out[text_tidy(out, strlen(out))] = '\0';
    return out;
}

/* The statement's terms in words[first, last), each once, by weight. */
static double window_weight(const struct statement *s, const struct word_list *words, size_t first,
                            size_t last) {
    double weight = 0;
    for (size_t j = 0; j < s->term_count; j++)
        for (size_t i = first; i < last; i++)
            if (words->items[i].key == s->terms[j].key) {
                weight += s->terms[j].weight;
                break;
            }
    return weight;
}

/* [*start, *end) <- the bytes, at most `room`, with most of the statement's words in the middle. */
static void choose_window(const struct statement *s, const struct word_list *words, size_t bytes,
                          size_t room, size_t *start, size_t *end) {
    const struct word *w = words->items;
    double best = 0;
    size_t from = 0, to = 0;
    for (size_t first = 0; first < words->count; first++) {
        size_t last = first;
        if (window_weight(s, words, first, first + 1) == 0)
            continue;
        while (last + 1 < words->count && w[last + 1].end - w[first].start <= room)
            last++;
        double weight = window_weight(s, words, first, last + 1);
        while (last > first && window_weight(s, words, last, last + 1) == 0)
            last--;
        if (weight > best) {
            best = weight;
            from = w[first].start;
            to = w[last].end;
        }
    }
    size_t before = to - from < room ? (room - (to - from)) / 2 : 0;
    size_t least = from > before ? from - before : 0;
    if (least > bytes - room)
        least = bytes - room;
    *start = least == 0 ? 0 : from;
    for (size_t i = words->count; i-- > 0;)
        if (w[i].start >= least && w[i].start < *start)
            *start = w[i].start;
    *end = *start;
    for (size_t i = 0; i < words->count && w[i].end <= *start + room; i++)
        *end = w[i].end > *end ? w[i].end : *end;
    if (*end == *start || bytes - *start <= room) /* one word without an end, or the last ones */
        *end = bytes - *start < room ? bytes : *start + room;
}

static char *excerpt(const struct statement *s, const char *text, size_t bytes,
                     const struct word_list *words, struct error *error) {
    size_t start = 0, end = bytes, dots = strlen(ELLIPSIS);
    if (bytes > EXCERPT_BYTES)
        choose_window(s, words, bytes, EXCERPT_BYTES - 2 * dots, &start, &end);
    /* The full stop after the last word, but no half of a character. */
    if (end < bytes && bytes - end <= 2)
        end = bytes;
    start = text_boundary(text, bytes, start);
    end = text_boundary(text, bytes, end);
    char *out = memory_allocate(end - start + 2 * dots + 1, 1, error);
    if (out == NULL)
        return NULL;
    memcpy(out, ELLIPSIS, start > 0 ? dots : 0);
    size_t at = start > 0 ? dots : 0;
    memcpy(out + at, text + start, end - start);
    at += text_tidy(out + at, end - start);
    strcpy(out + at, end < bytes ? ELLIPSIS : "");
    return out;
}

static int cite(struct library *library, const struct statement *s, const struct find *find,
                struct citation *out, struct error *error) {
    struct library_index *index = &library->index;
    const struct library_document *document = &index->documents[find->document];
    const char *text;
    size_t bytes;
    struct word_list words = {0};
    *out = (struct citation){.year = document->year, .support = find->support};
    out->document = copy_tidy(document->name, error);
    int result = out->document != NULL ? 0 : -1;
    if (result == 0 && document->author != NO_AUTHOR) {
        out->author = copy_tidy(index->authors[document->author].label, error);
        result = out->author != NULL ? 0 : -1;
    }
    if (result == 0)
        result = library_passage(index, find->passage, &text, &bytes, error) ||
                 words_cut(&index->cutter, text, bytes, &words, error);
    if (result == 0) {
        out->text = excerpt(s, text, bytes, &words, error);
        result = out->text != NULL ? 0 : -1;
    }
    sqlite3_reset(index->text);
    word_list_free(&words);
    return result == 0 ? 0 : -1;
}

static int testify(struct library *library, const struct statement *s,
                   const struct judgement *judgement, struct testimony *out, struct error *error) {
    out->log_odds = judgement->log_odds;
    for (size_t i = 0; i < judgement->find_count && out->citation_count < LIBRARY_CITATIONS; i++)
        if (fabs(judgement->finds[i].support) >= LEAST_SUPPORT &&
            cite(library, s, &judgement->finds[i], &out->citations[out->citation_count++], error))
            return -1;
    return 0;
}

/* What of the text is read: a word that the limit cuts is left out. */
static size_t statement_bytes(const char *text) {
    size_t bytes = strnlen(text, LIBRARY_STATEMENT_BYTES), at = bytes;
    if (bytes == LIBRARY_STATEMENT_BYTES && text[bytes] != '\0')
        while (at > 0 && text[at] != ' ')
            at--;
    return at > 0 ? at : bytes;
}

static int consult_whole(struct library *library, const char *text, const uint8_t *permitted,
                         struct testimony *out, struct error *error) {
    struct statement statement = {0};
    struct judgement *judgement = memory_allocate(1, sizeof *judgement, error);
    struct inquiry inquiry = {text, &library->index, &library->vocabulary, &statement, permitted};
    int result = judgement == NULL ||
                 statement_parse(&statement, text, statement_bytes(text), &library->index,
                                 &library->vocabulary, error) ||
                 library_judge(&inquiry, judgement, error) ||
                 testify(library, &statement, judgement, out, error);
    statement_free(&statement);
    memory_free(judgement);
    return result == 0 ? 0 : -1;
}

/* What supports the clause of a negation is against the whole. Citations of two clauses take turns,
 * as far as there is room; the rest is let go. */
static void join(struct testimony *out, struct testimony *clauses, enum connective connective) {
    double sign = connective == CONNECTIVE_NOT ? -1 : 1;
    out->log_odds = connective_log_odds(connective, clauses[0].log_odds, clauses[1].log_odds);
    for (size_t i = 0; i < LIBRARY_CITATIONS; i++)
        for (size_t k = 0; k < 2; k++) {
            if (i >= clauses[k].citation_count || out->citation_count == LIBRARY_CITATIONS)
                continue;
            struct citation *c = &out->citations[out->citation_count++];
            *c = clauses[k].citations[i];
            c->support *= sign;
            clauses[k].citations[i] = (struct citation){0};
        }
}

/* A statement that is made of others is read clause by clause. */
static int consult(struct library *library, const char *text, size_t depth,
                   const uint8_t *permitted, struct testimony *out, struct error *error) {
    struct clause clauses[2] = {{0}};
    struct testimony of[2] = {{0}};
    enum connective connective =
        depth == 0 ? CONNECTIVE_NONE : connective_find(text, strlen(text), clauses);
    if (connective == CONNECTIVE_NONE)
        return consult_whole(library, text, permitted, out, error);
    int result = 0;
    for (size_t k = 0; result == 0 && k < 2 && clauses[k].text != NULL; k++) {
        char *clause = memory_allocate(clauses[k].bytes + 1, 1, error);
        result = clause == NULL ? -1 : 0;
        if (result == 0) {
            memcpy(clause, clauses[k].text, clauses[k].bytes);
            result = consult(library, clause, depth - 1, permitted, &of[k], error);
        }
        memory_free(clause);
    }
    if (result == 0)
        join(out, of, connective);
    testimony_free(&of[0]);
    testimony_free(&of[1]);
    return result;
}

int library_consult(struct library *library, const char *text, const struct library_filter *filter,
                    struct testimony *out, struct error *error) {
    enum { MOST_DEPTH = 4 };
    *out = (struct testimony){0};
    uint8_t *permitted = permitted_documents(&library->index, filter, error);
    int result =
        permitted == NULL || consult(library, text, MOST_DEPTH, permitted, out, error) ? -1 : 0;
    if (result != 0)
        testimony_free(out);
    memory_free(permitted);
    return result;
}

void testimony_free(struct testimony *testimony) {
    for (size_t i = 0; i < testimony->citation_count; i++) {
        memory_free(testimony->citations[i].document);
        memory_free(testimony->citations[i].author);
        memory_free(testimony->citations[i].text);
    }
    *testimony = (struct testimony){0};
}
