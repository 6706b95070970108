#include "base/cancellation.h"

#include <stddef.h>

static _Thread_local struct {
    cancellation_question *question;
    void *context;
} current;

void cancellation_set(cancellation_question *question, void *context) {
    current.question = question;
    current.context = context;
}

int cancellation_check(struct error *error) {
    if (current.question == NULL || !current.question(current.context))
        return 0;
    return error_set(error, "given up, since nobody waits for it any more");
}
