/* What a reader believes, as JSON. */
#ifndef TRINE_SERVE_BELIEFS_H
#define TRINE_SERVE_BELIEFS_H

#include <jansson.h>

#include "serve/resident.h"

/* Of one slot after so many tokens, by the running handle [Z]: a date's {"median", "low", "high"}
 * (central 90 %), a place's {"latitude", "longitude", "kilometres_50", "kilometres_90", "places":
 * [{"latitude", "longitude", "kilometres", "probability"}]} (dream/place_belief.h), or the
 * likeliest `top` labels [{"label", "probability"}]; *entropy (may be NULL) in nats. NULL: out of
 * memory. */
json_t *slot_belief_to_json(const struct resident_model *model, size_t slot, const real *mean,
                            const real *precision, size_t tokens, size_t top, double *entropy);

#endif
