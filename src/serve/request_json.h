/* The fields of a request's JSON, with their types and ranges. Every function that refuses one
 * fills the problem with a message that names it and what it must be, and returns -1. A field that
 * is null counts as absent; what is absent leaves *value as it was. Strings are borrowed from the
 * JSON: UTF-8 without bytes of value 0. */
#ifndef TRINE_SERVE_REQUEST_JSON_H
#define TRINE_SERVE_REQUEST_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/problem.h"

/* In a body. Parsed, each takes up to 250 bytes, so that a long body of nothing but empty objects
 * would take a hundred times its length; a handle or a long dialogue has a few thousand. */
enum { REQUEST_VALUES_MOST = 1 << 15 };

/* An object in which no key stands twice; the caller decrefs *out. */
int request_parse(json_t **out, const char *text, size_t bytes, struct problem *problem);

/* NULL when it is absent. */
const json_t *request_field(const json_t *object, const char *name);

int request_text(const json_t *object, const char *name, size_t limit, const char **value,
                 struct problem *problem);
int request_number(const json_t *object, const char *name, double least, double most, double *value,
                   struct problem *problem);
int request_count(const json_t *object, const char *name, size_t least, size_t most, size_t *value,
                  struct problem *problem);
int request_flag(const json_t *object, const char *name, int *value, struct problem *problem);

/* A whole number from -2^63 to 2^63 - 1, of which all bits count. */
int request_seed(const json_t *object, const char *name, uint64_t *value, struct problem *problem);

/* A string, or an array of `least` to `most` of them, none of which is "" or longer than `limit`
 * bytes: values[most]. */
int request_texts(const json_t *object, const char *name, size_t limit, size_t most,
                  const char **values, size_t *count, struct problem *problem);

/* NULL when it is absent; refuses what is no object. */
int request_object(const json_t *object, const char *name, const json_t **value,
                   struct problem *problem);

/* For a field that must be there. */
int request_needs(const json_t *object, const char *name, struct problem *problem);

/* Refuses a field that is none of these; `within` names the object, "" for the request itself. */
int request_only(const json_t *object, const char *within, const char *const *known, size_t count,
                 struct problem *problem);

#endif
