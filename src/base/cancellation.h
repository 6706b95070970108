/* Whether anybody still wants what this thread works on. Who starts work for somebody else says how
 * to find out; long work asks between its pieces, and ends with an error when nobody does. */
#ifndef TRINE_BASE_CANCELLATION_H
#define TRINE_BASE_CANCELLATION_H

#include "base/error.h"

/* Not 0: nobody wants it any more. Called often, so it must be quick. */
typedef int cancellation_question(void *context);

/* For the calling thread, until it is set again; NULL: whatever is begun is wanted to its end. */
void cancellation_set(cancellation_question *question, void *context);

/* -1 with the error when nobody wants the thread's work; else 0. */
int cancellation_check(struct error *error);

#endif
