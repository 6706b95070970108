/* Waiting for a condition no longer than some time, by a clock that nobody sets. */
#ifndef TRINE_BASE_DEADLINE_H
#define TRINE_BASE_DEADLINE_H

#include <pthread.h>
#include <time.h>

/* So many nanoseconds (below a second) from now, for pthread_cond_timedwait. */
static inline struct timespec deadline_in(long nanoseconds) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += nanoseconds;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return until;
}

/* A condition whose deadlines are of that clock. */
static inline void deadline_condition(pthread_cond_t *condition) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

#endif
