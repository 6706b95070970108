/* From what a network says, and what a library holds for and against, to probabilities; and how
 * good they are beside the verdicts of a base, and how far they cohere with its laws. */
#ifndef TRINE_TRUTH_JUDGING_H
#define TRINE_TRUTH_JUDGING_H

#include "truth/asking.h"
#include "truth/belief_base.h"
#include "truth/coherence.h"
#include "truth/connectives.h"
#include "truth/library.h"
#include "truth/polarity.h"
#include "truth/report.h"
#include "truth/witness.h"

/* Who judges. Everything is borrowed. The network is asked and heard, and beside it another may be
 * heard: how likely they find a statement's last words, turned around where the statement denies.
 */
struct judging {
    struct asking *asking;
    struct asked asked;
    struct asking *beside; /* another's; NULL: nobody else is heard */
    struct asked beside_asked;
    struct polarity *polarity; /* NULL: nobody is heard */
    struct library *library;   /* NULL: none */
    const struct library_filter *filter;
    double calibration[LAYER_CALIBRATION]; /* as a layer has it */
    int is_as_worded; /* statements are weighed as they are worded, not by clauses */
    size_t threads;
};

/* Of one text, not calibrated. */
struct evidence {
    double said, read;    /* log odds asked for, and the library's */
    double heard, beside; /* nats, of who is asked and of the other */
    double doubt;
    int sign; /* -1: the text denies */
};

/* A statement that says outright how it is made of others (connectives.h) is judged clause by
 * clause. */
struct judgement {
    double probability, doubt;
    enum connective connective;
    size_t clause_count; /* 1, or 2 of both and either */
    int is_denied[2];    /* the clause was within a negation */
    struct evidence clauses[2];
    struct evidence worded; /* of the statement as it is worded, where that was asked for */
};

/* judgements[count]. */
int judging_judge(struct judging *judging, const char *const *statements, size_t count,
                  struct judgement *judgements, struct error *error);

/* What was said of a base's texts, as they are worded and of their clauses, not yet weighed. */
struct listened {
    const struct belief_base *base; /* borrowed */
    struct base_texts texts;
    struct judgement *judgements; /* [texts.count] */
    double seconds;
};
int judging_listen(struct listened *out, struct judging *judging, const struct belief_base *base,
                   struct error *error);
void listened_free(struct listened *listened);

/* judging->calibration <- what is asked, as it is. */
void judging_uncalibrated(struct judging *judging);
enum evidence_kind { EVIDENCE_ASKED, EVIDENCE_OWN, EVIDENCE_ALL };
/* judging->calibration <- what fits the verdicts best, of what is asked, of all but what is heard
 * of another, or of all. Where the base has laws, also how sure to be before coherence
 * (judging_confident). */
int judging_fit(struct judging *judging, struct listened *listened, enum evidence_kind kind,
                struct error *error);
/* Sets the probabilities of all judgements. */
void judging_weigh(const struct judging *judging, struct listened *listened);

/* Making prices coherent averages the errors of statements that laws bind, and what is left
 * deserves more confidence than each had: their log odds are first taken times a factor that was
 * fitted for this. */
double judging_confident(const struct judging *judging, double probability);

/* prices[sentences] <- what was weighed, NAN elsewhere; then, if wanted, made coherent with the
 * laws of the base. */
int judging_prices(double *prices, const struct judging *judging, const struct listened *listened,
                   int is_coherent, struct error *error);

struct judging_report {
    struct judgement_report judgement;
    struct coherence_report coherence;
    double doubt_right, doubt_wrong; /* mean doubt where the likelier side was right, and wrong */
    double seconds;                  /* of asking */
};

/* Of what was weighed; and once more when it is made coherent with the laws. Statements without a
 * verdict count for coherence alone. answers (NULL: not wanted): a file of JSON lines for {id,
 * family, statement, probability, doubt, label}. */
int judging_evaluate(struct judging_report *as_judged, struct judging_report *projected,
                     const struct judging *judging, const struct listened *listened,
                     const char *answers, struct error *error);
void judging_report_print(FILE *stream, const struct judging_report *report);
/* The caller decrefs; NULL when out of memory. */
json_t *judging_report_to_json(const struct judging_report *report);

#endif
