#include "truth/statement.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static const char STOP[] =
    "a about above across after again against all almost along already also although always am "
    "among an and another any are as at away be because been before being below between both but "
    "by can could did do does doing done down during each earlier either else ever every few first "
    "for from further get had has have having he her here hers him his how i if in into is it its "
    "itself just later latter least less let like many may me might more most much must my no nor "
    "not never none neither cannot now of off on once one only or other our out over own per quite "
    "rather s same shall she should since so some such t than that the their them then there these "
    "they this those through thus to too toward under until up upon us very was we were what when "
    "where whether which while who whom whose why will with within without would yet you your ll "
    "re "
    "ve d m came come comes mr mrs ms dr sir";
/* Words about documents rather than in them. */
static const char FRAME[] =
    "gave give gives given giving address addresses addressed speech speeches deliver delivered "
    "letter letters document documents text texts message messages paper papers wrote write writes "
    "written writing author authored essay essays book books poem poems chapter published publish";
static const char SPEECH[] =
    "spoke speak speaks spoken say says said mention mentions mentioned use uses used word words "
    "talk talked talks discuss discusses discussed tell told phrase term refer referred refers";
static const char NEGATION[] = "not no never neither nor none cannot";

enum { FAR_YEARS = 50, SHORTEST_NAME = 3 };

int vocabulary_create(struct vocabulary *v, const struct word_cutter *cutter, struct error *error) {
    const struct {
        struct word_list *list;
        const char *text;
    } lists[] = {{&v->stop, STOP},
                 {&v->frame, FRAME},
                 {&v->speech, SPEECH},
                 {&v->negation, NEGATION},
                 {&v->before, "before earlier"},
                 {&v->after, "after later"}};
    *v = (struct vocabulary){0};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (words_cut(cutter, lists[i].text, strlen(lists[i].text), lists[i].list, error))
            return -1;
    return 0;
}

void vocabulary_free(struct vocabulary *v) {
    struct word_list *lists[] = {&v->stop,     &v->frame,  &v->speech,
                                 &v->negation, &v->before, &v->after};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        word_list_free(lists[i]);
}

int is_negation(const struct vocabulary *v, const char *text, const struct word_list *words,
                size_t i) {
    static const char CURLY[] = "\u2019";
    const struct word *word = &words->items[i];
    if (word_list_has(&v->negation, word->key))
        return 1;
    if (i == 0 || word->end - word->start != 1 || tolower((unsigned char)text[word->start]) != 't')
        return 0;
    size_t end = words->items[i - 1].end, gap = word->start - end;
    return tolower((unsigned char)text[end - 1]) == 'n' &&
           ((gap == 1 && text[end] == '\'') ||
            (gap == sizeof CURLY - 1 && memcmp(text + end, CURLY, gap) == 0));
}

/* What a statement is read with. */
struct parsing {
    struct statement *statement;
    const char *text;
    struct library_index *index;
    const struct vocabulary *vocabulary;
    struct error *error;
};

static double inverse_frequency(const struct library_index *index, double count) {
    static const double LEAST = 0.1;
    double all = (double)index->passage_count;
    return fmax(log1p((fmax(all - count, 0) + 0.5) / (count + 0.5)), LEAST);
}

/* Once each: two names are one when they may mean the same authors. */
static void add_term(struct statement *s, const struct term *term) {
    for (size_t i = 0; i < s->term_count; i++)
        if (s->terms[i].kind == term->kind && s->terms[i].key == term->key &&
            s->terms[i].author_count == term->author_count &&
            memcmp(s->terms[i].authors, term->authors,
                   term->author_count * sizeof *term->authors) == 0)
            return;
    if (s->term_count < STATEMENT_TERMS)
        s->terms[s->term_count++] = *term;
}

static int is_capital(const struct parsing *p, size_t i) {
    unsigned char first = (unsigned char)p->text[p->statement->words.items[i].start];
    return isupper(first) || first >= 0x80;
}

/* Whether words i and i + 1 could be of one name: nothing but a space or a full stop between. */
static int are_adjacent(const struct parsing *p, size_t i) {
    const struct word *words = p->statement->words.items;
    for (size_t at = words[i].end; at < words[i + 1].start; at++)
        if (p->text[at] != ' ' && p->text[at] != '.')
            return 0;
    return 1;
}

