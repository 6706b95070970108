/* A handle as requests give it: {"author", "date", "tell", "mix", "vector", "like", "shift",
 * "handle"}, all optional. Texts in it are contents, never names of files. */
#ifndef TRINE_SERVE_REQUEST_HANDLE_H
#define TRINE_SERVE_REQUEST_HANDLE_H

#include "serve/problem.h"
#include "serve/resident.h"

/* handle <- the prior, then what `json` (NULL: nothing) asks for: a stored handle, what the reader
 * makes of the text "like", then author, mix and vector, date, tell, shift. Free it with
 * handle_free; after a failure there is nothing to free. */
int request_handle(struct handle *handle, const struct resident_model *model, const json_t *json,
                   struct problem *problem);

#endif
