/* The reading trader's library: full-text search over the documents of a corpus, with their authors
 * and years. Asked about a statement it says what speaks for it, what against it, and who wrote so.
 *
 * Only documents that are not held out are indexed, so nothing that a model or a market is tested
 * on can be looked up here. What only a held-out document would show is not found; a fact about one
 * (that its author wrote in its year) may seem unsupported.
 *
 * A library has one owner at a time; open one for each thread. What is handed out is the caller's.
 */
#ifndef TRINE_TRUTH_LIBRARY_H
#define TRINE_TRUTH_LIBRARY_H

#include <stddef.h>

#include "base/error.h"

#define LIBRARY_NAME "library.sqlite"
enum { LIBRARY_CITATIONS = 5 };

struct library;

struct library_filter {
    /* Years of documents, both included, a whole last year to its end; NAN: no bound. Documents
     * without a year pass only without bounds. */
    double year_from, year_to;
    const char *const *authors; /* who may be cited, by their labels; 0: anybody */
    size_t author_count;
};

struct citation {
    char *document, *author; /* author: NULL when the document has none */
    double year;             /* NAN: none */
    char *text;     /* the passage, shortened to where the words are: UTF-8, at most 300 bytes */
    double support; /* > 0: speaks for the statement, < 0: against */
};

struct testimony {
    double log_odds; /* not calibrated: only order and sign are meant; 0: nothing was found */
    struct citation citations[LIBRARY_CITATIONS]; /* the weightiest first; one of a document */
    size_t citation_count;
};

/* Makes library.sqlite in the corpus's directory: complete, or not at all. */
int library_build(const char *corpus_directory, struct error *error);

/* Builds it first when it is missing, broken, made by another version, or of other documents than
 * the corpus's catalogue lists. */
int library_open(struct library **out, const char *corpus_directory, struct error *error);
void library_close(struct library *library);

/* Any bytes are a statement; of a long one the first LIBRARY_STATEMENT_BYTES count. `filter` may be
 * NULL. On failure the testimony is empty. */
enum { LIBRARY_STATEMENT_BYTES = 4096 };
int library_consult(struct library *library, const char *statement,
                    const struct library_filter *filter, struct testimony *out,
                    struct error *error);
/* Harmless on an empty or freed testimony. */
void testimony_free(struct testimony *testimony);

#endif
