/* What passages say of a statement.
 *
 * A passage covers each term of the statement (a word, an author, a year) by 0 to 1. Terms weigh
 * their inverse document frequency; c is the weighted mean, in part that of the passage's document.
 * The passage speaks for the statement by FOR c^SHARPNESS, or against it where a negation stands by
 * its words and not by the statement's. When one term alone is missing, another value may stand in
 * its place: a gap, AGAINST r^SHARPNESS v, with r the coverage of the others and v how telling the
 * missing term is. Over documents, best first, each counts DECAY times the one before:
 *     log odds = sum for - sum against - largest gap (1 - largest c^SHARPNESS).
 *
 * Of claims about speech ("A spoke of tariffs") only passages by the authors named count, a word in
 * another form covers less, and the gap is at least what the authors' silence says: it grows with
 * how much of them there is to read. */
#include "truth/library_judge.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "truth/passage.h"

static const double FOR = 3, AGAINST = 2, SHARPNESS = 4, DECAY = 0.5;
/* How much of a document's coverage counts for its passages; all of it where speech is claimed. */
static const double DOCUMENT_SHARE = 0.5;
/* An author's or year's term in a passage that only mentions it. */
static const double MENTIONED = 0.7, MENTIONED_IN_SPEECH = 0.25, YEAR_AFTER = 0.3, OTHER_FORM = 0.7;
/* Terms that are covered less are missing; the others must be covered so far for a gap to tell. */
static const double COVERED = 0.5, REST_COVERED = 0.7;
/* How telling a missing name or number, rare word, common word is; and the share of a statement's
 * weight from which on it is so in full. */
static const double VALUE_GAP = 0.9, RARE_GAP = 0.4, COMMON_GAP = 0.15, FULL_GAP_SHARE = 0.25;
/* What the silence of an author of few words says, and the passages after which 1/e is left to come
 * of what it can say. */
static const double LEAST_SILENCE = 0.5, SILENT_PASSAGES = 60;
/* Of the words' weight, what a negated sentence must hold; and how many words before the first of
 * them a negation still counts. */
static const double POLAR_SHARE = 0.5;
enum { NEGATION_REACH = 3 };

struct candidate {
    size_t document;
    int64_t passage;
    double cover[STATEMENT_TERMS];
    double sign;      /* 1, -1, or 0: nothing to be told */
    double own, full; /* what it covers; with its document, sharpened */
    double speaks, gap;
};

struct reading {
    struct candidate candidates[JUDGE_FINDS];
    size_t count;
    double authors_passages; /* how much there is to read by the authors named */
    int has_authors;
};

static int is_by_named(const struct statement *s, const struct library_document *document) {
    for (size_t i = 0; i < s->term_count; i++)
        if (s->terms[i].kind == TERM_AUTHOR && term_is_author(&s->terms[i], document))
            return 1;
    return 0;
}

/* The best passages of all, and the best by the authors named. */
static int collect(const struct inquiry *q, struct reading *reading, struct error *error) {
    sqlite3_stmt *search = q->index->search;
    size_t any = 0, named = 0;
    int code = SQLITE_DONE;
    sqlite3_bind_text(search, 1, q->statement->match, -1, SQLITE_STATIC);
    while ((any < JUDGE_PASSAGES || (reading->has_authors && named < JUDGE_PASSAGES)) &&
           (code = sqlite3_step(search)) == SQLITE_ROW) {
        int64_t passage = sqlite3_column_int64(search, 0);
        int64_t document = library_index_document(q->index, passage);
        if (document < 0 || !q->permitted[document])
            continue;
        int is_named = is_by_named(q->statement, &q->index->documents[document]);
        if (is_named ? named >= JUDGE_PASSAGES : any >= JUDGE_PASSAGES)
            continue;
        named += is_named != 0;
        any += is_named == 0;
        reading->candidates[reading->count++] =
            (struct candidate){.document = (size_t)document, .passage = passage};
    }
    int result =
        code == SQLITE_ROW || code == SQLITE_DONE ? 0 : library_index_failed(q->index, error);
    sqlite3_reset(search);
    sqlite3_clear_bindings(search);
    return result;
}

static double cover_author(const struct statement *s, const struct term *term,
                           const struct library_document *document, int is_in_text) {
    if (term_is_author(term, document))
        return 1;
    if (!is_in_text)
        return 0;
    return s->is_of_speech ? MENTIONED_IN_SPEECH : term->is_exact ? MENTIONED : 1;
}

static double cover_year(const struct statement *s, const struct term *term,
                         const struct library_document *document, int is_in_text) {
    if (document_is_of_year(document, term->year))
        return 1;
    if (is_in_text)
        return s->is_of_speech ? MENTIONED_IN_SPEECH : 1;
    return !s->is_of_speech && document_is_of_year(document, term->year + 1) ? YEAR_AFTER : 0;
}

