#include "base/random.h"

#include <math.h>
#include <string.h>

uint64_t random_mix(uint64_t value) {
    value ^= value >> 30;
    value *= 0xbf58476d1ce4e5b9u;
    value ^= value >> 27;
    value *= 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

void random_seed(struct random *random, uint64_t seed, uint64_t stream) {
    uint64_t state = random_mix(seed) ^ random_mix(stream * 0x9e3779b97f4a7c15u + 1);
    for (int i = 0; i < 4; i++)
        random->state[i] = random_mix(state += 0x9e3779b97f4a7c15u);
}

static uint64_t rotate_left(uint64_t value, int count) {
    return value << count | value >> (64 - count);
}

uint64_t random_bits(struct random *random) {
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double random_uniform(struct random *random) {
    return (double)(random_bits(random) >> 11) * 0x1p-53;
}

uint64_t random_below(struct random *random, uint64_t bound) {
    /* Rejection keeps it exactly uniform. */
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t bits;
    do
        bits = random_bits(random);
    while (bits >= limit);
    return bits % bound;
}

double random_normal(struct random *random) {
    double radius = sqrt(-2 * log(1 - random_uniform(random)));
    return radius * cos(6.283185307179586 * random_uniform(random));
}

uint64_t random_hash(const void *data, size_t bytes) {
    const unsigned char *at = data;
    uint64_t hash = bytes;
    for (size_t i = 0; i < bytes; i += 8) {
        uint64_t word = 0;
        memcpy(&word, at + i, bytes - i < 8 ? bytes - i : 8);
        hash = random_mix(hash + word + 0x9e3779b97f4a7c15u);
    }
    return hash;
}
