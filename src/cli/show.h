/* How commands show beliefs to people. */
#ifndef TRINE_CLI_SHOW_H
#define TRINE_CLI_SHOW_H

#include <stdio.h>

#include "latent/handle.h"

/* The `count` likeliest labels with their probabilities, or a date's median and interval. */
int show_belief(FILE *stream, const struct slot *slot, const double *log_odds, size_t count,
                struct error *error);

/* Every slot: told or not, where its value came from, and the labels it is nearest to. */
int show_handle(FILE *stream, const struct handle *handle, size_t count, struct error *error);

/* {"label": p, ...} of the likeliest labels, or {"median", "low", "high"}. */
json_t *belief_to_json(const struct slot *slot, const double *log_odds, size_t count);

/* order[point_count] <- labels, likeliest first; NULL-free scratch of the caller. */
void belief_order(size_t *order, const double *log_odds, size_t count);

#endif
