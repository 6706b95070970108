/* One error message for the whole library: what was wrong, where, and what to do.
 *
 * A function that can fail returns 0 when all is well and -1 otherwise, and then has
 * filled the `struct error` it was given. Nothing in the library prints or exits. */
#ifndef TRINE_BASE_ERROR_H
#define TRINE_BASE_ERROR_H

struct error {
    char message[1024];
};

/* Fills the message (printf style) and returns -1, so that `return error_set(...)` reads well. */
int error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As error_set, with ": " and the text of `errno` at the end. */
int error_set_errno(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
