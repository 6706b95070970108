#include "good/candidates.h"

#include <stdlib.h>

#include "good/refusal.h"

static const struct sampling BY_CHANCE = {.temperature = 0.8, .top_p = 0.95};

static int weigh(struct reply_chosen *candidate, struct replier *replier,
                 const struct claims_pricer *pricer, const char *question, struct error *error) {
    struct claims *claims = &candidate->claims;
    candidate->declines = reply_declines(candidate->text);
    if (!candidate->declines &&
        (claims_find(claims, question, candidate->text, error) ||
         (claims->count > 0 && pricer->price(pricer->context, claims, error))))
        return -1;
    candidate->evidence = odds_evidence_of(claims, replier_certainty(replier));
    return 0;
}

/* A reply without a claim, or one that declines, is chosen only where there is nothing else. */
static int is_better(const struct reply_chosen *a, const struct reply_chosen *b) {
    if ((a->claims.count > 0) != (b->claims.count > 0))
        return a->claims.count > 0;
    return a->evidence.claim > b->evidence.claim;
}

static int try_one(struct reply_chosen *candidate, struct replier *replier,
                   const struct claims_pricer *pricer, const struct chat_message *messages,
                   size_t message_count, const struct reply_options *options, struct error *error) {
    struct reply_options own = *options;
    if (candidate->place > 0) {
        own.seed += candidate->place;
        own.sampling = own.sampling.temperature > 0 ? own.sampling : BY_CHANCE;
    }
    int result = candidate->place == 0 ? replier_reply_text(replier, messages, message_count, &own,
                                                            &candidate->text, error)
                                       : replier_again_text(replier, &own, &candidate->text, error);
    if (result == 0)
        result = weigh(candidate, replier, pricer, messages[message_count - 1].content, error);
    return result;
}

int candidates_reply(struct reply_chosen *chosen, struct replier *replier,
                     const struct claims_pricer *pricer, const struct chat_message *messages,
                     size_t message_count, const struct reply_options *options, size_t count,
                     struct error *error) {
    *chosen = (struct reply_chosen){.text = NULL};
    for (size_t i = 0; i < count && !(i > 0 && chosen->place == 0 && chosen->declines); i++) {
        struct reply_chosen candidate = {.place = i};
        if (try_one(&candidate, replier, pricer, messages, message_count, options, error)) {
            reply_chosen_free(&candidate);
            reply_chosen_free(chosen);
            return -1;
        }
        if (i == 0 || is_better(&candidate, chosen)) {
            struct reply_chosen worse = *chosen;
            *chosen = candidate;
            candidate = worse;
        }
        reply_chosen_free(&candidate);
    }
    return 0;
}

void reply_chosen_free(struct reply_chosen *chosen) {
    claims_free(&chosen->claims);
    free(chosen->text);
    chosen->text = NULL;
}
