/* Place slots: a smooth learned function on the sphere, so that any place can be asked for, also
 * one without documents.
 *
 * It is a sum of a constant, the three coordinates of the unit vector, and bumps
 * exp(kappa (cos angle - 1)) (von Mises and Fisher's) spread over a cap that holds the training
 * documents' places and a margin. Odds are over a grid of that cap: PLACE_POINTS points, which are
 * 700 km apart on the whole sphere, 150 km for a country like the United States; the bumps are
 * nearly three times as far apart, so that the function is smooth where the grid is. */
#ifndef TRINE_LATENT_PLACE_H
#define TRINE_LATENT_PLACE_H

#include "latent/slots.h"

enum { PLACE_POINTS = 1024, PLACE_BUMPS = 128, PLACE_BASIS = PLACE_BUMPS + 4 };

/* Adds a place slot whose grid covers the places (count > 0) and a margin. */
int slots_add_place(struct slots *slots, const char *name, size_t width,
                    const struct location *places, size_t count, struct error *error);
/* The same with the grid's own cap. */
int slots_add_place_cap(struct slots *slots, const char *name, size_t width, const struct cap *cap,
                        struct error *error);

/* The first slot of places, or NULL. */
const struct slot *slots_place(const struct slots *slots);

/* Where grid point `index` lies, and how far apart they are in kilometres. */
struct location slot_grid_place(const struct slot *slot, size_t index);
double slot_grid_spacing(const struct slot *slot);

/* point[width] <- the learned function at any place, also off the grid. */
void slot_place_point(const struct slot *slot, const real *parameters, struct location place,
                      real *point);

/* The corners of the triangle of the grid that the place is in (of its Delaunay triangulation),
 * weighted so that their mean points at it. A place off the grid goes to the nearest point. */
struct slot_target slot_place_target(const struct slot *slot, struct location place);

#endif
