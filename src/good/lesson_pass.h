/* A pass over several lessons at once, for one thread. */
#ifndef TRINE_GOOD_LESSON_PASS_H
#define TRINE_GOOD_LESSON_PASS_H

#include "good/lesson.h"
#include "latent/layer.h"

struct lesson_pass {
    struct weights weights;
    struct pass *pass;
    size_t sequences, time; /* the pass's */
    int is_training;
    int32_t *tokens, *targets; /* [sequences * time] */
    real *losses, *scales;     /* [sequences * time] */
    real *told, *mask, *dtold; /* [sequences, Z] */
    real *dmean, *dprecision, *dinformation;
};

/* A pass for so many lessons of at most so many tokens. Its shape follows from these alone, so that
 * bits do not depend on what was run before. Set `weights` and `is_training` before the first call.
 */
int lesson_pass_fit(struct lesson_pass *pass, size_t sequences, size_t time, struct error *error);
void lesson_pass_free(struct lesson_pass *pass);

/* Sequence i <- a lesson, told `vector` [Z] plus `offset` (NULL: nothing more); vector NULL:
 * nothing told. */
void lesson_pass_set(struct lesson_pass *pass, size_t i, const struct lesson *lesson,
                     const real *vector, const real *offset);
/* A sequence that does not count. */
void lesson_pass_clear(struct lesson_pass *pass, size_t i);

/* Reads and writes; losses are set. */
void lesson_pass_run(struct lesson_pass *pass);
/* log P of sequence i's reply, after a run. */
double lesson_pass_log_probability(const struct lesson_pass *pass, size_t i);
/* What the losses of sequence i's reply count. */
void lesson_pass_scale(struct lesson_pass *pass, size_t i, double scale);
/* After a run and scales: gradient [overlay count] += that of the sum of scaled losses; dtold is
 * set. */
void lesson_pass_backward(struct lesson_pass *pass, real *gradient);

#endif
