#include "cli/place_map.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dream/place_belief.h"
#include "text/coastlines.h"

enum { COLUMNS = 240, MOST_ROWS = 240, CIRCLE_STEPS = 96, MOST_POINTS = 16, LABEL_BYTES = 160 };

/* Of the likeliest point's odds what is still shown; of the cap's radius what is around it. */
static const double SHOWN = 1e-3, MARGIN = 0.15;

/* All of a map but its coasts. */
struct drawing {
    struct chart_map map;
    double *shares;
    double longitudes[2][CIRCLE_STEPS], latitudes[2][CIRCLE_STEPS];
    struct chart_map_line circles[2];
    struct chart_point points[MOST_POINTS];
    char labels[MOST_POINTS][LABEL_BYTES], title[256];
};

/* Half of the longitudes that the cap reaches: all, if it holds a pole. */
static double half_width(const struct cap *cap) {
    double sine = sin(fmin(cap->radius, 90) * M_PI / 180);
    double cosine = cos(cap->centre.latitude * M_PI / 180);
    int is_around = fabs(cap->centre.latitude) + cap->radius >= 90 || sine >= cosine;
    return is_around ? 180 : asin(sine / cosine) * 180 / M_PI;
}

/* low..high <- widened around its middle to `least`, then moved and cut to within..without. */
static void settle(double *low, double *high, double least, double within, double without) {
    double lacks = fmax(0, least - (*high - *low)) / 2;
    *low = fmax(within, *low - lacks);
    *high = fmin(without, *high + lacks);
}

/* Where nearly all of the belief is, with a margin and at least half of the cap for its
 * surroundings' sake, and nothing outside the cap. */
static void set_window(struct chart_map *map, const struct slot *slot, const double *log_odds) {
    const struct cap *cap = &slot->cap;
    double highest = -INFINITY, half = half_width(cap), middle = cap->centre.longitude;
    double margin = cap->radius * MARGIN,
           narrow = fmax(0.3, cos(cap->centre.latitude * M_PI / 180));
    for (size_t i = 0; i < slot->point_count; i++)
        highest = fmax(highest, log_odds[i]);
    *map = (struct chart_map){.west = 1e3, .east = -1e3, .south = 1e3, .north = -1e3};
    for (size_t i = 0; i < slot->point_count; i++) {
        struct location at = slot_grid_place(slot, i);
        double longitude = middle + remainder(at.longitude - middle, 360);
        if (log_odds[i] < highest + log(SHOWN))
            continue;
        map->west = fmin(map->west, longitude - margin / narrow);
        map->east = fmax(map->east, longitude + margin / narrow);
        map->south = fmin(map->south, at.latitude - margin);
        map->north = fmax(map->north, at.latitude + margin);
    }
    settle(&map->west, &map->east, cap->radius / narrow, middle - half, middle + half);
    settle(&map->south, &map->north, cap->radius, fmax(-90, cap->centre.latitude - cap->radius),
           fmin(90, cap->centre.latitude + cap->radius));
}

static double density_at(const struct slot *slot, const double *log_odds, struct location place) {
    struct slot_target target = slot_place_target(slot, place);
    double sum = 0;
    if (target.weight[0] == 1) /* off the grid */
        return NAN;
    for (size_t k = 0; k < TARGET_POINTS; k++)
        sum += target.weight[k] * exp(log_odds[target.index[k]]);
    return sum;
}

/* Shares of the densest cell; their roots, which show more of what is unlikely. */
static int fill_shares(struct drawing *d, const struct slot *slot, const double *log_odds,
                       struct error *error) {
    struct chart_map *map = &d->map;
    double high = map->north - map->south, wide = map->east - map->west, most = 0;
    map->columns = COLUMNS;
    map->rows = (size_t)fmin(MOST_ROWS, fmax(16, COLUMNS * high / wide));
    size_t count = map->rows * map->columns;
    d->shares = memory_allocate(count, sizeof *d->shares, error);
    if (d->shares == NULL)
        return -1;
#pragma omp parallel for schedule(static) reduction(max : most)
    for (size_t i = 0; i < count; i++) {
        double latitude = map->north - high * ((double)(i / COLUMNS) + 0.5) / (double)map->rows;
        double longitude = map->west + wide * ((double)(i % COLUMNS) + 0.5) / COLUMNS;
        d->shares[i] = density_at(slot, log_odds, (struct location){latitude, longitude});
        most = d->shares[i] > most ? d->shares[i] : most;
    }
    for (size_t i = 0; i < count; i++)
        d->shares[i] = sqrt(d->shares[i] / most);
    map->shares = d->shares;
    return 0;
}

