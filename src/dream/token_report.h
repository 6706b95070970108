/* One token as it is read or chosen: for whoever wants to know more of a text that is being written
 * than its bytes. */
#ifndef TRINE_DREAM_TOKEN_REPORT_H
#define TRINE_DREAM_TOKEN_REPORT_H

#include "math/real.h"
#include "text/tokenizer.h"

enum { TOKEN_TOP_MOST = 20 };

struct token_report {
    uint32_t id;
    struct token_bytes bytes;
    int is_prompt; /* it was given, not chosen */
    /* Nats, by the logits alone: temperature 1, and nothing ruled out. NAN when they are not
     * wanted, or nothing came before the token. */
    double log_probability;
    size_t top_count; /* the likeliest tokens here, the likeliest first */
    uint32_t top_ids[TOKEN_TOP_MOST];
    double top_log_probabilities[TOKEN_TOP_MOST];
    size_t tokens; /* of the text before this one, the one that begins documents included */
    /* [Z] the running handle after those; NULL for a prompt's tokens. Lives until the visit ends.
     */
    const real *mean, *precision;
};

/* A return other than 0 ends the writing, which is no error; of a prompt's tokens it is passed
 * over. */
typedef int token_visit(void *context, const struct token_report *report);

/* Who watches, and what is found out for it. */
struct token_watch {
    token_visit *visit;
    void *context;
    int has_log_probabilities;
    size_t top;        /* so many likeliest tokens, at most TOKEN_TOP_MOST */
    int visits_prompt; /* a prompt's tokens, too: slower, as each wants logits */
};

/* Why a text ended, and how long it is. */
enum token_ending {
    TOKENS_ENDED,  /* the model ended it */
    TOKENS_FULL,   /* so many tokens were asked for */
    TOKENS_STOPPED /* by a callback, or a visit */
};
struct token_outcome {
    enum token_ending end;
    size_t prompt;  /* tokens read first, the one that begins documents included */
    size_t written; /* tokens of the text, without the one that ends it */
};

/* report->log_probability and its top from logits[vocabulary], NULL: nothing came before. The rest
 * of the report is the caller's. */
void token_report_weigh(struct token_report *report, const struct token_watch *watch,
                        const real *logits, size_t vocabulary);

#endif
