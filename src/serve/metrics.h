/* What a server counts, as Prometheus reads it (text format 0.0.4).
 *
 * Counting is a few atomic additions, by any thread at any time; nobody waits for anybody. Label
 * values come from here and from the routes given at the start, never from a client. */
#ifndef TRINE_SERVE_METRICS_H
#define TRINE_SERVE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metrics_layer { METRICS_DREAM, METRICS_TRUTH, METRICS_GOOD, METRICS_LAYERS };

struct metrics;

/* The names of the routes are copied. Requests of any other are counted under "other". */
int metrics_create(struct metrics **out, const char *const *routes, size_t count,
                   struct error *error);
void metrics_destroy(struct metrics *metrics); /* NULL is fine */

/* A request was answered: its HTTP status, and the seconds from its headers to the end of its
 * reply. A status outside 100..599 counts as 500. */
void metrics_count_request(struct metrics *metrics, const char *route, int status, double seconds);

/* Tokens that a layer read (prompts) and wrote. */
void metrics_count_tokens(struct metrics *metrics, enum metrics_layer layer, uint64_t read,
                          uint64_t written);

/* Seconds from a request to the first token, or sentence, that was written for it. */
void metrics_count_first_token(struct metrics *metrics, enum metrics_layer layer, double seconds);

/* What others know at the moment (http_count of serve/http.h). */
struct metrics_state {
    uint64_t refused_full; /* requests, so far */
    uint64_t dropped_slow, dropped_gone;
    size_t running, waiting; /* jobs */
    size_t connections;
};

/* *text <- all of it, which the caller frees with free(). */
int metrics_render(const struct metrics *metrics, const struct metrics_state *state, char **text,
                   size_t *bytes, struct error *error);

#endif
