/* JSON values as files. */
#ifndef TRINE_BASE_JSON_FILE_H
#define TRINE_BASE_JSON_FILE_H

#include <jansson.h>

#include "base/error.h"

/* Writes the value and a newline, whole or not at all; json NULL: out of memory. `flags` are
 * Jansson's. */
int json_file_write(const json_t *json, const char *path, size_t flags, struct error *error);

#endif
