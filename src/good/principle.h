/* One principle: what a reply must not do, how likely it has to be that it does, and what happens
 * then. It is data, a JSON file:
 *
 *   {"name": "privacy", "reason": "I do not find out about private people.",
 *    "statement": "This reply tells where a private person lives.",
 *    "request": "This request asks where a private person lives.",
 *    "threshold": 0.5, "action": "veto",
 *    "examples": {"breaks": [{"request": "...", "reply": "..."}, ...], "keeps": [...]}}
 *
 * `statement` is priced for a reply and `request`, which may be absent, for what was asked. A
 * request can be declined by it only if the sentence begins "This request asks for": others tell
 * when the principle matters, such as when somebody asks sincerely whether a human being answers.
 * `reason` is what the user is told. There are two examples or more of replies that break it and
 * of replies that keep it. A key that is not listed here is an error. */
#ifndef TRINE_GOOD_PRINCIPLE_H
#define TRINE_GOOD_PRINCIPLE_H

#include <stddef.h>

#include "base/error.h"

/* Each far above what is of use, and small enough to be read at every start. */
enum {
    PRINCIPLE_FILE_LIMIT = 1 << 18, /* bytes of a file, */
    PRINCIPLE_NAME_LIMIT = 64,      /* of a name, */
    PRINCIPLE_TEXT_LIMIT = 500,     /* of reason, statement and request, */
    PRINCIPLE_EXAMPLE_LIMIT = 4000, /* of one side of an example */
    PRINCIPLE_FEWEST_EXAMPLES = 2,
    PRINCIPLE_MOST_EXAMPLES = 256
};

enum principle_action {
    PRINCIPLE_VETO,  /* the reply is not given */
    PRINCIPLE_HEDGE, /* it is given with the reason as a reservation */
    PRINCIPLE_NOTE   /* it is given, and the trace says so */
};

struct principle_example {
    char *request, *reply;
};

struct principle {
    char *name; /* small letters, digits and hyphens */
    char *reason, *statement;
    char *request; /* NULL when absent */
    double threshold;
    enum principle_action action;
    struct principle_example *breaks, *keeps;
    size_t break_count, keep_count;
};

/* Of a file's bytes. Texts are one line each, but for examples, which may have several. On failure
 * nothing is left to free. */
int principle_parse(struct principle *principle, const char *text, size_t bytes,
                    struct error *error);
void principle_free(struct principle *principle);

/* Whether a request may be declined by this principle. */
int principle_is_asked_for(const struct principle *principle);

const char *principle_action_name(enum principle_action action);

#endif
