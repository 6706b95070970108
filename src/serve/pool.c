#include "serve/pool.h"

#include <pthread.h>

#include "base/memory.h"

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t given;
    size_t most, made, idle_count;
    void **idle; /* [most]; the last was given back last */
    pool_make *make;
    pool_unmake *unmake;
    void *context;
};

int pool_create(struct pool **out, size_t most, pool_make *make, pool_unmake *unmake, void *context,
                struct error *error) {
    *out = NULL;
    struct pool *p = memory_allocate(1, sizeof *p, error);
    if (p == NULL)
        return -1;
    *p = (struct pool){.most = most, .make = make, .unmake = unmake, .context = context};
    p->idle = memory_allocate(most, sizeof *p->idle, error);
    if (p->idle == NULL) {
        memory_free(p);
        return -1;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->given, NULL);
    *out = p;
    return 0;
}

void pool_destroy(struct pool *p) {
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->idle_count; i++)
        p->unmake(p->idle[i]);
    pthread_cond_destroy(&p->given);
    pthread_mutex_destroy(&p->lock);
    memory_free(p->idle);
    memory_free(p);
}

void *pool_take(struct pool *p, struct error *error) {
    void *item = NULL;
    pthread_mutex_lock(&p->lock);
    while (p->idle_count == 0 && p->made == p->most)
        pthread_cond_wait(&p->given, &p->lock);
    int is_new = p->idle_count == 0;
    if (is_new)
        p->made++;
    else
        item = p->idle[--p->idle_count];
    pthread_mutex_unlock(&p->lock);
    /* Made without the lock: it may take a while, and others give back meanwhile. */
    if (!is_new || p->make(p->context, &item, error) == 0)
        return item;
    pthread_mutex_lock(&p->lock);
    p->made--;
    pthread_cond_signal(&p->given);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

void pool_give(struct pool *p, void *item) {
    if (item == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->idle[p->idle_count++] = item;
    pthread_cond_signal(&p->given);
    pthread_mutex_unlock(&p->lock);
}
