#include "train/layer_optimizer.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cmocka_all.h"
#include "truth/tiny_model.h"

static void test_rate(void **state) {
    (void)state;
    assert_true(layer_rate(1, 0, 100) < layer_rate(1, 5, 100)); /* warms up */
    assert_true(fabs(layer_rate(1, 11, 100) - 1) < 1e-12);
    assert_true(layer_rate(1, 60, 100) > layer_rate(1, 90, 100));
    assert_true(fabs(layer_rate(1, 100, 100) - 0.05) < 1e-3);
    assert_true(layer_rate(1, 0, 1) > 0);
}

/* Towards a point: the distance shrinks; threads' gradients are added; what is not finite changes
 * nothing. */
static void test_steps(void **state) {
    (void)state;
    struct error error;
    struct model *model = tiny_model();
    struct layer *layer;
    struct layer_optimizer optimizer;
    const struct overlay_config overlay = {.rank = 2, .first = 1, .targets = 15, .scale = 2};
    assert_int_equal(layer_create(&layer, model, "good", "g", &overlay, 1, &error), 0);
    assert_int_equal(layer_optimizer_create(&optimizer, layer, &error), 0);
    real *gradients[2];
    for (int k = 0; k < 2; k++) {
        gradients[k] = memory_allocate(layer->count, sizeof(real), &error);
        assert_non_null(gradients[k]);
    }
    size_t last = layer->count - 1; /* of the vector, which starts at 0 and does not decay */
    for (size_t step = 0; step < 200; step++) {
        for (int k = 0; k < 2; k++) {
            memset(gradients[k], 0, layer->count * sizeof(real));
            gradients[k][last] = (layer->values[last] - (real)0.5) / 2;
        }
        assert_int_equal(
            layer_optimizer_step(
                &optimizer, gradients, 2,
                &(struct layer_step){.step = step, .rate = layer_rate(0.05, step, 200), .clip = 1},
                &error),
            0);
    }
    assert_true(fabs((double)layer->values[last] - 0.5) < 0.01);
    real before = layer->values[last];
    gradients[1][0] = NAN;
    assert_int_equal(layer_optimizer_step(&optimizer, gradients, 2,
                                          &(struct layer_step){.step = 200, .rate = 1, .clip = 1},
                                          &error),
                     -1);
    assert_non_null(strstr(error.message, "step 201"));
    assert_true(layer->values[last] == before);
    memory_free(gradients[0]);
    memory_free(gradients[1]);
    layer_optimizer_free(&optimizer);
    layer_destroy(layer);
    model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
