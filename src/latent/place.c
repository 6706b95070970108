#include "latent/place.h"

#include <math.h>
#include <stdlib.h>

/* Degrees; and the share of the radius. Within 300 km of a document nothing is off the grid. */
static const double MARGIN = 2.7, MARGIN_SHARE = 0.1;

/* A constant; east, north and outwards as seen from the cap's centre, the first two in units of the
 * cap and bounded, so that far places are not out of all proportion; and the bumps. */
static void place_basis(const struct slot *slot, struct location place, double *basis) {
    const struct cap *cap = &slot->cap;
    double vector[3], view[3], centre[3];
    location_to_vector(vector, place);
    cap_view(view, cap, vector);
    double unit = sin(fmin(cap->radius, 90) * M_PI / 180);
    double aside = hypot(view[0], view[1]) / unit, bound = unit * sqrt(1 + aside * aside / 9);
    basis[0] = 1;
    basis[1] = view[0] / bound;
    basis[2] = view[1] / bound;
    basis[3] = view[2];
    double spacing = cap_spacing(cap, PLACE_BUMPS), kappa = 1 / (spacing * spacing);
    for (size_t i = 0; i < PLACE_BUMPS; i++) {
        location_to_vector(centre, cap_point(cap, i, PLACE_BUMPS));
        double square = 0; /* of the chord: 2 (1 - cos angle) */
        for (int d = 0; d < 3; d++)
            square += (vector[d] - centre[d]) * (vector[d] - centre[d]);
        basis[4 + i] = exp(-kappa * square / 2);
    }
}

int slots_add_place_cap(struct slots *slots, const char *name, size_t width, const struct cap *cap,
                        struct error *error) {
    if (!location_is_valid(cap->centre) || !(cap->radius >= 0.1 && cap->radius <= 180))
        return error_set(error,
                         "slot %.80s: no grid can lie within %g degrees of latitude %g and "
                         "longitude %g",
                         name, cap->radius, cap->centre.latitude, cap->centre.longitude);
    struct slot *slot = slots_append(slots, name, width, PLACE_POINTS, error);
    if (slot == NULL)
        return -1;
    slot->kind = LATENT_PLACE;
    slot->cap = *cap;
    slot->basis_count = PLACE_BASIS;
    slot->basis = malloc(PLACE_POINTS * PLACE_BASIS * sizeof *slot->basis);
    slot->grid = malloc(PLACE_POINTS * 3 * sizeof *slot->grid);
    if (slot->basis == NULL || slot->grid == NULL)
        return error_set(error, "out of memory for slot %.80s", name);
    slots->parameter_count += width + PLACE_BASIS * width;
    for (size_t i = 0; i < PLACE_POINTS; i++) {
        struct location place = slot_grid_place(slot, i);
        slot->log_prior[i] = -log(PLACE_POINTS);
        location_to_vector(slot->grid + 3 * i, place);
        place_basis(slot, place, slot->basis + i * PLACE_BASIS);
    }
    return 0;
}

int slots_add_place(struct slots *slots, const char *name, size_t width,
                    const struct location *places, size_t count, struct error *error) {
    struct cap cap = cap_around(places, count);
    cap.radius = fmin(180, cap.radius * (1 + MARGIN_SHARE) + MARGIN);
    return slots_add_place_cap(slots, name, width, &cap, error);
}

struct location slot_grid_place(const struct slot *slot, size_t index) {
    return cap_point(&slot->cap, index, slot->point_count);
}

double slot_grid_spacing(const struct slot *slot) {
    return EARTH_RADIUS * cap_spacing(&slot->cap, slot->point_count);
}

void slot_place_point(const struct slot *slot, const real *parameters, struct location place,
                      real *point) {
    double basis[PLACE_BASIS];
    place_basis(slot, place, basis);
    slot_combine(slot, parameters, basis, point);
}

/* In a lattice the triangle around a place has its corners among the few nearest points. */
enum { NEAREST = 10 };

struct near_point {
    size_t index;
    double closeness; /* the cosine of the angle */
    const double *vector;
};

static double dot(const double a[3], const double b[3]) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static double determinant(const double a[3], const double b[3], const double c[3]) {
    return a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) +
           a[2] * (b[0] * c[1] - b[1] * c[0]);
}

static void find_nearest(struct near_point near[NEAREST], const struct slot *slot,
                         const double at[3]) {
    size_t count = 0;
    for (size_t i = 0; i < slot->point_count; i++) {
        const double *vector = slot->grid + 3 * i;
        struct near_point point = {i, dot(vector, at), vector};
        size_t k = count < NEAREST ? count++ : NEAREST;
        for (; k > 0 && near[k - 1].closeness < point.closeness; k--)
            if (k < NEAREST)
                near[k] = near[k - 1];
        if (k < NEAREST)
            near[k] = point;
    }
}

/* The place as a sum of the three corners; weights that are not negative: it is in the triangle. */
static int is_within(const struct near_point *a, const struct near_point *b,
                     const struct near_point *c, const double at[3], struct slot_target *target) {
    double whole = determinant(a->vector, b->vector, c->vector);
    double parts[3] = {determinant(at, b->vector, c->vector) / whole,
                       determinant(a->vector, at, c->vector) / whole,
                       determinant(a->vector, b->vector, at) / whole};
    double sum = parts[0] + parts[1] + parts[2];
    /* Three points in a line make no triangle: their parts are huge or no numbers. */
    if (!(parts[0] >= 0 && parts[1] >= 0 && parts[2] >= 0 && sum < 2))
        return 0;
    *target = (struct slot_target){{a->index, b->index, c->index},
                                   {parts[0] / sum, parts[1] / sum, parts[2] / sum}};
    return 1;
}

/* No point lies beyond the plane of the corners: it is a triangle of Delaunay's, so that the
 * weights change smoothly from one to the next. */
static int is_empty(const struct near_point near[NEAREST], size_t a, size_t b, size_t c) {
    const double *p = near[a].vector, *q = near[b].vector, *r = near[c].vector;
    double side = determinant(p, q, r);
    for (size_t i = 0; i < NEAREST; i++) {
        const double *x = near[i].vector;
        /* (q - p) x (r - p) . (x - p), expanded */
        double beyond = determinant(x, q, r) + determinant(p, x, r) + determinant(p, q, x) - side;
        if (i != a && i != b && i != c && beyond * side > 0)
            return 0;
    }
    return 1;
}

struct slot_target slot_place_target(const struct slot *slot, struct location place) {
    struct near_point near[NEAREST];
    struct slot_target target = {{0}, {0}};
    double at[3];
    int is_found = 0;
    location_to_vector(at, place);
    find_nearest(near, slot, at);
    for (size_t c = 2; c < NEAREST; c++)
        for (size_t b = 1; b < c; b++)
            for (size_t a = 0; a < b; a++) {
                int is_better = !is_found || is_empty(near, a, b, c);
                if (!is_better || !is_within(&near[a], &near[b], &near[c], at, &target))
                    continue;
                if (is_empty(near, a, b, c))
                    return target;
                is_found = 1;
            }
    return is_found ? target : (struct slot_target){{near[0].index}, {1}};
}

const struct slot *slots_place(const struct slots *slots) {
    for (size_t s = 0; s < slots->count; s++)
        if (slots->slots[s].kind == LATENT_PLACE)
            return &slots->slots[s];
    return NULL;
}
