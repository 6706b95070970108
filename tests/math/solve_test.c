#include "math/solve.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "cmocka_all.h"

static void test_solve(void **state) {
    (void)state;
    enum { N = 9 };
    double root[N * N], a[N * N] = {0}, kept[N * N], x[N], y[N];
    struct random random;
    random_seed(&random, 1, 0);
    for (size_t i = 0; i < N * N; i++)
        root[i] = random_normal(&random);
    for (size_t i = 0; i < N; i++) {
        x[i] = y[i] = random_normal(&random);
        for (size_t j = 0; j < N; j++)
            for (size_t k = 0; k < N; k++)
                a[i * N + j] += root[i * N + k] * root[j * N + k] + (i == j) * 0.1;
    }
    memcpy(kept, a, sizeof a);
    solve_positive(a, x, N);
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        for (size_t j = 0; j < N; j++)
            sum += kept[i * N + j] * x[j];
        assert_true(fabs(sum - y[i]) < 1e-9);
    }
}

static void test_cholesky(void **state) {
    (void)state;
    enum { N = 11, COLUMNS = 3 };
    double l[N * N] = {0}, a[N * N] = {0}, x[N * COLUMNS], y[N * COLUMNS];
    struct random random;
    random_seed(&random, 2, 0);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j <= i; j++)
            l[i * N + j] = i == j ? 1 + random_uniform(&random) : random_normal(&random);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            for (size_t k = 0; k < N; k++)
                a[i * N + j] += l[i * N + k] * l[j * N + k];
            if (j > i)
                a[i * N + j] = NAN; /* the upper triangle is not looked at */
        }
    assert_int_equal(solve_cholesky(a, N), 0);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j <= i; j++)
            assert_true(fabs(a[i * N + j] - l[i * N + j]) < 1e-9);
    for (size_t i = 0; i < N * COLUMNS; i++)
        x[i] = y[i] = random_normal(&random);
    solve_lower(a, x, N, COLUMNS);
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < COLUMNS; c++) {
            double sum = 0;
            for (size_t k = 0; k <= i; k++)
                sum += l[i * N + k] * x[k * COLUMNS + c];
            assert_true(fabs(sum - y[i * COLUMNS + c]) < 1e-9);
        }
    double indefinite[4] = {1, 0, 2, 1};
    assert_int_equal(solve_cholesky(indefinite, 2), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_solve),
        cmocka_unit_test(test_cholesky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