/* Of claims about speech the form of a word counts too: 1 as it is claimed, less for its stem. */
static double cover_word(const struct inquiry *q, const struct term *term, const char *text,
                         const struct word_list *words) {
    const struct word *claimed = &q->statement->words.items[term->word];
    size_t bytes = claimed->end - claimed->start;
    double best = 0;
    for (size_t i = 0; best < 1 && i < words->count; i++) {
        const struct word *w = &words->items[i];
        if (w->key != term->key)
            continue;
        int is_same = w->end - w->start == bytes &&
                      strncasecmp(text + w->start, q->text + claimed->start, bytes) == 0;
        best = is_same || !q->statement->is_of_speech ? 1 : OTHER_FORM;
    }
    return best;
}

static int cover(const struct inquiry *q, struct candidate *c, const char *text,
                 const struct word_list *words, struct word_list *labels, struct error *error) {
    const struct statement *s = q->statement;
    const struct library_document *document = &q->index->documents[c->document];
    for (size_t i = 0; i < s->term_count; i++) {
        const struct term *term = &s->terms[i];
        double in_text = cover_word(q, term, text, words);
        int has = in_text > 0;
        if (!has && term->kind == TERM_WORD && term->is_label && !s->is_of_speech &&
            document_has_label(q, document, term->key, labels, &has, error))
            return -1;
        c->cover[i] = term->kind == TERM_AUTHOR ? cover_author(s, term, document, has)
                      : term->kind == TERM_YEAR ? cover_year(s, term, document, has)
                      : in_text > 0             ? in_text
                                                : has;
    }
    return 0;
}

/* Of words[first, last): the weight of the statement's words among them, and whether an odd number
 * of negations stands by them. */
static double sentence_words(const struct inquiry *q, const char *text,
                             const struct word_list *words, size_t first, size_t last,
                             int *is_negated) {
    const struct statement *s = q->statement;
    uint8_t seen[STATEMENT_TERMS] = {0};
    double weight = 0;
    size_t from = last, to = first;
    for (size_t i = first; i < last; i++)
        for (size_t j = 0; j < s->term_count; j++) {
            if (s->terms[j].kind != TERM_WORD || s->terms[j].key != words->items[i].key)
                continue;
            weight += seen[j] ? 0 : s->terms[j].weight;
            seen[j] = 1;
            from = from < i ? from : i;
            to = i;
        }
    *is_negated = 0;
    for (size_t i = from > first + NEGATION_REACH ? from - NEGATION_REACH : first;
         from < last && i < to; i++)
        *is_negated ^= is_negation(q->vocabulary, text, words, i);
    return weight;
}

/* Whether the sentence that holds most of the statement's words says the same or the contrary. */
static double polarity(const struct inquiry *q, const char *text, size_t bytes,
                       const struct word_list *words) {
    const struct statement *s = q->statement;
    double all = 0, best = -1;
    int best_negated = 0, is_negated;
    size_t first = 0, count;
    for (size_t i = 0; i < s->term_count; i++)
        all += s->terms[i].kind == TERM_WORD ? s->terms[i].weight : 0;
    for (size_t at = 0; at < bytes;) {
        size_t last = first;
        at = sentence_end(text, bytes, at, &count);
        while (last < words->count && words->items[last].start < at)
            last++;
        double weight = sentence_words(q, text, words, first, last, &is_negated);
        if (weight > best) {
            best = weight;
            best_negated = is_negated;
        }
        first = last;
    }
    if (best < POLAR_SHARE * all)
        return s->is_negated ? 0 : 1;
    return best_negated == s->is_negated ? 1 : -1;
}

static int read_candidates(const struct inquiry *q, struct reading *reading, struct error *error) {
    struct word_list words = {0}, labels = {0};
    int result = 0;
    for (size_t i = 0; result == 0 && i < reading->count; i++) {
        struct candidate *c = &reading->candidates[i];
        const char *text;
        size_t bytes;
        result = library_passage(q->index, c->passage, &text, &bytes, error) ||
                 words_cut(&q->index->cutter, text, bytes, &words, error) ||
                 cover(q, c, text, &words, &labels, error);
        if (result == 0)
            c->sign = q->statement->is_of_speech ? 1 : polarity(q, text, bytes, &words);
    }
    sqlite3_reset(q->index->text);
    word_list_free(&words);
    word_list_free(&labels);
    return result;
}

static double mean_cover(const struct statement *s, const double *covers) {
    double sum = 0, all = 0;
    for (size_t i = 0; i < s->term_count; i++) {
        sum += s->terms[i].weight * covers[i];
        all += s->terms[i].weight;
    }
    return all > 0 ? sum / all : 0;
}

/* What the passage covers together with the others of its document that were found. */
static double document_cover(const struct statement *s, const struct reading *reading,
                             const struct candidate *c) {
    double covers[STATEMENT_TERMS];
    memcpy(covers, c->cover, sizeof covers);
    for (size_t i = 0; i < reading->count; i++)
        for (size_t j = 0; reading->candidates[i].document == c->document && j < s->term_count; j++)
            covers[j] = fmax(covers[j], reading->candidates[i].cover[j]);
    return mean_cover(s, covers);
}

