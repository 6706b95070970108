/* Writes text, or a picture, under a handle. */
#ifndef TRINE_DREAM_WRITE_H
#define TRINE_DREAM_WRITE_H

#include "dream/drawing.h"
#include "dream/token_report.h"
#include "latent/handle.h"
#include "latent/layer.h"
#include "model/decoder.h"
#include "model/sampling.h"

struct write_options {
    const char *instruction; /* text before the prompt that is no part of it; NULL: none */
    const char *prompt;      /* NULL or "": the beginning of a document */
    int is_chat;             /* the prompt is a user's message, in the model's chat format */
    size_t tokens;           /* at most so many are written */
    int is_lean;             /* a long prompt takes no more memory than writing does, and longer */
    uint64_t seed;
    struct sampling sampling;
    struct drawing
        *drawing; /* a picture follows the prompt, which this receives; NULL: text does */
    const struct token_watch *watch; /* sees each token before the callback does; NULL: nobody */
    struct token_outcome *outcome;   /* filled when the writing did not fail; NULL: not wanted */
};

/* Gets each piece of text as it is written (bytes of one token, not NUL-terminated); a return
 * other than 0 stops the writing, which is no error. */
typedef int write_callback(void *context, const char *text, size_t length);

struct writer;

/* Borrows the model. One writer writes one text at a time. */
int writer_create(struct writer **out, const struct model *model, struct error *error);
/* Writes as the layer's author, whatever the handle. Borrows the layer, too. */
int writer_create_as(struct writer **out, const struct layer *layer, struct error *error);
void writer_destroy(struct writer *writer);

/* *tokens <- how many the options' instruction and prompt are, the one that begins documents
 * included; a prompt that cannot be read is refused here as by writer_write. */
int writer_count(struct writer *writer, const struct write_options *options, size_t *tokens,
                 struct error *error);

/* Writes until the document or its picture ends, `tokens` are written, or the callback stops it. */
int writer_write(struct writer *writer, const struct handle *handle,
                 const struct write_options *options, write_callback *callback, void *context,
                 struct error *error);

#endif
