#include "base/memory.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Each block starts with one cache line that remembers where malloc began it, and its size. */
enum { HEADER_BYTES = 64, HUGE_PAGE_BYTES = 2 << 20 };

struct header {
    void *start;
    size_t bytes;
};

static atomic_size_t bytes_in_use;
static atomic_size_t allocation_count;
static atomic_size_t fail_countdown;

static int injected_failure(void) {
    size_t left = atomic_load(&fail_countdown);
    if (left == 0)
        return 0;
    atomic_store(&fail_countdown, left - 1);
    return left == 1;
}

/* Large blocks: on huge pages, all of them there from the beginning. */
static char *allocate_huge(size_t bytes, void **start) {
    size_t total = (bytes + HEADER_BYTES + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
    char *block = *start = aligned_alloc(HUGE_PAGE_BYTES, total);
    if (block == NULL)
        return NULL;
    madvise(block, total, MADV_HUGEPAGE); /* advice only: a failure costs speed, not sense */
    return memset(block, 0, total);
}

/* Others: pages that are fresh from the system are zero, and take no memory until they are used. */
static char *allocate_plain(size_t bytes, void **start) {
    *start = calloc(1, bytes + HEADER_BYTES + 64 - alignof(max_align_t));
    return (char *)(((uintptr_t)*start + 63) / 64 * 64);
}

void *memory_allocate(size_t count, size_t size, struct error *error) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2) {
        error_set(error, "cannot allocate %zu items of %zu bytes: the product overflows", count,
                  size);
        return NULL;
    }
    struct header header = {NULL, bytes};
    char *block = NULL;
    if (!injected_failure())
        block = bytes >= 8 * HUGE_PAGE_BYTES ? allocate_huge(bytes, &header.start)
                                             : allocate_plain(bytes, &header.start);
    if (header.start == NULL) {
        error_set(error, "out of memory: %zu bytes were asked for", bytes);
        return NULL;
    }
    memcpy(block, &header, sizeof header);
    atomic_fetch_add(&bytes_in_use, bytes);
    atomic_fetch_add(&allocation_count, 1);
    return block + HEADER_BYTES;
}

void memory_free(void *block) {
    if (block == NULL)
        return;
    struct header header;
    memcpy(&header, (char *)block - HEADER_BYTES, sizeof header);
    atomic_fetch_sub(&bytes_in_use, header.bytes);
    free(header.start);
}

void memory_trim(void) {
    malloc_trim(0);
}

void memory_share(void) {
    enum { ARENAS = 2, MAPPED_FROM = 1 << 18 };
    mallopt(M_ARENA_MAX, ARENAS);
    mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
}

int memory_grow(void *array_pointer, size_t *capacity, size_t needed, size_t size,
                struct error *error) {
    if (needed <= *capacity)
        return 0;
    size_t target = *capacity < 16 ? 16 : *capacity;
    while (target < needed && target <= SIZE_MAX / 2)
        target *= 2;
    size_t bytes;
    if (target < needed || __builtin_mul_overflow(target, size, &bytes))
        return error_set(error, "cannot hold %zu items of %zu bytes: the product overflows", needed,
                         size);
    void *old, *grown;
    memcpy(&old, array_pointer, sizeof old);
    grown = injected_failure() ? NULL : realloc(old, bytes);
    if (grown == NULL)
        return error_set(error, "out of memory: %zu bytes were asked for", bytes);
    memcpy(array_pointer, &grown, sizeof grown);
    *capacity = target;
    return 0;
}

size_t memory_bytes_in_use(void) {
    return atomic_load(&bytes_in_use);
}

size_t memory_allocation_count(void) {
    return atomic_load(&allocation_count);
}

size_t memory_peak(void) {
    char line[256];
    size_t kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %zu", &kilobytes) == 1)
            break;
    if (status != NULL)
        fclose(status);
    return kilobytes * 1024;
}

void memory_fail_after(size_t n) {
    atomic_store(&fail_countdown, n);
}
