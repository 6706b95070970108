/* The maps of places: what each place slot has learned of them, and whose documents come from
 * where. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dream/microscope_private.h"
#include "latent/place.h"
#include "math/pca.h"

enum { SITES_MOST = 400, NAMED_MOST = 8 };

/* Documents of one place, and how many of them each label has. */
struct site {
    struct location place;
    size_t documents;
    size_t *by_label; /* [points of the shown slot], borrowed from one block */
};

struct sites {
    struct site *items;
    size_t count, labels;
    size_t *counts;
};

static struct site *find_site(struct sites *sites, struct location place) {
    for (size_t i = 0; i < sites->count; i++)
        if (sites->items[i].place.latitude == place.latitude &&
            sites->items[i].place.longitude == place.longitude)
            return &sites->items[i];
    if (sites->count == SITES_MOST)
        return NULL;
    struct site *site = &sites->items[sites->count];
    *site = (struct site){.place = place, .by_label = sites->counts + sites->count * sites->labels};
    sites->count++;
    return site;
}

static int gather_sites(const struct microscope *m, size_t s, struct sites *sites,
                        struct error *error) {
    const struct dataset *datasets[2] = {&m->training, &m->held_out};
    *sites = (struct sites){.labels = m->slot->point_count};
    sites->items = memory_allocate(SITES_MOST, sizeof *sites->items, error);
    sites->counts = memory_allocate(SITES_MOST * sites->labels, sizeof *sites->counts, error);
    if (sites->items == NULL || sites->counts == NULL)
        return -1;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < datasets[k]->count; i++) {
            const struct dataset_document *d = &datasets[k]->documents[i];
            struct site *site = d->is_given[s] ? find_site(sites, d->place[s]) : NULL;
            if (site == NULL)
                continue;
            site->documents++;
            if (d->is_given[m->own])
                site->by_label[d->target[m->own].index[0]]++;
        }
    return 0;
}

/* The labels with most documents there, and how many more there are. */
static json_t *site_to_json(const struct microscope *m, const struct site *site) {
    json_t *who = json_array();
    size_t others = 0;
    for (size_t n = 0; n < NAMED_MOST; n++) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < m->slot->point_count; i++)
            if (site->by_label[i] > 0 &&
                (best == SIZE_MAX || site->by_label[i] > site->by_label[best]))
                best = i;
        if (best == SIZE_MAX)
            break;
        json_array_append_new(who, microscope_label(m->slot->labels[best]));
        site->by_label[best] = 0;
    }
    for (size_t i = 0; i < m->slot->point_count; i++)
        others += site->by_label[i] > 0;
    return json_pack("{s:f, s:f, s:I, s:o, s:I}", "latitude", site->place.latitude, "longitude",
                     site->place.longitude, "documents", (json_int_t)site->documents, "who", who,
                     "others", (json_int_t)others);
}

static int compare_sites(const void *left, const void *right) {
    const struct site *a = left, *b = right;
    if (a->documents != b->documents)
        return a->documents < b->documents ? 1 : -1;
    double x = a->place.latitude != b->place.latitude ? b->place.latitude - a->place.latitude
                                                      : a->place.longitude - b->place.longitude;
    return (x > 0) - (x < 0);
}

/* How far along its principal component the learned function is at every point of the grid. */
static json_t *field_to_json(const struct microscope *m, size_t s, double *share,
                             struct error *error) {
    const struct slot *slot = &m->model->slots.slots[s];
    size_t count = slot->point_count * slot->width;
    double total = 0, first;
    struct pca pca;
    double *points = memory_allocate(count, sizeof *points, error);
    if (points == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        points[i] = (double)m->states[s].points[i];
    if (pca_fit(&pca, points, slot->point_count, slot->width, error)) {
        memory_free(points);
        return NULL;
    }
    json_t *field = json_array();
    for (size_t i = 0; i < slot->point_count; i++) {
        struct location place = slot_grid_place(slot, i);
        pca_project(&pca, &first, points + i * slot->width, 1);
        json_array_append_new(field, json_pack("{s:f, s:f, s:f}", "latitude", place.latitude,
                                               "longitude", place.longitude, "x", first));
    }
    for (size_t d = 0; d < slot->width; d++)
        total += pca.variances[d];
    *share = total > 0 ? pca.variances[0] / total : 0;
    pca_free(&pca);
    memory_free(points);
    return field;
}

static json_t *coasts_to_json(const struct coastlines *coasts) {
    json_t *list = json_array();
    for (size_t i = 0; coasts != NULL && i < coasts->count; i++) {
        json_t *ring = json_array();
        for (size_t k = 0; k < coasts->rings[i].count; k++) {
            json_array_append_new(ring, json_real(coasts->rings[i].longitudes[k]));
            json_array_append_new(ring, json_real(coasts->rings[i].latitudes[k]));
        }
        json_array_append_new(list, ring);
    }
    return list;
}

static json_t *place_slot(const struct microscope *m, size_t s, struct error *error) {
    const struct slot *slot = &m->model->slots.slots[s];
    struct sites sites;
    double share = 0;
    json_t *json = NULL, *list = json_array();
    json_t *field = gather_sites(m, s, &sites, error) ? NULL : field_to_json(m, s, &share, error);
    if (field != NULL) {
        qsort(sites.items, sites.count, sizeof *sites.items, compare_sites);
        for (size_t i = 0; i < sites.count; i++)
            json_array_append_new(list, site_to_json(m, &sites.items[i]));
        json = json_pack("{s:o, s:f, s:f, s:O, s:o, s:o}", "slot", microscope_label(slot->name),
                         "share", share, "spacing", slot_grid_spacing(slot), "sites", list, "field",
                         field, "coasts", coasts_to_json(m->options->coasts));
        if (json == NULL)
            error_set(error, "out of memory for the map of places");
    }
    json_decref(list);
    memory_free(sites.items);
    memory_free(sites.counts);
    return json;
}

json_t *microscope_places(struct microscope *m, struct error *error) {
    json_t *places = json_array();
    for (size_t s = 0; places != NULL && s < m->model->slots.count; s++) {
        if (m->model->slots.slots[s].kind != LATENT_PLACE)
            continue;
        json_t *place = place_slot(m, s, error);
        if (place == NULL) {
            json_decref(places);
            return NULL;
        }
        json_array_append_new(places, place);
    }
    return places;
}
