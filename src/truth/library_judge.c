/* Two of the three kinds of statement, those about labels; truth/library_judge_text.c has the
 * third. A negation turns the result of each.
 *
 * Order ("A came before B"): with d the years from A's first document to B's,
 *     log odds = +-STRONG (1 - exp(-|d| / ORDER_YEARS) / 2),  -UNKNOWN when d = 0.
 *
 * Labels ("A gave an address in 1862"): STRONG when a document has all of them. Otherwise, when the
 * authors have documents,
 *     log odds = -(UNKNOWN + FAR (1 - exp(-d / FAR_YEARS)) + OTHER s),
 * d being how many years the year lies outside of the authors' first and last, and s, when others
 * have documents of that year, the share of years that belong to one author alone. */
#include "truth/library_judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "truth/passage.h"

static const double STRONG = 4, UNKNOWN = 0.5, ORDER_YEARS = 4;
static const double FAR = 2, FAR_YEARS = 4, OTHER = 2;

int term_is_author(const struct term *term, const struct library_document *document) {
    for (size_t i = 0; i < term->author_count; i++)
        if (document->author == (int32_t)term->authors[i])
            return 1;
    return 0;
}

int document_is_of_year(const struct library_document *document, double year) {
    return floor(document->year) == year; /* no year: false */
}

void judgement_add(struct judgement *out, size_t document, int64_t passage, double support) {
    if (out->find_count < JUDGE_FINDS)
        out->finds[out->find_count++] = (struct find){document, passage, support, 0};
}

int document_has_label(const struct inquiry *q, const struct library_document *document,
                       uint64_t key, struct word_list *words, int *has, struct error *error) {
    if (words_cut(&q->index->cutter, document->labels, strlen(document->labels), words, error))
        return -1;
    *has = word_list_has(words, key);
    return 0;
}

int library_passage(struct library_index *index, int64_t passage, const char **text, size_t *bytes,
                    struct error *error) {
    sqlite3_reset(index->text);
    sqlite3_bind_int64(index->text, 1, passage);
    int code = sqlite3_step(index->text);
    if (code != SQLITE_ROW)
        return code == SQLITE_DONE
                   ? error_set(error, "%s lacks passage %lld; remove it, and it is made anew",
                               index->path, (long long)passage)
                   : library_index_failed(index, error);
    /* The file is input like any other: what is in it may not be what was built. */
    const unsigned char *column = sqlite3_column_text(index->text, 0);
    *text = column != NULL ? (const char *)column : "";
    *bytes = column != NULL ? (size_t)sqlite3_column_bytes(index->text, 0) : 0;
    if (*bytes > PASSAGE_MOST_BYTES + 16)
        return error_set(error, "%s: passage %lld is too long; remove it, and it is made anew",
                         index->path, (long long)passage);
    return 0;
}

static int compare_finds(const void *a, const void *b) {
    const struct find *x = a, *y = b;
    double u = fabs(x->support), v = fabs(y->support);
    if (u != v)
        return (u < v) - (u > v);
    if (x->cover != y->cover)
        return (x->cover < y->cover) - (x->cover > y->cover);
    return (x->passage > y->passage) - (x->passage < y->passage);
}

void judgement_keep_best(struct judgement *out) {
    size_t kept = 0;
    qsort(out->finds, out->find_count, sizeof *out->finds, compare_finds);
    for (size_t i = 0; i < out->find_count; i++) {
        size_t j = 0;
        while (j < kept && out->finds[j].document != out->finds[i].document)
            j++;
        if (j == kept)
            out->finds[kept++] = out->finds[i];
    }
    out->find_count = kept;
}

/* ---- Order ---- */

/* The earliest permitted document by the authors; -1: none that has a year. */
static int64_t earliest(const struct inquiry *q, const struct term *term) {
    int64_t best = -1;
    for (size_t i = 0; i < q->index->document_count; i++) {
        const struct library_document *d = &q->index->documents[i];
        if (q->permitted[i] && term_is_author(term, d) && !isnan(d->year) &&
            (best < 0 || d->year < q->index->documents[best].year))
            best = (int64_t)i;
    }
    return best;
}

static void judge_order(const struct inquiry *q, struct judgement *out) {
    int64_t first = earliest(q, q->statement->first), second = earliest(q, q->statement->second);
    if (first < 0 || second < 0)
        return;
    const struct library_document *a = &q->index->documents[first],
                                  *b = &q->index->documents[second];
    double years = (b->year - a->year) * q->statement->order;
    out->log_odds =
        years == 0 ? -UNKNOWN : copysign(STRONG * (1 - exp(-fabs(years) / ORDER_YEARS) / 2), years);
    judgement_add(out, (size_t)first, a->first_passage, out->log_odds);
    judgement_add(out, (size_t)second, b->first_passage, out->log_odds);
}

/* ---- Labels ---- */

