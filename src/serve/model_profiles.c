#include "serve/model_profiles.h"

#include <string.h>

static int check(const struct model_profiles *profiles, const struct profile *p,
                 const struct values_space *space, const char *path, struct error *error) {
    if (p->name[0] == '\0')
        return error_set(error, "%s: a profile that is offered needs a \"name\"", path);
    for (const struct profile *other = profiles->items; other != p; other++)
        if (strcmp(other->name, p->name) == 0)
            return error_set(error, "%s: there is another profile \"%s\"", path, p->name);
    for (size_t d = 0; d < space->width; d++)
        if (p->offset[d] != 0)
            return error_set(error,
                             "%s: a profile that is offered says its values by directions alone, "
                             "without an \"offset\"",
                             path);
    return 0;
}

int model_profiles_open(struct model_profiles *profiles, const struct values_space *space,
                        const char *const *paths, size_t count, struct error *error) {
    if (count > MODEL_PROFILES_MOST)
        return error_set(error, "a model offers at most %d profiles", MODEL_PROFILES_MOST);
    for (size_t i = 0; i < count; i++) {
        struct profile *p = &profiles->items[i];
        if (profile_load(p, space, paths[i], error))
            return -1;
        profiles->count++;
        if (check(profiles, p, space, paths[i], error))
            return -1;
    }
    return 0;
}

void model_profiles_close(struct model_profiles *profiles) {
    for (size_t i = 0; i < profiles->count; i++)
        profile_free(&profiles->items[i]);
    profiles->count = 0;
}

json_t *model_profiles_to_json(const struct model_profiles *profiles,
                               const struct values_space *space) {
    json_t *list = json_array();
    for (size_t i = 0; i < profiles->count; i++) {
        const struct profile *p = &profiles->items[i];
        json_t *values = json_object();
        for (size_t k = 0; k < space->direction_count; k++)
            if (p->values[k] != 0)
                json_object_set_new(values, space->directions[k].name, json_real(p->values[k]));
        json_array_append_new(list, json_pack("{s:s, s:o}", "name", p->name, "values", values));
    }
    return list;
}
