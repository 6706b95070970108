/* Where the threads of a team wait for each other, many times a millisecond.
 *
 * A thread that waits spins for some microseconds, which is what a share of a small product takes,
 * and then gives its core away: on a machine that does other work too, the one it waits for may
 * need it. (libgomp's own barrier spins for milliseconds, a hundred times slower there.) */
#ifndef TRINE_BASE_BARRIER_H
#define TRINE_BASE_BARRIER_H

#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>

/* Zeros are a barrier at which nobody waits. */
struct barrier {
    atomic_size_t arrived, generation;
};

/* Returns when `count` threads have called it. What each did before is seen by all after. */
static inline void barrier_wait(struct barrier *barrier, size_t count) {
    enum { SPINS = 4000 };
    size_t generation = atomic_load_explicit(&barrier->generation, memory_order_acquire);
    if (atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel) + 1 == count) {
        atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&barrier->generation, generation + 1, memory_order_release);
        return;
    }
    for (size_t spin = 0;
         atomic_load_explicit(&barrier->generation, memory_order_acquire) == generation; spin++) {
        if (spin >= SPINS)
            sched_yield();
#if defined(__x86_64__)
        else
            __builtin_ia32_pause();
#endif
    }
}

#endif
