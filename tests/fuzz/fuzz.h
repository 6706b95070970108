/* What the fuzz targets share. A reader may refuse anything, but must neither crash nor leak. */
#ifndef TRINE_TESTS_FUZZ_H
#define TRINE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes under a path, for readers of paths; closing the descriptor removes it. */
static inline int fuzz_file(char path[64], const uint8_t *data, size_t size) {
    int descriptor = memfd_create("fuzz", 0);
    if (descriptor < 0)
        return -1;
    for (size_t at = 0; at < size;) {
        ssize_t written = write(descriptor, data + at, size - at);
        if (written <= 0)
            break;
        at += (size_t)written;
    }
    snprintf(path, 64, "/proc/self/fd/%d", descriptor);
    return descriptor;
}

#endif
