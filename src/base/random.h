/* Random numbers: xoshiro256** (Blackman and Vigna 2018), seeded through splitmix64.
 *
 * Streams are derived from (seed, stream), so that step n of a run draws the same numbers
 * whether or not the run was interrupted before it. */
#ifndef TRINE_BASE_RANDOM_H
#define TRINE_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

/* Starts the generator of one stream of one seed. */
void random_seed(struct random *random, uint64_t seed, uint64_t stream);

uint64_t random_bits(struct random *random);

/* Uniform in [0, 1). */
double random_uniform(struct random *random);

/* Uniform in 0 .. bound-1; bound >= 1. */
uint64_t random_below(struct random *random, uint64_t bound);

/* Standard normal (Box and Muller 1958). */
double random_normal(struct random *random);

/* A good 64-bit mixer (splitmix64's finaliser): for hashes. */
uint64_t random_mix(uint64_t value);

/* A 64-bit hash of bytes, the same on every machine; not against malice. */
uint64_t random_hash(const void *data, size_t bytes);

#endif
