/* Allocation: zeroed, 64-byte aligned, sizes checked for overflow. */
#ifndef TRINE_BASE_MEMORY_H
#define TRINE_BASE_MEMORY_H

#include <stddef.h>

#include "base/error.h"

/* Returns count * size zeroed bytes aligned to 64, or NULL with the error filled.
 * The caller frees with memory_free. A count of zero gives a valid pointer. */
void *memory_allocate(size_t count, size_t size, struct error *error);

/* Frees what memory_allocate gave; NULL is fine. */
void memory_free(void *block);

/* Gives what is free back to the system: for after a load, which needs more than what stays. */
void memory_trim(void);

/* For a process of many threads, before they begin: what is freed goes back to the system sooner,
 * and threads share room. (glibc keeps for each thread, and for ever, what it once needed.) */
void memory_share(void);

/* Grows an array made by malloc/realloc (not memory_allocate) so that it holds at least
 * `needed` items of `size` bytes; `*capacity` is updated. Returns 0, or -1 with the error. */
int memory_grow(void *array_pointer, size_t *capacity, size_t needed, size_t size,
                struct error *error);

/* Bytes that memory_allocate has handed out and not yet taken back, and the number of calls:
 * for memory plans and for the tests that count allocations. */
size_t memory_bytes_in_use(void);
size_t memory_allocation_count(void);

/* The most that the process has had in memory, in bytes, mapped files and libraries included; 0
 * where the system does not say. */
size_t memory_peak(void);

/* Test hook: the n-th call from now on fails (n >= 1); 0 switches the hook off. */
void memory_fail_after(size_t n);

#endif
