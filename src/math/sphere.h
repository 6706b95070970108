/* Places on a sphere of the Earth's size: distances, ways between them, and caps of the sphere
 * with points spread evenly over them. */
#ifndef TRINE_MATH_SPHERE_H
#define TRINE_MATH_SPHERE_H

#include <stddef.h>

/* Kilometres, the mean one. */
#define EARTH_RADIUS 6371.0088

/* Degrees: -90 to 90 north, -180 to 180 east. */
struct location {
    double latitude, longitude;
};

/* All places within so many degrees of a centre; 180: the whole sphere. */
struct cap {
    struct location centre;
    double radius;
};

int location_is_valid(struct location place);

/* Great-circle distance in kilometres. */
double location_distance(struct location a, struct location b);

/* Unit vectors: x to 0° N 0° E, y to 0° N 90° E, z to the north pole. */
void location_to_vector(double vector[3], struct location place);
/* Of any length but 0, which gives 0° N 0° E. */
struct location location_from_vector(const double vector[3]);

/* The place a share of the great circle's way from a to b. */
struct location location_between(struct location a, struct location b, double share);

/* A small cap that holds all of the places (count > 0); the whole sphere when they lie so far apart
 * that little would be left out. Bădoiu and Clarkson, "Smaller core-sets for balls" (2003). */
struct cap cap_around(const struct location *places, size_t count);

/* out[3] <- the vector as seen from the cap: east and north at its centre, and towards it. */
void cap_view(double out[3], const struct cap *cap, const double vector[3]);

/* Point `index` of `count` that lie on a spiral, each at the golden angle from the last and each
 * for an equal share of the cap's area (a Fibonacci lattice; González, "Measurement of areas on a
 * sphere using Fibonacci and latitude-longitude lattices", 2010). */
struct location cap_point(const struct cap *cap, size_t index, size_t count);

/* How far apart such points are, in radians: the root of each one's area. */
double cap_spacing(const struct cap *cap, size_t count);

#endif
