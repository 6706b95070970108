/* What a user may change about the good author: an offset of its vector.
 *
 * A direction is a unit vector along which one list of texts becomes likelier as replies and
 * another less likely: the mean, over both lists, of the gradient of the replies' log-probability
 * per token by the vector. What the principles rest on is protected: the subspace in which the
 * gradients of declining, against complying with, harmful requests lie. An offset is projected off
 * it and kept inside a radius, for which the author was trained (good/good_train.h).
 *
 * A space of values belongs to one good author and lies in a JSON file of its own:
 *
 *   {"trine_values_space": 1, "author": "fingerprint", "radius": 2, "protected": [[...], ...],
 *    "directions": {"brief-expansive": [...], ...}} */
#ifndef TRINE_GOOD_VALUES_H
#define TRINE_GOOD_VALUES_H

#include <jansson.h>

#include "good/lesson.h"
#include "latent/layer.h"

enum { VALUES_MOST_DIRECTIONS = 64, VALUES_MOST_PROTECTED = 64 };

struct value_direction {
    char name[VALUES_NAME_LIMIT + 1];
    real *vector; /* [Z] of length 1 */
};

struct values_space {
    size_t width;                   /* Z */
    char author[LAYER_FINGERPRINT]; /* of the good author */
    double radius;
    real *protected; /* [protected_count, Z] orthonormal rows */
    size_t protected_count;
    struct value_direction directions[VALUES_MOST_DIRECTIONS];
    size_t direction_count;
};

/* An empty space of this author. */
int values_space_create(struct values_space *space, const struct layer *layer, double radius,
                        struct error *error);
void values_space_free(struct values_space *space);

/* Protects what tells the better from the worse reply of harmful requests: lessons
 * [2 * pair_count], the declining reply first. The rows are the principal directions of the pairs'
 * gradients that hold `share` of their squares. */
int values_protect(struct values_space *space, const struct layer *layer,
                   const struct lesson *lessons, size_t pair_count, double share, size_t threads,
                   struct error *error);

/* Adds, or replaces, a direction from replies at its high and its low end. */
int values_add_direction(struct values_space *space, const struct layer *layer, const char *name,
                         const struct lesson *high, size_t high_count, const struct lesson *low,
                         size_t low_count, size_t threads, struct error *error);

int values_space_save(const struct values_space *space, const char *path, struct error *error);
/* Refuses a space of another author, and whatever is not one. */
int values_space_load(struct values_space *space, const struct layer *layer, const char *path,
                      struct error *error);

/* What became of a wish. */
struct values_grant {
    double asked;    /* length of the wish */
    double allowed;  /* length of what is left of it */
    double honoured; /* share of the wish: <allowed, wish> / <wish, wish> */
    int is_projected, is_shortened;
};

/* offset[Z] <- the wish [Z] less what is protected, no longer than the radius. */
void values_grant(const struct values_space *space, const real *wish, real *offset,
                  struct values_grant *grant);

/* The gradient of log P(reply) per token by the author's vector, of each lesson: gradients[count,
 * Z]; and these log-probabilities [count] (NULL: not wanted). offsets [count, Z] are added to the
 * vector, each for its lesson (NULL: none). */
int values_gradients(real *gradients, double *log_probabilities, const struct layer *layer,
                     const real *offsets, const struct lesson *lessons, size_t count,
                     size_t threads, struct error *error);

#endif
