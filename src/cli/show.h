/* How commands show beliefs to people. */
#ifndef TRINE_CLI_SHOW_H
#define TRINE_CLI_SHOW_H

#include <stdio.h>

#include "latent/imagine.h"
#include "text/gazetteer.h"

/* The `count` likeliest labels with their probabilities, a date's median and interval, or a place's
 * middle, the circles around it, and the likeliest places: by name if there is a gazetteer (or
 * NULL). */
int show_belief(FILE *stream, const struct slot *slot, const double *log_odds, size_t count,
                const struct gazetteer *gazetteer, struct error *error);

/* Every slot: told or not, where its value came from, and the labels it is nearest to. */
int show_handle(FILE *stream, const struct handle *handle, size_t count, struct error *error);

/* "Ann 1.23, Bob 1.40 (two authors lie 2.05 apart)": distances of the vectors. */
void show_neighbours(FILE *stream, const struct slot *slot, const struct imagined *imagined);

/* A line for each slot that is told loosely: what it knows, and how little that leaves. */
void show_loose(FILE *stream, const struct handle *handle);

/* [{"label", "probability"}] of the likeliest labels, {"median", "low", "high"} of a date, or of a
 * place {"latitude", "longitude", "kilometres_50", "kilometres_90", "places": [{"latitude",
 * "longitude", "kilometres", "probability", "name"}]}. */
json_t *belief_to_json(const struct slot *slot, const double *log_odds, size_t count,
                       const struct gazetteer *gazetteer);

/* order[point_count] <- labels, likeliest first; NULL-free scratch of the caller. */
void belief_order(size_t *order, const double *log_odds, size_t count);

#endif
