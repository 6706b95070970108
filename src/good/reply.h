/* Replies to a dialogue, by the good author or by a model as it is, token by token. */
#ifndef TRINE_GOOD_REPLY_H
#define TRINE_GOOD_REPLY_H

#include "dream/token_report.h"
#include "good/lesson.h"
#include "latent/handle.h"
#include "latent/layer.h"
#include "model/decoder.h"
#include "model/sampling.h"

struct reply_options {
    size_t tokens; /* at most so many; 0: 160 */
    struct sampling sampling;
    uint64_t seed;
    const real *offset;          /* [Z] added to the author's vector; NULL: none */
    const struct handle *handle; /* under which the model replies as it is; NULL: nothing is told */
    int is_plain; /* the messages as they are, of which the first may be the system's: GOOD_SYSTEM
                   * is not put before them */
    const struct token_watch *watch; /* sees each token before the callback does; NULL: nobody */
    struct token_outcome *outcome;   /* filled when the reply did not fail; NULL: not wanted */
};

/* Gets each piece of text as it is written (not NUL-terminated); a return other than 0 ends the
 * reply, which is no error. */
typedef int reply_callback(void *context, const char *text, size_t length);

struct replier;

/* Borrows both; layer NULL: the model, nothing told. One thread uses a replier. */
int replier_create(struct replier **out, const struct model *model, const struct layer *layer,
                   struct error *error);
void replier_destroy(struct replier *replier);

/* *tokens <- how many the prompt of these messages has; those that cannot be replied to are refused
 * here as by replier_reply. */
int replier_count(struct replier *replier, const struct chat_message *messages, size_t count,
                  const struct reply_options *options, size_t *tokens, struct error *error);

/* A reply to the messages, the last of which is the user's. `begun` (NULL: "") is text with which
 * the reply begins; it is not passed to the callback. */
int replier_reply(struct replier *replier, const struct chat_message *messages, size_t count,
                  const char *begun, const struct reply_options *options, reply_callback *callback,
                  void *context, struct error *error);

/* The same, as a text for free(). */
int replier_reply_text(struct replier *replier, const struct chat_message *messages, size_t count,
                       const struct reply_options *options, char **text, struct error *error);

/* After a reply: another to the same dialogue, whose prompt is not read again. Give other options.
 */
int replier_again(struct replier *replier, const struct reply_options *options,
                  reply_callback *callback, void *context, struct error *error);

/* The same, as a text for free(). */
int replier_again_text(struct replier *replier, const struct reply_options *options, char **text,
                       struct error *error);

/* Mean log-probability of the last reply's tokens, its end included, in nats; without `begun`. */
double replier_certainty(const struct replier *replier);

/* Tokens read and written so far. */
size_t replier_tokens(const struct replier *replier);

#endif
