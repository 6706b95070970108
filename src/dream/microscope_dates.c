/* The curves of dates: each date slot's points along their two principal components, and how fast
 * they move. */
#include <math.h>

#include "base/memory.h"
#include "dream/microscope_private.h"
#include "math/pca.h"

enum { CURVE_POINTS = 241 };

/* |dx/dt| in the slot's spreads a decade, by the difference over half a year to both sides. */
static double speed_at(const struct microscope *m, const struct slot *slot, const real *sigma,
                       double year) {
    const real *parameters = model_slot_parameters(m->model);
    real before[MAXIMUM_SLOT_WIDTH], after[MAXIMUM_SLOT_WIDTH];
    double sum = 0;
    slot_date_point(slot, parameters, year - 0.5, before);
    slot_date_point(slot, parameters, year + 0.5, after);
    for (size_t d = 0; d < slot->width; d++) {
        double step = ((double)after[d] - (double)before[d]) / (double)sigma[d];
        sum += step * step;
    }
    return 10 * sqrt(sum);
}

/* The first and last year of a document, of both splits. */
static int year_range(const struct microscope *m, size_t s, double *first, double *last) {
    const struct dataset *datasets[2] = {&m->training, &m->held_out};
    *first = INFINITY;
    *last = -INFINITY;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < datasets[k]->count; i++)
            if (datasets[k]->documents[i].is_given[s]) {
                *first = fmin(*first, datasets[k]->documents[i].year[s]);
                *last = fmax(*last, datasets[k]->documents[i].year[s]);
            }
    return *first <= *last;
}

static void project(const struct microscope *m, const struct slot *slot, const struct pca *pca,
                    double year, double coordinates[2]) {
    real point[MAXIMUM_SLOT_WIDTH];
    double wide[MAXIMUM_SLOT_WIDTH];
    slot_date_point(slot, model_slot_parameters(m->model), year, point);
    for (size_t d = 0; d < slot->width; d++)
        wide[d] = (double)point[d];
    coordinates[1] = 0;
    pca_project(pca, coordinates, wide, slot->width < 2 ? slot->width : 2);
}

static json_t *curve_to_json(const struct microscope *m, size_t s, const struct pca *pca) {
    const struct slot *slot = &m->model->slots.slots[s];
    double range = slot->year_step * (double)(slot->point_count - 1), first, last, total = 0;
    json_t *points = json_array();
    for (size_t i = 0; i < CURVE_POINTS; i++) {
        double year = slot->year_from + range * (double)i / (CURVE_POINTS - 1), at[2];
        project(m, slot, pca, year, at);
        json_array_append_new(points, json_pack("{s:f, s:f, s:f, s:f}", "year", year, "x", at[0],
                                                "y", at[1], "speed",
                                                speed_at(m, slot, m->states[s].sigma, year)));
    }
    for (size_t d = 0; d < slot->width; d++)
        total += pca->variances[d];
    total = total > 0 ? total : 1;
    json_t *json = json_pack("{s:o, s:o, s:f, s:f, s:f}", "slot", microscope_label(slot->name),
                             "points", points, "share_across", pca->variances[0] / total,
                             "share_up", slot->width > 1 ? pca->variances[1] / total : 0.0,
                             "bump_years", range / (double)(slot->basis_count - 2));
    if (json != NULL && year_range(m, s, &first, &last)) {
        json_object_set_new(json, "first", json_real(first));
        json_object_set_new(json, "last", json_real(last));
    }
    return json;
}

static json_t *date_slot(const struct microscope *m, size_t s, struct error *error) {
    const struct slot *slot = &m->model->slots.slots[s];
    size_t count = slot->point_count * slot->width;
    struct pca pca;
    double *points = memory_allocate(count, sizeof *points, error);
    if (points == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        points[i] = (double)m->states[s].points[i];
    int result = pca_fit(&pca, points, slot->point_count, slot->width, error);
    memory_free(points);
    if (result != 0)
        return NULL;
    json_t *json = curve_to_json(m, s, &pca);
    pca_free(&pca);
    if (json == NULL)
        error_set(error, "out of memory for the curve of dates");
    return json;
}

json_t *microscope_dates(struct microscope *m, struct error *error) {
    json_t *dates = json_array();
    for (size_t s = 0; dates != NULL && s < m->model->slots.count; s++) {
        const struct slot *slot = &m->model->slots.slots[s];
        if (slot->kind != LATENT_DATE || slot->point_count < 2)
            continue;
        json_t *curve = date_slot(m, s, error);
        if (curve == NULL) {
            json_decref(dates);
            return NULL;
        }
        json_array_append_new(dates, curve);
    }
    return dates;
}
