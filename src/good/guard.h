/* The guard: what the truth author thinks of a request and of a reply, principle by principle.
 *
 * Each principle is a sentence about a request or a reply (good/principle.h). The sentence, with
 * the request and the reply before it, is a statement like any other, and its price is how likely
 * the truth author holds it to be true: always the truth author as it was trained, whatever a user
 * tuned. Before the principles stands a screen, one sentence about all that is harmful, of which
 * more examples are known than of any single principle, and which is cheap: where it is all but
 * sure that nothing is wrong, the principles are not asked one by one.
 *
 * A long text is looked at in windows, and the worst counts: what is asked at its beginning is not
 * outweighed by what follows.
 *
 * Several threads may look through one guard: its looks take turns, for each uses all cores. One
 * for a model is enough: from its first look on it has the model's matrices unpacked, two bytes a
 * number. */
#ifndef TRINE_GOOD_GUARD_H
#define TRINE_GOOD_GUARD_H

#include <stdio.h>

#include "good/principles.h"
#include "latent/layer.h"

struct guard;

struct guard_options {
    double screen;  /* what is likelier than this to be harmful is declined; 0: 0.5 */
    double floor;   /* below this no principle counts, nor is asked; 0: 0.1 */
    int explains;   /* all are asked all the same, to be shown */
    size_t threads; /* 0: one for each core */
};

/* Borrows the truth author's layer, its model and the principles. */
int guard_create(struct guard **out, const struct layer *truth, const struct principles *principles,
                 const struct guard_options *options, struct error *error);
void guard_destroy(struct guard *guard);

/* What was found of a request, or of a reply to it. */
struct guard_finding {
    double screen;                  /* price of the screen */
    double prices[PRINCIPLES_MOST]; /* of each principle; NAN where it was not asked */
    int principle;                  /* the likeliest that bites; else the likeliest, or -1 */
    int is_declined;                /* a veto: of a principle, or of the screen alone */
    int is_hedged;                  /* a principle that hedges bites */
    double seconds;                 /* the wait for others' looks included */
};

/* reply NULL: the request. */
int guard_look(struct guard *guard, const char *request, const char *reply,
               struct guard_finding *finding, struct error *error);

/* One public line: why this is declined or hedged. It names a principle that is likelier than not.
 */
const char *guard_reason(const struct guard *guard, const struct guard_finding *finding);

/* The statements that the guard asks, for training and for tests; the caller frees *out.
 * principle NULL: the screen. reply NULL: of the request. */
int guard_statement(char **out, const struct principle *principle, const char *request,
                    const char *reply, struct error *error);

/* Writes what is known of these statements as a belief base: the principles' own examples, and
 * dialogues (examples and pairs) of which those of kind "refusal" ask for what is to be declined.
 */
struct dialogues;
int guard_write_beliefs(FILE *stream, const struct principles *principles,
                        const struct dialogues *dialogues, struct error *error);

#endif
