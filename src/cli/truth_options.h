/* What is asked of `trine truth`. */
#ifndef TRINE_CLI_TRUTH_OPTIONS_H
#define TRINE_CLI_TRUTH_OPTIONS_H

#include "base/error.h"
#include "truth/truth_train.h"

extern const char TRUTH_HELP[];

enum { TRUTH_MOST_FILES = 16, TRUTH_MOST_AUTHORS = 64 };

struct truth_wishes {
    const char *model_path, *base_path, *beliefs, *calibrate, *out, *truth, *json, *answers,
        *corpus, *standard_name, *name, *hearer, *vector, *texts;
    const char *opinion_files[TRUTH_MOST_FILES], *authors[TRUTH_MOST_AUTHORS];
    size_t opinion_count, author_count;
    struct truth_train_options options;
    size_t rank, first_block;
    int has_first_block, is_asked_alone, ways;
};

/* Reads the flags with getopt, whose optind is left at the verb. The strings are argv's. */
int truth_wishes_parse(struct truth_wishes *wishes, int argc, char **argv, struct error *error);

#endif
