/* One text that is being written for a request: what of it may be shown, what is told of its
 * tokens, and to whom it goes, token by token. */
#ifndef TRINE_SERVE_WRITING_H
#define TRINE_SERVE_WRITING_H

#include "dream/token_report.h"
#include "serve/service.h"
#include "text/text_filter.h"

/* What the request wants of every text. */
struct writing_wish {
    const char *stops[TEXT_STOPS_MOST];
    size_t stop_count;
    int has_log_probabilities;
    size_t top;               /* likeliest tokens beside each */
    int is_stream, has_usage; /* usage: in a stream, an event of its own at the end */
    int has_reading;
};

/* What can be shown of a text now. */
struct writing_piece {
    const char *text; /* UTF-8 */
    size_t bytes;
    /* Of the tokens that it shows, [{"token", "bytes": [numbers], "logprob": number or null, "top":
     * [{"token", "bytes", "logprob"}], "offset": characters before it}]; NULL: not wanted. */
    json_t *tokens;
    json_t *reading; /* what a reader makes of all so far; NULL: not wanted, or not known */
};

/* Everything is borrowed until it returns; not 0: nobody listens. */
typedef int writing_deliver(void *context, const struct writing_piece *piece);

struct writing {
    struct request *request;
    const struct resident_model *model;
    const struct writing_wish *wish;
    const struct handle *handle; /* under which it is written; for the reading; or NULL */
    writing_deliver *deliver;    /* NULL: the text is kept alone */
    void *context;
    struct token_watch watch; /* for those who write */
    struct token_outcome outcome;
    struct text_filter filter;
    const char *echo; /* a prompt that is shown before the text; NULL: none */
    int was_echoed;
    json_t *tokens; /* those not delivered yet, or all when nobody is delivered to */
    json_t *reading;
    size_t prompt_tokens;       /* entries of `tokens` that are the prompt's */
    size_t bytes, characters;   /* of the tokens so far, the prompt included; as they are shown */
    struct text_filter counted; /* finds those characters, and holds half a one */
    size_t written;             /* bytes that were heard */
    char *text;                 /* all that was shown */
    size_t text_bytes, text_capacity;
    int is_gone, failed;
    double first_seconds; /* from the request to the first token or sentence; 0: none yet */
    struct error error;
};

/* Fills in what is not the caller's: request, model, wish, and before the writing starts handle,
 * deliver, context and echo. */
void writing_start(struct writing *writing, struct request *request,
                   const struct resident_model *model, const struct writing_wish *wish);
void writing_free(struct writing *writing);

/* A write_callback and a reply_callback; context: the writing. */
int writing_hear(void *context, const char *text, size_t length);
/* Whether nobody listens any more, or all failed: for those who write without a word. */
int writing_is_over(struct writing *writing);

/* After the writing: shows what was held back. -1 with the request's problem. */
int writing_finish(struct writing *writing);

/* "stop" or "length" */
const char *writing_finish_reason(const struct writing *writing);

/* The common fields of requests: max_tokens aside, what both OpenAI routes know. */
int writing_read_wish(struct writing_wish *wish, const json_t *body, struct problem *problem);

/* Sampling and seed; `temperature` is what counts when the request names none. */
int writing_read_sampling(struct sampling *sampling, uint64_t *seed, double temperature,
                          const json_t *body, struct problem *problem);

/* Refuses fields that ask for what is not done here, unless their value asks for nothing. */
int writing_refuse(const json_t *body, const char *const *fields, size_t count,
                   struct problem *problem);

/* {"prompt_tokens", "completion_tokens", "total_tokens"} */
json_t *writing_usage(size_t prompt, size_t written);

#endif
