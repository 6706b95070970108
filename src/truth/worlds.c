#include "truth/worlds.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static uint32_t find(uint32_t *parent, uint32_t i) {
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

static void join(uint32_t *parent, uint32_t a, uint32_t b) {
    a = find(parent, a);
    b = find(parent, b);
    parent[a > b ? a : b] = a > b ? b : a;
}

static void group_free(struct world_group *group) {
    free(group->sentences);
    free(group->worlds);
    *group = (struct world_group){0};
}

static struct world_group *add_group(struct worlds *w, struct error *error) {
    if (memory_grow(&w->groups, &w->group_capacity, w->group_count + 1, sizeof *w->groups, error))
        return NULL;
    w->groups[w->group_count] = (struct world_group){0};
    return &w->groups[w->group_count++];
}

static int add_member(struct worlds *w, uint32_t group, uint32_t sentence, struct error *error) {
    struct world_group *g = &w->groups[group];
    size_t capacity = g->count; /* grown one by one: groups are small, and made once */
    if (memory_grow(&g->sentences, &capacity, g->count + 1, sizeof *g->sentences, error))
        return -1;
    w->group_of[sentence] = group;
    w->place_of[sentence] = (uint32_t)g->count;
    g->sentences[g->count++] = sentence;
    return 0;
}

/* Parts of a formula belong together, and so do all that share them. */
static int make_groups(struct worlds *w, uint32_t *parent, struct error *error) {
    size_t count = sentences_count(w->sentences);
    for (uint32_t i = 0; i < count; i++) {
        const struct sentence *s = sentences_get(w->sentences, i);
        parent[i] = i;
        if (s->kind != SENTENCE_ATOM) {
            join(parent, i, s->left);
            join(parent, i, s->right);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t root = find(parent, i);
        if (root == i) {
            if (add_group(w, error) == NULL)
                return -1;
            w->group_of[i] = (uint32_t)w->group_count - 1;
        }
        if (add_member(w, w->group_of[root], i, error))
            return -1;
    }
    return 0;
}

/* The group becomes one of its first sentence, and new ones of the others. */
static int split(struct worlds *w, size_t group, struct error *error) {
    struct world_group whole = w->groups[group];
    w->groups[group] = (struct world_group){0};
    w->split_count++;
    int result = add_member(w, (uint32_t)group, whole.sentences[0], error);
    for (size_t i = 1; result == 0 && i < whole.count; i++)
        result = add_group(w, error) == NULL ||
                 add_member(w, (uint32_t)w->group_count - 1, whole.sentences[i], error);
    group_free(&whole);
    return result ? -1 : 0;
}

static int enumerate(struct worlds *w, size_t group, struct error *error) {
    struct world_group *g = &w->groups[group];
    free(g->worlds);
    g->worlds = NULL;
    if (logic_worlds(w->logic, g->sentences, g->count, WORLDS_LIMIT, &g->worlds, &g->world_count,
                     error))
        return -1;
    if (g->world_count == 0)
        return error_set(error, "what is known contradicts itself");
    if (g->world_count != SIZE_MAX)
        return 0;
    size_t first_new = w->group_count;
    if (split(w, group, error) || enumerate(w, group, error))
        return -1;
    for (size_t i = first_new; i < w->group_count; i++)
        if (enumerate(w, i, error))
            return -1;
    return 0;
}

int worlds_create(struct worlds *w, const struct sentences *sentences, struct error *error) {
    size_t count = sentences_count(sentences);
    *w = (struct worlds){.sentences = sentences};
    w->group_of = memory_allocate(count, sizeof *w->group_of, error);
    w->place_of = memory_allocate(count, sizeof *w->place_of, error);
    uint32_t *parent = memory_allocate(count, sizeof *parent, error);
    int result = w->group_of == NULL || w->place_of == NULL || parent == NULL ||
                         logic_create(&w->logic, sentences, error) || make_groups(w, parent, error)
                     ? -1
                     : 0;
    memory_free(parent);
    for (size_t i = 0, groups = w->group_count; result == 0 && i < groups; i++)
        result = enumerate(w, i, error);
    if (result != 0)
        worlds_free(w);
    return result;
}

void worlds_free(struct worlds *w) {
    for (size_t i = 0; i < w->group_count; i++)
        group_free(&w->groups[i]);
    free(w->groups);
    memory_free(w->group_of);
    memory_free(w->place_of);
    logic_destroy(w->logic);
    *w = (struct worlds){0};
}

/* Once a group has fallen apart, a claim about one sentence may settle others. */
static int is_touched(const struct worlds *w, size_t group, const struct claim *claims,
                      size_t count) {
    if (w->split_count > 0)
        return w->groups[group].world_count > 1;
    for (size_t i = 0; i < count; i++)
        if (w->group_of[claims[i].sentence] == group)
            return 1;
    return 0;
}

int worlds_learn(struct worlds *w, const struct claim *claims, size_t count, struct error *error) {
    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        logic_assert(w->logic, claims[i]);
    if (!logic_is_consistent(w->logic, NULL, 0))
        return error_set(error, "what is known contradicts itself");
    for (size_t i = 0, groups = w->group_count; i < groups; i++)
        if (is_touched(w, i, claims, count) && enumerate(w, i, error))
            return -1;
    return 0;
}
