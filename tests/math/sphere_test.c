/* Places on the sphere: distances against known ones, caps that hold what they should, lattices. */
#include <math.h>

#include "base/random.h"
#include "cmocka_all.h"
#include "math/sphere.h"

static const struct location LONDON = {51.5074, -0.1278}, NEW_YORK = {40.7128, -74.0060},
                             SYDNEY = {-33.8688, 151.2093}, FIJI = {-17.7, 178},
                             SAMOA = {-13.8, -171.8};

static int is_near(double value, double expected, double tolerance) {
    return fabs(value - expected) <= tolerance;
}

static void test_distances(void **state) {
    (void)state;
    assert_true(is_near(location_distance(LONDON, NEW_YORK), 5570, 5));
    assert_true(is_near(location_distance(LONDON, SYDNEY), 16994, 10));
    assert_true(is_near(location_distance(FIJI, SAMOA), 1167, 10)); /* over the date line */
    assert_true(location_distance(LONDON, LONDON) == 0);
    assert_true(is_near(location_distance((struct location){90, 0}, (struct location){-90, 77}),
                        M_PI * EARTH_RADIUS, 1e-6));
    struct location near = {LONDON.latitude, LONDON.longitude + 1e-6}; /* 7 cm */
    assert_true(is_near(location_distance(LONDON, near), 6.92e-5, 1e-6));
}

static void test_vectors(void **state) {
    (void)state;
    const struct location places[] = {LONDON, NEW_YORK, SYDNEY, FIJI, SAMOA, {90, 0}, {0, 180}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        double v[3];
        location_to_vector(v, places[i]);
        assert_true(is_near(v[0] * v[0] + v[1] * v[1] + v[2] * v[2], 1, 1e-12));
        assert_true(location_distance(location_from_vector(v), places[i]) < 1e-6);
    }
    assert_true(location_is_valid(FIJI));
    assert_false(location_is_valid((struct location){90.1, 0}));
    assert_false(location_is_valid((struct location){NAN, 0}));
    assert_false(location_is_valid((struct location){0, -INFINITY}));
}

static void test_between(void **state) {
    (void)state;
    double way = location_distance(LONDON, NEW_YORK);
    for (double share = 0; share <= 1; share += 0.125) {
        struct location at = location_between(LONDON, NEW_YORK, share);
        assert_true(is_near(location_distance(LONDON, at), share * way, 1e-6));
        assert_true(is_near(location_distance(at, NEW_YORK), (1 - share) * way, 1e-6));
    }
    assert_true(fabs(location_between(FIJI, SAMOA, 0.5).longitude) > 170);
    assert_true(location_between(LONDON, LONDON, 0.3).latitude == LONDON.latitude);
}

/* Every place is inside, and the cap is hardly larger than it must be. */
static void test_caps(void **state) {
    (void)state;
    struct location places[40];
    struct random random;
    random_seed(&random, 5, 0);
    for (int round = 0; round < 20; round++) {
        double latitude = -60 + 6 * round, longitude = -180 + 18 * round, farthest = 0;
        for (size_t i = 0; i < 40; i++) {
            double v[3], centre[3];
            location_to_vector(centre, (struct location){latitude, longitude});
            for (int d = 0; d < 3; d++)
                v[d] = centre[d] + 0.2 * random_normal(&random);
            places[i] = location_from_vector(v);
        }
        struct cap cap = cap_around(places, 40);
        assert_true(cap.radius < 180);
        for (size_t i = 0; i < 40; i++) {
            double degrees = location_distance(cap.centre, places[i]) / EARTH_RADIUS * 180 / M_PI;
            assert_true(degrees <= cap.radius + 1e-9);
            for (size_t j = 0; j < i; j++)
                farthest = fmax(farthest, location_distance(places[i], places[j]) / EARTH_RADIUS);
        }
        /* No cap of points so far apart is smaller than half of that, nor need it be larger than
         * Jung's bound, the circle around an equilateral triangle. */
        double half = farthest / 2 * 180 / M_PI;
        assert_true(cap.radius >= half - 1e-6 && cap.radius <= 1.25 * half);
    }
    assert_true(cap_around(&LONDON, 1).radius < 1e-9);
    const struct location across[] = {FIJI, SAMOA},
                          apart[] = {LONDON, SYDNEY, NEW_YORK, FIJI, {0, 90}, {-80, 0}};
    assert_true(cap_around(across, 2).radius < 6);
    assert_true(cap_around(apart, 6).radius == 180);
}

/* Points keep their distance, lie in the cap, and half of its area holds half of them. */
static void test_lattice(void **state) {
    (void)state;
    enum { COUNT = 500 };
    const struct cap caps[] = {{{0, 0}, 180}, {{40, -95}, 25}, {{90, 0}, 5}, {{-17, 179}, 1}};
    for (size_t c = 0; c < sizeof caps / sizeof *caps; c++) {
        double radius = caps[c].radius * M_PI / 180;
        double half = 2 * asin(sqrt(0.5) * sin(radius / 2)); /* of the area */
        double spacing = cap_spacing(&caps[c], COUNT), least = 10;
        size_t inner = 0;
        for (size_t i = 0; i < COUNT; i++) {
            struct location at = cap_point(&caps[c], i, COUNT);
            double away = location_distance(at, caps[c].centre) / EARTH_RADIUS;
            assert_true(location_is_valid(at) && away <= radius + 1e-9);
            inner += away <= half;
            for (size_t j = 0; j < i; j++)
                least = fmin(least,
                             location_distance(at, cap_point(&caps[c], j, COUNT)) / EARTH_RADIUS);
        }
        assert_int_equal(inner, COUNT / 2);
        assert_true(least > 0.6 * spacing && least < 1.2 * spacing);
    }
    /* The whole sphere at a thousand points: the figure that latent/place.h states. */
    assert_true(is_near(cap_spacing(&caps[0], 1024) * EARTH_RADIUS, 706, 1));
}

static void test_view(void **state) {
    (void)state;
    const struct cap cap = {{40, -95}, 20};
    const struct location north = {41, -95}, east = {40, -94};
    double vector[3], view[3];
    location_to_vector(vector, cap.centre);
    cap_view(view, &cap, vector);
    assert_true(is_near(view[0], 0, 1e-12) && is_near(view[1], 0, 1e-12) && view[2] > 0.999999);
    location_to_vector(vector, north);
    cap_view(view, &cap, vector);
    assert_true(is_near(view[0], 0, 1e-12) && view[1] > 0.01);
    location_to_vector(vector, east);
    cap_view(view, &cap, vector);
    assert_true(view[0] > 0.01 && fabs(view[1]) < 0.001);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances), cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_between),   cmocka_unit_test(test_caps),
        cmocka_unit_test(test_lattice),   cmocka_unit_test(test_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
