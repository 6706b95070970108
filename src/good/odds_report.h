/* Questions whose answers are known: asked of the good author, to fit its odds and to measure them.
 */
#ifndef TRINE_GOOD_ODDS_REPORT_H
#define TRINE_GOOD_ODDS_REPORT_H

#include <stdio.h>

#include <jansson.h>

#include "good/candidates.h"
#include "good/refusal.h"
#include "good/reply.h"
#include "truth/report.h"

enum { QUESTION_LINE_LIMIT = 1 << 20 };

/* {"question": TEXT, "answers": [TEXT, ...]} a line; what else a line has is not read. */
struct questions {
    json_t **items;
    size_t count, capacity;
};
int questions_read(struct questions *questions, const char *path, struct error *error);
void questions_free(struct questions *questions);
const char *questions_text(const struct questions *questions, size_t place);

/* What came of asking them: all arrays [count]. */
struct answered {
    size_t count;
    char **replies;
    struct odds_evidence *evidence;
    uint8_t *is_right; /* the reply holds one of the answers */
};

typedef void questions_callback(void *context, size_t done, size_t count);

struct questions_options {
    size_t tokens;     /* of a reply, at most */
    size_t candidates; /* of which one is chosen; the first is greedy */
};

/* A reply that declines has no claim and is not right. */
int questions_ask(struct answered *answered, const struct questions *questions,
                  struct replier *replier, struct judge *judge,
                  const struct questions_options *options, questions_callback *callback,
                  void *context, struct error *error);
void answered_free(struct answered *answered);

struct odds_report {
    struct judgement_report judgement;
    struct share right;
    struct {
        size_t count, right;
    } tenths[11]; /* of what is said */
};
int odds_report_make(struct odds_report *report, const struct odds *odds,
                     const struct answered *answered, struct error *error);
void odds_report_print(FILE *stream, const struct odds_report *report);
/* The caller decrefs; NULL when out of memory. */
json_t *odds_report_to_json(const struct odds_report *report);

/* A line of JSON for each question. */
int answered_write(const struct answered *answered, const struct questions *questions,
                   const struct odds *odds, const char *path, struct error *error);

#endif