/* The first of the names with that key; *count <- how many. */
static const struct library_name *find_names(const struct library_index *index, uint64_t key,
                                             size_t *count) {
    size_t low = 0, high = index->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->names[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    for (*count = 0; low + *count < index->name_count && index->names[low + *count].key == key;)
        ++*count;
    return index->names + low;
}

/* How many of the statement's words from `i` on are words of this label, in its order. */
static size_t run_of(const struct parsing *p, const struct library_author *author, size_t i) {
    const struct word_list *words = &p->statement->words;
    size_t run = 0;
    for (size_t at = 0; i + run < words->count && at < author->word_count; at++)
        if (author->words[at] == words->items[i + run].key &&
            (run == 0 || are_adjacent(p, i + run - 1)))
            run++;
    return run;
}

static int is_spelt_whole(const struct parsing *p, const struct library_author *author, size_t i,
                          size_t run) {
    return author->word_count == run && run_of(p, author, i) == run;
}

/* Whether the run is cut out of a longer name ("George" of "George Orwell"). */
static int is_of_longer_name(const struct parsing *p, size_t i, size_t run) {
    const struct word_list *words = &p->statement->words;
    size_t count = 0, last = i + run - 1;
    if (last + 1 < words->count && are_adjacent(p, last) && is_capital(p, last + 1))
        return 1;
    if (i > 0 && are_adjacent(p, i - 1) && is_capital(p, i - 1))
        find_names(p->index, words->items[i - 1].key, &count);
    return count > 0;
}

static int has_long_word(const struct parsing *p, size_t i, size_t run) {
    const struct word *words = p->statement->words.items;
    for (size_t j = i; j < i + run; j++)
        if (words[j].end - words[j].start >= SHORTEST_NAME && is_capital(p, j))
            return 1;
    return 0;
}

/* term <- the authors whom the words from `i` on may name. Returns the words it takes, 0 for none.
 * A whole label counts as it is; part of one must look like a name. */
static size_t read_name(const struct parsing *p, size_t i, struct term *term) {
    size_t count, run = 0;
    const struct library_name *names =
        find_names(p->index, p->statement->words.items[i].key, &count);
    for (size_t j = 0; j < count; j++) {
        size_t length = run_of(p, &p->index->authors[names[j].author], i);
        run = length > run ? length : run;
    }
    *term = (struct term){.kind = TERM_AUTHOR, .word = i, .is_value = 1};
    for (size_t j = 0; run > 0 && j < count; j++) {
        const struct library_author *author = &p->index->authors[names[j].author];
        if (run_of(p, author, i) != run || term->is_exact ||
            (j > 0 && names[j - 1].author == names[j].author))
            continue;
        if (is_spelt_whole(p, author, i, run)) {
            term->is_exact = 1;
            term->author_count = 0;
        } else if (term->author_count == STATEMENT_AUTHORS) {
            return 0;
        }
        term->authors[term->author_count++] = names[j].author;
    }
    int is_name = run > 0 && ((term->is_exact && run > 1) ||
                              (has_long_word(p, i, run) && !is_of_longer_name(p, i, run)));
    return is_name ? run : 0;
}

static int add_author(const struct parsing *p, struct term *term, size_t run) {
    const struct word_list *words = &p->statement->words;
    double passages = 0;
    term->count = INT64_MAX;
    for (size_t i = term->word; i < term->word + run; i++) {
        int64_t count =
            library_index_frequency(p->index, words->stems + words->items[i].stem, p->error);
        if (count < 0)
            return -1;
        if (count < term->count) {
            term->count = count;
            term->key = words->items[i].key;
        }
    }
    for (size_t i = 0; i < p->index->document_count; i++)
        for (size_t j = 0; j < term->author_count; j++)
            if (p->index->documents[i].author == (int32_t)term->authors[j])
                passages += (double)p->index->documents[i].passage_count;
    term->weight = inverse_frequency(p->index, passages);
    add_term(p->statement, term);
    return 0;
}

/* A number near the years of the library's documents. */
static int is_year(const struct parsing *p, const struct word *word, double *year) {
    size_t length = word->end - word->start;
    double number = 0, first = INFINITY, last = -INFINITY;
    if (length < 3 || length > 4)
        return 0;
    for (size_t i = word->start; i < word->end; i++) {
        if (!isdigit((unsigned char)p->text[i]))
            return 0;
        number = number * 10 + (p->text[i] - '0');
    }
    for (size_t i = 0; i < p->index->document_count; i++) {
        first = fmin(first, p->index->documents[i].year); /* fmin passes NANs by */
        last = fmax(last, p->index->documents[i].year);
    }
    *year = number;
    return number >= first - FAR_YEARS && number <= last + FAR_YEARS;
}

static int add_word(const struct parsing *p, size_t i) {
    const struct word_list *words = &p->statement->words;
    const struct word *word = &words->items[i];
    struct term term = {.kind = TERM_WORD, .key = word->key, .word = i};
    int64_t count = library_index_frequency(p->index, words->stems + word->stem, p->error);
    if (count < 0)
        return -1;
    if (is_year(p, word, &term.year))
        term.kind = TERM_YEAR;
    term.count = count;
    term.weight = inverse_frequency(p->index, (double)count);
    term.is_value = isdigit((unsigned char)p->text[word->start]) || (i > 0 && is_capital(p, i));
    term.is_label = library_index_is_label(p->index, word->key);
    add_term(p->statement, &term);
    return 0;
}

/* Stop words and words about documents carry no content, but for a statement that has no other. */
static int is_content(const struct parsing *p, uint64_t key, int takes_frames) {
    const struct vocabulary *v = p->vocabulary;
    return !word_list_has(&v->stop, key) &&
           (takes_frames || (!word_list_has(&v->frame, key) && !word_list_has(&v->speech, key)));
}

static int read_terms(const struct parsing *p, int takes_frames) {
    struct statement *s = p->statement;
    struct term term;
    for (size_t i = 0; i < s->words.count && s->term_count < STATEMENT_TERMS;) {
        size_t run = read_name(p, i, &term);
        if (run > 0) {
            if (add_author(p, &term, run))
                return -1;
        } else if (is_content(p, s->words.items[i].key, takes_frames) && add_word(p, i)) {
            return -1;
        }
        i += run > 0 ? run : 1;
    }
    return 0;
}

/* "A came before B": two authors with a word of order between them. */
static void read_order(const struct parsing *p) {
    struct statement *s = p->statement;
    const struct term *authors[2] = {NULL, NULL};
    size_t count = 0;
    for (size_t i = 0; i < s->term_count; i++)
        if (s->terms[i].kind == TERM_AUTHOR && count++ < 2)
            authors[count - 1] = &s->terms[i];
    if (count != 2)
        return;
    for (size_t i = authors[0]->word; i < authors[1]->word; i++) {
        uint64_t key = s->words.items[i].key;
        if (word_list_has(&p->vocabulary->before, key))
            s->order = 1;
        else if (word_list_has(&p->vocabulary->after, key))
            s->order = -1;
    }
    s->first = authors[0];
    s->second = authors[1];
}

static void read_kind(const struct parsing *p) {
    struct statement *s = p->statement;
    for (size_t i = 0; i < s->words.count && !s->is_of_speech; i++) {
        if (is_negation(p->vocabulary, p->text, &s->words, i))
            s->is_negated = !s->is_negated; /* what follows a word of speech is what was said */
        s->is_of_speech = word_list_has(&p->vocabulary->speech, s->words.items[i].key);
    }
    s->is_of_labels = s->term_count > 0;
    for (size_t i = 0; i < s->term_count; i++)
        if (s->terms[i].kind == TERM_WORD && (s->is_of_speech || !s->terms[i].is_label))
            s->is_of_labels = 0;
}

/* Rarest first; names last where speech is claimed, as who spoke is known without a search. */
static void sort_for_search(const struct statement *s, const struct term **sorted) {
    for (size_t i = 0; i < s->term_count; i++) {
        const struct term *term = &s->terms[i];
        int is_last = s->is_of_speech && term->kind == TERM_AUTHOR;
        size_t at = i;
        while (at > 0 && !is_last &&
               (sorted[at - 1]->count > term->count ||
                (s->is_of_speech && sorted[at - 1]->kind == TERM_AUTHOR))) {
            sorted[at] = sorted[at - 1];
            at--;
        }
        sorted[at] = term;
    }
}

/* The words as they stand in the text, in quotes, joined by OR: nothing of FTS5's syntax can come
 * out of letters and digits in quotes. A search takes as long as there are places to rank, so
 * common words are left out when rarer ones fill what is allowed. */
static int write_match(const struct parsing *p) {
    static const int64_t MOST_PLACES = 5000;
    struct statement *s = p->statement;
    const struct term *sorted[STATEMENT_TERMS];
    size_t bytes = 1, at = 0;
    int64_t places = 0;
    for (size_t i = 0; i < s->words.count; i++)
        bytes += s->words.items[i].end - s->words.items[i].start + sizeof "\"\" OR ";
    if (s->term_count == 0)
        return 0;
    s->match = memory_allocate(bytes, 1, p->error);
    if (s->match == NULL)
        return -1;
    sort_for_search(s, sorted);
    for (size_t i = 0; i < s->term_count; i++) {
        size_t word = sorted[i]->word;
        if (places > 0 && sorted[i]->count > MOST_PLACES - places)
            continue;
        places += sorted[i]->count;
        while (s->words.items[word].key != sorted[i]->key) /* the rarest of a name */
            word++;
        const struct word *w = &s->words.items[word];
        at += (size_t)sprintf(s->match + at, "%s\"%.*s\"", at > 0 ? " OR " : "",
                              (int)(w->end - w->start), p->text + w->start);
    }
    return 0;
}

int statement_parse(struct statement *s, const char *text, size_t bytes,
                    struct library_index *index, const struct vocabulary *vocabulary,
                    struct error *error) {
    struct parsing p = {s, text, index, vocabulary, error};
    *s = (struct statement){0};
    if (words_cut(&index->cutter, text, bytes, &s->words, error) || read_terms(&p, 0))
        return -1;
    if (s->term_count == 0 && read_terms(&p, 1))
        return -1;
    read_order(&p);
    read_kind(&p);
    return write_match(&p);
}

void statement_free(struct statement *s) {
    word_list_free(&s->words);
    memory_free(s->match);
    *s = (struct statement){0};
}
