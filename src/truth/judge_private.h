/* What truth/judge.c and truth/judge_answer.c share. */
#ifndef TRINE_TRUTH_JUDGE_PRIVATE_H
#define TRINE_TRUTH_JUDGE_PRIVATE_H

#include "truth/judge.h"
#include "truth/logic.h"

struct judge {
    struct standard standard;
    const struct model *model; /* its own, or borrowed */
    struct layer *layer;
    struct asking asking, beside;               /* beside: of another model, where one is named */
    struct model *own_model, *own_beside_model; /* what was loaded; or NULL */
    struct judging judging;
    struct unpacked *asked_weights, *beside_weights; /* both are used for every statement */
    struct logic *logic;
    size_t authors[MOST_DISSENTERS], author_count; /* labels of the slot "author" */
};

#endif
