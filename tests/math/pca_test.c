#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "math/pca.h"

static void assert_near(double a, double b, double tolerance) {
    if (!(fabs(a - b) <= tolerance))
        fail_msg("%.17g and %.17g differ by more than %g", a, b, tolerance);
}

/* Four points whose covariance is known by hand: 3 along (3,4)/5 and 1/3 across, around (10, 20).
 */
static void test_known_covariance(void **state) {
    (void)state;
    double points[8];
    static const double along[4] = {1.5, 1.5, -1.5, -1.5}, across[4] = {0.5, -0.5, 0.5, -0.5};
    for (int i = 0; i < 4; i++) {
        points[2 * i] = 10 + (3 * along[i] - 4 * across[i]) / 5;
        points[2 * i + 1] = 20 + (4 * along[i] + 3 * across[i]) / 5;
    }
    struct pca pca;
    struct error error;
    assert_int_equal(pca_fit(&pca, points, 4, 2, &error), 0);
    assert_near(pca.mean[0], 10, 1e-12);
    assert_near(pca.mean[1], 20, 1e-12);
    assert_near(pca.variances[0], 3, 1e-12);
    assert_near(pca.variances[1], 1.0 / 3, 1e-12);
    assert_near(pca.components[0], 0.6, 1e-12);
    assert_near(pca.components[1], 0.8, 1e-12);
    assert_near(pca.components[2], 0.8, 1e-12); /* the sign convention decides */
    assert_near(pca.components[3], -0.6, 1e-12);
    pca_free(&pca);
    pca_free(&pca);
}

static void check_components(const struct pca *pca) {
    size_t d = pca->dimensions;
    for (size_t i = 0; i < d; i++) {
        const double *row = pca->components + i * d;
        double largest = 0;
        for (size_t j = 0; j < d; j++)
            if (fabs(row[j]) > fabs(largest))
                largest = row[j];
        assert_true(largest > 0);
        assert_true(pca->variances[i] >= 0);
        assert_true(i == 0 || pca->variances[i] <= pca->variances[i - 1]);
        for (size_t k = 0; k < d; k++) {
            double product = 0;
            for (size_t j = 0; j < d; j++)
                product += row[j] * pca->components[k * d + j];
            assert_near(product, i == k, 1e-10);
        }
    }
}

/* Fewer points than dimensions and more: orthonormal, complete, and the variances are true. */
static void check_random(size_t n, size_t d, uint64_t stream) {
    double points[60 * 24], coordinates[24], point[24], variance[24] = {0};
    struct random random;
    struct pca pca;
    struct error error;
    random_seed(&random, 1, stream);
    for (size_t i = 0; i < n * d; i++)
        points[i] = 100 + random_normal(&random) * (double)(1 + i % d);
    assert_int_equal(pca_fit(&pca, points, n, d, &error), 0);
    check_components(&pca);
    for (size_t i = 0; i < n; i++) {
        pca_project(&pca, coordinates, points + i * d, d);
        pca_reconstruct(&pca, point, coordinates, d);
        for (size_t j = 0; j < d; j++) {
            assert_near(point[j], points[i * d + j], 1e-9);
            variance[j] += coordinates[j] * coordinates[j] / (double)(n - 1);
        }
    }
    for (size_t j = 0; j < d; j++)
        assert_near(variance[j], pca.variances[j], 1e-8);
    for (size_t j = n - 1; j < d; j++)
        assert_near(pca.variances[j], 0, 1e-9);
    pca_free(&pca);
}

static void test_random_points(void **state) {
    (void)state;
    check_random(60, 24, 0);
    check_random(5, 24, 1);
    check_random(2, 1, 2);
}

/* Points on a plane are rebuilt from two coordinates. */
static void test_plane(void **state) {
    (void)state;
    double points[20 * 5], coordinates[2], point[5];
    for (size_t i = 0; i < 20; i++) {
        double u = sin((double)i), v = cos(3.0 * (double)i);
        const double row[5] = {u, v, u + v, u - v, 2};
        memcpy(points + i * 5, row, sizeof row);
    }
    struct pca pca;
    struct error error;
    assert_int_equal(pca_fit(&pca, points, 20, 5, &error), 0);
    for (size_t i = 0; i < 20; i++) {
        pca_project(&pca, coordinates, points + i * 5, 2);
        pca_reconstruct(&pca, point, coordinates, 2);
        for (size_t j = 0; j < 5; j++)
            assert_near(point[j], points[i * 5 + j], 1e-12);
    }
    pca_free(&pca);
}

static void test_refuses(void **state) {
    (void)state;
    double points[4] = {1, 2, 3, NAN};
    struct pca pca;
    struct error error;
    assert_int_equal(pca_fit(&pca, points, 2, 2, &error), -1);
    assert_int_equal(pca_fit(&pca, points, 1, 2, &error), -1);
    assert_int_equal(pca_fit(&pca, points, 2, 0, &error), -1);
    assert_null(pca.mean);
    size_t in_use = memory_bytes_in_use();
    for (size_t n = 1; n <= 4; n++) {
        memory_fail_after(n);
        assert_int_equal(pca_fit(&pca, points, 3, 1, &error), -1);
        memory_fail_after(0);
        assert_int_equal(memory_bytes_in_use(), in_use);
    }
    assert_int_equal(pca_fit(&pca, points, 3, 1, &error), 0);
    pca_free(&pca);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_covariance),
        cmocka_unit_test(test_random_points),
        cmocka_unit_test(test_plane),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
