/* How a person's name is spelt in attributions: variants of a label, made by rule.
 *
 * The label is "Given Middle Last" or "Last, Given Middle". Only ASCII letters change case and are
 * misspelt; other characters of UTF-8 are kept whole. The same random state gives the same
 * variant. Rules from NAME_FIRST_UNSEEN on are for measuring: training never uses them. */
#ifndef TRINE_TEXT_NAMES_H
#define TRINE_TEXT_NAMES_H

#include "base/random.h"

enum { NAME_BYTES = 160, NAME_TITLES = 8, NAME_TITLE_BYTES = 32 };

enum name_rule {
    NAME_FULL,     /* Franklin Delano Roosevelt: the label as it is */
    NAME_INITIAL,  /* F. D. Roosevelt */
    NAME_LAST,     /* Roosevelt */
    NAME_REVERSED, /* Roosevelt, Franklin Delano */
    NAME_UPPER,    /* FRANKLIN DELANO ROOSEVELT */
    NAME_LOWER,    /* franklin delano roosevelt */
    NAME_YEAR,     /* Franklin Delano Roosevelt, 1941 */
    NAME_TITLED,   /* Mr. Roosevelt */
    NAME_MIDDLE,   /* Franklin D. Roosevelt */
    NAME_SHORT,    /* Franklin Roosevelt */
    NAME_MISSPELT, /* Franklin Delano Rosevelt: one letter of it, or of the reversed form */
    NAME_FIRST_UNSEEN,
    NAME_REVERSED_INITIAL = NAME_FIRST_UNSEEN, /* Roosevelt, F. D. */
    NAME_TITLED_FULL,                          /* Mr. Franklin Delano Roosevelt */
    NAME_UPPER_REVERSED,                       /* ROOSEVELT, FRANKLIN DELANO */
    NAME_LOWER_LAST,                           /* roosevelt */
    NAME_BARE_INITIAL,                         /* F Roosevelt */
    NAME_RULES
};

/* "initial", "titled in full": for people. */
const char *name_rule_title(enum name_rule rule);

struct name_titles {
    char items[NAME_TITLES][NAME_TITLE_BYTES];
    size_t count;
};

/* Mr., Mrs., Dr. */
struct name_titles name_titles_default(void);

struct name_facts {
    const struct name_titles *titles;
    double year; /* of a document of theirs; NAN: none is known */
};

/* out <- a variant of the label. Returns 1, or 0 when the rule makes nothing of this label: a
 * single word has no initial, it or the variant has NAME_BYTES or more, or the variant is the label
 * (which only NAME_FULL may give). */
int name_variant(char out[NAME_BYTES], const char *label, enum name_rule rule,
                 const struct name_facts *facts, struct random *random);

/* Whether a variant (a misspelling) is one of the quarter that training never sees. */
int name_is_kept_back(const char *variant);

/* out <- a name of nobody: the label with other vowels and consonants. */
void name_stranger(char out[NAME_BYTES], const char *label, struct random *random);

/* Insertions, deletions and replacements of a byte that turn one text into the other (Levenshtein
 * 1966), without regard to the case of ASCII letters; of their first NAME_BYTES bytes. */
size_t name_distance(const char *one, const char *other);

#endif
