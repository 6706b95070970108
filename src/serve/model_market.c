#include "serve/model_market.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "serve/text_key.h"
#include "truth/sentence.h"

struct entry {
    char *key;       /* what the sentence says (text_key) */
    size_t sentence; /* in the record */
};

struct model_market {
    struct market_record record;
    struct entry *entries;     /* [sentence_count] by key, then by sentence */
    const char **keys;         /* [sentence_count] those of the sentences */
    unsigned char *is_formula; /* [sentence_count] */
    size_t *wealthiest;        /* [trader_count] */
};

static int compare_entries(const void *left, const void *right) {
    const struct entry *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    return order != 0 ? order : (a->sentence > b->sentence) - (a->sentence < b->sentence);
}

/* Weights that are no numbers come last. */
static int compare_wealth(const void *left, const void *right, void *context) {
    const struct market_trader *traders = context;
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    double x = traders[a].weight, y = traders[b].weight;
    x = isfinite(x) ? x : -INFINITY;
    y = isfinite(y) ? y : -INFINITY;
    return x != y ? (x < y) - (x > y) : (a > b) - (a < b);
}

/* Records keep what a sentence reads, in which formulas have their texts in quotes. */
static int reads_as_formula(struct sentences *sentences, const struct market_sentence *s) {
    struct error error;
    uint32_t id;
    return s->is_constraint ||
           (strchr(s->text, '"') != NULL && sentences_parse(sentences, s->text, &id, &error) == 0 &&
            sentences_get(sentences, id)->kind != SENTENCE_ATOM);
}

static int check_texts(const struct market_record *r, const char *path, struct error *error) {
    int is_fine = 1;
    for (size_t i = 0; is_fine && i < r->sentence_count + r->trader_count; i++) {
        const char *name =
            i < r->sentence_count ? r->sentences[i].name : r->traders[i - r->sentence_count].name;
        json_t *json = json_string(name);
        is_fine = json != NULL;
        json_decref(json);
    }
    return is_fine ? 0 : error_set(error, "%s has names that are no UTF-8", path);
}

static int index_sentences(struct model_market *m, const char *path, struct error *error) {
    const struct market_record *r = &m->record;
    struct error own;
    struct sentences *sentences;
    if (sentences_create(&sentences, error))
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < r->sentence_count; i++) {
        m->entries[i].sentence = i;
        m->is_formula[i] = (unsigned char)reads_as_formula(sentences, &r->sentences[i]);
        if (text_key(&m->entries[i].key, r->sentences[i].text, &own))
            result = error_set(error, "%s: sentence %zu: %s", path, i + 1, own.message);
        m->keys[i] = m->entries[i].key;
    }
    sentences_destroy(sentences);
    if (result == 0)
        qsort(m->entries, r->sentence_count, sizeof *m->entries, compare_entries);
    return result;
}

static int prepare(struct model_market *m, const char *path, struct error *error) {
    const struct market_record *r = &m->record;
    if (check_texts(r, path, error))
        return -1;
    m->entries = memory_allocate(r->sentence_count, sizeof *m->entries, error);
    m->keys = memory_allocate(r->sentence_count, sizeof *m->keys, error);
    m->is_formula = memory_allocate(r->sentence_count, 1, error);
    m->wealthiest = memory_allocate(r->trader_count, sizeof *m->wealthiest, error);
    if (m->entries == NULL || m->keys == NULL || m->is_formula == NULL || m->wealthiest == NULL)
        return -1;
    for (size_t j = 0; j < r->trader_count; j++)
        m->wealthiest[j] = j;
    qsort_r(m->wealthiest, r->trader_count, sizeof *m->wealthiest, compare_wealth, r->traders);
    return index_sentences(m, path, error);
}

int model_market_open(struct model_market **out, const char *path, struct error *error) {
    *out = NULL;
    struct model_market *m = memory_allocate(1, sizeof *m, error);
    if (m == NULL)
        return -1;
    if (market_record_load(&m->record, path, error) || prepare(m, path, error)) {
        model_market_close(m);
        return -1;
    }
    *out = m;
    return 0;
}

void model_market_close(struct model_market *m) {
    if (m == NULL)
        return;
    for (size_t i = 0; m->entries != NULL && i < m->record.sentence_count; i++)
        free(m->entries[i].key);
    memory_free(m->entries);
    memory_free(m->keys);
    memory_free(m->is_formula);
    memory_free(m->wealthiest);
    market_record_free(&m->record);
    memory_free(m);
}

const struct market_record *model_market_record(const struct model_market *m) {
    return &m->record;
}

