/* JSON values as files, and what may stand in them. */
#ifndef TRINE_BASE_JSON_FILE_H
#define TRINE_BASE_JSON_FILE_H

#include <jansson.h>

#include "base/error.h"

/* Writes the value and a newline, whole or not at all; json NULL: out of memory. `flags` are
 * Jansson's. */
int json_file_write(const json_t *json, const char *path, size_t flags, struct error *error);

/* Reads a file of at most `limit` bytes in which no key stands twice; NULL, with the file and the
 * line, when it is none. The caller decrefs. */
json_t *json_file_read(const char *path, size_t limit, struct error *error);

/* Refuses an object that has a key other than the known ones. */
int json_check_keys(const json_t *object, const char *const *known, size_t count,
                    struct error *error);

#endif
