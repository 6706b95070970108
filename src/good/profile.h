/* A user's values: a small JSON file that belongs to one good author,
 *
 *   {"trine_values": 1, "author": "fingerprint", "name": "terse",
 *    "values": {"brief-expansive": 0.5, ...}, "offset": [...]}
 *
 * of which "values" (along named directions, 1 for as far as an offset may go) and "offset" (a
 * vector as it is) may each be absent. Such files come from anyone: whatever they hold, what is
 * granted is off the protected subspace and within the radius (good/values.h). */
#ifndef TRINE_GOOD_PROFILE_H
#define TRINE_GOOD_PROFILE_H

#include "good/values.h"

enum { PROFILE_FILE_LIMIT = 1 << 20 };

struct profile {
    char name[VALUES_NAME_LIMIT + 1];
    double values[VALUES_MOST_DIRECTIONS]; /* of the space's directions */
    real *offset;                          /* [Z] owned */
};

/* A profile that asks for nothing. */
int profile_create(struct profile *profile, const struct values_space *space, const char *name,
                   struct error *error);
void profile_free(struct profile *profile);

/* Refuses another author's profile, directions that are not there, numbers that are too large and
 * whatever is no profile. */
int profile_load(struct profile *profile, const struct values_space *space, const char *path,
                 struct error *error);
int profile_save(const struct profile *profile, const struct values_space *space, const char *path,
                 struct error *error);

/* "brief-expansive=0.5" */
int profile_set(struct profile *profile, const struct values_space *space, const char *assignment,
                struct error *error);
/* profile += share * other */
void profile_add(struct profile *profile, const struct values_space *space,
                 const struct profile *other, double share);

/* wish[Z] <- what the profile asks for. */
void profile_wish(const struct profile *profile, const struct values_space *space, real *wish);

#endif
