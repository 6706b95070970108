/* Fiction in somebody's voice. The good author does not play it: a request such as "Write as
 * Abraham Lincoln about the railroad" opens the dream, told that author, and a year where one is
 * named. What the dream writes is held to the principles like any reply; it begins by saying that
 * it is invented, and who asks whether it is real is told so again. */
#ifndef TRINE_GOOD_FICTION_H
#define TRINE_GOOD_FICTION_H

#include "latent/handle.h"
#include "text/chat.h"

enum { FICTION_TOPIC = 512, FICTION_LINE = 256 };

struct fiction_wish {
    const char *author;        /* the model's label */
    double year;               /* NAN: none is named */
    char topic[FICTION_TOPIC]; /* with which the text begins; "" where none is named */
};

/* Whether a request asks to write as one of the model's authors; then *wish is set. An author is
 * known by the whole label or by its last word, if no other label ends so. */
int fiction_find(struct fiction_wish *wish, const struct model *model, const char *request);

/* The handle under which the dream writes. Free it. */
int fiction_handle(struct handle *handle, const struct fiction_wish *wish,
                   const struct model *model, struct error *error);

/* What is said before the text: a line with its end. */
void fiction_announce(char line[FICTION_LINE], const struct fiction_wish *wish);

/* Whether the last message asks if the fiction before it is real; then `line` says that it is not.
 */
int fiction_is_doubted(char line[FICTION_LINE], const struct chat_message *messages, size_t count);

#endif
