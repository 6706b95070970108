/* What the odds over a place slot's grid amount to, as numbers for people. */
#ifndef TRINE_DREAM_PLACE_BELIEF_H
#define TRINE_DREAM_PLACE_BELIEF_H

#include "latent/place.h"

/* The middle is the place from which the expected distance is least: what a median is to dates.
 * The radii, in kilometres, are of the circles around it that hold 50 % and 90 % of the belief, and
 * at least half the grid's spacing. */
struct place_summary {
    struct location middle;
    double radius_50, radius_90;
};

struct place_summary place_summarise(const struct slot *slot, const double *log_odds);

/* A heap of belief: how much of it lies within so many kilometres of the likeliest point that no
 * likelier heap has, and the mean place of what does. */
struct place_guess {
    struct location place;
    double probability, kilometres;
};

/* guesses[most] <- the heaps, the heaviest first, but not those of less than one in a thousand
 * unless it is the only one. Returns how many. */
size_t place_guesses(struct place_guess *guesses, size_t most, const struct slot *slot,
                     const double *log_odds);

#endif
