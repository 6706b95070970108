/* How sure the good author may say that it is of an answer.
 *
 * Two things speak of it: what the truth layer makes of the claims in the reply, under the chosen
 * standard, and how likely the author found the words that it chose. A logistic regression on
 * questions whose answers are known (truth/calibration.h) makes one probability of them: that the
 * reply holds the right answer. It belongs to one good author and lies in a file of JSON:
 *
 *   {"trine_odds": 1, "author": "fingerprint", "weights": [0.4, 1.1, -0.2], "questions": 150,
 *    "candidates": 1}
 *
 * The odds are those of a reply chosen among so many candidates (good/candidates.h). */
#ifndef TRINE_GOOD_ODDS_H
#define TRINE_GOOD_ODDS_H

#include "latent/layer.h"
#include "truth/judge.h"

enum { CLAIMS_MOST = 12, CANDIDATES_MOST = 16, ODDS_FEATURES = 3, ODDS_FILE_LIMIT = 1 << 16 };

/* The claims of a reply to a question: its sentences, but for questions and what the author says of
 * itself; where the reply is a few words, these as the answer to the question. */
struct claims {
    char *texts[CLAIMS_MOST];
    double probabilities[CLAIMS_MOST]; /* NAN until priced */
    char *sources[CLAIMS_MOST]; /* the weightiest document for it, "Ann Lee, 1862"; or NULL */
    size_t count;
};
int claims_find(struct claims *claims, const char *question, const char *reply,
                struct error *error);
int claims_price(struct claims *claims, struct judge *judge, struct error *error);
void claims_free(struct claims *claims);

/* Who prices the claims of a reply, called once it is written: what that takes, such as a judge
 * whom others want as well, is held no longer. */
typedef int claims_callback(void *context, struct claims *claims, struct error *error);
struct claims_pricer {
    claims_callback *price; /* NULL: nobody */
    void *context;
};
/* Borrows the judge. NULL: nobody. */
struct claims_pricer claims_pricer_of(struct judge *judge);

struct odds_evidence {
    double claim;     /* log odds of the least likely claim; 0 where there is none */
    double certainty; /* as replier_certainty */
};
struct odds_evidence odds_evidence_of(const struct claims *claims, double certainty);

struct odds {
    char author[LAYER_FINGERPRINT];
    double weights[ODDS_FEATURES]; /* of claim, certainty and 1 */
    size_t questions;              /* that they were fitted on */
    size_t candidates;             /* replies among which one was chosen; 0: as 1 */
};

/* is_right[count]: 0 or 1. `author` is who replied. */
int odds_fit(struct odds *odds, const struct layer *author, const struct odds_evidence *evidence,
             const uint8_t *is_right, size_t count, struct error *error);
double odds_probability(const struct odds *odds, const struct odds_evidence *evidence);

size_t odds_candidates(const struct odds *odds);

int odds_save(const struct odds *odds, const char *path, struct error *error);
/* Refuses those of another author. */
int odds_load(struct odds *odds, const struct layer *author, const char *path, struct error *error);

/* Whether this is asked for as a question, so that a reply has odds. */
int odds_are_wanted(const char *message);

/* What is said of them: a line in brackets, in tenths; text[size]. */
void odds_say(double probability, char *text, size_t size);
/* The tenth that is said, from 0 to 10. */
int odds_tenth(double probability);

/* Whether a reply holds one of the answers, word for word, whatever case and punctuation. */
int reply_holds(const char *reply, const char *const *answers, size_t count);

#endif
