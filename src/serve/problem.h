/* Why a request cannot be served: a status and what the client is told, in the form of OpenAI's
 * errors. What is told is about the request alone: never a path of this machine. */
#ifndef TRINE_SERVE_PROBLEM_H
#define TRINE_SERVE_PROBLEM_H

#include <jansson.h>

#include "base/error.h"

struct problem {
    int status;     /* of HTTP */
    char code[40];  /* for programs; "": none */
    char param[64]; /* the field at fault; "": none */
    char message[900];
};

/* Fills the problem and returns -1. code and param may be NULL. */
int problem_set(struct problem *problem, int status, const char *code, const char *param,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* 400 with the param: a field of the request. Returns -1. */
int problem_field(struct problem *problem, const char *param, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* 400 with the library's message, for what it says about the request's own content. Returns -1. */
int problem_content(struct problem *problem, const char *param, const struct error *error);

/* 500: what went wrong goes to standard error, and the client is told only that something did.
 * Returns -1. */
int problem_internal(struct problem *problem, const char *doing, const struct error *error);

/* {"error": {"message", "type", "param", "code"}}; the type is by the status. NULL: out of memory.
 */
json_t *problem_to_json(const struct problem *problem);

#endif
