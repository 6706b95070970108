#include "math/sphere.h"

#include <math.h>

static const double DEGREE = M_PI / 180;

/* A cap wider than this (degrees) leaves too little out to be worth its edge. */
static const double WIDEST_CAP = 110;
enum { CAP_STEPS = 200 };

int location_is_valid(struct location p) {
    return fabs(p.latitude) <= 90 && fabs(p.longitude) <= 180; /* not of a NaN */
}

void location_to_vector(double v[3], struct location p) {
    double latitude = p.latitude * DEGREE, longitude = p.longitude * DEGREE;
    v[0] = cos(latitude) * cos(longitude);
    v[1] = cos(latitude) * sin(longitude);
    v[2] = sin(latitude);
}

struct location location_from_vector(const double v[3]) {
    return (struct location){atan2(v[2], hypot(v[0], v[1])) / DEGREE, atan2(v[1], v[0]) / DEGREE};
}

static double dot(const double a[3], const double b[3]) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Exact also where the cosine says nothing: close by, and on the other side. */
static double angle_between(const double a[3], const double b[3]) {
    double cross[3] = {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2],
                       a[0] * b[1] - a[1] * b[0]};
    return atan2(sqrt(dot(cross, cross)), dot(a, b));
}

double location_distance(struct location a, struct location b) {
    double v[3], w[3];
    location_to_vector(v, a);
    location_to_vector(w, b);
    return EARTH_RADIUS * angle_between(v, w);
}

struct location location_between(struct location a, struct location b, double share) {
    double v[3], w[3], point[3];
    location_to_vector(v, a);
    location_to_vector(w, b);
    double angle = angle_between(v, w), sine = sin(angle);
    if (sine < 1e-9) /* the same place, or opposite ones: no way is the shortest */
        return share < 0.5 ? a : b;
    for (int i = 0; i < 3; i++)
        point[i] = (sin((1 - share) * angle) * v[i] + sin(share * angle) * w[i]) / sine;
    return location_from_vector(point);
}

/* The smallest ball around points of the sphere cuts it in the smallest cap, if they lie in one
 * half of it. */
struct cap cap_around(const struct location *places, size_t count) {
    double centre[3], point[3], radius = 0;
    location_to_vector(centre, places[0]);
    for (int step = 1; step <= CAP_STEPS; step++) {
        double farthest[3] = {0}, most = -1;
        for (size_t i = 0; i < count; i++) {
            location_to_vector(point, places[i]);
            double gap[3] = {point[0] - centre[0], point[1] - centre[1], point[2] - centre[2]};
            double distance = dot(gap, gap);
            for (int d = 0; d < 3 && distance > most; d++)
                farthest[d] = point[d];
            most = fmax(most, distance);
        }
        for (int d = 0; d < 3; d++)
            centre[d] += (farthest[d] - centre[d]) / (step + 1);
    }
    if (dot(centre, centre) < 1e-4)
        return (struct cap){.radius = 180};
    struct cap cap = {.centre = location_from_vector(centre)};
    for (size_t i = 0; i < count; i++) {
        location_to_vector(point, places[i]);
        radius = fmax(radius, angle_between(centre, point) / DEGREE);
    }
    cap.radius = radius;
    return radius <= WIDEST_CAP ? cap : (struct cap){.radius = 180};
}

/* axes[3][3]: east, north, and outwards at a place; at a pole as its longitude says. */
static void axes_at(double axes[3][3], struct location p) {
    double latitude = p.latitude * DEGREE, longitude = p.longitude * DEGREE;
    axes[0][0] = -sin(longitude);
    axes[0][1] = cos(longitude);
    axes[0][2] = 0;
    axes[1][0] = -sin(latitude) * cos(longitude);
    axes[1][1] = -sin(latitude) * sin(longitude);
    axes[1][2] = cos(latitude);
    location_to_vector(axes[2], p);
}

void cap_view(double out[3], const struct cap *cap, const double vector[3]) {
    double axes[3][3];
    axes_at(axes, cap->centre);
    for (int i = 0; i < 3; i++)
        out[i] = dot(axes[i], vector);
}

/* 1 - cos(radius): the cap's height over its rim. */
static double cap_height(const struct cap *cap) {
    double sine = sin(cap->radius * DEGREE / 2);
    return 2 * sine * sine;
}

struct location cap_point(const struct cap *cap, size_t index, size_t count) {
    double axes[3][3], point[3];
    double outwards = 1 - cap_height(cap) * ((double)index + 0.5) / (double)count;
    double aside = sqrt(fmax(0, 1 - outwards * outwards));
    double turn = M_PI * (3 - sqrt(5)) * (double)index;
    axes_at(axes, cap->centre);
    for (int i = 0; i < 3; i++)
        point[i] =
            aside * (cos(turn) * axes[0][i] + sin(turn) * axes[1][i]) + outwards * axes[2][i];
    return location_from_vector(point);
}

double cap_spacing(const struct cap *cap, size_t count) {
    return sqrt(2 * M_PI * cap_height(cap) / (double)count);
}
