/* Who stands next to whom. Distances are in spreads: in each dimension, the spread of one label's
 * documents counts as one. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "dream/microscope_private.h"

enum {
    NEAREST = 3,
    PAIRS = 10,
    TREE_LABELS = 150 /* joining takes the cube of this, and more could not be read */
};

/* distances[n,n] */
static double *measure(const struct microscope *m, struct error *error) {
    size_t n = m->label_count, width = m->slot->width;
    const struct slot_state *state = &m->states[m->own];
    double *distances = memory_allocate(n * n, sizeof *distances, error);
    for (size_t i = 0; distances != NULL && i < n; i++)
        for (size_t j = 0; j < i; j++) {
            const real *a = state->points + m->labels[i] * width;
            const real *b = state->points + m->labels[j] * width;
            double sum = 0;
            for (size_t d = 0; d < width; d++) {
                double step = ((double)a[d] - (double)b[d]) / (double)state->sigma[d];
                sum += step * step;
            }
            distances[i * n + j] = distances[j * n + i] = sqrt(sum);
        }
    return distances;
}

struct pair {
    double distance;
    size_t a, b;
};

/* Equal distances in the order of the labels, so that the order is always the same. */
static int compare_pairs(const void *one, const void *other) {
    const struct pair *x = one, *y = other;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

/* Keeps the closest `most` of those that are offered, in order. */
static void keep_pair(struct pair *closest, size_t *count, size_t most, struct pair pair) {
    if (*count == most && compare_pairs(&pair, &closest[most - 1]) >= 0)
        return;
    size_t at = *count < most ? (*count)++ : most - 1;
    for (; at > 0 && compare_pairs(&pair, &closest[at - 1]) < 0; at--)
        closest[at] = closest[at - 1];
    closest[at] = pair;
}

static json_t *nearest_to_json(const double *distances, size_t n) {
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++) {
        struct pair closest[NEAREST];
        size_t count = 0;
        json_t *list = json_array();
        for (size_t j = 0; j < n; j++)
            if (j != i)
                keep_pair(closest, &count, NEAREST, (struct pair){distances[i * n + j], i, j});
        for (size_t k = 0; k < count; k++)
            json_array_append_new(
                list, json_pack("[I, f]", (json_int_t)closest[k].b, closest[k].distance));
        json_array_append_new(all, list);
    }
    return all;
}

static json_t *pairs_to_json(const double *distances, size_t n) {
    struct pair closest[PAIRS];
    size_t count = 0;
    json_t *pairs = json_array();
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            keep_pair(closest, &count, PAIRS, (struct pair){distances[i * n + j], i, j});
    for (size_t k = 0; k < count; k++)
        json_array_append_new(pairs, json_pack("[I, I, f]", (json_int_t)closest[k].a,
                                               (json_int_t)closest[k].b, closest[k].distance));
    return pairs;
}

/* Average linkage (Sokal and Michener 1958): joins the two closest groups until one is left; a
 * group's distance to another is the mean over their members. Joint k is node n + k. Overwrites
 * `distances`. */
static json_t *join(double *distances, size_t n, size_t *node, double *size) {
    json_t *joints = json_array();
    for (size_t i = 0; i < n; i++) {
        node[i] = i;
        size[i] = 1;
    }
    for (size_t k = 0; k + 1 < n; k++) {
        struct pair closest[1] = {0};
        size_t count = 0;
        for (size_t i = 0; i < n; i++)
            for (size_t j = i + 1; size[i] > 0 && j < n; j++)
                if (size[j] > 0)
                    keep_pair(closest, &count, 1, (struct pair){distances[i * n + j], i, j});
        size_t a = closest[0].a, b = closest[0].b;
        json_array_append_new(joints, json_pack("[I, I, f]", (json_int_t)node[a],
                                                (json_int_t)node[b], closest[0].distance));
        for (size_t j = 0; j < n; j++)
            distances[a * n + j] = distances[j * n + a] =
                (size[a] * distances[a * n + j] + size[b] * distances[b * n + j]) /
                (size[a] + size[b]);
        size[a] += size[b];
        size[b] = 0;
        node[a] = n + k;
    }
    return joints;
}

static json_t *tree_to_json(double *distances, size_t n, struct error *error) {
    if (n > TREE_LABELS)
        return json_null();
    size_t *node = memory_allocate(n, sizeof *node, error);
    double *size = memory_allocate(n, sizeof *size, error);
    json_t *tree = node == NULL || size == NULL ? NULL : join(distances, n, node, size);
    memory_free(node);
    memory_free(size);
    return tree;
}

json_t *microscope_neighbours(struct microscope *m, struct error *error) {
    size_t n = m->label_count;
    double *distances = measure(m, error);
    if (distances == NULL)
        return NULL;
    json_t *nearest = nearest_to_json(distances, n), *pairs = pairs_to_json(distances, n);
    json_t *tree = tree_to_json(distances, n, error);
    memory_free(distances);
    json_t *json = json_pack("{s:o, s:o, s:o}", "nearest", nearest, "pairs", pairs, "tree", tree);
    if (json == NULL)
        error_set(error, "out of memory for the neighbours");
    return json;
}
