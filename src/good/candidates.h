/* Several replies to one question, of which the truth layer chooses: the one whose least likely
 * claim is the likeliest. The first is written as the options say, the others by chance. A first
 * reply that declines stands: what the author will not say is not asked for again. */
#ifndef TRINE_GOOD_CANDIDATES_H
#define TRINE_GOOD_CANDIDATES_H

#include "good/odds.h"
#include "good/reply.h"

struct reply_chosen {
    char *text;
    struct claims claims; /* priced; none of a reply that declines */
    struct odds_evidence evidence;
    int declines;
    size_t place; /* which it was, from 0 */
};

/* count from 1 to CANDIDATES_MOST. Free it; after a failure there is nothing to free. */
int candidates_reply(struct reply_chosen *chosen, struct replier *replier,
                     const struct claims_pricer *pricer, const struct chat_message *messages,
                     size_t message_count, const struct reply_options *options, size_t count,
                     struct error *error);
void reply_chosen_free(struct reply_chosen *chosen);

#endif
