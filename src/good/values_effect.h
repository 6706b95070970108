/* What an offset of the good author's vector does to the principles. */
#ifndef TRINE_GOOD_VALUES_EFFECT_H
#define TRINE_GOOD_VALUES_EFFECT_H

#include "good/principles.h"
#include "good/values.h"

/* margins[principles->count] <- over the requests of each principle's examples that break it, how
 * much likelier per token declining for its reason is than the reply that breaks it, in nats: the
 * mean. offset [Z] is added to the vector (NULL: none). */
int values_margins(double *margins, const struct layer *layer, const real *offset,
                   const struct principles *principles, struct lesson_maker *maker, size_t threads,
                   struct error *error);

#endif
