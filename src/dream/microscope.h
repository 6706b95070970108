/* The microscope: everything that an atlas can show of a slot's labels, collected as one JSON
 * object: where they stand, what each component means and what it writes, the curve of dates, who
 * stands next to whom, and the documents whose reading goes against their label.
 *
 * The same model, corpus and options give the same object. microscope_page.h makes a page of it. */
#ifndef TRINE_DREAM_MICROSCOPE_H
#define TRINE_DREAM_MICROSCOPE_H

#include <jansson.h>

#include "latent/model.h"
#include "text/coastlines.h"
#include "text/corpus.h"

/* Labels beyond these, those with fewest documents, are left out and counted. A map of more could
 * not be read. */
enum { MICROSCOPE_LABELS = 1000 };

/* Called now and then: `done` of `total` pieces of work, of which the one at hand is `what`. */
typedef void microscope_progress(void *context, size_t done, size_t total, const char *what);

struct microscope_options {
    const struct slot *slot;    /* of the model, with labels */
    const char *command;        /* how the report was made, as it is shown */
    size_t components, samples; /* as for an atlas: axes, and held-out texts for the words */
    const char *prompt;         /* what sample texts go on from; NULL: a document's beginning */
    size_t tokens;              /* of each sample text */
    uint64_t seed;
    size_t disputed; /* so many training documents are read, too, spread over the corpus */
    size_t threads;  /* at least 1 */
    const struct coastlines *coasts; /* for maps of places; NULL: none are drawn */
    microscope_progress *progress;   /* NULL: nobody looks on */
    void *progress_context;
};

/* The caller decrefs. Stops with an error between its pieces when nobody wants it any more
 * (base/cancellation.h). Texts from the model and the corpus come out as clean UTF-8 without
 * control characters, whatever bytes they were; they are not escaped for any format. */
int microscope_create(json_t **out, const struct model *model, const struct corpus *corpus,
                      const struct microscope_options *options, struct error *error);

#endif
