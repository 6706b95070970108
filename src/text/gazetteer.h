/* Places by name, and names of places, from a file of tab-separated lines in UTF-8:
 *
 *   name  latitude  longitude  country  population  kind  other|names
 *
 * Latitude and longitude are in degrees, the kind is "city" or "area" (a state, a country: found by
 * its name but never given as the name of a place). The country is a short word such as "FR" or
 * "US-OH"; other names, and tabs at the end, may be left out. Lines that start with '#' are notes.
 * recipes/places/fetch.sh makes such a file. */
#ifndef TRINE_TEXT_GAZETTEER_H
#define TRINE_TEXT_GAZETTEER_H

#include "base/error.h"
#include "math/sphere.h"

struct gazetteer;

struct gazetteer_entry {
    const char *name, *country, *others; /* others: with '|' between them; "" for none */
    struct location place;
    double population;
    int is_area;
};

enum { GAZETTEER_NAME_LIMIT = 80, GAZETTEER_TITLE = 256 };

/* The error names the line that is wrong. */
int gazetteer_open(struct gazetteer **out, const char *path, struct error *error);
void gazetteer_close(struct gazetteer *gazetteer);

/* For many look-ups: folds every name once and sorts them. */
int gazetteer_index(struct gazetteer *gazetteer, struct error *error);

size_t gazetteer_count(const struct gazetteer *gazetteer);

/* entries[most] <- those of that name, the most populous first; returns how many there are in all.
 * Case, accents, spaces and punctuation do not count; "Paris, FR" and "Springfield, OH" ask for one
 * of a country or of a part of it. */
size_t gazetteer_find(const struct gazetteer *gazetteer, const char *name,
                      const struct gazetteer_entry **entries, size_t most);

/* The most populous city within so many kilometres, else the nearest one; NULL: there is none. */
const struct gazetteer_entry *gazetteer_near(const struct gazetteer *gazetteer,
                                             struct location place, double kilometres);

/* "41.88,-87.63", also with a space or semicolon between: -1 when it is no place. */
int location_parse(const char *text, struct location *place);

/* A place from coordinates or, with a gazetteer (may be NULL), from a name. title[GAZETTEER_TITLE]
 * (may be NULL) <- what it was taken for: "Springfield, US-MO (37.2,-93.3), not Springfield, US-MA
 * or 5 others". Of an unknown name the error lists near ones. */
int gazetteer_resolve(const struct gazetteer *gazetteer, const char *text, struct location *place,
                      char *title, struct error *error);

#endif
