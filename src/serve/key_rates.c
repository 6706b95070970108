#include "serve/key_rates.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "serve/keys.h"

struct bucket {
    char id[KEY_ID];
    double tokens, filled; /* requests; when that was */
    uint64_t used;         /* the number of the call that asked for it last */
};

/* The hashes stand by themselves: to look through all of them takes a microsecond or two, so that
 * no cleverer table is needed. */
struct key_rates {
    uint64_t hashes[KEY_RATES_LIMIT];
    struct bucket buckets[KEY_RATES_LIMIT];
    size_t count;
    uint64_t calls;
    pthread_mutex_t mutex;
};

int key_rates_create(struct key_rates **out, struct error *error) {
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return error_set(error, "out of memory");
    pthread_mutex_init(&(*out)->mutex, NULL);
    return 0;
}

void key_rates_destroy(struct key_rates *rates) {
    if (rates == NULL)
        return;
    pthread_mutex_destroy(&rates->mutex);
    free(rates);
}

double key_rates_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* A free place, or that of the bucket which was used least recently. */
static size_t find_place(struct key_rates *rates) {
    if (rates->count < KEY_RATES_LIMIT)
        return rates->count++;
    size_t oldest = 0;
    for (size_t i = 1; i < KEY_RATES_LIMIT; i++)
        if (rates->buckets[i].used < rates->buckets[oldest].used)
            oldest = i;
    return oldest;
}

static struct bucket *find_bucket(struct key_rates *rates, const char *id, double full,
                                  double now) {
    uint64_t hash = random_hash(id, strlen(id));
    for (size_t i = 0; i < rates->count; i++)
        if (rates->hashes[i] == hash && strcmp(rates->buckets[i].id, id) == 0)
            return &rates->buckets[i];
    size_t place = find_place(rates);
    struct bucket *bucket = &rates->buckets[place];
    *bucket = (struct bucket){.tokens = full, .filled = now};
    strncpy(bucket->id, id, sizeof bucket->id - 1);
    rates->hashes[place] = hash;
    return bucket;
}

int key_rates_take(struct key_rates *rates, const char *id, double rate, double now,
                   double *retry_after) {
    if (!(rate > 0))
        return 1;
    double full = fmax(1, rate / 6), per_second = rate / 60;
    pthread_mutex_lock(&rates->mutex);
    struct bucket *bucket = find_bucket(rates, id, full, now);
    double passed = fmax(0, now - bucket->filled);
    /* The bucket of a key whose rate was lowered may hold too much. */
    bucket->tokens = fmin(full, bucket->tokens + passed * per_second);
    bucket->filled = fmax(bucket->filled, now);
    bucket->used = ++rates->calls;
    /* A microsecond early is in time: who waits exactly as long as was said must get in, whatever
     * was lost in rounding. What is granted early is owed. */
    int is_granted = bucket->tokens >= 1 - 1e-6 * per_second - 1e-9;
    if (is_granted)
        bucket->tokens -= 1;
    else
        *retry_after = (1 - bucket->tokens) / per_second;
    pthread_mutex_unlock(&rates->mutex);
    return is_granted;
}
