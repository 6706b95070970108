#include "text/names.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A name has room for no more words. */
enum { WORDS = NAME_BYTES / 2, MISSPELLING_TRIES = 16 };

const char *name_rule_title(enum name_rule rule) {
    static const char *const TITLES[NAME_RULES] = {[NAME_FULL] = "label",
                                                   [NAME_INITIAL] = "initials",
                                                   [NAME_LAST] = "last name",
                                                   [NAME_REVERSED] = "reversed",
                                                   [NAME_UPPER] = "upper case",
                                                   [NAME_LOWER] = "lower case",
                                                   [NAME_YEAR] = "with a year",
                                                   [NAME_TITLED] = "titled",
                                                   [NAME_MIDDLE] = "middle initial",
                                                   [NAME_SHORT] = "without middle name",
                                                   [NAME_MISSPELT] = "misspelt",
                                                   [NAME_REVERSED_INITIAL] = "reversed initials",
                                                   [NAME_TITLED_FULL] = "titled in full",
                                                   [NAME_UPPER_REVERSED] = "upper case reversed",
                                                   [NAME_LOWER_LAST] = "lower case last name",
                                                   [NAME_BARE_INITIAL] = "bare initial"};
    return TITLES[rule];
}

struct name_titles name_titles_default(void) {
    return (struct name_titles){{"Mr.", "Mrs.", "Dr."}, 3};
}

/* The words of a name in the order in which they are spoken. */
struct words {
    char text[NAME_BYTES];
    char *given[WORDS]; /* the first, then the middle ones */
    size_t given_count;
    char *last; /* NULL: nothing but blanks, or more than a name */
};

static void split_given(struct words *words, char *text) {
    char *rest = text, *word;
    while ((word = strsep(&rest, " ")) != NULL)
        if (*word != '\0')
            words->given[words->given_count++] = word;
}

static void split(struct words *words, const char *label) {
    *words = (struct words){0};
    if (strlen(label) >= NAME_BYTES)
        return;
    strcpy(words->text, label);
    char *comma = strstr(words->text, ", ");
    if (comma != NULL && comma != words->text) {
        *comma = '\0';
        comma[2 + strcspn(comma + 2, ",")] = '\0'; /* what follows is no name: years, titles */
        words->last = words->text;
        split_given(words, comma + 2);
        return;
    }
    split_given(words, words->text);
    if (words->given_count > 0)
        words->last = words->given[--words->given_count];
}

/* A text that grows, and says when there was no room. */
struct spelling {
    char *out;
    size_t length;
    int is_cut;
};

static void add(struct spelling *s, const char *text, size_t length) {
    if (length >= NAME_BYTES - s->length) {
        s->is_cut = 1;
        return;
    }
    memcpy(s->out + s->length, text, length);
    s->length += length;
    s->out[s->length] = '\0';
}

static void add_word(struct spelling *s, const char *word) {
    if (s->length > 0)
        add(s, " ", 1);
    add(s, word, strlen(word));
}

static void add_initial(struct spelling *s, const char *word, const char *point) {
    size_t length = 1;
    while (((unsigned char)word[length] & 0xc0) == 0x80)
        length++;
    if (s->length > 0)
        add(s, " ", 1);
    add(s, word, length);
    add(s, point, strlen(point));
}

static void add_given(struct spelling *s, const struct words *words) {
    for (size_t i = 0; i < words->given_count; i++)
        add_word(s, words->given[i]);
}

static void add_initials(struct spelling *s, const struct words *words) {
    for (size_t i = 0; i < words->given_count; i++)
        add_initial(s, words->given[i], ".");
}

static void add_reversed(struct spelling *s, const struct words *words) {
    add_word(s, words->last);
    add(s, ",", 1);
    add_given(s, words);
}

static void change_case(char *text, int (*change)(int)) {
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x80)
            *text = (char)change((unsigned char)*text);
}

static int is_letter(char c) {
    return (unsigned char)c < 0x80 && isalpha((unsigned char)c);
}

/* The letter at `at` is dropped, doubled, swapped with the next or replaced. */
static void misspell_at(char *text, size_t at, struct random *random) {
    size_t length = strlen(text);
    switch (random_below(random, 4)) {
    case 0:
        memmove(text + at, text + at + 1, length - at);
        break;
    case 1:
        if (length + 1 < NAME_BYTES)
            memmove(text + at + 1, text + at, length - at + 1);
        break;
    case 2:
        if (is_letter(text[at + 1])) {
            char kept = text[at];
            text[at] = text[at + 1];
            text[at + 1] = kept;
        }
        break;
    default:
        text[at] = (char)('a' + (char)random_below(random, 26));
    }
}

static int misspell(char *text, struct random *random) {
    char right[NAME_BYTES];
    size_t length = strlen(text);
    strcpy(right, text);
    for (int tries = 0; length >= 4 && tries < MISSPELLING_TRIES; tries++) {
        size_t at = random_below(random, length);
        if (is_letter(text[at]))
            misspell_at(text, at, random);
        if (strcasecmp(text, right) != 0)
            return 1;
        strcpy(text, right);
    }
    return 0;
}

