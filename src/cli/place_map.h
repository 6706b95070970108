/* A belief about a place, drawn as a map. */
#ifndef TRINE_CLI_PLACE_MAP_H
#define TRINE_CLI_PLACE_MAP_H

#include "latent/slots.h"
#include "text/gazetteer.h"

/* Draws the odds over a place slot's grid, the circles that hold half and 90 % of them, and the
 * likeliest `count` places, named if there is a gazetteer (or NULL); coasts are drawn from
 * "coastlines.txt" beside the gazetteer's file, if it is there (or NULL). */
int place_map_write(const char *path, const struct slot *slot, const double *log_odds, size_t count,
                    const struct gazetteer *gazetteer, const char *gazetteer_path,
                    struct error *error);

#endif
