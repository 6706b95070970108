/* What the good author learns from: requests with a reply, or with two replies of which the first
 * is better. JSON Lines, each line one of
 *
 *   {"prompt": TEXT or TURNS, "reply": TEXT}
 *   {"prompt": TEXT or TURNS, "chosen": TEXT, "rejected": TEXT}
 *   {"chosen": TRANSCRIPT, "rejected": TRANSCRIPT}
 *
 * TURNS: [{"role": "user" or "assistant", "text": TEXT}, ...], user first and last, or "content"
 * for "text". An example may say with which values it is given, "values": {"warm-cool": -1, ...},
 * numbers from -1 to 1 (good/values.h). TRANSCRIPT: as hh-rlhf has it, "\n\nHuman:
 * ...\n\nAssistant: ..." (Bai et al. 2022), the two alike up to the last reply. "kind" is kept;
 * other keys are passed over, since such files carry many. */
#ifndef TRINE_GOOD_DIALOGUE_H
#define TRINE_GOOD_DIALOGUE_H

#include <jansson.h>

#include "text/chat.h"

enum { DIALOGUE_TURNS = 64, DIALOGUE_LINE_LIMIT = 1 << 20, VALUES_NAME_LIMIT = 64 };

/* Whether this may name a value: small letters, digits and hyphens. */
int values_is_name(const char *name);

struct dialogue {
    json_t *line; /* owns all texts below */
    struct chat_message messages[DIALOGUE_TURNS];
    size_t count;
    const char *reply; /* the better one */
    const char *worse; /* NULL: an example, no pair */
    const char *kind;  /* "" when none is given */
    json_t *values;    /* an object of numbers; NULL: none */
};

struct dialogues {
    struct dialogue *items;
    size_t count, capacity;
};

/* Adds all of a file (- for standard input, .zst and .gz as they are) to `dialogues`, which starts
 * as zeros. Free it also after a failure. */
int dialogues_read(struct dialogues *dialogues, const char *path, struct error *error);
void dialogues_free(struct dialogues *dialogues);

/* The same of requests with a label, for measuring, {"prompt": TEXT or TURNS, "label": "safe" or
 * "unsafe"}: dialogues without replies, whose kind is the label. */
int requests_read(struct dialogues *dialogues, const char *path, struct error *error);

#endif
