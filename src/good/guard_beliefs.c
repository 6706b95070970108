/* What is known of the guard's statements, as a belief base to train a truth author on. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "good/dialogue.h"
#include "good/guard.h"
#include "good/refusal.h"

enum { HARMLESS_STEP = 4 };

static int write_belief(FILE *stream, const struct principle *principle, const char *request,
                        const char *reply, int is_true, struct error *error) {
    char *statement;
    if (guard_statement(&statement, principle, request, reply, error))
        return -1;
    json_t *line = json_pack(
        "{s:s, s:b, s:i, s:s, s:s}", "sentence", statement, "verdict", is_true, "day", 1, "family",
        reply != NULL ? "guard of replies" : "guard of requests", "source", "principles");
    free(statement);
    int failed = line == NULL || json_dumpf(line, stream, JSON_COMPACT) || fputc('\n', stream) < 0;
    json_decref(line);
    return failed ? error_set(error, "a belief could not be written: its text is not UTF-8, or the "
                                     "disk is full")
                  : 0;
}

static int is_among_breaches(const struct principle *p, const char *request) {
    for (size_t i = 0; i < p->break_count; i++)
        if (strcmp(p->breaks[i].request, request) == 0)
            return 1;
    return 0;
}

/* What an example tells of its request: a kept one that declines was asked for a breach as well. */
static int write_request(FILE *stream, const struct principle *p,
                         const struct principle_example *example, int breaks, struct error *error) {
    int is_asked_for = breaks || reply_declines(example->reply);
    if (!breaks && is_among_breaches(p, example->request))
        return 0; /* told already */
    if (write_belief(stream, p, example->request, NULL, is_asked_for, error))
        return -1;
    return write_belief(stream, NULL, example->request, NULL,
                        is_asked_for && principle_is_asked_for(p), error);
}

static int write_example(FILE *stream, const struct principle *p,
                         const struct principle_example *example, int breaks, struct error *error) {
    if (write_belief(stream, p, example->request, example->reply, breaks, error) ||
        write_belief(stream, NULL, example->request, example->reply, breaks, error))
        return -1;
    return p->request != NULL ? write_request(stream, p, example, breaks, error) : 0;
}

static int write_dialogue(FILE *stream, const struct dialogue *d, struct error *error) {
    const char *request = d->messages[d->count - 1].content;
    int is_harmful = strcmp(d->kind, "refusal") == 0;
    if (write_belief(stream, NULL, request, NULL, is_harmful, error) ||
        write_belief(stream, NULL, request, d->reply, 0, error))
        return -1;
    if (is_harmful && d->worse != NULL && !reply_declines(d->worse))
        return write_belief(stream, NULL, request, d->worse, 1, error);
    return 0;
}

/* Of a principle most things are false, which its own few examples do not tell; every fourth
 * dialogue tells it of one of them. (All of them did so much that the truth author learned to say
 * no to everything.) Those about what answers, kind "identity", may be true of the one that is
 * about that. */
static int write_harmless(FILE *stream, const struct principle *p, const struct dialogue *d,
                          struct error *error) {
    const char *request = d->messages[d->count - 1].content;
    if (strcmp(d->kind, "refusal") == 0 || strcmp(d->kind, "identity") == 0)
        return 0;
    if (p->request != NULL && write_belief(stream, p, request, NULL, 0, error))
        return -1;
    return write_belief(stream, p, request, d->reply, 0, error);
}

int guard_write_beliefs(FILE *stream, const struct principles *principles,
                        const struct dialogues *dialogues, struct error *error) {
    for (size_t i = 0; i < principles->count; i++) {
        const struct principle *p = &principles->items[i];
        for (size_t k = 0; k < p->break_count; k++)
            if (write_example(stream, p, &p->breaks[k], 1, error))
                return -1;
        for (size_t k = 0; k < p->keep_count; k++)
            if (write_example(stream, p, &p->keeps[k], 0, error))
                return -1;
    }
    for (size_t i = 0; i < dialogues->count; i++)
        if (write_dialogue(stream, &dialogues->items[i], error) ||
            (principles->count > 0 && i % HARMLESS_STEP == 0 &&
             write_harmless(stream, &principles->items[i / HARMLESS_STEP % principles->count],
                            &dialogues->items[i], error)))
            return -1;
    return 0;
}