static double gap(const struct statement *s, const double *covers) {
    double rest = 0, rest_weight = 0, all = 0;
    const struct term *missing = NULL;
    for (size_t i = 0; i < s->term_count; i++) {
        const struct term *term = &s->terms[i];
        all += term->weight;
        if (covers[i] < COVERED) {
            if (missing != NULL)
                return 0;
            missing = term;
        } else {
            rest += term->weight * covers[i];
            rest_weight += term->weight;
        }
    }
    if (missing == NULL || rest_weight == 0 || rest / rest_weight < REST_COVERED)
        return 0;
    double telling = missing->kind != TERM_WORD || missing->is_value  ? VALUE_GAP
                     : missing->weight * (double)s->term_count >= all ? RARE_GAP
                                                                      : COMMON_GAP;
    return AGAINST * pow(rest / rest_weight, SHARPNESS) * telling *
           fmin(missing->weight / all / FULL_GAP_SHARE, 1);
}

/* The sum over documents of what speaks for (sign 1) or against (-1), each DECAY times the last. */
static double sum_decaying(const struct judgement *out, double sign) {
    double sum = 0, factor = 1;
    for (size_t i = 0; i < out->find_count; i++)
        if (out->finds[i].support * sign > 0) {
            sum += factor * fabs(out->finds[i].support);
            factor *= DECAY;
        }
    return sum;
}

static int has_words(const struct statement *s, const struct candidate *c) {
    for (size_t i = 0; i < s->term_count; i++)
        if (s->terms[i].kind != TERM_AUTHOR && c->cover[i] > 0)
            return 1;
    return 0;
}

/* Who claims speech means words of the authors named. */
static int may_support(const struct statement *s, const struct candidate *c) {
    if (!s->is_of_speech)
        return 1;
    for (size_t i = 0; i < s->term_count; i++)
        if (s->terms[i].kind == TERM_AUTHOR && c->cover[i] < COVERED)
            return 0;
    return has_words(s, c);
}

static void read_support(const struct statement *s, const struct reading *reading,
                         struct candidate *c) {
    double share = s->is_of_speech ? 1 : DOCUMENT_SHARE;
    c->own = mean_cover(s, c->cover);
    c->full = pow(c->own + share * (document_cover(s, reading, c) - c->own), SHARPNESS);
    c->speaks = may_support(s, c) ? FOR * c->full * c->sign : 0;
    c->gap = has_words(s, c) ? gap(s, c->cover) : 0;
}

/* What it says that authors of whom there is so much to read have no such words. */
static double silence(const struct reading *reading) {
    double passages = reading->authors_passages;
    return passages == 0 ? 0
                         : AGAINST - (AGAINST - LEAST_SILENCE) * exp(-passages / SILENT_PASSAGES);
}

static void weigh(const struct inquiry *q, struct reading *reading, struct judgement *out) {
    const struct statement *s = q->statement;
    double fullest = 0, widest = 0;
    for (size_t i = 0; i < reading->count; i++) {
        struct candidate *c = &reading->candidates[i];
        read_support(s, reading, c);
        if (may_support(s, c)) {
            fullest = fmax(fullest, c->full);
            widest = fmax(widest, c->gap);
        }
        judgement_add(out, c->document, c->passage, c->speaks);
    }
    judgement_keep_best(out);
    out->log_odds = sum_decaying(out, 1) - sum_decaying(out, -1);
    if (s->is_of_speech && reading->has_authors)
        widest = fmax(widest, silence(reading));
    else if (reading->has_authors && reading->authors_passages == 0)
        widest = 0; /* nothing by them may be cited: another's words are no contradiction */
    out->log_odds -= widest * (1 - fullest);
    out->find_count = reading->count;
    for (size_t i = 0; i < reading->count; i++) {
        const struct candidate *c = &reading->candidates[i];
        double against = widest > 0 ? c->gap * (1 - fullest) : 0;
        out->finds[i] = (struct find){c->document, c->passage, c->speaks - against, c->own};
    }
}

int library_judge_text(const struct inquiry *q, struct judgement *out, struct error *error) {
    const struct statement *s = q->statement;
    struct reading *reading = memory_allocate(1, sizeof *reading, error);
    if (reading == NULL)
        return -1;
    for (size_t i = 0; i < s->term_count; i++)
        reading->has_authors |= s->terms[i].kind == TERM_AUTHOR;
    for (size_t i = 0; i < q->index->document_count; i++)
        if (q->permitted[i] && is_by_named(s, &q->index->documents[i]))
            reading->authors_passages += (double)q->index->documents[i].passage_count;
    int result = collect(q, reading, error) || read_candidates(q, reading, error) ? -1 : 0;
    if (result == 0)
        weigh(q, reading, out);
    memory_free(reading);
    return result;
}
