/* What a corpus is made of: which field of each JSON line is the text, which fields label it, and
 * which documents are held out. A manifest is a JSON object:
 *
 *   {"name": "State of the Union", "text": "text", "id": ["year", "name"], "vocabulary": 2048,
 *    "image": "scan", "patches": 512,
 *    "slots": {"author": {"kind": "categorical", "field": "name"},
 *              "date":   {"kind": "date", "field": "year"},
 *              "party":  {"kind": "categorical", "field": "party", "missing": ["none"]},
 *              "place":  {"kind": "place", "fields": ["lat", "lon"]},
 *              "from":   {"kind": "place", "field": "city"}},
 *    "held_out": {"documents": ["1863 Abraham Lincoln"]}}
 *
 * `name` is required; `text` is "text" unless given, `id` the file and line, `vocabulary` 2048.
 * `image` is the field with the path of a picture, a PNG file beside the JSON lines; `patches` are
 * learnt for pictures (512), in addition to the vocabulary.
 * `held_out` is one of {"documents": [ids]}, {"hash": share, "seed": n} (by the text's hash) and
 * {"field": name, "value": text}. A place is two fields of degrees, or one field that says
 * "latitude,longitude" or a name (text/gazetteer.h). A key that is not listed here is an error. */
#ifndef TRINE_TEXT_MANIFEST_H
#define TRINE_TEXT_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum slot_kind { SLOT_CATEGORICAL, SLOT_DATE, SLOT_PLACE };

enum {
    MANIFEST_SLOT_LIMIT = 32,
    MANIFEST_ID_FIELD_LIMIT = 8,
    MANIFEST_VOCABULARY = 2048,
    MANIFEST_PATCHES = 512
};

struct manifest_strings {
    char **items;
    size_t count;
};

struct manifest_slot {
    char *name;
    enum slot_kind kind;
    char *fields[2];                 /* a place may have two, the others one */
    struct manifest_strings missing; /* values that say: not known */
};

enum held_out_rule { HELD_OUT_NONE, HELD_OUT_DOCUMENTS, HELD_OUT_HASH, HELD_OUT_FIELD };

struct held_out {
    enum held_out_rule rule;
    struct manifest_strings documents; /* sorted, no two alike */
    double share;
    uint64_t seed;
    char *field, *value;
};

struct manifest {
    char *name, *text, *image;  /* image NULL: no pictures */
    struct manifest_strings id; /* no items: file and line */
    size_t vocabulary, patches; /* tokens of text, and those of pictures */
    struct manifest_slot slots[MANIFEST_SLOT_LIMIT];
    size_t slot_count;
    struct held_out held_out;
    const struct gazetteer *gazetteer; /* borrowed, set by who reads records; NULL: no names */
};

/* The error names the key that is wrong. Free with manifest_free, also after a failure. */
int manifest_read(struct manifest *manifest, const char *path, struct error *error);
int manifest_parse(struct manifest *manifest, const char *json, size_t bytes, struct error *error);
void manifest_free(struct manifest *manifest);

/* Whether a place is one field, which may hold a name. */
int manifest_names_places(const struct manifest *manifest);

/* "categorical", "date", "place"; and back: -1 for another name. */
const char *slot_kind_name(enum slot_kind kind);
int slot_kind_from_name(const char *name);

/* A year as a number may have a fraction. Of text, "1787", "1787-10" and "1787-10-27" are read, of
 * the proleptic Gregorian calendar, as the year plus the share of it that has passed; a leading '-'
 * is a year before 1. Returns 0, or -1 for anything else. */
int date_parse(const char *text, double *year);

#endif
