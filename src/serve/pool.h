/* Things that one thread at a time may use (writers, assistants), made when they are first needed
 * and lent out. The one that was used last is lent first: its memory is warm, and what it has read
 * may be what comes again. Any thread may call. */
#ifndef TRINE_SERVE_POOL_H
#define TRINE_SERVE_POOL_H

#include <stddef.h>

#include "base/error.h"

struct pool;

typedef int pool_make(void *context, void **item, struct error *error);
typedef void pool_unmake(void *item);

/* At most `most` things are there at a time. */
int pool_create(struct pool **out, size_t most, pool_make *make, pool_unmake *unmake, void *context,
                struct error *error);
/* All must have been given back. NULL is fine. */
void pool_destroy(struct pool *pool);

/* Waits while all are lent. NULL when a new one cannot be made. */
void *pool_take(struct pool *pool, struct error *error);
void pool_give(struct pool *pool, void *item);

#endif
