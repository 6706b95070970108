/* The good author in a dialogue, under the principles.
 *
 * A request is looked at by the guard before anything is written. A reply is shown sentence by
 * sentence, each after the guard has seen it together with all before it, so that nothing is shown
 * that is taken back later. The guard looks again when the reply has doubled since the last time,
 * so a reply of n sentences costs about log2 n looks. */
#ifndef TRINE_GOOD_ASSISTANT_H
#define TRINE_GOOD_ASSISTANT_H

#include "dream/write.h"
#include "good/guard.h"
#include "good/odds.h"
#include "good/reply.h"

struct assistant {
    struct replier *replier; /* all borrowed */
    struct guard *guard;     /* NULL: no guard, for measuring what it is worth */
    const struct principles *principles;
    struct claims_pricer pricer; /* of a reply to a question; nobody: it says no odds */
    const struct odds *odds;
    const struct model
        *dream;             /* what writes fiction in somebody's voice (good/fiction.h), by its */
    struct writer *dreamer; /* writer; NULL: nothing does, and the good author tries */
};

enum assistant_outcome {
    ASSISTANT_REPLIED,
    ASSISTANT_HEDGED,           /* with a reservation */
    ASSISTANT_DREAMED,          /* fiction, which the dream wrote */
    ASSISTANT_JUDGED,           /* whether a statement is true, which the truth layer told */
    ASSISTANT_DECLINED_REQUEST, /* before a word was written */
    ASSISTANT_DECLINED_REPLY    /* what was written was not shown, or not all of it */
};

/* What was thought on the way. */
struct assistant_trace {
    enum assistant_outcome outcome;
    struct guard_finding request, reply; /* the last look at each */
    size_t looks;                        /* at the reply */
    struct claims claims;                /* of a reply to a question */
    size_t chosen;                       /* which candidate it is, from 0 */
    double odds;                         /* that it is right; NAN where nothing is said of it */
    char *text;                          /* what was shown; free with assistant_trace_free */
    double first_seconds, seconds, guard_seconds;
};

/* Answers the dialogue, the last of whose messages is the user's. The callback gets whole
 * sentences. */
int assistant_answer(struct assistant *assistant, const struct chat_message *messages, size_t count,
                     const struct reply_options *options, reply_callback *callback, void *context,
                     struct assistant_trace *trace, struct error *error);
void assistant_trace_free(struct assistant_trace *trace);

/* By the guard, or by the author's own words. */
int assistant_trace_declines(const struct assistant_trace *trace);

void assistant_trace_print(FILE *stream, const struct assistant *assistant,
                           const struct assistant_trace *trace);

#endif
