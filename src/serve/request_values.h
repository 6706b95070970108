/* Wishes about the good author, as requests give them: {"warm-cool": 0.5, ...}. */
#ifndef TRINE_SERVE_REQUEST_VALUES_H
#define TRINE_SERVE_REQUEST_VALUES_H

#include "serve/problem.h"
#include "serve/resident.h"

/* offset[Z] <- what is granted of the wish (NULL: none is made), and *grant what became of it. The
 * model must have a good author; one without a space of values refuses. */
int request_values(const struct resident_model *model, const json_t *wish, real *offset,
                   struct values_grant *grant, struct problem *problem);

/* {"honoured", "projected", "shortened"} */
json_t *values_grant_to_json(const struct values_grant *grant);

#endif
