/* From what a network says, and what a library holds for and against, to probabilities; and how
 * good they are beside the verdicts of a base, and how far they cohere with its laws. */
#ifndef TRINE_TRUTH_JUDGING_H
#define TRINE_TRUTH_JUDGING_H

#include "truth/asking.h"
#include "truth/belief_base.h"
#include "truth/coherence.h"
#include "truth/library.h"
#include "truth/polarity.h"
#include "truth/report.h"
#include "truth/witness.h"

/* Who judges. Everything is borrowed. The network is asked; and it, or another, is heard: how
 * likely it finds a statement's last words, turned around where the statement denies. */
struct judging {
    struct asking *asking;
    struct asked asked;
    const struct unpacked *hearing_unpacked; /* as asked.unpacked, where it is another; or NULL */
    struct asking *hearing;                  /* `asking`, or another's; NULL: nobody is heard */
    struct polarity *polarity;               /* where somebody is heard */
    struct library *library;                 /* NULL: none */
    const struct library_filter *filter;
    double calibration[LAYER_CALIBRATION]; /* as a layer has it */
    size_t threads;
};

struct judgement {
    double probability, doubt;
    double said, read, heard; /* not calibrated: log odds asked for, the library's, nats heard */
    int sign;                 /* -1: the statement denies */
};

/* judgements[count]. */
int judging_judge(struct judging *judging, const char *const *statements, size_t count,
                  struct judgement *judgements, struct error *error);

/* What was said of a base's texts, not yet weighed. */
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
/* judging->calibration <- what fits the verdicts best; of nobody but who is asked, if wanted so.
 * Where the base has laws, also how sure to be before coherence (judging_confident). */
int judging_fit(struct judging *judging, struct listened *listened, int is_asked_alone,
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