static int has_labels(const struct inquiry *q, const struct library_document *document,
                      struct word_list *words, int *has, struct error *error) {
    const struct statement *s = q->statement;
    *has = 1;
    for (size_t i = 0; *has && i < s->term_count; i++) {
        const struct term *term = &s->terms[i];
        if (term->kind == TERM_AUTHOR)
            *has = term_is_author(term, document);
        else if (term->kind == TERM_YEAR)
            *has = document_is_of_year(document, term->year);
    }
    for (size_t i = 0; *has && i < s->term_count; i++)
        if (s->terms[i].kind == TERM_WORD &&
            document_has_label(q, document, s->terms[i].key, words, has, error))
            return -1;
    return 0;
}

static int find_labelled(const struct inquiry *q, struct judgement *out, struct error *error) {
    struct word_list words = {0};
    int result = 0, has;
    for (size_t i = 0; result == 0 && i < q->index->document_count; i++) {
        const struct library_document *document = &q->index->documents[i];
        if (!q->permitted[i])
            continue;
        result = has_labels(q, document, &words, &has, error);
        if (result == 0 && has)
            judgement_add(out, i, document->first_passage, STRONG);
    }
    word_list_free(&words);
    return result;
}

static int compare_years(const void *a, const void *b) {
    const struct library_document *const *x = a, *const *y = b;
    double u = floor((*x)->year), v = floor((*y)->year);
    return u != v ? (u > v) - (u < v)
                  : ((*x)->author > (*y)->author) - ((*x)->author < (*y)->author);
}

/* The share of the library's years whose documents are all by one author. */
static int lone_years(const struct inquiry *q, double *share, struct error *error) {
    size_t count = 0, years = 0, lone = 0;
    const struct library_document **dated =
        memory_allocate(q->index->document_count, sizeof *dated, error);
    if (dated == NULL)
        return -1;
    for (size_t i = 0; i < q->index->document_count; i++)
        if (!isnan(q->index->documents[i].year))
            dated[count++] = &q->index->documents[i];
    qsort(dated, count, sizeof *dated, compare_years);
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && floor(dated[next]->year) == floor(dated[i]->year);)
            next++;
        years++;
        lone += dated[i]->author == dated[next - 1]->author;
    }
    memory_free(dated);
    *share = years > 0 ? (double)lone / (double)years : 0;
    return 0;
}

/* Against: the documents of that year by others, and how far the authors' own years are from it. */
static int judge_year(const struct inquiry *q, const struct term *author, double year,
                      struct judgement *out, struct error *error) {
    double first = INFINITY, last = -INFINITY, share;
    int64_t nearest = -1, others = 0;
    if (lone_years(q, &share, error))
        return -1;
    for (size_t i = 0; i < q->index->document_count; i++) {
        const struct library_document *d = &q->index->documents[i];
        if (!q->permitted[i] || isnan(d->year))
            continue;
        if (document_is_of_year(d, year) && !term_is_author(author, d)) {
            others++;
            judgement_add(out, i, d->first_passage, -OTHER * share);
        } else if (term_is_author(author, d)) {
            first = fmin(first, floor(d->year));
            last = fmax(last, floor(d->year));
            if (nearest < 0 ||
                fabs(d->year - year) < fabs(q->index->documents[nearest].year - year))
                nearest = (int64_t)i;
        }
    }
    if (nearest < 0)
        return 0;
    double outside = fmax(fmax(first - year, year - last), 0);
    double far = FAR * -expm1(-outside / FAR_YEARS);
    out->log_odds = -UNKNOWN - far - (others > 0 ? OTHER * share : 0);
    judgement_add(out, (size_t)nearest, q->index->documents[nearest].first_passage, -UNKNOWN - far);
    return 0;
}

static int judge_labels(const struct inquiry *q, struct judgement *out, struct error *error) {
    const struct statement *s = q->statement;
    const struct term *author = NULL, *year = NULL;
    if (find_labelled(q, out, error))
        return -1;
    if (out->find_count > 0) {
        out->log_odds = STRONG;
        return 0;
    }
    for (size_t i = 0; i < s->term_count; i++)
        if (s->terms[i].kind == TERM_AUTHOR)
            author = &s->terms[i];
        else if (s->terms[i].kind == TERM_YEAR)
            year = &s->terms[i];
    if (author == NULL)
        return 0;
    if (year != NULL)
        return judge_year(q, author, year->year, out, error);
    /* The author's documents have other labels. */
    for (size_t i = 0; i < q->index->document_count; i++)
        if (q->permitted[i] && term_is_author(author, &q->index->documents[i]))
            judgement_add(out, i, q->index->documents[i].first_passage, -UNKNOWN - OTHER);
    out->log_odds = out->find_count > 0 ? -UNKNOWN - OTHER : 0;
    return 0;
}

int library_judge(const struct inquiry *q, struct judgement *out, struct error *error) {
    const struct statement *s = q->statement;
    int result = 0, turns = s->is_negated && (s->order != 0 || s->is_of_labels || s->is_of_speech);
    out->log_odds = 0;
    out->find_count = 0;
    if (s->match == NULL)
        return 0;
    if (s->order != 0)
        judge_order(q, out);
    else if (s->is_of_labels)
        result = judge_labels(q, out, error);
    else
        result = library_judge_text(q, out, error);
    if (turns)
        out->log_odds = -out->log_odds;
    for (size_t i = 0; turns && i < out->find_count; i++)
        out->finds[i].support = -out->finds[i].support;
    judgement_keep_best(out);
    return result;
}
