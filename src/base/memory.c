#include "base/memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Each block starts with one cache line that remembers its size. */
enum { HEADER_BYTES = 64, HUGE_PAGE_BYTES = 2 << 20 };

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

void *memory_allocate(size_t count, size_t size, struct error *error) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2) {
        error_set(error, "cannot allocate %zu items of %zu bytes: the product overflows", count,
                  size);
        return NULL;
    }
    size_t total = (bytes + HEADER_BYTES + 63) / 64 * 64;
    size_t alignment = total >= 8 * HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : 64;
    total = (total + alignment - 1) / alignment * alignment;
    char *block = injected_failure() ? NULL : aligned_alloc(alignment, total);
    if (block == NULL) {
        error_set(error, "out of memory: %zu bytes were asked for", bytes);
        return NULL;
    }
    if (alignment == HUGE_PAGE_BYTES)
        madvise(block, total, MADV_HUGEPAGE); /* advice only: a failure costs speed, not sense */
    memset(block, 0, total);
    memcpy(block, &bytes, sizeof bytes);
    atomic_fetch_add(&bytes_in_use, bytes);
    atomic_fetch_add(&allocation_count, 1);
    return block + HEADER_BYTES;
}

void memory_free(void *block) {
    if (block == NULL)
        return;
    char *start = (char *)block - HEADER_BYTES;
    size_t bytes;
    memcpy(&bytes, start, sizeof bytes);
    atomic_fetch_sub(&bytes_in_use, bytes);
    free(start);
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

void memory_fail_after(size_t n) {
    atomic_store(&fail_countdown, n);
}
