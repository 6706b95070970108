/* Files that belong to one good author: a space of values, a profile, odds. What is read of them
 * must hold what it promises: no wish leaves the radius or touches what is protected. The seeds
 * are valid files, written to the directory that FUZZ_VALUES names. */
#include <math.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "good/odds.h"
#include "good/profile.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct layer *author;
static struct values_space own; /* that profiles are read for */

static int save_seeds(const char *directory, struct error *error) {
    const struct odds_evidence evidence[] = {{1, -0.5}, {-1, -2}, {0, -1}};
    const uint8_t is_right[] = {1, 0, 1};
    struct profile profile;
    struct odds odds;
    char path[4096];
    if (odds_fit(&odds, author, evidence, is_right, 3, error) ||
        profile_create(&profile, &own, "seed", error))
        return -1;
    profile.offset[0] = (real)0.5;
    snprintf(path, sizeof path, "%s/profile.json", directory);
    int result = profile_save(&profile, &own, path, error);
    profile_free(&profile);
    snprintf(path, sizeof path, "%s/odds.json", directory);
    result = result || odds_save(&odds, path, error);
    snprintf(path, sizeof path, "%s/space.json", directory);
    return result || values_space_save(&own, path, error) ? -1 : 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    struct error error = {"FUZZ_MODEL names no model, or FUZZ_VALUES no directory"};
    const char *path = getenv("FUZZ_MODEL"), *seeds = getenv("FUZZ_VALUES");
    const struct overlay_config overlay = {.rank = 2, .first = 1, .targets = 15, .scale = 2};
    struct model *model;
    (void)argc;
    (void)argv;
    if (path == NULL || seeds == NULL || model_load(&model, path, PRECISION_REAL, &error) ||
        layer_create(&author, model, "good", "seed", &overlay, 1, &error) ||
        values_space_create(&own, author, 1.5, &error)) {
        fprintf(stderr, "values_fuzz: %s\n", error.message);
        exit(1);
    }
    own.protected[0] = 1;
    own.protected_count = 1;
    if (save_seeds(seeds, &error) == 0)
        return 0;
    fprintf(stderr, "values_fuzz: %s\n", error.message);
    exit(1);
}

static void check_grant(const struct values_space *space) {
    enum { MOST_WIDTH = 4096 };
    real wish[MOST_WIDTH], offset[MOST_WIDTH];
    struct values_grant grant;
    double length = 0;
    for (size_t d = 0; d < space->width; d++)
        wish[d] = (real)(d % 3 == 0 ? 2 : -1);
    values_grant(space, wish, offset, &grant);
    for (size_t d = 0; d < space->width; d++)
        length += (double)offset[d] * (double)offset[d];
    if (!(sqrt(length) <= space->radius * 1.001 + 1e-6))
        abort();
    for (size_t i = 0; i < space->protected_count; i++) {
        double along = 0;
        for (size_t d = 0; d < space->width; d++)
            along += (double)offset[d] * (double)space->protected[i * space->width + d];
        if (!(fabs(along) < 0.01 * (1 + grant.asked)))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct values_space space;
    struct profile profile;
    struct odds odds;
    struct error error;
    char path[64];
    int descriptor = fuzz_file(path, data, size);
    if (descriptor < 0)
        return 0;
    if (values_space_load(&space, author, path, &error) == 0) {
        check_grant(&space);
        values_space_free(&space);
    }
    if (profile_load(&profile, &own, path, &error) == 0)
        profile_free(&profile);
    if (odds_load(&odds, author, path, &error) == 0) {
        double p = odds_probability(&odds, &(struct odds_evidence){0.5, -1});
        if (!(p >= 0 && p <= 1))
            abort();
    }
    close(descriptor);
    return 0;
}
