#include "dream/place_belief.h"

#include <math.h>
#include <stdlib.h>

enum { MEDIAN_STEPS = 40 };
static const double LEAST_GUESS = 1e-3, HEAP_SPACINGS = 1.5;

static double chord(const double a[3], const double b[3]) {
    double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return sqrt(x * x + y * y + z * z);
}

static double arc_of_chord(double length) {
    return 2 * asin(fmin(1, length / 2));
}

/* centre <- the mean of the grid under weights p / max(distance to the centre, floor); on the
 * sphere. One step of Weiszfeld's towards the median. */
static void move_centre(double centre[3], const struct slot *slot, const double *probabilities,
                        double floor, int is_first) {
    double sum[3] = {0};
    for (size_t i = 0; i < slot->point_count; i++) {
        const double *point = slot->grid + 3 * i;
        double weight = probabilities[i] / (is_first ? 1 : fmax(chord(point, centre), floor));
        for (int d = 0; d < 3; d++)
            sum[d] += weight * point[d];
    }
    double length = sqrt(sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2]);
    for (int d = 0; d < 3 && length > 0; d++)
        centre[d] = sum[d] / length;
}

struct distance {
    double arc, probability;
};

static int compare_distances(const void *a, const void *b) {
    double x = ((const struct distance *)a)->arc, y = ((const struct distance *)b)->arc;
    return (x > y) - (x < y);
}

struct place_summary place_summarise(const struct slot *slot, const double *log_odds) {
    struct distance distances[PLACE_POINTS];
    double probabilities[PLACE_POINTS];
    double centre[3] = {1, 0, 0}, spacing = cap_spacing(&slot->cap, slot->point_count);
    for (size_t i = 0; i < PLACE_POINTS; i++)
        probabilities[i] = exp(log_odds[i]);
    for (int step = 0; step <= MEDIAN_STEPS; step++)
        move_centre(centre, slot, probabilities, spacing / 2, step == 0);
    for (size_t i = 0; i < PLACE_POINTS; i++)
        distances[i] =
            (struct distance){arc_of_chord(chord(slot->grid + 3 * i, centre)), probabilities[i]};
    qsort(distances, PLACE_POINTS, sizeof *distances, compare_distances);
    double arcs[2] = {M_PI, M_PI}, sum = 0;
    static const double SHARES[2] = {0.5, 0.9};
    for (size_t i = 0; i < PLACE_POINTS; i++) {
        sum += distances[i].probability;
        for (int k = 0; k < 2; k++)
            if (sum >= SHARES[k] && arcs[k] == M_PI)
                arcs[k] = fmax(distances[i].arc, spacing / 2);
    }
    return (struct place_summary){location_from_vector(centre), EARTH_RADIUS * arcs[0],
                                  EARTH_RADIUS * arcs[1]};
}

/* Takes the points around the likeliest one that is left. */
static struct place_guess take_heap(const struct slot *slot, const double *log_odds, int *is_taken,
                                    double reach) {
    struct place_guess guess = {.kilometres = EARTH_RADIUS * arc_of_chord(reach)};
    size_t best = PLACE_POINTS;
    double mean[3] = {0};
    for (size_t i = 0; i < PLACE_POINTS; i++)
        if (!is_taken[i] && (best == PLACE_POINTS || log_odds[i] > log_odds[best]))
            best = i;
    for (size_t i = 0; best < PLACE_POINTS && i < PLACE_POINTS; i++) {
        const double *point = slot->grid + 3 * i;
        if (is_taken[i] || chord(point, slot->grid + 3 * best) > reach)
            continue;
        is_taken[i] = 1;
        double p = exp(log_odds[i]);
        guess.probability += p;
        for (int d = 0; d < 3; d++)
            mean[d] += p * point[d];
    }
    guess.place = location_from_vector(mean);
    return guess;
}

static int compare_guesses(const void *a, const void *b) {
    double x = ((const struct place_guess *)a)->probability;
    double y = ((const struct place_guess *)b)->probability;
    return (x < y) - (x > y);
}

size_t place_guesses(struct place_guess *guesses, size_t most, const struct slot *slot,
                     const double *log_odds) {
    int is_taken[PLACE_POINTS] = {0};
    double reach = HEAP_SPACINGS * cap_spacing(&slot->cap, slot->point_count);
    size_t count = 0;
    while (count < most) {
        struct place_guess guess = take_heap(slot, log_odds, is_taken, reach);
        if (count > 0 && guess.probability < LEAST_GUESS)
            break;
        guesses[count++] = guess;
    }
    qsort(guesses, count, sizeof *guesses, compare_guesses);
    return count;
}
