/* The profiles of values that a resident model offers: files of `trine values set`, checked against
 * its space. Read-only when they are open. */
#ifndef TRINE_SERVE_MODEL_PROFILES_H
#define TRINE_SERVE_MODEL_PROFILES_H

#include <jansson.h>

#include "good/profile.h"

enum { MODEL_PROFILES_MOST = 32 };

struct model_profiles {
    struct profile items[MODEL_PROFILES_MOST];
    size_t count;
};

/* Start with zeros. Refuses what profile_load does, profiles without a name or with that of another
 * and those that ask for an offset, which values of directions cannot tell. The files' names are
 * borrowed for the call. */
int model_profiles_open(struct model_profiles *profiles, const struct values_space *space,
                        const char *const *paths, size_t count, struct error *error);
void model_profiles_close(struct model_profiles *profiles);

/* [{"name", "values": {direction: number}}], without directions that are 0. */
json_t *model_profiles_to_json(const struct model_profiles *profiles,
                               const struct values_space *space);

#endif
