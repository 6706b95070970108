/* How often each key may ask: a bucket of tokens for each (Turner 1986).
 *
 * A bucket holds max(1, rate / 6) requests, ten seconds' worth, and is filled at `rate` a minute: a
 * page that asks several things at once is served, and nobody gets more than rate + rate / 6 in any
 * minute. In memory only; after a restart all buckets are full.
 *
 * At most KEY_RATES_LIMIT buckets are kept. When there are more keys than that, the bucket that was
 * asked least recently is forgotten, and would be full when its key comes again.
 *
 * All functions may be called by any thread. */
#ifndef TRINE_SERVE_KEY_RATES_H
#define TRINE_SERVE_KEY_RATES_H

#include "base/error.h"

enum { KEY_RATES_LIMIT = 4096 };

struct key_rates;

int key_rates_create(struct key_rates **out, struct error *error);
void key_rates_destroy(struct key_rates *rates); /* NULL is fine */

/* 1: granted. 0: refused, and *retry_after is the seconds until one request would be granted.
 * `id` has fewer than KEY_ID bytes (serve/keys.h); `rate` is requests a minute, 0 for no limit.
 * `now` is in seconds of any clock that does not go back; one that does fills nothing. */
int key_rates_take(struct key_rates *rates, const char *id, double rate, double now,
                   double *retry_after);

/* Seconds of the clock that servers use. */
double key_rates_clock(void);

#endif
