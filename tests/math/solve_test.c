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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_solve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
