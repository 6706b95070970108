/* For readers of directories: one file of them is fuzzed, the tensors are those of
 * FUZZ_SAFETENSORS. */
#ifndef TRINE_TESTS_FUZZ_DIRECTORY_H
#define TRINE_TESTS_FUZZ_DIRECTORY_H

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

static char fuzz_directory[] = "/tmp/trine-fuzz-XXXXXX";
static int fuzz_descriptor;
static const char *fuzz_names[2];

static void fuzz_directory_remove(void) {
    char path[256];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", fuzz_directory, fuzz_names[i]);
        unlink(path);
    }
    rmdir(fuzz_directory);
}

/* Makes the directory; `fuzzed` is the file whose bytes change, `tensors` the other one. */
static inline void fuzz_directory_make(const char *fuzzed, const char *tensors) {
    char path[256], target[PATH_MAX];
    const char *wanted = getenv("FUZZ_SAFETENSORS");
    fuzz_names[0] = fuzzed;
    fuzz_names[1] = tensors;
    fuzz_descriptor = memfd_create("fuzz", 0);
    if (wanted == NULL || realpath(wanted, target) == NULL || mkdtemp(fuzz_directory) == NULL) {
        fprintf(stderr, "FUZZ_SAFETENSORS names no file\n");
        exit(1);
    }
    atexit(fuzz_directory_remove);
    snprintf(path, sizeof path, "%s/%s", fuzz_directory, tensors);
    if (symlink(target, path) != 0)
        exit(1);
    snprintf(path, sizeof path, "%s/%s", fuzz_directory, fuzzed);
    snprintf(target, sizeof target, "/proc/self/fd/%d", fuzz_descriptor);
    if (symlink(target, path) != 0)
        exit(1);
}

static inline int fuzz_directory_write(const uint8_t *data, size_t size) {
    return ftruncate(fuzz_descriptor, 0) == 0 &&
           pwrite(fuzz_descriptor, data, size, 0) == (ssize_t)size;
}

#endif
