/* The directory of a corpus while it is built: a sibling under a temporary name, which takes the
 * final name in one step, or leaves no trace. */
#ifndef TRINE_TEXT_CORPUS_DIRECTORY_H
#define TRINE_TEXT_CORPUS_DIRECTORY_H

#include "base/error.h"

struct corpus_directory {
    char path[4000], temporary[4040]; /* temporary is "" when there is nothing to remove */
};

/* An existing path is an error, unless `is_forced`: then it must be a directory that holds nothing
 * but a corpus. */
int corpus_directory_create(struct corpus_directory *directory, const char *path, int is_forced,
                            struct error *error);
/* An open temporary file in it that has no name. Returns the descriptor or -1. */
int corpus_directory_spool(const struct corpus_directory *directory, struct error *error);
int corpus_directory_commit(struct corpus_directory *directory, struct error *error);
/* Harmless after commit. */
void corpus_directory_abort(struct corpus_directory *directory);

#endif
