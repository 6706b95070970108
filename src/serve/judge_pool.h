/* Judges that are open: each has its model's matrices unpacked, so they are opened when they are
 * first asked and the one that was not asked for longest is closed when there are too many. Any
 * thread may call. */
#ifndef TRINE_SERVE_JUDGE_POOL_H
#define TRINE_SERVE_JUDGE_POOL_H

#include "truth/judge.h"

enum { JUDGES_MOST = 4 };

struct judge_pool;

int judge_pool_create(struct judge_pool **out, struct error *error);
/* All must have been given back. NULL is fine. */
void judge_pool_destroy(struct judge_pool *pool);

/* The judge of these options, which are its identity (one address, one judge) and must live as long
 * as the pool; alone until it is given back. Waits while another thread has it, or while all places
 * are taken. NULL when it cannot be opened, or when nobody waits for it any more
 * (base/cancellation.h). */
struct judge *judge_pool_take(struct judge_pool *pool, const struct judge_options *options,
                              struct error *error);
void judge_pool_give(struct judge_pool *pool, struct judge *judge);

#endif
