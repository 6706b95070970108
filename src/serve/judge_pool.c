#include "serve/judge_pool.h"

#include <pthread.h>
#include <stdint.h>

#include "base/cancellation.h"
#include "base/deadline.h"
#include "base/memory.h"

/* A judge keeps every statement that it was asked about. After so many loans it is opened anew, so
 * that what strangers ask does not fill the memory. */
enum { JUDGE_LOANS = 4096 };
/* How often whoever waits for a judge is asked whether it is still wanted, in nanoseconds. */
enum { LOOK_EVERY = 100 * 1000 * 1000 };

struct place {
    const struct judge_options *options; /* NULL: free */
    struct judge *judge;
    int is_lent;
    uint64_t given; /* when it was given back last */
    size_t loans;
};

struct judge_pool {
    pthread_mutex_t lock;
    pthread_cond_t given;
    uint64_t clock;
    struct place places[JUDGES_MOST];
};

int judge_pool_create(struct judge_pool **out, struct error *error) {
    *out = memory_allocate(1, sizeof **out, error);
    if (*out == NULL)
        return -1;
    pthread_mutex_init(&(*out)->lock, NULL);
    deadline_condition(&(*out)->given);
    return 0;
}

void judge_pool_destroy(struct judge_pool *p) {
    if (p == NULL)
        return;
    for (int i = 0; i < JUDGES_MOST; i++)
        judge_close(p->places[i].judge);
    pthread_cond_destroy(&p->given);
    pthread_mutex_destroy(&p->lock);
    memory_free(p);
}

/* The place of these options; else a free one, else that of the judge that nobody has and that was
 * given back first; NULL: wait. */
static struct place *find_place(struct judge_pool *p, const struct judge_options *options) {
    struct place *best = NULL;
    for (int i = 0; i < JUDGES_MOST; i++) {
        struct place *place = &p->places[i];
        if (place->options == options)
            return place->is_lent ? NULL : place;
        if (!place->is_lent && (best == NULL || (best->options != NULL && place->options == NULL) ||
                                (best->options != NULL && place->given < best->given)))
            best = place;
    }
    return best;
}

/* With the lock, for as long as anybody wants the judge. */
static int await_place(struct judge_pool *p, const struct judge_options *options,
                       struct place **place, struct error *error) {
    while ((*place = find_place(p, options)) == NULL) {
        struct timespec until = deadline_in(LOOK_EVERY);
        if (cancellation_check(error))
            return -1;
        pthread_cond_timedwait(&p->given, &p->lock, &until);
    }
    return 0;
}

struct judge *judge_pool_take(struct judge_pool *p, const struct judge_options *options,
                              struct error *error) {
    struct place *place;
    struct judge *old = NULL;
    pthread_mutex_lock(&p->lock);
    if (await_place(p, options, &place, error)) {
        pthread_mutex_unlock(&p->lock);
        return NULL;
    }
    if (place->options != options || place->loans >= JUDGE_LOANS) {
        old = place->judge;
        *place = (struct place){.options = options};
    }
    place->is_lent = 1;
    place->loans++;
    struct judge *judge = place->judge;
    pthread_mutex_unlock(&p->lock);
    /* Closed and opened without the lock, which takes seconds: others may use theirs meanwhile. */
    judge_close(old);
    if (judge != NULL)
        return judge;
    int result = judge_open(&judge, options, error);
    pthread_mutex_lock(&p->lock);
    place->judge = judge;
    if (result != 0) {
        *place = (struct place){0};
        pthread_cond_broadcast(&p->given);
    }
    pthread_mutex_unlock(&p->lock);
    return result == 0 ? judge : NULL;
}

void judge_pool_give(struct judge_pool *p, struct judge *judge) {
    pthread_mutex_lock(&p->lock);
    for (int i = 0; judge != NULL && i < JUDGES_MOST; i++)
        if (p->places[i].is_lent && p->places[i].judge == judge) {
            p->places[i].is_lent = 0;
            p->places[i].given = ++p->clock;
        }
    pthread_cond_broadcast(&p->given);
    pthread_mutex_unlock(&p->lock);
}
