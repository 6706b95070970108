/* Reads one text and tells, token by token, what the model makes of its author and date. */
#ifndef TRINE_DREAM_READ_H
#define TRINE_DREAM_READ_H

#include "latent/handle.h"

/* After each token of the text. The numbers belong to the reader and live until the callback
 * returns. A return other than 0 stops the reading, which is no error. */
struct read_state {
    size_t tokens;    /* read so far */
    const char *text; /* the bytes of the last token, not NUL-terminated */
    size_t text_bytes;
    const real *mean, *precision; /* [Z] the running handle */
};
typedef int read_callback(void *context, const struct read_state *state);

/* Reads a document's tokens (dream/document.h) in windows of the model's context, the evidence
 * adding up over all of it. `handle` receives the posterior, nothing told; `tokens` (may be NULL)
 * the count of tokens. The callback may be NULL. */
int read_document(struct handle *handle, size_t *tokens, const struct model *model,
                  const struct token_list *list, read_callback *callback, void *context,
                  struct error *error);
/* The same of text[bytes]. */
int read_text(struct handle *handle, size_t *tokens, const struct model *model, const char *text,
              size_t bytes, read_callback *callback, void *context, struct error *error);

/* log_odds[point_count]: calibrated belief about one slot after so many tokens. */
void read_belief(const struct model *model, size_t slot, const real *mean, const real *precision,
                 size_t tokens, const struct slot_state *states, double *log_odds);

#endif
