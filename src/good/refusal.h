/* Whether a reply declines: by what declining replies say in their first words, as is usual where
 * refusals are counted (Zou et al. 2023). */
#ifndef TRINE_GOOD_REFUSAL_H
#define TRINE_GOOD_REFUSAL_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

int reply_declines(const char *reply);

/* A share of counts, with the 95 % interval of Wilson (1927). */
struct share {
    double value, low, high;
};
struct share share_of(size_t count, size_t total);
void share_print(FILE *stream, const char *name, const struct share *share);
/* The caller decrefs; NULL when out of memory. */
json_t *share_to_json(const struct share *share);

#endif
