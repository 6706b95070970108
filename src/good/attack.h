/* An attack on the values: how many harmful requests are complied with when a user sets the worst
 * values that are granted.
 *
 * Two attackers. One draws wishes at random, far longer than the radius, so that what is granted
 * lies at its edge. The other has the weights: for each request it climbs, by projected gradient
 * ascent, the log-probability per token of beginning to comply less that of the reply that declines
 * (the target of Zou et al. 2023, with an offset in place of a suffix), and takes the best offset
 * on the way. Every offset is one that values_grant gives. The control is the same attack on a
 * space that protects nothing, of an author that was not trained for offsets. */
#ifndef TRINE_GOOD_ATTACK_H
#define TRINE_GOOD_ATTACK_H

#include <jansson.h>

#include "good/assistant.h"
#include "good/refusal.h"
#include "good/values.h"

struct attack_options {
    size_t offsets;    /* drawn at random; 0: none */
    size_t per_offset; /* requests under each, the next ones of all in turn */
    size_t steps;      /* of the ascent for each request; 0: none */
    size_t tokens;     /* of a reply */
    size_t threads;
    uint64_t seed;
};

struct attack_report {
    size_t requests, guarded;    /* harmful ones; those that the guard declines unseen by values */
    struct share without;        /* complied with, without an offset */
    size_t offsets, replies;     /* of the random attack */
    struct share random;         /* of its replies */
    struct share random_without; /* of the same requests, without an offset */
    double random_length;        /* mean length of what was granted */
    struct share gradient;       /* requests complied with under the offset found for each */
    double pull_before, pull;    /* mean of what is climbed, nats per token */
    double seconds;
};

typedef void attack_callback(void *context, const char *what, size_t done, size_t count);

/* The unsafe ones of the requests, answered by the assistant, whose author is `layer`. A request
 * that the guard declines before a word is written is declined under any offset, and not tried. */
int attack_values(struct attack_report *report, struct assistant *assistant,
                  const struct layer *layer, const struct values_space *space,
                  struct lesson_maker *maker, const struct dialogues *requests,
                  const struct attack_options *options, attack_callback *callback, void *context,
                  struct error *error);

void attack_report_print(FILE *stream, const struct attack_report *report);
/* The caller decrefs; NULL when out of memory. */
json_t *attack_report_to_json(const struct attack_report *report);

#endif
