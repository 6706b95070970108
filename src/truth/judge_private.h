/* What truth/judge.c and truth/judge_answer.c share. */
#ifndef TRINE_TRUTH_JUDGE_PRIVATE_H
#define TRINE_TRUTH_JUDGE_PRIVATE_H

#include "truth/judge.h"
#include "truth/logic.h"

struct judge {
    struct standard standard;
    struct model *model;
    struct layer *layer;
    struct asking asking, hearing; /* hearing: of another model, where there is one */
    struct model *hearing_model;
    struct judging judging;
    struct unpacked *asked_weights, *heard_weights; /* both are used for every statement */
    struct logic *logic;
    size_t authors[MOST_DISSENTERS], author_count; /* labels of the slot "author" */
};

#endif