static const char *title_of(const struct name_facts *facts, struct random *random) {
    return facts->titles->count > 0
               ? facts->titles->items[random_below(random, facts->titles->count)]
               : NULL;
}

static void add_year(struct spelling *s, const struct words *words, double year) {
    char text[32];
    add_given(s, words);
    add_word(s, words->last);
    snprintf(text, sizeof text, ", %.0f", floor(year));
    add(s, text, strlen(text));
}

static void add_middle(struct spelling *s, const struct words *words) {
    add_word(s, words->given[0]);
    for (size_t i = 1; i < words->given_count; i++)
        add_initial(s, words->given[i], ".");
    add_word(s, words->last);
}

static int needs_given(enum name_rule rule) {
    return rule != NAME_FULL && rule != NAME_UPPER && rule != NAME_LOWER && rule != NAME_YEAR &&
           rule != NAME_TITLED && rule != NAME_MISSPELT && rule != NAME_LOWER_LAST;
}

static int spell(struct spelling *s, const struct words *words, const char *label,
                 enum name_rule rule, const struct name_facts *facts, struct random *random) {
    const char *title;
    switch (rule) {
    case NAME_INITIAL:
        add_initials(s, words);
        add_word(s, words->last);
        return 1;
    case NAME_BARE_INITIAL:
        add_initial(s, words->given[0], "");
        add_word(s, words->last);
        return 1;
    case NAME_LAST:
    case NAME_LOWER_LAST:
        add_word(s, words->last);
        return 1;
    case NAME_REVERSED:
    case NAME_UPPER_REVERSED:
        add_reversed(s, words);
        return 1;
    case NAME_REVERSED_INITIAL:
        add_word(s, words->last);
        add(s, ",", 1);
        add_initials(s, words);
        return 1;
    case NAME_YEAR:
        if (isfinite(facts->year))
            add_year(s, words, facts->year);
        return isfinite(facts->year);
    case NAME_TITLED:
    case NAME_TITLED_FULL:
        if ((title = title_of(facts, random)) == NULL)
            return 0;
        add_word(s, title);
        if (rule == NAME_TITLED_FULL)
            add_given(s, words);
        add_word(s, words->last);
        return 1;
    case NAME_MIDDLE:
        if (words->given_count < 2)
            return 0;
        add_middle(s, words);
        return 1;
    case NAME_SHORT:
        if (words->given_count < 2)
            return 0;
        add_word(s, words->given[0]);
        add_word(s, words->last);
        return 1;
    case NAME_MISSPELT:
        if (words->given_count > 0 && random_below(random, 3) == 0)
            add_reversed(s, words);
        else
            add(s, label, strlen(label));
        return !s->is_cut && misspell(s->out, random);
    default:
        add(s, label, strlen(label));
        return 1;
    }
}

int name_variant(char out[NAME_BYTES], const char *label, enum name_rule rule,
                 const struct name_facts *facts, struct random *random) {
    struct words words;
    struct spelling s = {.out = out};
    out[0] = '\0';
    split(&words, label);
    if (words.last == NULL || (needs_given(rule) && words.given_count == 0) ||
        !spell(&s, &words, label, rule, facts, random) || s.is_cut)
        return 0;
    if (rule == NAME_UPPER || rule == NAME_UPPER_REVERSED)
        change_case(out, toupper);
    if (rule == NAME_LOWER || rule == NAME_LOWER_LAST)
        change_case(out, tolower);
    return rule == NAME_FULL || strcmp(out, label) != 0;
}

int name_is_kept_back(const char *variant) {
    return random_hash(variant, strlen(variant)) % 4 == 0;
}

void name_stranger(char out[NAME_BYTES], const char *label, struct random *random) {
    static const char VOWELS[] = "aeiou", CONSONANTS[] = "bcdfghklmnprstvwz";
    snprintf(out, NAME_BYTES, "%s", label);
    for (char *c = out; *c != '\0'; c++) {
        if (!is_letter(*c))
            continue;
        int is_upper = isupper((unsigned char)*c) != 0;
        int is_vowel = strchr(VOWELS, tolower((unsigned char)*c)) != NULL;
        char other = is_vowel ? VOWELS[random_below(random, sizeof VOWELS - 1)]
                              : CONSONANTS[random_below(random, sizeof CONSONANTS - 1)];
        *c = is_upper ? (char)toupper(other) : other;
    }
}

size_t name_distance(const char *one, const char *other) {
    size_t rows = strnlen(one, NAME_BYTES), columns = strnlen(other, NAME_BYTES);
    size_t row[NAME_BYTES + 1];
    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 0; i < rows; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < columns; j++) {
            int is_same = tolower((unsigned char)one[i]) == tolower((unsigned char)other[j]);
            size_t best = diagonal + !is_same;
            diagonal = row[j + 1];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j + 1] = diagonal + 1 < best ? diagonal + 1 : best;
        }
    }
    return row[columns];
}
