/* Authors who never wrote, of planted authors who follow their dates. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "latent/imagine.h"
#include "latent/planted.h"

static struct model *model;
static double years[AUTHORS];
static char directory[] = "/tmp/trine-imagine-XXXXXX", path[128];

static int start(void **state) {
    (void)state;
    model = planted_model(years);
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/model.gguf", directory);
    return 0;
}

static int stop(void **state) {
    (void)state;
    model_destroy(model);
    unlink(path);
    return rmdir(directory);
}

/* The prior of a year (0: of anybody), and what it expects. */
static void expect(struct imagined_prior *prior, struct prior_gaussian *g, const char *year,
                   const char *party) {
    struct error error;
    struct handle handle;
    int is_used[MAXIMUM_SLOTS];
    assert_int_equal(handle_create(&handle, model, &error), 0);
    if (year != NULL)
        assert_int_equal(handle_tell(&handle, "date", year, &error), 0);
    if (party != NULL)
        assert_int_equal(handle_tell(&handle, "party", party, &error), 0);
    imagine_conditions(&handle, is_used);
    assert_int_equal(is_used[0], 0);
    assert_int_equal(is_used[1], year != NULL);
    assert_int_equal(is_used[2], party != NULL);
    assert_int_equal(imagine_fit(prior, model, is_used, -1, NULL, &error), 0);
    assert_int_equal(imagine_predict(g, prior, &handle, &error), 0);
    handle_free(&handle);
}

static void forget(struct imagined_prior *prior, struct prior_gaussian *g) {
    prior_gaussian_free(g);
    imagine_free(prior);
}

static void test_follows_date(void **state) {
    (void)state;
    struct imagined_prior prior, anybody;
    struct prior_gaussian g, of_anybody, beyond, far;
    expect(&anybody, &of_anybody, NULL, NULL);
    expect(&prior, &g, "1870", NULL);
    assert_int_equal(prior.prior.count, AUTHORS);
    for (size_t d = 0; d < AUTHOR_WIDTH; d++)
        assert_true(fabs(g.mean[d] - cos(70 / 50.0 + (double)d)) < 0.35);
    assert_true(prior_entropy(&g) < prior_entropy(&of_anybody) - 1);
    forget(&prior, &g);
    /* Beyond the years it widens, and far beyond nothing is left of the date. */
    expect(&prior, &beyond, "2010", NULL);
    double width = prior_entropy(&beyond);
    forget(&prior, &beyond);
    expect(&prior, &far, "5000", NULL);
    assert_true(width < prior_entropy(&far) && width > prior_entropy(&of_anybody) - 3);
    assert_true(fabs(prior_entropy(&far) - prior_entropy(&of_anybody)) < 3);
    double from_anybody = 0;
    for (size_t d = 0; d < AUTHOR_WIDTH; d++)
        from_anybody += fabs(far.mean[d] - of_anybody.mean[d]) / AUTHOR_WIDTH;
    assert_true(from_anybody < 0.35);
    forget(&prior, &far);
    forget(&anybody, &of_anybody);
}

/* Authors without a condition are not asked about it. */
static void test_missing(void **state) {
    (void)state;
    struct error error;
    struct imagined_prior prior;
    struct prior_gaussian g;
    expect(&prior, &g, "1870", "left");
    assert_int_equal(prior.input_count, 2);
    assert_int_equal(prior.prior.count, AUTHORS - 1);
    for (size_t i = 0; i < prior.prior.count; i++)
        assert_int_not_equal(prior.labels[i], 3);
    forget(&prior, &g);
    assert_int_equal(imagine_fit(&prior, model, NULL, 5, NULL, &error), 0);
    assert_int_equal(prior.prior.count, AUTHORS - 1);
    for (size_t i = 0; i < prior.prior.count; i++)
        assert_int_not_equal(prior.labels[i], 5);
    imagine_free(&prior);
}

