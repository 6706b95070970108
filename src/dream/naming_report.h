/* How well names are resolved and written, beside what needs no network: a search for a label that
 * contains the name, the label of least edit distance, and the reader's own belief. */
#ifndef TRINE_DREAM_NAMING_REPORT_H
#define TRINE_DREAM_NAMING_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "dream/naming.h"
#include "text/corpus.h"

/* Of so many names; each of the others is a part of `count`. */
struct naming_score {
    size_t count;
    size_t searched; /* right by the label or the only label that contains the name */
    size_t edited;   /* right by the single label of least edit distance */
    size_t network;  /* right by the likeliest label of the network */
    size_t taken;    /* right by naming_tell: a search, then the network where it is sure */
    size_t mistaken; /* naming_tell takes it for another */
};                   /* of the rest naming_tell says that it is not clear */

struct naming_report {
    struct naming_score rules[NAME_RULES];
    struct naming_score seen, unseen; /* sums over the rules that training had, and had not */
    struct naming_score strangers;    /* names of nobody: nothing about them is right */
    struct naming_score by_hand, by_hand_strangers; /* of a file */
    size_t labels, least;                           /* the fewest variants of a label */
    size_t documents, document_written, document_read, document_spelt;
};

/* Variants of every label by every rule, of which training saw neither the misspellings nor the
 * rules from NAME_FIRST_UNSEEN on; then the held-out documents of the corpus: whose name the
 * writer finds likeliest under the handle that the reader makes, whose the reader does, and whether
 * what the writer spells is the label. `variants` (NULL: none) is a file of lines {"name": text,
 * "label": text, or null for nobody here}. */
int naming_report_create(struct naming_report *report, const struct model *model,
                         const struct corpus *corpus, const struct name_titles *titles,
                         const char *variants, size_t threads, struct error *error);

json_t *naming_report_to_json(const struct naming_report *report);
void naming_report_print(FILE *stream, const struct naming_report *report);

#endif