/* All places so far from the middle: by azimuths. */
static void add_circle(struct drawing *d, struct location middle, double kilometres) {
    size_t c = d->map.circle_count++;
    double arc = kilometres / EARTH_RADIUS, latitude = middle.latitude * M_PI / 180;
    for (size_t i = 0; i < CIRCLE_STEPS; i++) {
        double azimuth = 2 * M_PI * (double)i / CIRCLE_STEPS;
        double sine = sin(latitude) * cos(arc) + cos(latitude) * sin(arc) * cos(azimuth);
        double east =
            atan2(sin(azimuth) * sin(arc) * cos(latitude), cos(arc) - sin(latitude) * sine);
        d->latitudes[c][i] = asin(fmax(-1, fmin(1, sine))) * 180 / M_PI;
        d->longitudes[c][i] = middle.longitude + east * 180 / M_PI;
    }
    d->circles[c] = (struct chart_map_line){d->longitudes[c], d->latitudes[c], CIRCLE_STEPS};
}

static void add_points(struct drawing *d, const struct slot *slot, const double *log_odds,
                       size_t count, const struct gazetteer *gazetteer) {
    struct place_guess guesses[MOST_POINTS];
    count = place_guesses(guesses, count < MOST_POINTS ? count : MOST_POINTS, slot, log_odds);
    for (size_t i = 0; i < count; i++) {
        const struct place_guess *guess = &guesses[i];
        struct location at = guess->place;
        const struct gazetteer_entry *near =
            gazetteer == NULL ? NULL : gazetteer_near(gazetteer, at, guess->kilometres / 2);
        if (near != NULL)
            snprintf(d->labels[i], LABEL_BYTES, "near %s, %s  %.0f %%", near->name, near->country,
                     100 * guess->probability);
        else
            snprintf(d->labels[i], LABEL_BYTES, "%.0f %%", 100 * guess->probability);
        d->points[i] = (struct chart_point){at.longitude, at.latitude, NAN, d->labels[i]};
    }
    while (count > 1 && guesses[count - 1].probability < 0.005) /* would be shown as 0 % */
        count--;
    d->map.point_count = count;
    d->map.points = d->points;
}

int place_map_write(const char *path, const struct slot *slot, const double *log_odds, size_t count,
                    const struct gazetteer *gazetteer, const char *gazetteer_path,
                    struct error *error) {
    struct coastlines coasts;
    struct drawing *d = memory_allocate(1, sizeof *d, error);
    if (d == NULL)
        return -1;
    int result = coastlines_read_beside(&coasts, gazetteer_path, error);
    set_window(&d->map, slot, log_odds);
    if (result == 0 && fill_shares(d, slot, log_odds, error) == 0) {
        struct place_summary summary = place_summarise(slot, log_odds);
        add_circle(d, summary.middle, summary.radius_50);
        add_circle(d, summary.middle, summary.radius_90);
        add_points(d, slot, log_odds, count, gazetteer);
        snprintf(d->title, sizeof d->title,
                 "%s: half of the belief within %.0f km, 90 %% within %.0f km", slot->name,
                 summary.radius_50, summary.radius_90);
        d->map.title = d->title;
        d->map.circles = d->circles;
        d->map.coasts = coasts.rings;
        d->map.coast_count = coasts.count;
        result = chart_map_write(path, &d->map, error);
    } else {
        result = -1;
    }
    coastlines_free(&coasts);
    memory_free(d->shares);
    memory_free(d);
    return result;
}