static void test_draws(void **state) {
    (void)state;
    struct error error;
    struct imagined_prior prior;
    struct prior_gaussian g;
    struct imagined one, two, other, middle;
    expect(&prior, &g, "1870", NULL);
    imagine_draw(&one, &prior, &g, 7, 0);
    imagine_draw(&two, &prior, &g, 7, 0);
    imagine_draw(&other, &prior, &g, 7, 1);
    assert_memory_equal(&one, &two, sizeof one);
    assert_true(one.point[0] != other.point[0]);
    assert_int_equal(one.neighbour_count, IMAGINED_NEIGHBOURS);
    const real *table = model_slot_parameters(model) + prior.slot->parameters + AUTHOR_WIDTH;
    for (size_t k = 0; k < IMAGINED_NEIGHBOURS; k++) {
        double sum = 0;
        size_t nearer = 0;
        for (size_t i = 0; i < AUTHORS; i++) {
            double far = 0;
            for (size_t d = 0; d < AUTHOR_WIDTH; d++)
                far += pow((double)table[i * AUTHOR_WIDTH + d] - one.point[d], 2);
            sum = i == one.neighbours[k] ? sqrt(far) : sum;
            nearer += sqrt(far) < one.distances[k] - 1e-9;
        }
        assert_true(fabs(sum - one.distances[k]) < 1e-9);
        assert_int_equal(nearer, k);
    }
    imagine_middle(&middle, &prior, &g);
    assert_true(middle.nearer == 0 && one.nearer >= 0 && one.nearer <= 1);
    /* Its neighbours are of the time that was asked for. */
    for (size_t k = 0; k < 3; k++)
        assert_true(fabs(years[middle.neighbours[k]] - 1870) < 40);
    /* Told, it is what the writer gets; with a stored handle, too. */
    struct handle handle, same;
    assert_int_equal(handle_create(&handle, model, &error), 0);
    assert_int_equal(handle_tell(&handle, "date", "1870", &error), 0);
    assert_int_equal(imagine_author(&handle, 7, &two, &error), 0);
    assert_memory_equal(one.point, two.point, sizeof one.point);
    assert_true(handle.is_told[0] && handle.is_told[1]);
    for (size_t d = 0; d < AUTHOR_WIDTH; d++)
        assert_true(handle.mean[d] == (real)one.point[d]);
    assert_non_null(strstr(handle.source[0], "seed 7"));
    assert_int_equal(handle_save(&handle, path, &error), 0);
    assert_int_equal(handle_create(&same, model, &error), 0);
    assert_int_equal(handle_load(&same, path, &error), 0);
    for (size_t d = 0; d < AUTHOR_WIDTH; d++)
        assert_true(fabs((double)(same.mean[d] - handle.mean[d])) < 1e-5);
    handle_free(&same);
    handle_free(&handle);
    forget(&prior, &g);
}

static void set_conditions(float *at, float value) {
    struct error error;
    float kept = *at;
    *at = value;
    assert_int_equal(model_save(model, path, &error), 0);
    *at = kept;
}

static void test_file(void **state) {
    (void)state;
    struct error error;
    struct model *again;
    struct conditions *kept = model->conditions;
    size_t width = model->config.latent_width;
    assert_int_equal(model_save(model, path, &error), 0);
    assert_int_equal(model_load(&again, path, PRECISION_REAL, &error), 0);
    assert_memory_equal(again->conditions->means, kept->means, AUTHORS * width * sizeof(float));
    assert_memory_equal(again->conditions->documents, kept->documents, AUTHORS * 3 * sizeof(float));
    model_destroy(again);
    set_conditions(kept->means + 9, NAN);
    assert_int_equal(model_load(&again, path, PRECISION_REAL, &error), -1);
    assert_non_null(strstr(error.message, "conditions.mean"));
    set_conditions(kept->means + 9, 1e30f);
    assert_int_equal(model_load(&again, path, PRECISION_REAL, &error), -1);
    set_conditions(kept->documents + 4, -1);
    assert_int_equal(model_load(&again, path, PRECISION_REAL, &error), -1);
    assert_non_null(strstr(error.message, "conditions.documents"));
    /* A file without them is an old one: what to do is said. */
    struct imagined_prior prior;
    model->conditions = NULL;
    assert_int_equal(model_save(model, path, &error), 0);
    model->conditions = kept;
    assert_int_equal(model_load(&again, path, PRECISION_REAL, &error), 0);
    assert_null(again->conditions);
    assert_int_equal(imagine_fit(&prior, again, NULL, -1, NULL, &error), -1);
    assert_non_null(strstr(error.message, "--keep"));
    model_destroy(again);
    /* Conditions of a slot without labels. */
    struct gguf_writer *writer;
    assert_int_equal(gguf_writer_create(&writer, &error), 0);
    assert_int_equal(gguf_writer_add_u32(writer, "trine.conditions.slot", 1, &error), 0);
    assert_int_equal(gguf_writer_commit(writer, path, &error), 0);
    gguf_writer_destroy(writer);
    struct gguf *file;
    assert_int_equal(gguf_open(&file, path, &error), 0);
    assert_int_equal(conditions_load(model, file, &error), -1);
    assert_non_null(strstr(error.message, "no slot with labels"));
    gguf_close(file);
}

static void test_few(void **state) {
    (void)state;
    struct error error;
    struct imagined_prior prior;
    float kept[AUTHORS * 3];
    memcpy(kept, model->conditions->documents, sizeof kept);
    for (size_t i = 2; i < AUTHORS; i++)
        model->conditions->documents[i * 3 + 1] = 0;
    int is_used[MAXIMUM_SLOTS] = {0, 1};
    assert_int_equal(imagine_fit(&prior, model, is_used, -1, NULL, &error), -1);
    assert_non_null(strstr(error.message, "2 labels of slot author have documents with date"));
    memcpy(model->conditions->documents, kept, sizeof kept);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_follows_date),
                                       cmocka_unit_test(test_missing), cmocka_unit_test(test_draws),
                                       cmocka_unit_test(test_file), cmocka_unit_test(test_few)};
    return cmocka_run_group_tests(tests, start, stop);
}
