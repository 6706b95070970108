/* Whether a statement affirms or denies: its negations counted, "n't" included. */
#ifndef TRINE_TRUTH_POLARITY_H
#define TRINE_TRUTH_POLARITY_H

#include "base/error.h"

struct polarity;

int polarity_create(struct polarity **out, struct error *error);
void polarity_destroy(struct polarity *polarity);

/* *sign <- -1 when the statement holds an odd number of negations, else 1. */
int polarity_of(struct polarity *polarity, const char *statement, int *sign, struct error *error);

#endif
