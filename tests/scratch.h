/* A directory that a group of tests has for itself; in memory where that can be, since many commits
 * would wait for a disk. For cmocka's group: scratch_enter, scratch_leave. */
#ifndef TRINE_TESTS_SCRATCH_H
#define TRINE_TESTS_SCRATCH_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

static char scratch_directory[64] = "/dev/shm/trine-test-XXXXXX";

/* The path of a file there; of the last four that were asked for. */
static inline const char *at(const char *name) {
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", scratch_directory, name);
    return path;
}

static inline void scratch_write(const char *name, const char *text) {
    FILE *stream = fopen(at(name), "w");
    assert_non_null(stream);
    assert_true(fputs(text, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
}

/* A command that must succeed. */
__attribute__((format(printf, 1, 2))) static inline void shell(const char *format, ...) {
    char command[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    assert_int_equal(system(command), 0);
}

static inline int scratch_enter(void **state) {
    (void)state;
    if (mkdtemp(scratch_directory) != NULL)
        return 0;
    strcpy(scratch_directory, "/tmp/trine-test-XXXXXX");
    return mkdtemp(scratch_directory) == NULL;
}

static inline int scratch_leave(void **state) {
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", scratch_directory);
    return system(command);
}

#endif