/* The first entry that does not come before the key. */
static size_t lower_bound(const struct model_market *m, const char *key) {
    size_t low = 0, high = m->record.sentence_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(m->entries[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int model_market_find(const struct model_market *m, const char *text, size_t *sentence,
                      struct error *error) {
    char *key;
    *sentence = SIZE_MAX;
    if (text_key(&key, text, error))
        return -1;
    for (size_t i = lower_bound(m, key);
         i < m->record.sentence_count && strcmp(m->entries[i].key, key) == 0; i++) {
        size_t found = m->entries[i].sentence;
        int is_exact = strcmp(m->record.sentences[found].text, text) == 0;
        if (is_exact || *sentence == SIZE_MAX)
            *sentence = found;
        if (is_exact)
            break;
    }
    free(key);
    if (*sentence == SIZE_MAX && *text != '\0')
        *sentence = market_record_find(&m->record, text);
    return 0;
}

/* Whether a word of the key begins with the first `length` bytes of `word`. */
static int has_word(const char *key, const char *word, size_t length) {
    for (; *key != '\0'; key += strcspn(key, " ")) {
        key += strspn(key, " ");
        if (strncmp(key, word, length) == 0)
            return 1;
    }
    return 0;
}

static int has_words(const char *key, const char *words) {
    for (size_t length; *words != '\0'; words += length) {
        words += strspn(words, " ");
        length = strcspn(words, " ");
        if (!has_word(key, words, length))
            return 0;
    }
    return 1;
}

int model_market_search(const struct model_market *m, const char *search, size_t most,
                        size_t *places, size_t *count, size_t *total, struct error *error) {
    char *words;
    *count = *total = 0;
    if (text_key(&words, search, error))
        return -1;
    for (size_t i = 0; i < m->record.sentence_count; i++) {
        if (!has_words(m->keys[i], words))
            continue;
        if (*count < most)
            places[(*count)++] = i;
        ++*total;
    }
    free(words);
    return 0;
}

static double price_of(const struct market_record *r, size_t day, size_t sentence) {
    return r->prices[day * r->sentence_count + sentence];
}

static json_t *number_or_null(double number) {
    return isfinite(number) ? json_real(number) : json_null();
}

json_t *model_market_sentence(const struct model_market *m, size_t sentence) {
    const struct market_record *r = &m->record;
    const struct market_sentence *s = &r->sentences[sentence];
    int is_known = s->verdict != VERDICT_UNKNOWN;
    const char *verdict = s->is_constraint              ? "law"
                          : s->verdict == VERDICT_TRUE  ? "true"
                          : s->verdict == VERDICT_FALSE ? "false"
                                                        : NULL;
    double price = r->day_count > 0 ? price_of(r, r->day_count - 1, sentence) : NAN;
    return json_pack("{s:s, s:s, s:b, s:o, s:s?, s:o}", "name", s->name, "text", s->text, "formula",
                     m->is_formula[sentence], "price", number_or_null(price), "verdict", verdict,
                     "day", is_known ? json_integer(s->day) : json_null());
}

/* Days count from 1, as verdicts have them. */
static json_t *prices_to_json(const struct market_record *r, size_t sentence) {
    json_t *list = json_array();
    size_t count = r->day_count < MARKET_PRICES_MOST ? r->day_count : MARKET_PRICES_MOST;
    for (size_t i = 0; i < count; i++) {
        size_t day = count > 1 ? i * (r->day_count - 1) / (count - 1) : 0;
        json_array_append_new(list, json_pack("{s:I, s:f}", "day", (json_int_t)day + 1, "price",
                                              price_of(r, day, sentence)));
    }
    return list;
}

/* What the wealthiest hold of it; in an exact market those who traded it. */
static json_t *traders_to_json(const struct model_market *m, size_t sentence) {
    const struct market_record *r = &m->record;
    int is_exact = strcmp(r->engine, "exact") == 0;
    json_t *list = json_array();
    for (size_t i = 0; i < r->trader_count && json_array_size(list) < MARKET_TRADERS_MOST; i++) {
        const struct market_trader *t = &r->traders[m->wealthiest[i]];
        double held = t->holding[sentence];
        if (!isfinite(held) || (is_exact && fabs(held) < 1e-6))
            continue;
        json_array_append_new(list, json_pack("{s:s, s:o, s:f}", "name", t->name, "wealth",
                                              number_or_null(t->weight),
                                              is_exact ? "shares" : "belief", held));
    }
    return list;
}

json_t *model_market_history(const struct model_market *m, size_t sentence) {
    json_t *json = model_market_sentence(m, sentence);
    if (json == NULL || json_object_set_new(json, "prices", prices_to_json(&m->record, sentence)) ||
        json_object_set_new(json, "traders", traders_to_json(m, sentence))) {
        json_decref(json);
        return NULL;
    }
    return json;
}
