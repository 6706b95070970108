/* Years beyond the grid are told loosely; those on it as ever, to the last bit. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "cmocka_all.h"
#include "latent/extrapolation.h"
#include "latent/planted.h"

static struct model *model;
static const struct slot *date;

static int start(void **state) {
    double years[AUTHORS];
    (void)state;
    model = planted_model(years);
    date = &model->slots.slots[1];
    return 0;
}

static int stop(void **state) {
    (void)state;
    model_destroy(model);
    return 0;
}

static double variance_of(double year) {
    struct error error;
    double variance = -1;
    assert_int_equal(
        extrapolation_variance(date, model_slot_parameters(model), year, &variance, &error), 0);
    return variance;
}

static void test_variance(void **state) {
    (void)state;
    double first = slot_first_year(date), last = slot_last_year(date), before = 0;
    for (double year = first; year <= last; year += 0.5)
        assert_true(variance_of(year) == 0);
    for (double far = 1; far <= 2000; far *= 1.5) {
        double variance = variance_of(last + far), mirrored = variance_of(first - far);
        assert_true(variance > before && isfinite(variance));
        assert_true(mirrored > 0.2 * variance && mirrored < 5 * variance);
        before = variance;
    }
    /* It begins with little, passes the curve's own variance, and ends with nothing known. */
    assert_true(variance_of(last + 1) < 0.2);
    assert_true(variance_of(last + 2000) > 10);
    assert_true(isfinite(variance_of(1e6)));
}

/* The curve's law itself: curves of the same bumps without end are continued with errors of the
 * size that is said. */
static void test_honest(void **state) {
    (void)state;
    enum { CURVES = 200, FAR = 3 };
    size_t bumps = date->basis_count - 2, width = date->width;
    double step = (slot_last_year(date) - slot_first_year(date)) / (double)bumps;
    double squares[FAR] = {0}, said[FAR] = {0};
    real *parameters = model->values + model->layout.slots;
    real kept[512], *curve = parameters + date->parameters + width;
    assert_true(date->basis_count * width <= 512);
    memcpy(kept, curve, date->basis_count * width * sizeof *kept);
    for (uint64_t n = 0; n < CURVES; n++) {
        struct random random;
        random_seed(&random, n, 0);
        memset(curve, 0, 2 * width * sizeof *curve); /* no line */
        for (size_t i = 2 * width; i < date->basis_count * width; i++)
            curve[i] = (real)(0.6 * random_normal(&random));
        double beyond[8]; /* bumps that nobody learned, of the first dimension */
        for (size_t b = 0; b < 8; b++)
            beyond[b] = 0.6 * random_normal(&random);
        for (size_t f = 0; f < FAR; f++) {
            real point[MAXIMUM_SLOT_WIDTH];
            double year = slot_last_year(date) + step * ((double)f + 1), error = 0;
            slot_date_point(date, parameters, year, point);
            for (size_t b = 0; b < 8; b++) {
                double gap = (double)(f + 1) - ((double)b + 0.5);
                error += beyond[b] * exp(-0.5 * gap * gap);
            }
            squares[f] += error * error / CURVES;
            said[f] += variance_of(year) / CURVES;
        }
    }
    memcpy(curve, kept, date->basis_count * width * sizeof *kept);
    /* Half a step from the first new bump the curve within would know of it, which these do not. */
    assert_true(said[0] < squares[0]);
    for (size_t f = 1; f < FAR; f++)
        assert_true(said[f] > 0.4 * squares[f] && said[f] < 1.6 * squares[f]);
}

static void test_within(void **state) {
    (void)state;
    struct error error;
    struct handle handle;
    real point[MAXIMUM_SLOT_WIDTH], sigma[MAXIMUM_SLOT_WIDTH];
    assert_int_equal(handle_create(&handle, model, &error), 0);
    slot_spread(date, model_slot_parameters(model), sigma);
    double years[] = {slot_first_year(date), 1850, 1863.5, slot_last_year(date)};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(handle_tell_year(&handle, "date", years[i], &error), 0);
        slot_date_point(date, model_slot_parameters(model), years[i], point);
        assert_memory_equal(handle.mean + date->first, point, date->width * sizeof *point);
        for (size_t d = 0; d < date->width; d++)
            assert_true(handle.precision[date->first + d] == 1 / (sigma[d] * sigma[d]));
        assert_true(handle.is_told[1] && !handle.is_loose[1]);
    }
    assert_string_equal(handle.source[1], "1969"); /* the grid's last year */
    handle_free(&handle);
}

static void test_beyond(void **state) {
    (void)state;
    struct error error;
    struct handle handle, again;
    double last = slot_last_year(date), before = INFINITY;
    assert_int_equal(handle_create(&handle, model, &error), 0);
    for (double far = 1; far < 3000; far *= 3) {
        assert_int_equal(handle_tell_year(&handle, "date", last + far, &error), 0);
        assert_true(!handle.is_told[1] && handle.is_loose[1]);
        double precision = (double)handle.precision[date->first];
        assert_true(precision < before && precision > 1);
        before = precision;
    }
    assert_int_equal(handle_tell_year(&handle, "date", 900000, &error), 0);
    for (size_t d = date->first; d < date->first + date->width; d++)
        assert_true(fabs((double)handle.precision[d] - 1) < 1e-3 &&
                    fabs((double)handle.mean[d]) < 0.1);
    /* A mixture is as loose as what is mixed, and a year within is held again. */
    assert_int_equal(handle_tell_mixture(&handle, "date", "1850:0.5,2300:0.5", &error), 0);
    assert_true(handle.is_loose[1] && !handle.is_told[1]);
    double mixed = (double)handle.precision[date->first];
    assert_int_equal(handle_tell(&handle, "date", "2300", &error), 0);
    assert_true((double)handle.precision[date->first] < mixed);
    assert_non_null(strstr(handle.source[1], "2300, beyond"));
    /* It survives being stored, as what it is. */
    json_t *json = handle_to_json(&handle);
    assert_int_equal(handle_create(&again, model, &error), 0);
    assert_int_equal(handle_from_json(&again, json, &error), 0);
    json_decref(json);
    assert_false(again.is_told[1]);
    assert_true(fabs((double)(again.precision[date->first] - handle.precision[date->first])) <
                1e-4);
    handle_free(&again);
    assert_int_equal(handle_tell_year(&handle, "date", 1900, &error), 0);
    assert_true(handle.is_told[1] && !handle.is_loose[1]);
    handle_free(&handle);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_variance),
                                       cmocka_unit_test(test_honest), cmocka_unit_test(test_within),
                                       cmocka_unit_test(test_beyond)};
    return cmocka_run_group_tests(tests, start, stop);
}
