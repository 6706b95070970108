#include "truth/hearing.h"

#include <math.h>

#include "base/memory.h"

/* Of so many statements it is found out what is usual. */
enum { USUAL_OF = 256 };

double hearing_loss(const struct hearing_lesson *l, double log_probability, double *derivative) {
    *derivative = 0;
    if (l->target < 0)
        return 0;
    double slope = HEARING_SCALE * l->sign, score = slope * (log_probability - l->offset);
    *derivative = slope * (1 / (1 + exp(-score)) - l->target);
    double surprise = score > 0 ? log1p(exp(-score)) : log1p(exp(score)) - score;
    return surprise + (1 - l->target) * score;
}

/* The mean of what is heard of some of the statements, evenly chosen. */
static int find_usual(double *usual, struct asking *asking, const char *const *statements,
                      size_t count, size_t threads, struct error *error) {
    const char *some[USUAL_OF] = {0};
    double heard[USUAL_OF];
    size_t taken = count < USUAL_OF ? count : USUAL_OF;
    for (size_t i = 0; i < taken; i++)
        some[i] = statements[i * count / taken];
    if (asking_hear(asking, &(struct asked){0}, some, taken, threads, heard, error))
        return -1;
    *usual = 0;
    for (size_t i = 0; i < taken; i++)
        *usual += heard[i] / (double)taken;
    return 0;
}

int hearing_offsets(double *offsets, struct asking *asking, const char *const *statements,
                    size_t count, size_t threads, struct error *error) {
    const char **distinct = memory_allocate(count, sizeof *distinct, error);
    double *elsewhere = memory_allocate(count, sizeof *elsewhere, error), usual = 0;
    size_t kept = 0;
    int result = distinct == NULL || elsewhere == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < count; i++)
        if (i == 0 || statements[i] != statements[i - 1])
            distinct[kept++] = statements[i];
    if (result == 0 && (find_usual(&usual, asking, distinct, kept, threads, error) ||
                        asking_hear_elsewhere(asking, &(struct asked){0}, distinct, kept, threads,
                                              elsewhere, error)))
        result = -1;
    for (size_t i = 0, k = 0; result == 0 && i < count; i++) {
        k += i > 0 && statements[i] != statements[i - 1];
        offsets[i] = elsewhere[k] + usual;
    }
    memory_free(distinct);
    memory_free(elsewhere);
    return result;
}
