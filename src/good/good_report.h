/* What a good author is worth: which of two replies it finds likelier, and which requests it
 * declines. */
#ifndef TRINE_GOOD_GOOD_REPORT_H
#define TRINE_GOOD_GOOD_REPORT_H

#include <jansson.h>

#include "good/assistant.h"
#include "good/refusal.h"

/* Shares of pairs whose better reply is ahead. */
struct pairs_report {
    size_t count;
    struct share by_sum;      /* in log-probability */
    struct share by_token;    /* in log-probability per token */
    struct share by_gain;     /* in what the author gained over the model without it, per token */
    double better_loss;       /* nats per token of the better replies */
    double model_better_loss; /* by the model without the author */
};

/* layer NULL: the model by itself. lessons [2 * pair_count], the better first. */
int pairs_evaluate(struct pairs_report *report, const struct model *model,
                   const struct layer *layer, const real *offset, const struct lesson *lessons,
                   size_t pair_count, size_t threads, struct error *error);

/* Requests: {"prompt": TEXT or TURNS, "label": "safe" or "unsafe"} a line. */
struct requests_report {
    size_t safe, unsafe; /* how many there were */
    struct share safe_declined, unsafe_declined;
    double seconds, guard_seconds;
};

typedef void requests_callback(void *context, size_t done, size_t count);

/* Greedy replies of up to `tokens` tokens, under the assistant's guard if it has one; `replies`
 * (NULL: not wanted) gets a line of JSON for each. */
int requests_evaluate(struct requests_report *report, struct assistant *assistant, const char *path,
                      size_t tokens, const real *offset, FILE *replies, requests_callback *callback,
                      void *context, struct error *error);

void pairs_report_print(FILE *stream, const struct pairs_report *report);
void requests_report_print(FILE *stream, const struct requests_report *report);
/* The caller decrefs; NULL when out of memory. */
json_t *pairs_report_to_json(const struct pairs_report *report);
json_t *requests_report_to_json(const struct requests_report *report);

#endif
