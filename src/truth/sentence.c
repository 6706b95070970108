#include "truth/sentence.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

struct name {
    char *text;
    uint32_t id;
};

/* Open addressing; entries are index + 1 into what is stored, 0 is empty. */
struct table {
    uint32_t *entries;
    size_t capacity, used; /* a power of two */
};

struct sentences {
    struct sentence *items;
    size_t count, capacity;
    struct name *names;
    size_t name_count, name_capacity;
    struct table by_content, by_name;
};

int sentences_create(struct sentences **out, struct error *error) {
    *out = memory_allocate(1, sizeof **out, error);
    return *out == NULL ? -1 : 0;
}

void sentences_destroy(struct sentences *s) {
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++)
        free((char *)s->items[i].text);
    for (size_t i = 0; i < s->name_count; i++)
        free(s->names[i].text);
    free(s->items);
    free(s->names);
    memory_free(s->by_content.entries);
    memory_free(s->by_name.entries);
    memory_free(s);
}

size_t sentences_count(const struct sentences *s) {
    return s->count;
}

const struct sentence *sentences_get(const struct sentences *s, uint32_t id) {
    return &s->items[id];
}

static uint64_t hash_of(const struct sentence *sentence) {
    if (sentence->kind == SENTENCE_ATOM)
        return random_hash(sentence->text, strlen(sentence->text));
    return random_mix(((uint64_t)sentence->left << 32 | sentence->right) ^ (uint64_t)sentence->kind
                                                                               << 61);
}

static int is_same(const struct sentence *a, const struct sentence *b) {
    if (a->kind != b->kind)
        return 0;
    if (a->kind == SENTENCE_ATOM)
        return strcmp(a->text, b->text) == 0;
    return a->left == b->left && a->right == b->right;
}

/* Where `sentence` is, or the free place for it. */
static uint32_t *find_content(const struct sentences *s, const struct sentence *sentence) {
    size_t mask = s->by_content.capacity - 1, at = hash_of(sentence) & mask;
    while (s->by_content.entries[at] != 0 &&
           !is_same(&s->items[s->by_content.entries[at] - 1], sentence))
        at = (at + 1) & mask;
    return &s->by_content.entries[at];
}

static uint32_t *find_name(const struct sentences *s, const char *name) {
    size_t mask = s->by_name.capacity - 1, at = random_hash(name, strlen(name)) & mask;
    while (s->by_name.entries[at] != 0 &&
           strcmp(s->names[s->by_name.entries[at] - 1].text, name) != 0)
        at = (at + 1) & mask;
    return &s->by_name.entries[at];
}

/* Makes room for one more; the caller files everything anew when 1 comes back. */
static int table_grow(struct table *table, struct error *error) {
    if (2 * (table->used + 1) <= table->capacity)
        return 0;
    size_t capacity = table->capacity > 0 ? 2 * table->capacity : 64;
    uint32_t *entries = memory_allocate(capacity, sizeof *entries, error);
    if (entries == NULL)
        return -1;
    memory_free(table->entries);
    *table = (struct table){entries, capacity, table->used};
    return 1;
}

static int add(struct sentences *s, const struct sentence *wanted, uint32_t *id,
               struct error *error) {
    int grown = table_grow(&s->by_content, error);
    if (grown < 0)
        return -1;
    for (size_t i = 0; grown && i < s->count; i++)
        *find_content(s, &s->items[i]) = (uint32_t)i + 1;
    uint32_t *entry = find_content(s, wanted);
    if (*entry != 0) {
        *id = *entry - 1;
        return 0;
    }
    if (s->count >= UINT32_MAX / 4)
        return error_set(error, "more than %u sentences", UINT32_MAX / 4);
    if (memory_grow(&s->items, &s->capacity, s->count + 1, sizeof *s->items, error))
        return -1;
    struct sentence stored = *wanted;
    if (stored.kind == SENTENCE_ATOM && (stored.text = strdup(stored.text)) == NULL)
        return error_set(error, "out of memory for a sentence");
    s->items[s->count] = stored;
    *id = (uint32_t)s->count++;
    *entry = *id + 1;
    s->by_content.used++;
    return 0;
}

int sentences_add_atom(struct sentences *s, const char *text, uint32_t *id, struct error *error) {
    if (*text == '\0')
        return error_set(error, "a sentence is empty");
    return add(s, &(struct sentence){.kind = SENTENCE_ATOM, .text = text}, id, error);
}

int sentences_add_formula(struct sentences *s, enum sentence_kind kind, uint32_t left,
                          uint32_t right, uint32_t *id, struct error *error) {
    if (kind == SENTENCE_NOT)
        right = left;
    return add(s, &(struct sentence){.kind = kind, .left = left, .right = right}, id, error);
}

int sentences_add_name(struct sentences *s, const char *name, uint32_t id, struct error *error) {
    int grown = table_grow(&s->by_name, error);
    if (grown < 0)
        return -1;
    for (size_t i = 0; grown && i < s->name_count; i++)
        *find_name(s, s->names[i].text) = (uint32_t)i + 1;
    uint32_t *entry = find_name(s, name);
    if (*entry != 0) {
        if (s->names[*entry - 1].id == id)
            return 0;
        return error_set(error, "two sentences are called \"%.200s\"", name);
    }
    if (memory_grow(&s->names, &s->name_capacity, s->name_count + 1, sizeof *s->names, error))
        return -1;
    char *text = strdup(name);
    if (text == NULL)
        return error_set(error, "out of memory for a sentence's name");
    s->names[s->name_count++] = (struct name){text, id};
    *entry = (uint32_t)s->name_count;
    s->by_name.used++;
    return 0;
}

uint32_t sentences_find_name(const struct sentences *s, const char *name) {
    uint32_t entry = s->by_name.capacity > 0 ? *find_name(s, name) : 0;
    return entry > 0 ? s->names[entry - 1].id : UINT32_MAX;
}

uint32_t sentences_find_atom(const struct sentences *s, const char *text) {
    struct sentence wanted = {.kind = SENTENCE_ATOM, .text = text};
    uint32_t entry = s->by_content.capacity > 0 ? *find_content(s, &wanted) : 0;
    return entry > 0 ? entry - 1 : UINT32_MAX;
}

int sentence_truth(enum sentence_kind kind, int left, int right) {
    switch (kind) {
    case SENTENCE_NOT:
        return !left;
    case SENTENCE_AND:
        return left && right;
    case SENTENCE_OR:
        return left || right;
    case SENTENCE_IMPLIES:
        return !left || right;
    case SENTENCE_IFF:
        return left == right;
    case SENTENCE_XOR:
        return left != right;
    case SENTENCE_ATOM:
        break;
    }
    return left;
}

void sentences_evaluate(const struct sentences *s, uint8_t *values) {
    for (size_t i = 0; i < s->count; i++) {
        const struct sentence *sentence = &s->items[i];
        if (sentence->kind != SENTENCE_ATOM)
            values[i] = (uint8_t)sentence_truth(sentence->kind, values[sentence->left],
                                                values[sentence->right]);
    }
}
